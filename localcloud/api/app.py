"""The API as an ASGI application: one path, GET or POST."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import uuid
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from localcloud import products, requests
from localcloud.api import signatures
from localcloud.api.faults import Fault, Faults
from localcloud.api.gateway import Call, Gateway
from localcloud.api.idempotence import answer_once
from localcloud.api.signatures import Signed
from localcloud.cloud import Cloud
from localcloud.dataplane.model import DataPlaneError, RefusedError
from localcloud.errors import ApiError, dry_run, not_emulated
from localcloud.regions import require_known

log = logging.getLogger("localcloud")

BODY_BYTES = 1024 * 1024
"""Bytes that a request's body may have at most."""


class Api:
    """API that answers calls, one at a time.

    Args:
        cloud: Cloud that the actions work on.
        gateway: Gateway that decides who may call.
        faults: Faults that are to happen.
    """

    def __init__(self, cloud: Cloud, gateway: Gateway, faults: Faults) -> None:
        self.cloud = cloud
        self.lock = threading.RLock()
        self._gateway = gateway
        self._faults = faults

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(routes=[Route("/", self._endpoint, methods=["GET", "POST"])])

    async def _endpoint(self, request: Request) -> Response:
        began = time.perf_counter()
        request_id = str(uuid.uuid4()).upper()
        name = "-"
        fault: Fault | None = None
        try:
            call = self._gateway.admit(await _read_request(request))
            name = call.action
            fault = self._faults.take(call.action)
            if fault is not None:
                await _fail_or_delay(fault)
            unseen = fault.seconds if fault is not None and fault.kind == "unseen" else 0.0
            answer = await run_in_threadpool(self.act, call, unseen)
            status, code = 200, "-"
        except ApiError as error:
            status, code = error.status, error.code
            answer = {
                "Code": error.code,
                "Message": error.message,
                "HostId": "localcloud",
                "Recommend": "",
            }
            if code in {"UnsupportedParameter", "InvalidAction.NotFound", "NotEmulated"}:
                log.warning("%s: %s", name, error.message)
        except Exception:
            # The message could hold a parameter: the log has it, the answer does not.
            log.exception("%s failed", name)
            status, code = 500, "InternalError"
            answer = {
                "Code": code,
                "Message": "The request processing has failed: see `python -m localcloud logs`.",
                "HostId": "localcloud",
                "Recommend": "",
            }
        spent = (time.perf_counter() - began) * 1000
        log.info("%s %s %s %.1f ms", name, status, code, spent)
        if fault is not None and fault.kind == "late":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "drop":
            return _Dropped()
        return JSONResponse({"RequestId": request_id, **answer}, status_code=status)

    def act(self, call: Call, unseen: float = 0.0) -> dict[str, Any]:
        """Carry out an action, wholly or not at all, and with one ClientToken once.

        Args:
            call: Call that names the action, with its parameters.
            unseen: Seconds of the past of which an action that only reads knows nothing.

        Raises:
            ApiError: The action refuses the call.
        """
        action = products.find(call.version, call.action)
        request = requests.parse(action.request, call.parameters)
        require_known(request.RegionId)
        store = self.cloud.store

        def answer() -> dict[str, Any]:
            result = action.handler(self.cloud, request)
            if isinstance(request, requests.DryRequest) and request.DryRun:
                raise dry_run()
            return result

        with self.lock:
            if not action.changes:
                since = self.cloud.now() - unseen
                with store.hide_since(since) if unseen else contextlib.nullcontext():
                    return answer()
            try:
                with store.transaction():
                    return answer_once(store, call, answer)
            except RefusedError as error:
                self._bring_back()
                raise not_emulated(f"what this asks for: {error}") from error
            except BaseException:
                self._bring_back()
                raise

    def _bring_back(self) -> None:
        """Make the data plane serve what is remembered: an action that failed may be ahead."""
        try:
            self.cloud.apply()
        except DataPlaneError:
            log.exception("The data plane serves something else than is remembered")


class _Dropped(Response):
    """Response that begins and never ends, so that the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        headers = [(b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _fail_or_delay(fault: Fault) -> None:
    """Let a fault happen that comes before the action."""
    if fault.kind == "error":
        raise ApiError(fault.status, fault.code, "The local cloud was told to fail.")
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)


async def _read_request(request: Request) -> Signed:
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES:
                raise ApiError(413, "RequestTooLarge", f"A body has {BODY_BYTES} bytes at most.")
    except ClientDisconnect:
        raise ApiError(400, "RequestCutShort", "The request ended before its body did.") from None
    is_form = request.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    )
    try:
        form = body.decode() if is_form else ""
        query = request.scope["query_string"].decode("ascii")
    except UnicodeDecodeError:
        raise ApiError(400, "InvalidParameter", "The request is not UTF-8.") from None
    return Signed(
        method=request.method,
        query=signatures.decode_pairs(query),
        form=signatures.decode_pairs(form),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
