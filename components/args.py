"""Arguments of the components, as programs give them.

Everything that another resource can give is a `pulumi.Input`. What shapes the graph of resources,
such as counts, ports, names of clients and validities, is plain. Lengths of time are texts such as
`365d`, `12h`, `30m` or `90s`. The models in `arguments/` check what arrives.
"""

# No postponed annotations: Pulumi reads a component package's schema from them.

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NotRequired, TypedDict

import pulumi

if TYPE_CHECKING:
    from .backend_servers import Backend
    from .private_ca import PrivateCertificateAuthority


class SubjectArgs(TypedDict):
    """A distinguished name (RFC 5280, 4.1.2.6)."""

    common_name: NotRequired[str]
    """Common name, up to 64 characters. Default: of the CA, the component's name and ` CA`; of a
    client, its name."""

    organization: NotRequired[str]
    """Organization, up to 64 characters. Default: of a client, the CA's."""

    organizational_unit: NotRequired[str]
    """Organizational unit, up to 64 characters. Default: of a client, the CA's."""

    country: NotRequired[str]
    """Country, two capital letters such as `CN`. Default: of a client, the CA's if it has two
    letters."""

    province: NotRequired[str]
    """State or province, up to 128 characters. Default: of a client, the CA's."""

    locality: NotRequired[str]
    """Locality, up to 128 characters."""

    email: NotRequired[str]
    """E-mail address of a client, which becomes a subject alternative name. A CA has none."""


class NameSubtreesArgs(TypedDict):
    """Names of three forms, each with all that is below it."""

    domains: NotRequired[Sequence[str]]
    """DNS names, each with all that is below it."""

    email_domains: NotRequired[Sequence[str]]
    """Hosts of e-mail addresses: `example.com` for that host, `.example.com` for the hosts below
    it."""

    ip_ranges: NotRequired[Sequence[str]]
    """IP addresses in CIDR notation."""


class NameConstraintsArgs(TypedDict):
    """Names that the CA may certify (RFC 5280, 4.2.1.10)."""

    permitted: NotRequired[NameSubtreesArgs]
    """Names that the CA may certify. A form of name without entries is free."""

    excluded: NotRequired[NameSubtreesArgs]
    """Names that the CA may not certify, even if permitted."""


class CertificateAuthorityArgs(TypedDict):
    """The private CA that issues the clients' certificates."""

    validity: NotRequired[str]
    """Lifetime of the CA's certificate, longer than `renew_before`. Default: `3650d`."""

    renew_before: NotRequired[str]
    """How long before its end the CA's certificate is issued anew with the same key: at least the
    longest validity of server and clients, so that none outlives it. Default: `730d`."""

    subject: NotRequired[SubjectArgs]
    """Name of the CA."""

    key_bits: NotRequired[int]
    """Length of the CA's RSA key: `2048` or `4096`. CLB takes no other sizes and no elliptic
    curves. Default: `2048`."""

    generation: NotRequired[int]
    """Counts the keys of the CA, 1 to 1000. Another number makes another key: a new CA, and every
    certificate anew. Default: `1`."""

    next_generation: NotRequired[int]
    """Generation that a rotation prepares, 1 to 1000, more than `generation`."""

    certificate: NotRequired[pulumi.Input[str]]
    """Certificate (PEM, self-signed, RSA) of an existing CA, which goes on as generation 1, in
    place of `subject`."""

    private_key: NotRequired[pulumi.Input[str]]
    """Key of the existing CA, PEM, unencrypted; secret. Without it nothing can be issued."""

    index: NotRequired[str]
    """Database of the existing CA: the content of `index.txt` of `openssl ca`."""

    crl_number: NotRequired[int]
    """Number of the existing CA's next revocation list, 1 to 9007199254740991."""

    name_constraints: NotRequired[NameConstraintsArgs]
    """Names that the CA may certify (RFC 5280, 4.2.1.10)."""

    accept_lockout: NotRequired[bool]
    """Whether the CA's certificate may be such that the listener refuses what an existing CA has
    issued, by name constraints or another serial number. Without it, that is refused with the names
    of whom it would lock out. Default: `false`."""


