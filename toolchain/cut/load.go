package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
)

// Package is a parsed package and what was found to be kept of it.
type Package struct {
	path     string
	module   *Module // nil for the main module
	standard bool
	build    *build.Package
	files    []*File
	units    map[string][]*Unit // by the names that they declare at package level
	methods  map[string][]*Unit // by the receiver's type
	whole    string             // why nothing of it may be left out; empty otherwise
	live     bool               // something of it is used
	used     map[string]bool    // the names of it that are
	effects  bool               // what it imports is there for what it does at the start
}

// File is a source file with its imports by the names that they have in it.
type File struct {
	pkg     *Package
	name    string
	text    []byte
	syntax  *ast.File
	tokens  *token.File
	all     []*Import
	imports map[string]*Import // those to which the file gives a name
	unnamed []*Import          // those with their package's own name
	linked  []link
	units   []*Unit
	dropped map[ast.Node]bool // of what is kept, what is left out all the same: entries of tables
}

// Import is an import that a file names, or imports for its effects alone.
type Import struct {
	path string
	name string // that the file gives it, or empty
	spec *ast.ImportSpec
	used bool // by what is kept
	// effects is whether it stays, without a name, where nothing kept uses it.
	effects bool
}

// link is a declaration of another package that a go:linkname directive takes by its linker's name.
type link struct{ path, name string }

type node struct{ from, to token.Pos }

// Unit is the smallest thing that is kept or left out: a function, a method, a type, one var with all
// its names, or a const declaration with all its lines.
type Unit struct {
	file     *File
	syntax   ast.Node
	position node
	receiver string // of a method, the name of its type
	name     string // of a function or method
	effects  bool   // it does something when the program starts, so that its package needs it
	kept     bool
}

var linkname = regexp.MustCompile(`(?m)^//go:linkname +\S+ +(\S*/)?([^./\s]*)\.(?:\(\*)?(\w+)`)

var directive = regexp.MustCompile(`(?m)^//(go:linkname|go:cgo_|export )`)

// load parses packages, fetching the modules that have them.
func (source *Source) load(paths []string) ([]*Package, error) {
	folders := make([]string, len(paths))
	modules := make([]*Module, len(paths))
	for {
		missing := map[*Module]bool{}
		for i, path := range paths {
			if folders[i] != "" {
				continue
			}
			if source.isStandard(path) {
				folders[i] = source.standardFolder(path)
				continue
			}
			folder, module, fetch, err := source.find(path)
			if err != nil {
				return nil, err
			}
			folders[i], modules[i] = folder, module
			if fetch != nil {
				missing[fetch] = true
			}
		}
		if len(missing) == 0 {
			break
		}
		var fetch []*Module
		for module := range missing {
			fetch = append(fetch, module)
		}
		if err := source.fetch(fetch); err != nil {
			return nil, err
		}
	}
	packages := make([]*Package, len(paths))
	failures := make([]error, len(paths))
	var waiting sync.WaitGroup
	for i := range paths {
		waiting.Go(func() {
			packages[i], failures[i] = source.parse(paths[i], folders[i], modules[i])
		})
	}
	waiting.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return packages, nil
}

// standardFolder is where a package of the standard library is; some are vendored there.
func (source *Source) standardFolder(path string) string {
	return filepath.Join(source.context.GOROOT, "src", path)
}

