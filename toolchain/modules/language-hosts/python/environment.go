package main

import (
	"errors"
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// environment resolves the options under `runtime` in Pulumi.yaml, PulumiPlugin.yaml or
// PulumiPolicy.yaml.
func environment(
	info *pulumirpc.ProgramInfo, isPlugin bool,
) (toolchain.Toolchain, toolchain.PythonOptions, error) {
	options, err := parseOptions(info, isPlugin)
	if err != nil {
		return nil, options, err
	}
	resolved, err := toolchain.ResolveToolchain(options)
	return resolved, options, err
}

func parseOptions(
	info *pulumirpc.ProgramInfo, isPlugin bool,
) (toolchain.PythonOptions, error) {
	options := toolchain.PythonOptions{
		Root:       info.GetRootDirectory(),
		ProgramDir: info.GetProgramDirectory(),
		Toolchain:  toolchain.Auto,
	}
	given := map[string]string{}
	for _, name := range []string{"virtualenv", "toolchain", "typechecker"} {
		if value, set := info.GetOptions().AsMap()[name]; set {
			text, ok := value.(string)
			if !ok {
				return options, fmt.Errorf("%s option must be a string", name)
			}
			given[name] = text
		}
	}
	options.Virtualenv = given["virtualenv"]
	switch given["toolchain"] {
	case "":
	case "pip":
		options.Toolchain = toolchain.Pip
	case "poetry":
		options.Toolchain = toolchain.Poetry
	case "uv":
		options.Toolchain = toolchain.Uv
	default:
		return options, fmt.Errorf("unsupported toolchain option: %s", given["toolchain"])
	}
	if given["typechecker"] != "" {
		return options, errors.New(
			"the typechecker option needs the official language host: leave it out here")
	}
	// A plugin brings an environment of its own; a program may run in the ambient one.
	usesPip := options.Toolchain == toolchain.Pip || options.Toolchain == toolchain.Auto
	if isPlugin && usesPip && options.Virtualenv == "" {
		options.Virtualenv = "venv"
	}
	return options, nil
}
