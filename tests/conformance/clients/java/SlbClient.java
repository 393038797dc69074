import com.aliyun.slb20140515.Client;
import com.aliyun.slb20140515.models.*;
import com.aliyun.tea.TeaException;
import com.aliyun.teaopenapi.models.Config;
import com.google.gson.GsonBuilder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;

/**
 * Makes a listener with the official Java SDK, looks at it, tags it and removes everything.
 *
 * <p>It prints what the SDK's own types hold then, as one JSON object. Arguments: the API's host and
 * port, the region, and files with the server's certificate, its key and the CA's certificate. The
 * access key comes from the environment, by the SDK's names.
 */
public final class SlbClient {
  private static final String DESCRIPTION = "Grüße + * ~ 'x' & 中文/=";

  private SlbClient() {}

  private static Client connect(String endpoint, String region, String secret) throws Exception {
    return new Client(
        new Config()
            .setAccessKeyId(System.getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"))
            .setAccessKeySecret(secret)
            .setEndpoint(endpoint)
            .setRegionId(region)
            .setProtocol("HTTPS"));
  }

  private static String read(String file) throws Exception {
    return new String(Files.readAllBytes(Path.of(file)), StandardCharsets.UTF_8);
  }

  /** The API's error as the SDK read it: code and HTTP status. */
  private static Object refusal(Callable<?> call) throws Exception {
    try {
      call.call();
      return "none";
    } catch (TeaException error) {
      Object status = error.getStatusCode();
      return List.of(error.getCode(), status == null ? 0 : status);
    }
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 5) {
      System.err.println("SlbClient ENDPOINT REGION CERTIFICATE KEY CA");
      System.exit(2);
    }
    String endpoint = arguments[0];
    String region = arguments[1];
    Map<String, Object> found = new TreeMap<>();
    Client client = connect(endpoint, region, System.getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"));

    var server =
        client
            .uploadServerCertificate(
                new UploadServerCertificateRequest()
                    .setRegionId(region)
                    .setServerCertificate(read(arguments[2]))
                    .setPrivateKey(read(arguments[3]))
                    .setServerCertificateName("wire"))
            .getBody();
    found.put("fingerprint", server.getFingerprint());
    found.put("common_name", server.getCommonName());

    var ca =
        client
            .uploadCACertificate(
                new UploadCACertificateRequest()
                    .setRegionId(region)
                    .setCACertificate(read(arguments[4]))
                    .setCACertificateName("wire"))
            .getBody();
    found.put("ca_expires", ca.getExpireTimeStamp());

    String balancer =
        client
            .createLoadBalancer(
                new CreateLoadBalancerRequest()
                    .setRegionId(region)
                    .setLoadBalancerName("wire")
                    .setInstanceChargeType("PayByCLCU"))
            .getBody()
            .getLoadBalancerId();
    client.createLoadBalancerHTTPSListener(
        new CreateLoadBalancerHTTPSListenerRequest()
            .setRegionId(region)
            .setLoadBalancerId(balancer)
            .setListenerPort(8443)
            .setBackendServerPort(8080)
            .setServerCertificateId(server.getServerCertificateId())
            .setCACertificateId(ca.getCACertificateId())
            .setBandwidth(-1)
            .setHealthCheck("off")
            .setStickySession("off")
            .setTLSCipherPolicy("tls_cipher_policy_1_2_strict")
            .setDescription(DESCRIPTION));
    client.startLoadBalancerListener(
        new StartLoadBalancerListenerRequest()
            .setRegionId(region)
            .setLoadBalancerId(balancer)
            .setListenerPort(8443));

    var listener =
        client
            .describeLoadBalancerHTTPSListenerAttribute(
                new DescribeLoadBalancerHTTPSListenerAttributeRequest()
                    .setRegionId(region)
                    .setLoadBalancerId(balancer)
                    .setListenerPort(8443))
            .getBody();
    Map<String, Object> seen = new TreeMap<>();
    seen.put("port", listener.getListenerPort());
    seen.put("backends", listener.getBackendServerPort());
    seen.put("status", listener.getStatus());
    seen.put("policy", listener.getTLSCipherPolicy());
    seen.put("bandwidth", listener.getBandwidth());
    seen.put("scheduler", listener.getScheduler());
    seen.put("description", listener.getDescription());
    seen.put("server", server.getServerCertificateId().equals(listener.getServerCertificateId()));
    seen.put("ca", ca.getCACertificateId().equals(listener.getCACertificateId()));
    found.put("listener", seen);

    client.tagResources(
        new TagResourcesRequest()
            .setRegionId(region)
            .setResourceType("instance")
            .setResourceId(List.of(balancer))
            .setTag(
                List.of(
                    new TagResourcesRequest.TagResourcesRequestTag().setKey("a~b").setValue("c d/e"),
                    new TagResourcesRequest.TagResourcesRequestTag().setKey("größe").setValue(""))));
    var listed =
        client
            .listTagResources(
                new ListTagResourcesRequest()
                    .setRegionId(region)
                    .setResourceType("instance")
                    .setResourceId(List.of(balancer)))
            .getBody();
    Map<String, Object> tags = new TreeMap<>();
    for (var one : listed.getTagResources().getTagResource()) {
      tags.put(one.getTagKey(), one.getTagValue());
    }
    found.put("tags", tags);

    var whole =
        client
            .describeLoadBalancerAttribute(
                new DescribeLoadBalancerAttributeRequest()
                    .setRegionId(region)
                    .setLoadBalancerId(balancer))
            .getBody();
    found.put("name", whole.getLoadBalancerName());
    found.put("status", whole.getLoadBalancerStatus());
    found.put("address_type", whole.getAddressType());
    found.put("ports", whole.getListenerPorts().getListenerPort());

    var unknown =
        new DescribeLoadBalancerAttributeRequest().setRegionId(region).setLoadBalancerId("lb-none");
    found.put("unknown", refusal(() -> client.describeLoadBalancerAttribute(unknown)));
    var inUse =
        new DeleteServerCertificateRequest()
            .setRegionId(region)
            .setServerCertificateId(server.getServerCertificateId());
    found.put("in_use", refusal(() -> client.deleteServerCertificate(inUse)));
    var empty = new UploadCACertificateRequest().setRegionId(region);
    found.put("missing", refusal(() -> client.uploadCACertificate(empty)));
    Client stranger = connect(endpoint, region, "wrong");
    found.put("wrong_secret", refusal(() -> stranger.describeLoadBalancerAttribute(unknown)));

    client.deleteLoadBalancer(
        new DeleteLoadBalancerRequest().setRegionId(region).setLoadBalancerId(balancer));
    client.deleteServerCertificate(inUse);
    client.deleteCACertificate(
        new DeleteCACertificateRequest()
            .setRegionId(region)
            .setCACertificateId(ca.getCACertificateId()));
    var left =
        client
            .describeCACertificates(new DescribeCACertificatesRequest().setRegionId(region))
            .getBody();
    found.put("left", left.getCACertificates().getCACertificate().size());
    System.out.println(
        new GsonBuilder().disableHtmlEscaping().serializeNulls().create().toJson(found));
  }
}