class ServerArgs(TypedDict):
    """The certificate that the load balancer presents."""

    validity: NotRequired[str]
    """Lifetime of a certificate from the private CA, longer than `renew_before`. Default: `365d`.
    """

    renew_before: NotRequired[str]
    """How long before its end the certificate is issued anew. Default: `30d`."""

    key_bits: NotRequired[int]
    """Length of the RSA key: `2048` or `4096`. Default: `2048`."""

    certificate: NotRequired[pulumi.Input[str]]
    """Certificate (PEM, leaf first, RSA) in place of one from the private CA; needs `private_key`.
    """

    private_key: NotRequired[pulumi.Input[str]]
    """Key of `certificate`, PEM, unencrypted; secret."""

    alicloud_certificate_id: NotRequired[pulumi.Input[str]]
    """Id of a certificate in Certificate Management Service, in place of one from the private CA.
    """

    domains: NotRequired[Sequence[str]]
    """DNS names of the certificate; the first label may be a `*`. The load balancer's address is
    always added. Beside `certificate`, names that it has."""

    ip_addresses: NotRequired[Sequence[pulumi.Input[str]]]
    """IPv4 and IPv6 addresses of the certificate, beside the load balancer's own."""


class RevocationListArgs(TypedDict):
    """The CA's revocation list, for programs that read one; the load balancer does not."""

    validity: NotRequired[str]
    """Time from this update of the list to the next, longer than `renew_before`. Default: `30d`."""

    renew_before: NotRequired[str]
    """How long before its end the list is issued anew. Default: `10d`."""


class ClientDefaultsArgs(TypedDict):
    """Defaults of every client, for what its own entry leaves out."""

    validity: NotRequired[str]
    """Lifetime of a client's certificate, longer than `renew_before`. Default: `365d`."""

    renew_before: NotRequired[str]
    """How long before its end a client's certificate is issued anew. Default: `30d`."""

    key_algorithm: NotRequired[str]
    """Algorithm of clients' keys, `RSA` or `ECDSA`. Another one issues them anew. Default: `RSA`.
    """

    key_bits: NotRequired[int]
    """Length of RSA keys: `2048`, `3072` or `4096`. Default: `2048`."""

    key_curve: NotRequired[str]
    """Curve of ECDSA keys: `P-256` or `P-384`. Default: `P-256`."""

    bundle_encoding: NotRequired[str]
    """Encryption of the PKCS#12 file. `modern`: AES-256 and SHA-256. `legacy`: 3DES and SHA-1, for
    Windows Server 2016, macOS 14, Android 15, Java 8u300 and what is older than these. Default:
    `modern`."""


class ClientArgs(TypedDict):
    """A holder of a client certificate."""

    subject: NotRequired[SubjectArgs]
    """Name of the client."""

    key_bits: NotRequired[int]
    """Length of an RSA key: `2048`, `3072` or `4096`. Default: what `client_defaults` has."""

    validity: NotRequired[str]
    """Lifetime of the client's certificate. Default: what `client_defaults` has."""

    renew_before: NotRequired[str]
    """How long before its end the certificate is issued anew. Default: what `client_defaults` has.
    """

    key_algorithm: NotRequired[str]
    """Algorithm of the client's key, `RSA` or `ECDSA`. Default: what `client_defaults` has."""

    key_curve: NotRequired[str]
    """Curve of an ECDSA key: `P-256` or `P-384`. Default: what `client_defaults` has."""

    bundle_encoding: NotRequired[str]
    """Encryption of the PKCS#12 file, `modern` or `legacy`. Default: what `client_defaults` has."""

    pass_phrase: NotRequired[pulumi.Input[str]]
    """Pass phrase of the bundle, without control characters; secret. Java opens a PKCS#12 file with
    ASCII alone. Default: one is generated and kept."""

    signing_request: NotRequired[pulumi.Input[str]]
    """One PKCS#10 request (PEM, not over SHA-1; its key RSA of 2048 to 8192 bits or on P-256, P-384
    or P-521). The client keeps its private key and gets a certificate for it, under this entry's
    name."""

    certificate: NotRequired[pulumi.Input[str]]
    """Certificate (PEM) that an existing CA has issued to the client: it is entered, and nothing is
    issued."""

    revoked: NotRequired[str]
    """Why the client has no certificate any more, for the revocation list: `keyCompromise`,
    `affiliationChanged`, `superseded`, `cessationOfOperation` or `privilegeWithdrawn`."""


