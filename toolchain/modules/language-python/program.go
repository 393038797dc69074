package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// reported is the exit status of the executor once it has told the user what is wrong.
const reported = 32

// grace is what an interrupted program has to end by itself.
const grace = 5 * time.Second

// Run runs a program to its end. A program's mistake is part of the answer, not an error of the
// call: "bail" where the user knows already, else a sentence.
func (h *host) Run(
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
	ctx, stop := h.abortable(call)
	defer stop()
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	command, err := python.Command(ctx, append([]string{h.script}, h.arguments(request)...)...)
	if err != nil {
		return nil, err
	}
	variables, err := configuration(request)
	if err != nil {
		return nil, err
	}
	command.Env = append(command.Environ(), variables...)
	// The engine shows what follows the port on this process's own streams.
	command.Stdout, command.Stderr = until{ctx, os.Stdout}, until{ctx, os.Stderr}
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = grace
	return outcome(command), nil
}

// until passes on what is written as long as its context lasts. A program that is interrupted says
// where it was, which is of no use to whoever interrupted it.
type until struct {
	ctx context.Context
	to  io.Writer
}

func (u until) Write(text []byte) (int, error) {
	if u.ctx.Err() != nil {
		return len(text), nil
	}
	return u.to.Write(text)
}

func outcome(command *exec.Cmd) *pulumirpc.RunResponse {
	err := command.Run()
	if err == nil {
		return &pulumirpc.RunResponse{}
	}
	status, ran := exited(err)
	switch {
	case !ran:
		return &pulumirpc.RunResponse{
			Error: fmt.Sprintf("problem executing program (could not run language executor): %v", err),
		}
	case status == reported:
		return &pulumirpc.RunResponse{Bail: true}
	default:
		return &pulumirpc.RunResponse{
			Error: fmt.Sprintf("program exited with non-zero exit code: %d", status),
		}
	}
}

// arguments returns what the executor of this release takes.
func (h *host) arguments(request *pulumirpc.RunRequest) []string {
	var arguments []string
	for _, option := range [][2]string{
		{"monitor", request.MonitorAddress},
		{"engine", h.engine},
		{"project", request.Project},
		{"root_directory", request.Info.RootDirectory},
		{"stack", request.Stack},
		{"pwd", request.Pwd},
		{"dry_run", strconv.FormatBool(request.DryRun)},
		{"parallel", strconv.Itoa(int(request.Parallel))},
		{"tracing", h.tracing},
		{"organization", request.Organization},
	} {
		if option[1] != "" {
			arguments = append(arguments, "--"+option[0], option[1])
		}
	}
	return append(append(arguments, request.Info.EntryPoint), request.Args...)
}

// configuration returns the variables in which the SDK looks for the stack's configuration.
func configuration(request *pulumirpc.RunRequest) ([]string, error) {
	values, err := encoded(request.Config)
	if err != nil {
		return nil, err
	}
	// Not nil, which JSON has as null.
	secrets, err := json.Marshal(append([]string{}, request.ConfigSecretKeys...))
	if err != nil {
		return nil, fmt.Errorf("writing down the configuration's secret keys: %w", err)
	}
	return []string{
		"PULUMI_CONFIG=" + values,
		"PULUMI_CONFIG_SECRET_KEYS=" + string(secrets),
	}, nil
}

// encoded returns a stack's configuration as the SDK reads it.
func encoded(config map[string]string) (string, error) {
	if config == nil {
		return "{}", nil
	}
	values, err := json.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("writing down the configuration: %w", err)
	}
	return string(values), nil
}
