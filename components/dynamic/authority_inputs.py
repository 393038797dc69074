"""What check makes of a CA's inputs: its validity, its identity, and the CA that comes next."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult

from components.dynamic.authority_certificates import (
    CONSTRAINTS,
    FIRST_GENERATION,
    IDENTITY,
    configured_constraints,
    known_certificate,
    takes_over,
)
from components.dynamic.properties import (
    BECAUSE,
    WINDOW,
    Properties,
    changed,
    chosen,
    failure,
    is_unknown,
    now,
)
from pki import certificates, keys, names
from pki.names import distinguished_name
from pki.windows import Window


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
    failures += failure("key_bits", lambda: keys.require_size(inputs["key_bits"]))
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
        inputs |= known_certificate(inputs)
        same = {} if another else before
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
    if "adopted_certificate" not in inputs:
        anew = another or changed(before, inputs, (CONSTRAINTS,))
        return chosen(before, inputs, now(), anew=anew)
    own = Window.of_certificate(certificates.load(inputs["adopted_certificate"])).properties()
    brought = {**own, BECAUSE: "brought along", "validity": inputs["validity"]}
    again = before.get("adopted_certificate") == inputs["adopted_certificate"]
    if "adopted_private_key" in inputs:
        last = before if again else brought
        return chosen(last, inputs, now(), anew=changed(last, inputs, (CONSTRAINTS,)))
    return {name: brought[name] for name in (*WINDOW, BECAUSE)}


def _chosen_next(before: Properties, inputs: Properties) -> dict[str, Any]:
    """The CA that is to take over: `NEXT`."""
    number, key_bits = int(inputs["next_generation"]), inputs["next_key_bits"]
    # The name differs from the present one's: clients choose by it what they send along.
    fitting = names.fitting(inputs["subject"])
    subject = {**fitting, "common_name": names.numbered(fitting.get("common_name", ""), number)}
    prepared = (before.get("next_generation"), before.get("next_key_bits")) == (number, key_bits)
    old = {"validity": before["validity"]} if prepared else {}
    if prepared:
        old |= {name: before[f"next_{name}"] for name in WINDOW}
    window = chosen(old, inputs, now(), anew=None)
    identity = {"subject": subject, "key_bits": key_bits, "generation": number, **window}
    return {
        "next_generation": number,
        "next_subject": subject,
        "next_key_bits": key_bits,
        "next_key_id": before["next_key_id"] if prepared else _key_id(identity),
        **{f"next_{name}": window[name] for name in WINDOW},
    }


def _key_id(inputs: Properties) -> str:
    """A value of the inputs alone, so that preview and update agree on it."""
    if "adopted_key_sha256" in inputs:
        return str(inputs["adopted_key_sha256"])[:16]
    identity = [inputs[name] for name in ("subject", "key_bits", "not_before")]
    if inputs["generation"] != FIRST_GENERATION:
        identity.append(inputs["generation"])
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
