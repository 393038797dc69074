package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"

	"slb-mutual-tls/toolchain/language-hosts/internal/host"
)

// listPackages is run by the program's own Python.
//
//go:embed packages.py
var listPackages string

// describe is run by the program's own Python.
//
//go:embed about.py
var describe string

// installed is one Python package as packages.py lists it.
type installed struct {
	Name    string                   `json:"name"`
	Version string                   `json:"version"`
	Plugin  *plugin.PulumiPluginJSON `json:"plugin"`
}

// withoutPlugin lists packages whose name looks like a provider's and is none.
var withoutPlugin = map[string]bool{"pulumi-policy": true, "pulumi-esc-sdk": true}

// GetRequiredPackages lists the providers that the program's Python packages ask for, making the
// virtual environment first if there is none.
func (h *pythonHost) GetRequiredPackages(
	call context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	ctx, stop := h.Abortable(call)
	defer stop()
	python, _, err := environment(request.Info, false)
	if err != nil {
		return nil, err
	}
	info, failures, done, err := h.EngineLogs(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	err = python.EnsureVenv(ctx, request.Info.ProgramDirectory, false, true, info, failures)
	if err != nil {
		return nil, err
	}
	var found []installed
	if err := ask(ctx, python, listPackages, &found); err != nil {
		return nil, fmt.Errorf("listing the Python packages: %w", err)
	}
	response := &pulumirpc.GetRequiredPackagesResponse{}
	for _, one := range found {
		if required := one.provider(); required != nil {
			response.Packages = append(response.Packages, required)
		}
	}
	return response, nil
}

// provider returns the provider that a Python package asks for, nil if it asks for none.
func (p installed) provider() *pulumirpc.PackageDependency {
	distribution := normalised(p.Name)
	required := &pulumirpc.PackageDependency{Kind: "resource"}
	switch {
	case withoutPlugin[distribution]:
		return nil
	case p.Plugin != nil:
		if !p.Plugin.Resource {
			return nil
		}
		required.Name, required.Version = p.Plugin.Name, p.Plugin.Version
		required.Server = p.Plugin.Server
		required.Parameterization = host.Parameterization(p.Plugin.Parameterization)
		required.Extension = host.Parameterization(p.Plugin.ExtensionParameterization)
	case !strings.HasPrefix(distribution, "pulumi-"):
		return nil
	}
	if required.Name == "" {
		required.Name = strings.TrimPrefix(distribution, "pulumi-")
	}
	if required.Version == "" {
		required.Version = pluginVersion(p.Version)
	}
	if required.Version == "" {
		return nil
	}
	required.Version = "v" + strings.TrimPrefix(required.Version, "v")
	return required
}

// separators are what PEP 503 takes for one hyphen.
var separators = regexp.MustCompile(`[-_.]+`)

func normalised(name string) string {
	return separators.ReplaceAllString(strings.ToLower(name), "-")
}

// released is a version by PEP 440 that has an equivalent by semantic versioning.
var released = regexp.MustCompile(
	`^(\d+)(?:\.(\d+))?(?:\.(\d+))?((?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.(post\d+))?(?:\.(dev\d+))?$`)

// pluginVersion translates a Python package's version into its plugin's, "" if it has none:
// 1.2 to 1.2.0, 1.2.3rc4 to 1.2.3-rc.4, 1.2.3.post4 to 1.2.3+post4.
func pluginVersion(version string) string {
	part := released.FindStringSubmatch(version)
	if part == nil {
		return ""
	}
	for i := 2; i <= 3; i++ {
		if part[i] == "" {
			part[i] = "0"
		}
	}
	translated := strings.Join(part[1:4], ".") + part[4]
	if part[5] != "" {
		stage := map[string]string{"a": "alpha", "b": "beta", "rc": "rc"}[part[5]]
		translated += "-" + stage + "." + part[6]
	}
	if build := part[7] + part[8]; build != "" {
		translated += "+" + build
	}
	return translated
}

// InstallDependencies makes the virtual environment and installs what the project asks for; a
// plugin that is a Python package is installed itself.
func (h *pythonHost) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	stream pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	ctx, stop := h.Abortable(stream.Context())
	defer stop()
	python, _, err := environment(request.Info, request.IsPlugin)
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(stream, request.IsTerminal)
	if err != nil {
		return err
	}
	defer closer.Close()
	folder, versionTools := request.Info.ProgramDirectory, request.UseLanguageVersionTools
	fmt.Fprint(stdout, "Installing dependencies...\n\n")
	if request.IsPlugin {
		buildable, err := toolchain.IsBuildablePackage(folder)
		if err != nil {
			return fmt.Errorf("reading the plugin's pyproject.toml: %w", err)
		}
		if buildable {
			if err := python.EnsureVenv(ctx, folder, versionTools, true, stdout, stderr); err != nil {
				return err
			}
			command, err := python.ModuleCommand(ctx, "pip", "install", folder)
			if err != nil {
				return err
			}
			command.Stdout, command.Stderr = stdout, stderr
			if err := command.Run(); err != nil {
				return fmt.Errorf("installing the plugin's package: %w", err)
			}
		}
	}
	if err := python.InstallDependencies(ctx, folder, versionTools, true, stdout, stderr); err != nil {
		return err
	}
	fmt.Fprint(stdout, "Finished installing dependencies\n\n")
	return closer.Close()
}

