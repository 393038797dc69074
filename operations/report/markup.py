"""HTML and SVG: what comes from outside is text in it, and can be nothing else."""

from __future__ import annotations

import html

VOID = frozenset({"meta"})
"""Elements of HTML without an end tag, as far as they are used."""


class Markup(str):
    """A text that is HTML or SVG already."""

    __slots__ = ()


def element(tag: str, *children: str | None, **attributes: object) -> Markup:
    """Write an element; texts are escaped, markup is taken as it is, None is left out.

    Args:
        tag: Name of the element.
        children: Content.
        attributes: `class_` stands for `class`, `stroke_width` for `stroke-width`; None for one
            that is not there.
    """
    named = "".join(
        f' {name.removesuffix("_").replace("_", "-")}="{escaped(_text(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID:
        return Markup(f"<{tag}{named}>")
    content = "".join(map(escaped, (child for child in children if child is not None)))
    return Markup(f"<{tag}{named}>{content}</{tag}>")


def escaped(text: str) -> Markup:
    """Escape a text, with every character that nobody would see by its code point.

    So two names that look the same are told apart, and no character that turns the direction of
    writing does that to its surroundings.
    """
    if isinstance(text, Markup):
        return text
    if not text.isprintable():
        text = "".join(map(_visible, text))
    return Markup(html.escape(text))


def joined(*parts: str | None) -> Markup:
    """Join pieces of markup, one after the other."""
    return Markup("".join(escaped(part) for part in parts if part is not None))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character in "\t\r\n" else f"⟨U+{ord(character):04X}⟩"


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
