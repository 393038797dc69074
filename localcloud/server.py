"""The process of a local cloud: API, controls and data plane, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from localcloud import services
from localcloud.admin import Admin
from localcloud.api.app import Api
from localcloud.api.faults import Faults
from localcloud.api.gateway import Gateway
from localcloud.api.nonces import Nonces
from localcloud.cloud import Cloud
from localcloud.dataplane.files import write_private
from localcloud.dataplane.plane import DataPlane
from localcloud.home import Home
from localcloud.logs import RotatingLog
from localcloud.store import Store

log = logging.getLogger("localcloud")

LOOK_SECONDS = 1.0
"""Seconds between two looks at the data plane's processes."""

LONGEST_HEAD = 256 * 1024
"""Bytes of a request line and headers: the provider puts certificates and keys into the query."""


def serve(home: Home, haproxy: Path, api_socket: socket.socket, *, strict: bool) -> None:
    """Run the local cloud; returns when it was told to stop and has stopped all it ran."""
    logging.basicConfig(level=logging.INFO, handlers=[RotatingLog(home.log)])
    services.load()
    with contextlib.ExitStack() as stack:
        store = Store(home.state)
        stack.callback(store.close)
        plane = DataPlane(home.data_plane, haproxy, strict=strict)
        stack.callback(plane.stop)
        cloud = Cloud(store, plane, networks=home.networks())
        cloud.restore()
        log.info("The local cloud starts (process %d).", os.getpid())
        nonces = stack.enter_context(contextlib.closing(Nonces(home.nonces)))
        faults = Faults()
        api = Api(cloud, Gateway(home.credentials(), nonces), faults)
        admin_socket = stack.enter_context(_private_socket(home.admin_socket))
        asyncio.run(_serve(home, api, faults, api_socket, admin_socket))


async def _serve(
    home: Home,
    api: Api,
    faults: Faults,
    api_socket: socket.socket,
    admin_socket: socket.socket,
) -> None:
    certificate, key = home.tls()
    stop = asyncio.Event()
    port = api_socket.getsockname()[1]
    admin = Admin(api, faults, port, stop.set)
    servers = [
        _Server(_config(api.app(), ssl_certfile=str(certificate), ssl_keyfile=str(key))),
        _Server(_config(admin.app())),
    ]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = [
        asyncio.create_task(server.serve(sockets=[taken]))
        for server, taken in zip(servers, (api_socket, admin_socket), strict=True)
    ]
    while not all(server.started for server in servers):  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.01)
    write_private(home.last_port, str(port))
    # Only now may `start` return: whoever reads this file finds everything at work.
    write_private(home.running, json.dumps({"pid": os.getpid(), "port": port}))
    supervision = asyncio.create_task(_supervise(api.cloud.plane))
    await stop.wait()
    supervision.cancel()
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*running)


async def _supervise(plane: DataPlane) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await run_in_threadpool(plane.supervise)
        except Exception:
            log.exception("The data plane's processes could not be looked at")


class _Server(uvicorn.Server):
    """A server that leaves signals to its process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: Starlette, **options: str) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        # Never uvicorn's own: its access log has the query, which has keys.
        log_config=None,
        access_log=False,
        log_level="warning",
        h11_max_incomplete_event_size=LONGEST_HEAD,
        timeout_graceful_shutdown=5,
        lifespan="off",
        **options,  # type: ignore[arg-type]
    )


@contextlib.contextmanager
def _private_socket(path: Path) -> Iterator[socket.socket]:
    """A Unix socket that its owner alone can connect to."""
    path.unlink(missing_ok=True)
    taken = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        taken.bind(str(path))
    finally:
        os.umask(before)
    taken.listen(16)
    try:
        yield taken
    finally:
        taken.close()
        path.unlink(missing_ok=True)
