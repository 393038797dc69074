"""What is remembered, and for how long."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud import store as module
from localcloud.documents import KINDS, CaCertificate, SecurityGroup
from localcloud.store import Store, StoreError
from tests.unit.localcloud.fake_plane import Account
from tests.unit.localcloud.listener_site import ListenerSite


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.sqlite"


@pytest.fixture
def store(path: Path):
    with contextlib.closing(Store(path)) as opened:
        yield opened


def group(key: str, vpc: str = "vpc-1", **fields) -> SecurityGroup:
    return SecurityGroup(id=key, region="cn-hangzhou", vpc_id=vpc, **fields)


def test_documents_are_there_after_closing_and_opening(path: Path) -> None:
    kept = group("sg-1", tags={"a": "b"}, permissions=[{"Policy": "Accept"}])
    with contextlib.closing(Store(path)) as store:
        store.put(kept)
    with contextlib.closing(Store(path)) as store:
        assert store.get(SecurityGroup, "sg-1") == kept


def test_documents_come_in_the_order_of_their_making(store: Store) -> None:
    for key in ("sg-b", "sg-a", "sg-c"):
        store.put(group(key))
    store.put(group("sg-b", name="changed"))
    assert [one.id for one in store.all(SecurityGroup)] == ["sg-b", "sg-a", "sg-c"]
    assert [one.id for one in store.all(SecurityGroup, name="changed")] == ["sg-b"]


def test_an_id_belongs_to_its_kind(store: Store) -> None:
    store.put(group("same"))
    assert store.get(CaCertificate, "same") is None
    store.put(CaCertificate(id="same", region="cn-hangzhou", name="n", certificate="c"))
    store.delete(group("same"))
    assert store.get(SecurityGroup, "same") is None
    assert store.get(CaCertificate, "same") is not None


def test_everything_is_listed_by_kind_and_cleared(store: Store) -> None:
    store.put(group("sg-1"))
    assert set(store.everything()) == {kind.kind for kind in KINDS}
    assert store.everything()["security_group"] == [store.get(SecurityGroup, "sg-1")]
    store.clear()
    assert not any(store.everything().values())


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_a_failing_transaction_leaves_nothing(store: Store, fault: type[BaseException]) -> None:
    store.put(group("sg-1"))

    def change() -> None:
        with store.transaction():
            store.put(group("sg-1", name="changed"))
            store.put(group("sg-2"))
            raise fault

    with pytest.raises(fault):
        change()
    assert [(one.id, one.name) for one in store.all(SecurityGroup)] == [("sg-1", "")]
    with store.transaction():
        store.put(group("sg-2"))
    assert len(store.all(SecurityGroup)) == 2


DYING = """
import os, sys
from pathlib import Path
from localcloud.documents import SecurityGroup
from localcloud.store import Store
store = Store(Path(sys.argv[1]))
store.put(SecurityGroup(id="sg-1", region="cn-hangzhou", vpc_id="vpc-1"))
with store.transaction():
    store.put(SecurityGroup(id="sg-2", region="cn-hangzhou", vpc_id="vpc-1"))
    os._exit(9)
"""


def test_a_crash_keeps_what_was_committed_and_no_more(path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", DYING, path], timeout=30, check=False)
    assert ended.returncode == 9
    with contextlib.closing(Store(path)) as again:
        assert [one.id for one in again.all(SecurityGroup)] == ["sg-1"]


def test_only_its_owner_can_read_the_file_and_its_log(store: Store, path: Path) -> None:
    store.put(group("sg-1"))
    files = list(path.parent.iterdir())
    assert path in files
    assert len(files) > 1, "SQLite keeps what it has just written in a file of its own"
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_of_something_else_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"diary " * 200)
    with pytest.raises(StoreError, match=r"cloud\.sqlite is no state of a local cloud"):
        Store(path)
    assert path.read_bytes() == b"diary " * 200


def test_a_file_of_another_version_is_refused_and_left_alone(path: Path) -> None:
    with contextlib.closing(Store(path)) as store:
        store.put(group("sg-1"))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {module.SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match=r"another version .* remove the file"):
        Store(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM documents").fetchone() == (1,)


def test_a_link_in_the_file_s_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        Store(path)
    assert not (tmp_path / "elsewhere").exists()


ADDED_LATER = {
    "listener": ("protocol",),
    "load_balancer": ("address_ip_version",),
    "server_certificate": ("resource_group_id",),
    "ca_certificate": ("resource_group_id",),
    "vpc": ("resource_group_id",),
    "security_group": ("resource_group_id",),
    "instance": ("resource_group_id",),
}
"""By kind: fields that files of the first version do not have."""


def test_a_file_of_the_first_version_is_served_as_it_was(site: ListenerSite) -> None:
    site.create(CACertificateId=site.ca_certificate)
    site.call("StartLoadBalancerListener")
    served, shown = dict(site.account.plane.served), site.describe()
    store = site.account.store
    for kind, fields in ADDED_LATER.items():
        for name in fields:
            store._connection.execute(
                "UPDATE documents SET body = json_remove(body, ?) WHERE kind = ?",
                (f"$.{name}", kind),
            )
    again = Account(store)
    again.cloud.restore()
    assert again.plane.served == served
    assert site.describe() == shown
    site.set(IdleTimeout=20)
