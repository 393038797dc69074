"""The per-user cache: finished parts only, each under a name that holds its version.

A part is made in a scratch folder and renamed into place, so a run that is cut off leaves nothing
that a later one could take for finished; a lock per part lets two runs share the work.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock


def directory() -> Path:
    """The cache's root, created with access for its owner only."""
    root = platformdirs.user_cache_path("slb-mutual-tls") / "toolchain"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def has(name: str) -> bool:
    """Tell whether a part of the cache is there, finished."""
    return (directory() / name).is_dir()


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A folder to work in, for one run at a time; the next one clears what a killed run left."""
    root = directory()
    with FileLock(root / f"{name}.lock"):
        for abandoned in root.glob(f"{name}-*"):
            shutil.rmtree(abandoned)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def ensure_part(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of a part, calling `make` with an empty folder to fill if it is missing.

    Args:
        name: Name that is unique for the part's content: version, platform, and how it came about.
        make: Function that fills the folder it gets; if it raises, the cache stays as it was.
    """
    root = directory()
    finished = root / name
    if finished.is_dir():
        return finished
    with FileLock(root / f"{name}.lock"):
        if finished.is_dir():  # another run made it while this one waited
            return finished
        for abandoned in root.glob(f"{name}.partial-*"):
            shutil.rmtree(abandoned)
        scratch = Path(tempfile.mkdtemp(prefix=f"{name}.partial-", dir=root))
        try:
            make(scratch)
            scratch.rename(finished)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return finished
