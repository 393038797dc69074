"""The CA's name constraints: another certificate with the same key, and what it may issue."""

from __future__ import annotations

import pytest
from cryptography import x509

from components.dynamic.certificate_authority import Provider
from components.pki import certificates, keys, name_constraints
from components.pki.names import distinguished_name
from components.pki.windows import Window
from tests.unit.components.dynamic.engine import Kept
from tests.unit.components.dynamic.programs import AUTHORITY
from tests.unit.components.pki.material import NOW, YEAR, key

DOMAIN = {"name_constraints": {"permitted": {"domains": ["example.com"]}}}
CONSTRAINED = {**AUTHORITY, **DOMAIN}
NEXT = {"next_generation": 2}
SAME = ("private_key", "public_key_sha256", "key_id", "expired_probe", "subject")
EXAMPLE = x509.NameConstraints([x509.DNSName("example.com")], None)
OTHER = x509.NameConstraints([x509.DNSName("example.net")], None)


@pytest.fixture
def constrained():
    """A CA that was made with constraints today."""
    made = Kept(Provider())
    assert made.up(CONSTRAINED) == "create"
    return made


def constraints_of(ca, which="certificate"):
    return name_constraints.of(certificates.load(ca.outputs[which]))


def test_they_stand_in_the_certificate(constrained):
    assert constraints_of(constrained) == EXAMPLE
    assert constrained.outputs["name_constraints"] == CONSTRAINED["name_constraints"]
    assert constrained.up(CONSTRAINED) == "same"


def test_without_them_nothing_speaks_of_them(ca):
    assert constraints_of(ca) is None
    assert "name_constraints" not in {**ca.inputs, **ca.outputs}


def test_others_renew_the_ca_with_its_key(ca, made_keys, clock):
    before = dict(ca.outputs)
    clock("10d")
    assert not ca.preview(CONSTRAINED).replaces
    assert ca.up(CONSTRAINED) == "update"
    assert {name: ca.outputs[name] for name in SAME} == {name: before[name] for name in SAME}
    assert ca.inputs["issued_because"] == "name constraints changed"
    assert ca.outputs["not_before"] == "2026-03-24T00:00:00Z"
    assert constraints_of(ca) == EXAMPLE
    assert ca.up(CONSTRAINED) == "same"
    assert ca.up(AUTHORITY) == "update"
    assert constraints_of(ca) is None
    assert set(ca.outputs) == set(before)
    assert ca.up(AUTHORITY) == "same"
    assert len(made_keys) == 2


def test_on_the_day_of_issue_they_renew_it_too(ca):
    before = dict(ca.outputs)
    assert ca.up(CONSTRAINED) == "update"
    assert ca.outputs["certificate"] != before["certificate"]
    assert ca.outputs["not_after"] == before["not_after"]


def test_a_renewed_ca_keeps_them(constrained, clock):
    clock("2920d")
    assert constrained.up(CONSTRAINED) == "update"
    assert constraints_of(constrained) == EXAMPLE


def test_a_prepared_ca_has_them_and_takes_over_with_them(constrained, clock):
    assert constrained.up({**CONSTRAINED, **NEXT}) == "update"
    for which in ("certificate", "next_certificate", "cross_certificate"):
        assert constraints_of(constrained, which) == EXAMPLE
    prepared = constrained.outputs["next_certificate"]
    clock("10d")
    assert constrained.up({**CONSTRAINED, "generation": 2}) == "update"
    assert constrained.outputs["certificate"] == prepared
    assert constrained.up({**CONSTRAINED, "generation": 2}) == "same"


def test_others_reach_the_prepared_ca_and_leave_its_key(ca):
    assert ca.up({**AUTHORITY, **NEXT}) == "update"
    before = dict(ca.outputs)
    assert constraints_of(ca, "next_certificate") is None
    assert ca.up({**CONSTRAINED, **NEXT}) == "update"
    for which in ("certificate", "next_certificate", "cross_certificate"):
        assert constraints_of(ca, which) == EXAMPLE
    assert ca.outputs["next_private_key"] == before["next_private_key"]
    assert ca.up({**CONSTRAINED, **NEXT}) == "same"


def test_others_can_come_with_the_prepared_ca(ca):
    assert ca.up({**AUTHORITY, **NEXT}) == "update"
    prepared = ca.outputs["next_private_key"]
    assert ca.up({**CONSTRAINED, "generation": 2}) == "update"
    assert ca.outputs["private_key"] == prepared
    assert constraints_of(ca) == EXAMPLE
    assert ca.up({**CONSTRAINED, "generation": 2}) == "same"


def adoption(constraints=None, **changes):
    """Inputs of a CA that was made elsewhere."""
    name = distinguished_name(AUTHORITY["subject"])
    window = Window.opening(NOW, 10 * YEAR)
    made = certificates.issue_authority(name, key("ca"), window, constraints=constraints)
    return {
        **AUTHORITY,
        "adopted_certificate": certificates.pem(made),
        "adopted_private_key": keys.pkcs1(key("ca")),
        **changes,
    }


def test_an_adopted_ca_keeps_its_own_when_it_is_renewed(clock):
    inputs, ca = adoption(OTHER), Kept(Provider())
    ca.up(inputs)
    assert ca.outputs["certificate"] == inputs["adopted_certificate"]
    clock("2920d")
    assert ca.up(inputs) == "update"
    assert ca.outputs["certificate"] != inputs["adopted_certificate"]
    assert constraints_of(ca) == OTHER


def test_an_adopted_ca_can_be_given_others(clock):
    inputs, ca = adoption(OTHER), Kept(Provider())
    ca.up(inputs)
    assert ca.up({**inputs, **DOMAIN}) == "update"
    assert constraints_of(ca) == EXAMPLE
    assert ca.outputs["public_key_sha256"] == ca.id
    assert ca.up({**inputs, **DOMAIN}) == "same"


def test_a_ca_can_be_adopted_with_others():
    inputs, ca = {**adoption(), **DOMAIN}, Kept(Provider())
    ca.up(inputs)
    assert constraints_of(ca) == EXAMPLE
    assert ca.up(inputs) == "same"
