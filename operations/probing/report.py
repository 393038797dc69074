"""Report of the answers: for people as a table, for machines as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from operations.probing.questions import QUESTIONS, Answer


@dataclass(frozen=True)
class Findings:
    """Answers of a stack's listener, by question."""

    url: str
    answers: Mapping[str, Answer]

    @property
    def exit_status(self) -> int:
        """Exit status: 0 if anything was found out, else 1."""
        words = {answer.word for answer in self.answers.values()}
        return 0 if words - {"unclear", "not tried"} else 1

    def to_json(self) -> str:
        """Write `{"url", "questions": [{"id", "question", "answer", "seen", "settles"}]}`."""
        document = {
            "url": self.url,
            "questions": [
                {
                    "id": key,
                    "question": question.title,
                    "answer": self.answers[key].word,
                    "seen": self.answers[key].seen,
                    "settles": {"document": question.document, "sentence": question.sentence},
                }
                for key, question in QUESTIONS.items()
            ],
        }
        return json.dumps(document, indent=2, ensure_ascii=False)


def render(findings: Findings, console: Console) -> None:
    """Print the answers as a table."""
    title = f"Open questions, put to {findings.url}"
    table = Table(title=title, title_justify="left", expand=False)
    table.add_column("Question", ratio=3)
    table.add_column("Answer", no_wrap=True)
    table.add_column("Seen", ratio=4)
    table.add_column("Settles", ratio=4)
    for key, question in QUESTIONS.items():
        answer = findings.answers[key]
        unsettled = answer.word in {"unclear", "not tried"}
        # Text and not markup: what was seen may quote what a server sent.
        table.add_row(
            Text(question.title),
            Text(answer.word, style="yellow" if unsettled else "green"),
            Text(answer.seen),
            Text("" if unsettled else f"{question.document}: {question.sentence}"),
        )
    console.print(table)
