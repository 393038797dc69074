"""`make bench`: one figure a line, `name: value unit`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import api, issuing, load, scale, stack
from operations.local_environment import LocalEnvironment
from toolchain.install import ensure
from toolchain.progress import Reporter


def main() -> None:
    """Measure everything in a folder of its own, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        issuing.run()
        scale.run(folder)
        home = folder / "home"
        environment = LocalEnvironment(home)
        environment.start_cloud(0)
        try:
            stack.run(home)
            api.run(home)
            stack.down(home)
        finally:
            environment.stop_cloud()
        with Reporter() as reporter:
            toolchain = ensure(reporter)
        load.run(folder / "load", toolchain)


if __name__ == "__main__":
    main()
