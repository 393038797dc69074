package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// toy is a module with another one beside it, by file name. Every function that may be left out is
// named Dropped…, and what must stay is Kept….
var toy = map[string]string{
	"app/go.mod": `module toy/app

go 1.26

require example.test/lib v1.0.0

require example.test/unused v1.0.0

replace example.test/lib => ../lib

replace example.test/unused => ../unused
`,
	"app/main.go": `package main

import (
	"fmt"
	"io"
	"strings"

	"example.test/lib"
	"example.test/lib/effects"
	. "example.test/lib/dotted"
	odd "example.test/lib/odd-name"
	"example.test/lib/linked"
	"example.test/lib/linked/target"
	"example.test/lib/go.named"
	_ "example.test/lib/register"
)

// wanted lists the entries of lib's table that stay.
var wanted = map[string]bool{"one": true}

func main() {
	for _, name := range lib.Names() {
		fmt.Println("table", name)
	}
	var value any = lib.New()
	if _, ok := value.(io.Closer); ok {
		fmt.Println("closer")
	}
	if _, ok := value.(fmt.Stringer); ok {
		fmt.Println("stringer", value)
	}
	fmt.Println(lib.Render(), lib.KeptGeneric(3), lib.KeptFirst+lib.KeptSecond, effects.Count())
	fmt.Println(KeptDotted(), odd.Kept(), named.Kept(), strings.TrimSpace(lib.Text))
	fmt.Println(lib.Shadow("shadowed"), lib.Line(), linked.Call(), len(target.Imported))
}
`,
	"lib/go.mod":   "module example.test/lib\n\ngo 1.26\n",
	"lib/text.txt": "embedded\n",
	"lib/lib.go": `// Package lib has everything that makes cutting hard.
package lib

import (
	"bytes"
	_ "embed"
	"errors"
	"runtime"
	"text/template"

	"example.test/unused"
)

//go:embed text.txt
var Text string

const (
	KeptFirst = iota + 1
	KeptSecond
	KeptThird
)

var table = map[string]func() string{
	"never": DroppedBeside,
}

type provider struct{ Entries map[string]func() string }

func build() *provider {
	return &provider{
		Entries: map[string]func() string{
			"one": keptEntry,
			"two": droppedEntry, // a comma, and a } in a comment
			"three": droppedEntry,
		},
	}
}

func keptEntry() string { return "one" }

func droppedEntry() string { return unused.Dropped() }

func Names() (names []string) {
	for name := range build().Entries {
		names = append(names, name)
	}
	return names
}

// DroppedBeside is named by a table that nothing reads.
func DroppedBeside() string { return unused.Dropped() }

type Thing struct{ name string }

func New() *Thing { return &Thing{"thing"} }

// Close is called by nobody, but asked for by an interface.
func (thing *Thing) Close() error { return nil }

func (thing *Thing) String() string { return thing.name }

// KeptByTemplate is named by a template alone.
func (thing *Thing) KeptByTemplate() string { return "by template" }

func (thing *Thing) DroppedMethod() string { return unused.Dropped() }

func Render() string {
	var text bytes.Buffer
	if err := template.Must(template.New("").Parse("{{.KeptByTemplate}}")).Execute(&text, New()); err != nil {
		panic(err)
	}
	return text.String()
}

type number interface{ ~int | ~float64 }

type KeptBox[T number] struct{ value T }

func (box KeptBox[T]) Double() T { return box.value + box.value }

func KeptGeneric(value int) int { return KeptBox[int]{value}.Double() }

var DroppedError = errors.New("never")

var _ interface{ Close() error } = (*Thing)(nil)

// Shadow has a variable with the name of a package that only dropped code needs.
func Shadow(name string) string {
	unused := struct{ Dropped string }{name}
	return unused.Dropped
}

// Line tells where it is: what is left out moves nothing.
func Line() int {
	_, _, line, _ := runtime.Caller(0)
	return line
}
`,
	"lib/effects/effects.go": `// Package effects does something when the program starts.
package effects

var count int

var _ = register()

var registered = register()

func register() bool {
	count++
	return true
}

func init() { count += 10 }

func Add(more int) { count += more }

func Count() int { return count }
`,
	"lib/linked/linked.go": `// Package linked calls a function that it does not import.
package linked

import _ "unsafe"

//go:linkname called example.test/lib/linked/target.kept
func called() string

func Call() string { return called() }
`,
	"lib/linked/linked.s":         "// a function without a body needs such a file\n",
	"lib/linked/target/target.go": "package target\n\nconst Imported = \"\"\n\nfunc kept() string { return \"linked\" }\n",
	"lib/register/register.go": `package register

import (
	"example.test/lib/effects"
	named "example.test/lib/register/inner"
)

func Dropped() int { return effects.Count() + named.Dropped() }
`,
	"lib/register/inner/inner.go": `package inner

import "example.test/lib/effects"

func init() { effects.Add(100) }

func Dropped() int { return 0 }
`,
	"lib/dotted/dotted.go":       "package dotted\n\nfunc KeptDotted() string { return \"dotted\" }\n",
	"lib/odd-name/odd.go":        "package oddname\n\nfunc Kept() string { return \"odd\" }\n",
	"lib/go.named/named.go":      "package named\n\nfunc Kept() string { return \"named\" }\n",
	"lib/go.named/ignored.go":    "//go:build ignore\n\npackage main\n\nfunc main() { undefined() }\n",
	"lib/go.named/named_test.go": "package named\n\nimport \"example.test/nowhere\"\n",
	"unused/go.mod":              "module example.test/unused\n\ngo 1.26\n",
	"unused/unused.go":           "package unused\n\nfunc Dropped() string { return \"dropped\" }\n",
}

