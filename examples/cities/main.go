// Command cities loads 135,233 places of the world into a table and asks it ten questions, checking every answer.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

type settings struct {
	endpoint    string
	table       string
	data        string
	concurrency int
	load        bool
}

func main() {
	var s settings
	flag.StringVar(&s.endpoint, "endpoint", "http://127.0.0.1:8000", "where the database answers")
	flag.StringVar(&s.table, "table", "cities", "the table to create and fill")
	flag.StringVar(&s.data, "data", filepath.Join("examples", "cities", "data", "cities.jsonl"), "the places, one JSON object a line, as fetch.sh writes them")
	flag.IntVar(&s.concurrency, "concurrency", 16, "how many batches are written at a time")
	flag.BoolVar(&s.load, "load", true, "create and fill the table; without, ask one that was filled before")
	flag.Parse()
	if s.concurrency < 1 {
		fmt.Fprintln(os.Stderr, "cities: -concurrency is at least 1")
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cities:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	cities, err := readCities(s.data)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is missing: run examples/cities/fetch.sh", s.data)
	}
	if err != nil {
		return err
	}
	t := &table{client: connect(s.endpoint), name: s.table}
	if s.load {
		if err := t.create(ctx); err != nil {
			return err
		}
		if err := t.load(ctx, cities, s.concurrency); err != nil {
			return err
		}
		if err := t.awaitIndexes(ctx, len(cities)); err != nil {
			return err
		}
	}
	return t.askAll(ctx, cities)
}

// connect returns a client for a server that takes any credentials.
func connect(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

// seconds prints a duration as people compare them.
func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
