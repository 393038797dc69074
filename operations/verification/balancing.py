"""Judgement of load balancing: whether the backends that should answer do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from operations.verification.findings import Finding, some
from operations.verification.health import BackendHealth
from operations.verification.outcomes import Answered, Outcome, is_success


def is_even(
    instances: Sequence[str | None], healthy: Collection[str], weights: Mapping[str, int]
) -> bool:
    """Tell whether every healthy backend was seen, none over twice as often as its weight says.

    The nodes of a load balancer take turns each for itself, so an exact tie is not to be expected
    of a few requests. A backend whose share of them is less than one need not have been seen.

    Args:
        instances: Who answered.
        healthy: Who may have.
        weights: Of those; who has none counts as 100.
    """
    counts = Counter(instances)
    shares = {one: weights.get(one, 100) for one in healthy}
    shares = {one: share for one, share in shares.items() if share}
    if not shares or not set(counts) <= set(shares):
        return False
    least = sum(shares.values()) / len(instances)
    rates = [counts[one] / share for one, share in shares.items() if share >= least]
    return max(rates) <= 2 * min(rates)


def balancing(
    outcomes: Sequence[Outcome],
    healthy: Collection[str] | None,
    weights: Mapping[str, int] | None = None,
) -> Finding:
    """Judge whether requests on new connections went to all healthy backends by their weights.

    Args:
        outcomes: Of the requests, in order.
        healthy: Ids of the backends whose health is normal; None where nobody told.
        weights: Of backends, by id; None where all are equal.
    """
    lost = [outcome for outcome in outcomes if not is_success(outcome)]
    if lost:
        return Finding("failed", f"{len(lost)} of {len(outcomes)} requests failed: {lost[0]}")
    instances = [o.instance for o in outcomes if isinstance(o, Answered)]
    if not any(instances):
        return Finding("skipped", "no answer names its instance (i-…), so it cannot be seen")
    counts = Counter(instance or "unnamed" for instance in instances)
    seen = ", ".join(f"{instance} {count}" for instance, count in sorted(counts.items()))
    if healthy is None:
        return Finding("skipped", f"seen {seen}; which backends are healthy is not known")
    weights = weights or {}
    if not is_even(instances, healthy, weights):
        return Finding("failed", f"seen {seen}; expected {_expected(healthy, weights)}")
    drained = [one for one, weight in weights.items() if not weight]
    none = f"; none to {some(drained)}, which is drained" if drained else ""
    turns = ", strictly in turn" if _takes_turns(instances) else ""
    return Finding("passed", seen + turns + none)


def _expected(healthy: Collection[str], weights: Mapping[str, int]) -> str:
    if not healthy:
        return "no healthy backend"
    if len({weights.get(one, 100) for one in healthy}) == 1:
        return f"evenly {', '.join(sorted(healthy))}"
    return ", ".join(f"{one} by weight {weights.get(one, 100)}" for one in sorted(healthy))


def _takes_turns(instances: Sequence[str | None]) -> bool:
    period = len(set(instances))
    return len(set(instances[:period])) == period and all(
        now == before for now, before in zip(instances[period:], instances, strict=False)
    )


def health(backends: Iterable[BackendHealth], drained: Collection[str] = ()) -> Finding:
    """Judge whether there are backends and the health of all of them is normal.

    Args:
        backends: As the load balancer reports them.
        drained: Ids of those that get no request, and need not be healthy.
    """
    states = {backend.server_id: backend.status for backend in backends}
    if not states:
        return Finding("failed", "the listener has no backends")
    sick = {s: status for s, status in states.items() if status != "normal" and s not in drained}
    if sick:
        return Finding("failed", f"{some(f'{s} {status}' for s, status in sick.items())}")
    idle = [f"{s} {states[s]}" for s in drained if states.get(s, "normal") != "normal"]
    normal = [s for s, status in states.items() if status == "normal"]
    seen = f"{some(normal)}: normal" if normal else "none is normal"
    return Finding("passed", seen + (f"; drained: {some(idle)}" if idle else ""))


def sticky_session(first: Outcome, later: Sequence[Outcome], cookie: str) -> Finding:
    """Judge whether requests with the first answer's cookies went to the same backend.

    Args:
        first: Of the request without a cookie.
        later: Of those with the cookies that it set.
        cookie: Name of the cookie that backends have to set; empty if the listener sets its own.
    """
    if not isinstance(first, Answered) or not is_success(first):
        return Finding("failed", f"could not be tried: {first}")
    names = [one.split("=", 1)[0] for one in first.cookies]
    if cookie not in {*names, ""}:
        return Finding("skipped", f"the page sets no cookie {cookie}, which the backends would")
    lost = [outcome for outcome in later if not is_success(outcome)]
    if lost:
        return Finding("failed", f"{len(lost)} of {len(later)} requests failed: {lost[0]}")
    if first.instance is None:
        return Finding("skipped", "no answer names its instance (i-…), so it cannot be seen")
    elsewhere = {o.instance for o in later if isinstance(o, Answered)} - {first.instance}
    others = ", ".join(sorted(map(str, elsewhere)))
    return Finding.passed_if(
        bool(names) and not elsewhere,
        "the listener sets no cookie"
        if not names
        else f"{first.instance} first, then with its cookie {others}"
        if elsewhere
        else f"{len(later)} requests with {names[0]} to {first.instance}",
    )
