"""Writes HAProxy's configuration: CLB's behaviour, listener by listener.

Source: HAProxy 2.6's configuration manual; CLB's listener and health check documentation. CLB's
layer 7 is Tengine, whose pages and defaults are kept where the documentation is silent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from localcloud.dataplane import haproxy_syntax as syntax
from localcloud.dataplane.error_pages import write_page
from localcloud.dataplane.haproxy_state import server_name
from localcloud.dataplane.model import (
    AccessControl,
    BackendSpec,
    HealthCheck,
    ListenerKey,
    ListenerSpec,
    Pool,
    RefusedError,
    RuleSpec,
    SocketAddress,
    StickySession,
)
from localcloud.dataplane.tls_files import TlsFiles
from localcloud.dataplane.tls_policies import POLICIES

CONNECT_TIMEOUT = 5
"""Seconds until CLB tries the next backend."""

HTTPS_PORT = 443

CLIENT_TIMEOUT = 60
"""Seconds that a client may take to send its request."""

HEADER_BYTES = 32 * 1024
"""Size of a request's headers that CLB takes."""

CONNECTION_REQUESTS = 100
"""Requests after which CLB ends a connection; HAProxy does so only if it is told to."""

SESSION_SECONDS = 60
"""Seconds that a TLS session can be resumed, where sessions are resumed at all."""

GZIP_TYPES = (
    "text/html",
    "text/xml",
    "text/plain",
    "text/css",
    "application/javascript",
    "application/x-javascript",
    "application/rss+xml",
    "application/atom+xml",
    "application/xml",
    "application/json",
)
"""Content types that CLB compresses."""


@dataclass(frozen=True)
class Paths:
    """Files that the configuration names, all in folders of their owner alone."""

    stats_socket: Path
    server_state: Path
    error_502: Path
    """A whole HTTP response, sent where HAProxy would answer 503.

    A rule with `nbsrv` would not do: a worker that is being replaced counts no servers.
    """
    certificates: Path
    """Folder of the files that crt-lists name."""
    ticket_keys: Path
    """Keys of session tickets, for where sessions are resumed."""


def render(
    listeners: Sequence[ListenerSpec],
    sockets: Mapping[ListenerKey, SocketAddress],
    tls: Mapping[ListenerKey, TlsFiles | None],
    paths: Paths,
    *,
    otherwise: Collection[str] = (),
) -> str:
    """Write the whole configuration of HAProxy.

    Args:
        listeners: Listeners that are running.
        sockets: Addresses at which the listeners really listen.
        tls: PEM files of each HTTPS listener.
        paths: Other files that the configuration names.
        otherwise: Those of `OPEN_QUESTIONS` to answer otherwise. So `no_certificate` refuses
            missing or invalid client certificates in the TLS handshake instead of with Tengine's
            400 pages.

    Raises:
        RefusedError: A value does not belong in a configuration; nothing is escaped silently.
    """
    # In-flight requests of replaced workers get as long as their listener allows.
    longest = max((listener.request_timeout for listener in listeners), default=0)
    lines = [
        "global",
        f"    stats socket {syntax.quote(str(paths.stats_socket))} mode 600 level operator",
        f"    server-state-file {syntax.quote(str(paths.server_state))}",
        "    log stdout format raw local0 notice",
        "    # One thread: requests alternate strictly over the backends.",
        "    nbthread 1",
        f"    tune.bufsize {_buffer_bytes(otherwise)}",
        "    tune.ssl.default-dh-param 2048",
        *_sessions(otherwise),
        f"    crt-base {syntax.quote(str(paths.certificates))}",
        f"    hard-stop-after {max(30, longest + CONNECT_TIMEOUT)}s",
        "",
        "defaults",
        "    mode http",
        "    log global",
        "    option httplog",
        "    option dontlognull",
        "    load-server-state-from-file global",
        f"    errorfile 503 {syntax.quote(str(paths.error_502))}",
        f"    timeout connect {CONNECT_TIMEOUT}s",
        f"    timeout http-request {CLIENT_TIMEOUT}s",
        "    retries 2",
        "    option redispatch 1",
    ]
    for listener in sorted(listeners, key=lambda item: item.key):
        if listener.forward_port is not None:
            lines += ["", *_redirect(listener, listener.forward_port, sockets)]
            continue
        if listener.protocol == "tcp":
            lines += ["", *_tcp(listener, sockets[listener.key])]
            continue
        files = tls.get(listener.key)
        lines += ["", *_frontend(listener, sockets[listener.key], files, paths, otherwise)]
        for section, pool in syntax.pools(listener):
            lines += ["", *_backend(section, pool, listener.request_timeout)]
        if any(rule.domain for rule in listener.rules):
            lines += ["", *_nowhere(listener)]
    return "\n".join(lines) + "\n"


