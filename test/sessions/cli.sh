#!/usr/bin/env bash
# Commands of the AWS CLI, one of each kind. Each prints as text, and its output must be what is written beside it.
set -uo pipefail
endpoint=${1:?usage: cli.sh ENDPOINT}
table=session-cli-$$
service=dynamodb
passed=0
failed=0

# want NAME EXPECTED COMMAND...: the command's output, errors included, must match the pattern.
want() {
	local name=$1 expected=$2 got
	shift 2
	got=$(aws "$service" --endpoint-url "$endpoint" --output text "$@" 2>&1)
	# shellcheck disable=SC2053
	if [[ $got == $expected ]]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'aws cli: %s\n  got  %q\n  want %q\n' "$name" "$got" "$expected"
	fi
}
tab=$'\t'

want create-table "$table${tab}*" create-table --table-name "$table" --billing-mode PAY_PER_REQUEST \
	--attribute-definitions AttributeName=artist,AttributeType=S AttributeName=song,AttributeType=S AttributeName=year,AttributeType=N \
	--key-schema AttributeName=artist,KeyType=HASH AttributeName=song,KeyType=RANGE \
	--global-secondary-indexes 'IndexName=by-year,KeySchema=[{AttributeName=year,KeyType=HASH}],Projection={ProjectionType=ALL}' \
	--query 'TableDescription.[TableName, TableStatus]'
want wait "" wait table-exists --table-name "$table"
want put-item "" put-item --table-name "$table" --item '{"artist": {"S": "Nina"}, "song": {"S": "Blue"}, "year": {"N": "1957"}}'
want get-item "1957" get-item --table-name "$table" --key '{"artist": {"S": "Nina"}, "song": {"S": "Blue"}}' --consistent-read --query Item.year.N
want put-item-condition "*(ConditionalCheckFailedException)*" put-item --table-name "$table" \
	--item '{"artist": {"S": "Nina"}, "song": {"S": "Blue"}}' --condition-expression 'attribute_not_exists(artist)'
want update-item "1958" update-item --table-name "$table" --key '{"artist": {"S": "Nina"}, "song": {"S": "Blue"}}' \
	--update-expression 'SET #y = #y + :one' --expression-attribute-names '{"#y": "year"}' --expression-attribute-values '{":one": {"N": "1"}}' \
	--return-values UPDATED_NEW --query Attributes.year.N
want batch-write-item "0" batch-write-item --query 'length(UnprocessedItems)' --request-items "{\"$table\": [
	{\"PutRequest\": {\"Item\": {\"artist\": {\"S\": \"Nina\"}, \"song\": {\"S\": \"Four\"}, \"year\": {\"N\": \"1966\"}}}},
	{\"PutRequest\": {\"Item\": {\"artist\": {\"S\": \"Miles\"}, \"song\": {\"S\": \"So\"}, \"year\": {\"N\": \"1959\"}}}}]}"
want query "Four${tab}Blue" query --table-name "$table" --no-scan-index-forward --key-condition-expression 'artist = :a' \
	--expression-attribute-values '{":a": {"S": "Nina"}}' --query 'Items[].song.S'
want scan "3" scan --table-name "$table" --select COUNT --query Count
want execute-statement "Four${tab}Blue" execute-statement --statement "SELECT song FROM \"$table\" WHERE artist = 'Nina' ORDER BY song DESC" \
	--query 'Items[].song.S'
want execute-statement-update "1967" execute-statement --parameters '[{"S": "Nina"}]' --query 'Items[0].year.N' \
	--statement "UPDATE \"$table\" SET year = year + 1 WHERE artist = ? AND song = 'Four' RETURNING MODIFIED NEW *"
want batch-execute-statement $'None\nDuplicateItem' batch-execute-statement --query 'Responses[].[Error.Code]' --statements "[
	{\"Statement\": \"INSERT INTO \\\"$table\\\" VALUE {'artist': 'Ella', 'song': 'One'}\"},
	{\"Statement\": \"INSERT INTO \\\"$table\\\" VALUE {'artist': 'Nina', 'song': 'Blue'}\"}]"
want execute-transaction "0" execute-transaction --query 'length(Responses)' --transact-statements "[
	{\"Statement\": \"DELETE FROM \\\"$table\\\" WHERE artist = 'Ella' AND song = 'One'\"},
	{\"Statement\": \"EXISTS(SELECT * FROM \\\"$table\\\" WHERE artist = 'Nina' AND song = 'Four' AND year = 1967)\"}]"

# Application Auto Scaling is another service of the CLI, at the same door.
service=application-autoscaling
of=(--service-namespace dynamodb --resource-id "table/$table" --scalable-dimension dynamodb:table:ReadCapacityUnits)
want register-scalable-target "*:scalable-target/*" register-scalable-target "${of[@]}" --min-capacity 5 --max-capacity 50 --query ScalableTargetARN
want describe-scalable-targets "5${tab}50" describe-scalable-targets --service-namespace dynamodb --resource-ids "table/$table" \
	--query 'ScalableTargets[].[MinCapacity, MaxCapacity]'
want put-scaling-policy "*:policyName/track" put-scaling-policy "${of[@]}" --policy-name track --policy-type TargetTrackingScaling --query PolicyARN \
	--target-tracking-scaling-policy-configuration 'TargetValue=70,PredefinedMetricSpecification={PredefinedMetricType=DynamoDBReadCapacityUtilization}'
want put-scaling-policy-out-of-range "*(ValidationException)*between '20.0' and '90.0'*" put-scaling-policy "${of[@]}" --policy-name track \
	--policy-type TargetTrackingScaling \
	--target-tracking-scaling-policy-configuration 'TargetValue=95,PredefinedMetricSpecification={PredefinedMetricType=DynamoDBReadCapacityUtilization}'
want put-scheduled-action "" put-scheduled-action "${of[@]}" --scheduled-action-name night --schedule 'cron(0 3 * * ? *)' --timezone Europe/Berlin \
	--scalable-target-action MinCapacity=1,MaxCapacity=10
want describe-scheduled-actions "night${tab}cron(0 3 * * ? *)" describe-scheduled-actions --service-namespace dynamodb \
	--resource-id "table/$table" --query 'ScheduledActions[].[ScheduledActionName, Schedule]'
want describe-scaling-activities "None" describe-scaling-activities "${of[@]}" --query 'ScalingActivities[0].StatusCode'
want deregister-scalable-target "" deregister-scalable-target "${of[@]}"
want deregister-scalable-target-again "*(ObjectNotFoundException)*" deregister-scalable-target "${of[@]}"

service=dynamodb
want delete-table "DELETING" delete-table --table-name "$table" --query TableDescription.TableStatus

echo "aws-cli: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
