"""DER is taken apart element by element, and what is cut short is refused."""

from __future__ import annotations

import pytest

from components.pki import der

LONG = der.element(der.BIT_STRING, bytes(300))


def test_elements_that_follow_each_other_are_each_whole():
    parts = [der.integer(1), LONG, der.sequence([])]
    assert der.elements(b"".join(parts)) == parts
    assert der.inner(der.sequence(parts)) == parts
    assert der.content(LONG) == bytes(300)


@pytest.mark.parametrize(
    "data", [b"\x30", b"\x30\x05\x00", LONG[:-1], LONG[:3], der.integer(1) + b"\x02"], ids=len
)
def test_what_is_cut_short_is_refused(data):
    with pytest.raises(ValueError, match="cut short"):
        der.elements(data)
