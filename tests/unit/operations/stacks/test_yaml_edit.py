"""A value of a stack's file is changed, and nothing else of it."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.stacks import engine_yaml, stack_file
from operations.stacks.stack_file import UnsuitedError

TEXT = """\
# Of the team.
config:
    alicloud:region:   cn-hangzhou   # four spaces


    # Who gets in.
    slb-mutual-tls:clients:
        browser: {}     # nobody knows
        partner:
        "1001":
            validity: 30d # short
        inline: {validity: 90d,  renew_before: 9d }
        # The last.
    slb-mutual-tls:certificate_authority:
        subject: {country: NO}
        generation: 0x1   # odd
        next_generation: 2
    slb-mutual-tls:backends:
        instance_ids:
        - i-1
        weights: [100]
    slb-mutual-tls:tags:
        release: 1.10
        note: |
            of two
            lines

    slb-mutual-tls:server: {domains: [a.example.com]}
"""


def lines(path: str, value: object, text: str = TEXT) -> list[str]:
    """The lines that a change takes away and adds."""
    changed = stack_file.change_value(text, ["config", *stack_file.split_path(path)], value)
    found = difflib.unified_diff(text.splitlines(), changed.splitlines(), lineterm="", n=0)
    return [line for line in list(found)[2:] if not line.startswith("@@")]


@pytest.mark.parametrize(
    ("path", "value", "changed"),
    [
        (
            'slb-mutual-tls:clients["browser"].revoked',
            "keyCompromise",
            [
                "-        browser: {}     # nobody knows",
                "+        browser: {revoked: keyCompromise}     # nobody knows",
            ],
        ),
        (
            'slb-mutual-tls:clients["partner"].revoked',
            "keyCompromise",
            ["-        partner:", "+        partner: {revoked: keyCompromise}"],
        ),
        (
            'slb-mutual-tls:clients["1001"].revoked',
            "keyCompromise",
            ["+            revoked: keyCompromise"],
        ),
        (
            'slb-mutual-tls:clients["inline"].revoked',
            "keyCompromise",
            [
                "-        inline: {validity: 90d,  renew_before: 9d }",
                "+        inline: {validity: 90d,  renew_before: 9d, revoked: keyCompromise }",
            ],
        ),
        (
            "slb-mutual-tls:certificate_authority.generation",
            2,
            ["-        generation: 0x1   # odd", "+        generation: 2   # odd"],
        ),
        (
            "slb-mutual-tls:certificate_authority.next_generation",
            None,
            ["-        next_generation: 2"],
        ),
        (
            "slb-mutual-tls:certificate_authority.subject.country",
            None,
            ["-        subject: {country: NO}", "+        subject: {}"],
        ),
        ("slb-mutual-tls:backends.instance_ids[1]", "i-2", ["+        - i-2"]),
        (
            "slb-mutual-tls:backends.weights[1]",
            50,
            ["-        weights: [100]", "+        weights: [100, 50]"],
        ),
        ('slb-mutual-tls:tags["a key"]', "on", ['+        "a key": "on"']),
        (
            "slb-mutual-tls:listener.health_check.uri",
            "/healthz",
            [
                "+    slb-mutual-tls:listener:",
                "+      health_check:",
                "+        uri: /healthz",
            ],
        ),
        (
            "slb-mutual-tls:listener.acl.ids[0]",
            "acl-1",
            ["+    slb-mutual-tls:listener:", "+      acl:", "+        ids: [acl-1]"],
        ),
        ("slb-mutual-tls:certificate_authority.nothing", None, []),
    ],
)
def test_only_the_place_changes(path, value, changed):
    assert lines(path, value) == changed


def test_what_was_the_only_key_leaves_an_empty_map():
    text = "config:\n  a:ca: # of the CA\n    next: 2\n  a:b: 1\n"
    assert lines("a:ca.next", None, text) == [
        "-  a:ca: # of the CA",
        "-    next: 2",
        "+  a:ca: {} # of the CA",
    ]


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_line_endings_and_a_byte_order_mark_stay(ending, mark):
    text = mark + TEXT.replace("\n", ending).rstrip()
    path = ["config", "slb-mutual-tls:clients", "1001", "revoked"]
    changed = stack_file.change_value(text, path, "keyCompromise")
    added = f"{ending}            revoked: keyCompromise"
    assert changed == text.replace("30d # short", f"30d # short{added}")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("config:\n  a: &one {b: 1}\n  c: *one\n", ["config", "c", "b"]),
        ("config:\n  a: {b: 1}\n", ["config", "a", "b", "c"]),
        ("config:\n  a: |\n    text\n", ["config", "a"]),
        ("", ["config", "a"]),
    ],
    ids=["alias", "a value above", "block", "empty"],
)
def test_what_cannot_be_changed_in_one_place_is_refused(text, path):
    with pytest.raises(UnsuitedError):
        stack_file.change_value(text, path, 2)


NAMES = st.text("aB1.-_", min_size=1, max_size=4) | st.sampled_from(
    ["on", "no", "007", "1.10", "null", "~", "12:30", "é ", "a: b", "#", '"', "1e3"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    values=st.dictionaries(NAMES, VALUES, min_size=1, max_size=3),
    path=st.lists(NAMES, min_size=1, max_size=3),
    value=st.none() | st.booleans() | st.integers(-(2**63), 2**63) | NAMES,
)
def test_a_change_is_had_or_refused_whatever_the_file_holds(values, path, value):
    text = engine_yaml.dump({"config": values})
    assert engine_yaml.load(text) == {"config": values}
    try:
        changed = stack_file.change_value(text, ["config", *path], value)
    except UnsuitedError:
        return
    found = engine_yaml.load(changed)["config"]
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    assert found == value