def _buffer_bytes(otherwise: Collection[str]) -> int:
    """Size of HAProxy's buffer, of which it keeps 1024 bytes for what it adds."""
    return (4 if "long_headers" in otherwise else 1) * HEADER_BYTES + 1024


def _sessions(otherwise: Collection[str]) -> list[str]:
    if "sessions" in otherwise:
        return [f"    tune.ssl.lifetime {SESSION_SECONDS}"]
    return [
        "    # No session is ever resumed: HAProxy would take one that another listener, or a",
        "    # replaced client CA, had admitted.",
        "    tune.ssl.cachesize 0",
        "    ssl-default-bind-options no-tls-tickets",
    ]


def _redirect(
    listener: ListenerSpec, port: int, sockets: Mapping[ListenerKey, SocketAddress]
) -> list[str]:
    """Frontend of a listener that redirects everyone to its load balancer's HTTPS listener.

    302, as in every region but London: https://help.aliyun.com/en/slb/classic-load-balancer/
    use-cases/redirect-requests-from-http-to-https
    """
    socket = sockets[listener.key]
    # On this machine, the HTTPS listener may have got another port than its own.
    target = sockets.get((listener.load_balancer_id, "https", port))
    port = port if target is None else target.port
    shown = "" if port == HTTPS_PORT else f":{int(port)}"
    location = f"https://%[req.hdr(host),regsub(:[0-9]+$,)]{shown}%[pathq]"
    return [
        f"frontend {syntax.section(listener)}",
        f"    bind {syntax.endpoint(socket.host, socket.port)}",
        f"    timeout client {CLIENT_TIMEOUT}s",
        *_access_control(listener.access_control),
        _answer(400, write_page("400 Bad Request"), "unless { req.hdr(host) -m found }"),
        _answer(302, write_page("302 Found"), f"hdr location {syntax.quote(location)}"),
    ]


def _tcp(listener: ListenerSpec, socket: SocketAddress) -> Iterator[str]:
    """Frontend of a listener that passes TCP connections on, and the backend for it."""
    section = syntax.section(listener)
    idle = f"{int(listener.established_timeout)}s"
    yield from (
        f"frontend {section}",
        "    mode tcp",
        "    option tcplog",
        f"    bind {syntax.endpoint(socket.host, socket.port)}",
        f"    timeout client {idle}",
        *_access_control(listener.access_control),
        f"    default_backend {section}",
        "",
    )
    yield from _backend(section, listener, listener.established_timeout)
    yield "    mode tcp"
    if listener.persistence_timeout:
        yield f"    stick-table type ipv6 size 100k expire {int(listener.persistence_timeout)}s"
        yield "    stick on src"


def _access_control(control: AccessControl | None) -> Iterator[str]:
    """Rules that shut clients out before they can say anything: how CLB does it is undocumented."""
    if control is None or not control.entries:
        return
    for entry in sorted(set(control.entries)):
        yield f"    acl listed src {syntax.check_cidr_block(entry)}"
    condition = {"white": "unless listed", "black": "if listed"}[control.type]
    yield f"    tcp-request connection reject {condition}"


def _frontend(
    listener: ListenerSpec,
    socket: SocketAddress,
    tls: TlsFiles | None,
    paths: Paths,
    otherwise: Collection[str],
) -> list[str]:
    name = syntax.section(listener)
    bind = f"bind {syntax.endpoint(socket.host, socket.port)}"
    lines = [f"frontend {name}"]
    if listener.protocol == "https":
        if tls is None:
            raise RefusedError(f"The HTTPS listener {name} has no server certificate.")
        bind += _tls_options(listener, tls, paths, otherwise)
    lines.append(f"    {bind}")
    client = max(CLIENT_TIMEOUT, listener.request_timeout)
    lines += [
        f"    timeout client {client}s",
        f"    timeout http-keep-alive {int(listener.idle_timeout)}s",
        *_access_control(listener.access_control),
    ]
    if tls is not None and tls.ca_certificate is not None:
        # ssl_c_err and ssl_fc_has_crt do not tell the truth about every handshake.
        lines += [
            _refuse("400 No required SSL certificate was sent", "unless { ssl_c_used }"),
            _refuse("400 The SSL certificate error", "unless { ssl_c_verify 0 }"),
            *_further_refusals(tls.ca_certificate, otherwise),
        ]
    if "many_requests" in otherwise:
        lines += [
            "    http-request set-var(sess.requests) int(0) unless { var(sess.requests) -m found }",
            "    http-request set-var(sess.requests) var(sess.requests),add(1)",
            "    http-after-response set-header Connection close"
            f" if {{ var(sess.requests) -m int ge {CONNECTION_REQUESTS} }}",
        ]
    lines += [
        _answer(405, write_page("405 Not Allowed"), "if { method TRACE }"),
        '    http-request set-header X-Forwarded-For "%[req.fhdr(x-forwarded-for)], %[src]"'
        " if { req.fhdr(x-forwarded-for) -m found }",
        "    http-request set-header X-Forwarded-For %[src]"
        " unless { req.fhdr(x-forwarded-for) -m found }",
    ]
    if listener.forwarded.proto:
        lines.append(f"    http-request set-header X-Forwarded-Proto {listener.protocol}")
    if listener.forwarded.slb_id:
        identifier = syntax.check_identifier(listener.load_balancer_id)
        lines.append(f"    http-request set-header SLB-ID {identifier}")
    if listener.forwarded.slb_ip:
        lines.append(f"    http-request set-header SLB-IP {socket.host}")
    if listener.gzip:
        lines += ["    compression algo gzip", f"    compression type {' '.join(GZIP_TYPES)}"]
    return [*lines, *_rules(listener), f"    default_backend {name}"]


