"""Errors as the API answers them."""

from __future__ import annotations


class ApiError(Exception):
    """Error that the API answers in place of a result.

    Args:
        status: HTTP status of the answer.
        code: `Code` of the answer; Alibaba Cloud's own where it has one.
        message: `Message` of the answer. Never holds a parameter's value: it may be a secret.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def invalid(parameter: str, reason: str = "") -> ApiError:
    """Error of a parameter whose value the API does not take."""
    said = f"The specified parameter {parameter} is not valid."
    return ApiError(400, "InvalidParameter", f"{said} {reason}".strip())


def missing(parameter: str) -> ApiError:
    """Error of a mandatory parameter that is not there."""
    return ApiError(
        400,
        "MissingParameter",
        f'The input parameter "{parameter}" that is mandatory for processing this request is not '
        "supplied.",
    )


def not_emulated(what: str) -> ApiError:
    """Error of what Alibaba Cloud takes and the local cloud says that it does not emulate."""
    return ApiError(400, "NotEmulated", f"The local cloud does not emulate {what}.")


def dry_run() -> ApiError:
    """Error that answers a dry run: the request would be carried out, and is not."""
    return ApiError(
        400, "DryRunOperation", "Request validation has been passed with DryRun flag set."
    )


def load_balancer_not_found() -> ApiError:
    """Error of a load balancer that is not in this region."""
    return ApiError(
        404, "InvalidLoadBalancerId.NotFound", "The specified LoadBalancerId does not exist."
    )
