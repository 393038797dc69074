from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from operations.verification.report import Check, Report


@pytest.fixture
def written(target, tmp_path):
    """A verification of the stack, as `verify --json` printed it."""
    path = tmp_path / "verification.json"
    report = Report(target.stack.document["url"], (Check("clients", "t", "passed", "seen so"),))
    path.write_text(report.to_json())
    when = datetime(2030, 1, 2, 3, 4, tzinfo=UTC).timestamp()
    os.utime(path, (when, when))
    return path


def test_a_page_is_written_and_named(run, target, tmp_path, capsys, written):
    out = tmp_path / "new" / "report.html"
    assert run("report", "--out", str(out), "--verification", str(written)) == 0
    assert capsys.readouterr().out == f"{out}\n"
    text = out.read_text(encoding="utf-8")
    assert "<title>Mutual TLS of stack local</title>" in text
    assert "2030-01-02 03:04 UTC" in text
    assert "seen so" in text
    for bundle in target.stack.document["client_bundles"].values():
        for name in ("pkcs12", "pass_phrase", "private_key"):
            assert bundle[name] not in text
    assert "PRIVATE KEY" not in text


def test_it_speaks_chinese(run, target, tmp_path):
    out = tmp_path / "report.html"
    assert run("report", "--out", str(out), "--lang", "zh") == 0
    assert "\u53cc\u5411\u8ba4\u8bc1" in out.read_text(encoding="utf-8")


def test_a_verification_of_another_stack_is_refused(run, target, tmp_path, capsys, written):
    out = tmp_path / "report.html"
    target.stack.document["url"] = "https://elsewhere.test/"
    assert run("report", "--out", str(out), "--verification", str(written)) == 1
    said = capsys.readouterr().err
    assert "and stack local is at https://elsewhere.test/" in said
    assert "make verify STACK=local ARGS=--json" in said
    assert not out.exists()


@pytest.mark.parametrize("content", [b"", b"passed", b"\xff\xfe", b"{}", None])
def test_what_is_no_verification_is_refused_in_a_sentence(run, target, tmp_path, capsys, content):
    path = tmp_path / "verification.json"
    if content is not None:
        path.write_bytes(content)
    out = tmp_path / "report.html"
    assert run("report", "--out", str(out), "--verification", str(path)) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "verification.json cannot be read as a verification" in said
    assert not out.exists()


def test_a_place_that_cannot_be_written_is_a_sentence(run, target, tmp_path, capsys):
    assert run("report", "--out", str(tmp_path)) == 1
    assert "cannot be written" in capsys.readouterr().err
