"""The report as HTML: one file that needs no network and no script."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from configuration.outputs import ListenerSettings
from operations.certificates.inventory import STATES, CertificateState, InventoryItem
from operations.report.contents import Authority, Contents, Verification
from operations.report.markup import Markup, element, joined
from operations.report.time_line import Bar, Columns, Group, Lane, TimeLine
from operations.report.words import Language, Words
from operations.verification.report import Check

STYLE = Path(__file__).with_name("style.css")

PROTECTION = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Content security policy: a browser runs and loads nothing, whatever the page came to hold."""

NAMES_SHOWN = 30

LANE_HEIGHT, BAR, EARLIER = 24, 10, 4
"""Pixels of a lane, of the bar in it and of those of earlier certificates below that."""

COLUMNS_HEIGHT = 120

DASH = "—"


def render_page(contents: Contents, language: Language) -> str:
    """Write the whole page of the report."""
    words = Words(language)
    title = words("title", stack=contents.stack)
    sections: dict[str, Callable[[Contents, Words], Markup]] = {
        "time_line": _time_line,
        "holders": _holders,
        "verification": _verification,
        "listeners": _listeners,
        "authority": _authority,
        "policy": _policy,
    }
    links = [element("a", words(name), href=f"#{name}") for name in sections]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=PROTECTION),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(STYLE.read_text(encoding="utf-8"))),
    )
    body = element(
        "body",
        element(
            "header",
            element("h1", title),
            element("p", words("lead", url=contents.outputs.url, at=_minute(contents.at))),
            element("p", words("no_secrets"), class_="soft"),
            _tiles(contents, words),
            element("nav", *links),
        ),
        element(
            "main",
            *(
                element("section", element("h2", words(name)), show(contents, words), id=name)
                for name, show in sections.items()
            ),
        ),
        element("footer", _prose(words("footer", at=_minute(contents.at)), "soft")),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang=words('html_lang'))}\n"


def _tiles(contents: Contents, words: Words) -> Markup:
    current = [item for item in contents.items if item.due_at]
    due = sum(item.state in {"due", "expired"} for item in current)
    following = next((item.due_at for item in current if item.state == "valid"), None)
    tiles = [
        (f"{contents.keys_of_clients.total():,}", "tile_clients"),
        (f"{due:,}", "tile_due"),
        (_day(following) or DASH, "tile_next"),
        (_day(contents.authority.not_after), "tile_ca"),
        _verified(contents.verification, words),
    ]
    return element(
        "ul",
        *(element("li", element("b", value), element("span", words(key))) for value, key in tiles),
        class_="tiles",
    )


def _verified(verification: Verification | None, words: Words) -> tuple[str, str]:
    if verification is None:
        return DASH, "tile_no_verification"
    counts = Counter(check.status for check in verification.report.checks)
    tried = counts["passed"] + counts["failed"]
    return words("passed_of", passed=counts["passed"], tried=tried), "tile_verification"


def _time_line(contents: Contents, words: Words) -> Markup:
    line = contents.line
    legend = element(
        "dl",
        *(
            element(
                "div",
                element("dt", _state_badge(state, words)),
                element("dd", words(f"means_{state}")),
            )
            for state in STATES
        ),
        class_="legend",
    )
    shown = [
        joined(element("h3", words(name)), _group(group, line, words))
        for name, group in (("infrastructure", line.infrastructure), ("clients", line.clients))
    ]
    return joined(element("p", words("time_line_text")), legend, *shown)


def _group(group: Group, line: TimeLine, words: Words) -> Markup:
    if not group.lanes:
        return element("p", words("no_clients"))
    parts = [_columns(group.columns, len(group.lanes), words)] if group.columns else []
    lanes = [_lane(lane, line, words) for lane in group.lanes]
    parts.append(element("ol", _axis(line, words), *lanes, class_="lanes"))
    return joined(*parts)


