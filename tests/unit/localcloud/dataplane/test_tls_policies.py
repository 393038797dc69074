from __future__ import annotations

import pytest

from localcloud.dataplane.tls_policies import POLICIES
from tests import processes

COMPATIBLE = (
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA256:"
    "ECDHE-RSA-AES256-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:"
    "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:AES128-SHA:AES256-SHA:DES-CBC3-SHA"
)


@pytest.mark.parametrize("number", ["0", "1", "2"])
def test_compatible_policies_differ_in_the_oldest_version_alone(number):
    policy = POLICIES[f"tls_cipher_policy_1_{number}"]
    assert (policy.minimum, policy.maximum) == (f"TLSv1.{number}", "TLSv1.2")
    assert ":".join(policy.ciphers) == COMPATIBLE
    assert policy.ciphersuites == ()


def test_strict_policies_have_ephemeral_keys_only():
    strict = POLICIES["tls_cipher_policy_1_2_strict"]
    assert (strict.minimum, strict.maximum) == ("TLSv1.2", "TLSv1.2")
    assert list(strict.ciphers) == [
        name for name in COMPATIBLE.split(":") if name.startswith("ECDHE-")
    ]


def test_tls_1_3_is_in_one_policy_with_five_suites_and_ecdsa():
    having = {name: policy for name, policy in POLICIES.items() if policy.maximum == "TLSv1.3"}
    (name,) = having
    assert name == "tls_cipher_policy_1_2_strict_with_1_3"
    assert len(having[name].ciphersuites) == 5
    assert len(having[name].ciphers) == 12
    assert sum("ECDSA" in cipher for cipher in having[name].ciphers) == 6


def test_openssl_knows_every_cipher():
    known = processes.printed(
        ["openssl", "ciphers", "-s", "-stdname", "ALL:COMPLEMENTOFALL"], timeout=20
    ).split()
    wanted = {cipher for policy in POLICIES.values() for cipher in policy.ciphers}
    assert wanted - set(known) <= {"DES-CBC3-SHA"}  # often left out of OpenSSL 3