var toyConfig = Config{Tables: []Table{{
	Package: "example.test/lib", Function: "build", Field: "Entries",
	KeysPackage: "toy/app", KeysVariable: "wanted",
}}}

// lay writes the toy module, with some files changed, and returns its folder.
func lay(t *testing.T, changes map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range toy {
		if changed, ok := changes[name]; ok {
			text = changed
		}
		write(t, filepath.Join(folder, name), text)
	}
	for name, text := range changes {
		write(t, filepath.Join(folder, name), text)
	}
	return folder
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func cutToy(t *testing.T, folder string, config Config) (string, error) {
	t.Helper()
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOWORK", "off")
	out := t.TempDir()
	source, err := openModule(filepath.Join(folder, "app"), out, config.StandIns)
	if err != nil {
		return "", err
	}
	reached := newReach(source)
	if err := reached.from(config, []string{"toy/app"}); err != nil {
		return "", err
	}
	return out, writeAll(source, reached, out)
}

// runToy runs the program in a folder.
func runToy(t *testing.T, folder, mod string) string {
	t.Helper()
	command := exec.Command("go", "run", "-mod="+mod, ".")
	command.Dir = folder
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", folder, err, output)
	}
	return string(output)
}

func text(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhatIsCutDoesWhatTheWholeDoes(t *testing.T) {
	folder := lay(t, nil)
	out, err := cutToy(t, folder, toyConfig)
	if err != nil {
		t.Fatal(err)
	}
	whole := runToy(t, filepath.Join(folder, "app"), "mod")
	// The entries that were left out of the table are the one difference that was asked for.
	for _, name := range []string{"table two\n", "table three\n"} {
		if !strings.Contains(whole, name) {
			t.Errorf("the whole program does not print %q:\n%s", name, whole)
		}
		whole = strings.ReplaceAll(whole, name, "")
	}
	if cut := runToy(t, out, "vendor"); cut != whole {
		t.Errorf("it prints\n%sand the whole program\n%s", cut, whole)
	}
}

func TestWhatNothingReachesIsLeftOut(t *testing.T) {
	out, err := cutToy(t, lay(t, nil), toyConfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"func Dropped", "func droppedEntry", "DroppedMethod", "DroppedError", "example.test/unused"} {
		if strings.Contains(text(t, filepath.Join(out, "vendor/example.test/lib/lib.go")), word) {
			t.Errorf("%s is still there", word)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "vendor/example.test/unused")); err == nil {
		t.Error("a package that nothing reaches is still there")
	}
}

func TestAStandInReplacesAPackage(t *testing.T) {
	folder := lay(t, map[string]string{
		"stand-ins/example.test/lib/odd-name/odd.go": "package oddname\n\nfunc Kept() string { return \"left out\" }\n",
	})
	config := toyConfig
	config.StandIns = filepath.Join(folder, "stand-ins")
	out, err := cutToy(t, folder, config)
	if err != nil {
		t.Fatal(err)
	}
	if printed := runToy(t, out, "vendor"); !strings.Contains(printed, "dotted left out named") {
		t.Errorf("it prints %s", printed)
	}
}

func TestAPackageThatIsTiedToOtherCodeStaysWhole(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"assembly": {"lib/odd-name/odd.go": "package oddname\n\nfunc Kept() string { return \"odd\" }\n\nfunc calledByAssembly() {}\n",
			"lib/odd-name/empty.s": "// empty\n"},
		"a directive": {"lib/odd-name/odd.go": "package oddname\n\nimport _ \"unsafe\"\n\nfunc Kept() string { return \"odd\" }\n\n" +
			"//go:linkname calledByAssembly\nfunc calledByAssembly() {}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := cutToy(t, lay(t, files), toyConfig)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text(t, filepath.Join(out, "vendor/example.test/lib/odd-name/odd.go")), "func calledByAssembly") {
				t.Error("something of it was left out")
			}
			runToy(t, out, "vendor")
		})
	}
}

