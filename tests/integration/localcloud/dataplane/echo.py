"""A backend that repeats what it gets, and how it is asked."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from localcloud.dataplane.model import SocketAddress

ECHO = """
import argparse, json, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    checks = []
    def do_GET(self):
        if self.path.startswith("/sleep/"):
            time.sleep(float(self.path.split("/")[2]))
        if self.path == "/healthz":
            self.checks.append([self.command, self.request_version, self.headers.get("Host")])
        body = json.dumps({
            "instance": os.environ["INSTANCE_ID"],
            "headers": [[name.lower(), value] for name, value in self.headers.items()],
            "environment": sorted(os.environ),
            "check": self.checks[-1:],
        }).encode()
        self.send_response(500 if self.path == "/fail" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.path.startswith("/cookie/"):
            self.send_header("Set-Cookie", self.path.split("/")[2] + "=own; Path=/")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    do_HEAD = do_POST = do_GET
    def log_message(self, *arguments):
        pass

parser = argparse.ArgumentParser()
parser.add_argument("--bind")
parser.add_argument("--port", type=int)
options = parser.parse_args()
ThreadingHTTPServer((options.bind, options.port), Handler).serve_forever()
"""


def echo_user_data(port: int) -> str:
    unit = f"[Service]\nExecStart=/usr/bin/python3 -I /opt/echo/serve.py --port {port}\n"
    config = {
        "write_files": [
            {"path": "/opt/echo/serve.py", "content": ECHO},
            {"path": "/etc/systemd/system/echo.service", "content": unit},
        ],
        "runcmd": [["systemctl", "enable", "--now", "echo.service"]],
    }
    return "#cloud-config\n" + yaml.safe_dump(config)


@dataclass(frozen=True)
class EchoAnswer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def seen(self) -> dict[str, str]:
        """Headers as the backend got them."""
        return dict(self.json["headers"])


def get(
    address: SocketAddress,
    path: str = "/",
    *,
    method: str = "GET",
    tls: ssl.SSLContext | None = None,
    headers: dict[str, str] | None = None,
    source: str | None = None,
) -> EchoAnswer:
    """Ask, from another address of 127.0.0.0/8 if `source` says so."""
    connection: http.client.HTTPConnection
    where = {"timeout": 20, "source_address": None if source is None else (source, 0)}
    if tls is None:
        connection = http.client.HTTPConnection(address.host, address.port, **where)
    else:
        connection = http.client.HTTPSConnection(address.host, address.port, **where, context=tls)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return EchoAnswer(
            answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        )
    finally:
        connection.close()


def answers(address: SocketAddress) -> bool:
    try:
        return get(address).status == 200
    except OSError:
        return False


def tls_client(
    certificate: Path | None = None, version: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context
