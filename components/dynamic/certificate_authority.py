"""The CA as a dynamic resource: a key, and a certificate that is renewed with the same key.

A rotation in two steps keeps the resource. `next_generation` prepares the next key, and has the
present one sign it (newWithOld, RFC 4210, 4.4), so that clients of the next CA are accepted under
the present one's certificate. `generation` with that number then lets it take over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from components.dynamic import state
from components.dynamic.properties import (
    BECAUSE,
    WINDOW,
    Properties,
    changed,
    chosen,
    differing,
    failure,
    is_unknown,
    now,
)
from components.dynamic.state import AuthorityInputs, AuthorityOutputs
from pki import certificates, keys, name_constraints
from pki.certificates import Issuer
from pki.name_constraints import Subtrees
from pki.names import distinguished_name
from pki.windows import Window

IDENTITY = ("subject", "key_bits", "generation", "adopted_key_sha256")
"""A change of these makes another CA: another key, and every certificate issued anew."""

FIRST_GENERATION = 1
"""Of a CA that says nothing of it: those that were made before there were generations."""

NEXT_WINDOW = ("next_not_before", "next_not_after")

NEXT = ("next_generation", "next_subject", "next_key_bits", "next_key_id", *NEXT_WINDOW)
"""The CA that a rotation prepares: what check chooses of it."""

CONSTRAINTS = "name_constraints"
"""Property: what the CA may certify. A change issues its certificate anew, with the same key."""

KEPT = (
    "validity",
    "renew_before",
    "key_id",
    "certified_subject",
    "adopted_certificate",
    CONSTRAINTS,
)

SECRETS = ("private_key", "next_private_key", "expired_probe")

PROBE_LIFETIME = timedelta(minutes=1)


class Provider(ResourceProvider):
    """Makes, renews and rotates a CA. State refers to it by its import path: do not move it."""

    serialize_as_secret_always = False  # It holds nothing.

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Choose the validity windows, and the identity by which dependents see another key."""
        inputs = dict(news)
        if failures := state.failures(AuthorityInputs, _olds):
            return CheckResult(inputs, failures)
        if is_unknown(news):
            return CheckResult(inputs, [])
        inputs["key_bits"] = int(news["key_bits"])
        inputs["generation"] = int(news.get("generation", FIRST_GENERATION))
        if "adopted_certificate" not in news:  # Its name is as it is.
            failures += failure("subject", lambda: distinguished_name(news["subject"]))
        failures += failure("key_bits", lambda: keys.require_size(inputs["key_bits"]))
        failures += failure(CONSTRAINTS, lambda: _configured_constraints(inputs))
        before = _before(_olds, inputs)
        rotating = news.get("next_generation") is not None
        if rotating:
            # It is the next key that is to have the size; the present one has its own.
            inputs["next_key_bits"] = inputs["key_bits"]
            inputs["key_bits"] = int(before.get("key_bits", inputs["key_bits"]))
        inputs |= _adopted(inputs)
        another = changed(before, inputs, IDENTITY)
        if another and (rotating or _takes_over(_olds, inputs)):
            failures.append(_one_at_a_time(another))
        elif another and "next_generation" in before and _same_generation(before, inputs):
            failures.append(_given_up(another))
        try:
            inputs |= _chosen_window(before, inputs, another)
            inputs |= _known_certificate(inputs)
            same = {} if another else before
            inputs["key_id"] = same.get("key_id") or _key_id(inputs)
            if "certified_subject" in same:
                inputs["certified_subject"] = same["certified_subject"]
            if rotating:
                inputs |= _chosen_next(same, inputs)
                failures += failure(
                    "next_subject", lambda: distinguished_name(inputs["next_subject"])
                )
        except ValueError as error:
            return CheckResult(inputs, [*failures, CheckFailure("validity", str(error))])
        return CheckResult(inputs, failures)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Another identity replaces the CA; another window renews it."""
        state.require(AuthorityOutputs, _olds)
        if is_unknown(_news):
            return DiffResult(changes=True)
        # A refresh hands over the inputs of the state, which an earlier version's check completed.
        news = {"generation": FIRST_GENERATION, **_news}
        before = _before(_olds, news)
        replaces = differing(before, news, IDENTITY)
        content = ("adopted_certificate", "key_id", "next_key_id", CONSTRAINTS)
        renewed = differing(_olds, news, (*content, *WINDOW, *NEXT_WINDOW))
        adopted = "adopted_certificate" in news
        moved = adopted and ("adopted_private_key" in news) != ("private_key" in _olds)
        return DiffResult(changes=bool(replaces or renewed or moved), replaces=replaces)

    def create(self, props: Properties) -> CreateResult:
        """Make key, certificate and the expired client certificate that verification shows."""
        adopted = "adopted_certificate" in props
        key = _given_key(props) if adopted else keys.generate(int(props["key_bits"]))
        outs = _outputs({}, props, key)
        return CreateResult(outs["public_key_sha256"], {**outs, **_expired_probe(outs, key)})

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Renew the certificate under the same key, prepare a next key, or let it take over."""
        state.require(AuthorityOutputs, _olds)
        if _takes_over(_olds, _news):
            key = keys.load(_olds["next_private_key"])
            outs = _outputs(_olds, _news, key)
            return UpdateResult({**outs, **_expired_probe(outs, key)})
        adopted = "adopted_certificate" in _news
        present = _given_key(_news) if adopted else keys.load(_olds["private_key"])
        outs = _outputs(_olds, _news, present)
        if present is None or "expired_probe" not in _olds:
            return UpdateResult({**outs, **_expired_probe(outs, present)})
        return UpdateResult({**outs, "expired_probe": _olds["expired_probe"]})


