"""Inventory of a stack's certificates: who holds each, and its state, until it is forgotten."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from components.pki import certificates
from components.pki.durations import parse as parse_duration
from components.pki.register import IssuedCertificate
from configuration.outputs import StackOutputs

CertificateState = Literal["valid", "due", "superseded", "revoked", "expired"]
"""State of a certificate in the inventory.

due: the next `up` renews it. superseded: its holder has a newer one, or is gone, and it has not
expired.
"""

HolderRole = Literal["ca", "server", "client", "revocation list"]

_STYLE: dict[CertificateState, str] = {
    "expired": "red",
    "due": "bold yellow",
    "valid": "green",
    "revoked": "red",
    "superseded": "dim",
}
"""Colour of each state, in the order in which states are counted."""

STATES = tuple(_STYLE)


@dataclass(frozen=True)
class InventoryItem:
    """Item of the inventory: a certificate or the revocation list.

    Attributes:
        due_at: Time from which it is renewed; None for what nobody renews any more.
        serial_number: Hex; of the list, its number.
        fingerprint_sha256: Hex.
        key: Words for its key, such as `ECDSA P-256`; empty where it is not known.
    """

    role: HolderRole
    name: str
    state: CertificateState
    not_before: datetime | None
    not_after: datetime
    due_at: datetime | None
    serial_number: str
    fingerprint_sha256: str
    revoked_at: datetime | None = None
    reason: str | None = None
    key: str = ""


def list_certificates(outputs: StackOutputs, now: datetime) -> list[InventoryItem]:
    """List a stack's CA, servers, earlier certificates, revocation list and clients, in this order.

    The clients are in order of issue.
    """
    of_ca = outputs.renewal.certificate_authority
    items = [_certificate_item("ca", "CA", outputs.ca, of_ca, now)]
    if outputs.next_ca_certificate:
        following = certificates.load(outputs.next_ca_certificate)
        items.append(_certificate_item("ca", "next CA", following, of_ca, now))
    # One brought along is renewed by whoever brought it.
    if outputs.server is not None:
        own = outputs.server_certificate_issuer == "private"
        renew_before = outputs.renewal.server if own else "1s"
        items.append(_certificate_item("server", "server", outputs.server, renew_before, now))
    for domain, extension in outputs.domain_certificates.items():
        if extension.parsed is not None:
            own = extension.issuer == "private"
            renew_before = outputs.renewal.domain_extensions.get(domain, "1s") if own else "1s"
            items.append(_certificate_item("server", domain, extension.parsed, renew_before, now))
    items += _recorded_items(outputs, {item.fingerprint_sha256 for item in items}, now)
    ahead = parse_duration(outputs.renewal.revocation_list)
    items += [_list_item(listed, ahead, now) for listed in outputs.revocation_lists]
    return items + _client_items(outputs, now)


def select_due(items: Sequence[InventoryItem], until: datetime) -> list[InventoryItem]:
    """List what is to be renewed until a time, the earliest first."""
    due_items = [(item.due_at, item) for item in items if item.due_at and item.due_at <= until]
    return [item for _, item in sorted(due_items, key=lambda pair: pair[0])]


def to_json(items: Sequence[InventoryItem]) -> str:
    """Write the inventory as a list of objects with an item's fields; times in RFC 3339."""
    return json.dumps([_plain(item) for item in items], indent=2, ensure_ascii=False)


