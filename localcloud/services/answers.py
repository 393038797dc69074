"""Parts of answers that many resources have."""

from __future__ import annotations

from datetime import UTC, datetime

from localcloud.documents import Document


def creation_time(document: Document) -> str:
    """Write the time when a resource was made as the API says it."""
    return write_time(document.created)


def write_time(seconds: float) -> str:
    """Write a time since the epoch as the API says it, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_values(document: Document) -> list[dict[str, str]]:
    """Write tags as `Key` and `Value`."""
    return [{"Key": key, "Value": value} for key, value in sorted(document.tags.items())]