// GetProgramDependencies lists the Python packages of a program's environment.
func (h *pythonHost) GetProgramDependencies(
	ctx context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	python, _, err := environment(request.Info, false)
	if err != nil {
		return nil, err
	}
	packages, err := python.ListPackages(ctx, request.TransitiveDependencies)
	if err != nil {
		return nil, fmt.Errorf("listing the Python packages: %w", err)
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, one := range packages {
		response.Dependencies = append(response.Dependencies,
			&pulumirpc.DependencyInfo{Name: one.Name, Version: one.Version})
	}
	return response, nil
}

// About describes the Python that a program runs on.
func (h *pythonHost) About(
	ctx context.Context, request *pulumirpc.AboutRequest,
) (*pulumirpc.AboutResponse, error) {
	python, options, err := environment(request.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	about, err := aboutPython(ctx, python, options)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.AboutResponse{
		Executable: about.PythonExecutable,
		Version:    about.PythonVersion.String(),
		Metadata: map[string]string{
			"toolchain":        toolchain.Name(options.Toolchain),
			"toolchainVersion": about.ToolchainVersion.String(),
			"typechecker":      toolchain.TypeCheckerName(options.Typechecker),
		},
	}, nil
}

// aboutPython asks a Python that uses pip once for what the engine wants to know before each
// command. The SDK starts it three times, and pip's own command is slow to start.
func aboutPython(
	ctx context.Context, python toolchain.Toolchain, options toolchain.PythonOptions,
) (toolchain.Info, error) {
	if options.Toolchain != toolchain.Pip {
		return python.About(ctx)
	}
	var answer struct {
		Executable string `json:"executable"`
		Version    string `json:"version"`
		Pip        string `json:"pip"`
	}
	if err := ask(ctx, python, describe, &answer); err != nil {
		return toolchain.Info{}, fmt.Errorf("asking Python for its version: %w", err)
	}
	// As in the SDK, a version that is none is left out.
	version, _ := toolchain.ParsePythonVersion(answer.Version)
	pip, _ := toolchain.ParsePipVersion("pip " + answer.Pip)
	return toolchain.Info{
		PythonExecutable: answer.Executable,
		PythonVersion:    version,
		ToolchainVersion: pip,
	}, nil
}

// ask runs a script by the program's own Python, and reads the JSON that it prints.
func ask(ctx context.Context, python toolchain.Toolchain, script string, answer any) error {
	command, err := python.Command(ctx, "-c", script)
	if err != nil {
		return err
	}
	output, err := command.Output()
	if err != nil {
		return fmt.Errorf("%w%s", err, lastWords(err))
	}
	return json.Unmarshal(output, answer)
}

func lastWords(err error) string {
	if failed, ok := err.(*exec.ExitError); ok && len(failed.Stderr) > 0 {
		return ": " + string(failed.Stderr)
	}
	return ""
}
