"""A real data plane, and certificates of two authorities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from localcloud.dataplane import haproxy_binary
from localcloud.dataplane.model import ListenerSpec
from localcloud.dataplane.plane import DataPlane
from tests.integration.localcloud.dataplane.authority import RootAuthority
from tests.integration.localcloud.dataplane.site import listener_of, loopback, start_backends


@pytest.fixture(scope="session")
def authority() -> RootAuthority:
    return RootAuthority("Test CA")


@pytest.fixture(scope="session")
def other_authority() -> RootAuthority:
    return RootAuthority("Other CA")


@pytest.fixture(scope="session")
def server_pem(authority) -> str:
    return authority.server()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory, authority, other_authority) -> SimpleNamespace:
    """Client certificates by what is wrong with them."""
    folder = tmp_path_factory.mktemp("clients")
    return SimpleNamespace(
        good=authority.client(folder),
        other_ca=other_authority.client(folder),
        expired=authority.client(folder, not_before=-10, days=2),
        not_yet_valid=authority.client(folder, not_before=5),
        for_servers=authority.client(folder, usage=ExtendedKeyUsageOID.SERVER_AUTH),
        missing=None,
    )


@pytest.fixture(scope="session")
def haproxy() -> Path:
    found = haproxy_binary.find()
    if found is None:
        pytest.skip("HAProxy is not installed")
    return found


@pytest.fixture(scope="module")
def start_plane(tmp_path_factory, haproxy) -> Iterator[Callable[..., DataPlane]]:
    planes: list[DataPlane] = []

    def start(**options: Any) -> DataPlane:
        planes.append(DataPlane(tmp_path_factory.mktemp("home"), haproxy, **options))
        return planes[-1]

    yield start
    for plane in planes:
        plane.stop()


@pytest.fixture(scope="module")
def plane(start_plane) -> DataPlane:
    """A data plane with the instances i-a and i-b, which repeat what they get on port 8080."""
    plane = start_plane()
    start_backends(plane)
    return plane


@pytest.fixture
def own_plane(start_plane) -> Iterator[DataPlane]:
    """A data plane that a test may break."""
    plane = start_plane()
    start_backends(plane)
    yield plane
    plane.stop()


@pytest.fixture(scope="module")
def listener(plane: DataPlane) -> ListenerSpec:
    """One without checks, so that it serves at once."""
    return listener_of(plane, loopback(), health_check=None)
