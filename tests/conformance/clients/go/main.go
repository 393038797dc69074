// Slbclient makes a listener with the official Go SDK, looks at it, tags it and removes everything.
//
// It prints what the SDK's own types hold then, as one JSON object. Arguments: the API's host and
// port, the region, and files with the server's certificate, its key and the CA's certificate. The
// access key comes from the environment, by the SDK's names.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/slb"
)

const description = "Grüße + * ~ 'x' & 中文/="

type findings map[string]any

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "slbclient ENDPOINT REGION CERTIFICATE KEY CA")
		os.Exit(2)
	}
	found := findings{}
	if err := found.look(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func connect(endpoint, region, secret string) (*slb.Client, error) {
	id := os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
	configuration := sdk.NewConfig().WithScheme("HTTPS").WithAutoRetry(false)
	client, err := slb.NewClientWithOptions(region, configuration, credentials.NewAccessKeyCredential(id, secret))
	if err == nil {
		client.Domain = endpoint
	}
	return client, err
}

func (found findings) look(endpoint, region string, files []string) error {
	texts := make([]string, len(files))
	for place, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		texts[place] = string(text)
	}
	client, err := connect(endpoint, region, os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"))
	if err != nil {
		return err
	}

	upload := slb.CreateUploadServerCertificateRequest()
	upload.ServerCertificate, upload.PrivateKey, upload.ServerCertificateName = texts[0], texts[1], "wire"
	server, err := client.UploadServerCertificate(upload)
	if err != nil {
		return err
	}
	found["fingerprint"] = server.Fingerprint
	found["common_name"] = server.CommonName

	uploadCA := slb.CreateUploadCACertificateRequest()
	uploadCA.CACertificate, uploadCA.CACertificateName = texts[2], "wire"
	ca, err := client.UploadCACertificate(uploadCA)
	if err != nil {
		return err
	}
	found["ca_expires"] = ca.ExpireTimeStamp

	create := slb.CreateCreateLoadBalancerRequest()
	create.LoadBalancerName, create.InstanceChargeType = "wire", "PayByCLCU"
	made, err := client.CreateLoadBalancer(create)
	if err != nil {
		return err
	}
	balancer := made.LoadBalancerId

	listen := slb.CreateCreateLoadBalancerHTTPSListenerRequest()
	listen.LoadBalancerId = balancer
	listen.ListenerPort, listen.BackendServerPort = requests.NewInteger(8443), requests.NewInteger(8080)
	listen.ServerCertificateId, listen.CACertificateId = server.ServerCertificateId, ca.CACertificateId
	listen.Bandwidth = requests.NewInteger(-1)
	listen.HealthCheck, listen.StickySession = "off", "off"
	listen.TLSCipherPolicy, listen.Description = "tls_cipher_policy_1_2_strict", description
	if _, err := client.CreateLoadBalancerHTTPSListener(listen); err != nil {
		return err
	}
	start := slb.CreateStartLoadBalancerListenerRequest()
	start.LoadBalancerId, start.ListenerPort = balancer, requests.NewInteger(8443)
	if _, err := client.StartLoadBalancerListener(start); err != nil {
		return err
	}

	describe := slb.CreateDescribeLoadBalancerHTTPSListenerAttributeRequest()
	describe.LoadBalancerId, describe.ListenerPort = balancer, requests.NewInteger(8443)
	listener, err := client.DescribeLoadBalancerHTTPSListenerAttribute(describe)
	if err != nil {
		return err
	}
	found["listener"] = findings{
		"port":        listener.ListenerPort,
		"backends":    listener.BackendServerPort,
		"status":      listener.Status,
		"policy":      listener.TLSCipherPolicy,
		"bandwidth":   listener.Bandwidth,
		"scheduler":   listener.Scheduler,
		"description": listener.Description,
		"server":      listener.ServerCertificateId == server.ServerCertificateId,
		"ca":          listener.CACertificateId == ca.CACertificateId,
	}

	tag := slb.CreateTagResourcesRequest()
	tag.ResourceType, tag.ResourceId = "instance", &[]string{balancer}
	tag.Tag = &[]slb.TagResourcesTag{{Key: "a~b", Value: "c d/e"}, {Key: "größe", Value: ""}}
	if _, err := client.TagResources(tag); err != nil {
		return err
	}
	list := slb.CreateListTagResourcesRequest()
	list.ResourceType, list.ResourceId = "instance", &[]string{balancer}
	tags, err := client.ListTagResources(list)
	if err != nil {
		return err
	}
	listed := findings{}
	for _, one := range tags.TagResources.TagResource {
		listed[one.TagKey] = one.TagValue
	}
	found["tags"] = listed

	attribute := slb.CreateDescribeLoadBalancerAttributeRequest()
	attribute.LoadBalancerId = balancer
	whole, err := client.DescribeLoadBalancerAttribute(attribute)
	if err != nil {
		return err
	}
	found["name"], found["status"] = whole.LoadBalancerName, whole.LoadBalancerStatus
	found["address_type"] = whole.AddressType
	found["ports"] = whole.ListenerPorts.ListenerPort

	attribute.LoadBalancerId = "lb-none"
	_, err = client.DescribeLoadBalancerAttribute(attribute)
	found["unknown"] = refusal(err)
	inUse := slb.CreateDeleteServerCertificateRequest()
	inUse.ServerCertificateId = server.ServerCertificateId
	_, err = client.DeleteServerCertificate(inUse)
	found["in_use"] = refusal(err)
	_, err = client.UploadCACertificate(slb.CreateUploadCACertificateRequest())
	found["missing"] = refusal(err)
	stranger, err := connect(endpoint, region, "wrong")
	if err != nil {
		return err
	}
	attribute.LoadBalancerId = balancer
	_, err = stranger.DescribeLoadBalancerAttribute(attribute)
	found["wrong_secret"] = refusal(err)

	remove := slb.CreateDeleteLoadBalancerRequest()
	remove.LoadBalancerId = balancer
	if _, err := client.DeleteLoadBalancer(remove); err != nil {
		return err
	}
	if _, err := client.DeleteServerCertificate(inUse); err != nil {
		return err
	}
	removeCA := slb.CreateDeleteCACertificateRequest()
	removeCA.CACertificateId = ca.CACertificateId
	if _, err := client.DeleteCACertificate(removeCA); err != nil {
		return err
	}
	left, err := client.DescribeCACertificates(slb.CreateDescribeCACertificatesRequest())
	if err != nil {
		return err
	}
	found["left"] = len(left.CACertificates.CACertificate)
	return nil
}

// refusal is the API's error as the SDK read it: code and HTTP status.
func refusal(err error) any {
	var answered *sdkerrors.ServerError
	if errors.As(err, &answered) {
		return []any{answered.ErrorCode(), answered.HttpStatus()}
	}
	// The SDK wraps signature errors into a type of its own.
	var wrapped interface {
		ErrorCode() string
		HttpStatus() int
	}
	if errors.As(err, &wrapped) {
		return []any{wrapped.ErrorCode(), wrapped.HttpStatus()}
	}
	return fmt.Sprint(err)
}
