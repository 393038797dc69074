"""For how long a session outlives the CA that admitted it, where servers forget it or do not."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from operations.clb import experiment
from operations.clb.questions import AfterSwitch
from operations.verification.probes import Answered, Rejected, Unreachable

OK, NO = Answered(200, "OK", "i-a", "TLSv1.3"), Rejected("unknown ca")
LOST = Unreachable("127.0.0.1:443 does not answer within 10 s")


class Clock:
    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def wait(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@dataclass
class Session:
    """One that the server knows for some seconds, at every so manieth of its nodes."""

    clock: Clock
    seconds: float
    lifetime: int = 300
    nodes: int = 1
    visits: int = 0

    def visit(self):
        self.visits += 1
        known = self.clock.now < 1000 + self.seconds and self.visits % self.nodes == 0
        return (OK, True) if known else (NO, False)


def test_a_session_that_ends_with_the_ca(clock):
    found = experiment.try_sessions({"way": Session(clock, 0)}, clock.wait)
    assert found == {"way": AfterSwitch(None, ended=True)}


def test_sessions_that_end_with_their_tickets(clock):
    sessions = {"id": Session(clock, 0), "ticket": Session(clock, 300)}
    found = experiment.try_sessions(sessions, clock.wait)
    assert found["id"] == AfterSwitch(None, ended=True)
    assert found["ticket"].ended
    assert found["ticket"].admitted == pytest.approx(300, abs=11)


def test_one_that_not_every_node_knows(clock):
    found = experiment.try_sessions({"way": Session(clock, 50, nodes=3)}, clock.wait)
    assert found["way"].admitted == pytest.approx(50, abs=6)


def test_one_that_lasts_longer_than_its_ticket_is_given_up(clock):
    found = experiment.try_sessions({"way": Session(clock, 10**6, lifetime=20)}, clock.wait)
    assert not found["way"].ended
    assert 80 < found["way"].admitted < 95


def test_who_does_not_answer_says_nothing(clock):
    class Silent(Session):
        def visit(self):
            return LOST, False

    found = experiment.try_sessions({"way": Silent(clock, 0, lifetime=0)}, clock.wait)
    assert found == {"way": AfterSwitch(None, ended=False)}
