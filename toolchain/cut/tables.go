package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"sort"
	"strconv"
	"strings"
)

// readKeys reads which entries of a table are kept.
func (reach *Reach) readKeys(table Table) error {
	packages, err := reach.source.load([]string{table.KeysPackage})
	if err != nil {
		return err
	}
	keys := map[string]bool{}
	for _, unit := range packages[0].units[table.KeysVariable] {
		for _, value := range unit.syntax.(*ast.ValueSpec).Values {
			literal, ok := value.(*ast.CompositeLit)
			if !ok {
				continue
			}
			for _, element := range literal.Elts {
				key, err := keyOf(element)
				if err != nil {
					return fmt.Errorf("%s: %w", unit.file.line(element.Pos()), err)
				}
				keys[key] = true
			}
		}
	}
	if len(keys) == 0 {
		return fmt.Errorf("%s has no variable %s with a map literal", table.KeysPackage, table.KeysVariable)
	}
	reach.keys[table] = keys
	reach.tables[table.Package] = append(reach.tables[table.Package], table)
	return nil
}

// cutTables marks the entries to leave out of the tables in a function.
func (reach *Reach) cutTables(unit *Unit) error {
	for _, table := range reach.tables[unit.file.pkg.path] {
		if unit.name != table.Function || unit.receiver != "" {
			continue
		}
		var failure error
		ast.Inspect(unit.syntax, func(syntax ast.Node) bool {
			pair, ok := syntax.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			field, isName := pair.Key.(*ast.Ident)
			literal, isLiteral := pair.Value.(*ast.CompositeLit)
			if !isName || !isLiteral || field.Name != table.Field {
				return true
			}
			if reach.cut[table] {
				failure = fmt.Errorf("%s: a second table %s is not understood", unit.file.line(pair.Pos()), table.Field)
				return false
			}
			reach.cut[table] = true
			failure = reach.cutTable(unit.file, literal, reach.keys[table])
			return false
		})
		if failure != nil {
			return failure
		}
	}
	return nil
}

func (reach *Reach) cutTable(file *File, literal *ast.CompositeLit, keys map[string]bool) error {
	missing := map[string]bool{}
	for key := range keys {
		missing[key] = true
	}
	for _, element := range literal.Elts {
		key, err := keyOf(element)
		if err != nil {
			return fmt.Errorf("%s: %w", file.line(element.Pos()), err)
		}
		delete(missing, key)
		if !keys[key] {
			file.dropped[element] = true
		}
	}
	if len(missing) > 0 {
		var names []string
		for key := range missing {
			names = append(names, key)
		}
		sort.Strings(names)
		return fmt.Errorf("%s: the table has no %s", file.line(literal.Pos()), strings.Join(names, ", "))
	}
	return nil
}

func keyOf(element ast.Expr) (string, error) {
	pair, ok := element.(*ast.KeyValueExpr)
	if ok {
		if key, ok := pair.Key.(*ast.BasicLit); ok && key.Kind == token.STRING {
			return strconv.Unquote(key.Value)
		}
	}
	return "", fmt.Errorf("an entry without a text as key is not understood")
}
