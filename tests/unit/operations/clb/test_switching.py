"""The listener's CA is put back, however the time without it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from operations import outputs
from operations.clb import throwaway
from operations.cloud_api import CloudApiError, CloudApiUnavailableError
from operations.errors import OperationError

SET = "SetLoadBalancerHTTPSListenerAttribute"


class Api:
    """An API of SLB with one listener, which fails where it is told to."""

    def __init__(self, ca="own"):
        self.ca = ca
        self.uploaded = set()
        self.failures = {}
        self.asked = []

    def ask(self, action, **parameters):
        self.asked.append(action)
        if failures := self.failures.get((action, parameters.get("cacertificate_id"))):
            raise failures.pop(0)
        if action == "UploadCACertificate":
            assert "CERTIFICATE" in parameters["cacertificate"]
            self.uploaded.add("probe")
        elif action == SET:
            self.ca = parameters["cacertificate_id"]
        elif action == "DeleteCACertificate":
            assert self.ca != parameters["cacertificate_id"]
            self.uploaded.remove(parameters["cacertificate_id"])
        else:
            return SimpleNamespace(cacertificate_id=self.ca)
        return SimpleNamespace(cacertificate_id="probe")


@pytest.fixture
def switched(document, monkeypatch):
    monkeypatch.setattr(throwaway, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(throwaway, "IN_USE_SECONDS", 0.05)
    found = outputs.parse(document())

    def make(api):
        return throwaway.switch_ca(api, found, "dev", datetime.now(UTC), lambda _seconds: None)

    return make


def test_it_is_put_back_and_nothing_is_left(switched):
    api = Api()
    with switched(api):
        assert api.ca == "probe"
    assert (api.ca, api.uploaded) == ("own", set())


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit(143), OSError])
def test_so_it_is_after_an_interrupt(switched, ending):
    api = Api()
    with pytest.raises((KeyboardInterrupt, SystemExit, OSError)), switched(api):
        raise ending
    assert (api.ca, api.uploaded) == ("own", set())


def test_a_listener_without_a_ca_is_left_alone(switched):
    api = Api(ca="")
    with pytest.raises(OperationError, match="asks no client for a certificate"), switched(api):
        pass
    assert api.asked == ["DescribeLoadBalancerHTTPSListenerAttribute"]


def test_a_busy_api_is_asked_again(switched):
    api = Api()
    busy = [CloudApiUnavailableError("ServiceIsConfiguring")]
    api.failures = {(SET, "probe"): [*busy], (SET, "own"): [*busy]}
    api.failures["DeleteCACertificate", "probe"] = [CloudApiError("in use")]
    with switched(api):
        assert api.ca == "probe"
    assert (api.ca, api.uploaded) == ("own", set())


def test_one_that_refuses_the_switch_leaves_all_as_it_was(switched):
    api = Api()
    api.failures = {(SET, "probe"): [CloudApiError("Forbidden")]}
    with pytest.raises(OperationError, match="Forbidden"), switched(api):
        pytest.fail("the listener has its own CA")
    assert (api.ca, api.uploaded) == ("own", set())


def test_what_cannot_be_put_back_is_told_with_what_to_do(switched):
    api = Api()
    api.failures = {(SET, "own"): [CloudApiError("Forbidden")]}
    with pytest.raises(OperationError) as caught, switched(api):
        pass
    assert "Forbidden The listener still has the CA certificate probe-" in str(caught.value)
    assert "`make up STACK=dev ARGS=--refresh`" in str(caught.value)
    api = Api()
    api.failures = {("DeleteCACertificate", "probe"): [CloudApiError("Forbidden")] * 10**5}
    with pytest.raises(OperationError) as caught, switched(api):
        pass
    assert "has its CA again. Left is the CA certificate probe-" in str(caught.value)
    assert api.ca == "own"
