from __future__ import annotations

import re

from operations.review.comment import GITHUB_LIMIT, marker, render_markdown
from operations.review.plan import ABSENT, SECRET, UNKNOWN, Change, Plan, Property, Violation

LISTENER = "alicloud:slb/listener:Listener"
REGISTER = "pulumi-python:dynamic/pki:CertificateRegister"
CA = "pulumi-python:dynamic/pki:CertificateAuthority"


def plan(*changes, unchanged=3, violations=(), errors=(), warnings=()):
    return Plan(tuple(changes), unchanged, tuple(violations), tuple(errors), tuple(warnings))


def change(*properties, operation="update", kind=LISTENER, name="web", **rest):
    return Change(operation, kind, name, tuple(properties), **rest)


def test_the_first_line_marks_the_comment_and_the_headline_counts():
    text = render_markdown(
        plan(change(Property("gzip", True, False)), change(operation="create", name="b")), "prod"
    )
    assert text.split("\n")[0] == marker("prod") == "<!-- slb-mutual-tls: preview of prod -->"
    assert "**1 to create, 1 to update; 3 unchanged.**" in text


def test_nothing_to_do_is_said():
    text = render_markdown(plan(unchanged=21), "dev")
    assert "**Nothing to do; 21 unchanged.**" in text
    assert "|" not in text


def test_what_forces_a_replacement_stands_out():
    text = render_markdown(
        plan(
            change(
                Property("name", "a", "b"),
                Property("port", 443, 8443),
                operation="replace",
                forced_by=("port",),
                deletes_first=True,
            )
        ),
        "dev",
    )
    assert "| replace, old one first | `slb:Listener` `web` | `name`, **`port`** |" in text


def test_dates_of_certificates_are_shown():
    text = render_markdown(
        plan(
            change(
                Property("clients.a.b.not_after", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
                Property("clients.gone.not_after", "2027-01-01T00:00:00Z", ABSENT),
                kind=REGISTER,
            ),
            change(
                Property("not_after", ABSENT, "2036-01-01T00:00:00Z"), operation="create", kind=CA
            ),
        ),
        "dev",
    )
    validity = text.split("### Validity")[1].split("<details>")[0]
    assert "| client `a.b` | `2027-01-01T00:00:00Z` | `2028-01-01T00:00:00Z` |" in validity
    assert "| client `gone` | `2027-01-01T00:00:00Z` | — |" in validity
    assert "| CA | — | `2036-01-01T00:00:00Z` |" in validity


def test_another_ca_is_called_what_it_is():
    text = render_markdown(plan(change(operation="replace", kind=CA)), "dev")
    assert "### Attention" in text
    assert "every client certificate of before is refused" in text
    assert "### Attention" not in render_markdown(plan(change(kind=CA)), "dev")


def test_values_are_neither_markup_nor_mentions():
    text = render_markdown(
        plan(
            change(
                Property("a", "x|y", "`@root` </details>"),
                Property("b", "one\ntwo", True),
                Property("c", "-----BEGIN CERTIFICATE-----\nMIIB", UNKNOWN),
                Property("d", SECRET, SECRET),
                Property("e", "z" * 500, {"k": UNKNOWN}),
                name="<web>",
            )
        ),
        "dev",
    )
    assert "| `a` | `x\\|y` | ``  `@root` </details>  `` |".replace("  ", " ") in text
    assert "| `b` | `one two` | `true` |" in text
    assert "| `c` | `CERTIFICATE (PEM)` | _known after up_ |" in text
    assert "| `d` | _[secret]_ | _[secret]_ |" in text
    assert f"`{'z' * 79}…`" in text
    assert "<summary>update alicloud:slb/listener:Listener &#60;web&#62;</summary>" in text
    # In the rendered text, all that is in the cells is within code spans.
    assert "</details>" in re.sub(r"(`+) ?.*?\1", "", text)
    assert "@root" not in re.sub(r"(`+).*?\1(?!`)", "", text)


def test_messages_cannot_leave_their_block():
    text = render_markdown(plan(errors=("bad\n````\n<b>",)), "dev", status=1)
    assert "**The preview failed.**" in text
    assert "`````text\nbad\n````\n<b>\n`````" in text


def test_broken_rules_and_advice_are_told():
    text = render_markdown(
        plan(violations=(Violation("tls", True, "TLS 1.0"), Violation("tag", False, "none"))),
        "dev",
        status=1,
    )
    assert "broken: tls: TLS 1.0\nadvice: tag: none" in text
    assert "**The preview failed.**" in text


def test_changes_that_nobody_expected_are_called_so():
    assert "1 to update; 3 unchanged. No change was expected." in render_markdown(
        plan(change(Property("a", 1, 2))), "dev", status=1
    )


def test_a_preview_that_could_not_start_says_that_it_failed():
    assert "**The preview failed.**" in render_markdown(plan(unchanged=0), "dev", status=255)


def test_a_long_preview_is_cut_to_a_comment_and_says_so():
    clients = [
        Property(f"clients.client-{number}.not_after", "2027-01-01", "2028-01-01")
        for number in range(5000)
    ]
    text = render_markdown(plan(change(*clients, kind=REGISTER)), "dev")
    assert len(text) <= GITHUB_LIMIT
    assert text.endswith("_Cut to the size of a comment: the job's log has the whole preview._\n")
    assert "client-0" in text
    few = render_markdown(plan(change(*clients[:100], kind=REGISTER)), "dev")
    assert "40 more in the job's log." in few
    assert "_Cut to" not in few