def _axis(line: TimeLine, words: Words) -> Markup:
    ticks = [
        joined(_vertical(place, "grid", 14, 30), _label(f"{tick:%Y-%m}", place, 11))
        for tick in line.scale.ticks()
        for place in (line.scale.place(tick),)
    ]
    now = line.scale.place(line.now)
    marked = joined(_vertical(now, "now", 25, 30), _label(words("today"), now, 24, "now"))
    drawing = element("svg", *ticks, marked, height=30, aria_hidden="true")
    return element(
        "li",
        element("span", class_="lane-name"),
        drawing,
        element("span", class_="lane-dates"),
        class_="axis",
        aria_hidden="true",
    )


def _lane(lane: Lane, line: TimeLine, words: Words) -> Markup:
    first = lane.first
    described = _described(first, words)
    earlier = len(lane.bars) - 1
    if earlier:
        described = words("more_bars", words=described, count=earlier)
    drawing = element(
        "svg",
        element("title", first.name),
        element("desc", described),
        *(_vertical(line.scale.place(tick), "grid", 0, LANE_HEIGHT) for tick in line.scale.ticks()),
        *(_bar(bar, first=not place) for place, bar in enumerate(lane.bars)),
        _vertical(line.scale.place(line.now), "now", 0, LANE_HEIGHT),
        height=LANE_HEIGHT,
        role="img",
    )
    name = element(
        "span",
        _outside(_shown_name(first, words)),
        " ",
        _state_badge(first.state, words),
        class_="lane-name",
    )
    dates = [words("until", end=_day(first.not_after))]
    if first.due_at:
        dates.append(words("due_on", due=_day(first.due_at)))
    shown = joined(*(joined(element("span", date, class_="day"), " ") for date in dates))
    return element("li", name, drawing, element("span", shown, class_="lane-dates"))


def _described(item: InventoryItem, words: Words) -> str:
    described = words(
        "lane_words",
        name=_shown_name(item, words),
        begin=_day(item.not_before) or words("unknown_time"),
        end=_day(item.not_after),
        state=words(f"state_{item.state}"),
    )
    return words("lane_due", words=described, due=_day(item.due_at)) if item.due_at else described


def _shown_name(item: InventoryItem, words: Words) -> str:
    """Name that tells what an item is; a client's name, and the CA's, does so by itself."""
    if item.role == "revocation list":
        return words(f"role_{item.role}")
    if item.name == item.role:
        return words(f"role_{item.role}")
    own = item.role in {"client", "ca"}
    return item.name if own else f"{words(f'role_{item.role}')} {item.name}"


def _bar(bar: Bar, *, first: bool) -> Markup:
    top, height = (3, BAR) if first else (3 + BAR + 4, EARLIER)
    strong = "bar" if first else "bar earlier"

    def rectangle(begin: float, end: float, class_: str) -> Markup:
        width = f"{max(end - begin, 0):.6g}%"
        return element(
            "rect", x=f"{begin:.6g}%", y=top, width=width, height=height, class_=class_, rx=1
        )

    parts = [rectangle(bar.begin, bar.due, strong)]
    if bar.due < bar.end:
        parts.append(rectangle(bar.due, bar.end, "renewal"))
    if bar.goes_on and first:
        arrow = element("path", d=f"M-8 {top + 2}l5 {BAR / 2 - 2:g}l-5 {BAR / 2 - 2:g}z")
        parts.append(element("svg", arrow, x="100%", width=1, class_="goes-on"))
    return element("g", *parts, class_=bar.item.state)


