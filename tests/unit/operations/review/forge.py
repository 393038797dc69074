"""A stand-in for the comments' APIs of GitHub and GitLab."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ForgeApi:
    """The comments of one request, by the APIs of GitHub and GitLab, two a page."""

    def __init__(self, comments):
        self.comments = comments
        self.written = []
        self.headers = []
        self.status = 200

    def answer(self, handler):
        self.headers.append(dict(handler.headers))
        path, _, query = handler.path.partition("?")
        if self.status != 200:
            return self.status, {"message": "no"}, None
        if handler.command != "GET":
            length = int(handler.headers["Content-Length"])
            body = json.loads(handler.rfile.read(length))["body"]
            self.written.append((handler.command, path, body))
            return 201, {}, None
        if path == "/api/user":
            return 200, {"id": 7}, None
        page = 2 if query.endswith("page=2") else 1
        more = f'<{self.url}{path}?per_page=100&page=2>; rel="next"' if page == 1 else None
        return 200, self.comments[2 * page - 2 : 2 * page], more


@contextmanager
def serving():
    """The APIs on loopback; gives what they hold and got."""
    found = ForgeApi([])

    class Handler(BaseHTTPRequestHandler):
        def respond(self):
            status, document, link = found.answer(self)
            content = json.dumps(document).encode()
            self.send_response(status)
            if link:
                self.send_header("Link", link)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = respond  # noqa: N815

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        found.url = f"http://127.0.0.1:{server.server_port}"
        yield found
        server.shutdown()
