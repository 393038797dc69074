"""A page that names the instance it comes from; runs on the backend, with Python 3.6 or newer.

Standard library only, one file: cloud-init writes it to the instance and systemd starts it.
"""

import argparse
import html
import http.client
import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn

METADATA = "100.100.100.200"
RETRY_SECONDS = 2

# The icon is empty: a browser that asked for one would take every other turn of the round robin.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{instance}</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 16px/1.6 system-ui, sans-serif; margin: 15vh auto; max-width: 40rem }}
h1 {{ font: 600 2rem ui-monospace, monospace }}
</style>
</head>
<body>
<p>This answer comes from</p>
<h1>{instance}</h1>
<p>Only holders of a client certificate get here. Reload to see the next backend.</p>
</body>
</html>
"""


def metadata(method: str, path: str, header: str, value: str) -> str:
    """Ask the metadata service."""
    connection = http.client.HTTPConnection(METADATA, timeout=5)
    try:
        connection.request(method, "/latest" + path, headers={header: value})
        answer = connection.getresponse()
        text = answer.read().decode().strip()
        if answer.status != 200:
            raise OSError(f"{path} answers {answer.status}")
        return text
    finally:
        connection.close()


def instance_id() -> str:
    """Find the instance's id: in the environment, else by the metadata service's hardened mode."""
    given = os.environ.get("INSTANCE_ID", "")
    while not given:
        try:
            prefix = "X-aliyun-ecs-metadata-token"
            token = metadata("PUT", "/api/token", prefix + "-ttl-seconds", "60")
            given = metadata("GET", "/meta-data/instance-id", prefix, token)
        except OSError as error:
            # The network may not be up yet when the instance starts.
            print("waiting for the metadata service:", error, flush=True)
            time.sleep(RETRY_SECONDS)
    return given


class Handler(BaseHTTPRequestHandler):
    """Answers `/healthz` with ok and every other path with the page."""

    protocol_version = "HTTP/1.1"
    instance = ""

    def do_GET(self) -> None:
        """Send the page."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Send the headers alone."""
        self._answer(with_body=False)

    def _answer(self, with_body: bool) -> None:
        if self.path == "/healthz":
            kind, body = "text/plain", b"ok\n"
        else:
            kind = "text/html"
            body = PAGE.format(instance=html.escape(self.instance)).encode()
        self.send_response(200)
        self.send_header("Content-Type", kind + "; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Instance-Id", self.instance)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: the load balancer keeps the access log."""


class Server(ThreadingMixIn, HTTPServer):
    """One thread a connection."""

    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser()
    # The security group decides who reaches the instance.
    parser.add_argument("--bind", default="0.0.0.0")  # noqa: S104
    parser.add_argument("--port", type=int, default=80)
    options = parser.parse_args()
    Handler.instance = instance_id()
    Server((options.bind, options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
