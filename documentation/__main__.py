"""`python -m documentation`: bring the pages that are made from the code up to date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from documentation import architecture, configuration
from operations.project import PROJECT


def make_pages() -> Iterator[tuple[Path, str]]:
    """Make each page that comes from the code, as it should be."""
    for language in ("en", "zh"):
        path = PROJECT / "docs" / language / "configuration.md"
        yield path, configuration.update_page(path.read_text(encoding="utf-8"), language)
        yield PROJECT / "docs" / language / "architecture.svg", architecture.draw(language)


def main() -> None:
    """Write the pages that differ from what the code says."""
    for path, text in make_pages():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
