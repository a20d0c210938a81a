package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const berlin, ottawa = 2950159, 6094817

// capitals are the ids that question 9 asks for, largest first.
var capitals = []int64{2643743, berlin, 184745, 2988507, ottawa, 2172517}

var questions = []question{
	{"Which place has the id 2950159?", byID, func(cities []city) answer {
		return describeCities(where(cities, func(c city) bool { return c.ID == berlin }))
	}},
	{"Which are the five largest cities of Japan?", largest, func(cities []city) answer {
		return describeCities(where(cities, in("JP"))[:5])
	}},
	{"Which cities of Germany have more than a million inhabitants?", millions, func(cities []city) answer {
		return describeCities(where(cities, func(c city) bool { return c.Country == "DE" && c.Population > 1_000_000 }))
	}},
	{"How many places has Brazil?", countBrazil, func(cities []city) answer {
		return answer{fmt.Sprint(len(where(cities, in("BR"))))}
	}},
	{"Which places of France begin with Saint-Mar, the first five by name?", prefix, func(cities []city) answer {
		found := where(cities, func(c city) bool { return c.Country == "FR" && strings.HasPrefix(c.Name, "Saint-Mar") })
		slices.SortStableFunc(found, func(a, b city) int { return strings.Compare(a.Name, b.Name) })
		return describeNames(found[:5])
	}},
	{"Which seats of Italy's regions lie north of 45 degrees, largest first?", northern, func(cities []city) answer {
		return describeCities(where(cities, func(c city) bool { return c.Country == "IT" && c.Feature == "PPLA" && c.Latitude > 45 }))
	}},
	{"How many pages of 500 make up Spain, and are they in order without a gap?", pages, func(cities []city) answer {
		n := len(where(cities, in("ES")))
		return answer{fmt.Sprintf("%d places on %d pages, in order: true, twice: 0", n, (n+499)/500)}
	}},
	{"May Ottawa grow by 1, if it is over 500,000? And if it is over 50 million?", conditional, func([]city) answer {
		return answer{"over 500,000: counted", "over 50 million: refused"}
	}},
	{"How large are six capitals, asked for at once?", batch, func(cities []city) answer {
		return describeCities(where(cities, func(c city) bool { return slices.Contains(capitals, c.ID) }))
	}},
	{"How many places of the world have over a million inhabitants, and how many places are there?", world, func(cities []city) answer {
		large := where(cities, func(c city) bool { return c.Population > 1_000_000 })
		return answer{fmt.Sprintf("%d of %d", len(large), len(cities))}
	}},
}

func in(country string) func(city) bool {
	return func(c city) bool { return c.Country == country }
}

// byID is a GetItem, strongly consistent.
func byID(ctx context.Context, t *table) (answer, error) {
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.name, Key: city{ID: berlin}.key(), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	if out.Item == nil {
		return answer{"no such place"}, nil
	}
	return describeItems([]item{out.Item}), nil
}

// largest is a Query of an index, backwards, with a limit and a projection.
func largest(ctx context.Context, t *table) (answer, error) {
	query := ofCountry(byPopulation, "JP")
	query.TableName = &t.name
	query.ScanIndexForward = aws.Bool(false)
	query.Limit = aws.Int32(5)
	query.ProjectionExpression = aws.String("#name, population")
	query.ExpressionAttributeNames = nameAlias
	out, err := t.client.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return describeItems(out.Items), nil
}

// millions is a Query with a bound on the index's sort key.
func millions(ctx context.Context, t *table) (answer, error) {
	query := ofCountry(byPopulation, "DE")
	query.KeyConditionExpression = aws.String("country = :country AND population > :bound")
	query.ExpressionAttributeValues[":bound"] = number(1_000_000)
	query.ScanIndexForward = aws.Bool(false)
	items, _, _, err := t.all(ctx, query)
	return describeItems(items), err
}

// countBrazil is a Query that returns counts only.
func countBrazil(ctx context.Context, t *table) (answer, error) {
	query := ofCountry(byPopulation, "BR")
	query.Select = types.SelectCount
	_, count, _, err := t.all(ctx, query)
	return answer{fmt.Sprint(count)}, err
}

