package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"slb-mutual-tls/toolchain/language-hosts/internal/host"
)

// startScript is the module of the SDK that runs a program.
const startScript = "@pulumi/pulumi/cmd/run"

// Run runs a program to its end.
func (h nodejsHost) Run(
	call context.Context, request *pulumirpc.RunRequest,
) (*pulumirpc.RunResponse, error) {
	if request.AttachDebugger {
		return &pulumirpc.RunResponse{
			Error: "attaching a debugger needs the official language host",
		}, nil
	}
	ctx, stop := h.Abortable(call)
	defer stop()
	script, err := resolve(ctx, startScript, request.Info.ProgramDirectory)
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	command := exec.CommandContext(ctx, "node", h.arguments(script, request)...)
	if plain, ok := request.Info.Options.AsMap()["typescript"].(bool); !ok || plain {
		command.Env = append(command.Environ(), "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	return host.Run(ctx, command, request)
}

// arguments returns what the SDK's start script takes.
func (h nodejsHost) arguments(script string, request *pulumirpc.RunRequest) []string {
	arguments := append([]string{script}, host.Arguments(
		[2]string{"monitor", request.MonitorAddress},
		[2]string{"engine", h.Engine},
		[2]string{"organization", request.Organization},
		[2]string{"project", request.Project},
		[2]string{"root-directory", request.Info.RootDirectory},
		[2]string{"stack", request.Stack},
		[2]string{"pwd", request.Info.ProgramDirectory},
		[2]string{"parallel", strconv.Itoa(int(request.Parallel))},
		[2]string{"tracing", h.Tracing},
	)...)
	if request.DryRun {
		arguments = append(arguments, "--dry-run")
	}
	return append(append(arguments, request.Info.EntryPoint), request.Args...)
}

// resolve returns where Node.js finds a module for a program.
func resolve(ctx context.Context, module, folder string) (string, error) {
	command := exec.CommandContext(ctx, "node", "-p", fmt.Sprintf("require.resolve(%q)", module))
	command.Dir = folder
	found, err := command.Output()
	if _, ran := host.Exited(err); ran {
		return "", errors.New(
			"the Pulumi SDK is not installed in the program's folder: run `pulumi install` there")
	}
	if err != nil {
		return "", fmt.Errorf("running node: %w", err)
	}
	return strings.TrimSpace(string(found)), nil
}
