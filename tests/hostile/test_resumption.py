"""A TLS session that one CA's client began opens nothing that another CA guards.

Tried by session ticket (RFC 5077; RFC 8446, 2.2) and by session id (RFC 5246, 7.3), at another
listener of the same load balancer, and at the same one after its CA was replaced.
"""

from __future__ import annotations

import ssl

import pytest

from components.pki import certificates, keys
from localcloud.dataplane import haproxy_binary, haproxy_config
from localcloud.dataplane.model import BackendSpec, InstanceSpec, ListenerSpec
from localcloud.dataplane.plane import DataPlane
from tests.conformance import specimens
from tests.hostile import servers
from tests.hostile.certificates import CASES
from tests.hostile.forging import anchor
from tests.hostile.visitor import WAYS, ReturningVisitor


@pytest.fixture
def visitor(request, tmp_path):
    shown = CASES["A client of the CA"]()
    pair = tmp_path / "pair.pem"
    pair.write_text(ssl.DER_cert_to_PEM_cert(shown.chain[0]) + shown.key_pem)
    return ReturningVisitor(lambda context: context.load_cert_chain(pair), request.param)


@pytest.fixture
def plane(tmp_path):
    made = DataPlane(tmp_path / "plane", haproxy_binary.ensure(print))
    yield made
    made.stop()


@pytest.fixture
def guarded(plane):
    """Serves listeners by name, each behind a CA; returns where they are."""
    plane.start_instance(InstanceSpec("i-resumed", servers.loopback(), servers.USER_DATA))
    backend = plane.backend_socket("i-resumed", 8080)
    servers.wait(lambda: servers.answers(backend))
    pem = certificates.pem(specimens.server("ascii").certificate)
    pem += keys.pkcs1(specimens.key("server"))
    host = servers.loopback()

    def serve(**authorities):
        listeners = {
            name: ListenerSpec(
                load_balancer_id="lb-resumed",
                address=host,
                port=8443 + place,
                protocol="https",
                backends=(BackendSpec("i-resumed", backend),),
                server_certificate=pem,
                ca_certificate=certificates.pem(anchor(authority).certificate),
                tls_cipher_policy=servers.STRONG,
            )
            for place, (name, authority) in enumerate(authorities.items())
        }
        found = plane.apply_listeners(tuple(listeners.values()))
        return {name: found[listener.key] for name, listener in listeners.items()}

    return serve


every_way = pytest.mark.parametrize("visitor", WAYS, indirect=True)


@every_way
def test_a_session_of_one_listener_opens_no_other(guarded, visitor):
    at = guarded(own="project", other="unlimited")
    assert visitor.visit(at["own"]) == (200, False)
    assert visitor.visit(at["other"]) == (400, False)
    assert visitor.visit(at["own"]) == (200, False)


@every_way
def test_a_session_ends_with_the_ca_that_admitted_it(guarded, visitor):
    at = guarded(own="project")
    assert visitor.visit(at["own"]) == (200, False)
    assert guarded(own="unlimited") == at
    assert visitor.visit(at["own"]) == (400, False)
    assert guarded(own="project") == at
    assert visitor.visit(at["own"]) == (200, False)


@every_way
def test_with_sessions_kept_they_are_resumed(guarded, visitor, monkeypatch):
    """Proof that the tests above could fail: a visitor does offer its session.

    HAProxy's own default keeps sessions by id for all its listeners.
    """
    render = haproxy_config.render

    def forgetful(*arguments, **options):
        lines = render(*arguments, **options).splitlines(keepends=True)
        kept = [one for one in lines if "cachesize" not in one and "no-tls-tickets" not in one]
        assert len(lines) - len(kept) == 2
        return "".join(kept)

    monkeypatch.setattr(haproxy_config, "render", forgetful)
    at = guarded(own="project", other="unlimited")
    assert visitor.visit(at["own"]) == (200, False)
    assert visitor.visit(at["own"]) == (200, True)
    let_in = not visitor.by_ticket
    assert visitor.visit(at["other"]) == ((200, True) if let_in else (400, False))