class CertificateAuthority(Resource, module="pki", name="CertificateAuthority"):
    """A private CA.

    Attributes:
        certificate: PEM, self-signed.
        private_key: PKCS#1 PEM; secret. Missing for a CA that was brought along without it.
        key_id: Changes with the key alone, and is known in preview.
        fingerprint_sha256: Of the certificate, hex.
        serial_number: Hex.
        public_key_sha256: Of the SubjectPublicKeyInfo, hex.
        not_before: RFC 3339.
        not_after: RFC 3339.
        expired_probe: `certificate` and `private_key` of an expired client; secret.
        next_certificate: PEM of the CA that a rotation prepares, self-signed.
        cross_certificate: PEM of the same, signed by the present CA.
        next_private_key: PKCS#1 PEM; secret.
        next_key_id: As `key_id`.
    """

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]
    key_id: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    serial_number: pulumi.Output[str]
    public_key_sha256: pulumi.Output[str]
    not_before: pulumi.Output[str]
    not_after: pulumi.Output[str]
    expired_probe: pulumi.Output[dict[str, str]]
    next_certificate: pulumi.Output[str]
    cross_certificate: pulumi.Output[str]
    next_private_key: pulumi.Output[str]
    next_key_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        subject: Mapping[str, str],
        key_bits: int,
        validity: str,
        renew_before: str,
        generation: int = FIRST_GENERATION,
        next_generation: int | None = None,
        adopted_certificate: str | None = None,
        adopted_private_key: pulumi.Input[str] | None = None,
        constraints: Mapping[str, Subtrees] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            Provider(),
            name,
            {
                "subject": dict(subject),
                "key_bits": key_bits,
                "generation": generation,
                "next_generation": next_generation,
                "adopted_certificate": adopted_certificate,
                "adopted_private_key": pulumi.Output.secret(adopted_private_key)
                if adopted_private_key
                else None,
                "validity": validity,
                "renew_before": renew_before,
                CONSTRAINTS: dict(constraints) if constraints else None,
                **dict.fromkeys(
                    (
                        "certificate",
                        "private_key",
                        "key_id",
                        "fingerprint_sha256",
                        "serial_number",
                        "public_key_sha256",
                        "not_before",
                        "not_after",
                        "expired_probe",
                        "next_certificate",
                        "cross_certificate",
                        "next_private_key",
                        "next_key_id",
                    )
                ),
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=list(SECRETS))
            ),
        )


def _takes_over(olds: Properties, news: Properties) -> bool:
    """Whether the CA that was prepared is the one that is asked for now."""
    return "next_generation" in olds and olds["next_generation"] == news["generation"]