def to_csv(items: Sequence[InventoryItem]) -> str:
    """Write the inventory as CSV: a line of names, then a line for each item."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text, [field.name for field in fields(InventoryItem)], lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(_plain(item) for item in items)
    return text.getvalue()


FINGERPRINT_SHOWN = 16
"""Hex digits of a fingerprint that the table shows."""

GAP = "  "
"""Spaces between two columns of the table."""

SERIAL_SHOWN = 12
"""Hex digits that are shown of a serial number where there is no room for all."""


def select_matching(
    items: Sequence[InventoryItem], states: Collection[str], names: Collection[str]
) -> list[InventoryItem]:
    """Select items by state and by name; an empty collection of either takes all.

    Args:
        items: Certificates to choose from.
        states: States to keep, such as `due`; none of them: all.
        names: Holders' names, with `*` and `?` for what may be there; none of them: all.
    """
    return [
        item
        for item in items
        if (not states or item.state in states)
        and (not names or any(fnmatchcase(item.name, pattern) for pattern in names))
    ]


def sort_by_urgency(items: Sequence[InventoryItem]) -> list[InventoryItem]:
    """Sort by urgency: first what is due first; then what nobody renews, the latest end first."""
    current = [item for item in items if item.due_at]
    others = [item for item in items if not item.due_at]
    return [
        *sorted(current, key=lambda item: (item.due_at, item.role, item.name)),
        *sorted(others, key=lambda item: item.not_after, reverse=True),
    ]


def render_inventory(
    items: Sequence[InventoryItem], title: str, console: Console, *, wide: bool = False
) -> None:
    """Print a table, what is most urgent first, and a line that counts by state.

    Args:
        items: Certificates to show.
        title: Above it.
        console: Console whose width the table keeps to.
        wide: All of it, on lines as long as that takes.
    """
    rows = sort_by_urgency(items)
    lines = _lines(rows, _FULL, None if wide else console.width) or _lines(
        rows, _SHORT, console.width, shrinking="Name"
    )
    for line in (Text(title, style="italic"), *(lines or ())):
        console.print(line, soft_wrap=True)
    counts = Counter(item.state for item in items)
    counted = ", ".join(f"{counts[state]} {state}" for state in _STYLE if counts[state])
    console.print(Text(f"{len(items)} in all: {counted}" if items else "Nothing is listed."))


_Column = tuple[str, Callable[[InventoryItem], str]]


def _day(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d}" if time else ""


_SHORT: tuple[_Column, ...] = (
    ("State", lambda item: item.state),
    ("Due", lambda item: _day(item.due_at)),
    ("Until", lambda item: _day(item.not_after)),
    ("Role", lambda item: item.role.removeprefix("revocation ")),
    ("Name", lambda item: item.name),
    ("Serial number", lambda item: _beginning(item.serial_number)),
)
_FULL: tuple[_Column, ...] = (
    ("Role", lambda item: item.role),
    ("Name", lambda item: item.name),
    ("Key", lambda item: item.key),
    ("State", lambda item: f"{item.state} ({item.reason})" if item.reason else item.state),
    ("From", lambda item: _day(item.not_before)),
    ("Until", lambda item: _day(item.not_after)),
    ("Due", lambda item: _day(item.due_at)),
    ("Serial number", lambda item: item.serial_number),
    # Its beginning, which people compare; JSON and CSV have all of it.
    ("SHA-256", lambda item: item.fingerprint_sha256[:FINGERPRINT_SHOWN]),
)


def _beginning(serial_number: str) -> str:
    whole = len(serial_number) <= SERIAL_SHOWN + 1
    return serial_number if whole else f"{serial_number[:SERIAL_SHOWN]}…"


def _lines(
    items: Sequence[InventoryItem],
    columns: Sequence[_Column],
    width: int | None,
    *,
    shrinking: str | None = None,
) -> list[Text] | None:
    """Lay the table out in one line for each item, never wrapped; None where lines do not fit.

    Args:
        items: Certificates in the order in which they are shown.
        columns: Headings, and what stands below them.
        width: Width of the terminal; None for any.
        shrinking: Heading of the column of which only the beginning stays where room is short.
    """
    headings = [heading for heading, _ in columns]
    table = [headings, *([value(item) for _, value in columns] for item in items)]
    widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - (width or sys.maxsize)
    if excess > 0:
        if shrinking is None:
            return None
        place = headings.index(shrinking)
        widths[place] = max(widths[place] - excess, len(shrinking))
    styles = ["bold", *(_STYLE[item.state] for item in items)]
    lines = []
    for row, style in zip(table, styles, strict=True):
        line = Text(GAP).join(
            Text(_fitted(cell, size), style=style if heading == "State" or style == "bold" else "")
            for cell, size, heading in zip(row, widths, headings, strict=True)
        )
        line.rstrip()
        lines.append(line)
    return lines


def _fitted(text: str, width: int) -> str:
    short = text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
    return set_cell_size(short, width)


def _certificate_item(
    role: HolderRole, name: str, certificate: x509.Certificate, renew_before: str, now: datetime
) -> InventoryItem:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    due_at = _due_at(begin, end, parse_duration(renew_before), now)
    return InventoryItem(
        role=role,
        name=name,
        state=_state(end, due_at, now),
        not_before=begin,
        not_after=end,
        due_at=due_at,
        serial_number=certificates.serial_number(certificate),
        fingerprint_sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        key=certificates.key_words(certificate),
    )


def _recorded_items(outputs: StackOutputs, shown: set[str], now: datetime) -> list[InventoryItem]:
    """Items of earlier certificates, and of those beside the CA during a rotation."""
    return [
        InventoryItem(
            role=entry.role,
            name=entry.name,
            state="expired" if now > entry.not_after else entry.status,
            not_before=entry.not_before,
            not_after=entry.not_after,
            due_at=None,
            serial_number=entry.serial_number,
            fingerprint_sha256=entry.fingerprint_sha256,
            key=entry.key or "",
        )
        for entry in outputs.certificate_record
        if entry.fingerprint_sha256 not in shown
    ]


def _list_item(
    listed: x509.CertificateRevocationList, renew_before: timedelta, now: datetime
) -> InventoryItem:
    end = listed.next_update_utc or now
    due_at = _due_at(listed.last_update_utc, end, renew_before, now)
    number = listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    return InventoryItem(
        role="revocation list",
        name=f"{len(listed)} revoked",
        state=_state(end, due_at, now),
        not_before=listed.last_update_utc,
        not_after=end,
        due_at=due_at,
        serial_number=str(number),
        fingerprint_sha256=listed.fingerprint(hashes.SHA256()).hex(),
    )


def _client_items(outputs: StackOutputs, now: datetime) -> list[InventoryItem]:
    items = []
    for entry in outputs.issued:
        # What was issued before there was a register is renewed by nobody here.
        current = entry.status == "valid" and not entry.imported
        renew_before = parse_duration(outputs.renewal.clients.get(entry.name, "1s"))
        due_at = _due_at(entry.not_before, entry.not_after, renew_before, now) if current else None
        items.append(
            InventoryItem(
                role="client",
                name=entry.name,
                state=_state_of(entry, due_at, now),
                not_before=entry.not_before,
                not_after=entry.not_after,
                due_at=due_at,
                serial_number=entry.serial_number,
                fingerprint_sha256=entry.fingerprint_sha256,
                revoked_at=entry.revoked_at,
                reason=entry.reason,
                key=entry.key or _key_in_bundle(outputs, entry),
            )
        )
    return items


def _key_in_bundle(outputs: StackOutputs, entry: IssuedCertificate) -> str:
    """Find the kind of a client's key in its bundle, where an earlier version did not record it."""
    bundle = outputs.client_bundles.get(entry.name)
    try:
        held = certificates.load(bundle.certificate) if bundle else None
    except ValueError:
        return ""
    if held is None or certificates.serial_number(held) != entry.serial_number:
        return ""
    return certificates.key_words(held)


def _due_at(
    begin: datetime | None, end: datetime, renew_before: timedelta, now: datetime
) -> datetime:
    """Time at which `up` renews a certificate: at once if its issuer's clock ran ahead."""
    return now if begin is not None and now < begin else end - renew_before


def _state_of(entry: IssuedCertificate, due_at: datetime | None, now: datetime) -> CertificateState:
    if entry.status == "revoked" or (entry.imported and entry.not_after >= now):
        return entry.status
    return _state(entry.not_after, due_at, now)


def _state(end: datetime, due_at: datetime | None, now: datetime) -> CertificateState:
    if now > end:
        return "expired"
    if due_at is None:
        return "superseded"
    return "due" if now >= due_at else "valid"


def _plain(item: InventoryItem) -> dict[str, str | None]:
    return {
        name: f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if isinstance(value, datetime)
        else value
        for name, value in asdict(item).items()
    }
