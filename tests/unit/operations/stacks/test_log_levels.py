"""What would log private keys is refused, unless the logs are kept as secret as these."""

from __future__ import annotations

import re

import pytest

from operations.errors import OperationError
from operations.stacks.pulumi_cli import require_clean_logs


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-v=10"],
        ["-v10", "--diff"],
        ["-v", "3", "11"],
        ["--verbose=10", "--logtostderr", "--debug"],
        ["--verbose=8", "--logflow"],
        ["--target", "urn:pulumi:dev::v11", "--event-log", "/tmp/v=11"],
        ["-v"],
        ["-v=nine"],
        ["--otel-traces=file:///tmp/traces"],
    ],
)
def test_what_logs_no_secret_is_taken(arguments):
    require_clean_logs(arguments, {"PATH": "/bin", "DEBUG": "other"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["-v=11"],
        ["-v", "11"],
        ["-v11"],
        ["-dv=12"],
        ["--diff", "--verbose=11"],
        ["--verbose", "12", "--yes"],
        ["-v=3", "-v=11"],
        ["-v=013"],
        ["-v=0xb"],
    ],
)
def test_a_level_that_logs_credentials_is_refused(arguments):
    with pytest.raises(OperationError, match="logs credentials on purpose"):
        require_clean_logs(arguments, {})


@pytest.mark.parametrize(
    ("arguments", "environment", "reason"),
    [
        (["-v=9", "--logflow"], {}, "-v=9 with --logflow"),
        (["--logflow=true", "-v=10"], {}, "-v=10 with --logflow"),
        (["-v=9"], {"PULUMI_OPTION_LOGFLOW": "true"}, "-v=9 with PULUMI_OPTION_LOGFLOW"),
        (["--logflow"], {"PULUMI_OPTION_VERBOSE": "9"}, "PULUMI_OPTION_VERBOSE=9 with --logflow"),
    ],
)
def test_a_level_at_which_the_provider_logs_the_key_is_refused(arguments, environment, reason):
    with pytest.raises(OperationError, match=f"^{reason} has the provider log the server's"):
        require_clean_logs(arguments, environment)


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"PULUMI_OPTION_VERBOSE": "11"}, "PULUMI_OPTION_VERBOSE=11 logs credentials on purpose"),
        ({"PULUMI_OPTION_TRACING": "file:trace"}, "PULUMI_OPTION_TRACING sends every call's"),
        ({"PULUMI_DEBUG_GRPC": "calls.json"}, "PULUMI_DEBUG_GRPC writes every call"),
        ({"DEBUG": "terraform"}, "DEBUG=terraform logs the provider's requests"),
        ({"DEBUG": "sdk, terraform"}, "DEBUG=terraform logs the provider's requests"),
        ({"TF_LOG": "trace"}, "TF_LOG=trace has providers log"),
        ({"TF_LOG_PROVIDER": "DEBUG"}, "TF_LOG_PROVIDER=DEBUG has providers log"),
    ],
)
def test_an_environment_that_logs_secrets_is_refused(environment, reason):
    with pytest.raises(OperationError, match=f"^{reason}"):
        require_clean_logs(["--yes"], environment)


@pytest.mark.parametrize("argument", ["--tracing=file:trace", "--tracing"])
def test_a_trace_has_the_content_of_every_call_unless_that_is_left_out(argument):
    with pytest.raises(OperationError, match=r"^--tracing sends every call's content along"):
        require_clean_logs([argument], {})
    require_clean_logs([argument], {"PULUMI_TRACING_NO_PAYLOADS": "true"})


def test_a_level_is_named_wherever_it_was_given():
    with pytest.raises(OperationError, match=r"^-v=12 logs .*; PULUMI_OPTION_VERBOSE=11 logs "):
        require_clean_logs(["-v=12"], {"PULUMI_OPTION_VERBOSE": "11"})


def test_all_reasons_and_what_to_do_are_told_at_once():
    with pytest.raises(OperationError) as caught:
        require_clean_logs(["-v=11"], {"DEBUG": "terraform", "PULUMI_DEBUG_GRPC": "x"})
    reasons, _, remedy = str(caught.value).partition(". ")
    assert re.fullmatch(
        "-v=11 logs .*; PULUMI_DEBUG_GRPC writes .*; DEBUG=terraform logs .*", reasons
    )
    assert remedy == (
        "Leave that out, take at most -v=10, or -v=8 with --logflow, or set "
        "SLB_MUTUAL_TLS_SECRET_LOGS=yes if you keep the logs as secret as the keys."
    )


def test_who_keeps_the_logs_secret_may_have_everything():
    require_clean_logs(["-v=11"], {"DEBUG": "terraform", "SLB_MUTUAL_TLS_SECRET_LOGS": "yes"})
    with pytest.raises(OperationError):
        require_clean_logs(["-v=11"], {"SLB_MUTUAL_TLS_SECRET_LOGS": "no"})
