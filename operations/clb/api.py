"""API of CLB, called SLB 2014-05-15, with the SDK's models of its answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from configuration.outputs import StackOutputs
from operations.cloud_api import CloudApi, CloudApiError, CloudApiUnavailableError
from operations.verification.checks import BackendHealth, HealthError, HealthUnavailableError

LOAD_BALANCER_TYPE = "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer"
"""Type that the program's load balancer has in a state."""


class SlbApi(CloudApi):
    """API of SLB in one region.

    Args:
        region: Id of the region, e.g. `cn-hangzhou`.
        environ: Environment variables, as `CloudApi` reads them.
    """

    def __init__(self, region: str, environ: Mapping[str, str]) -> None:
        super().__init__("SLB", region, environ)

    def ask(self, action: str, **parameters: Any) -> Any:
        """Ask for one action; return the answer's body, an SDK model.

        Args:
            action: Name of the action, such as `DescribeHealthStatus`.
            parameters: The action's parameters beside the region, by the SDK's names.

        Raises:
            CloudApiError: No credentials, or the API refuses.
            CloudApiUnavailableError: The API cannot be reached, is busy or throttles.
        """
        from alibabacloud_slb20140515 import models  # noqa: PLC0415

        request = getattr(models, f"{action}Request")(region_id=self.region, **parameters)
        method = f"{_snake(action)}_with_options"
        answer = self._send(
            action, lambda client, runtime: getattr(client, method)(request, runtime)
        )
        return answer.body

    def _connect(self) -> Any:
        # It knows the regions whose endpoint is not their own.
        from alibabacloud_slb20140515.client import Client  # noqa: PLC0415

        return Client(self._config(self._endpoint))


def _snake(action: str) -> str:
    """Write an action's name as the SDK's methods have it: an abbreviation joins the next word."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", action).lower()


class SlbHealth:
    """Health as the API of SLB reports it.

    Args:
        outputs: Outputs of the stack, with load balancer, listener's port and region.
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
