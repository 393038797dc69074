package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// GeneratePackage writes the Python package for a Pulumi package's schema: what `pulumi package
// add` does for a component package.
func (h *host) GeneratePackage(
	_ context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	loader, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(request.Schema), &spec); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	bound, diagnostics, err := schema.BindSpec(
		spec, loader, schema.ValidationOptions{AllowDanglingReferences: true})
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GeneratePackageResponse{
		Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(diagnostics),
	}
	if diagnostics.HasErrors() {
		return response, nil
	}
	files, err := python.GeneratePackage(
		"pulumi-language-python", bound, request.ExtraFiles, schema.NewCachedLoader(loader))
	if err != nil {
		return nil, err
	}
	for name, content := range files {
		path := filepath.Join(request.Directory, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, err
		}
	}
	return response, nil
}

// Link adds generated packages to a program's requirements and says how to import them.
func (h *host) Link(
	ctx context.Context, request *pulumirpc.LinkRequest,
) (*pulumirpc.LinkResponse, error) {
	environment, _, err := environment(request.Info, false)
	if err != nil {
		return nil, err
	}
	loader, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	folders := map[string]string{}
	instructions := strings.Builder{}
	instructions.WriteString("You can import the SDK in your Python code with:\n\n")
	for _, dependency := range request.Packages {
		name, err := moduleName(ctx, loader, dependency.Package)
		if err != nil {
			return nil, err
		}
		folders[name] = dependency.Path
		fmt.Fprintf(&instructions, "  import %s\n", name)
	}
	if err := environment.LinkPackages(ctx, folders); err != nil {
		return nil, fmt.Errorf("adding the package to the requirements: %w", err)
	}
	return &pulumirpc.LinkResponse{ImportInstructions: instructions.String()}, nil
}

// moduleName returns the name under which a Pulumi package is imported in Python.
func moduleName(
	ctx context.Context, loader schema.ReferenceLoader, dependency *pulumirpc.PackageDependency,
) (string, error) {
	descriptor := &schema.PackageDescriptor{
		Name: dependency.Name, DownloadURL: dependency.Server,
	}
	// Without a version the loader takes the one there is.
	if version, err := semver.ParseTolerant(dependency.Version); err == nil {
		descriptor.Version = &version
	}
	if given := dependency.Parameterization; given != nil {
		version, err := semver.ParseTolerant(given.Version)
		if err != nil {
			return "", fmt.Errorf("version of %s: %w", given.Name, err)
		}
		descriptor.Parameterization = &schema.ParameterizationDescriptor{
			Name: given.Name, Version: version, Value: given.Value,
		}
	}
	reference, err := schema.LoadPackageReferenceV2(ctx, loader, descriptor)
	if err != nil {
		return "", err
	}
	bound, err := reference.Definition()
	if err != nil {
		return "", err
	}
	if err := bound.ImportLanguages(
		map[string]schema.Language{"python": python.Importer}); err != nil {
		return "", err
	}
	if info, ok := bound.Language["python"].(python.PackageInfo); ok && info.PackageName != "" {
		return info.PackageName, nil
	}
	return python.PyPack(bound.Namespace, bound.Name), nil
}