def _columns(chart: Columns, lanes: int, words: Words) -> Markup:
    periods = _periods(chart)
    described = words(
        "columns_text",
        holders=chart.holders,
        certificates=chart.certificates,
        shown=lanes,
    )
    width = 100 / len(chart.columns)
    drawn: list[Markup] = []
    labelled = -(-len(chart.columns) // 5)
    for place, column in enumerate(chart.columns):
        left, base = place * width, COLUMNS_HEIGHT
        stack = []
        for state in STATES:
            if not column.counts[state]:
                continue
            height = max(column.counts[state] / chart.highest * (COLUMNS_HEIGHT - 20), 1.0)
            base -= height  # type: ignore[assignment]
            rectangle = element(
                "rect",
                x=f"{left + width * 0.1:.6g}%",
                y=f"{base:.6g}",
                width=f"{width * 0.8:.6g}%",
                height=height,
                class_="bar",
            )
            stack.append(element("g", rectangle, class_=state))
        words_ = words("column_words", period=periods[place], counts=_counted(column.counts, words))
        drawn.append(element("g", element("title", words_), *stack))
        if column.counts.total() == chart.highest:
            drawn.append(_label(f"{chart.highest:,}", left + width / 2, base - 4))
        if place % labelled == 0:
            drawn.append(_label(periods[place], left + width / 2, COLUMNS_HEIGHT + 14))
    drawing = element(
        "svg",
        element("title", words("columns_title")),
        element("desc", described),
        *drawn,
        height=COLUMNS_HEIGHT + 20,
        role="img",
        class_="columns",
    )
    rows = [
        [element("th", period, scope="row"), *(str(column.counts[state] or "") for state in STATES)]
        for period, column in zip(periods, chart.columns, strict=True)
        if column.counts
    ]
    headings = [words("period_from"), *(words(f"state_{state}") for state in STATES)]
    figures = element("details", element("summary", words("figures")), _table(headings, rows))
    return joined(element("p", described), drawing, figures)


def _periods(chart: Columns) -> list[str]:
    return [f"{column.begin:%Y-%m}" for column in chart.columns]


def _vertical(place: float, class_: str, top: int, bottom: int) -> Markup:
    at = f"{place:.6g}%"
    return element("line", x1=at, x2=at, y1=top, y2=bottom, class_=class_)


def _label(text: str, place: float, top: float, class_: str | None = None) -> Markup:
    """Write a text on a drawing, which does not reach beyond it."""
    anchor = "start" if place < 7 else "end" if place > 93 else "middle"
    return element("text", text, x=f"{place:.6g}%", y=top, text_anchor=anchor, class_=class_)


def _holders(contents: Contents, words: Words) -> Markup:
    counts = Counter(item.state for item in contents.items)
    keys = contents.keys_of_clients
    text = [
        words("holders_text", total=len(contents.items), counts=_counted(counts, words)),
        words("crl_is_not_read"),
    ]
    if keys:
        named = [
            words("key_count", key=key or words("unknown_key"), count=count)
            for key, count in keys.most_common()
        ]
        text.insert(1, words("keys_of_clients", keys=words.listed(named)))
    headings = [
        words(key)
        for key in ("name", "role", "key", "state", "from", "to", "due", "serial", "fingerprint")
    ]
    subjects = contents.subjects()
    rows = [
        [
            _holder(item, subjects),
            element("span", words(f"role_{item.role}"), class_="day"),
            item.key,
            _state_of(item, words),
            _day_cell(item.not_before),
            _day_cell(item.not_after),
            _day_cell(item.due_at),
            _mono(item.serial_number),
            _mono(item.fingerprint_sha256),
        ]
        for item in contents.items
    ]
    return joined(*(element("p", paragraph) for paragraph in text), _table(headings, rows))


def _holder(item: InventoryItem, subjects: Mapping[tuple[str, str], str]) -> Markup:
    """Name of a holder, and the certificate's subject below it where that says more."""
    subject = subjects.get((item.name, item.serial_number))
    below = element("div", _outside(subject), class_="subject") if subject else None
    return element("th", _outside(item.name), below, scope="row")


def _counted(counts: Mapping[CertificateState, int], words: Words) -> str:
    return words.listed(
        [
            words("count_of", count=counts[state], state=words(f"state_{state}"))
            for state in STATES
            if counts.get(state)
        ]
    )


def _state_of(item: InventoryItem, words: Words) -> Markup:
    badge = _state_badge(item.state, words)
    if item.revoked_at is None:
        return badge
    revoked = words(
        "revoked_on",
        at=_day(item.revoked_at),
        reason=item.reason or words("no_reason"),
    )
    return element("span", badge, " ", element("span", revoked, class_="soft"))


def _verification(contents: Contents, words: Words) -> Markup:
    if contents.verification is None:
        of_stack = "" if contents.stack == "local" else f"STACK={contents.stack} "
        return _prose(words("verification_none", of_stack=of_stack))
    report = contents.verification.report
    counts = Counter(check.status for check in report.checks)
    text = words(
        "verification_text",
        url=report.url,
        at=_minute(contents.verification.written_at),
        **{status: counts[status] for status in ("passed", "failed", "skipped")},
    )
    headings = [words("check"), words("result"), words("seen")]
    rows = [
        [_title(check, words), _result(check, words), _outside(check.detail)]
        for check in report.checks
    ]
    return joined(element("p", text), _table(headings, rows))


def _title(check: Check, words: Words) -> Markup:
    return element("th", words.translated(f"check_{check.id}", check.title), scope="row")


def _result(check: Check, words: Words) -> Markup:
    return element("span", words(f"status_{check.status}"), class_=f"badge {check.status}")


def _listeners(contents: Contents, words: Words) -> Markup:
    outputs = contents.outputs
    facts: list[tuple[str, str]] = [
        (words("url"), outputs.url),
        (words("address"), outputs.address),
        (words("region"), outputs.region),
        (words("load_balancer"), outputs.load_balancer_id),
        (words("server_names"), ", ".join(outputs.server_names) or DASH),
        (words("issuer"), words(f"issuer_{outputs.server_certificate_issuer}")),
    ]
    if outputs.redirect_port:
        facts.append((words("redirect"), words("port_of", port=outputs.redirect_port)))
    listeners = outputs.listeners or (outputs.listener,)
    headings = [
        words(key)
        for key in (
            *("listener", "port", "scheduler", "sticky_session", "acl", "health_check"),
            "server_group",
        )
    ]
    shown = _table(headings, [_listener(listener, words) for listener in listeners])
    backends = element("p", words("no_backends"))
    if outputs.backends:
        rows = [
            [
                element("th", _outside(backend.server_id), scope="row"),
                str(backend.weight) if backend.weight else words("drained", weight=backend.weight),
            ]
            for backend in outputs.backends
        ]
        backends = _table([words("instance"), words("weight")], rows)
    return joined(_facts(facts), shown, backends)


def _listener(listener: ListenerSettings, words: Words) -> list[str]:
    cookie = f" ({listener.cookie})" if listener.cookie else ""
    return [
        element("th", _outside(listener.name), scope="row"),
        str(listener.port),
        words.known(f"scheduler_{listener.scheduler}", listener.scheduler),
        f"{listener.sticky_session}{cookie}" if listener.sticky_session else words("off"),
        words(f"acl_{listener.acl}") if listener.acl else words("off"),
        words("on" if listener.health_check else "off"),
        _outside(listener.server_group_id) if listener.server_group_id else words("default_group"),
    ]


def _authority(contents: Contents, words: Words) -> Markup:
    parts = [
        element("h3", words("ca_present")),
        _of_authority(contents.authority, words),
    ]
    rotation = contents.rotation
    if rotation is None:
        return joined(*parts, element("p", words("no_rotation")))
    parts += [element("h3", words("ca_next")), _of_authority(rotation.following, words)]
    parts.append(element("p", words("rotation")))
    if rotation.left_behind:
        named = [
            f"{certificate.name} ({certificate.serial_number})"
            for certificate in rotation.left_behind
        ]
        names = words.listed(named[:NAMES_SHOWN])
        if len(named) > NAMES_SHOWN:
            names = words("and_more", names=names, count=len(named) - NAMES_SHOWN)
        parts.append(element("p", words("left_behind", count=len(named), names=names)))
    else:
        parts.append(element("p", words("nobody_left_behind")))
    return joined(*parts)


def _of_authority(authority: Authority, words: Words) -> Markup:
    def listed(names: Iterable[tuple[type[x509.GeneralName], str]]) -> Markup:
        return element(
            "ul", *(element("li", _outside(_form(*name, words))) for name in names), class_="plain"
        )

    facts: list[tuple[str, str]] = [
        (words("subject"), _outside(authority.subject)),
        (words("to"), _day(authority.not_after)),
        (words("fingerprint"), _mono(authority.fingerprint_sha256)),
    ]
    if not authority.permitted and not authority.excluded:
        facts.append((words("permitted"), words("all_names")))
        return _facts(facts)
    if authority.permitted:
        facts.append((words("permitted"), listed(authority.permitted)))
    if authority.excluded:
        facts.append((words("excluded"), listed(authority.excluded)))
    return joined(_facts(facts), element("p", words("others_free"), class_="soft"))


FORMS = frozenset(
    {"DNSName", "RFC822Name", "IPAddress", "UniformResourceIdentifier", "DirectoryName"}
)


def _form(form: type[x509.GeneralName], name: str, words: Words) -> str:
    if form.__name__ in FORMS:
        return words(f"form_{form.__name__}", name=name)
    return words("form_other", form=form.__name__, name=name)


def _policy(contents: Contents, words: Words) -> Markup:
    headings = [words("rule"), words("holds"), words("level"), words("settings")]
    rows = [
        [
            element("th", element("code", rule.name), scope="row"),
            words.translated(f"rule_{rule.name}", rule.description),
            words.known(f"level_{rule.level}", rule.level),
            element(
                "ul",
                *(element("li", setting) for setting in _settings(rule.options)),
                class_="plain",
            )
            if rule.options
            else "",
        ]
        for rule in contents.rules
    ]
    return joined(_prose(words("policy_text")), _table(headings, rows))


def _settings(options: Mapping[str, Any]) -> list[str]:
    return [f"{name}: {_value(value)}" for name, value in options.items()]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or DASH
    return value if isinstance(value, str) else json.dumps(value)


def _facts(facts: Iterable[tuple[str, str]]) -> Markup:
    return element(
        "dl",
        *(joined(element("dt", name), element("dd", value)) for name, value in facts),
        class_="facts",
    )


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """Write a table; on a telephone each cell has its heading before it.

    The roles are what an element is without the style that a telephone gives it.
    """
    labels = [element("th", heading, scope="col", role="columnheader") for heading in headings]
    return element(
        "table",
        element("thead", element("tr", *labels, role="row"), role="rowgroup"),
        element("tbody", *(_row(headings, row) for row in rows), role="rowgroup"),
        role="table",
    )


def _row(headings: Sequence[str], cells: Sequence[str]) -> Markup:
    shown = [
        cell
        if isinstance(cell, Markup) and cell.startswith("<th")
        else element("td", cell, data_label=heading, role="cell")
        for heading, cell in zip(headings, cells, strict=True)
    ]
    return element("tr", *shown, role="row")


def _state_badge(state: CertificateState, words: Words) -> Markup:
    return element("span", words(f"state_{state}"), class_=f"badge {state}")


def _prose(text: str, class_: str | None = None) -> Markup:
    """Write a paragraph, in which what stands between backticks is code."""
    parts = text.split("`")
    shown = [element("code", part) if place % 2 else part for place, part in enumerate(parts)]
    return element("p", *shown, class_=class_)


def _outside(text: str) -> Markup:
    """Write a text of somebody else's, whose direction of writing stays its own."""
    return element("bdi", text)


def _mono(text: str) -> Markup | str:
    return element("span", text, class_="mono") if text else ""


def _day_cell(time: datetime | None) -> Markup | str:
    return element("span", _day(time), class_="day") if time else ""


def _day(time: datetime | None) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d}" if time else ""


def _minute(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
