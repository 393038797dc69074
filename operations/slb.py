"""API of SLB 2014-05-15 with the SDK's models of its answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from operations.cloud_api import CloudApi


class SlbApi(CloudApi):
    """API of SLB in one region.

    Args:
        region: Its id, e.g. `cn-hangzhou`.
        environ: Environment variables, as `CloudApi` reads them.
    """

    def __init__(self, region: str, environ: Mapping[str, str]) -> None:
        super().__init__("SLB", region, environ)

    def ask(self, action: str, **parameters: Any) -> Any:
        """Ask for one action; return the answer's body, an SDK model.

        Args:
            action: Such as `DescribeHealthStatus`.
            parameters: Of the action beside the region, by the SDK's names.

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
