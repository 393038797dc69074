// Command pulumi-resource-alicloud wraps the unchanged upstream Alibaba Cloud provider for Pulumi,
// with the type tokens of the pulumi-alicloud package for the resources that a mutual-TLS load
// balancer needs. It is built only where the official plugin cannot be downloaded.
package main

import (
	"os"
	"strings"

	"github.com/aliyun/terraform-provider-alicloud/alicloud"
	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv1 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v1"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// version is the pulumi-alicloud release whose tokens these are; set by the linker.
var version = "0.0.0"

// resources maps upstream resource names to "module/Name" of pulumi-alicloud.
var resources = map[string]string{
	"alicloud_instance":                           "ecs/Instance",
	"alicloud_security_group":                     "ecs/SecurityGroup",
	"alicloud_security_group_rule":                "ecs/SecurityGroupRule",
	"alicloud_slb_acl":                            "slb/Acl",
	"alicloud_slb_acl_entry_attachment":           "slb/AclEntryAttachment",
	"alicloud_slb_backend_server":                 "slb/BackendServer",
	"alicloud_slb_ca_certificate":                 "slb/CaCertificate",
	"alicloud_slb_domain_extension":               "slb/DomainExtension",
	"alicloud_slb_listener":                       "slb/Listener",
	"alicloud_slb_load_balancer":                  "slb/ApplicationLoadBalancer",
	"alicloud_slb_rule":                           "slb/Rule",
	"alicloud_slb_server_certificate":             "slb/ServerCertificate",
	"alicloud_slb_server_group":                   "slb/ServerGroup",
	"alicloud_slb_server_group_server_attachment": "slb/ServerGroupServerAttachment",
	"alicloud_vpc":                                "vpc/Network",
	"alicloud_vswitch":                            "vpc/Switch",
}

// dataSources maps upstream data source names to "module/Name" of pulumi-alicloud.
var dataSources = map[string]string{
	"alicloud_images":                  "ecs/getImages",
	"alicloud_instance_types":          "ecs/getInstanceTypes",
	"alicloud_instances":               "ecs/getInstances",
	"alicloud_regions":                 "index/getRegions",
	"alicloud_security_groups":         "ecs/getSecurityGroups",
	"alicloud_slb_acls":                "slb/getAcls",
	"alicloud_slb_backend_servers":     "slb/getBackendServers",
	"alicloud_slb_ca_certificates":     "slb/getCaCertificates",
	"alicloud_slb_domain_extensions":   "slb/getDomainExtensions",
	"alicloud_slb_listeners":           "slb/getListeners",
	"alicloud_slb_load_balancers":      "slb/getApplicationLoadBalancers",
	"alicloud_slb_server_certificates": "slb/getServerCertificates",
	"alicloud_slb_server_groups":       "slb/getServerGroups",
	"alicloud_slb_zones":               "slb/getZones",
	"alicloud_vpcs":                    "vpc/getNetworks",
	"alicloud_vswitches":               "vpc/getSwitches",
	"alicloud_zones":                   "index/getZones",
}

// fields holds where pulumi-alicloud's types differ from upstream's: what was a block once and may be
// repeated now stays a single object there (bridge-metadata.json, maxItemsOne).
var fields = map[string]map[string]*tfbridge.SchemaInfo{
	"alicloud_instance": {"network_interfaces": {MaxItemsOne: tfbridge.True()}},
}

// token turns "slb/Listener" into "alicloud:slb/listener:Listener".
func token(path string) string {
	module, name, _ := strings.Cut(path, "/")
	return "alicloud:" + module + "/" + strings.ToLower(name[:1]) + name[1:] + ":" + name
}

func provider() tfbridge.ProviderInfo {
	upstream := sdkv1.NewProvider(alicloud.Provider().(*schema.Provider))
	info := tfbridge.ProviderInfo{
		P:           upstream,
		Name:        "alicloud",
		Version:     version,
		Resources:   map[string]*tfbridge.ResourceInfo{},
		DataSources: map[string]*tfbridge.DataSourceInfo{},
		Config: map[string]*tfbridge.SchemaInfo{
			"ecs_role_name": {Default: &tfbridge.DefaultInfo{EnvVars: []string{"ALICLOUD_ECS_ROLE_NAME"}}},
			"profile":       {Default: &tfbridge.DefaultInfo{EnvVars: []string{"ALICLOUD_PROFILE"}}},
			"region":        {Default: &tfbridge.DefaultInfo{EnvVars: []string{"ALICLOUD_REGION"}}},
		},
	}
	upstream.ResourcesMap().Range(func(name string, _ shim.Resource) bool {
		if path, used := resources[name]; used {
			info.Resources[name] = &tfbridge.ResourceInfo{Tok: tokens.Type(token(path)), Fields: fields[name]}
		} else {
			info.IgnoreMappings = append(info.IgnoreMappings, name)
		}
		return true
	})
	upstream.DataSourcesMap().Range(func(name string, _ shim.Resource) bool {
		if path, used := dataSources[name]; used {
			info.DataSources[name] = &tfbridge.DataSourceInfo{Tok: tokens.ModuleMember(token(path))}
		} else {
			info.IgnoreMappings = append(info.IgnoreMappings, name)
		}
		return true
	})
	info.SetAutonaming(255, "-")
	return info
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == dumpFlag {
		dump(os.Stdout, alicloud.Provider().(*schema.Provider))
		return
	}
	tfbridge.Main("alicloud", version, provider(), []byte(`{"name":"alicloud","version":"`+version+`"}`))
}
