"""The console command `slb-mutual-tls`: `python -m operations` of the repository."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run the repository's commands; the package alone has none."""
    if not (ROOT / "operations").is_dir():
        print(
            "error: slb-mutual-tls runs the repository's commands, and this is the package alone: "
            "clone the repository, and install it by `pip install --editable .`",
            file=sys.stderr,
        )
        return 1
    sys.path.insert(0, str(ROOT))
    from operations.__main__ import main as run  # noqa: PLC0415 - not there in the package alone

    return run()
