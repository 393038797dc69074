// Package env stands in for `pulumi env`.
package env

import (
	"github.com/spf13/cobra"

	"github.com/pulumi/pulumi/pkg/v3/auth/credentialhelper"

	"slb-mutual-tls/toolchain/leftout"
)

// NewEnvCmd returns a command that says that it is left out.
func NewEnvCmd(*credentialhelper.Session) *cobra.Command {
	return &cobra.Command{
		Use:                "env",
		Aliases:            []string{"esc"},
		Short:              "Manage environments (not in this build of the CLI)",
		DisableFlagParsing: true,
		SilenceUsage:       true,
		RunE: func(*cobra.Command, []string) error {
			return leftout.Error("`pulumi env`")
		},
	}
}
