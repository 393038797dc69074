"""Refusal of what would have the engine or a provider log keys, pass phrases and bundles.

Which settings do is what `tests/engine/test_secrets.py` found in the values of a stack: the engine
(3.276) logs no secret up to level 10. With `--logflow` the alicloud provider logs what it is given
from level 9 on, the server's private key among it. Engines before 3.269 log every property that
they hand to a provider at that level: the toolchain takes none of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from operations.errors import OperationError

CLEAN_LEVEL = 10
"""Highest level of `pulumi --verbose` that logs no credentials: 11 does some, on purpose
(https://www.pulumi.com/docs/support/troubleshooting/)."""

CLEAN_LEVEL_OF_PROVIDERS = 8
"""Highest level that logs no credentials where `--logflow` has the providers log too."""

OVERRIDE = "SLB_MUTUAL_TLS_SECRET_LOGS"
"""Environment variable by which, if `yes`, a user promises to keep the logs as secrets."""

_TRUE = frozenset({"1", "true"})


def require_clean_logs(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Check the arguments and the environment of the Pulumi CLI before it runs.

    Args:
        arguments: What a user passes on to the CLI.
        environment: Of this process, which the CLI inherits.

    Raises:
        OperationError: Secrets would be logged, and nobody said that the logs are kept as such.
    """
    if environment.get(OVERRIDE) == "yes":
        return
    reasons = [
        *_in_levels(arguments, environment),
        *_in_traces(arguments, environment),
        *_in_environment(environment),
    ]
    if reasons:
        raise OperationError(
            f"{'; '.join(reasons)}. Leave that out, take at most -v={CLEAN_LEVEL}, or "
            f"-v={CLEAN_LEVEL_OF_PROVIDERS} with --logflow, or set {OVERRIDE}=yes if you keep the "
            "logs as secret as the keys."
        )


def _in_levels(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    levels = {f"-v={level}": level for level in _levels(arguments)}
    configured = environment.get("PULUMI_OPTION_VERBOSE", "")
    levels[f"PULUMI_OPTION_VERBOSE={configured}"] = _level(configured)
    flow = _given("logflow", arguments, environment)
    for option, level in levels.items():
        if level > CLEAN_LEVEL:
            yield f"{option} logs credentials on purpose"
        elif flow and level > CLEAN_LEVEL_OF_PROVIDERS:
            yield f"{option} with {flow} has the provider log the server's private key"


def _in_traces(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    option = _given("tracing", arguments, environment)
    if option and environment.get("PULUMI_TRACING_NO_PAYLOADS", "").lower() not in _TRUE:
        yield f"{option} sends every call's content along, unless PULUMI_TRACING_NO_PAYLOADS=true"


def _in_environment(environment: Mapping[str, str]) -> Iterator[str]:
    if environment.get("PULUMI_DEBUG_GRPC"):
        yield "PULUMI_DEBUG_GRPC writes every call between engine and providers into a file"
    if "terraform" in re.split(r"[\s,]+", environment.get("DEBUG", "")):
        yield "DEBUG=terraform logs the provider's requests, with the server's private key in one"
    for name in ("TF_LOG", "TF_LOG_PROVIDER"):
        if environment.get(name, "").upper() in {"TRACE", "DEBUG", "JSON"}:
            yield f"{name}={environment[name]} has providers log what they work with"


def _given(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Find an option in the arguments or the environment, as it was given; empty if it was not."""
    if any(re.match(f"--{name}(=|$)", argument) for argument in arguments):
        return f"--{name}"
    variable = f"PULUMI_OPTION_{name.upper()}"
    return variable if environment.get(variable) else ""


def _levels(arguments: Sequence[str]) -> Iterator[int]:
    """Read the levels in `-v=9`, `-v 9`, `-v9`, `--verbose=9`, `--verbose 9`, and `-dv=9`."""
    for place, argument in enumerate(arguments):
        found = re.fullmatch(r"(?:--verbose|-[A-Za-z]*v)(?:=?(\w+))?", argument)
        if found:
            following = arguments[place + 1] if place + 1 < len(arguments) else ""
            yield _level(found[1] or following)


def _level(text: str) -> int:
    """Read a level as the CLI does, in any base; 0 for what it does not take."""
    try:
        return int(text, 8 if re.fullmatch("0[0-7]+", text) else 0)
    except ValueError:
        return 0
