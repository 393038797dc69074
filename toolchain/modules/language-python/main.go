// Command pulumi-language-python runs Python programs, policy packs and component packages for the
// Pulumi engine. It serves the LanguageRuntime protocol of pulumi/sdk v3.259 and leaves virtual
// environments to that module's python/toolchain package, so that the options of Pulumi.yaml mean
// what they mean to the official language host. It is built only where that one cannot be
// downloaded.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// executor is the script beside this command that runs a program; it comes with the Python SDK.
const executor = "pulumi-language-python-exec"

// engineCheck is how often the host looks whether its engine still lives.
const engineCheck = 5 * time.Minute

func main() {
	// The engine passes these where its own command line has them.
	tracing := flag.String("tracing", "", "Zipkin-compatible endpoint that spans go to")
	flag.Parse()
	logging.InitLogging(false, 0, false)
	cmdutil.InitTracing("pulumi-language-python", "pulumi-language-python", *tracing)

	if err := serve(flag.Arg(0), *tracing); err != nil {
		cmdutil.Exit(err)
	}
}

// serve answers the engine until it interrupts the host or dies.
func serve(engine, tracing string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the language host's own folder: %w", err)
	}
	script := filepath.Join(filepath.Dir(self), executor)
	if _, err := os.Stat(script); err != nil {
		return fmt.Errorf("the language host is not wholly installed: %w", err)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if engine != "" {
		if err := rpcutil.Healthcheck(ctx, engine, engineCheck, stop); err != nil {
			return fmt.Errorf("watching the engine: %w", err)
		}
	}
	served := newHost(script, engine, tracing)
	cancel := make(chan bool)
	context.AfterFunc(ctx, func() {
		served.cancel()
		close(cancel)
	})

	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, served)
			return nil
		},
		Options: rpcutil.TracingServerInterceptorOptions(nil),
	})
	if err != nil {
		return fmt.Errorf("serving the language host: %w", err)
	}
	// The engine reads the port from the first line, and takes what follows for the program's.
	fmt.Println(handle.Port)
	return <-handle.Done
}
