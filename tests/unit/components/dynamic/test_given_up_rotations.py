"""What a rotation handed out is good for nobody once it is given up, whatever CA it was under.

OpenSSL judges, as the listener does: with the CA's certificate, and without a revocation list.
`tests/hostile/test_given_up_rotations.py` asks a real listener.
"""

from __future__ import annotations

import pytest
from cryptography import x509

from components.dynamic import certificate_authority, certificate_register, revocation_list
from components.pki import certificates, keys
from components.pki.certificates import Issuer
from components.pki.windows import Window
from components.private_ca import revoked_certificates
from tests.unit.components.dynamic.adopted import KINDS, adopting, leaves, made
from tests.unit.components.dynamic.engine import Kept
from tests.unit.components.dynamic.programs import (
    AUTHORITY,
    by_the_next,
    client,
    register,
    revocations,
)
from tests.unit.components.pki.material import needs_openssl, openssl, small_key

pytestmark = needs_openssl

VERIFY = ("verify", "-purpose", "sslclient", "-auth_level", "0", "-attime", "1773500000")
ALONE = ("-no-CApath", "-no-CAstore", "-no-CAfile")
CLIENTS = {"browser": client("browser")}
KEY, HOLDER = small_key(), small_key()
OWN = "made here"


class Judge:
    """A CA, and what OpenSSL says of certificates under the one that is in force."""

    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.ca = Kept(certificate_authority.Provider())
        self.register = Kept(certificate_register.Provider())
        self.list = Kept(revocation_list.Provider())
        self.inputs = AUTHORITY
        if kind != OWN:
            self.inputs = adopting(certificates.pem(made(KINDS[kind], KEY)), KEY)

    def up(self, **changes):
        """Bring CA, register and list up to date; return what the browser holds."""
        step = self.ca.up({**self.inputs, **changes})
        following = "next_key_id" in self.ca.outputs
        inputs = register(self.ca, CLIENTS, **(by_the_next(self.ca) if following else {}))
        self.register.up(inputs)
        self.list.up(self.revocations())
        assert self.ca.up({**self.inputs, **changes}) == "same", step
        return self.register.seen["bundles"]["browser"]

    def revocations(self):
        more = {}
        if "next_key_id" in self.ca.outputs:
            more = {f"next_{name}": value for name, value in by_the_next(self.ca).items()}
            more["next_ca_certificate"] = self.ca.outputs["next_certificate"]
        asked = revocations(self.ca, self.register, **more)
        withdrawn = self.ca.outputs["withdrawn_certificates"]
        return {**asked, "issued": revoked_certificates(asked["issued"], withdrawn)}

    def accepts(self, leaf, chain="", *options, anchor=""):
        files = {"ca": anchor or self.ca.outputs["certificate"], "leaf": leaf, "chain": chain}
        for name, text in files.items():
            (self.folder / name).write_text(text)
        between = ("-untrusted", str(self.folder / "chain")) if chain else ()
        command = (*VERIFY, *ALONE[:2], "-CAfile", str(self.folder / "ca"), *between, *options)
        try:
            openssl(*command, str(self.folder / "leaf"))
        except AssertionError:
            return False
        return True

    def accepts_bundle(self, bundle):
        return self.accepts(bundle["certificate"], bundle["chain"])

    def locked_out(self):
        """Which of the certificates that the CA had issued before are refused."""
        if self.kind == OWN:
            return []
        issued = leaves(KINDS[self.kind], KEY, HOLDER)
        return [name for name, leaf in issued.items() if not self.accepts(certificates.pem(leaf))]


@pytest.fixture(params=[OWN, *KINDS])
def judge(request, tmp_path):
    return Judge(tmp_path, request.param)


def test_what_was_handed_out_is_refused_from_then_on(judge):
    before = judge.up()
    given = judge.up(next_generation=2)
    assert judge.accepts_bundle(given)
    assert judge.accepts(before["certificate"])
    assert judge.locked_out() == []
    judge.up()
    assert not judge.accepts_bundle(given)
    assert judge.accepts(before["certificate"])
    assert judge.locked_out() == []
    # The next rotation lets one CA stand below the present one again, and not that of before.
    second = judge.up(next_generation=2)
    assert judge.accepts_bundle(second)
    assert not judge.accepts_bundle(given)
    judge.up()
    assert not judge.accepts_bundle(second)
    assert not judge.accepts_bundle(given)
    # Nor does a renewal of the CA.
    judge.up(validity="3000d")
    assert not judge.accepts_bundle(given)
    third = judge.up(validity="3000d", next_generation=3)
    assert judge.accepts_bundle(third)
    assert not judge.accepts_bundle(second)
    assert judge.accepts(before["certificate"])
    assert judge.locked_out() == []


