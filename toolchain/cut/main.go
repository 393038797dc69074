// Command cut copies, of a Go module and everything it imports, the declarations that its commands
// can reach. What it writes is a module of its own with a vendor folder, which `go build -mod=vendor`
// compiles in a fraction of the time that the whole takes.
//
// It works by name and without types, like the linker's own search for dead code but before anything
// is compiled: whatever a kept declaration names is kept, in doubt too much rather than too little.
// The text of what is kept stays as it is, on its lines. What it cannot judge it keeps whole (see
// whole in load.go); what it does not understand ends it with an error.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
)

// memoryLimit is soft: beyond it the collector works harder. The largest package of what is cut here
// has 27 MB of sources.
const memoryLimit = 1 << 30

// Config says what the commands do without; it is read from a JSON file.
type Config struct {
	// Tables are composite literals of which only some entries are kept.
	Tables []Table `json:"tables"`
	// StandIns is a folder, beside the file, of packages that replace others: each lies below it at
	// its import path.
	StandIns string `json:"standIns"`
}

// Table is a map literal in a function, of which only the entries that a variable lists are kept.
type Table struct {
	// Package, Function and Field find it: the value of Field in a composite literal in Function.
	Package  string `json:"package"`
	Function string `json:"function"`
	Field    string `json:"field"`
	// KeysPackage and KeysVariable find a map literal whose keys are the entries to keep.
	KeysPackage  string `json:"keysPackage"`
	KeysVariable string `json:"keysVariable"`
}

func main() {
	module := flag.String("module", "", "folder of the module to cut")
	config := flag.String("config", "", "JSON file that says what is kept")
	out := flag.String("out", "", "folder to write to, which must be empty")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: cut -module DIR -config FILE -out DIR PACKAGE...")
		flag.PrintDefaults()
	}
	flag.Parse()
	debug.SetMemoryLimit(memoryLimit)
	if err := run(*module, *config, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "cut:", err)
		os.Exit(1)
	}
}

func run(module, configFile, out string, commands []string) error {
	text, err := os.ReadFile(configFile)
	if err != nil {
		return err
	}
	var config Config
	if err := json.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("%s: %w", configFile, err)
	}
	if config.StandIns != "" {
		config.StandIns = filepath.Join(filepath.Dir(configFile), config.StandIns)
	}
	source, err := openModule(module, out, config.StandIns)
	if err != nil {
		return err
	}
	reached := newReach(source)
	if err := reached.from(config, commands); err != nil {
		return err
	}
	return writeAll(source, reached, out)
}