class NetworkArgs(TypedDict):
    """Network of new backends: a VPC of their own, or an existing one."""

    cidr_block: NotRequired[str]
    """Private IPv4 block, /8 to /24, of the VPC for new backends; with `vpc_id`, of new vSwitches
    there. Default: `192.168.0.0/16`."""

    vpc_id: NotRequired[pulumi.Input[str]]
    """Existing VPC, `vpc-…`, in place of a new one; with `vswitch_ids`, or a free `cidr_block` of
    it."""

    vswitch_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Existing vSwitches, `vsw-…`, of one VPC, over which new backends are spread."""


class BackendsArgs(TypedDict):
    """The ECS instances that answer requests: new ones, or existing ones by id."""

    count: NotRequired[int]
    """Number of new instances, 1 to 19, spread over two zones. Default: `2`."""

    weights: NotRequired[Sequence[int]]
    """Weight of each backend in order, 0 to 100; `0` drains it. If others differ, the listener's
    `scheduler` must be `wrr`. Default: 100 each."""

    port: NotRequired[int]
    """Port on which the backends answer, 1 to 65535. Default: `80`."""

    instance_type: NotRequired[str]
    """Type of new instances. Default: one with 2 cores and 2 GiB that the region sells."""

    image_id: NotRequired[pulumi.Input[str]]
    """Image of new instances, a Linux with systemd and Python 3. Default: the newest Alibaba Cloud
    Linux 3."""

    system_disk_category: NotRequired[str]
    """Category of new instances' system disks, one that the type takes. Default: `cloud_essd`."""

    instance_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Existing instances, `i-…`, up to 19, in place of new ones."""

    security_group_id: NotRequired[pulumi.Input[str]]
    """Existing security group, `sg-…`, for new instances in an existing VPC. Its rules are yours.
    """


class LoadBalancerArgs(TypedDict):
    """The CLB instance: a new one, or an existing one by id."""

    id: NotRequired[pulumi.Input[str]]
    """Existing instance, `lb-…`, guaranteed-performance or pay-by-LCU, in place of a new one; no
    other argument beside it."""

    name: NotRequired[str]
    """Name of the instance: 1 to 80 letters, digits, `.`, `-`, `/` and `_`. Default: the
    component's."""

    address_type: NotRequired[str]
    """Network that reaches it, `internet` or `intranet`. Default: `internet`."""

    address_ip_version: NotRequired[str]
    """Version of its address, `ipv4` or `ipv6`; the latter with `internet` only. Backends are
    reached by IPv4. Default: `ipv4`."""

    vswitch_id: NotRequired[pulumi.Input[str]]
    """The vSwitch of an `intranet` load balancer; required with existing backends. Default: that of
    the new backends."""

    master_zone_id: NotRequired[str]
    """Zone of the instance, one in which the region sells load balancers. Default: CLB chooses."""

    slave_zone_id: NotRequired[str]
    """Zone that takes over, one that goes with `master_zone_id`."""

    instance_charge_type: NotRequired[str]
    """Billing of the instance, `PayByCLCU` or `PayBySpec`. There is no way back from the former.
    Default: `PayByCLCU`."""

    specification: NotRequired[str]
    """Size of a `PayBySpec` instance, such as `slb.s1.small`; required there."""

    internet_charge_type: NotRequired[str]
    """Billing of traffic, `PayByTraffic` or `PayByBandwidth`; the latter with `PayBySpec` only.
    Default: `PayByTraffic`."""

    bandwidth: NotRequired[int]
    """Bandwidth for `PayByBandwidth`, 1 to 5000 Mbit/s; required there."""

    deletion_protection: NotRequired[bool]
    """Whether deleting the instance fails until this is off. Default: `false`."""

    modification_protection: NotRequired[bool]
    """Whether the console cannot change the instance. Default: left as it is."""

    resource_group_id: NotRequired[pulumi.Input[str]]
    """Resource group of the instance. Default: the account's."""


