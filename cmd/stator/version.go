package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"stator/internal/storage/engine"
)

// version is set by the linker for a release.
var version = ""

type versionCommand struct{}

// Help shows an example.
func (versionCommand) Help() string { return "Example:\n\n    stator version" }

// Run prints the version.
func (versionCommand) Run(s streams) error {
	fmt.Fprintf(s.Out, "stator %s, data format %d, %s %s/%s\n", release(), engine.FormatVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// release names this build: the linker's word, or else the commit that Go recorded.
func release() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return "development, commit " + setting.Value[:min(12, len(setting.Value))]
		}
	}
	return "development"
}
