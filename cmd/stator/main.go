// Command stator is a DynamoDB-compatible database in one program.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

// commands are the subcommands with the flags that all of them take.
type commands struct {
	Config kong.ConfigFlag `placeholder:"FILE" help:"Read flags from FILE, a line each: 'listen: 127.0.0.1:8000'. A flag on the command line comes first, then a variable, then the file."`

	Serve       serveCommand       `cmd:"" help:"Serve the DynamoDB API."`
	Inspect     inspectCommand     `cmd:"" help:"Show and verify what a data directory holds."`
	Credentials credentialsCommand `cmd:"" help:"Manage the credentials of clients."`
	Split       splitCommand       `cmd:"" help:"Split a partition of a table."`
	Cost        costCommand        `cmd:"" help:"Work out what a table would cost as a service, by each way of paying."`
	Advise      adviseCommand      `cmd:"" help:"Find what is wrong with the way a table is used, and what ends it."`
	Explain     explainCommand     `cmd:"" help:"Tell why something is as it is."`
	Heat        heatCommand        `cmd:"" help:"Show how hot a table's partitions were in the last hour."`
	Insights    insightsCommand    `cmd:"" help:"Show which keys of a table are asked for and throttled most."`
	Cluster     clusterCommand     `cmd:"" help:"Look after a cluster of nodes."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// streams are where a command writes: answers to Out, logs and complaints to Err.
type streams struct {
	Out, Err io.Writer
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// exitRequest is the panic by which kong ends the program, after --help.
type exitRequest int

// run is the program without its process. It returns the exit code.
func run(args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if value := recover(); value != nil {
			request, ok := value.(exitRequest)
			if !ok {
				panic(value)
			}
			code = int(request)
		}
	}()
	parser, err := newParser(stdout, stderr)
	if err != nil {
		return complain(stderr, err, exitFailure)
	}
	if len(args) > 0 && args[0] == "help" {
		args = append(args[1:], "--help")
	}
	parsed, err := parser.Parse(args)
	if _, unread := errors.AsType[*fs.PathError](err); unread {
		return complain(stderr, fmt.Errorf("cannot read the --config file: %w", err), exitUsage)
	}
	if err != nil {
		return complain(stderr, fmt.Errorf("%w (see 'stator --help')", err), exitUsage)
	}
	warnOfVariables(stderr, parser.Model.Node)
	if err := parsed.Run(streams{stdout, stderr}); err != nil {
		return complain(stderr, err, exitFailure)
	}
	return 0
}

func newParser(stdout, stderr io.Writer) (*kong.Kong, error) {
	parser, err := kong.New(&commands{},
		kong.Name("stator"),
		kong.Description("A DynamoDB-compatible database. Every flag may also be given as a variable: --listen as STATOR_LISTEN."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.DefaultEnvars(variablePrefix),
		kong.Configuration(readConfig),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exitRequest(code)) }),
	)
	if err != nil {
		return nil, fmt.Errorf("building the command line: %w", err)
	}
	return parser, nil
}

// complain prints each joined error on a line of its own.
func complain(to io.Writer, err error, code int) int {
	if many, ok := err.(interface{ Unwrap() []error }); ok && len(many.Unwrap()) > 1 {
		for _, one := range many.Unwrap() {
			complain(to, one, code)
		}
		return code
	}
	fmt.Fprintf(to, "stator: %v\n", err)
	return code
}
