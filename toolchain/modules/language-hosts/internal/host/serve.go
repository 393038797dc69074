// Package host holds what language hosts have in common: how the engine starts, watches and aborts
// them, how a program gets its configuration, and how packages are generated.
package host

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// engineCheck is how often a host looks whether its engine still lives.
const engineCheck = 5 * time.Minute

// Runtime is a language host.
type Runtime interface {
	pulumirpc.LanguageRuntimeServer
	abort()
}

// Main answers the engine until it interrupts the host or dies.
func Main(name string, create func(*Base) (Runtime, error)) {
	// The engine passes these where its own command line has them.
	tracing := flag.String("tracing", "", "Zipkin-compatible endpoint that spans go to")
	flag.Parse()
	logging.InitLogging(false, 0, false)
	cmdutil.InitTracing(name, name, *tracing)

	runtime, err := create(newBase(flag.Arg(0), *tracing))
	if err == nil {
		err = serve(runtime, flag.Arg(0))
	}
	if err != nil {
		cmdutil.Exit(err)
	}
}

func serve(runtime Runtime, engine string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if engine != "" {
		if err := rpcutil.Healthcheck(ctx, engine, engineCheck, stop); err != nil {
			return fmt.Errorf("watching the engine: %w", err)
		}
	}
	cancel := make(chan bool)
	context.AfterFunc(ctx, func() {
		runtime.abort()
		close(cancel)
	})
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, runtime)
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