class StickySessionArgs(TypedDict):
    """Requests with the session's cookie stay with the backend that answered the first one."""

    type: str
    """Who sets the cookie: `insert`, the listener; `server`, the backends, whose cookie it
    rewrites."""

    cookie_timeout: NotRequired[int]
    """Lifetime of the listener's cookie, 1 to 86400 s; with `insert` only, and required there."""

    cookie: NotRequired[str]
    """Name of the backends' cookie, 1 to 200 letters and digits; with `server` only, and required
    there."""


class AclArgs(TypedDict):
    """Who may connect at all: an access control list, made from entries or existing by id."""

    type: str
    """Meaning of the list: `white`, only these may connect; `black`, all but these."""

    entries: NotRequired[Mapping[str, str]]
    """Comments by CIDR block or address, up to 300, of the load balancer's IP version, for a new
    list."""

    ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Existing lists, `acl-…`, up to 3, in place of `entries`."""


class ForwardedHeadersArgs(TypedDict):
    """Headers that tell backends about a request, beside X-Forwarded-For."""

    proto: NotRequired[bool]
    """Whether backends get `X-Forwarded-Proto`. Default: `true`."""

    slb_id: NotRequired[bool]
    """Whether backends get `SLB-ID`. Default: `false`."""

    slb_ip: NotRequired[bool]
    """Whether backends get `SLB-IP`. Default: `false`."""


class HealthCheckArgs(TypedDict):
    """How the listener finds out which backends are up. Times are in seconds."""

    enabled: NotRequired[bool]
    """Whether backends are checked. Without checks, requests go to backends that are down, too.
    Default: `true`."""

    uri: NotRequired[str]
    """Path that is asked for, 2 to 80 letters, digits and `-_/.%?#&=~`, the first a `/`. Default:
    `/healthz`."""

    method: NotRequired[str]
    """Method of the request, `head` or `get`. Default: `head`."""

    http_codes: NotRequired[Sequence[str]]
    """Statuses of a healthy backend, of `http_2xx`, `http_3xx`, `http_4xx` and `http_5xx`. Default:
    `[http_2xx]`."""

    domain: NotRequired[str]
    """`Host` of the request, 1 to 80 letters, digits, `.` and `-`. Default: the backend's address.
    """

    port: NotRequired[int]
    """Port that is checked, 1 to 65535. Default: the backends'."""

    interval: NotRequired[int]
    """Time between checks, 1 to 50 s. Default: `2`."""

    timeout: NotRequired[int]
    """Time that an answer may take, 1 to 300 s. Default: `5`."""

    healthy_threshold: NotRequired[int]
    """Checks in a row that bring a backend back, 2 to 10. Default: `3`."""

    unhealthy_threshold: NotRequired[int]
    """Checks in a row that take a backend out, 2 to 10. Default: `3`."""


class DomainExtensionArgs(TypedDict):
    """The certificate for an additional domain, which clients ask for by SNI."""

    validity: NotRequired[str]
    """Lifetime of a certificate from the private CA, longer than `renew_before`. Default: `365d`.
    """

    renew_before: NotRequired[str]
    """How long before its end the certificate is issued anew. Default: `30d`."""

    key_bits: NotRequired[int]
    """Length of the RSA key: `2048` or `4096`. Default: `2048`."""

    certificate: NotRequired[pulumi.Input[str]]
    """Certificate (PEM, leaf first, RSA) in place of one from the private CA; needs `private_key`.
    """

    private_key: NotRequired[pulumi.Input[str]]
    """Key of `certificate`, PEM, unencrypted; secret."""

    alicloud_certificate_id: NotRequired[pulumi.Input[str]]
    """Id of a certificate in Certificate Management Service, in place of one from the private CA.
    """


