package main

import (
	"net/http"
	"net/url"
)

type splitCommand struct {
	Table string `arg:"" help:"Which table."`
	At    string `placeholder:"KEY" help:"Split where this key is, a primary key as DynamoDB JSON. Without it the largest partition is split in its middle."`

	Server adminFlags `embed:""`
}

// Help shows examples.
func (splitCommand) Help() string {
	return `Example:

    stator split cities
    stator split cities --at '{"id": {"N": "2950159"}}'`
}

// Run asks the server for the split.
func (c *splitCommand) Run(s streams) error {
	query := url.Values{"table": {c.Table}}
	if c.At != "" {
		query.Set("at", c.At)
	}
	text, err := c.Server.ask(http.MethodPost, "/split", query)
	if err != nil {
		return err
	}
	_, err = s.Out.Write(text)
	return err
}
