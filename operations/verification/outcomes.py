"""Outcomes of a request from outside, as values for judgement and for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answered:
    """The server answered over HTTP.

    Attributes:
        status: HTTP status code.
        title: Title of an HTML page, else the reason phrase.
        instance: Id of the ECS instance that the answer names (header or body), if any.
        tls: Version of the connection, e.g. `TLSv1.3`.
        cookies: That the answer sets, `NAME=VALUE` each.
    """

    status: int
    title: str
    instance: str | None
    tls: str
    cookies: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Describe the answer for a report."""
        title = self.title.removeprefix(str(self.status)).strip()
        by = f" from {self.instance}" if self.instance else ""
        return f"HTTP {self.status}{by}" + (f" ({title})" if title and not by else "")


@dataclass(frozen=True)
class Rejected:
    """The server ended the connection over TLS.

    Attributes:
        alert: Description of its TLS alert (RFC 8446, 6), e.g. `certificate required`; None if it
            closed the connection without one, which alone proves little.
    """

    alert: str | None

    def __str__(self) -> str:
        """Describe the rejection for a report."""
        return f"TLS alert: {self.alert}" if self.alert else "connection closed"


@dataclass(frozen=True)
class Untrusted:
    """The probe itself turned away, because the server's certificate does not verify.

    Attributes:
        reason: In OpenSSL's words.
        wrong_name: Whether the reason is that the certificate is for other names.
    """

    reason: str
    wrong_name: bool = False

    def __str__(self) -> str:
        """Describe the distrust for a report."""
        return f"the server's certificate is not trusted: {self.reason}"


@dataclass(frozen=True)
class Unreachable:
    """There was no HTTPS server to ask, or it gave no answer in time."""

    reason: str

    def __str__(self) -> str:
        """Describe the failure to connect for a report."""
        return self.reason


@dataclass(frozen=True)
class Unusable:
    """The client's certificate could not be presented: its key or pass phrase does not fit."""

    reason: str

    def __str__(self) -> str:
        """Describe the certificate's fault for a report."""
        return f"its certificate cannot be presented: {self.reason}"


Outcome = Answered | Rejected | Untrusted | Unreachable | Unusable


def is_success(outcome: Outcome | None) -> bool:
    """Tell whether a request got through to a backend."""
    return isinstance(outcome, Answered) and outcome.status == 200


@dataclass(frozen=True)
class Redirected:
    """An answer to a request over plain HTTP.

    Attributes:
        status: HTTP status code.
        location: Where it leads, if it does.
    """

    status: int
    location: str

    def __str__(self) -> str:
        """Describe the redirect for a report."""
        return f"HTTP {self.status}" + (f" to {printable(self.location)}" if self.location else "")


def printable(text: str) -> str:
    """Shorten a text to one line, so that no server can write its own lines into a report."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= 80 else line[:79] + "…"
