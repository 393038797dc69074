"""Words of HAProxy's configuration language; every value from outside goes through here."""

from __future__ import annotations

import ipaddress
import re

from localcloud.dataplane.model import DataPlaneError, Listener

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_URI = re.compile(r"/[!-~]{0,254}")
_STATUS_CLASS = re.compile(r"http_[2-5]xx")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,78}[A-Za-z0-9])?")


def word(text: str) -> str:
    """Quote a value so that it is one word, taken literally.

    Raises:
        DataPlaneError: It holds control characters: a line break would start another directive.
    """
    if not text.isprintable():
        raise DataPlaneError(f"{text!r} holds characters that a configuration cannot.")
    return "'" + text.replace("'", "'\\''") + "'"


def identifier(text: str) -> str:
    """Check an id of the API, such as lb-x or i-x."""
    return _checked(_IDENTIFIER, text, "an id")


def check_uri(text: str) -> str:
    """Check and quote the path of a health check."""
    return word(_checked(_URI, text, "a path for health checks"))


def check_domain(text: str) -> str:
    """Check the Host of a health check; it goes into a format string, so no percent sign."""
    return _checked(_DOMAIN, text, "a domain for health checks")


def status_class(code: str) -> str:
    """First digit of the statuses that http_2xx to http_5xx stand for."""
    return _checked(_STATUS_CLASS, code, "a status of health checks")[5]


def endpoint(host: str, port: int) -> str:
    """Write HOST:PORT, on loopback only."""
    try:
        loopback = ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback or not 0 < port < 65536:
        raise DataPlaneError(f"{host!r} port {port} is not an address on loopback.")
    return f"{host}:{port}"


def section(listener: Listener) -> str:
    """Name of a listener's frontend and backend."""
    return f"{identifier(listener.load_balancer_id)}_{listener.protocol}_{int(listener.port)}"


def _checked(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise DataPlaneError(f"{text!r} is not {what}.")
    return text
