// Package azureblob stands in for the driver of azblob://.
package azureblob

import (
	"context"
	"net/url"

	"gocloud.dev/blob"

	"slb-mutual-tls/toolchain/leftout"
)

// Scheme of the URLs that are refused.
const Scheme = "azblob"

func init() {
	blob.DefaultURLMux().RegisterBucket(Scheme, &URLOpener{})
}

// ServiceURLOptions are those of a client that is not there.
type ServiceURLOptions struct{}

// NewDefaultServiceURLOptions returns none.
func NewDefaultServiceURLOptions() *ServiceURLOptions { return &ServiceURLOptions{} }

// NewDefaultClient makes nothing.
func NewDefaultClient() {}

// URLOpener refuses every URL.
type URLOpener struct {
	MakeClient        func()
	ServiceURLOptions ServiceURLOptions
}

// OpenBucketURL refuses every URL.
func (*URLOpener) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return nil, leftout.Error("the driver of Azure Blob Storage (azblob://)")
}
