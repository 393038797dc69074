"""Who gets in, and what is said to those who do not."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from localcloud.api import gateway, signatures
from localcloud.api.gateway import Credentials, Gateway
from localcloud.api.nonces import Nonces
from localcloud.api.signatures import Signed
from localcloud.errors import ApiError

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
SECRET_VALUE = "-----BEGIN RSA PRIVATE KEY-----"


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def nonces() -> Iterator[Nonces]:
    with contextlib.closing(Nonces()) as found:
        yield found


@pytest.fixture
def guarded(clock: Clock, nonces: Nonces) -> Gateway:
    return Gateway(Credentials("id", "secret"), nonces, clock)


def request(*, secret: str = "secret", host: str = "127.0.0.1:7443", **changes: str) -> Signed:
    """A signed request; parameters may be changed before signing."""
    parameters = {
        "AccessKeyId": "id",
        "Action": "UploadServerCertificate",
        "Format": "JSON",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "nonce",
        "SignatureType": "",
        "SignatureVersion": "1.0",
        "Timestamp": "2026-11-24T03:00:00Z",
        "Version": "2014-05-15",
        "PrivateKey": SECRET_VALUE,
        **changes,
    }
    text = signatures.string_to_sign_v1("POST", parameters.items())
    signed = {**parameters, "Signature": signatures.sign_v1(secret, text)}
    return Signed("POST", list(signed.items()), [], {"host": host}, b"")


def refusal(guarded: Gateway, refused: Signed) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        guarded.admit(refused)
    assert SECRET_VALUE not in caught.value.message
    return caught.value.status, caught.value.code


@pytest.mark.parametrize("host", ["127.0.0.1:7443", "127.0.0.1", "localhost:7443"])
def test_a_signed_request_gets_in_with_its_own_parameters_only(guarded, host: str) -> None:
    call = guarded.admit(request(host=host))
    assert (call.version, call.action) == ("2014-05-15", "UploadServerCertificate")
    assert call.parameters == {"PrivateKey": SECRET_VALUE}


def test_parameters_of_query_and_form_come_together(guarded) -> None:
    whole = request(VpcId="vpc-1")
    in_form = [pair for pair in whole.query if pair[0] == "VpcId"]
    in_query = [pair for pair in whole.query if pair[0] != "VpcId"]
    call = guarded.admit(Signed("POST", in_query, in_form, whole.headers, b""))
    assert call.parameters["VpcId"] == "vpc-1"


@pytest.mark.parametrize(
    ("refused", "status", "code"),
    [
        (request(secret="other"), 400, "SignatureDoesNotMatch"),
        (request(AccessKeyId="other"), 404, "InvalidAccessKeyId.NotFound"),
        (request(AccessKeyId=""), 400, "MissingAccessKeyId"),
        (request(SignatureMethod="none"), 400, "MissingAccessKeyId"),
        (request(SignatureNonce=""), 400, "IncompleteSignature"),
        (request(Timestamp="2026-11-24 03:00"), 400, "InvalidTimeStamp.Format"),
        (request(Timestamp=""), 400, "InvalidTimeStamp.Format"),
        (request(Timestamp="2026-11-24T02:44:59Z"), 400, "InvalidTimeStamp.Expired"),
        (request(Timestamp="2026-11-24T03:15:01Z"), 400, "InvalidTimeStamp.Expired"),
        (request(host="evil.example.com"), 400, "InvalidHost"),
        (request(host="127.0.0.1.evil.example.com:7443"), 400, "InvalidHost"),
        (request(host=""), 400, "InvalidHost"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refusals(guarded, refused: Signed, status: int, code: str) -> None:
    assert refusal(guarded, refused) == (status, code)


@pytest.mark.parametrize("stamp", ["2026-11-24T02:45:00Z", "2026-11-24T03:15:00Z"])
def test_a_clock_may_be_a_quarter_of_an_hour_off(guarded, stamp: str) -> None:
    assert guarded.admit(request(Timestamp=stamp)).action == "UploadServerCertificate"


@pytest.mark.parametrize("name", ["PrivateKey", "Action", "Version", "Timestamp", "SignatureType"])
def test_a_parameter_changed_on_the_way_is_refused(guarded, name: str) -> None:
    # Three seconds later, so that the time itself is a good one.
    changed = {"Timestamp": "2026-11-24T03:00:03Z"}.get(name, "changed")
    query = [(key, changed if key == name else value) for key, value in request().query]
    tampered = Signed("POST", query, [], request().headers, b"")
    assert refusal(guarded, tampered) == (400, "SignatureDoesNotMatch")


@pytest.mark.parametrize("extra", [("RegionId", "cn-hangzhou"), ("", "80"), ("Blank", "")])
def test_a_parameter_added_on_the_way_is_refused(guarded, extra: tuple[str, str]) -> None:
    tampered = Signed("POST", [*request().query, extra], [], request().headers, b"")
    assert refusal(guarded, tampered) == (400, "SignatureDoesNotMatch")


@pytest.mark.parametrize("in_form", [False, True])
def test_a_parameter_that_comes_twice_is_refused(guarded, in_form: bool) -> None:
    pairs = [pair for pair in request().query if pair[0] != "Signature"]
    again = [("Action", "DescribeZones")]
    text = signatures.string_to_sign_v1("POST", [*pairs, *again])
    pairs.append(("Signature", signatures.sign_v1("secret", text)))
    query, form = (pairs, again) if in_form else (pairs + again, [])
    doubled = Signed("POST", query, form, request().headers, b"")
    assert refusal(guarded, doubled) == (400, "InvalidParameter")


def test_a_request_gets_in_once(guarded) -> None:
    guarded.admit(request())
    assert refusal(guarded, request()) == (400, "SignatureNonceUsed")


def test_a_forged_request_does_not_use_up_the_nonce(guarded) -> None:
    refusal(guarded, request(secret="other"))
    assert guarded.admit(request()).action == "UploadServerCertificate"


def test_nonces_are_remembered_for_as_long_as_their_time_is_good(guarded, clock) -> None:
    ahead = (NOW + gateway.FRESH).strftime("%Y-%m-%dT%H:%M:%SZ")
    first = request(Timestamp=ahead)
    guarded.admit(first)
    guarded.admit(request(SignatureNonce="second"))
    clock.time = NOW + 2 * gateway.FRESH
    assert refusal(guarded, first) == (400, "SignatureNonceUsed")
    clock.time += timedelta(seconds=1)
    assert refusal(guarded, first) == (400, "InvalidTimeStamp.Expired")
    # By now both are forgotten.
    late = clock.time.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert guarded.admit(request(SignatureNonce="second", Timestamp=late)).action


def test_a_request_does_not_get_in_again_after_a_restart(tmp_path, clock) -> None:
    path = tmp_path / "nonces.sqlite"
    before = Nonces(path)
    Gateway(Credentials("id", "secret"), before, clock).admit(request())
    # Not closed: the process may have been killed.
    after = Nonces(path)
    again = Gateway(Credentials("id", "secret"), after, clock)
    assert refusal(again, request()) == (400, "SignatureNonceUsed")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for one in (before, after):
        one.close()


@pytest.mark.parametrize("content", [b"diary " * 200, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_of_nonces_that_cannot_be_read_begins_anew(tmp_path, content: bytes) -> None:
    path = tmp_path / "nonces.sqlite"
    path.write_bytes(content)
    nonces = Nonces(path)
    assert [nonces.add("a", 2, 1), nonces.add("a", 2, 1)] == [True, False]
    nonces.close()


CALLS = 10_001


def test_no_call_of_half_an_hour_costs_more_than_its_like_and_no_more_is_kept(
    nonces: Nonces,
) -> None:
    steps, costs = 0, []

    def count() -> None:
        nonlocal steps
        steps += 1

    # By SQLite's own instructions: a look through all that is kept would show.
    nonces._connection.set_progress_handler(count, 1)
    lifetime = gateway.FRESH.total_seconds()
    for number in range(2 * CALLS):
        now = number * 2 * lifetime / CALLS
        before = steps
        assert nonces.add(str(number), now + lifetime, now)
        costs.append(steps - before)
    [kept] = nonces._connection.execute("SELECT count(*) FROM nonces").fetchone()
    assert kept <= CALLS / 2 + 2, "what is too old to matter is forgotten"
    assert max(costs) < 200
    assert abs(costs[10_000] - costs[9_000]) < 20


def test_after_a_burst_what_is_kept_shrinks(nonces: Nonces) -> None:
    for number in range(1000):
        nonces.add(f"burst {number}", 900, 0)
    for number in range(1000):
        nonces.add(f"later {number}", 3000, 1000)
    [kept] = nonces._connection.execute("SELECT count(*) FROM nonces").fetchone()
    assert kept == 1000


@pytest.mark.parametrize("nonce", ["", "\0", "ä" * 100_000, "'; DROP TABLE nonces; --"])
def test_nonces_of_any_content_count_once(nonces: Nonces, nonce: str) -> None:
    assert [nonces.add(nonce, 2, 1), nonces.add(nonce, 2, 1)] == [True, False]
