"""zlint's lints of RFC 5280 and Go's crypto/x509, built from `judge/`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conformance.judges import ask, put
from tests.conformance.specimens import (
    HOST,
    NAMES,
    SUBJECTS,
    crl,
    every_reason,
    issued_ca,
    specimen,
)
from toolchain import cache

SOURCE = Path(__file__).parent / "judge"
BUILD_SECONDS = 540
OUT_OF_REACH = (
    "dial tcp",
    "i/o timeout",
    "module lookup disabled",
    "no such host",
    "requires go >=",
    "TLS handshake",
)
"""What Go says where it cannot fetch the modules or is too old for them."""


def _go(*arguments):
    # -mod=readonly: what is built is what go.sum holds, whatever the user's own flags say.
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    return subprocess.run(
        ["go", *arguments],
        cwd=SOURCE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )


def _build(folder):
    fetched = _go("mod", "download")
    if fetched.returncode != 0 and any(sign in fetched.stderr for sign in OUT_OF_REACH):
        pytest.skip(f"Go cannot get zlint: {fetched.stderr.strip()}")
    built = _go("build", "-trimpath", "-ldflags=-s -w", "-o", str(folder / "judge"), ".")
    assert built.returncode == 0, built.stderr


@pytest.fixture(scope="module")
def judge():
    """Asks the judge about a PEM; it is built once for each version of its source and of Go."""
    if shutil.which("go") is None:
        pytest.skip("not on PATH: go")
    digest = hashlib.sha256(_go("env", "GOVERSION", "GOOS", "GOARCH").stdout.encode())
    for name in ("main.go", "go.mod", "go.sum"):
        digest.update((SOURCE / name).read_bytes())
    command = cache.part(f"judge-{digest.hexdigest()[:12]}", _build) / "judge"

    def asked(text, *options):
        return json.loads(ask(str(command), *options, text=text))

    return asked


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_passes_every_lint_and_go_accepts_it(tmp_path, judge, name):
    made = specimen(name)
    options = ["-authority", put(tmp_path, "ca.pem", made.authority), "-purpose", made.purpose]
    if made.purpose == "server":
        options += ["-host", HOST]
    verdict = judge(made.pem, *options)
    assert verdict["applied"] > 30
    assert (verdict["notices"], verdict["go_error"]) == ([], "")


@pytest.mark.parametrize("language", SUBJECTS)
def test_go_accepts_a_leaf_for_no_purpose_but_its_own(tmp_path, judge, language):
    authority = ("-authority", put(tmp_path, "ca.pem", issued_ca(language)))
    for kind, other in [("client", "server"), ("server", "client")]:
        made = specimen(f"{kind}, {language}")
        verdict = judge(made.pem, *authority, "-purpose", other)
        assert "incompatible key usage" in verdict["go_error"]


@pytest.mark.parametrize("language", SUBJECTS)
@pytest.mark.parametrize("entries", [[], every_reason()], ids=["empty", "every reason"])
def test_a_revocation_list_passes_every_lint_and_go_accepts_it(tmp_path, judge, language, entries):
    authority = put(tmp_path, "ca.pem", issued_ca(language))
    verdict = judge(crl(entries, language), "-authority", authority)
    assert verdict["applied"] >= 7
    assert (verdict["notices"], verdict["go_error"]) == ([], "")
