"""A real listener, with the CA's certificate and no revocation list, before and after an abort.

What is held for every kind of CA: who has a certificate of before gets in at each step, and what a
rotation handed out gets nobody in once it is given up, in the next rotation neither.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from components.dynamic import certificate_authority, certificate_register
from components.pki import certificates, keys
from localcloud.dataplane import haproxy_binary
from operations.verification import probes
from operations.verification.probes import ProbeTarget, Rejected, is_success
from tests.conformance import specimens
from tests.hostile import servers
from tests.unit.components.dynamic.adopted import KINDS, adopting, leaves, made
from tests.unit.components.dynamic.engine import Kept
from tests.unit.components.dynamic.programs import AUTHORITY, by_the_next, client, register
from tests.unit.components.pki.material import key

# Of the local cloud, which writes it into its log; what the program reads is silent.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")

OWN = "made here"
ABORTED = (
    OWN,
    "without a path length",
    "path length 0",
    "path length 1",
    "path length 2",
    "easy-rsa",
    "the tutorial's, of version 1",
    "serial number 0",
)
STEPS = {"first": {}, "prepared": {"next_generation": 2}, "aborted": {}}
STEPS["prepared again"] = STEPS["prepared"]
HERE = datetime.now(UTC)


@pytest.fixture(scope="module")
def stacks():
    """By kind and step: the listener's CA certificate, and what the client holds by then."""
    numbers = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        # Keys of full size, which a listener demands, made once for all CAs.
        patch.setattr(keys, "generate", lambda _bits: key(f"pool {next(numbers) % 12}"))
        yield {(kind, step): found for kind in ABORTED for step, found in _walked(kind).items()}


def _walked(kind):
    inputs = AUTHORITY
    if kind != OWN:
        inputs = adopting(certificates.pem(made(KINDS[kind], key("ca"), moment=HERE)), key("ca"))
    ca, kept = Kept(certificate_authority.Provider()), Kept(certificate_register.Provider())
    found = {}
    for step, changes in STEPS.items():
        ca.up({**inputs, **changes})
        following = by_the_next(ca) if changes else {}
        kept.up(register(ca, {"browser": client("browser")}, **following))
        found[step] = ca.outputs["certificate"], kept.seen["bundles"]["browser"]
    return found


@pytest.fixture(scope="module")
def listeners(stacks, tmp_path_factory):
    server = certificates.pem(specimens.server("ascii").certificate)
    server += keys.pkcs1(specimens.key("server"))
    authorities = {f"{kind} {step}": stacks[kind, step][0] for kind, step in stacks}
    names = {name: f"{number}" for number, name in enumerate(authorities)}
    numbered = {names[name]: pem for name, pem in authorities.items()}
    folder = tmp_path_factory.mktemp("plane")
    with servers.haproxy(folder, haproxy_binary.ensure(print), server, numbered) as found:
        yield {name: found[number] for name, number in names.items()}


@pytest.fixture
def let_in(listeners, tmp_path):
    def ask(kind, step, chain, private_key, pass_phrase=None):
        (tmp_path / "chain").write_text(chain)
        (tmp_path / "key").write_text(private_key)
        context = probes.unverified_context()
        context.load_cert_chain(tmp_path / "chain", tmp_path / "key", password=pass_phrase)
        address = listeners[f"{kind} {step}"]
        answer = probes.probe(ProbeTarget(address.host, address.port), context, None)
        # HAProxy refuses some faults by its page, and those of a chain in the handshake.
        refused = isinstance(answer, Rejected) or getattr(answer, "status", None) == 400
        assert refused or is_success(answer), answer
        return not refused

    return ask


def holding(bundle):
    return bundle["certificate"] + bundle["chain"], bundle["private_key"], bundle["pass_phrase"]


@pytest.mark.parametrize("kind", ABORTED)
def test_what_was_handed_out_gets_nobody_in_after_the_abort(stacks, let_in, kind):
    given = holding(stacks[kind, "prepared"][1])
    assert let_in(kind, "prepared", *given)
    assert not let_in(kind, "aborted", *given)
    assert not let_in(kind, "prepared again", *given)
    assert let_in(kind, "prepared again", *holding(stacks[kind, "prepared again"][1]))


@pytest.mark.parametrize("kind", ABORTED)
def test_who_has_a_certificate_of_before_gets_in_at_every_step(stacks, let_in, kind):
    bundle = stacks[kind, "first"][1]
    held = {"of the register": holding(bundle)}
    if kind != OWN:
        issued = leaves(KINDS[kind], key("ca"), key("laptop"), HERE)
        own = keys.pkcs1(key("laptop"))
        held |= {way: (certificates.pem(leaf), own) for way, leaf in issued.items()}
    shut_out = [
        (step, way) for step in STEPS for way, one in held.items() if not let_in(kind, step, *one)
    ]
    assert shut_out == []
