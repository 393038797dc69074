// Command pulumi-language-python runs Python programs, policy packs and component packages for the
// Pulumi engine. It serves the LanguageRuntime protocol of pulumi/sdk v3.276 and leaves virtual
// environments to that module's python/toolchain package, so that the options of Pulumi.yaml mean
// what they mean to the official language host. It is built only where that one cannot be
// downloaded.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"slb-mutual-tls/toolchain/language-hosts/internal/host"
)

// executor is the script beside this command that runs a program; it comes with the Python SDK.
const executor = "pulumi-language-python-exec"

func main() {
	host.Main("pulumi-language-python", func(base *host.Base) (host.Runtime, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding the language host's own folder: %w", err)
		}
		script := filepath.Join(filepath.Dir(self), executor)
		if _, err := os.Stat(script); err != nil {
			return nil, fmt.Errorf("the language host is not wholly installed: %w", err)
		}
		return &pythonHost{Base: base, script: script}, nil
	})
}
