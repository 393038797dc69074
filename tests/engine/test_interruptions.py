"""A sample of the points at which `make up` may be interrupted: the next one puts all in order."""

from __future__ import annotations

import pytest

from tests.engine.conftest import copy_of_the_project
from tests.engine.interruptions import CLOUD, DYNAMIC, ENGINE, PROVIDER, Point, ProjectCopy

pytestmark = [pytest.mark.in_order, pytest.mark.long]


@pytest.fixture(scope="module")
def site(tmp_path_factory, toolchain):
    """A stack that is interrupted again and again."""
    found = ProjectCopy(copy_of_the_project(tmp_path_factory.mktemp("site") / "project"))
    found.start_cloud()
    yield found
    found.stop_cloud()


FIRST = [
    Point(ENGINE, call="CreateVSwitch"),
    Point(PROVIDER, call="UploadServerCertificate"),
    Point(call="RunInstances"),
    Point(call="CreateLoadBalancerHTTPSListener"),
    Point(call="DescribeLoadBalancerHTTPSListenerAttribute"),
    Point(CLOUD, call="StartLoadBalancerListener"),
]
"""Points of the first `up`, which comes further each time."""


def interrupted(site, point):
    ended = site.interrupted_up(point)
    assert ended.status != 0, f"{point}\n{ended.text}"
    assert ended.reached, point
    assert ended.killed > 0 or point.killed is None, point
    site.remember()


def test_a_first_up_interrupted_again_and_again_ends_well(site):
    for point in FIRST:
        interrupted(site, point)
    answer = site.operations("up")
    assert answer.status == 0, answer.text
    site.remember()
    assert site.disorder() == []
    removed = "".join(site.texts)
    for title in ("vSwitch", "server certificate", "ECS instance", "listener"):
        assert f"Left by the last `up`: {title} " in removed
    assert ":https:443 (not started)" in removed


CHANGES = [
    Point(DYNAMIC, boundary="pki:CertificateRegister", made=False),
    Point(ENGINE, boundary="pki:CertificateRegister"),
    Point(ENGINE, call="SetLoadBalancerHTTPSListenerAttribute"),
]


@pytest.mark.parametrize("point", CHANGES, ids=str)
def test_another_ca_and_other_clients_interrupted_ends_well(site, point):
    number = CHANGES.index(point) + 2
    site.configure(
        certificate_authority={"generation": number},
        clients={"browser": {}, f"client-{number}": {}},
    )
    interrupted(site, point)
    answer = site.operations("up")
    assert answer.status == 0, answer.text
    site.remember()
    assert site.disorder() == []


GENERATION = len(CHANGES) + 1
"""Generation of the CA after all of them."""

ROTATING = {"generation": GENERATION, "next_generation": GENERATION + 1}

LATER = [
    (
        Point(ENGINE, boundary="pki:CertificateRegister"),
        {"certificate_authority": ROTATING},
    ),
    (
        Point(PROVIDER, call="SetLoadBalancerHTTPSListenerAttribute"),
        {"certificate_authority": {"generation": GENERATION + 1}},
    ),
    (Point(PROVIDER, call="UploadServerCertificate"), {"server": {"validity": "200d"}}),
    (Point(ENGINE, call="DeleteServerCertificate"), {"server": {"validity": "190d"}}),
]
"""A rotation's two steps, and other certificates of the server."""


@pytest.mark.parametrize(("point", "settings"), LATER, ids=str)
def test_a_rotation_and_another_server_certificate_interrupted_end_well(site, point, settings):
    site.configure(**settings)
    interrupted(site, point)
    answer = site.operations("up")
    assert answer.status == 0, answer.text
    site.remember()
    assert site.disorder() == []
