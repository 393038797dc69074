"""Questions that documentation leaves open, how what was seen answers them, and their report.

docs/open-questions.md has each question with what is documented and how it is tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from cryptography import x509
from rich.console import Console
from rich.table import Table
from rich.text import Text

from operations.verification.probes import Answered, Outcome, Rejected
from operations.verification.report import abbreviate

Word = Literal[
    "yes",
    "no",
    "some",
    "page",
    "alert",
    "closed",
    "admitted",
    "own",
    "other",
    "refused",
    "unclear",
    "not tried",
]
"""Answer in a word. `unclear`: tried, and nothing is proven; `not tried`: it was not tried."""


@dataclass(frozen=True)
class Question:
    """A question to the listener.

    Attributes:
        id: Stable name for scripts.
        title: The question, for people.
        document: Page of this project that leaves it open.
        sentence: Sentence of that page, which the answer settles.
    """

    id: str
    title: str
    document: str
    sentence: str


_OPEN = "docs/open-questions.md"
_CERTIFICATES = "docs/en/certificates.md"

QUESTIONS = {
    question.id: question
    for question in (
        Question(
            "no_certificate",
            "What is answered without a certificate?",
            _OPEN,
            "What the client then sees is not documented.",
        ),
        Question(
            "ec_keys",
            "Are clients' elliptic-curve keys taken?",
            _CERTIFICATES,
            "What a live CLB does with elliptic-curve keys of clients is not documented, and has "
            "not been tried.",
        ),
        Question(
            "lower_ca",
            "Is a chain followed that the client sends to a CA below the listener's?",
            _CERTIFICATES,
            "The local cloud's HAProxy does; CLB's documentation does not say so.",
        ),
        Question(
            "name_constraints",
            "Are name constraints applied?",
            _OPEN,
            "CLB's documentation does not mention name constraints.",
        ),
        Question(
            "sessions",
            "Are TLS sessions resumed?",
            _CERTIFICATES,
            "CLB's documentation gives TLS session tickets 300 s.",
        ),
        Question(
            "sessions_after_switch",
            "Are they resumed after the CA was switched?",
            _CERTIFICATES,
            "Whether a session that began before the switch may be resumed after it is not "
            "documented.",
        ),
        Question(
            "no_server_name",
            "Which certificate is shown without SNI?",
            _OPEN,
            "Which one a client sees that asks for no domain, or for another, is not documented.",
        ),
        Question(
            "long_headers",
            "Are more than 32 KB of headers refused?",
            _OPEN,
            "Headers of more than 32 KB are answered by 400.",
        ),
        Question(
            "many_requests",
            "Does a connection end after 100 requests?",
            _OPEN,
            "A connection serves 100 requests at most.",
        ),
    )
}
"""Questions by id, in the order of the report."""


class Answer(NamedTuple):
    """Answer to a question, and what it rests on.

    Attributes:
        word: The answer itself.
        seen: What the answer rests on, or why there is none.
    """

    word: Word
    seen: str


def not_tried(why: str) -> Answer:
    """Answer to a question that was not put."""
    return Answer("not tried", why)


def was_admitted(outcome: Outcome | None) -> bool | None:
    """Tell whether the listener let a client through; None if that cannot be told."""
    match outcome:
        case Answered(status=400, instance=None) | Rejected():
            return False
        case Answered():
            return True
        case _:
            return None


def answer_no_certificate(outcome: Outcome, *, control: bool) -> Answer:
    """Judge how a client without a certificate is refused.

    Args:
        outcome: Outcome of its request.
        control: Whether one with a good certificate gets through, without which nothing is proven.
    """
    match outcome:
        case Answered(status=400, instance=None):
            return Answer("page", str(outcome))
        case Answered():
            return Answer("admitted", f"{outcome}: nobody is asked for a certificate")
        case Rejected(alert=None) if not control:
            return Answer("unclear", f"{outcome}, as for clients with a certificate")
        case Rejected(alert=None):
            return Answer("closed", str(outcome))
        case Rejected():
            return Answer("alert", str(outcome))
        case _:
            return Answer("unclear", f"could not be tried: {outcome}")


def answer_taken_keys(outcomes: Mapping[str, Outcome]) -> Answer:
    """Judge whether clients with keys of these kinds, good in all else, get through."""
    seen = "; ".join(f"{name}: {outcome}" for name, outcome in outcomes.items())
    admitted = {was_admitted(outcome) for outcome in outcomes.values()}
    if None in admitted:
        return Answer("unclear", seen)
    if len(admitted) > 1:
        return Answer("some", seen)
    return Answer("yes" if True in admitted else "no", seen)


def answer_lower_ca(outcome: Outcome, *, self_issued: bool) -> Answer:
    """Judge whether a client gets through whose issuer stands below the listener's CA.

    Args:
        outcome: Outcome of its request, which sends that issuer's certificate along.
        self_issued: Whether that has the CA's own name, since its path length is 0.
    """
    admitted = was_admitted(outcome)
    if admitted:
        return Answer("yes", str(outcome))
    if admitted is None:
        return Answer("unclear", f"could not be tried: {outcome}")
    if self_issued:
        return Answer(
            "unclear",
            f"{outcome}; the CA's path length is 0. What was sent bears the CA's own name, which "
            "does not count (RFC 5280, 4.2.1.9), but not everybody knows: try again after "
            "make rotate STEP=prepare",
        )
    return Answer("no", str(outcome))


@dataclass(frozen=True)
class Constrained:
    """Outcomes of clients of a CA that may not certify some names.

    Attributes:
        within: Outcome of the client whose names it may certify.
        outside: Outcomes, by kind of name, of clients whose name it may not.
    """

    within: Outcome
    outside: Mapping[str, Outcome]


def answer_name_constraints(tried: Constrained) -> Answer:
    """Judge whether clients are refused whose names their CA may not certify."""
    if not was_admitted(tried.within):
        return Answer("unclear", f"a client within them is not let through either ({tried.within})")
    seen = f"within them: {tried.within}"
    for kind, outcome in tried.outside.items():
        seen += f"; {kind} outside: {outcome}"
    admitted = {was_admitted(outcome) for outcome in tried.outside.values()}
    if None in admitted or not admitted:
        return Answer("unclear", seen)
    if len(admitted) > 1:
        return Answer("some", seen)
    return Answer("no" if True in admitted else "yes", seen)


@dataclass(frozen=True)
class Return:
    """Outcomes of a client that came back with its session.

    Attributes:
        first: Outcome of the request in which the session began.
        again: Outcomes of those that offered it.
        resumed: Whether the server resumed it in any of those.
        lifetime: Seconds that the server says a ticket is good for; 0 where it says nothing.
    """

    first: Outcome
    again: tuple[Outcome, ...] = ()
    resumed: bool = False
    lifetime: int = 0


def answer_sessions(returns: Mapping[str, Return]) -> Answer:
    """Judge whether sessions are resumed.

    Args:
        returns: Visits by the way in which a session goes on: `TLS 1.2, ticket`.
    """
    spoken = {way: visits for way, visits in returns.items() if was_admitted(visits.first)}
    if not spoken:
        first = "; ".join(f"{way}: {visits.first}" for way, visits in returns.items())
        return Answer("unclear", f"no session could be begun: {first}")
    resumed = [
        f"{way}{f' (good for {visits.lifetime} s)' if visits.lifetime else ''}"
        for way, visits in spoken.items()
        if visits.resumed
    ]
    kept = [way for way, visits in spoken.items() if not visits.resumed]
    seen = [f"resumed: {'; '.join(resumed)}"] if resumed else []
    seen += [f"not resumed: {'; '.join(kept)}"] if kept else []
    word: Word = "yes" if not kept else "some" if resumed else "no"
    return Answer(word, "; ".join(seen))


def resumable_ways(returns: Mapping[str, Return]) -> list[str]:
    """Ways in which sessions are resumed."""
    return [way for way, visits in returns.items() if visits.resumed]


@dataclass(frozen=True)
class AfterSwitch:
    """Outcome of a session after the listener had got another CA.

    Attributes:
        admitted: Seconds for which it let its client through; None: not once.
        ended: Whether it was seen not to any more, and not only given up.
    """

    admitted: float | None
    ended: bool


def answer_sessions_after_switch(tried: Mapping[str, AfterSwitch]) -> Answer:
    """Judge whether, and for how long, sessions outlive the CA that admitted them.

    Args:
        tried: Sessions by the way in which they go on.
    """
    seen = "; ".join(f"{way}: {_outlived(session)}" for way, session in tried.items())
    if not tried:
        return Answer("unclear", "the switch did not take effect")
    if any(session.admitted is None and not session.ended for session in tried.values()):
        return Answer("unclear", seen)
    admitted = {session.admitted is not None for session in tried.values()}
    if len(admitted) > 1:
        return Answer("some", seen)
    return Answer("yes" if True in admitted else "no", seen)


def _outlived(session: AfterSwitch) -> str:
    if session.admitted is None:
        return "refused at once" if session.ended else "could not be tried"
    if session.ended:
        return f"let its client through for {session.admitted:.0f} s"
    return f"still let its client through after {session.admitted:.0f} s"


def answer_no_server_name(
    shown: bytes | Outcome,
    unknown: bytes | Outcome,
    own: bytes | None,
    domains: Mapping[str, bytes | Outcome],
) -> Answer:
    """Judge which certificate a client gets that asks for no domain.

    Args:
        shown: Certificate that a client without SNI was shown, DER.
        unknown: Certificate that a client was shown that asked for a domain that nobody has.
        own: The listener's own certificate; None where the state does not have it.
        domains: Certificates shown to clients that ask for an additional domain.
    """
    if not isinstance(shown, bytes):
        known = isinstance(unknown, bytes) or any(isinstance(d, bytes) for d in domains.values())
        if not isinstance(shown, Rejected) or not (known or shown.alert):
            return Answer("unclear", f"could not be tried: {shown}")
        return Answer("refused", str(shown))
    others = [domain for domain, der in domains.items() if der == shown and der != own]
    word: Word
    if others:
        word, whose = "other", f"that of {abbreviate(others)}"
    elif own is None and not domains:
        word, whose = "own", "the only one"
    elif own is None or shown == own:
        word, whose = "own", "the listener's own" + ("" if domains else ", the only one")
    else:
        name = x509.load_der_x509_certificate(shown).subject.rfc4514_string()
        word, whose = "other", f"that of {name}"
    if not isinstance(unknown, bytes):
        return Answer(word, f"{whose}; for a domain that nobody has: {unknown}")
    same = "the same" if unknown == shown else "another"
    return Answer(word, f"{whose}; for a domain that nobody has: {same}")


def answer_long_headers(below: Outcome, above: Outcome) -> Answer:
    """Judge whether a request is refused whose headers are longer than documented.

    Args:
        below: Outcome of one whose headers are shorter.
        above: Outcome of the other.
    """
    seen = f"below: {below}; above: {above}"
    if not was_admitted(below):
        return Answer("unclear", seen)
    match above:
        case Answered(status=400 | 413 | 414 | 431 | 494, instance=None) | Rejected():
            return Answer("yes", seen)
        case Answered():
            return Answer("no", seen)
        case _:
            return Answer("unclear", seen)


@dataclass(frozen=True)
class Conversation:
    """Course of several requests on one connection.

    Attributes:
        answered: How many were.
        ended: Whether the server ended the connection, by word or deed.
    """

    answered: int
    ended: bool


def answer_many_requests(held: Conversation | Outcome, most: int) -> Answer:
    """Judge whether a connection is ended after as many requests as documented.

    Args:
        held: What became of the connection.
        most: Documented number of requests.
    """
    if not isinstance(held, Conversation):
        return Answer("unclear", f"could not be tried: {held}")
    if not held.ended:
        return Answer("no", f"{held.answered} requests were answered, and it went on")
    seen = f"it was ended after {held.answered} requests"
    if held.answered != most:
        return Answer("unclear", f"{seen}, as backends bring about whose answers have no length")
    return Answer("yes", seen)


@dataclass(frozen=True)
class ProbeReport:
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


def render_answers(findings: ProbeReport, console: Console) -> None:
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