def _before(olds: Properties, news: Properties) -> dict[str, Any]:
    """The CA as it is, or the prepared one if it takes over; empty if there is none."""
    if not olds:
        return {}
    if not _takes_over(olds, news):
        return {"generation": FIRST_GENERATION, **olds}
    return {
        "subject": olds["subject"],
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


def _given_key(props: Properties) -> rsa.RSAPrivateKey | None:
    """The key of a CA that was brought along, if it was given."""
    given = props.get("adopted_private_key")
    return keys.load(given) if given else None


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
    name = f"{inputs['subject'].get('common_name', '')} G{number}".strip()
    subject = {**inputs["subject"], "common_name": name}
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


def _outputs(olds: Properties, props: Properties, key: rsa.RSAPrivateKey | None) -> dict[str, Any]:
    """All but the expired client certificate."""
    certificate = _certificate(olds, props, key)
    outs = {
        **{name: props[name] for name in (*IDENTITY, *KEPT, *WINDOW, *NEXT) if name in props},
        **_shown(certificate),
        **({"private_key": keys.pkcs1(key)} if key else {}),
    }
    if "next_generation" not in props:
        return outs
    return {**outs, **_prepared(olds, props, Issuer(certificate, key))}


def _certificate(
    olds: Properties, props: Properties, key: rsa.RSAPrivateKey | None
) -> x509.Certificate:
    """The CA's own certificate: the one there is, if it serves, else another with the same key."""
    ready: x509.Certificate | None = None
    if "adopted_certificate" in props:
        ready = certificates.load(props["adopted_certificate"])
    elif _takes_over(olds, props):
        ready = certificates.load(olds["next_certificate"])
    if ready is not None and (key is None or _serves(ready, props)):
        return ready
    if key is None:
        raise ValueError("a CA has a key of its own, or one that was brought along")
    subject = distinguished_name(props.get("certified_subject", props["subject"]))
    return certificates.self_signed_authority(
        ready.subject if ready else subject,
        key,
        Window.of_properties(props["not_before"], props["not_after"]),
        path_length=_below(props),
        identifier=certificates.key_identifier(ready) if ready else None,
        constraints=_constraints(props, ready),
    )


def _shown(certificate: x509.Certificate) -> dict[str, str]:
    return {
        "certificate": certificates.pem(certificate),
        "fingerprint_sha256": certificates.fingerprint_sha256(certificate),
        "serial_number": certificates.serial_number(certificate),
        "public_key_sha256": certificates.public_key_sha256(certificate),
    }


def _known_certificate(inputs: Properties) -> dict[str, str]:
    """What outputs say of the certificate of a CA that was brought along, if it stays as it is.

    As inputs they are known in a preview, in which what depends on the CA then does not change.
    """
    if "adopted_certificate" not in inputs:
        return {}
    ready = certificates.load(inputs["adopted_certificate"])
    stays = "adopted_private_key" not in inputs or _serves(ready, inputs)
    return _shown(ready) if stays else {}


def _serves(ready: x509.Certificate, props: Properties) -> bool:
    """Whether a certificate that there is has the dates and extensions that are asked for."""
    return (
        Window.of_certificate(ready)
        == Window.of_properties(props["not_before"], props["not_after"])
        and certificates.allows_below(ready, _below(props))
        and name_constraints.of(ready) == _constraints(props, ready)
    )


def _below(props: Properties) -> int:
    """How many CAs may stand between this one and a leaf: the next one does, if there is one."""
    return 1 if "next_generation" in props else 0


def _constraints(props: Properties, ready: x509.Certificate | None) -> x509.NameConstraints | None:
    """Names that the CA may certify: as configured, or as one that was brought along has it."""
    configured = _configured_constraints(props)
    if configured is None and "adopted_certificate" in props and ready is not None:
        return name_constraints.of(ready)
    return configured


def _prepared(olds: Properties, props: Properties, present: Issuer) -> dict[str, str]:
    """The next CA: its key, its own certificate, and the one that the present CA gives it."""
    same = olds.get("next_key_id") == props["next_key_id"]
    key = (
        keys.load(olds["next_private_key"]) if same else keys.generate(int(props["next_key_bits"]))
    )
    subject = distinguished_name(props["next_subject"])
    window = Window.of_properties(*(props[name] for name in NEXT_WINDOW))
    own = certificates.self_signed_authority(
        subject, key, window, constraints=_configured_constraints(props)
    )
    crossed = certificates.cross_signed(present, subject, key.public_key(), window)
    return {
        "next_certificate": certificates.pem(own),
        "cross_certificate": certificates.pem(crossed),
        "next_private_key": keys.pkcs1(key),
    }


def _expired_probe(outs: Properties, key: rsa.RSAPrivateKey | None) -> dict[str, Any]:
    """A client certificate that ended a minute after the CA's own start, if it can be made."""
    if key is None:
        return {}
    issuer = Issuer(certificates.load(outs["certificate"]), key)
    start = issuer.certificate.not_valid_before_utc
    own = keys.generate(keys.SIZES[0])
    certificate = certificates.client(
        issuer,
        distinguished_name({"common_name": "expired probe"}),
        own.public_key(),
        Window(start, start + PROBE_LIFETIME),
    )
    probe = {"certificate": certificates.pem(certificate), "private_key": keys.pkcs1(own)}
    return {"expired_probe": probe}


def _configured_constraints(props: Properties) -> x509.NameConstraints | None:
    return name_constraints.extension(props.get(CONSTRAINTS, {}))


def _key_id(inputs: Properties) -> str:
    """A value of the inputs alone, so that preview and update agree on it."""
    if "adopted_key_sha256" in inputs:
        return str(inputs["adopted_key_sha256"])[:16]
    identity = [inputs[name] for name in ("subject", "key_bits", "not_before")]
    if inputs["generation"] != FIRST_GENERATION:
        identity.append(inputs["generation"])
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
