package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
)

// writeAll puts what is kept into a folder: the main module's packages where they are in it, all others
// below vendor.
func writeAll(source *Source, reach *Reach, out string) error {
	var packages []*Package
	for _, pkg := range reach.packages {
		if pkg.live && !pkg.standard {
			packages = append(packages, pkg)
		}
	}
	sort.Slice(packages, func(i, j int) bool { return packages[i].path < packages[j].path })
	failures := make([]error, len(packages))
	var waiting sync.WaitGroup
	for i, pkg := range packages {
		waiting.Go(func() {
			folder := filepath.Join(out, "vendor", pkg.path)
			if pkg.module == nil {
				folder = filepath.Join(out, strings.TrimPrefix(pkg.path, source.path))
			}
			failures[i] = pkg.write(folder)
		})
	}
	waiting.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	list := modulesText(source, packages)
	return os.WriteFile(filepath.Join(out, "vendor", "modules.txt"), list, 0o666)
}

// modulesText is the list by which the go command checks a vendor folder against go.mod.
func modulesText(source *Source, packages []*Package) []byte {
	var text bytes.Buffer
	held := map[*Module][]string{}
	for _, pkg := range packages {
		held[pkg.module] = append(held[pkg.module], pkg.path)
	}
	modules := slices.Clone(source.modules)
	sort.Slice(modules, func(i, j int) bool { return modules[i].Path < modules[j].Path })
	for _, module := range modules {
		by := ""
		if module.From != (Version{module.Path, module.Version}) {
			by = replacement(module.From)
		}
		fmt.Fprintf(&text, "# %s %s%s\n## explicit%s\n", module.Path, module.Version, by, goLine(module))
		for _, path := range held[module] {
			fmt.Fprintln(&text, path)
		}
	}
	for _, replace := range source.edits.Replace {
		fmt.Fprintf(&text, "# %s%s\n", replace.Old.Path, replacement(replace.New))
	}
	return text.Bytes()
}

func replacement(by Version) string {
	return strings.TrimRight(" => "+by.Path+" "+by.Version, " ")
}

// goLine repeats the language version of a module's own go.mod.
func goLine(module *Module) string {
	if module.Dir == "" {
		return ""
	}
	text, _ := os.ReadFile(filepath.Join(module.Dir, "go.mod"))
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "go" {
			return "; go " + fields[1]
		}
	}
	return ""
}

func (pkg *Package) write(folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	written := false
	for _, file := range pkg.files {
		text, err := file.cut()
		if err != nil {
			return err
		}
		if text == nil {
			continue
		}
		written = true
		if err := os.WriteFile(filepath.Join(folder, file.name), text, 0o666); err != nil {
			return err
		}
	}
	if !written { // it was imported for its name alone
		text := fmt.Sprintf("package %s\n", pkg.build.Name)
		if err := os.WriteFile(filepath.Join(folder, "empty.go"), []byte(text), 0o666); err != nil {
			return err
		}
	}
	others := slices.Concat(pkg.build.SFiles, pkg.build.HFiles, pkg.build.CFiles, pkg.build.CXXFiles,
		pkg.build.MFiles, pkg.build.FFiles, pkg.build.SwigFiles, pkg.build.SwigCXXFiles, pkg.build.SysoFiles)
	for _, name := range others {
		if err := copyFile(filepath.Join(pkg.build.Dir, name), filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	for _, pattern := range pkg.build.EmbedPatterns {
		if err := copyEmbedded(pkg.build.Dir, folder, strings.TrimPrefix(pattern, "all:")); err != nil {
			return err
		}
	}
	return nil
}

// copyEmbedded copies what an embed directive may mean; go itself chooses among it.
func copyEmbedded(from, to, pattern string) error {
	matches, err := filepath.Glob(filepath.Join(from, filepath.FromSlash(pattern)))
	if err != nil {
		return err
	}
	for _, match := range matches {
		err := filepath.WalkDir(match, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			below, err := filepath.Rel(from, path)
			if err != nil {
				return err
			}
			return copyFile(path, filepath.Join(to, below))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o666)
}

// cut returns the text of a file with what is left out blanked, so that every line keeps its number;
// nil if nothing is left.
func (file *File) cut() ([]byte, error) {
	if file.pkg.whole != "" {
		return file.text, nil
	}
	text := bytes.Clone(file.text)
	left := false
	var unnamed []*ast.ImportSpec
	for _, unit := range file.units {
		if unit.kept {
			left = true
		} else {
			file.blank(text, unit.position)
		}
	}
	for _, imported := range file.all {
		left = left || imported.name == "_" || imported.effects
		switch {
		case imported.used:
		case imported.effects:
			unnamed = append(unnamed, imported.spec)
		default:
			file.blankImport(text, imported.spec)
		}
	}
	for element := range file.dropped {
		comma := file.offset(element.End())
		for comma < len(text) && text[comma] != ',' && text[comma] != '}' {
			comma++
		}
		file.blank(text, node{element.Pos(), element.End()})
		if text[comma] == ',' {
			text[comma] = blanked
		}
	}
	if !left {
		return nil, nil
	}
	// From the last to the first, as each moves what comes after it.
	for _, spec := range slices.Backward(unnamed) {
		from, to := file.offset(spec.Pos()), file.offset(spec.Path.Pos())
		text = slices.Concat(text[:from], []byte("_ "), text[to:])
	}
	return bytes.ReplaceAll(text, []byte{blanked}, nil), nil
}

// blanked marks what is left out; no Go source has such a byte.
const blanked = 0

func (file *File) blankImport(text []byte, spec *ast.ImportSpec) {
	for _, declaration := range file.syntax.Decls {
		if group, ok := declaration.(*ast.GenDecl); ok && group.Tok == token.IMPORT && slices.Contains(group.Specs, ast.Spec(spec)) {
			if !group.Lparen.IsValid() {
				file.blank(text, node{group.Pos(), group.End()})
				return
			}
		}
	}
	file.blank(text, node{spec.Pos(), spec.End()})
}

func (file *File) blank(text []byte, place node) {
	for i := file.offset(place.from); i < file.offset(place.to); i++ {
		if text[i] != '\n' {
			text[i] = blanked
		}
	}
}
