package main

import (
	"context"
	"strconv"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"slb-mutual-tls/toolchain/language-hosts/internal/host"
)

// pythonHost is the LanguageRuntime service for Python.
type pythonHost struct {
	*host.Base

	script string // the executor's path
}

// Run runs a program to its end.
func (h *pythonHost) Run(
	call context.Context, request *pulumirpc.RunRequest,
) (*pulumirpc.RunResponse, error) {
	if request.AttachDebugger {
		return &pulumirpc.RunResponse{
			Error: "attaching a debugger needs the official language host",
		}, nil
	}
	python, _, err := environment(request.Info, false)
	if err != nil {
		return nil, err
	}
	ctx, stop := h.Abortable(call)
	defer stop()
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	command, err := python.Command(ctx, h.arguments(request)...)
	if err != nil {
		return nil, err
	}
	return host.Run(ctx, command, request)
}

// arguments returns what the executor of this release takes.
func (h *pythonHost) arguments(request *pulumirpc.RunRequest) []string {
	arguments := append([]string{h.script}, host.Arguments(
		[2]string{"monitor", request.MonitorAddress},
		[2]string{"engine", h.Engine},
		[2]string{"project", request.Project},
		[2]string{"root_directory", request.Info.RootDirectory},
		[2]string{"stack", request.Stack},
		[2]string{"pwd", request.Pwd},
		[2]string{"dry_run", strconv.FormatBool(request.DryRun)},
		[2]string{"parallel", strconv.Itoa(int(request.Parallel))},
		[2]string{"tracing", h.Tracing},
		[2]string{"organization", request.Organization},
	)...)
	return append(append(arguments, request.Info.EntryPoint), request.Args...)
}
