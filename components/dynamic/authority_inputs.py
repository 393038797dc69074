"""Inputs of a CA as `check` completes them: validity, identity, and the CA that comes next."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult

from ..pki import certificates, clb_keys, durations, name_constraints, names
from ..pki.names import distinguished_name
from ..pki.windows import Window, read_time, show_time
from .authority_certificates import (
    ADOPTED_AT,
    CONSTRAINTS,
    CROSS_NAME,
    FIRST_GENERATION,
    IDENTITY,
    WITHDRAWN,
    configured_constraints,
    known_certificate,
    takes_over,
)
from .properties import (
    BECAUSE,
    WINDOW,
    Properties,
    changed,
    chosen,
    failure,
    is_unknown,
    now,
)


def checked(olds: Properties, news: Properties) -> CheckResult:
    """Choose the validity windows, and the identity by which dependents see another key."""
    inputs = dict(news)
    if is_unknown(news):
        return CheckResult(inputs, [])
    inputs["key_bits"] = int(news["key_bits"])
    inputs["generation"] = int(news.get("generation", FIRST_GENERATION))
    failures: list[CheckFailure] = []
    if "adopted_certificate" not in news:  # Its name is as it is.
        failures += failure("subject", lambda: distinguished_name(news["subject"]))
    failures += failure("key_bits", lambda: clb_keys.require_size(inputs["key_bits"]))
    failures += failure(CONSTRAINTS, lambda: configured_constraints(inputs))
    before = in_force(olds, inputs)
    rotating = news.get("next_generation") is not None
    if rotating:
        # It is the next key that is to have the size; the present one has its own.
        inputs["next_key_bits"] = inputs["key_bits"]
        inputs["key_bits"] = int(before.get("key_bits", inputs["key_bits"]))
    inputs |= _adopted(inputs)
    another = changed(before, inputs, IDENTITY)
    if another and (rotating or takes_over(olds, inputs)):
        failures.append(_one_at_a_time(another))
    elif another and "next_generation" in before and _same_generation(before, inputs):
        failures.append(_given_up(another))
    try:
        inputs |= _chosen_window(before, inputs, another)
        same = {} if another else before
        withdrawn = _withdrawn(same, inputs)
        if withdrawn:
            inputs[WITHDRAWN] = withdrawn
        inputs |= known_certificate(inputs)
        inputs["key_id"] = same.get("key_id") or _key_id(inputs)
        if "certified_subject" in same:
            inputs["certified_subject"] = same["certified_subject"]
        if rotating:
            inputs |= _chosen_next(same, inputs)
            failures += failure("next_subject", lambda: distinguished_name(inputs["next_subject"]))
    except ValueError as error:
        return CheckResult(inputs, [*failures, CheckFailure("validity", str(error))])
    return CheckResult(inputs, failures)


def in_force(olds: Properties, news: Properties) -> dict[str, Any]:
    """The CA as it is, or the prepared one if it takes over; empty if there is none."""
    if not olds:
        return {}
    if not takes_over(olds, news):
        return {"generation": FIRST_GENERATION, **olds}
    return {
        "subject": names.fitting(olds["subject"]),
        "key_bits": olds["next_key_bits"],
        "generation": olds["next_generation"],
        "certified_subject": olds["next_subject"],
        "key_id": olds["next_key_id"],
        "not_before": olds["next_not_before"],
        "not_after": olds["next_not_after"],
        "validity": olds["validity"],
        **{name: olds[name] for name in (CONSTRAINTS,) if name in olds},
    }


def _same_generation(before: Properties, inputs: Properties) -> bool:
    return bool(before["generation"] == inputs["generation"])


def _one_at_a_time(another: str) -> CheckFailure:
    return CheckFailure(
        "next_generation",
        f"a rotation in two steps keeps the present CA until it is complete, but {another}: set "
        "that back, or leave next_generation out to change the CA in one step",
    )


def _given_up(another: str) -> CheckFailure:
    return CheckFailure(
        "next_generation",
        f"without it the rotation is given up and the present CA stays, but {another}: set that "
        "back, or raise generation to change the CA in one step",
    )


def _adopted(inputs: Properties) -> dict[str, Any]:
    """What the CA's certificate says for itself, if it was brought along."""
    if "adopted_certificate" not in inputs:
        return {}
    certificate = certificates.load(inputs["adopted_certificate"])
    return {
        "key_bits": certificates.key_size(certificate),
        "adopted_key_sha256": certificates.public_key_sha256(certificate),
    }


def _chosen_window(before: Properties, inputs: Properties, another: str | None) -> dict[str, str]:
    if "adopted_certificate" in inputs:
        return _window_of_adopted(before, inputs)
    anew = another or changed(before, inputs, (CONSTRAINTS,))
    return chosen(before, inputs, now(), anew=anew)


