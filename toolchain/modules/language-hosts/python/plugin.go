package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	sdk "github.com/pulumi/pulumi/sdk/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"

	"slb-mutual-tls/toolchain/language-hosts/internal/host"
)

// RunPlugin runs a policy pack or a component package until the engine ends the call.
func (h *pythonHost) RunPlugin(
	request *pulumirpc.RunPluginRequest, stream pulumirpc.LanguageRuntime_RunPluginServer,
) error {
	if request.AttachDebugger {
		return errors.New("attaching a debugger needs the official language host")
	}
	ctx, stop := h.Abortable(stream.Context())
	defer stop()
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(stream, false)
	if err != nil {
		return err
	}
	defer closer.Close()

	if request.Kind == string(apitype.AnalyzerPlugin) {
		err = runPolicyPack(ctx, request, stdout, stderr)
	} else {
		err = runPackage(ctx, request, stdout, stderr)
	}
	if status, ran := host.Exited(err); ran {
		// The streams' last words first: nothing may follow the status.
		if err := closer.Close(); err != nil {
			return err
		}
		return stream.Send(&pulumirpc.RunPluginResponse{
			Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(status)},
		})
	}
	if err != nil {
		return err
	}
	return closer.Close()
}

// runPackage runs a folder's __main__.py, or else the Python package that the folder is.
func runPackage(
	ctx context.Context, request *pulumirpc.RunPluginRequest, stdout, stderr io.Writer,
) error {
	python, options, err := environment(request.Info, true)
	if err != nil {
		return err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return err
	}
	arguments := append([]string{request.Info.ProgramDirectory}, request.Args...)
	if _, err := os.Stat(filepath.Join(options.Root, "__main__.py")); err != nil {
		buildable, err := toolchain.IsBuildablePackage(options.Root)
		if err != nil {
			return fmt.Errorf("reading the plugin's pyproject.toml: %w", err)
		}
		if !buildable {
			return errors.New(
				"plugin is not runnable, it provides neither __main__.py nor a buildable pyproject.toml")
		}
		project, err := toolchain.LoadPyproject(options.Root)
		if err != nil {
			return fmt.Errorf("reading the plugin's pyproject.toml: %w", err)
		}
		arguments = append([]string{"-m", "pulumi.run.plugin", project.Project.Name}, request.Args...)
	}
	command, err := python.Command(ctx, arguments...)
	if err != nil {
		return err
	}
	command.Dir = request.Pwd
	command.Env = append(command.Environ(), request.Env...)
	command.Stdout, command.Stderr = stdout, stderr
	return command.Run()
}

// runPolicyPack runs a policy pack in its own folder. The engine configures a pack over the
// protocol, the Python SDK reads the stack from the environment; the SDK's proxy stands between
// them until the engine has said which stack it is.
func runPolicyPack(
	ctx context.Context, request *pulumirpc.RunPluginRequest, stdout, stderr io.Writer,
) error {
	python, _, err := environment(request.Info, false)
	if err != nil {
		return err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return err
	}
	arguments := append([]string{"-u", "-m", "pulumi.policy"}, request.Args...)
	command, err := python.Command(ctx, append(arguments, request.Info.ProgramDirectory)...)
	if err != nil {
		return err
	}
	proxy, packOutput, err := sdk.NewPolicyProxy(ctx, stdout)
	if err != nil {
		return fmt.Errorf("starting the policy pack's proxy: %w", err)
	}
	stack, err := proxy.AwaitConfiguration(ctx)
	if err != nil {
		return fmt.Errorf("waiting for the stack's configuration: %w", err)
	}
	variables, err := stackVariables(stack)
	if err != nil {
		return err
	}
	command.Dir = request.Info.ProgramDirectory
	command.Env = append(append(command.Environ(), variables...), request.Env...)
	command.Stdout, command.Stderr = packOutput, stderr
	return attach(ctx, proxy, command)
}

func attach(ctx context.Context, proxy *sdk.PolicyProxy, command *exec.Cmd) error {
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting the policy pack: %w", err)
	}
	return proxy.Attach(ctx, command)
}

// stackVariables returns what the SDK reads of the stack; the engine has none for `policy publish`.
func stackVariables(stack *pulumirpc.AnalyzerStackConfigureRequest) ([]string, error) {
	if stack == nil {
		return nil, nil
	}
	config, err := host.Encoded(stack.Config)
	if err != nil {
		return nil, err
	}
	variables := []string{
		"PULUMI_DRY_RUN=" + strconv.FormatBool(stack.DryRun),
		"PULUMI_CONFIG=" + config,
	}
	for _, variable := range [][2]string{
		{"PULUMI_ORGANIZATION", stack.Organization},
		{"PULUMI_PROJECT", stack.Project},
		{"PULUMI_STACK", stack.Stack},
	} {
		if variable[1] != "" {
			variables = append(variables, variable[0]+"="+variable[1])
		}
	}
	return variables, nil
}
