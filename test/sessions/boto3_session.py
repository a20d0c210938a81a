#!/usr/bin/python3
"""Ten commands of boto3, each with its answer checked."""

import os
import sys
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

db = boto3.resource("dynamodb", endpoint_url=sys.argv[1])
name = f"session-boto3-{os.getpid()}"
passed = failed = 0


def want(what, got, expected):
    global passed, failed
    if got == expected:
        passed += 1
    else:
        failed += 1
        print(f"boto3: {what}\n  got  {got!r}\n  want {expected!r}")


table = db.create_table(
    TableName=name,
    BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": "artist", "AttributeType": "S"}, {"AttributeName": "song", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "artist", "KeyType": "HASH"}, {"AttributeName": "song", "KeyType": "RANGE"}],
)
table.wait_until_exists()
table.reload()
want("create_table", (table.table_status, table.key_schema[0]["AttributeName"]), ("ACTIVE", "artist"))

song = {
    "artist": "Nina", "song": "Blue", "year": Decimal("1957"), "price": Decimal("0.10"), "cover": b"\x00\xff", "tags": {"jazz", "live"},
    "sizes": {Decimal("1"), Decimal("2.5")}, "more": {"list": [True, None, "x", Decimal("-1E-20")], "empty": {}},
}
want("put_item", table.put_item(Item=song).get("Attributes"), None)
want("get_item", table.get_item(Key={"artist": "Nina", "song": "Blue"}, ConsistentRead=True)["Item"], song)

try:
    table.put_item(Item=song, ConditionExpression=Attr("artist").not_exists())
    want("a condition that fails", "no error", "ConditionalCheckFailedException")
except ClientError as error:
    want("a condition that fails", error.response["Error"]["Code"], "ConditionalCheckFailedException")

updated = table.update_item(
    Key={"artist": "Nina", "song": "Blue"}, UpdateExpression="SET #y = #y + :one, more.#l[0] = :false", ExpressionAttributeNames={"#y": "year", "#l": "list"},
    ExpressionAttributeValues={":one": 1, ":false": False}, ReturnValues="UPDATED_NEW",
)
want("update_item", updated["Attributes"], {"year": Decimal(1958), "more": {"list": [False]}})

with table.batch_writer() as batch:
    for i in range(60):
        batch.put_item(Item={"artist": "Miles", "song": f"{i:02}", "year": 1900 + i})
want("batch_writer and query", table.query(KeyConditionExpression=Key("artist").eq("Miles"), Select="COUNT")["Count"], 60)

late = table.query(
    KeyConditionExpression=Key("artist").eq("Miles") & Key("song").between("10", "20"), FilterExpression=Attr("year").gt(1917), ScanIndexForward=False,
)
want("query with a filter", ([item["song"] for item in late["Items"]], late["ScannedCount"]), (["20", "19", "18"], 11))

items, page = [], {"Limit": 7}
while True:
    out = table.scan(**page)
    items += out["Items"]
    if "LastEvaluatedKey" not in out:
        break
    page["ExclusiveStartKey"] = out["LastEvaluatedKey"]
want("scan in pages", len({(item["artist"], item["song"]) for item in items}), 61)

want("delete_item", table.delete_item(Key={"artist": "Miles", "song": "00"}, ReturnValues="ALL_OLD")["Attributes"]["year"], Decimal(1900))

table.delete()
table.wait_until_not_exists()
try:
    table.scan()
    want("delete_table", "no error", "ResourceNotFoundException")
except ClientError as error:
    want("delete_table", error.response["Error"]["Code"], "ResourceNotFoundException")

print(f"boto3: {passed} passed, {failed} failed")
sys.exit(failed > 0)