class ListenerArgs(TypedDict):
    """The HTTPS listener that demands a client certificate."""

    tls_cipher_policy: NotRequired[str]
    """TLS policy: `tls_cipher_policy_1_2_strict_with_1_3`, `tls_cipher_policy_1_2_strict`,
    `tls_cipher_policy_1_2`, `tls_cipher_policy_1_1` or `tls_cipher_policy_1_0`. The last two admit
    versions of TLS that are broken. Default: the first."""

    http2: NotRequired[bool]
    """Whether clients may use HTTP/2. Default: `true`."""

    gzip: NotRequired[bool]
    """Whether answers are compressed. Default: `true`."""

    scheduler: NotRequired[str]
    """Choice of the backend for a request: `rr`, in turn; `wrr`, by weight. Default: `rr`."""

    sticky_session: NotRequired[StickySessionArgs]
    """Requests with the session's cookie stay with the backend that answered the first one."""

    acl: NotRequired[AclArgs]
    """Who may connect at all: an access control list, made from entries or existing by id."""

    bandwidth: NotRequired[int]
    """Bandwidth of the listener, 1 to 1000 Mbit/s, or `-1` for no limit of its own. Default: `-1`.
    """

    idle_timeout: NotRequired[int]
    """Time that an idle connection is kept, 1 to 60 s. Default: `15`."""

    request_timeout: NotRequired[int]
    """Time that a backend may take to answer, 1 to 180 s; then the client gets 504. Default: `60`.
    """

    forwarded_headers: NotRequired[ForwardedHeadersArgs]
    """Headers that tell backends about a request, beside X-Forwarded-For."""

    health_check: NotRequired[HealthCheckArgs]
    """How the listener finds out which backends are up. Times are in seconds."""

    port: NotRequired[int]
    """Port of the listener, 1 to 65535. Default: `443`."""

    redirect_port: NotRequired[int]
    """Port of an HTTP listener that redirects (302) to this one, 1 to 65535, usually 80. Default:
    there is none."""

    domain_extensions: NotRequired[Mapping[str, DomainExtensionArgs]]
    """Certificates for additional domains, such as `api.example.com` or `*.example.com`, up to 3,
    by domain."""


class AdditionalListenerArgs(TypedDict):
    """A further HTTPS listener with the same certificates."""

    tls_cipher_policy: NotRequired[str]
    """As `tls_cipher_policy` of `ListenerArgs`. Default: what `listener` has."""

    http2: NotRequired[bool]
    """As `http2` of `ListenerArgs`. Default: what `listener` has."""

    gzip: NotRequired[bool]
    """As `gzip` of `ListenerArgs`. Default: what `listener` has."""

    scheduler: NotRequired[str]
    """As `scheduler` of `ListenerArgs`. Default: what `listener` has."""

    sticky_session: NotRequired[StickySessionArgs]
    """As `sticky_session` of `ListenerArgs`. Default: what `listener` has."""

    acl: NotRequired[AclArgs]
    """As `acl` of `ListenerArgs`. Default: what `listener` has."""

    bandwidth: NotRequired[int]
    """As `bandwidth` of `ListenerArgs`. Default: what `listener` has."""

    idle_timeout: NotRequired[int]
    """As `idle_timeout` of `ListenerArgs`. Default: what `listener` has."""

    request_timeout: NotRequired[int]
    """As `request_timeout` of `ListenerArgs`. Default: what `listener` has."""

    forwarded_headers: NotRequired[ForwardedHeadersArgs]
    """As `forwarded_headers` of `ListenerArgs`. Default: what `listener` has."""

    health_check: NotRequired[HealthCheckArgs]
    """As `health_check` of `ListenerArgs`. Default: what `listener` has."""

    port: int
    """Port of the listener, 1 to 65535, and no other listener's."""

    backend_port: NotRequired[int]
    """Port on which the backends answer this listener, 1 to 65535. Default: that of
    `backends.port`."""

    server_group_id: NotRequired[pulumi.Input[str]]
    """Existing VServer group of the load balancer, `rsp-…`, in place of the backends."""


