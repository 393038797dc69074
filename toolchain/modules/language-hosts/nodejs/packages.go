package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/nodejs/npm"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"slb-mutual-tls/toolchain/language-hosts/internal/host"
)

// installed is what a package.json says that matters here.
type installed struct {
	Name    string                  `json:"name"`
	Version string                  `json:"version"`
	Pulumi  plugin.PulumiPluginJSON `json:"pulumi"`
}

// GetRequiredPackages lists the providers that the program's npm packages ask for.
func (h nodejsHost) GetRequiredPackages(
	_ context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	response := &pulumirpc.GetRequiredPackagesResponse{}
	modules := filepath.Join(request.Info.ProgramDirectory, "node_modules")
	for _, pattern := range []string{"*/package.json", "@*/*/package.json"} {
		// The pattern is well-formed, which is all that can go wrong.
		files, _ := filepath.Glob(filepath.Join(modules, pattern))
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			var one installed
			if err := json.Unmarshal(content, &one); err != nil {
				return nil, fmt.Errorf("reading %s: %w", file, err)
			}
			if required := one.provider(); required != nil {
				response.Packages = append(response.Packages, required)
			}
		}
	}
	return response, nil
}

// provider returns the provider that a package asks for, nil if it asks for none.
func (p installed) provider() *pulumirpc.PackageDependency {
	if !p.Pulumi.Resource {
		return nil
	}
	name, version := p.Pulumi.Name, p.Pulumi.Version
	if name == "" {
		name = strings.TrimPrefix(p.Name, "@pulumi/")
	}
	if version == "" {
		version = p.Version
	}
	return &pulumirpc.PackageDependency{
		Name:             name,
		Kind:             "resource",
		Version:          "v" + strings.TrimPrefix(version, "v"),
		Server:           p.Pulumi.Server,
		Parameterization: host.Parameterization(p.Pulumi.Parameterization),
		Extension:        host.Parameterization(p.Pulumi.ExtensionParameterization),
	}
}

// InstallDependencies installs what package.json asks for.
func (h nodejsHost) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	stream pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	ctx, stop := h.Abortable(stream.Context())
	defer stop()
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(stream, request.IsTerminal)
	if err != nil {
		return err
	}
	defer closer.Close()
	_, err = npm.Install(
		ctx, packageManager(request.Info), request.Info.ProgramDirectory, false, stdout, stderr)
	if err != nil {
		return fmt.Errorf("installing the program's packages: %w", err)
	}
	return closer.Close()
}

// packageManager returns the one that Pulumi.yaml names; the SDK picks one where it names none.
func packageManager(info *pulumirpc.ProgramInfo) npm.PackageManagerType {
	named, _ := info.Options.AsMap()["packagemanager"].(string)
	if named == "" {
		return npm.AutoPackageManager
	}
	return npm.PackageManagerType(named)
}

// GeneratePackage writes the npm package for a Pulumi package's schema.
func (h nodejsHost) GeneratePackage(
	_ context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	return host.GeneratePackage(request,
		func(bound *schema.Package, loader schema.ReferenceLoader) (map[string][]byte, error) {
			return nodejs.GeneratePackage("pulumi-language-nodejs", bound, request.ExtraFiles,
				request.LocalDependencies, request.Local, loader)
		})
}

// Link adds generated packages to a program's package.json.
func (h nodejsHost) Link(
	ctx context.Context, request *pulumirpc.LinkRequest,
) (*pulumirpc.LinkResponse, error) {
	folder := request.Info.ProgramDirectory
	manager, err := npm.ResolvePackageManager(packageManager(request.Info), folder)
	if err != nil {
		return nil, err
	}
	return host.Link(ctx, request, moduleName,
		func(name string) string { return fmt.Sprintf("import * as service from %q;", name) },
		func(name, path string) error { return manager.Link(ctx, folder, name, path) })
}

// moduleName returns the name under which a Pulumi package is imported.
func moduleName(bound *schema.Package) (string, error) {
	if err := bound.ImportLanguages(
		map[string]schema.Language{"nodejs": nodejs.Importer}); err != nil {
		return "", err
	}
	if info, ok := bound.Language["nodejs"].(nodejs.NodePackageInfo); ok && info.PackageName != "" {
		return info.PackageName, nil
	}
	if bound.Namespace != "" {
		return "@" + bound.Namespace + "/" + bound.Name, nil
	}
	return "@pulumi/" + bound.Name, nil
}
