"""A CA whose name has what fits into nothing that is issued here goes on, and is rotated."""

from __future__ import annotations

import pytest

from components.dynamic import certificate_authority, certificate_register
from components.pki import keys
from components.private_ca import _requests
from configuration.settings import parse
from tests.unit.components.dynamic.engine import Kept
from tests.unit.components.dynamic.programs import AUTHORITY, by_the_next, register
from tests.unit.components.pki import odd
from tests.unit.components.pki.material import key

NAMES = {
    "a long country": ([odd.attribute(6, b"China", odd.PRINTABLE)], "Old CA"),
    "a country of one letter": ([odd.attribute(6, b"C", odd.PRINTABLE)], "Old CA"),
    "a long organization": ([odd.attribute(10, b"o" * 200)], "Old CA"),
    "control characters": ([odd.attribute(10, b"a\tb")], "Old CA"),
    "an unknown attribute": ([odd.attribute(99, b"x")], "Old CA"),
    "a long common name": ([], "n" * 64),
    "a common name of many bytes": ([], "名" * 21),
    "a common name beyond its bound": ([], "n" * 100),
}


def adopted(case, **generations):
    """What the program asks of the CA, and its settings."""
    others, common_name = NAMES[case]
    own = odd.name(*([one] for one in others), [odd.attribute(3, common_name.encode())])
    pair = {"certificate": odd.authority(subject=own), "private_key": keys.pkcs1(key("ca"))}
    values = {"certificate_authority": {**pair, **generations}, "clients": {"browser": {}}}
    settings = parse(values, file="Pulumi.test.yaml", secret_keys=["certificate_authority"])
    configured = settings.certificate_authority
    asked = {
        **AUTHORITY,
        "subject": configured.distinguished_name("shop-dev CA"),
        "generation": configured.generation,
        "next_generation": configured.next_generation,
    }
    if configured.adopted:
        asked |= {
            "adopted_certificate": configured.certificate,
            "adopted_private_key": configured.private_key.get_secret_value(),
        }
    return asked, _requests(settings, asked["subject"])


@pytest.mark.parametrize("case", NAMES)
def test_it_is_adopted_issues_and_is_rotated_in_two_steps(case):
    ca, kept = Kept(certificate_authority.Provider()), Kept(certificate_register.Provider())
    asked, clients = adopted(case)
    assert ca.up(asked) == "create"
    assert kept.up(register(ca, clients)) == "create"
    asked, clients = adopted(case, next_generation=2)
    assert ca.up(asked) == "update"
    assert kept.up(register(ca, clients, **by_the_next(ca))) == "update"
    asked, clients = adopted(case, generation=2)
    assert ca.up(asked) == "update"
    assert kept.up(register(ca, clients)) == "same"
    assert ca.up(asked) == "same"


@pytest.mark.parametrize("case", NAMES)
def test_it_is_given_another_key_in_one_step(case):
    ca, kept = Kept(certificate_authority.Provider()), Kept(certificate_register.Provider())
    ca.up(adopted(case)[0])
    asked, clients = adopted(case, generation=2)
    assert ca.up(asked) == "replace"
    assert kept.up(register(ca, clients)) == "create"
