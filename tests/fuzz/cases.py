"""Hostile values, and how many cases were tried with them."""

from __future__ import annotations

import base64
import contextlib
import os
import textwrap
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import hypothesis
from cryptography.utils import CryptographyDeprecationWarning
from hypothesis import HealthCheck
from hypothesis import strategies as st

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "300"))
"""Generated cases a test; `make test-long` sets more."""

tried: Counter[str] = Counter()
"""Cases by what they were tried on; printed at the end of the run."""

SECRET = "never-to-be-shown"
"""Stands for a secret in the input: no message may repeat it."""


def given(
    *arguments: Any, rounds: int = ROUNDS, **options: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hypothesis's, with this folder's settings whatever profile others have loaded."""
    chosen = hypothesis.settings(
        max_examples=rounds,
        # No case takes a second. Half a minute is a hang, and not a busy machine.
        deadline=timedelta(seconds=30),
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    return lambda test: chosen(hypothesis.given(*arguments, **options)(test))


texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", " ", "\0", "\n", "\ud800", "\u202e", "../../etc/passwd", "%s%n", "${x}", "{{7*7}}",
         "i-a", "365d", "0d", "9999999d", "-1d", "1e9", "NaN", "null", "true", "10.0.0.0/8",
         "::/0", "=cmd", "'; drop table", "a" * 10_000]
    ),
)  # fmt: skip
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 1, 2**31, 2**63, 10**400, float("inf"), 2048, 443]),
)
plain = st.one_of(st.none(), st.booleans(), numbers, texts, st.just(SECRET))
documents = st.recursive(
    plain,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
"""Anything that JSON or YAML can hold."""


@contextlib.contextmanager
def old_habits() -> Iterator[None]:
    """cryptography only warns of what it will refuse one day, such as a negative serial number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


def spoilt(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with some of its bytes changed, a piece cut out, or something put in."""
    places = st.integers(0, len(content) - 1)

    def changed(changes: dict[int, int]) -> bytes:
        copy = bytearray(content)
        for place, value in changes.items():
            copy[place] = value
        return bytes(copy)

    return st.one_of(
        st.dictionaries(places, st.integers(0, 255), min_size=1, max_size=6).map(changed),
        st.tuples(places, places).map(lambda ends: content[: min(ends)] + content[max(ends) :]),
        st.tuples(places, st.binary(max_size=40)).map(
            lambda put: content[: put[0]] + put[1] + content[put[0] :]
        ),
    )


def armoured(label: str, der: bytes) -> str:
    """PEM (RFC 7468) around any bytes."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"
