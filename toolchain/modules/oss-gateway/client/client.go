// Package client stands in for the OSS gateway, which this provider build does not need.
package client

import (
	"errors"

	spi "github.com/alibabacloud-go/alibabacloud-gateway-spi/client"
)

// NewClient always fails: this provider build has no OSS.
func NewClient() (spi.ClientInterface, error) {
	return nil, errors.New("this build of the alicloud provider does not include OSS")
}