def _window_of_adopted(before: Properties, inputs: Properties) -> dict[str, str]:
    """The window of a CA that was brought along: its own at first, whatever is left of it.

    It is due by `renew_before` like any other, but not before half of what was left of it when it
    was brought along has passed: else bringing it along would renew it.
    """
    moment = now()
    own = Window.of_certificate(certificates.load(inputs["adopted_certificate"]))
    again = before.get("adopted_certificate") == inputs["adopted_certificate"]
    with_key = "adopted_private_key" in inputs
    known = again and ("adopted_private_key" in before or not with_key)
    since = (
        before.get(ADOPTED_AT) if known else show_time(moment.replace(hour=0, minute=0, second=0))
    )
    # Earlier versions did not say since when; they renewed what was due at once.
    begun = read_time(since) if since else own.not_before
    brought = {**own.properties(), BECAUSE: "brought along", ADOPTED_AT: show_time(begun)}
    if not with_key:
        return brought
    last = before if again else {**brought, "validity": inputs["validity"]}
    anew = changed(last, inputs, (CONSTRAINTS,))
    if not again and own.not_after < moment:
        anew = f"brought along after it had expired at {show_time(own.not_after)}"
    stays = not anew and last["validity"] == inputs["validity"]
    if stays and _window(last) == own and moment < _half_over(own, begun):
        return {**brought, BECAUSE: last.get(BECAUSE, brought[BECAUSE])}
    window = chosen(last, inputs, moment, anew=anew)
    if again and ADOPTED_AT not in before and _window(before) == _window(window) != own:
        # An earlier version had renewed it under a serial number of chance.
        window[BECAUSE] = "issued again with the serial number that it was brought along with"
    return {**window, ADOPTED_AT: show_time(begun)}


def _half_over(own: Window, begun: datetime) -> datetime:
    return begun + (own.not_after - begun) / 2


def renewed_before_end(
    adopted: str | None, certificate: str, begun: str | None, renew_before: str
) -> str:
    """How long before its end `check` renews a CA.

    Args:
        adopted: PEM that was brought along, if any.
        certificate: PEM that is in force.
        begun: Since when it is here, RFC 3339; None where an earlier version brought it along.
        renew_before: As configured.
    """
    if adopted is None or begun is None:
        return renew_before
    own = Window.of_certificate(certificates.load(adopted))
    if own != Window.of_certificate(certificates.load(certificate)):
        return renew_before
    left = own.not_after - _half_over(own, read_time(begun))
    return durations.written(left) if left < durations.parse(renew_before) else renew_before


def _window(properties: Properties) -> Window:
    return Window.of_properties(*(properties[name] for name in WINDOW))


def _withdrawn(before: Properties, inputs: Properties) -> list[dict[str, Any]]:
    """The cross-certificates that must not be good any more, with that of a rotation given up now.

    An expired one leaves when the CA's certificate is another for a reason of its own.
    """
    found: list[dict[str, Any]] = list(before.get(WITHDRAWN, ()))
    if found and _window(before) != _window(inputs):
        found = [one for one in found if read_time(one["not_after"]) >= now()]
    if "next_key_id" in before and not _is_prepared(before, inputs):
        found.append(
            {
                "cross_name": before.get(CROSS_NAME, ""),
                "subject": dict(before["next_subject"]),
                "not_after": before["next_not_after"],
            }
        )
    return found


def _is_prepared(before: Properties, inputs: Properties) -> bool:
    """Whether the CA that is to come is the one that was prepared."""
    wanted = (inputs.get("next_generation"), inputs.get("next_key_bits"))
    return (before.get("next_generation"), before.get("next_key_bits")) == wanted


def _chosen_next(before: Properties, inputs: Properties) -> dict[str, Any]:
    """The CA that is to take over: `NEXT`."""
    number, key_bits = int(inputs["next_generation"]), inputs["next_key_bits"]
    withdrawn = inputs.get(WITHDRAWN, [])
    # The name differs from the present one's: clients choose by it what they send along.
    fitting = names.fitting(inputs["subject"])
    name, mark = fitting.get("common_name", ""), ""
    subject = {**fitting, "common_name": names.numbered(name, number)}
    while any(one["subject"] == subject and not one["cross_name"] for one in withdrawn):
        mark += "+"
        subject["common_name"] = names.numbered(name, number, mark)
    prepared = _is_prepared(before, inputs)
    old = {"validity": before["validity"]} if prepared else {}
    if prepared:
        old |= {name: before[f"next_{name}"] for name in WINDOW}
        subject = dict(before["next_subject"])
    window = chosen(old, inputs, now(), anew=None)
    identity = {"subject": subject, "key_bits": key_bits, "generation": number, **window}
    key_id = before["next_key_id"] if prepared else _key_id(identity)
    cross_name = before.get(CROSS_NAME) if prepared else _cross_name(key_id, inputs)
    return {
        "next_generation": number,
        "next_subject": subject,
        "next_key_bits": key_bits,
        "next_key_id": key_id,
        **{f"next_{name}": window[name] for name in WINDOW},
        **({CROSS_NAME: cross_name} if cross_name else {}),
    }


def _cross_name(key_id: str, inputs: Properties) -> str | None:
    """A host for this rotation alone: one that is prepared again on the same day has another.

    None where the CA was brought along with constraints that let it certify some hosts only.
    """
    given = inputs.get("adopted_certificate")
    if given and name_constraints.permits_hosts(name_constraints.of(certificates.load(given))):
        return None
    known = json.dumps([key_id, [one["cross_name"] for one in inputs.get(WITHDRAWN, ())]])
    # RFC 2606, 2: nobody can have it.
    return f"{hashlib.sha256(known.encode()).hexdigest()[:16]}.invalid"


def _key_id(inputs: Properties) -> str:
    """A value of the inputs alone, so that preview and update agree on it."""
    if "adopted_key_sha256" in inputs:
        return str(inputs["adopted_key_sha256"])[:16]
    identity = [inputs[name] for name in ("subject", "key_bits", "not_before")]
    if inputs["generation"] != FIRST_GENERATION:
        identity.append(inputs["generation"])
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
