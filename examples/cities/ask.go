package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// question is one thing to ask the table. ask answers from the database, want from the data file: they must agree.
type question struct {
	text string
	ask  func(ctx context.Context, t *table) (answer, error)
	want func(cities []city) answer
}

// answer is lines in order.
type answer []string

// askAll asks every question, prints answers with their times, and fails if one was wrong.
func (t *table) askAll(ctx context.Context, cities []city) error {
	wrong := 0
	for i, q := range questions {
		fmt.Printf("\n%d. %s\n", i+1, q.text)
		began := time.Now()
		got, err := q.ask(ctx, t)
		took := time.Since(began)
		if err != nil {
			return fmt.Errorf("question %d: %w", i+1, err)
		}
		for _, line := range got {
			fmt.Println("   ", line)
		}
		if want := q.want(cities); !slices.Equal(got, want) {
			wrong++
			fmt.Printf("    WRONG, the data file says %q\n", want)
		}
		fmt.Printf("    (%s)\n", seconds(took))
	}
	fmt.Printf("\n%d of %d answers are right.\n", len(questions)-wrong, len(questions))
	if wrong > 0 {
		return fmt.Errorf("%d wrong answers", wrong)
	}
	return nil
}

// all follows a Query to its end and returns its items, the total of its counts and the number of pages that held something: a last
// page that is exactly full is followed by an empty one.
func (t *table) all(ctx context.Context, in *dynamodb.QueryInput) (items []item, count, pages int, err error) {
	in.TableName = &t.name
	paginator := dynamodb.NewQueryPaginator(t.client, in)
	for paginator.HasMorePages() {
		page, err := paginator.NextPage(ctx)
		if err != nil {
			return nil, 0, 0, err
		}
		items, count = append(items, page.Items...), count+int(page.Count)
		if page.Count > 0 {
			pages++
		}
	}
	return items, count, pages, nil
}

// ofCountry is a query of one index for one country; the caller adds to it.
func ofCountry(index, country string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		IndexName:                 &index,
		KeyConditionExpression:    aws.String("country = :country"),
		ExpressionAttributeValues: item{":country": text(country)},
	}
}

// nameAlias stands for name, which is a reserved word of DynamoDB.
var nameAlias = map[string]string{"#name": "name"}

// describe is a place as an answer shows it.
func describe(name string, population int64) string { return fmt.Sprintf("%s (%d)", name, population) }

func describeItems(items []item) answer {
	var lines answer
	for _, it := range items {
		lines = append(lines, describe(textOf(it, "name"), numberOf(it, "population")))
	}
	return lines
}

func describeCities(cities []city) answer {
	var lines answer
	for _, c := range cities {
		lines = append(lines, describe(c.Name, c.Population))
	}
	return lines
}

// where picks the cities that satisfy keep, largest first.
func where(cities []city, keep func(city) bool) []city {
	var kept []city
	for _, c := range cities {
		if keep(c) {
			kept = append(kept, c)
		}
	}
	slices.SortStableFunc(kept, func(a, b city) int { return int(b.Population - a.Population) })
	return kept
}

// scanCount counts by a parallel scan, one segment a goroutine.
func (t *table) scanCount(ctx context.Context, segments int, filter *string, values item) (int, error) {
	type part struct {
		count int
		err   error
	}
	parts := make(chan part, segments)
	for segment := range segments {
		go func() {
			count := 0
			pages := dynamodb.NewScanPaginator(t.client, &dynamodb.ScanInput{
				TableName: &t.name, Select: types.SelectCount, FilterExpression: filter, ExpressionAttributeValues: values,
				Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(int32(segments)),
			})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					parts <- part{err: err}
					return
				}
				count += int(page.Count)
			}
			parts <- part{count: count}
		}()
	}
	total := 0
	var failed error
	for range segments {
		p := <-parts
		total += p.count
		if p.err != nil {
			failed = p.err
		}
	}
	return total, failed
}
