"""Words of HAProxy's configuration language; every value from outside goes through here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from localcloud.dataplane.model import ListenerSpec, Pool, RefusedError

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_URI = re.compile(r"/[!-~]{0,254}")
_RULE_URL = re.compile(r"/[A-Za-z0-9/.%?#&_=~-]{1,79}")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?")
_STATUS_CLASS = re.compile(r"http_[2-5]xx")
_DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,80}")
_SERVER_NAME = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_COOKIE = re.compile(r"[A-Za-z0-9!#%&'*+.^_`|~-][A-Za-z0-9!#$%&'*+.^_`|~-]{0,199}")


def quote(text: str) -> str:
    """Quote a value so that it is one word, taken literally.

    Raises:
        RefusedError: It holds control characters: a line break would start another directive.
    """
    if not text.isprintable():
        raise RefusedError(f"{text!r} holds characters that a configuration cannot.")
    return "'" + text.replace("'", "'\\''") + "'"


def check_identifier(text: str) -> str:
    """Check an id of the API, such as lb-x or i-x."""
    return _check(_IDENTIFIER, text, "an id")


def check_uri(text: str) -> str:
    """Check and quote the path of a health check."""
    return quote(_check(_URI, text, "a path for health checks"))


def check_domain(text: str) -> str:
    """Check the Host of a health check; it goes into a format string, so no percent sign."""
    return _check(_DOMAIN, text, "a domain for health checks")


def check_server_name(text: str) -> str:
    """Check a domain that TLS clients ask for; its first label may be `*`."""
    return _check(_SERVER_NAME, text, "a domain")


def check_rule_url(text: str) -> str:
    """Check and quote the beginning of a path in a forwarding rule."""
    return quote(_check(_RULE_URL, text, "the beginning of a path"))


def check_cookie(text: str) -> str:
    """Check and quote a cookie's name: a token of HTTP that does not begin with `$`."""
    return quote(_check(_COOKIE, text, "a cookie's name"))


def check_cidr_block(text: str) -> str:
    """Check a block of addresses such as 10.0.0.0/8 or 2001:db8::/32."""
    # The pattern keeps out scopes such as %lo, which may hold anything.
    try:
        return str(ipaddress.ip_network(_check(_ADDRESS, text, "a block of addresses")))
    except ValueError:
        raise RefusedError(f"{text!r} is not a block of addresses.") from None


def status_class(code: str) -> str:
    """First digit of the statuses that http_2xx to http_5xx stand for."""
    return _check(_STATUS_CLASS, code, "a status of health checks")[5]


def endpoint(host: str, port: int) -> str:
    """Write HOST:PORT, or [HOST]:PORT for IPv6, on loopback only."""
    try:
        address = ipaddress.ip_address(host) if _ADDRESS.fullmatch(host) else None
    except ValueError:
        address = None
    if address is None or not address.is_loopback or not 0 < port < 65536:
        raise RefusedError(f"{host!r} port {port} is not an address on loopback.")
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def section(listener: ListenerSpec) -> str:
    """Name of a listener's frontend and backend."""
    return f"{check_identifier(listener.load_balancer_id)}_{listener.protocol}_{int(listener.port)}"


def pools(listener: ListenerSpec) -> Iterator[tuple[str, Pool]]:
    """Targets of a listener's requests, each with the name of its backend in HAProxy."""
    yield section(listener), listener
    for rule in listener.rules:
        yield f"{section(listener)}_{check_identifier(rule.rule_id)}", rule


def _check(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise RefusedError(f"{text!r} is not {what}.")
    return text
