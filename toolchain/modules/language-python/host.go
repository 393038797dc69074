package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// host is the LanguageRuntime service. What it does not implement the engine does without:
// converting programs from other languages, packing, and starting under a debugger.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	script  string // the executor's path
	engine  string // the engine's address
	tracing string

	cancelled context.Context // done once the engine asks to abort
	cancel    context.CancelFunc
}

func newHost(script, engine, tracing string) *host {
	cancelled, cancel := context.WithCancel(context.Background())
	return &host{script: script, engine: engine, tracing: tracing, cancelled: cancelled, cancel: cancel}
}

// Handshake tells a host that the engine did not start itself where the engine is.
func (h *host) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = request.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo answers with the release whose protocol this is.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

// Cancel aborts what runs.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.cancel()
	return &emptypb.Empty{}, nil
}

// abortable returns a context that ends with the call or with Cancel, whichever is first.
func (h *host) abortable(call context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(call)
	context.AfterFunc(h.cancelled, stop)
	return ctx, stop
}

// environment resolves the options under `runtime` in Pulumi.yaml, PulumiPlugin.yaml or
// PulumiPolicy.yaml.
func environment(
	info *pulumirpc.ProgramInfo, isPlugin bool,
) (toolchain.Toolchain, toolchain.PythonOptions, error) {
	options, err := parseOptions(info, isPlugin)
	if err != nil {
		return nil, options, err
	}
	resolved, err := toolchain.ResolveToolchain(options)
	return resolved, options, err
}

func parseOptions(
	info *pulumirpc.ProgramInfo, isPlugin bool,
) (toolchain.PythonOptions, error) {
	options := toolchain.PythonOptions{
		Root:       info.GetRootDirectory(),
		ProgramDir: info.GetProgramDirectory(),
		Toolchain:  toolchain.Auto,
	}
	given := map[string]string{}
	for _, name := range []string{"virtualenv", "toolchain", "typechecker"} {
		if value, set := info.GetOptions().AsMap()[name]; set {
			text, ok := value.(string)
			if !ok {
				return options, fmt.Errorf("%s option must be a string", name)
			}
			given[name] = text
		}
	}
	options.Virtualenv = given["virtualenv"]
	switch given["toolchain"] {
	case "":
	case "pip":
		options.Toolchain = toolchain.Pip
	case "poetry":
		options.Toolchain = toolchain.Poetry
	case "uv":
		options.Toolchain = toolchain.Uv
	default:
		return options, fmt.Errorf("unsupported toolchain option: %s", given["toolchain"])
	}
	if given["typechecker"] != "" {
		return options, errors.New(
			"the typechecker option needs the official language host: leave it out here")
	}
	// A plugin brings an environment of its own; a program may run in the ambient one.
	usesPip := options.Toolchain == toolchain.Pip || options.Toolchain == toolchain.Auto
	if isPlugin && usesPip && options.Virtualenv == "" {
		options.Virtualenv = "venv"
	}
	return options, nil
}

// dialEngine connects to the engine's own service.
func (h *host) dialEngine() (pulumirpc.EngineClient, *grpc.ClientConn, error) {
	connection, err := grpc.NewClient(
		h.engine,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		rpcutil.GrpcChannelOptions(),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("connecting to the engine: %w", err)
	}
	return pulumirpc.NewEngineClient(connection), connection, nil
}

// exited returns the exit status of a process that ran and failed; -1 if a signal ended it.
func exited(err error) (int, bool) {
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return failed.ExitCode(), true
	}
	return 0, false
}
