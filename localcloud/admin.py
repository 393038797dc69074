"""The local cloud's own controls, on a Unix socket that its owner alone can reach."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import psutil
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localcloud import serving
from localcloud.api.app import Api
from localcloud.api.faults import Fault, Faults
from localcloud.dataplane.model import DataPlaneError
from localcloud.documents import SECRET_FIELDS, Instance, Listener


class Admin:
    """Answers to `python -m localcloud status` and its siblings.

    Args:
        api: API, with its cloud and the lock that guards it.
        faults: Faults of the API that are still to happen.
        port: Port of the API.
        stop: Function that ends the process.
    """

    def __init__(self, api: Api, faults: Faults, port: int, stop: Callable[[], None]) -> None:
        self._api = api
        self._faults = faults
        self._port = port
        self._stop = stop

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/status", self._status),
                Route("/dump", self._dump),
                Route("/reset", self._reset, methods=["POST"]),
                Route("/stop", self._end, methods=["POST"]),
                Route("/otherwise", self._answer_otherwise, methods=["POST"]),
                Route("/faults", self._list_faults),
                Route("/faults", self._add_fault, methods=["POST"]),
                Route("/faults", self._clear_faults, methods=["DELETE"]),
            ]
        )

    def _status(self, _request: Request) -> Response:
        cloud = self._api.cloud
        with self._api.lock:
            listeners = [
                {
                    "load_balancer_id": listener.load_balancer_id,
                    "protocol": listener.protocol,
                    "port": listener.port,
                    "status": cloud.listener_status(listener),
                    "socket": asdict(socket),
                    "health": self._health(listener),
                }
                for listener in cloud.store.all(Listener, running=True)
                if (socket := cloud.sockets.get(serving.key(listener)))
            ]
            instances = [
                {
                    "id": instance.id,
                    "host": instance.host,
                    "runs": cloud.plane.is_instance_running(instance.id),
                }
                for instance in cloud.store.all(Instance)
            ]
            problems = cloud.problems()
        memory = psutil.Process().memory_info().rss
        return JSONResponse(
            {
                "endpoint": f"https://127.0.0.1:{self._port}",
                "pid": os.getpid(),
                "memory_mib": round(memory / 2**20, 1),
                "listeners": listeners,
                "instances": instances,
                "problems": problems,
            }
        )

    def _health(self, listener: Listener) -> dict[str, str]:
        """Health of a listener's backends by server and port; empty while HAProxy is silent."""
        try:
            members = self._api.cloud.health(listener)
        except DataPlaneError:
            return {}
        return {f"{member.server_id}:{member.port}": member.status for member in members}

    def _dump(self, _request: Request) -> Response:
        with self._api.lock:
            kinds = self._api.cloud.store.everything()
        shown: dict[str, list[Any]] = {
            kind: [
                document.model_dump(mode="json", exclude=set(SECRET_FIELDS))
                for document in documents
            ]
            for kind, documents in kinds.items()
        }
        return JSONResponse(shown)

    def _reset(self, _request: Request) -> Response:
        with self._api.lock:
            self._api.cloud.reset()
        self._faults.clear()
        return JSONResponse({})

    async def _end(self, _request: Request) -> Response:
        self._stop()
        return JSONResponse({})

    async def _answer_otherwise(self, request: Request) -> Response:
        questions = await request.json()

        def answer() -> None:
            with self._api.lock:
                self._api.cloud.plane.answer_otherwise(questions)

        try:
            await run_in_threadpool(answer)
        except DataPlaneError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({})

    def _list_faults(self, _request: Request) -> Response:
        return JSONResponse([fault.model_dump() for fault in self._faults.list_pending()])

    async def _add_fault(self, request: Request) -> Response:
        try:
            fault = Fault.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        self._faults.add(fault)
        return JSONResponse({})

    def _clear_faults(self, _request: Request) -> Response:
        self._faults.clear()
        return JSONResponse({})
