"""Access control lists: which addresses a listener answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localcloud.dataplane.model import AccessControl
from tests.integration.localcloud.dataplane.echo import get, tls_client
from tests.integration.localcloud.dataplane.site import FAR, HERE, THERE, admitted


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (None, (HERE, THERE, FAR)),
        (AccessControl("white", ("127.201.0.0/16",)), (HERE,)),
        (AccessControl("white", ("127.201.0.0/16", "127.203.0.7/32")), (HERE, FAR)),
        (AccessControl("white", ("10.0.0.0/8",)), ()),
        (AccessControl("black", ("127.201.0.0/16",)), (THERE, FAR)),
        (AccessControl("white", ()), (HERE, THERE, FAR)),
        (AccessControl("black", ()), (HERE, THERE, FAR)),
    ],
    ids=str,
)
def test_a_list_shuts_out_some_addresses_and_admits_others(*, plane, listener, control, expected):
    guarded = replace(listener, access_control=control)
    address = plane.apply_listeners([guarded])[guarded.key]
    assert admitted(address) == set(expected)


def test_a_thousand_entries_are_no_problem(plane, listener):
    entries = tuple(f"10.{n // 250}.{n % 250}.0/24" for n in range(999))
    control = AccessControl("white", (*entries, f"{HERE}/32"))
    guarded = replace(listener, access_control=control)
    address = plane.apply_listeners([guarded])[guarded.key]
    assert admitted(address) == {HERE}


def test_a_list_shuts_out_before_certificates_are_looked_at(
    *, plane, listener, authority, server_pem, certificates
):
    guarded = replace(
        listener,
        protocol="https",
        server_certificate=server_pem,
        ca_certificate=authority.pem,
        access_control=AccessControl("black", (f"{HERE}/32",)),
    )
    address = plane.apply_listeners([guarded])[guarded.key]
    client = tls_client(certificates.good)
    assert admitted(address, tls=client) == {THERE, FAR}
    assert get(address, tls=tls_client(), source=THERE).status == 400
