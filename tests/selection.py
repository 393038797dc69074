"""Which tests run together, and in what order."""

from __future__ import annotations

import functools
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from operations.project import PROJECT

FOLDERS = ("unit", "clean", "workflows", "integration", "conformance", "fuzz", "hostile", "engine")
"""Below tests/, the cheapest first, so that a slip shows in a minute; then the others."""


def is_long(item: pytest.Item) -> bool:
    """Whether a test takes many minutes."""
    return item.get_closest_marker("long") is not None


def is_in_order(item: pytest.Item) -> bool:
    """Whether a test goes on where the one above it in its file ended."""
    return item.get_closest_marker("in_order") is not None


def in_slice(items: Sequence[pytest.Item], slice_: str) -> list[pytest.Item]:
    """Those of the tests whose files belong to a slice.

    Args:
        items: The tests.
        slice_: `TEXT/COUNT`: of so many slices one, by a text such as a commit's hash.

    Raises:
        pytest.UsageError: It is written otherwise.
    """
    text, _, count = slice_.partition("/")
    if not count.isdigit() or count == "0":
        raise pytest.UsageError(f"--slice is {slice_!r}; it is written TEXT/COUNT, such as 1a2b/4")
    files = sorted({file_of(item) for item in items})
    chosen = set(files[zlib.crc32(text.encode()) % int(count) :: int(count)])
    return [item for item in items if file_of(item) in chosen]


def file_of(item: pytest.Item) -> str:
    """Path of a test's file from the project's folder."""
    return Path(os.path.relpath(item.path, PROJECT)).as_posix()


def cheapest_first(item: pytest.Item) -> tuple[int, int]:
    """Sort by folder; of the files that take longest, the longest first.

    Long ones begin early enough that none is left over when all others are done.
    """
    folder = file_of(item).split("/")[1]
    name = item.path.stem
    place = FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)
    return place, LONGEST.index(name) if name in LONGEST else len(LONGEST)


def with_what_comes_before(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Add to tests of files that run in order those above them: each can be asked for alone."""
    chosen = {item.nodeid for item in items}
    completed: dict[str, pytest.Item] = {}
    for item in items:
        for one in _above(item) if is_in_order(item) else []:
            if one.nodeid not in chosen:
                completed.setdefault(one.nodeid, one)
        completed.setdefault(item.nodeid, item)
    return list(completed.values())


def _above(item: pytest.Item) -> list[pytest.Item]:
    """Tests that a test goes on from: those of its file above it, with the same parameters."""
    module = item.getparent(pytest.Module)
    assert module is not None
    whole = _tests_of(module)
    place = [one.nodeid for one in whole].index(item.nodeid)
    return [
        one
        for one in whole[:place]
        if is_long(one) == is_long(item) and _agree(_parameters(one), _parameters(item))
    ]


@functools.cache
def _tests_of(module: pytest.Module) -> list[pytest.Item]:
    """All tests of a file, also where some of them are run alone; there are none in classes."""
    return [item for item in module.collect() if isinstance(item, pytest.Item)]


def _parameters(item: pytest.Item) -> dict[str, int]:
    return dict(item.callspec.indices) if hasattr(item, "callspec") else {}


def _agree(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return all(other[name] == index for name, index in one.items() if name in other)


LONGEST = (
    "test_misbehaving_api",
    "test_existing",
    "test_kept_state",
    "test_ca_without_key",
    "test_load",
    "test_listeners",
    "test_rotation",
    "test_rotating",
    "test_main_job",
    "test_operations",
    "test_existing_ca",
    "test_preview_job",
    "test_preview_of_a_fork",
    "test_secrets",
    "test_import",
    "test_every_feature",
    "test_names",
    "test_cutting_off",
    "test_drift",
    "test_revocation",
    "test_renewal",
    "test_ipv6",
    "test_earlier_state",
    "test_earlier_provider",
    "test_edited_state",
    "test_policy",
    "test_import_in_full",
    "test_probe",
    "test_client_keys",
)
"""Files of the tests with the engine that take longest, the longest first.

At the beginning, two that mostly wait for the provider are beside two that do not.
"""
