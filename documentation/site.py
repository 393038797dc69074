"""`python -m documentation.site FOLDER`: build the site of the documentation.

The search in the browser takes for a word what stands between two separators, and Chinese has none.
So its words are parted by a space of no width, which mkdocs.yml names among the separators.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from operations.project import PROJECT

SPACE = "\N{ZERO WIDTH SPACE}"

WORDS = (Path(__file__).parent / "words.zh.txt").read_text(encoding="utf-8").split()
"""Words that readers search for in these pages; of all else, each character is a word."""

_LONGEST_FIRST = re.compile("|".join(sorted(WORDS, key=len, reverse=True)) + "|[\u4e00-\u9fff]")

STYLE_ALONE = """
body { font: 16px/1.6 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #ccc; padding: 0.4rem 0.6rem; text-align: left; vertical-align: top; }
pre { background: #f4f4f4; padding: 0.7rem; overflow-x: auto; font-size: 0.85rem; }
td code { white-space: nowrap; } code { overflow-wrap: anywhere; } img { max-width: 100%; }
@media print { pre { white-space: pre-wrap; overflow-wrap: anywhere; } }
"""
"""Style sheet of a page that stands by itself."""

_LONG_NAME = re.compile(r"(?<=<td><code>)[\w.]{22,}(?=</code>)")
"""Long name of a key in the first column of a table, which may be broken behind its dots."""


def part_words(text: str) -> str:
    """Put spaces of no width around the Chinese words of a text."""
    return _LONGEST_FIRST.sub(lambda word: f"{SPACE}{word[0]}{SPACE}", text).replace(
        SPACE * 2, SPACE
    )


def build(folder: Path) -> None:
    """Build the site.

    Raises:
        subprocess.CalledProcessError: A link or an anchor leads nowhere, or a page is in no menu.
    """
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder],
        cwd=PROJECT,
        check=True,
        # It keeps the theme's makers from printing an announcement.
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    _mend(folder)
    for language, page in {"en": "partner", "zh": "zh/partner"}.items():
        content = make_standalone(folder / page / "index.html", language)
        (folder / f"partner.{language}.html").write_text(content, encoding="utf-8")
    path = folder / "search" / "search_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    for entry in index["docs"]:
        entry["title"], entry["text"] = part_words(entry["title"]), part_words(entry["text"])
    path.write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")


def make_standalone(page: Path, language: str) -> str:
    """Make a page of the site one file that needs no other, to send along."""
    text = page.read_text(encoding="utf-8")
    (article,) = re.findall(r"<article[^>]*>(.*?)</article>", text, re.DOTALL)
    article = re.sub(r'<a class="headerlink".*?</a>', "", article)

    def embedded(image: re.Match[str]) -> str:
        content = base64.b64encode((page.parent / image[1]).resolve().read_bytes()).decode()
        return f'src="data:image/png;base64,{content}"'

    article = re.sub(r'src="([^"]+\.png)"', embedded, article)
    title = re.sub(r"<[^>]+>", "", re.findall(r"<h1[^>]*>(.*?)</h1>", article)[0])
    return (
        f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{title}</title>\n<style>{STYLE_ALONE}</style>\n<body>{article}</body>\n</html>\n"
    )


def _make_breakable(name: re.Match[str]) -> str:
    return name[0].replace(".", ".<wbr>")


def _mend(folder: Path) -> None:
    """Mend the pages, and remove what has to know the site's address.

    The theme would look for a map of the site beside each page in the other language: it has none.
    """
    for path in folder.glob("sitemap.xml*"):
        path.unlink()
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r'<link rel="alternate"[^>]*>', "", text)
        path.write_text(_LONG_NAME.sub(_make_breakable, text), encoding="utf-8")


def main() -> int:
    """Build the site into the folder that the command line names."""
    try:
        build(Path(sys.argv[1]).resolve())
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
