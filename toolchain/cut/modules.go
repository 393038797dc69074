package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"unicode"
)

// Module is a module of the build, at the version that the main module's go.mod names.
type Module struct {
	Path, Version string
	// From is where its files come from: itself, or what replaces it.
	From Version
	// Dir is its folder; empty until it is fetched.
	Dir string
	// Indirect is whether go.mod says so.
	Indirect bool
}

// Version is a module version, or a folder if Version is empty.
type Version struct{ Path, Version string }

// Source finds packages for one platform, as the go command would for the main module.
type Source struct {
	dir, path string // the main module
	scratch   string // a copy of go.mod and go.sum, in which go runs
	standIns  string
	cache     string // GOMODCACHE
	modules   []*Module
	context   build.Context
	goVersion string
	edits     edits
}

type edits struct {
	Module  struct{ Path string }
	Go      string
	Require []struct {
		Path, Version string
		Indirect      bool
	}
	Replace []struct{ Old, New Version }
}

func openModule(dir, scratch, standIns string) (*Source, error) {
	source := &Source{dir: dir, scratch: scratch, standIns: standIns, context: build.Default}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) && name == "go.sum" {
			continue
		} else if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(scratch, name), text, 0o666); err != nil {
			return nil, err
		}
	}
	var settings map[string]string
	if err := source.goJSON(&settings, "env", "-json"); err != nil {
		return nil, err
	}
	source.cache = settings["GOMODCACHE"]
	source.goVersion = settings["GOVERSION"]
	source.context.GOROOT = settings["GOROOT"]
	source.context.GOOS = settings["GOOS"]
	source.context.GOARCH = settings["GOARCH"]
	source.context.CgoEnabled = settings["CGO_ENABLED"] == "1"
	source.context.GOPATH = ""
	source.context.BuildTags = nil
	if err := source.goJSON(&source.edits, "mod", "edit", "-json"); err != nil {
		return nil, err
	}
	source.path = source.edits.Module.Path
	replaced := map[string]Version{}
	for _, replace := range source.edits.Replace {
		if replace.Old.Version != "" {
			return nil, fmt.Errorf("go.mod: replacing one version of %s is not understood", replace.Old.Path)
		}
		replaced[replace.Old.Path] = replace.New
	}
	for _, require := range source.edits.Require {
		module := &Module{Path: require.Path, Version: require.Version, Indirect: require.Indirect}
		module.From = Version{require.Path, require.Version}
		if by, ok := replaced[require.Path]; ok {
			module.From = by
		}
		if module.From.Version == "" {
			module.Dir = filepath.Join(dir, module.From.Path)
		} else {
			folder := filepath.Join(source.cache, escape(module.From.Path)+"@"+escape(module.From.Version))
			if _, err := os.Stat(folder); err == nil && source.unpacked(module.From) {
				module.Dir = folder
			}
		}
		source.modules = append(source.modules, module)
	}
	// The longest path first: a package belongs to the innermost module that has it.
	sort.Slice(source.modules, func(i, j int) bool {
		return len(source.modules[i].Path) > len(source.modules[j].Path)
	})
	return source, nil
}

// unpacked is whether a module of the cache is there as a whole: go marks one that it was
// interrupted at, and keeps the checksum of one that it has verified.
func (source *Source) unpacked(version Version) bool {
	base := filepath.Join(source.cache, "cache", "download", escape(version.Path), "@v", escape(version.Version))
	_, partial := os.Stat(base + ".partial")
	_, verified := os.Stat(base + ".ziphash")
	return errors.Is(partial, os.ErrNotExist) && verified == nil
}

// escape writes a module path or version as the module cache does: !a for A.
func escape(text string) string {
	var escaped strings.Builder
	for _, letter := range text {
		if unicode.IsUpper(letter) {
			escaped.WriteByte('!')
			letter = unicode.ToLower(letter)
		}
		escaped.WriteRune(letter)
	}
	return escaped.String()
}

// goJSON runs the go command in the scratch folder and decodes what it prints.
func (source *Source) goJSON(into any, arguments ...string) error {
	command := exec.Command("go", arguments...)
	command.Dir = source.scratch
	var output, errors bytes.Buffer
	command.Stdout, command.Stderr = &output, &errors
	failed := command.Run()
	if failed != nil && output.Len() == 0 {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(arguments[:2], " "), failed, errors.String())
	}
	return json.NewDecoder(&output).Decode(into)
}

// fetch sees to it that modules are in the module cache, verified against go.sum.
func (source *Source) fetch(modules []*Module) error {
	if len(modules) == 0 {
		return nil
	}
	arguments := []string{"mod", "download", "-x", "-json"}
	wanted := map[Version]*Module{}
	for _, module := range modules {
		wanted[module.From] = module
		arguments = append(arguments, module.From.Path+"@"+module.From.Version)
	}
	fmt.Fprintf(os.Stderr, "fetching %d modules\n", len(modules))
	command := exec.Command("go", arguments...)
	command.Dir = source.scratch
	var output, messages bytes.Buffer
	// Each request is told as it is made: who runs this sees that something goes on.
	command.Stdout, command.Stderr = &output, io.MultiWriter(&messages, os.Stderr)
	failed := command.Run()
	decoder := json.NewDecoder(&output)
	for decoder.More() {
		var answer struct{ Path, Version, Dir, Error string }
		if err := decoder.Decode(&answer); err != nil {
			return err
		}
		if answer.Error != "" {
			return fmt.Errorf("%s@%s: %s", answer.Path, answer.Version, answer.Error)
		}
		if module := wanted[Version{answer.Path, answer.Version}]; module != nil {
			module.Dir = answer.Dir
		}
	}
	if failed != nil {
		return fmt.Errorf("go mod download: %w\n%s", failed, messages.String())
	}
	for _, module := range modules {
		if module.Dir == "" {
			return fmt.Errorf("go mod download did not say where %s is", module.Path)
		}
	}
	return nil
}

func (source *Source) isMain(path string) bool {
	return path == source.path || strings.HasPrefix(path, source.path+"/")
}

// isStandard is whether an import path belongs to the standard library, by the go command's rule.
func (source *Source) isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && !source.isMain(path)
}

// find returns the folder of a package and its module, nil for the main one; or else the module that
// has to be fetched before that is known.
func (source *Source) find(path string) (folder string, module, missing *Module, err error) {
	if source.isMain(path) {
		return filepath.Join(source.dir, strings.TrimPrefix(path, source.path)), nil, nil, nil
	}
	for _, module := range source.modules {
		if path != module.Path && !strings.HasPrefix(path, module.Path+"/") {
			continue
		}
		if source.standIns != "" {
			if instead := filepath.Join(source.standIns, path); hasGo(instead) {
				return instead, module, nil, nil
			}
		}
		if module.Dir == "" {
			return "", nil, module, nil
		}
		folder := filepath.Join(module.Dir, strings.TrimPrefix(path, module.Path))
		if hasGo(folder) {
			return folder, module, nil, nil
		}
	}
	return "", nil, nil, fmt.Errorf("no module of go.mod has the package %s", path)
}

func hasGo(folder string) bool {
	names, _ := filepath.Glob(filepath.Join(folder, "*.go"))
	return len(names) > 0
}
