// Package authhelpers stands in for the one that logs in to Google Cloud.
package authhelpers

import (
	"context"

	"gocloud.dev/blob"

	"slb-mutual-tls/toolchain/leftout"
)

// GoogleCredentialsMux refuses.
func GoogleCredentialsMux(context.Context) (*blob.URLMux, error) {
	return nil, leftout.Error("the driver of Google Cloud Storage (gs://)")
}
