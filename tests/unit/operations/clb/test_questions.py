"""What outcomes say of a question; what proves nothing is not taken for an answer."""

from __future__ import annotations

import re

import pytest

from operations.clb import questions
from operations.clb.questions import QUESTIONS, AfterSwitch, Constrained, Conversation, Return
from operations.project import PROJECT
from operations.verification.probes import Answered, Rejected, Unreachable, Untrusted
from tests.hostile.test_open_questions import BY_DEFAULT, OTHERWISE

OK = Answered(200, "OK", "i-a", "TLSv1.3")
ADMITTED = Answered(502, "Bad Gateway", None, "TLSv1.3")
PAGE = Answered(400, "400 The SSL certificate error", None, "TLSv1.3")
OWN_400 = Answered(400, "Bad Request", "i-a", "TLSv1.3")
ALERT = Rejected("unknown ca")
CLOSED = Rejected(None)
LOST = Unreachable("127.0.0.1:443 does not answer within 10 s")


@pytest.mark.parametrize(
    ("outcome", "admitted"),
    [
        (OK, True),
        (ADMITTED, True),
        (OWN_400, True),
        (PAGE, False),
        (ALERT, False),
        (CLOSED, False),
        (LOST, None),
        (Untrusted("expired"), None),
        (None, None),
    ],
)
def test_whether_the_listener_let_a_client_through(outcome, admitted):
    assert questions.was_admitted(outcome) is admitted


@pytest.mark.parametrize(
    ("outcome", "control", "word"),
    [
        (PAGE, True, "page"),
        (PAGE, False, "page"),
        (ALERT, False, "alert"),
        (CLOSED, True, "closed"),
        (CLOSED, False, "unclear"),
        (OK, True, "admitted"),
        (LOST, True, "unclear"),
    ],
)
def test_without_a_certificate(outcome, control, word):
    assert questions.answer_no_certificate(outcome, control=control).word == word


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        ((OK, OK), "yes"),
        ((PAGE, ALERT), "no"),
        ((OK, PAGE), "some"),
        ((OK, LOST), "unclear"),
        ((PAGE, LOST), "unclear"),
    ],
)
def test_keys_that_are_taken(outcomes, word):
    assert (
        questions.answer_taken_keys(dict(zip(("P-256", "P-384"), outcomes, strict=True))).word
        == word
    )


@pytest.mark.parametrize(
    ("outcome", "self_issued", "word"),
    [
        (OK, False, "yes"),
        (OK, True, "yes"),
        (PAGE, False, "no"),
        (PAGE, True, "unclear"),
        (LOST, False, "unclear"),
    ],
)
def test_a_ca_below_the_listener_s(outcome, self_issued, word):
    assert questions.answer_lower_ca(outcome, self_issued=self_issued).word == word


@pytest.mark.parametrize(
    ("within", "outside", "word"),
    [
        (OK, (PAGE, ALERT), "yes"),
        (OK, (OK, OK), "no"),
        (OK, (PAGE, OK), "some"),
        (PAGE, (PAGE, PAGE), "unclear"),
        (LOST, (PAGE, PAGE), "unclear"),
        (OK, (PAGE, LOST), "unclear"),
    ],
)
def test_name_constraints(within, outside, word):
    tried = Constrained(within, dict(zip(("domain", "URL"), outside, strict=True)))
    assert questions.answer_name_constraints(tried).word == word


def test_sessions():
    kept, resumed = Return(OK, (OK,)), Return(OK, (OK,), resumed=True, lifetime=300)
    refused = Return(PAGE)
    assert questions.answer_sessions({"a": kept, "b": kept}).word == "no"
    assert questions.answer_sessions({"a": resumed}) == ("yes", "resumed: a (good for 300 s)")
    assert questions.answer_sessions({"a": resumed, "b": kept}).word == "some"
    # A version of TLS that the listener does not speak says nothing.
    assert questions.answer_sessions({"a": resumed, "b": refused}).word == "yes"
    assert questions.answer_sessions({"a": refused}).word == "unclear"
    assert questions.resumable_ways({"a": resumed, "b": kept}) == ["a"]


def test_sessions_after_the_switch():
    refused = AfterSwitch(None, ended=True)
    outlived, outlives = AfterSwitch(61.2, ended=True), AfterSwitch(360, ended=False)
    judge = questions.answer_sessions_after_switch
    assert judge({"a": refused}) == ("no", "a: refused at once")
    assert judge({"a": outlived}) == ("yes", "a: let its client through for 61 s")
    assert judge({"a": outlives, "b": refused}) == (
        "some",
        "a: still let its client through after 360 s; b: refused at once",
    )
    assert judge({"a": AfterSwitch(None, ended=False)}).word == "unclear"
    assert judge({}).word == "unclear"


def test_without_sni(pki):
    own, other = (ssl_der(one) for one in (pki.server, pki.partner))
    judge = questions.answer_no_server_name
    assert judge(own, own, own, {}).word == "own"
    assert judge(other, own, own, {"a.example": other}).seen.startswith("that of a.example; ")
    assert judge(other, other, own, {}) == (
        "other",
        "that of CN=partner; for a domain that nobody has: the same",
    )
    assert judge(own, other, own, {}).seen.endswith("another")
    assert judge(own, own, None, {}).word == "own"
    assert judge(own, ALERT, own, {}).seen.endswith("TLS alert: unknown ca")
    assert judge(Rejected("unrecognized name"), CLOSED, own, {}).word == "refused"
    assert judge(CLOSED, own, own, {}).word == "refused"
    # Nothing says that SNI was what was missing.
    assert judge(CLOSED, CLOSED, own, {}).word == "unclear"
    assert judge(LOST, LOST, own, {}).word == "unclear"


@pytest.mark.parametrize(
    ("below", "above", "word"),
    [
        (OK, PAGE, "yes"),
        (OK, Answered(431, "", None, "TLSv1.3"), "yes"),
        (OK, CLOSED, "yes"),
        (OK, OK, "no"),
        (OK, LOST, "unclear"),
        (PAGE, PAGE, "unclear"),
    ],
)
def test_long_headers(below, above, word):
    assert questions.answer_long_headers(below, above).word == word


@pytest.mark.parametrize(
    ("held", "word"),
    [
        (Conversation(100, ended=True), "yes"),
        (Conversation(120, ended=False), "no"),
        (Conversation(1, ended=True), "unclear"),
        (LOST, "unclear"),
    ],
)
def test_many_requests(held, word):
    assert questions.answer_many_requests(held, 100).word == word


def ssl_der(pair):
    from cryptography.hazmat.primitives.serialization import Encoding

    return pair.certificate.public_bytes(Encoding.DER)


def test_each_answer_settles_a_sentence_of_the_documentation():
    for question in QUESTIONS.values():
        text = (PROJECT / question.document).read_text(encoding="utf-8")
        assert question.sentence in " ".join(text.split()), question


def test_the_document_has_every_question_and_what_the_local_cloud_answers():
    text = (PROJECT / "docs/open-questions.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`: (.+?) \| .* \| `([\w ]+)` \| (?:`([\w ]+)` )?\|$", text, re.M)
    assert [row[0] for row in rows] == list(QUESTIONS)
    told = [(key, word) for one in OTHERWISE.values() for key, word in one.items()]
    changed = {key: word for key, word in told if word != "not tried"}
    for key, title, word, otherwise in rows:
        question = QUESTIONS[key]
        assert title == question.title[0].lower() + question.title[1:]
        assert word == BY_DEFAULT[key]
        assert otherwise == OTHERWISE.get(key, changed).get(key, "")
