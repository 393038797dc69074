"""Which names a CA may certify (RFC 5280, 4.2.1.10).

Constraints are by form of name: DNS name, e-mail address, IP address. A form of which nothing is
permitted or excluded is free.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from cryptography import x509

from . import dns_names
from .mistakes import WrongValueError
from .names import same_name

Subtrees = Mapping[str, Sequence[str]]
"""`domains`, `email_domains` and `ip_ranges`, each where it has any."""

_FORMS: Mapping[type[x509.GeneralName], tuple[str, str]] = {
    x509.DNSName: ("DNS name", "domains"),
    x509.RFC822Name: ("e-mail address", "e-mail domains"),
    x509.IPAddress: ("IP address", "IP ranges"),
    x509.UniformResourceIdentifier: ("URI", "hosts"),
    x509.DirectoryName: ("name", "names"),
}
"""Words for a form of name, and for a list of its subtrees."""


def domain(text: str) -> str:
    """A domain, which stands for itself and all below it, as constraints hold it.

    Raises:
        ValueError: It is none.
    """
    if text.startswith(("*", ".")):
        raise WrongValueError.of(text, ": write example.com for that domain and all below it")
    return dns_names.a_labels(text)


def email_domain(text: str) -> str:
    """The host of e-mail addresses, or with a dot before it the hosts below it.

    Raises:
        ValueError: It is neither.
    """
    dot = "." if text.startswith(".") else ""
    try:
        return dot + domain(text.removeprefix("."))
    except ValueError:
        raise WrongValueError.of(
            text,
            ": write example.com for the addresses at that host, .example.com for those at the "
            "hosts below it",
        ) from None


def ip_range(text: str) -> str:
    """An address block in CIDR notation.

    Raises:
        ValueError: It is none.
    """
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        way_on = "write a block such as 203.0.113.0/24"
        raise WrongValueError(f"{error}: {way_on}", f"this is no block: {way_on}") from None


def extension(constraints: Mapping[str, Subtrees]) -> x509.NameConstraints | None:
    """The extension of the subtrees under `permitted` and `excluded`; None if there are none.

    Raises:
        ValueError: One of them is wrong.
    """
    permitted, excluded = (
        [
            *(x509.DNSName(domain(text)) for text in subtrees.get("domains", ())),
            *(x509.RFC822Name(email_domain(text)) for text in subtrees.get("email_domains", ())),
            *(
                x509.IPAddress(ipaddress.ip_network(ip_range(text)))
                for text in subtrees.get("ip_ranges", ())
            ),
        ]
        for subtrees in (constraints.get("permitted", {}), constraints.get("excluded", {}))
    )
    if not permitted and not excluded:
        return None
    return x509.NameConstraints(permitted or None, excluded or None)


def excluding(
    constraints: x509.NameConstraints | None, names: Iterable[x509.GeneralName]
) -> x509.NameConstraints | None:
    """Add excluded names to constraints."""
    more = list(names)
    if not more:
        return constraints
    permitted = constraints.permitted_subtrees if constraints else None
    excluded = (constraints.excluded_subtrees if constraints else None) or []
    return x509.NameConstraints(permitted, [*excluded, *more])


def permits_hosts(constraints: x509.NameConstraints | None) -> bool:
    """Whether names of the form URI are limited to some hosts."""
    permitted = (constraints.permitted_subtrees if constraints else None) or ()
    return any(isinstance(subtree, x509.UniformResourceIdentifier) for subtree in permitted)


def of(certificate: x509.Certificate) -> x509.NameConstraints | None:
    """The constraints of a CA's certificate, if it has any."""
    try:
        return certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None


def permits_domains(constraints: x509.NameConstraints) -> bool:
    """Whether DNS names are limited to some domains."""
    permitted = constraints.permitted_subtrees or ()
    return any(isinstance(subtree, x509.DNSName) for subtree in permitted)


