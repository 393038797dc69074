from __future__ import annotations

import pytest

from operations.errors import OperationError
from operations.review.comment import publish_comment, write_summary
from tests.unit.operations.review.forge import serving

BODY = "<!-- marker -->\nnew"


@pytest.fixture
def api():
    with serving() as found:
        yield found


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
    assert publish_comment(BODY, github(api)) == "The comment is written."
    assert api.written == [("POST", "/api/repos/example/service/issues/12/comments", BODY)]
    assert {headers["Authorization"] for headers in api.headers} == {"Bearer ghs_token"}


def test_the_next_one_replaces_it_wherever_it_stands(api):
    api.comments = [
        on_github(api, 1, "hello"),
        on_github(api, 2, "<!-- marker -->\nnot by a bot", kind="User"),
        on_github(api, 3, "<!-- marker -->\r\nold"),
    ]
    assert publish_comment(BODY, github(api)) == "The comment is updated."
    assert api.written == [("PATCH", "/api/repos/example/service/issues/comments/3", BODY)]


def test_the_first_note_on_gitlab_is_written(api):
    api.comments = [on_gitlab(1, "<!-- marker -->\nsomebody else's", author=8)]
    assert publish_comment(BODY, gitlab(api)) == "The comment is written."
    assert api.written == [("POST", "/api/projects/34/merge_requests/12/notes", BODY)]
    assert {headers["PRIVATE-TOKEN"] for headers in api.headers} == {"glpat-token"}


def test_the_next_note_replaces_it(api):
    api.comments = [on_gitlab(1, "hello"), on_gitlab(5, "<!-- marker -->\nold")]
    assert publish_comment(BODY, gitlab(api)) == "The comment is updated."
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
        publish_comment(BODY, {**job(api), **change})
    assert api.written == []


def test_a_refusal_is_one_sentence_without_the_token(api):
    api.status = 403
    with pytest.raises(OperationError) as told:
        publish_comment(BODY, github(api))
    assert "was answered with 403" in str(told.value)
    assert "ghs_token" not in str(told.value)


def test_an_api_out_of_reach_is_one_sentence(api):
    with pytest.raises(OperationError, match="could not be written"):
        publish_comment(BODY, {**github(api), "GITHUB_API_URL": "http://127.0.0.1:1"})


def test_the_summary_of_a_job_gets_the_text_as_well(tmp_path):
    write_summary(BODY, {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")})
    write_summary(BODY, {})
    assert (tmp_path / "summary.md").read_text() == f"{BODY}\n"
