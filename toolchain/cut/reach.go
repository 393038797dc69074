package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path"
	"regexp"
	"strconv"
)

// Reach is what the commands can reach.
type Reach struct {
	source   *Source
	packages map[string]*Package
	wanted   []string // packages to load next
	waiting  map[string][]func(*Package)
	// names are those that anything kept selects of a value, or lists in an interface; a method with
	// another name cannot be called, but by reflection.
	names   map[string]bool
	pending map[string][]*Unit // methods that wait for their name
	todo    []*Unit
	tables  map[string][]Table // by their package
	keys    map[Table]map[string]bool
	cut     map[Table]bool // those that were found
	failure error
}

func newReach(source *Source) *Reach {
	return &Reach{
		source: source, packages: map[string]*Package{}, waiting: map[string][]func(*Package){},
		names: map[string]bool{}, pending: map[string][]*Unit{}, tables: map[string][]Table{},
		keys: map[Table]map[string]bool{}, cut: map[Table]bool{},
	}
}

// from computes what commands, given by import path, can reach.
func (reach *Reach) from(config Config, commands []string) error {
	for _, table := range config.Tables {
		if err := reach.readKeys(table); err != nil {
			return err
		}
	}
	for _, path := range commands {
		reach.whenLoaded(path, func(pkg *Package) { reach.enliven(pkg) })
	}
	for len(reach.wanted) > 0 || len(reach.todo) > 0 {
		for len(reach.todo) > 0 {
			unit := reach.todo[len(reach.todo)-1]
			reach.todo = reach.todo[:len(reach.todo)-1]
			if err := reach.follow(unit); err != nil {
				return err
			}
		}
		if err := reach.loadWanted(); err != nil {
			return err
		}
		if reach.failure != nil {
			return reach.failure
		}
	}
	for _, table := range config.Tables {
		if pkg := reach.packages[table.Package]; pkg != nil && pkg.live && !reach.cut[table] {
			return fmt.Errorf("%s has no function %s with a composite literal that sets %s to a map literal",
				table.Package, table.Function, table.Field)
		}
	}
	return nil
}

func (reach *Reach) loadWanted() error {
	paths := reach.wanted
	reach.wanted = nil
	if len(paths) == 0 {
		return nil
	}
	fmt.Fprintf(os.Stderr, "reading sources, %d packages so far\n", len(reach.packages))
	packages, err := reach.source.load(paths)
	if err != nil {
		return err
	}
	for _, pkg := range packages {
		reach.packages[pkg.path] = pkg
	}
	for _, pkg := range packages {
		for _, then := range reach.waiting[pkg.path] {
			then(pkg)
		}
		delete(reach.waiting, pkg.path)
	}
	return nil
}

// whenLoaded calls a function with a package, now or once it is loaded.
func (reach *Reach) whenLoaded(path string, then func(*Package)) {
	if pkg := reach.packages[path]; pkg != nil {
		then(pkg)
		return
	}
	if reach.waiting[path] == nil {
		reach.wanted = append(reach.wanted, path)
	}
	reach.waiting[path] = append(reach.waiting[path], then)
}

// enliven keeps what a package needs as soon as anything of it is used.
func (reach *Reach) enliven(pkg *Package) {
	if pkg.live {
		return
	}
	pkg.live = true
	if pkg.standard {
		reach.standard(pkg)
		return
	}
	for _, file := range pkg.files {
		for _, unit := range file.units {
			if pkg.whole != "" || unit.effects {
				reach.keep(unit)
			}
		}
		for _, linked := range file.linked {
			if !reach.source.isStandard(linked.path) {
				reach.whenLoaded(linked.path, func(pkg *Package) { reach.use(pkg, linked.name) })
			}
		}
		for _, imported := range file.all {
			if imported.name == "_" || pkg.whole != "" {
				imported.used = true
				if imported.path != "C" {
					reach.whenLoaded(imported.path, func(pkg *Package) {
						if imported.name == "_" {
							reach.wantEffects(pkg)
						}
						reach.enliven(pkg)
						if imported.name == "." {
							reach.useAll(pkg)
						}
					})
				}
			}
		}
	}
}

// wantEffects keeps what a package and all that it imports do when the program starts: a package that
// is imported for its effects alone may leave them to another.
func (reach *Reach) wantEffects(pkg *Package) {
	if pkg.effects {
		return
	}
	pkg.effects = true
	reach.enliven(pkg)
	if pkg.standard {
		return
	}
	for _, file := range pkg.files {
		for _, imported := range file.all {
			if imported.path != "C" && !reach.source.isStandard(imported.path) {
				imported.effects = true
				reach.whenLoaded(imported.path, func(pkg *Package) { reach.wantEffects(pkg) })
			}
		}
	}
}

// standard notes by which names the standard library may call methods.
func (reach *Reach) standard(pkg *Package) {
	files := pkg.files
	pkg.files = nil // nothing more is asked of it
	for _, file := range files {
		ast.Inspect(file.syntax, func(syntax ast.Node) bool {
			if syntax, ok := syntax.(*ast.InterfaceType); ok {
				reach.interfaceNames(syntax)
			}
			return true
		})
		for _, imported := range file.all {
			path := imported.path
			if !reach.source.isStandard(path) {
				path = "vendor/" + path
			}
			if path != "C" {
				reach.whenLoaded(path, func(pkg *Package) { reach.enliven(pkg) })
			}
		}
	}
}