def _rules(listener: ListenerSpec) -> Iterator[str]:
    """Choices of a backend for requests that do not go to the listener's own backends.

    The domain decides before the path, an exact one before `*`, a longer one before a shorter; of
    its rules the one with the longest path. A domain that has rules and none for the path answers
    404: https://help.aliyun.com/document_detail/85955.html
    """
    sections = {
        rule.rule_id: name for name, rule in syntax.pools(listener) if isinstance(rule, RuleSpec)
    }
    by_domain: dict[str, list[RuleSpec]] = {}
    for rule in listener.rules:
        by_domain.setdefault(rule.domain.lower(), []).append(rule)
    for domain in sorted(by_domain, key=_priority):
        host = _host(domain) if domain else ""
        for rule in sorted(
            by_domain[domain], key=lambda candidate: (-len(candidate.url), candidate.url)
        ):
            path = f" {{ path -m beg {syntax.check_rule_url(rule.url)} }}" if rule.url else ""
            yield f"    use_backend {sections[rule.rule_id]} if{host}{path}"
        if domain and all(rule.url for rule in by_domain[domain]):
            yield f"    use_backend {_nowhere_name(listener)} if{host}"


def _priority(domain: str) -> tuple[bool, bool, int, str]:
    return (not domain, domain.startswith("*"), -len(domain), domain)


def _host(domain: str) -> str:
    name = syntax.check_server_name(domain)
    match = f"end {name.removeprefix('*')}" if name.startswith("*") else f"str {name}"
    return f" {{ req.hdr(host),field(1,:),lower -m {match} }}"


def _nowhere(listener: ListenerSpec) -> list[str]:
    return [
        f"backend {_nowhere_name(listener)}",
        _answer(404, write_page("404 Not Found"), "if TRUE"),
    ]


def _nowhere_name(listener: ListenerSpec) -> str:
    return f"{syntax.section(listener)}_nowhere"


def _further_refusals(authority: Path, otherwise: Collection[str]) -> Iterator[str]:
    """Rules that refuse clients whom the CA admits, where an open question is answered so."""
    if "ec_keys" in otherwise:
        yield _refuse("400 The SSL certificate error", "unless { ssl_c_key_alg rsaEncryption }")
    if "lower_ca" in otherwise:
        # What is sent after the client's own certificate: nothing, or the listener's CA, is no
        # chain to follow.
        certificate = x509.load_pem_x509_certificate(authority.read_bytes())
        own = certificate.fingerprint(hashes.SHA256()).hex().upper()
        yield f"    acl sends_ca ssl_c_chain_der,sha2(256),hex -m str {own}"
        yield "    acl sends_more ssl_c_chain_der,length gt 0"
        yield _refuse("400 The SSL certificate error", "if sends_more !sends_ca")


