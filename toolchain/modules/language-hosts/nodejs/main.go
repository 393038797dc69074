// Command pulumi-language-nodejs runs TypeScript and JavaScript programs for the Pulumi engine: as
// much of the LanguageRuntime protocol of pulumi/sdk v3.276 as a program needs that uses a
// component package. It is built only where the official language host cannot be downloaded.
package main

import (
	"slb-mutual-tls/toolchain/language-hosts/internal/host"
)

// nodejsHost is the LanguageRuntime service for Node.js.
type nodejsHost struct {
	*host.Base
}

func main() {
	host.Main("pulumi-language-nodejs", func(base *host.Base) (host.Runtime, error) {
		return nodejsHost{base}, nil
	})
}