func (reach *Reach) interfaceNames(syntax *ast.InterfaceType) {
	for _, method := range syntax.Methods.List {
		for _, name := range method.Names {
			reach.call(name.Name)
		}
	}
}

func (reach *Reach) call(name string) {
	if reach.names[name] {
		return
	}
	reach.names[name] = true
	for _, method := range reach.pending[name] {
		reach.keep(method)
	}
	delete(reach.pending, name)
}

func (reach *Reach) keep(unit *Unit) {
	if !unit.kept {
		unit.kept = true
		reach.todo = append(reach.todo, unit)
	}
}

// use keeps what a package declares under a name, and the methods of a type of that name.
func (reach *Reach) use(pkg *Package, name string) {
	reach.enliven(pkg)
	if pkg.standard || pkg.used[name] {
		return
	}
	pkg.used[name] = true
	for _, unit := range pkg.units[name] {
		reach.keep(unit)
	}
	for _, method := range pkg.methods[name] {
		if reach.names[method.name] {
			reach.keep(method)
		} else {
			reach.pending[method.name] = append(reach.pending[method.name], method)
		}
	}
}

// useAll keeps everything that a package declares at package level.
func (reach *Reach) useAll(pkg *Package) {
	for name := range pkg.units {
		reach.use(pkg, name)
	}
}

// follow keeps what a kept unit names.
func (reach *Reach) follow(unit *Unit) error {
	file := unit.file
	if unit.receiver != "" {
		reach.use(file.pkg, unit.receiver)
	}
	if err := reach.cutTables(unit); err != nil {
		return err
	}
	var visit func(ast.Node) bool
	visit = func(syntax ast.Node) bool {
		if file.dropped[syntax] {
			return false
		}
		switch syntax := syntax.(type) {
		case *ast.Ident:
			if syntax.Obj == nil || file.syntax.Scope.Lookup(syntax.Name) == syntax.Obj {
				if file.pkg.units[syntax.Name] != nil {
					reach.use(file.pkg, syntax.Name)
				}
			}
		case *ast.InterfaceType:
			reach.interfaceNames(syntax)
		case *ast.BasicLit:
			reach.text(syntax)
		case *ast.SelectorExpr:
			if name, ok := syntax.X.(*ast.Ident); ok && name.Obj == nil && file.pkg.units[name.Name] == nil {
				reach.qualified(file, name, syntax.Sel.Name)
				return false
			}
			reach.call(syntax.Sel.Name)
			ast.Inspect(syntax.X, visit)
			return false
		}
		return true
	}
	ast.Inspect(unit.syntax, visit)
	return nil
}

var (
	identifier = regexp.MustCompile(`^[A-Z]\w*$`)
	selection  = regexp.MustCompile(`\.([A-Z]\w*)`)
)

// text notes the methods that a text may name: a template's, or one that reflection is asked for.
func (reach *Reach) text(literal *ast.BasicLit) {
	if literal.Kind != token.STRING {
		return
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return
	}
	if identifier.MatchString(text) {
		reach.call(text)
	}
	for _, match := range selection.FindAllStringSubmatch(text, -1) {
		reach.call(match[1])
	}
}

// qualified keeps what another package declares. The name of an import is the last element of its
// path, or it is not known before the package is loaded.
func (reach *Reach) qualified(file *File, name *ast.Ident, selected string) {
	if imported := file.imports[name.Name]; imported != nil {
		imported.used = true
		reach.whenLoaded(imported.path, func(pkg *Package) { reach.use(pkg, selected) })
		return
	}
	for _, imported := range file.unnamed {
		if lastElement(imported.path) == name.Name {
			reach.whenLoaded(imported.path, func(pkg *Package) {
				if pkg.build.Name == name.Name {
					imported.used = true
					reach.use(pkg, selected)
				} else {
					reach.searched(file, name, selected)
				}
			})
			return
		}
	}
	reach.searched(file, name, selected)
}

// searched loads all imports of a file that have no name there, to find the one that a name means.
func (reach *Reach) searched(file *File, name *ast.Ident, selected string) {
	left := len(file.unnamed)
	found := false
	for _, imported := range file.unnamed {
		reach.whenLoaded(imported.path, func(pkg *Package) {
			left--
			if pkg.build.Name == name.Name {
				found, imported.used = true, true
				reach.use(pkg, selected)
			}
			if left == 0 && !found {
				reach.unclear(file, name)
			}
		})
	}
	if len(file.unnamed) == 0 {
		reach.unclear(file, name)
	}
}

// unclear ends the search, unless the name may come from a dot import, of which everything is kept.
func (reach *Reach) unclear(file *File, name *ast.Ident) {
	for _, imported := range file.all {
		if imported.name == "." {
			return
		}
	}
	if reach.failure == nil {
		reach.failure = fmt.Errorf("%s: what %s means is not understood", file.line(name.Pos()), name.Name)
	}
}

var major = regexp.MustCompile(`^v\d+$`)

// lastElement is the name that a package at an import path has by custom.
func lastElement(importPath string) string {
	folder, last := path.Split(importPath)
	if major.MatchString(last) {
		last = path.Base(folder)
	}
	return last
}
