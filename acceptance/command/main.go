// Command acceptance-tests runs the acceptance tests of the upstream Alibaba Cloud provider, with the
// flags of Go's tests. They are built as a command, and not by `go test -c`, so that their sources can
// be cut to what they reach.
package main

import (
	"regexp"
	"testing"

	"github.com/aliyun/terraform-provider-alicloud/alicloud"
)

func main() {
	_ = alicloud.CalledByName
	testing.Main(regexp.MatchString, alicloud.AcceptanceTests, nil, nil)
}
