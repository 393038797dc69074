from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from operations.comments import publish, summarize
from operations.errors import OperationError

BODY = "<!-- marker -->\nnew"


class Api:
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


@pytest.fixture
def api():
    found = Api([])

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


def github(api):
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": f"{api.url}/api",
        "GITHUB_REPOSITORY": "example/service",
        "GITHUB_REF": "refs/pull/12/merge",
        "GITHUB_TOKEN": "ghs_token",
    }


def gitlab(api):
    return {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": f"{api.url}/api",
        "CI_MERGE_REQUEST_PROJECT_ID": "34",
        "CI_MERGE_REQUEST_IID": "12",
        "GITLAB_TOKEN": "glpat-token",
    }


def on_github(api, number, body, kind="Bot"):
    url = f"{api.url}/api/repos/example/service/issues/comments/{number}"
    return {"url": url, "body": body, "user": {"type": kind}}


def on_gitlab(number, body, author=7):
    return {"id": number, "body": body, "author": {"id": author}}


def test_the_first_comment_on_github_is_written(api):
    api.comments = [on_github(api, 1, "hello")]
    assert publish(BODY, github(api)) == "The comment is written."
    assert api.written == [("POST", "/api/repos/example/service/issues/12/comments", BODY)]
    assert {headers["Authorization"] for headers in api.headers} == {"Bearer ghs_token"}


def test_the_next_one_replaces_it_wherever_it_stands(api):
    api.comments = [
        on_github(api, 1, "hello"),
        on_github(api, 2, "<!-- marker -->\nnot by a bot", kind="User"),
        on_github(api, 3, "<!-- marker -->\r\nold"),
    ]
    assert publish(BODY, github(api)) == "The comment is updated."
    assert api.written == [("PATCH", "/api/repos/example/service/issues/comments/3", BODY)]


def test_the_first_note_on_gitlab_is_written(api):
    api.comments = [on_gitlab(1, "<!-- marker -->\nsomebody else's", author=8)]
    assert publish(BODY, gitlab(api)) == "The comment is written."
    assert api.written == [("POST", "/api/projects/34/merge_requests/12/notes", BODY)]
    assert {headers["PRIVATE-TOKEN"] for headers in api.headers} == {"glpat-token"}


def test_the_next_note_replaces_it(api):
    api.comments = [on_gitlab(1, "hello"), on_gitlab(5, "<!-- marker -->\nold")]
    assert publish(BODY, gitlab(api)) == "The comment is updated."
    assert api.written == [("PUT", "/api/projects/34/merge_requests/12/notes/5", BODY)]


@pytest.mark.parametrize(
    ("job", "change", "sentence"),
    [
        (github, {"GITHUB_REF": "refs/heads/main"}, "runs for no pull request"),
        (github, {"GITHUB_TOKEN": ""}, "GITHUB_TOKEN is not set"),
        (gitlab, {"CI_MERGE_REQUEST_IID": ""}, "runs for no merge request"),
        (gitlab, {"GITLAB_TOKEN": ""}, "GITLAB_TOKEN is not set"),
        (gitlab, {"GITLAB_CI": ""}, "by a job of GitHub Actions or GitLab CI only"),
    ],
)
def test_where_there_is_nothing_to_comment_on_it_says_so(api, job, change, sentence):
    with pytest.raises(OperationError, match=sentence):
        publish(BODY, {**job(api), **change})
    assert api.written == []


def test_a_refusal_is_one_sentence_without_the_token(api):
    api.status = 403
    with pytest.raises(OperationError) as told:
        publish(BODY, github(api))
    assert "was answered with 403" in str(told.value)
    assert "ghs_token" not in str(told.value)


def test_an_api_out_of_reach_is_one_sentence(api):
    with pytest.raises(OperationError, match="could not be written"):
        publish(BODY, {**github(api), "GITHUB_API_URL": "http://127.0.0.1:1"})


def test_the_summary_of_a_job_gets_the_text_as_well(tmp_path):
    summarize(BODY, {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")})
    summarize(BODY, {})
    assert (tmp_path / "summary.md").read_text() == f"{BODY}\n"