def _tls_options(
    listener: ListenerSpec, tls: TlsFiles, paths: Paths, otherwise: Collection[str]
) -> str:
    try:
        policy = POLICIES[listener.tls_cipher_policy]
    except KeyError:
        raise RefusedError(
            f"{listener.tls_cipher_policy!r} is not a TLS security policy."
        ) from None
    # OpenSSL 3 has no older protocol above level 0, and no weak certificate. HAProxy loads all
    # certificates at level 0 (haproxy_process.OPENSSL_SETTINGS), so that every other listener says
    # that it demands more.
    lowest = tls.weak or policy.minimum in {"TLSv1.0", "TLSv1.1"}
    ciphers = ":".join((*policy.ciphers, f"@SECLEVEL={0 if lowest else 2}"))
    certificates = f"crt {syntax.quote(str(tls.server_certificate))}"
    if tls.certificate_list is not None:
        certificates = f"crt-list {syntax.quote(str(tls.certificate_list))}"
    options = [
        f"ssl {certificates}",
        f"alpn {'h2,http/1.1' if listener.http2 else 'http/1.1'}",
        f"ssl-min-ver {policy.minimum} ssl-max-ver {policy.maximum}",
        f"ciphers {ciphers}",
    ]
    if policy.ciphersuites:
        options.append(f"ciphersuites {':'.join(policy.ciphersuites)}")
    if tls.ca_certificate is not None:
        ca_file = f"ca-file {syntax.quote(str(tls.ca_certificate))}"
        if "no_certificate" in otherwise:
            options.append(f"verify required {ca_file}")
        else:
            options.append(f"verify optional {ca_file} crt-ignore-err all ca-ignore-err all")
    if "sessions" in otherwise:
        # The same after a reload, so that a session outlives a change of the CA.
        options.append(f"tls-ticket-keys {syntax.quote(str(paths.ticket_keys))}")
    if "no_server_name" in otherwise:
        options.append("strict-sni")
    return " " + " ".join(options)


def _refuse(title: str, condition: str) -> str:
    return _answer(400, write_page(title, title.removeprefix("400 ")), condition)


def _answer(status: int, body: str, condition: str) -> str:
    text = body.replace("\r", "\\r").replace("\n", "\\n")
    content = f'content-type text/html string "{text}"'
    return f"    http-request return status {status} {content} {condition}"


def _backend(section: str, pool: Pool, request_timeout: int) -> list[str]:
    lines = [
        f"backend {section}",
        f"    balance {'leastconn' if pool.scheduler == 'wlc' else 'roundrobin'}",
        f"    timeout server {int(request_timeout)}s",
    ]
    if pool.sticky_session is not None:
        lines.append(f"    {_cookie(pool.sticky_session)}")
    check = pool.health_check
    if check is not None:
        lines += _check(check)
    return lines + [
        f"    {_server(pool, backend)}" for backend in sorted(pool.backends, key=server_name)
    ]


def _cookie(sticky: StickySession) -> str:
    name = syntax.check_cookie(sticky.cookie)
    if sticky.timeout is None:
        return f"cookie {name} rewrite"
    return f"cookie {name} insert indirect maxidle {int(sticky.timeout)}s"


def _check(check: HealthCheck) -> list[str]:
    timing = [
        # CLB: a timeout shorter than the interval becomes the interval.
        f"    timeout check {max(check.timeout, check.interval)}s",
        f"    default-server inter {int(check.interval)}s"
        f" rise {int(check.healthy_threshold)} fall {int(check.unhealthy_threshold)}",
    ]
    if check.kind == "tcp":
        return timing
    digits = sorted({syntax.status_class(code) for code in check.http_codes})
    # CLB sends a backend's own address where no domain is set.
    host = "%[srv_name,field(2,:)]" if check.domain is None else syntax.check_domain(check.domain)
    method = {"head": "HEAD", "get": "GET"}[check.method]
    return [
        "    option httpchk",
        f"    http-check send meth {method} uri {syntax.check_uri(check.uri)}"
        f" ver HTTP/1.0 hdr Host {host}",
        f"    http-check expect rstatus ^[{''.join(digits)}][0-9][0-9]",
        *timing,
    ]


def _server(pool: Pool, backend: BackendSpec) -> str:
    syntax.check_identifier(backend.server_id)
    if not 0 <= backend.weight <= 100:
        raise RefusedError(f"The weight {backend.weight} is not in 0 to 100.")
    # Round robin without weights: they only say whether a server takes part.
    weight = 100 if pool.scheduler == "rr" and backend.weight else backend.weight
    socket = syntax.endpoint(backend.socket.host, backend.socket.port)
    options = f"weight {int(weight)}"
    if pool.sticky_session is not None and weight:
        # One that takes no requests takes none of its old sessions either.
        options += f" cookie {_session_value(backend)}"
    proxied = isinstance(pool, ListenerSpec) and pool.proxy_protocol
    if proxied:
        options += " send-proxy-v2"
    if pool.health_check is not None:
        options += " check"
        if backend.checked_port is not None:
            options += f" port {int(backend.checked_port)}"
        elif proxied:  # with a port said, checks are without the protocol
            options += f" port {int(backend.socket.port)}"
    return f"server {server_name(backend)} {socket} {options}"


def _session_value(backend: BackendSpec) -> str:
    """Value of a session's cookie for a backend: the same after a restart, and not its address."""
    return hashlib.sha256(server_name(backend).encode()).hexdigest()[:32]
