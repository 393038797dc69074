package main

import (
	"fmt"
	"io"
	"reflect"
	"runtime"
	"sort"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
)

// dumpFlag, as the only argument, has this command print the schemas that it serves, by which two
// builds are compared.
const dumpFlag = "-dump-schemas"

// dump writes everything that the upstream schemas hold: types, defaults, time-outs, and functions by
// their names.
func dump(out io.Writer, upstream *schema.Provider) {
	for _, kind := range []struct {
		name   string
		served map[string]string
		all    map[string]*schema.Resource
	}{{"resource", resources, upstream.ResourcesMap}, {"data source", dataSources, upstream.DataSourcesMap}} {
		names := make([]string, 0, len(kind.served))
		for name := range kind.served {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Fprintf(out, "%s %s\n", kind.name, name)
			dumpValue(out, 1, reflect.ValueOf(kind.all[name]))
		}
	}
	fmt.Fprintln(out, "provider")
	dumpValue(out, 1, reflect.ValueOf(upstream.Schema))
	dumpValue(out, 1, reflect.ValueOf(upstream.ConfigureFunc))
}

func dumpValue(out io.Writer, depth int, value reflect.Value) {
	line := func(text any) { fmt.Fprintf(out, "%s%v\n", strings.Repeat("  ", depth), text) }
	switch value.Kind() {
	case reflect.Invalid:
		line("nothing")
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			line("nil")
			return
		}
		line(value.Elem().Type())
		dumpValue(out, depth, value.Elem())
	case reflect.Struct:
		for i := range value.NumField() {
			if !value.Field(i).IsZero() {
				line(value.Type().Field(i).Name)
				dumpValue(out, depth+1, value.Field(i))
			}
		}
	case reflect.Map:
		keys := value.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[j]) })
		for _, key := range keys {
			line(key)
			dumpValue(out, depth+1, value.MapIndex(key))
		}
	case reflect.Slice, reflect.Array:
		for i := range value.Len() {
			dumpValue(out, depth+1, value.Index(i))
		}
	case reflect.Func:
		if value.IsNil() {
			line("nil")
			return
		}
		line(runtime.FuncForPC(value.Pointer()).Name())
	default:
		line(value)
	}
}
