"""The backends' health as the load balancer reports it (DescribeHealthStatus, SLB 2014-05-15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from operations.cloud_api import CloudApiError, CloudApiUnavailableError
from operations.errors import OperationError
from operations.outputs import StackOutputs
from operations.slb import SlbApi


class HealthError(OperationError):
    """Health cannot be asked for; asking again will not help."""


class HealthUnavailableError(HealthError):
    """Health cannot be told at this moment; asking again may help."""


@dataclass(frozen=True)
class BackendHealth:
    """Health of one backend: `normal`, `abnormal` or `unavailable` (not checked yet)."""

    server_id: str
    status: str


class HealthSource(Protocol):
    """Source that knows the health of a listener's backends."""

    def backends(self) -> list[BackendHealth]:
        """The health of each backend.

        Raises:
            HealthError: it cannot be told.
        """


class SlbHealth:
    """Health as the API of SLB reports it.

    Args:
        outputs: Of the stack: load balancer, listener's port and region.
        environ: Environment variables, as `operations.cloud_api` reads them.
    """

    def __init__(self, outputs: StackOutputs, environ: Mapping[str, str]) -> None:
        self._outputs = outputs
        self._api = SlbApi(outputs.region, environ)

    def backends(self) -> list[BackendHealth]:
        """The health of each backend of the stack's HTTPS listener.

        Raises:
            HealthError: no credentials, or the API refuses.
            HealthUnavailableError: the API cannot be reached, is busy or throttles.
        """
        try:
            answer = self._api.ask(
                "DescribeHealthStatus",
                load_balancer_id=self._outputs.load_balancer_id,
                listener_port=self._outputs.listener_port,
                listener_protocol="https",
            )
        except CloudApiUnavailableError as error:
            raise HealthUnavailableError(str(error)) from None
        except CloudApiError as error:
            raise HealthError(f"{error} Without health: --no-health.") from None
        servers = answer.backend_servers.backend_server if answer.backend_servers else []
        return [BackendHealth(s.server_id, s.server_health_status or "unknown") for s in servers]
