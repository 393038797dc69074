"""A stack's configuration of any content is settings or a sentence for each mistake."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import example
from hypothesis import strategies as st

from components.arguments.errors import SettingsError
from configuration.settings import Settings, check_region, parse
from tests.fuzz.cases import SECRET, documents, given, old_habits, plain, texts, tried
from tests.unit.test_documentation import KEYS

FILE = "Pulumi.fuzz.yaml"
NAMES = sorted({part for key in KEYS for part in key.split(".")} - {"NAME"})
PATHS = sorted(KEYS)
PYTHONS_WORDS = re.compile(
    r"\b(tuple|dict|dictionary|NoneType|None|True|False|instance of|str|int)\b"
)
SECRETS = ("server.private_key", "clients.a.pass_phrase")

names = st.one_of(st.sampled_from(NAMES), texts)
known = st.recursive(plain, lambda inner: st.dictionaries(names, inner, max_size=4), max_leaves=12)
"""Documents whose keys are mostly the program's own, in the wrong places."""


def at(path: str, value: object) -> dict[str, object]:
    """A configuration with one value at a dotted path."""
    first, _, rest = path.partition(".")
    return {first: at(rest, value) if rest else value}


def written(values):
    """All keys and texts of a document: a message may quote them."""
    if isinstance(values, dict):
        return " ".join(written(part) for item in values.items() for part in item)
    if isinstance(values, list | tuple):
        return " ".join(map(written, values))
    return values if isinstance(values, str) else ""


def judge(values, secret_keys=()):
    """Settings, or an error with a sentence a line that shows no secret."""
    tried["configuration"] += 1
    try:
        with warnings.catch_warnings():
            # ipaddress takes true and false for numbers; that they are refused is what counts.
            warnings.filterwarnings("ignore", message="__int__ returned non-int")
            with old_habits():
                assert isinstance(parse(values, file=FILE, secret_keys=secret_keys), Settings)
    except SettingsError as error:
        message = str(error)
        assert message
        assert "Traceback" not in message
        assert not {*PYTHONS_WORDS.findall(message)} - {*PYTHONS_WORDS.findall(written(values))}
        return message
    return ""


@given(st.dictionaries(names, known, max_size=5))
@example({"None": None})
def test_keys_of_ours_and_others_in_any_place(values):
    judge(values)


@given(st.sampled_from(PATHS), documents, texts)
def test_any_value_at_any_key(path, value, client):
    judge(at(path.replace("NAME", client.replace(".", "")), value))


@given(st.dictionaries(st.sampled_from(PATHS), plain, min_size=2, max_size=6))
def test_several_wrong_values_together(chosen):
    values: dict[str, dict[str, object]] = {}
    for path, value in chosen.items():
        for key, inner in at(path.replace("NAME", "a"), value).items():
            node, below = values, {key: inner}
            while isinstance(below, dict) and below:
                (name, below), *_ = below.items()
                if not isinstance(below, dict):
                    node[name] = below
                    break
                node = node.setdefault(name, {})
                if not isinstance(node, dict):
                    break
    judge(values)


@pytest.mark.parametrize("path", SECRETS)
@given(value=documents)
def test_what_stands_for_a_secret_is_never_repeated(path, value):
    for given_secret in (value, [value, SECRET], {"x": SECRET}, f"{SECRET}\n", SECRET):
        assert SECRET not in judge(at(path, given_secret), {path.partition(".")[0]})


@given(st.sampled_from(PATHS), documents)
def test_nothing_below_a_key_that_holds_a_secret_is_repeated(path, value):
    place = path.replace("NAME", "a")
    first = place.partition(".")[0]
    for given_secret in (value, SECRET, [SECRET], {"x": SECRET}, f"{SECRET}/", f" {SECRET}"):
        # A name that is well-formed is shown in the certificate that it goes into.
        assert SECRET not in judge(at(place, given_secret), {first})


@given(st.one_of(st.none(), texts))
def test_any_region(region):
    tried["configuration"] += 1
    try:
        assert check_region(region, file=FILE) == region
    except SettingsError as error:
        message = str(error)
        assert "alicloud:region" in message
