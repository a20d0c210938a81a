package main

import (
	"fmt"

	"stator/internal/edge/sigv4"
)

type credentialsCommand struct {
	New newCredentialsCommand `cmd:"" help:"Make a fresh pair of keys."`
}

type newCredentialsCommand struct {
	Name        string `arg:"" help:"What to call the pair: a section's name in the credentials file."`
	Credentials string `placeholder:"FILE" help:"Add the pair to FILE, which is made if it is not there. Without it the pair is only printed."`
}

// Help shows examples.
func (newCredentialsCommand) Help() string {
	return `The pair is printed in the form of an AWS shared-credentials file. A server that runs takes up a changed file on SIGHUP.

A pair may do anything. To bind it, write an IAM policy into a file and name that below the pair's keys:

    policy = shop.json

Example:

    stator credentials new shop --credentials ./credentials
    stator serve --auth sigv4 --credentials ./credentials`
}

// Run makes and prints a pair.
func (c *newCredentialsCommand) Run(s streams) error {
	pair, err := sigv4.NewCredential(c.Name)
	if err != nil {
		return err
	}
	if c.Credentials != "" {
		if err := sigv4.AppendCredential(c.Credentials, pair); err != nil {
			return err
		}
	}
	fmt.Fprint(s.Out, pair.Section())
	return nil
}