def require_within(
    constraints: x509.NameConstraints | None,
    common_name: str | None,
    names: Iterable[x509.GeneralName],
) -> None:
    """Refuse a leaf that nobody would accept from the constrained CA.

    Args:
        constraints: Constraints of the CA; None permits all.
        common_name: The leaf's. OpenSSL and others take it for a DNS name where it looks like one
            and the alternative names have none; an IPv4 address looks like one to them.
        names: The leaf's alternative names.

    Raises:
        ValueError: A name is not permitted, or excluded; the message quotes it.
    """
    if constraints is None:
        return
    held = list(names)
    for name in held:
        reason = _refusal(constraints, name)
        if reason:
            raise ValueError(f"the {_FORMS[type(name)][0]} {_shown(name)} is {reason}")
    no_dns_name = not any(isinstance(name, x509.DNSName) for name in held)
    if common_name and no_dns_name and _reads_as_dns_name(common_name):
        reason = _refusal(constraints, x509.DNSName(common_name))
        if reason:
            raise ValueError(
                f"the common name {common_name}, which is read as a DNS name where there is no "
                f"other, is {reason}"
            )


def _refusal(constraints: x509.NameConstraints, name: x509.GeneralName) -> str | None:
    """Why a name may not be certified."""
    permitted, excluded = (
        [subtree for subtree in subtrees or () if isinstance(subtree, type(name))]
        for subtrees in (constraints.permitted_subtrees, constraints.excluded_subtrees)
    )
    title = _FORMS.get(type(name), ("", "names"))[1]
    if permitted and not any(_covers(subtree, name) for subtree in permitted):
        return f"outside of the CA's permitted {title} ({_listed(permitted)})"
    within = [subtree for subtree in excluded if _covers(subtree, name) or _may_be(name, subtree)]
    return f"within the CA's excluded {title} ({_listed(within)})" if within else None


def _covers(subtree: x509.GeneralName, name: x509.GeneralName) -> bool:
    match subtree, name:
        case x509.DNSName(), x509.DNSName():
            return _is_below(name.value, subtree.value) or _same(name.value, subtree.value)
        case x509.RFC822Name(), x509.RFC822Name():
            whole = "@" in subtree.value
            held = name.value if whole else name.value.rpartition("@")[2]
            return _is_host_of(held, subtree.value)
        case x509.IPAddress(), x509.IPAddress():
            return name.value in subtree.value  # type: ignore[operator]
        case x509.UniformResourceIdentifier(), x509.UniformResourceIdentifier():
            return _is_host_of(urlsplit(name.value).hostname or "", subtree.value)
        case x509.DirectoryName(), x509.DirectoryName():
            first = list(name.value.rdns)[: len(list(subtree.value.rdns))]
            return same_name(x509.Name(first), subtree.value)
    return False


def _may_be(name: x509.GeneralName, excluded: x509.GeneralName) -> bool:
    """Whether a wildcard stands for an excluded domain, among others."""
    if not (isinstance(name, x509.DNSName) and isinstance(excluded, x509.DNSName)):
        return False
    parent = excluded.value.partition(".")[2]
    return name.value.startswith("*.") and _same(name.value[2:], parent)


def _is_host_of(host: str, subtree: str) -> bool:
    """Whether it is that host or, with a dot before it, one below it."""
    return _is_below(host, subtree) if subtree.startswith(".") else _same(host, subtree)


def _is_below(host: str, parent: str) -> bool:
    return host.lower().endswith("." + parent.lower().removeprefix("."))


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _listed(subtrees: Iterable[x509.GeneralName]) -> str:
    return ", ".join(map(_shown, subtrees))


def _shown(name: x509.GeneralName) -> str:
    return name.value.rfc4514_string() if isinstance(name, x509.DirectoryName) else str(name.value)


def _reads_as_dns_name(text: str) -> bool:
    """Two labels or more of letters, digits, hyphens and underscores, as OpenSSL judges."""
    label = "[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
    return re.fullmatch(rf"{label}(\.{label})+", text) is not None
