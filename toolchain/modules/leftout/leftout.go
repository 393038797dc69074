// Package leftout says what the Pulumi CLI of this toolchain is built without.
package leftout

import "fmt"

// Error is what the CLI answers where something is asked for that it is built without.
func Error(what string) error {
	return fmt.Errorf("this Pulumi CLI was built on this machine from its Go modules, without %s: "+
		"install the official Pulumi CLI to use it (https://www.pulumi.com/docs/install/)", what)
}