class PrivateCertificateAuthorityArgs(TypedDict):
    """Arguments of `PrivateCertificateAuthority`."""

    certificate_authority: NotRequired[CertificateAuthorityArgs]
    """The private CA that issues the clients' certificates."""

    clients: NotRequired[Mapping[str, ClientArgs]]
    """Holders of client certificates by name: 1 to 64 letters, digits, `.`, `-` and `_`, the first
    a letter or digit; not `ca`, not `chain`."""

    client_defaults: NotRequired[ClientDefaultsArgs]
    """Defaults of every client, for what its own entry leaves out."""

    revocation_list: NotRequired[RevocationListArgs]
    """The CA's revocation list, for programs that read one; the load balancer does not."""

    other_certificates: NotRequired[Sequence[pulumi.Input[str]]]
    """Certificates (PEM) that an existing CA has issued to servers, so that none of them is taken
    for a client's."""


class BackendServersArgs(TypedDict):
    """Arguments of `BackendServers`."""

    backends: NotRequired[BackendsArgs]
    """The ECS instances that answer requests: new ones, or existing ones by id."""

    network: NotRequired[NetworkArgs]
    """Network of new backends: a VPC of their own, or an existing one."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of every resource that takes any: up to 18 texts of up to 128 characters, by name (up to
    64). None begins with `aliyun` or `acs:` or has `http://` or `https://` in it."""


class ServerCertificateArgs(TypedDict):
    """Arguments of `ServerCertificate`."""

    authority: "PrivateCertificateAuthority"
    """CA that issues the certificate unless `server` has one."""

    server: NotRequired[ServerArgs]
    """The certificate that the load balancer presents."""

    address: NotRequired[pulumi.Input[str] | None]
    """Address of the load balancer, which the certificate names."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the uploaded certificate."""


class MutualTlsLoadBalancerArgs(TypedDict):
    """Arguments of `MutualTlsLoadBalancer`."""

    authority: "PrivateCertificateAuthority"
    """CA whose clients are admitted, and which issues what the listeners present."""

    backends: "Sequence[Backend]"
    """Backends that answer requests, as `BackendServers` has them."""

    backend_port: NotRequired[int]
    """Port on which the backends answer, 1 to 65535. Default: `80`."""

    vswitch_id: NotRequired[pulumi.Input[str] | None]
    """The vSwitch of an intranet load balancer that `load_balancer` puts in no other."""

    load_balancer: NotRequired[LoadBalancerArgs]
    """The CLB instance: a new one, or an existing one by id."""

    server: NotRequired[ServerArgs]
    """The certificate that the load balancer presents."""

    listener: NotRequired[ListenerArgs]
    """The HTTPS listener that demands a client certificate."""

    additional_listeners: NotRequired[Mapping[str, AdditionalListenerArgs]]
    """Further HTTPS listeners with the same certificates, by name: 1 to 32 letters, digits, `-`,
    `_`."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of every resource that takes any."""


class MutualTlsServiceArgs(TypedDict):
    """Arguments of `MutualTlsService`: those of its parts."""

    certificate_authority: NotRequired[CertificateAuthorityArgs]
    """The private CA that issues the clients' certificates."""

    server: NotRequired[ServerArgs]
    """The certificate that the load balancer presents."""

    revocation_list: NotRequired[RevocationListArgs]
    """The CA's revocation list, for programs that read one; the load balancer does not."""

    client_defaults: NotRequired[ClientDefaultsArgs]
    """Defaults of every client, for what its own entry leaves out."""

    clients: NotRequired[Mapping[str, ClientArgs]]
    """Holders of client certificates by name: 1 to 64 letters, digits, `.`, `-` and `_`, the first
    a letter or digit; not `ca`, not `chain`."""

    network: NotRequired[NetworkArgs]
    """Network of new backends: a VPC of their own, or an existing one."""

    backends: NotRequired[BackendsArgs]
    """The ECS instances that answer requests: new ones, or existing ones by id."""

    load_balancer: NotRequired[LoadBalancerArgs]
    """The CLB instance: a new one, or an existing one by id."""

    listener: NotRequired[ListenerArgs]
    """The HTTPS listener that demands a client certificate."""

    additional_listeners: NotRequired[Mapping[str, AdditionalListenerArgs]]
    """Further HTTPS listeners with the same certificates, by name: 1 to 32 letters, digits, `-`,
    `_`."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of every resource that takes any, beside `project` and `stack`: up to 18 texts of up to
    128 characters, by name (up to 64). None begins with `aliyun` or `acs:` or has `http://` or
    `https://` in it."""