func (source *Source) parse(path, folder string, module *Module) (*Package, error) {
	pkg := &Package{path: path, module: module, standard: source.isStandard(path)}
	pkg.units, pkg.methods, pkg.used = map[string][]*Unit{}, map[string][]*Unit{}, map[string]bool{}
	var err error
	if pkg.build, err = source.context.ImportDir(folder, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	pkg.whole = whole(pkg.build)
	set := token.NewFileSet()
	for _, name := range append(pkg.build.GoFiles, pkg.build.CgoFiles...) {
		file := &File{pkg: pkg, name: name, imports: map[string]*Import{}, dropped: map[ast.Node]bool{}}
		if file.text, err = os.ReadFile(filepath.Join(folder, name)); err != nil {
			return nil, err
		}
		// Its resolution of names within a file tells a package from a variable of that name.
		mode := parser.ParseComments
		if pkg.standard { // of which only the interfaces are read
			mode = parser.SkipObjectResolution
		}
		file.syntax, err = parser.ParseFile(set, filepath.Join(folder, name), file.text, mode)
		if err != nil {
			return nil, err
		}
		file.tokens = set.File(file.syntax.Pos())
		if pkg.whole == "" && directive.Match(file.text) {
			pkg.whole = "a directive of " + name + " ties it to other code"
		}
		for _, match := range linkname.FindAllSubmatch(file.text, -1) {
			file.linked = append(file.linked, link{string(match[1]) + string(match[2]), string(match[3])})
		}
		if err := pkg.divide(file); err != nil {
			return nil, err
		}
		pkg.files = append(pkg.files, file)
	}
	return pkg, nil
}

// whole says why a package is kept as it is, or nothing if it may be cut.
func whole(found *build.Package) string {
	switch {
	case len(found.CgoFiles) > 0:
		return "it uses cgo"
	case len(found.SFiles) > 0:
		return "it has assembly, which names what it calls"
	case len(found.SwigFiles)+len(found.SwigCXXFiles)+len(found.FFiles)+len(found.MFiles) > 0:
		return "it has sources in other languages"
	}
	for _, path := range found.Imports {
		if path == "C" {
			return "it uses cgo"
		}
	}
	return ""
}

// divide splits a file into units.
func (pkg *Package) divide(file *File) error {
	for _, spec := range file.syntax.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		imported := &Import{path: path, spec: spec}
		if spec.Name != nil {
			imported.name = spec.Name.Name
		}
		file.all = append(file.all, imported)
		switch imported.name {
		case ".":
			if !pkg.standard {
				pkg.whole = "a dot import: any of its names may be the other package's"
			}
		case "_":
		case "":
			file.unnamed = append(file.unnamed, imported)
		default:
			file.imports[imported.name] = imported
		}
	}
	if pkg.standard {
		return nil
	}
	for _, declaration := range file.syntax.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			unit := file.add(declaration, from(declaration.Doc, declaration))
			unit.name = declaration.Name.Name
			if declaration.Recv != nil {
				unit.receiver = receiver(declaration.Recv.List[0].Type)
				if unit.receiver == "" {
					return fmt.Errorf("%s: the receiver of %s is not understood", file.line(declaration.Pos()), unit.name)
				}
				pkg.methods[unit.receiver] = append(pkg.methods[unit.receiver], unit)
				continue
			}
			unit.effects = unit.name == "init" || unit.name == "main" && file.syntax.Name.Name == "main"
			pkg.units[unit.name] = append(pkg.units[unit.name], unit)
		case *ast.GenDecl:
			if err := pkg.divideGroup(file, declaration); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: a declaration of kind %T is not understood", file.line(declaration.Pos()), declaration)
		}
	}
	return nil
}

func (pkg *Package) divideGroup(file *File, group *ast.GenDecl) error {
	position := func(doc *ast.CommentGroup, spec ast.Node) node {
		if !group.Lparen.IsValid() {
			return from(group.Doc, group)
		}
		return from(doc, spec)
	}
	switch group.Tok {
	case token.IMPORT:
	case token.CONST: // a line may repeat the one before
		var names []string
		for _, spec := range group.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				names = append(names, name.Name)
			}
		}
		pkg.declare(names, file.add(group, from(group.Doc, group)))
	case token.TYPE:
		for _, spec := range group.Specs {
			spec := spec.(*ast.TypeSpec)
			pkg.declare([]string{spec.Name.Name}, file.add(spec, position(spec.Doc, spec)))
		}
	case token.VAR:
		for _, spec := range group.Specs {
			spec := spec.(*ast.ValueSpec)
			var names []string
			for _, name := range spec.Names {
				names = append(names, name.Name)
			}
			unit := file.add(spec, position(spec.Doc, spec))
			for _, value := range spec.Values {
				unit.effects = unit.effects || hasEffects(file, value)
			}
			pkg.declare(names, unit)
		}
	default:
		return fmt.Errorf("%s: a declaration with %s is not understood", file.line(group.Pos()), group.Tok)
	}
	return nil
}

