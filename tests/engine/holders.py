"""Who holds a certificate and a key of their own, and secrets that a stack is given by hand."""

from __future__ import annotations

import time

from operations.project import PROJECT
from operations.verification import probes
from tests import processes


def set_secret(engine, path, value):
    command = ["config", "set", "--secret", "--path", f"slb-mutual-tls:{path}"]
    file = ["--config-file", str(engine.stack.config_file)]
    processes.printed(
        [engine.stack.toolchain.pulumi, *command, *file, "--stack", engine.stack.name],
        cwd=PROJECT,
        env=engine.stack.environment,
        text=value,
    )


def outcome(engine, certificate, key, tmp_path):
    """What becomes of a request with a certificate and an unencrypted key, once backends answer."""
    (tmp_path / "certificate.pem").write_text(certificate)
    (tmp_path / "key.pem").write_text(key)
    found = engine.outputs()
    for _ in range(120):
        context = probes.stack_context(found)
        context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
        answer = probes.probe(probes.target_of(found), context, None)
        if getattr(answer, "status", None) != 502:
            return answer
        time.sleep(0.5)
    return answer