def test_another_next_ca_in_place_of_the_prepared_one_cuts_it_off_too(judge):
    judge.up()
    given = judge.up(next_generation=2)
    assert judge.accepts_bundle(judge.up(next_generation=3))
    assert not judge.accepts_bundle(given)
    assert judge.locked_out() == []


def test_it_stays_cut_off_when_the_cas_key_is_taken_away(tmp_path):
    judge = Judge(tmp_path, "without a path length")
    judge.up()
    given = judge.up(next_generation=2)
    judge.up()
    present = judge.ca.outputs["certificate"]
    without = {name: value for name, value in judge.inputs.items() if "private" not in name}
    assert "certificate" not in judge.ca.checked(without)
    assert judge.ca.up(without) == "update"
    assert judge.ca.outputs["certificate"] == present
    assert judge.ca.up(without) == "same"
    assert not judge.accepts_bundle(given)


def test_a_rotation_that_an_earlier_version_prepared_is_cut_off_by_the_next_cas_name(tmp_path):
    judge = Judge(tmp_path, "without a path length")
    judge.up()
    judge.up(next_generation=2)
    # As an earlier version had made it.
    for kept in (judge.ca.inputs, judge.ca.outputs):
        del kept["next_cross_name"]
    for name in ("cross_certificates", "withdrawn_certificates"):
        del judge.ca.outputs[name]
    present = certificates.load(judge.ca.outputs["certificate"])
    key = keys.load(judge.ca.outputs["next_private_key"])
    following = certificates.load(judge.ca.outputs["next_certificate"])
    crossed = certificates.cross_sign(
        Issuer(present, KEY), following.subject, key.public_key(), Window.of_certificate(following)
    )
    judge.ca.outputs["cross_certificate"] = certificates.pem(crossed)
    assert judge.ca.up({**judge.inputs, "next_generation": 2}) == "same"
    given = {**judge.register.seen["bundles"]["browser"], "chain": certificates.pem(crossed)}
    assert judge.accepts_bundle(given)
    judge.up()
    assert not judge.accepts_bundle(given)
    second = judge.up(next_generation=2)
    assert judge.accepts_bundle(second)
    assert not judge.accepts_bundle(given)


@pytest.mark.parametrize("kind", [OWN, "without a path length"])
def test_whoever_kept_the_cas_certificate_of_the_time_between_learns_it_from_the_list(
    tmp_path, kind
):
    judge = Judge(tmp_path, kind)
    judge.up()
    given = judge.up(next_generation=2)
    kept = judge.ca.outputs["certificate"]
    between = [judge.ca.outputs["cross_certificate"]]
    judge.up(next_generation=2, validity="3000d")
    between.append(judge.ca.outputs["cross_certificate"])
    assert between[0] != between[1]
    by_present, by_next = (
        judge.list.outputs[name] for name in ("revocation_list", "next_revocation_list")
    )

    def accepted(by_present):
        (tmp_path / "lists").write_text(by_present + by_next)
        check = ("-crl_check_all", "-CRLfile", str(tmp_path / "lists"))
        return judge.accepts(given["certificate"], given["chain"], *check, anchor=kept)

    assert accepted(by_present)
    judge.up()
    assert not accepted(judge.list.outputs["revocation_list"])
    listed = x509.load_pem_x509_crl(judge.list.outputs["revocation_list"].encode())
    serials = {certificates.load(pem).serial_number for pem in between}
    assert {entry.serial_number for entry in listed} == serials


def test_completing_withdraws_nothing(judge):
    judge.up()
    given = judge.up(next_generation=2)
    completed = {**AUTHORITY, "subject": judge.inputs["subject"], "generation": 2}
    assert judge.ca.up(completed) == "update"
    assert "withdrawn" not in judge.ca.inputs
    assert judge.accepts(given["certificate"])
