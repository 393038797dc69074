"""Which CA there shall be: what follows from what there is and what is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from . import certificates, durations, name_constraints, names, uploaded_keys
from .authority import (
    FIRST_GENERATION,
    Adopted,
    AuthorityIdentity,
    AuthorityPlan,
    NextPlan,
    Wanted,
    Withdrawn,
    replaced_by,
)
from .mistakes import Mistake, WrongInputsError
from .name_constraints import Subtrees
from .names import distinguished_name
from .windows import ChosenWindow, Window, choose_window, read_time, show_time

BROUGHT_ALONG = "brought along"
"""Why a CA's certificate is in force that others have issued."""


def plan(before: AuthorityPlan | None, wanted: Wanted, now: datetime) -> AuthorityPlan:
    """Decide which CA there shall be.

    Args:
        before: Plan of the CA that there is; None if there is none.
        wanted: CA that is asked for now.
        now: The time by which windows are chosen.

    Raises:
        WrongInputsError: An input is wrong, or cannot follow on the CA that there is.
    """
    mistakes = _wrong_values(wanted)
    present = before.in_force(wanted.generation) if before else None
    identity = _identity(present, wanted)
    another = change_of_identity(before, identity)
    completes = before is not None and before.is_completed_by(wanted.generation)
    if another and (wanted.next_generation is not None or completes):
        mistakes.append(
            Mistake(
                "next_generation",
                "a rotation in two steps keeps the present CA until it is complete, but "
                f"{another}: set that back, or leave next_generation out to change the CA in one "
                "step",
            )
        )
    elif another and present and present.next and present.identity.generation == wanted.generation:
        mistakes.append(
            Mistake(
                "next_generation",
                "without it the rotation is given up and the present CA stays, but "
                f"{another}: set that back, or raise generation to change the CA in one step",
            )
        )
    same = None if another else present
    try:
        window, adopted_at = _choose_window(present, wanted, now, another)
        planned = AuthorityPlan(
            identity=identity,
            key_id=same.key_id if same else _key_id(identity, window.window),
            window=window,
            constraints=wanted.constraints,
            adopted=wanted.adopted,
            adopted_at=adopted_at,
            certified_subject=same.certified_subject if same else None,
            withdrawn=_withdraw(same, wanted, window.window, now),
        )
        if wanted.next_generation is not None:
            following = _prepare(same, planned, wanted, wanted.next_generation, now)
            planned = replace(planned, next=following)
    except ValueError as error:
        raise WrongInputsError([*mistakes, Mistake("validity", str(error))]) from None
    if planned.next is not None:
        mistakes += _wrong_name("next_subject", planned.next.subject)
    if mistakes:
        raise WrongInputsError(mistakes)
    return planned


def change_of_identity(before: AuthorityPlan | None, identity: AuthorityIdentity) -> str | None:
    """Say what makes an identity that of another CA; None if nothing does."""
    words = {"adopted_key_sha256": "certificate"}
    names = replaced_by(before, identity) if before else []
    return f"{', '.join(words.get(name, name) for name in names)} changed" if names else None


def _wrong_values(wanted: Wanted) -> list[Mistake]:
    mistakes: list[Mistake] = []
    if wanted.adopted is None:  # Its name is as it is.
        mistakes += _wrong_name("subject", wanted.subject)
    try:
        uploaded_keys.require_size(wanted.key_bits)
    except ValueError as error:
        mistakes.append(Mistake("key_bits", str(error)))
    try:
        name_constraints.extension(wanted.constraints)
    except ValueError as error:
        # Nothing else can be decided without them.
        mistakes.append(Mistake("name_constraints", str(error)))
        raise WrongInputsError(mistakes) from None
    try:
        if wanted.adopted is not None:
            certificates.key_size(wanted.adopted.certificate)
    except ValueError as error:
        mistakes.append(Mistake("adopted_certificate", str(error)))
        raise WrongInputsError(mistakes) from None
    return mistakes


def _wrong_name(place: str, subject: Mapping[str, str]) -> list[Mistake]:
    try:
        distinguished_name(subject)
    except ValueError as error:
        return [Mistake(place, str(error))]
    return []


def _identity(present: AuthorityPlan | None, wanted: Wanted) -> AuthorityIdentity:
    if wanted.adopted is not None:
        certificate = wanted.adopted.certificate
        bits = certificates.key_size(certificate)
        digest = certificates.public_key_sha256(certificate)
        return AuthorityIdentity(wanted.subject, bits, wanted.generation, digest)
    bits = wanted.key_bits
    if wanted.next_generation is not None and present is not None:
        # It is the next key that is to have the size; the present one has its own.
        bits = present.identity.key_bits
    return AuthorityIdentity(wanted.subject, bits, wanted.generation)


def _key_id(identity: AuthorityIdentity, window: Window) -> str:
    """A value of what is planned alone, so that preview and update agree on it."""
    if identity.adopted_key_sha256 is not None:
        return identity.adopted_key_sha256[:16]
    content = [dict(identity.subject), identity.key_bits, show_time(window.not_before)]
    if identity.generation != FIRST_GENERATION:
        content.append(identity.generation)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _choose_window(
    present: AuthorityPlan | None, wanted: Wanted, now: datetime, another: str | None
) -> tuple[ChosenWindow, datetime | None]:
    """The window of the CA's certificate, and since when a CA is here that was brought along."""
    if wanted.adopted is not None:
        return _choose_window_of_adopted(present, wanted, wanted.adopted, now)
    anew = another or _changed_constraints(present.constraints if present else None, wanted)
    previous = present.window if present else None
    return choose_window(previous, wanted.lengths, now, anew=anew), None


def _changed_constraints(before: Mapping[str, Subtrees] | None, wanted: Wanted) -> str | None:
    return "name constraints changed" if before not in (None, wanted.constraints) else None


