"""A preview as the comment on a pull or merge request, for those who review a change.

A later run of the job, of GitHub Actions or GitLab CI, updates the comment of the one before: it is
found by its first line and by its author, so that nobody else's comment is taken for it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx

from operations.errors import OperationError
from operations.review.plan import ABSENT, Change, Operation, Placeholder, Plan

GITHUB_LIMIT = 65_536
"""Number of characters in a comment on a pull request; GitLab takes 1,000,000."""

MOST_ROWS = 60
"""Number of properties shown of one resource; the job's log has the rest."""

MOST_CHARACTERS = 80
"""Number of characters shown of a value."""

MOST_MESSAGE_CHARACTERS = 10_000
"""Number of characters shown of all errors, all warnings, or all broken rules."""

CONSEQUENCES = {
    "pulumi-python:dynamic/pki:CertificateAuthority": (
        "Another CA: every client certificate of before is refused from then on, and every client "
        "needs its new bundle at once."
    ),
    "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer": (
        "Another load balancer: its address changes."
    ),
}
"""Consequences, by resource type, that nobody should overlook in a replacement or a deletion."""

HOLDERS = {
    "pulumi-python:dynamic/pki:CertificateAuthority": "CA",
    "pulumi-python:dynamic/pki:ServerCertificate": "server",
    "pulumi-python:dynamic/pki:RevocationList": "revocation list",
    "pulumi-python:dynamic/pki:CertificateRegister": "client",
}
"""Holder of the certificate whose `not_after` a resource of this type has."""

_COUNTED: dict[Operation, str] = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "delete": "to delete",
    "read": "to read",
    "import": "to import",
}

SECONDS = 30.0


def marker(stack: str) -> str:
    """The first line of a stack's comment, by which the next one finds it."""
    return f"<!-- slb-mutual-tls: preview of {stack} -->"


def render_markdown(plan: Plan, stack: str, *, status: int = 0, limit: int = GITHUB_LIMIT) -> str:
    """Write a plan as Markdown.

    Args:
        plan: The preview.
        stack: Name of the stack.
        status: The exit status of `pulumi preview`.
        limit: Characters that the text may have.
    """
    blocks = _blocks(plan, stack, status)
    cut = "\n_Cut to the size of a comment: the job's log has the whole preview._\n"
    text = ""
    for block in blocks:
        if len(text) + len(block) > limit - len(cut):
            return text + cut
        text += block
    return text


def _blocks(plan: Plan, stack: str, status: int) -> Iterator[str]:
    """Yield the text's pieces that are not to be torn apart, the most important first."""
    yield f"{marker(stack)}\n## Preview of stack {_code(stack)}\n\n{_headline(plan, status)}\n"
    yield from _fenced("Errors", plan.errors)
    yield from _fenced(
        "Policy",
        (
            f"{'broken' if broken.mandatory else 'advice'}: {broken.policy}: {broken.message}"
            for broken in plan.violations
        ),
    )
    yield from _fenced("Warnings", plan.warnings)
    attention = "".join(f"- {sentence}\n" for sentence in _consequences(plan.changes))
    if attention:
        yield f"\n### Attention\n\n{attention}"
    yield from _table(
        ("Plan", "Resource", "What differs"),
        ((_operation(change), _resource(change), _what_differs(change)) for change in plan.changes),
    )
    yield from _table(
        ("Valid until", "now", "then"),
        (row for change in plan.changes for row in _validity(change)),
        title="Validity",
    )
    for change in plan.changes:
        yield _details(change)


def _headline(plan: Plan, status: int) -> str:
    counts = Counter(change.operation for change in plan.changes)
    planned = ", ".join(f"{counts[name]} {_COUNTED[name]}" for name in _COUNTED if counts[name])
    summary = f"{planned or 'Nothing to do'}; {plan.unchanged} unchanged."
    broken = any(violation.mandatory for violation in plan.violations)
    if status == 0:
        return f"**{summary}**"
    if plan.changes and not plan.errors and not broken:
        return f"**{summary} No change was expected.**"
    return "**The preview failed.** The job's log says more."