func (pkg *Package) declare(names []string, unit *Unit) {
	for _, name := range names {
		if name != "_" {
			pkg.units[name] = append(pkg.units[name], unit)
		}
	}
}

func (file *File) add(syntax ast.Node, position node) *Unit {
	unit := &Unit{file: file, syntax: syntax, position: position}
	file.units = append(file.units, unit)
	return unit
}

func from(doc *ast.CommentGroup, syntax ast.Node) node {
	if doc != nil {
		return node{doc.Pos(), syntax.End()}
	}
	return node{syntax.Pos(), syntax.End()}
}

// receiver is the name of a method's type.
func receiver(expression ast.Expr) string {
	switch expression := expression.(type) {
	case *ast.Ident:
		return expression.Name
	case *ast.StarExpr:
		return receiver(expression.X)
	case *ast.ParenExpr:
		return receiver(expression.X)
	case *ast.IndexExpr:
		return receiver(expression.X)
	case *ast.IndexListExpr:
		return receiver(expression.X)
	}
	return ""
}

// builtins call nothing that others could notice.
var builtins = map[string]bool{
	"make": true, "new": true, "len": true, "cap": true, "append": true, "min": true, "max": true,
	"string": true, "bool": true, "byte": true, "rune": true, "error": true, "any": true,
	"int": true, "int8": true, "int16": true, "int32": true, "int64": true, "uint": true, "uint8": true,
	"uint16": true, "uint32": true, "uint64": true, "uintptr": true, "float32": true, "float64": true,
	"complex64": true, "complex128": true,
}

// harmless are functions of the standard library, by import path, that only make a value.
var harmless = map[string]map[string]bool{
	"errors":   {"New": true},
	"fmt":      {"Errorf": true, "Sprintf": true, "Sprint": true},
	"reflect":  {"TypeOf": true, "ValueOf": true},
	"regexp":   {"MustCompile": true},
	"strings":  {"Join": true, "Repeat": true, "NewReplacer": true, "Split": true, "ToLower": true, "ToUpper": true},
	"time":     {"Duration": true, "Date": true, "Unix": true},
	"math/big": {"NewInt": true},
}

// hasEffects is whether evaluating an expression at the program's start may do more than make a value.
func hasEffects(file *File, expression ast.Expr) bool {
	found := false
	ast.Inspect(expression, func(syntax ast.Node) bool {
		switch syntax := syntax.(type) {
		case *ast.FuncLit:
			return false // its body runs when it is called
		case *ast.UnaryExpr:
			found = found || syntax.Op == token.ARROW
		case *ast.CallExpr:
			found = found || !isHarmless(file, syntax.Fun)
		}
		return !found
	})
	return found
}

func isHarmless(file *File, function ast.Expr) bool {
	switch function := function.(type) {
	case *ast.ParenExpr:
		return isHarmless(file, function.X)
	case *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.FuncType, *ast.InterfaceType:
		return true // a conversion
	case *ast.StarExpr:
		return true // (*T)(nil)
	case *ast.Ident:
		if function.Obj != nil && function.Obj.Kind == ast.Typ {
			return true
		}
		return builtins[function.Name] && function.Obj == nil
	case *ast.SelectorExpr:
		name, ok := function.X.(*ast.Ident)
		if !ok || name.Obj != nil {
			return false
		}
		for _, imported := range file.all {
			if imported.name == name.Name || imported.name == "" && lastElement(imported.path) == name.Name {
				return harmless[imported.path][function.Sel.Name]
			}
		}
	}
	return false
}

// line is where something is, for a message.
func (file *File) line(position token.Pos) string {
	return fmt.Sprintf("%s/%s:%d", file.pkg.path, file.name, file.tokens.Line(position))
}

// offset is a position as an index of the file's text.
func (file *File) offset(position token.Pos) int { return file.tokens.Offset(position) }
