package main

import (
	"context"

	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"slb-mutual-tls/toolchain/language-hosts/internal/host"
)

// GeneratePackage writes the Python package for a Pulumi package's schema.
func (h *pythonHost) GeneratePackage(
	_ context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	return host.GeneratePackage(request,
		func(bound *schema.Package, loader schema.ReferenceLoader) (map[string][]byte, error) {
			return python.GeneratePackage(
				"pulumi-language-python", bound, request.ExtraFiles, loader)
		})
}

// Link adds generated packages to a program's requirements.
func (h *pythonHost) Link(
	ctx context.Context, request *pulumirpc.LinkRequest,
) (*pulumirpc.LinkResponse, error) {
	environment, _, err := environment(request.Info, false)
	if err != nil {
		return nil, err
	}
	return host.Link(ctx, request, moduleName,
		func(name string) string { return "import " + name },
		func(name, path string) error {
			return environment.LinkPackages(ctx, map[string]string{name: path})
		})
}

// moduleName returns the name under which a Pulumi package is imported.
func moduleName(bound *schema.Package) (string, error) {
	if err := bound.ImportLanguages(
		map[string]schema.Language{"python": python.Importer}); err != nil {
		return "", err
	}
	if info, ok := bound.Language["python"].(python.PackageInfo); ok && info.PackageName != "" {
		return info.PackageName, nil
	}
	return python.PyPack(bound.Namespace, bound.Name), nil
}