func TestWhatIsNotUnderstoodEndsWithAnError(t *testing.T) {
	for wanted, changes := range map[string]map[string]string{
		"the table has no four": {"app/keys.go": "package main\n\nvar others = map[string]bool{\"four\": true}\n"},
		"an entry without a text as key is not understood": {"lib/lib.go": strings.Replace(toy["lib/lib.go"], `"two": dropped`, `name("two"): dropped`, 1) +
			"\nfunc name(text string) string { return text }\n"},
		"has no function build with a composite literal that sets Entries": {"lib/lib.go": strings.Replace(toy["lib/lib.go"], "Entries: map", "Entries: (map", 1) + ""},
		"no module of go.mod has the package example.test/nowhere":         {"lib/odd-name/more.go": "package oddname\n\nimport _ \"example.test/nowhere\"\n"},
		"what missing means is not understood":                             {"lib/odd-name/odd.go": "package oddname\n\nfunc Kept() string { return missing.Name }\n"},
		"expected":                                                         {"lib/odd-name/odd.go": "package oddname\n\nfunc Kept( string\n"},
		"replacing one version of example.test/lib is not understood":      {"app/go.mod": strings.Replace(toy["app/go.mod"], "example.test/lib =>", "example.test/lib v1.0.0 =>", 1)},
	} {
		t.Run(wanted, func(t *testing.T) {
			config := Config{Tables: []Table{toyConfig.Tables[0]}}
			if strings.Contains(wanted, "four") {
				config.Tables[0].KeysVariable = "others"
			}
			if strings.Contains(wanted, "composite literal") {
				changes["lib/lib.go"] = strings.Replace(toy["lib/lib.go"], "Entries: map", "Entries: (map", 1)
				changes["lib/lib.go"] = strings.Replace(changes["lib/lib.go"], "\"three\": droppedEntry,\n\t\t},", "\"three\": droppedEntry,\n\t\t}),", 1)
			}
			if _, err := cutToy(t, lay(t, changes), config); err == nil || !strings.Contains(err.Error(), wanted) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
