// Package gcsblob stands in for the driver of gs://.
package gcsblob

import (
	"context"
	"net/url"

	"gocloud.dev/blob"

	"slb-mutual-tls/toolchain/leftout"
)

// Scheme of the URLs that are refused.
const Scheme = "gs"

func init() {
	blob.DefaultURLMux().RegisterBucket(Scheme, opener{})
}

type opener struct{}

func (opener) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return nil, leftout.Error("the driver of Google Cloud Storage (gs://)")
}
