// Package cloud stands in for the secrets providers of clouds' key management services.
package cloud

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/pkg/v3/secrets"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"slb-mutual-tls/toolchain/leftout"
)

// Type is what state names a secrets provider of this kind by.
const Type = "cloud"

// NewCloudSecretsManager refuses.
func NewCloudSecretsManager(*workspace.ProjectStack, string, bool) (secrets.Manager, error) {
	return nil, refusal()
}

// NewCloudSecretsManagerFromState refuses.
func NewCloudSecretsManagerFromState(json.RawMessage) (secrets.Manager, error) {
	return nil, refusal()
}

// EditProjectStack refuses.
func EditProjectStack(*workspace.ProjectStack, json.RawMessage) error {
	return refusal()
}

func refusal() error {
	return fmt.Errorf("%w; a stack's secrets can also be encrypted by a pass phrase (--secrets-provider passphrase)",
		leftout.Error("the secrets providers awskms, azurekeyvault, gcpkms and hashivault"))
}
