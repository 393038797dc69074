package host

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Parameterization returns what a package's pulumi-plugin.json says of it, as the engine takes it.
func Parameterization(
	declared *plugin.PulumiParameterizationJSON,
) *pulumirpc.PackageParameterization {
	if declared == nil {
		return nil
	}
	return &pulumirpc.PackageParameterization{
		Name: declared.Name, Version: declared.Version, Value: declared.Value,
	}
}

// Generator writes the files of a package in one language.
type Generator func(*schema.Package, schema.ReferenceLoader) (map[string][]byte, error)

// GeneratePackage writes one language's package for a Pulumi package's schema: what `pulumi package
// add` does for a component package.
func GeneratePackage(
	request *pulumirpc.GeneratePackageRequest, generate Generator,
) (*pulumirpc.GeneratePackageResponse, error) {
	client, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	loader := schema.NewCachedLoader(client)
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
	files, err := generate(bound, loader)
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

// Link adds generated packages to a program by `add`, and says how to import them: `name` returns
// a package's name in the language, `statement` the statement that imports it.
func Link(
	ctx context.Context,
	request *pulumirpc.LinkRequest,
	name func(*schema.Package) (string, error),
	statement func(name string) string,
	add func(name, path string) error,
) (*pulumirpc.LinkResponse, error) {
	client, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	instructions := strings.Builder{}
	instructions.WriteString("You can import the SDK in your code with:\n\n")
	for _, dependency := range request.Packages {
		bound, err := load(ctx, client, dependency.Package)
		if err != nil {
			return nil, err
		}
		found, err := name(bound)
		if err != nil {
			return nil, err
		}
		if err := add(found, dependency.Path); err != nil {
			return nil, fmt.Errorf("adding %s to the program: %w", found, err)
		}
		fmt.Fprintf(&instructions, "  %s\n", statement(found))
	}
	return &pulumirpc.LinkResponse{ImportInstructions: instructions.String()}, nil
}

func load(
	ctx context.Context, loader schema.ReferenceLoader, dependency *pulumirpc.PackageDependency,
) (*schema.Package, error) {
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
			return nil, fmt.Errorf("version of %s: %w", given.Name, err)
		}
		descriptor.Parameterization = &schema.ParameterizationDescriptor{
			Name: given.Name, Version: version, Value: given.Value,
		}
	}
	reference, err := schema.LoadPackageReferenceV2(ctx, loader, descriptor)
	if err != nil {
		return nil, err
	}
	return reference.Definition()
}
