"""Comment on the pull or merge request that a job of GitHub Actions or GitLab CI runs for.

A later run updates the comment of the one before: it is found by its first line and by its author,
so that nobody else's comment is taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx

from operations.errors import OperationError

SECONDS = 30.0


class Comments(Protocol):
    """The comments on one pull or merge request."""

    def own(self) -> Iterator[tuple[str, str]]:
        """Address and text of each comment of the job's own author."""

    def create(self, body: str) -> None:
        """Add a comment."""

    def update(self, address: str, body: str) -> None:
        """Replace a comment's text."""


def publish(body: str, environ: Mapping[str, str]) -> str:
    """Write the comment, or replace the one with the same first line.

    Args:
        body: The text; its first line marks it.
        environ: The job's variables.

    Returns:
        What was done.

    Raises:
        OperationError: The job runs for no pull request, lacks a token, or the API refuses.
    """
    first_line = body.split("\n", 1)[0]
    try:
        with httpx.Client(timeout=SECONDS) as client:
            comments = _comments(client, environ)
            for address, text in comments.own():
                if text.split("\n", 1)[0].strip() == first_line:
                    comments.update(address, body)
                    return "The comment is updated."
            comments.create(body)
    except httpx.HTTPStatusError as error:
        raise OperationError(
            f"{error.request.method} {error.request.url} was answered with "
            f"{error.response.status_code}: {error.response.text[:200]}"
        ) from None
    except httpx.HTTPError as error:
        raise OperationError(f"The comment could not be written: {error}") from None
    return "The comment is written."


def summarize(body: str, environ: Mapping[str, str]) -> None:
    """Add the text to the summary of a job of GitHub Actions, if this is one."""
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{body}\n")


def _comments(client: httpx.Client, environ: Mapping[str, str]) -> Comments:
    if environ.get("GITHUB_ACTIONS"):
        return GitHub(client, environ)
    if environ.get("GITLAB_CI"):
        return GitLab(client, environ)
    raise OperationError("A comment is written by a job of GitHub Actions or GitLab CI only.")


class GitHub:
    """GitHub's REST API for issue comments, with the job's own token (`pull-requests: write`)."""

    def __init__(self, client: httpx.Client, environ: Mapping[str, str]) -> None:
        number = re.fullmatch(r"refs/pull/(\d+)/merge", environ.get("GITHUB_REF", ""))
        if number is None:
            raise OperationError("This job runs for no pull request: there is nothing to comment.")
        repository = f"{environ['GITHUB_API_URL']}/repos/{environ['GITHUB_REPOSITORY']}"
        self._issue = f"{repository}/issues/{number[1]}/comments"
        self._client = client
        client.headers.update(
            {
                "Authorization": f"Bearer {_token(environ, 'GITHUB_TOKEN')}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            }
        )

    def own(self) -> Iterator[tuple[str, str]]:
        """List bots' comments: the job's token has no name to ask for, and people are none."""
        for comment in _pages(self._client, self._issue):
            if comment["user"]["type"] == "Bot":
                yield comment["url"], comment["body"]

    def create(self, body: str) -> None:
        """Add a comment."""
        self._client.post(self._issue, json={"body": body}).raise_for_status()

    def update(self, address: str, body: str) -> None:
        """Replace a comment's text."""
        self._client.patch(address, json={"body": body}).raise_for_status()


class GitLab:
    """GitLab's API for notes, with a project access token: a job's own token writes none."""

    def __init__(self, client: httpx.Client, environ: Mapping[str, str]) -> None:
        number = environ.get("CI_MERGE_REQUEST_IID")
        if not number:
            raise OperationError("This job runs for no merge request: there is nothing to comment.")
        self._api = environ["CI_API_V4_URL"]
        project = environ["CI_MERGE_REQUEST_PROJECT_ID"]
        self._notes = f"{self._api}/projects/{project}/merge_requests/{number}/notes"
        self._client = client
        client.headers.update({"PRIVATE-TOKEN": _token(environ, "GITLAB_TOKEN")})

    def own(self) -> Iterator[tuple[str, str]]:
        """List the notes of the token's user."""
        me = self._client.get(f"{self._api}/user").raise_for_status().json()["id"]
        for note in _pages(self._client, self._notes):
            if note["author"]["id"] == me:
                yield f"{self._notes}/{note['id']}", note["body"]

    def create(self, body: str) -> None:
        """Add a note."""
        self._client.post(self._notes, json={"body": body}).raise_for_status()

    def update(self, address: str, body: str) -> None:
        """Replace a note's text."""
        self._client.put(address, json={"body": body}).raise_for_status()


def _pages(client: httpx.Client, url: str) -> Iterator[Any]:
    """Fetch all entries of a list; both APIs name the next page in the header Link (RFC 8288)."""
    following: str | None = f"{url}?per_page=100"
    while following:
        answer = client.get(following).raise_for_status()
        yield from answer.json()
        following = answer.links.get("next", {}).get("url")


def _token(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise OperationError(f"{name} is not set: without it no comment can be written.")
    return environ[name]
