"""Stacks that a report is written of."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from components.pki import certificates, keys
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.windows import Window, show_time
from configuration.outputs import StackOutputs
from operations.project import POLICY_PACK
from operations.report.contents import Contents, Verification, gather_contents, read_rules
from operations.verification.report import Check, Report

NOW = datetime(2030, 6, 1, tzinfo=UTC)

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "&lt;b&gt;&amp;",
    "</title></style></svg><script>alert(1)</script>",
    "admin\u202egnp.exe\u2066\u200f",
    "\u0639\u0645\u064a\u0644",
    "\u05dc\u05e7\u05d5\u05d7",
    "nul\x00 bell\x07 lone\ud800 soft\u00ad",
    "x" * 300,
    "\u540d" * 80,
    "{at} {0} %s `code` `open",
)
"""Names that somebody outside may have chosen."""


def issued(
    name: str, begin: float, end: float, status: str = "valid", **more: object
) -> dict[str, Any]:
    """An entry of the register; times in days from `NOW`."""
    digest = hashlib.sha256(f"{name!r} {begin} {end}".encode()).hexdigest()
    return {
        "name": name,
        "serial_number": digest[:40],
        "fingerprint_sha256": digest,
        "subject": f"CN={name}",
        "not_before": show_time(NOW + timedelta(days=begin)),
        "not_after": show_time(NOW + timedelta(days=end)),
        "status": status,
        "key": "RSA 2048",
        **more,
    }


def authority(name: str, **constraints: Any) -> Issuer:
    """A CA in its second year of ten."""
    key = keys.generate(2048)
    window = Window.opening(NOW - timedelta(days=400), timedelta(days=3650))
    subject = distinguished_name({"common_name": name})
    return Issuer(certificates.issue_authority(subject, key, window, **constraints), key)


VERIFICATION = Verification(
    Report(
        "https://127.0.0.1:443/",
        (
            Check("no_certificate", "No certificate is refused", "passed", "HTTP 400"),
            Check("health", "Backends' health is normal", "failed", "i-<b>1</b>: abnormal"),
            Check("tls_1_0", "TLS 1.0 is refused", "skipped", "cannot be spoken here"),
            Check("<i>new</i>", "<b>later</b>", "passed", "</td>"),
        ),
    ),
    NOW,
)


def contents(found: StackOutputs, verification: Verification | None = VERIFICATION) -> Contents:
    """What the report says of a stack."""
    return gather_contents("dev", found, read_rules(POLICY_PACK), verification, NOW)


class Page(HTMLParser):
    """A page as a browser takes it apart.

    Attributes:
        elements: Each with its attributes.
        texts: All that is read, style sheets left out.
        unclosed: Elements that are open.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.unclosed: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag != "meta":
            self.unclosed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, text: str) -> None:
        if self.unclosed[-1:] != ["style"]:
            self.texts.append(text)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]