def _choose_window_of_adopted(
    present: AuthorityPlan | None, wanted: Wanted, adopted: Adopted, now: datetime
) -> tuple[ChosenWindow, datetime]:
    """The window of a CA that was brought along: its own at first, whatever is left of it.

    It is due by `renew_before` like any other, but not before half of what was left of it when it
    was brought along has passed: else bringing it along would renew it.
    """
    wanted.lengths.parse()  # They are refused now, although they may not be needed yet.
    own = Window.of_certificate(adopted.certificate)
    before = _same_adopted(present, adopted)
    known = before is not None and (_had_key(before) or not adopted.has_key)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    # Earlier versions did not say since when; they renewed what was due at once.
    begun = (before.adopted_at or own.not_before) if before and known else today
    brought = ChosenWindow(own, wanted.lengths.validity, BROUGHT_ALONG)
    if not adopted.has_key:
        return brought, begun
    last = before.window if before else brought
    anew = _changed_constraints(before.constraints if before else {}, wanted)
    if before is None and own.not_after < now:
        anew = f"brought along after it had expired at {show_time(own.not_after)}"
    stays = not anew and last.validity == wanted.lengths.validity
    if stays and last.window == own and now < _half_over(own, begun):
        return replace(brought, because=last.because or BROUGHT_ALONG), begun
    window = choose_window(last, wanted.lengths, now, anew=anew)
    if before and before.adopted_at is None and before.window.window == window.window != own:
        # An earlier version had renewed it under a serial number of chance.
        because = "issued again with the serial number that it was brought along with"
        window = replace(window, because=because)
    return window, begun


def _same_adopted(present: AuthorityPlan | None, adopted: Adopted) -> AuthorityPlan | None:
    """The last plan, if it was for the certificate that is brought along now."""
    before = present.adopted if present else None
    return present if before and before.text == adopted.text else None


def _had_key(before: AuthorityPlan) -> bool:
    return before.adopted is not None and before.adopted.has_key


def _half_over(own: Window, begun: datetime) -> datetime:
    return begun + (own.not_after - begun) / 2


def renewed_before_end(
    adopted: str | None, certificate: str, begun: str | None, renew_before: str
) -> str:
    """How long before its end `plan` renews a CA.

    Args:
        adopted: Certificate that was brought along, if any, PEM.
        certificate: Certificate that is in force, PEM.
        begun: Since when it is here, RFC 3339; None where an earlier version brought it along.
        renew_before: As configured.
    """
    if adopted is None or begun is None:
        return renew_before
    own = Window.of_certificate(certificates.load(adopted))
    if own != Window.of_certificate(certificates.load(certificate)):
        return renew_before
    left = own.not_after - _half_over(own, read_time(begun))
    return durations.write(left) if left < durations.parse(renew_before) else renew_before


def _withdraw(
    before: AuthorityPlan | None, wanted: Wanted, window: Window, now: datetime
) -> tuple[Withdrawn, ...]:
    """The cross-certificates that must not be good any more, with that of a rotation given up now.

    An expired one leaves when the CA's certificate is another for a reason of its own.
    """
    if before is None:
        return ()
    withdrawn = before.withdrawn
    if before.window.window != window:
        withdrawn = tuple(past for past in withdrawn if past.not_after >= now)
    following = before.next
    if following is None or _is_prepared(following, wanted):
        return withdrawn
    given_up = Withdrawn(
        following.cross_name or "", dict(following.subject), following.window.not_after
    )
    return (*withdrawn, given_up)


def _is_prepared(following: NextPlan, wanted: Wanted) -> bool:
    """Whether the CA that is to come is the one that was prepared."""
    asked = (wanted.next_generation, wanted.key_bits)
    return (following.generation, following.key_bits) == asked


def _prepare(
    before: AuthorityPlan | None,
    planned: AuthorityPlan,
    wanted: Wanted,
    generation: int,
    now: datetime,
) -> NextPlan:
    """The CA that is to take over: the one that was prepared, or another."""
    if before and before.next and _is_prepared(before.next, wanted):
        previous = ChosenWindow(before.next.window, before.window.validity)
        window = choose_window(previous, wanted.lengths, now, anew=None).window
        return replace(before.next, window=window)
    window = choose_window(None, wanted.lengths, now, anew=None).window
    subject = _next_subject(wanted.subject, generation, planned.withdrawn)
    key_id = _key_id(AuthorityIdentity(subject, wanted.key_bits, generation), window)
    cross_name = _cross_name(key_id, planned)
    return NextPlan(generation, subject, wanted.key_bits, key_id, window, cross_name)


def _next_subject(
    subject: Mapping[str, str], generation: int, withdrawn: Sequence[Withdrawn]
) -> dict[str, str]:
    """A name that no CA of this stack has: clients choose by it what they send along."""
    fitting = names.fit_subject(subject)
    name, mark = fitting.get("common_name", ""), ""
    following = {**fitting, "common_name": names.name_generation(name, generation)}
    while any(past.subject == following and not past.cross_name for past in withdrawn):
        mark += "+"
        following["common_name"] = names.name_generation(name, generation, mark)
    return following


def _cross_name(key_id: str, planned: AuthorityPlan) -> str | None:
    """A host for this rotation alone: one that is prepared again on the same day has another.

    None where the CA was brought along with constraints that let it certify some hosts only.
    """
    adopted = planned.adopted
    if adopted and name_constraints.permits_hosts(name_constraints.of(adopted.certificate)):
        return None
    known = json.dumps([key_id, [past.cross_name for past in planned.withdrawn]])
    # RFC 2606, 2: nobody can have it.
    return f"{hashlib.sha256(known.encode()).hexdigest()[:16]}.invalid"
