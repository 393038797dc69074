"""Tracebacks in what a command prints."""

from __future__ import annotations

import re

OURS = re.compile(
    r'File "(?![^"]*/site-packages/)[^"]*/(?:__main__\.py|(?:components|configuration|operations)/)'
)


def of_ours(text: str) -> list[str]:
    """Lines of tracebacks that lead through the project's own code.

    Once the engine has refused a resource it ends the registrations that are under way, and the
    SDK may show where it waited for them: that is no mistake of the program.
    """
    return [line.strip() for line in text.splitlines() if OURS.search(line)]
