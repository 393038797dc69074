package host

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Base is what every language host is. What a host does not implement the engine does without:
// converting programs from other languages, packing, and starting under a debugger.
type Base struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	Engine  string // the engine's address
	Tracing string

	cancelled context.Context // done once the engine asks to abort
	cancel    context.CancelFunc
}

func newBase(engine, tracing string) *Base {
	cancelled, cancel := context.WithCancel(context.Background())
	return &Base{Engine: engine, Tracing: tracing, cancelled: cancelled, cancel: cancel}
}

// Handshake tells a host that the engine did not start itself where the engine is.
func (b *Base) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	b.Engine = request.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo answers with the release whose protocol this is.
func (b *Base) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

// Cancel aborts what runs.
func (b *Base) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	b.abort()
	return &emptypb.Empty{}, nil
}

func (b *Base) abort() { b.cancel() }

// Abortable returns a context that ends with the call or with Cancel, whichever is first.
func (b *Base) Abortable(call context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(call)
	context.AfterFunc(b.cancelled, stop)
	return ctx, stop
}

// RuntimeOptionsPrompts asks for nothing: `pulumi new` then takes the defaults.
func (b *Base) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// EngineLogs returns where to write what the engine is to show while it happens, and not for good:
// information and errors; `done` ends it.
func (b *Base) EngineLogs(ctx context.Context) (info, errors io.Writer, done func(), err error) {
	connection, err := grpc.NewClient(
		b.Engine,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		rpcutil.GrpcChannelOptions(),
	)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("connecting to the engine: %w", err)
	}
	log := engineLog{
		ctx:      ctx,
		engine:   pulumirpc.NewEngineClient(connection),
		stream:   rand.Int32(),
		severity: pulumirpc.LogSeverity_INFO,
	}
	failures := log
	failures.severity = pulumirpc.LogSeverity_ERROR
	return log, failures, func() { connection.Close() }, nil
}

type engineLog struct {
	ctx      context.Context
	engine   pulumirpc.EngineClient
	stream   int32
	severity pulumirpc.LogSeverity
}

func (l engineLog) Write(text []byte) (int, error) {
	_, err := l.engine.Log(l.ctx, &pulumirpc.LogRequest{
		Message:   strings.ToValidUTF8(string(text), "\uFFFD"),
		Ephemeral: true,
		StreamId:  l.stream,
		Severity:  l.severity,
	})
	if err != nil {
		return 0, err
	}
	return len(text), nil
}
