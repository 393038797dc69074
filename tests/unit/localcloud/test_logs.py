"""The log stays short however long a local cloud runs, and loses no line that it shall keep."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from localcloud import logs
from localcloud.dataplane import files
from localcloud.logs import RotatingLog
from tests.unit.localcloud.process import PROJECT

LIMIT = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.log"


@pytest.fixture
def log(path: Path):
    found = RotatingLog(path, LIMIT)
    yield found
    found.close()


def write(log: RotatingLog, text: str) -> None:
    log.emit(logging.LogRecord("n", logging.INFO, "p", 1, text, None, None))


def numbers(text: str) -> list[int]:
    return [int(line.rsplit(" ", 1)[1]) for line in text.splitlines()]


def test_a_full_log_turns_over_and_the_oldest_goes(log: RotatingLog, path: Path) -> None:
    old = os.umask(0)
    try:
        for number in range(1000):
            write(log, f"line {number}")
    finally:
        os.umask(old)
    found = sorted(path.parent.iterdir())
    assert [one.name for one in found] == ["cloud.log", "cloud.log.1", "cloud.log.2"]
    assert all(one.stat().st_size <= LIMIT for one in found)
    assert {stat.S_IMODE(one.stat().st_mode) for one in found} == {0o600}
    kept = numbers("".join(logs.read_lines(path, follow=False)))
    assert kept == list(range(1000 - len(kept), 1000))
    assert sum(one.stat().st_size for one in found) > 2 * LIMIT


WRITER = """
import logging, sys
from pathlib import Path
from localcloud.logs import RotatingLog
log = RotatingLog(Path(sys.argv[1]), int(sys.argv[2]))
log.setFormatter(logging.Formatter("%(message)s"))
# In one write, as `print` does not where PYTHONUNBUFFERED is set: two processes share the file.
sys.stdout.write("printed at first\\n")
sys.stdout.flush()
for number in range(int(sys.argv[3])):
    log.emit(logging.LogRecord("n", 20, "p", 1, f"{sys.argv[4]} {number}", None, None))
sys.stdout.write("printed at last\\n")
sys.stdout.flush()
"""


def writer(path: Path, limit: int, count: int, name: str) -> subprocess.Popen[bytes]:
    with files.append_private(path) as opened:
        return subprocess.Popen(
            [sys.executable, "-c", WRITER, path, str(limit), str(count), name],
            cwd=PROJECT,
            stdout=opened,
            stderr=opened,
        )


def test_what_a_process_prints_goes_along_with_its_log(path: Path) -> None:
    assert writer(path, LIMIT, 2000, "a").wait(60) == 0
    assert path.read_text().endswith("printed at last\n")
    assert "printed at first" not in "".join(logs.read_lines(path, follow=False))
    assert sum(one.stat().st_size for one in path.parent.iterdir()) < 4 * LIMIT


def test_two_processes_write_whole_lines_to_the_same_file(path: Path) -> None:
    count = 3000
    started = [writer(path, 20 * LIMIT, count, name) for name in ("a", "b")]
    assert [one.wait(60) for one in started] == [0, 0]
    found = "".join(logs.read_lines(path, follow=False)).splitlines()
    for name in ("a", "b"):
        own = [int(line.split()[1]) for line in found if line.startswith(f"{name} ")]
        assert own[-1] == count - 1
    assert {line.split()[0] for line in found} <= {"a", "b", "printed"}
    assert all(len(line.split()) in {2, 3} for line in found)
    sizes = [one.stat().st_size for one in path.parent.iterdir()]
    assert len(sizes) <= 3
    assert max(sizes) <= 21 * LIMIT


def test_a_log_that_another_process_turned_over_is_found_again(
    log: RotatingLog, path: Path
) -> None:
    write(log, "line 1")
    path.rename(path.with_name("cloud.log.1"))
    write(log, "line 2")
    assert numbers(path.read_text()) == [2]
    path.unlink()
    write(log, "line 3")
    assert numbers(path.read_text()) == [3]


def test_following_goes_on_after_a_turn(log: RotatingLog, path: Path) -> None:
    write(log, "line 0")
    followed = logs.read_lines(path, follow=True, pause=0)
    assert numbers("".join(islice(followed, 1))) == [0]
    write(log, "line 1")
    log.doRollover()
    write(log, "line 2")
    assert numbers("".join(islice(followed, 2))) == [1, 2]
    followed.close()


def test_a_link_in_the_log_s_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        RotatingLog(path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_child_s_log_is_shortened_while_it_writes(tmp_path: Path) -> None:
    path = tmp_path / "haproxy.log"
    files.shorten(path, 100)
    with files.append_private(path) as child:
        for number in range(3):
            child.write(b"%d" % number * 99)
            child.flush()
            files.shorten(path, 100)
        assert path.read_bytes() == b"2" * 99
        assert (tmp_path / "haproxy.log.1").read_bytes() == b"0" * 99 + b"1" * 99
        child.write(b"3")
    assert path.read_bytes() == b"2" * 99 + b"3"
    modes = {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    assert modes == {0o600}