// prefix is a Query of the index by name with begins_with. Several places may share a name, so the answer shows names alone.
func prefix(ctx context.Context, t *table) (answer, error) {
	query := ofCountry(byName, "FR")
	query.TableName = &t.name
	query.KeyConditionExpression = aws.String("country = :country AND begins_with(#name, :prefix)")
	query.ExpressionAttributeNames = nameAlias
	query.ExpressionAttributeValues[":prefix"] = text("Saint-Mar")
	query.Limit = aws.Int32(5)
	out, err := t.client.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	var lines answer
	for _, it := range out.Items {
		lines = append(lines, textOf(it, "name"))
	}
	return lines, nil
}

func describeNames(cities []city) answer {
	var lines answer
	for _, c := range cities {
		lines = append(lines, c.Name)
	}
	return lines
}

// northern is a Query with a filter, one of its terms inside a map.
func northern(ctx context.Context, t *table) (answer, error) {
	query := ofCountry(byPopulation, "IT")
	query.FilterExpression = aws.String("feature = :seat AND #location.latitude > :north")
	query.ExpressionAttributeNames = map[string]string{"#location": "location"}
	query.ExpressionAttributeValues[":seat"] = text("PPLA")
	query.ExpressionAttributeValues[":north"] = number(45)
	query.ScanIndexForward = aws.Bool(false)
	items, _, _, err := t.all(ctx, query)
	return describeItems(items), err
}

// pages follows LastEvaluatedKey through an index in which many entries share a population.
func pages(ctx context.Context, t *table) (answer, error) {
	query := ofCountry(byPopulation, "ES")
	query.Limit = aws.Int32(500)
	items, _, pages, err := t.all(ctx, query)
	if err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	ordered, last, twice := true, int64(-1), 0
	for _, it := range items {
		id, population := numberOf(it, "id"), numberOf(it, "population")
		if seen[id] {
			twice++
		}
		ordered = ordered && population >= last
		seen[id], last = true, population
	}
	return answer{fmt.Sprintf("%d places on %d pages, in order: %t, twice: %d", len(items), pages, ordered, twice)}, nil
}

// conditional is an UpdateItem that happens, and one whose condition refuses it.
func conditional(ctx context.Context, t *table) (answer, error) {
	var lines answer
	for _, over := range []struct {
		text  string
		bound int64
	}{{"500,000", 500_000}, {"50 million", 50_000_000}} {
		_, err := t.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 &t.name,
			Key:                       city{ID: ottawa}.key(),
			UpdateExpression:          aws.String("SET growth = if_not_exists(growth, :none) + :one"),
			ConditionExpression:       aws.String("population > :bound"),
			ExpressionAttributeValues: item{":none": number(0), ":one": number(1), ":bound": number(over.bound)},
		})
		var refused *types.ConditionalCheckFailedException
		switch {
		case errors.As(err, &refused):
			lines = append(lines, "over "+over.text+": refused")
		case err != nil:
			return nil, err
		default:
			lines = append(lines, "over "+over.text+": counted")
		}
	}
	return lines, nil
}

// batch is a BatchGetItem with a projection, tried again while keys are left unprocessed.
func batch(ctx context.Context, t *table) (answer, error) {
	wanted := types.KeysAndAttributes{ProjectionExpression: aws.String("#name, population"), ExpressionAttributeNames: nameAlias}
	for _, id := range capitals {
		wanted.Keys = append(wanted.Keys, city{ID: id}.key())
	}
	var items []item
	request := map[string]types.KeysAndAttributes{t.name: wanted}
	for range attemptsMax {
		out, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request})
		if err != nil {
			return nil, err
		}
		items = append(items, out.Responses[t.name]...)
		if request = out.UnprocessedKeys; len(request) == 0 {
			break
		}
	}
	slices.SortFunc(items, func(a, b item) int { return int(numberOf(b, "population") - numberOf(a, "population")) })
	return describeItems(items), nil
}

// world is two parallel scans of four segments that count, one of them through a filter.
func world(ctx context.Context, t *table) (answer, error) {
	large, err := t.scanCount(ctx, 4, aws.String("population > :bound"), item{":bound": number(1_000_000)})
	if err != nil {
		return nil, err
	}
	total, err := t.scanCount(ctx, 4, nil, nil)
	return answer{fmt.Sprintf("%d of %d", large, total)}, err
}