def _fenced(title: str, messages: Iterable[str]) -> Iterator[str]:
    """Write messages of programs as they are: nothing in them is markup."""
    text = "\n".join(messages)
    if text:
        fence = "`" * max(3, _longest_run(text) + 1)
        yield f"\n### {title}\n\n{fence}text\n{text[:MOST_MESSAGE_CHARACTERS]}\n{fence}\n"


def _table(
    heading: tuple[str, ...], rows: Iterable[tuple[str, ...]], title: str = ""
) -> Iterator[str]:
    first = True
    for row in rows:
        line = f"| {' | '.join(row)} |\n"
        if first:
            above = f"\n### {title}\n" if title else ""
            rule = "|---" * len(heading)
            line = f"{above}\n| {' | '.join(heading)} |\n{rule}|\n{line}"
            first = False
        yield line


def _operation(change: Change) -> str:
    return f"{change.operation}, old one first" if change.deletes_first else change.operation


def _resource(change: Change) -> str:
    _, module, kind = change.type.split(":")
    path = [part for part in module.split("/") if part.lower() != kind.lower()]
    return f"{_code(':'.join(['/'.join(path), kind]))} {_code(change.name)}"


def _what_differs(change: Change) -> str:
    if change.operation not in {"update", "replace"}:
        return ""
    tops = dict.fromkeys(
        re.split(r"[.\[]", changed.path, maxsplit=1)[0] for changed in change.properties
    )
    shown = [f"**{_code(top)}**" if top in change.forced_by else _code(top) for top in tops]
    return ", ".join([*shown[:8], *(["…"] if len(shown) > 8 else [])])


def _consequences(changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        if change.operation in {"replace", "delete"} and change.type in CONSEQUENCES:
            yield CONSEQUENCES[change.type]


def _validity(change: Change) -> Iterator[tuple[str, str, str]]:
    holder = HOLDERS.get(change.type)
    for changed in change.properties:
        above, _, last = changed.path.rpartition(".")
        if last != "not_after" or holder is None:
            continue
        if not above:
            yield holder, _value(changed.before), _value(changed.after)
        elif above.startswith("clients."):
            name = above.removeprefix("clients.")
            yield f"{holder} {_code(name)}", _value(changed.before), _value(changed.after)


def _details(change: Change) -> str:
    rows = "".join(
        f"| {_code(changed.path)} | {_value(changed.before)} | {_value(changed.after)} |\n"
        for changed in change.properties[:MOST_ROWS]
    )
    more = len(change.properties) - MOST_ROWS
    rest = f"\n{more} more in the job's log.\n" if more > 0 else ""
    return (
        f"\n<details><summary>{change.operation} {_plain(change.type)} {_plain(change.name)}"
        f"</summary>\n\n| Property | now | then |\n|---|---|---|\n{rows}{rest}\n</details>\n"
    )


def _value(value: Any) -> str:
    if isinstance(value, Placeholder):
        return value.text if value is ABSENT else f"_{value.text}_"
    return _code(
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    )


def _code(text: str) -> str:
    """Write a code span in a table's cell: nothing in it is markup or a mention of somebody."""
    line = _cut(text)
    fence = "`" * (_longest_run(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line or ' '}{space}{fence}".replace("|", "\\|")


def _cut(text: str) -> str:
    pem = re.match(r"-----BEGIN ([A-Z0-9 ]+)-----", text)
    if pem:
        return f"{pem[1]} (PEM)"
    line = re.sub(r"\s+", " ", text)
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _plain(text: str) -> str:
    """Escape a text that stands between HTML tags."""
    return re.sub(r"[^\w .,:/-]", lambda match: f"&#{ord(match[0])};", text)


class Comments(Protocol):
    """The comments on one pull or merge request."""

    def own(self) -> Iterator[tuple[str, str]]:
        """Address and text of each comment of the job's own author."""

    def create(self, body: str) -> None:
        """Add a comment."""

    def update(self, address: str, body: str) -> None:
        """Replace a comment's text."""


def publish_comment(body: str, environ: Mapping[str, str]) -> str:
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


def write_summary(body: str, environ: Mapping[str, str]) -> None:
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
