package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// reported is the exit status of a program that has told the user what is wrong.
const reported = 32

// grace is what an interrupted program has to end by itself.
const grace = 5 * time.Second

// Run runs a program to its end. A program's mistake is part of the answer, not an error of the
// call: "bail" where the user knows already, else a sentence.
func Run(
	ctx context.Context, command *exec.Cmd, request *pulumirpc.RunRequest,
) (*pulumirpc.RunResponse, error) {
	variables, err := configuration(request)
	if err != nil {
		return nil, err
	}
	command.Env = append(command.Environ(), variables...)
	// The engine shows what follows the port on this process's own streams.
	command.Stdout, command.Stderr = until{ctx, os.Stdout}, until{ctx, os.Stderr}
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = grace
	return outcome(command.Run()), nil
}

func outcome(err error) *pulumirpc.RunResponse {
	if err == nil {
		return &pulumirpc.RunResponse{}
	}
	status, ran := Exited(err)
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

// Exited returns the exit status of a process that ran and failed; -1 if a signal ended it.
func Exited(err error) (int, bool) {
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return failed.ExitCode(), true
	}
	return 0, false
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

// Arguments returns options with values as a program's start script takes them, without empty ones.
func Arguments(options ...[2]string) []string {
	var arguments []string
	for _, option := range options {
		if option[1] != "" {
			arguments = append(arguments, "--"+option[0], option[1])
		}
	}
	return arguments
}

// configuration returns the variables in which the SDK looks for the stack's configuration.
func configuration(request *pulumirpc.RunRequest) ([]string, error) {
	values, err := Encoded(request.Config)
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

// Encoded returns a stack's configuration as the SDK reads it.
func Encoded(config map[string]string) (string, error) {
	if config == nil {
		return "{}", nil
	}
	values, err := json.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("writing down the configuration: %w", err)
	}
	return string(values), nil
}
