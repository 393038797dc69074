"""The instructions' commands are run as they are told, by the programs that are there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import sys
from pathlib import Path

import pytest

from configuration.outputs import ClientBundle
from operations.certificates.client_bundle import (
    write_bundle,
    write_first_request,
    write_instructions,
)
from tests import processes
from tests.unit.operations.conftest import bundle


@pytest.mark.parametrize("issuer", ["private", "other"])
def test_nothing_secret_is_in_the_instructions(found, out, issuer):
    text = write_instructions("browser", found.url, out, server_certificate_issuer=issuer)
    assert found.client_bundles["browser"].pass_phrase.get_secret_value() not in text
    assert "PRIVATE KEY" not in text


def block(text: str, title: str) -> str:
    """The commands, indented in the text, of the section that begins with the title."""
    section = next(s for s in re.split(r"\n\n(?=\S)", text) if s.startswith(title))
    lines = section.split("\n")[1:]
    return "\n".join(line[4:] for line in lines if line.startswith("    ") or not line)


@pytest.fixture
def environment(tmp_path):
    """A user's environment without proxies and without settings of curl."""
    home = tmp_path / "home"
    home.mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }


def run(shell: str, command: str, environment: dict[str, str]) -> str:
    return processes.printed([shell, "-c", command], env=environment, timeout=60)


@pytest.fixture
def service(request, serve, listener, found, out, pki):
    """The URL of a service that takes no request without a certificate.

    The client's key is RSA, or of the algorithm that a test asks for.
    """
    if getattr(request, "param", "RSA") == "ECDSA":
        elliptic = ClientBundle.model_validate(bundle("browser", pki.phone, pki))
        found = found.model_copy(update={"client_bundles": {"browser": elliptic}})
    write_bundle(found, "browser", out)
    return f"https://127.0.0.1:{serve(listener(strict=True, instances=('i-aaa1',))).port}/a?b=c&d"


@pytest.mark.commands("curl")
@pytest.mark.parametrize(
    "shell",
    [
        "bash",
        pytest.param("zsh", marks=pytest.mark.commands("zsh")),
        pytest.param("dash", marks=pytest.mark.commands("dash")),
    ],
)
def test_first_request_gets_through(service, out, environment, shell):
    line = write_first_request("browser", service, out)
    assert "\n" not in line
    assert "i-aaa1" in run(shell, line, environment)


@pytest.mark.commands("curl")
@pytest.mark.parametrize("service", ["ECDSA"], indirect=True)
def test_first_request_gets_through_with_a_key_on_a_curve(service, out, environment):
    assert "i-aaa1" in run("bash", write_first_request("browser", service, out), environment)


@pytest.mark.commands("curl")
@pytest.mark.parametrize("directory", [".", "out"])
def test_first_request_gets_through_from_a_relative_directory(service, out, environment, directory):
    place = out if directory == "." else out.rename(out.with_name(directory)).parent
    line = write_first_request("browser", service, Path(directory))
    assert "i-aaa1" in run("bash", f"cd {str(place)!r} && {line}", environment)


def test_first_request_has_the_pass_phrase_on_no_command_line(found, out, environment, tmp_path):
    write_bundle(found, "browser", out)
    programs = tmp_path / "programs"
    programs.mkdir()
    seen = tmp_path / "seen"
    for program in ("curl", "sed"):
        path = programs / program
        real = shutil.which(program) if program == "sed" else "cat"
        path.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$@" >> {seen}\n[ {real} = cat ] && exec cat\n'
            f'exec {real} "$@"\n'
        )
        path.chmod(0o700)
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    received = run("bash", write_first_request("browser", "https://a.test/", out), environment)
    assert received == 'pass = "pass \\"phrase\\" \\\\ of browser"\n'
    assert "https://a.test/" in seen.read_text()
    assert "phrase" not in seen.read_text().replace("passphrase.txt", "")


@pytest.mark.commands("curl")
def test_curl_in_the_instructions_is_the_first_request(service, out, environment):
    asks, scripted = block(write_instructions("browser", service, out), "curl").splitlines()
    assert scripted == write_first_request("browser", service, out)
    assert scripted.endswith(asks.removeprefix("curl "))


@pytest.mark.parametrize("service", ["RSA", "ECDSA"], indirect=True)
def test_python_in_the_instructions_gets_through(service, out, environment):
    program = block(write_instructions("browser", service, out), "Python")
    assert "i-aaa1" in run("bash", f"{sys.executable} -c {shlex.quote(program)}", environment)


@pytest.mark.commands("curl")
def test_public_certificate_needs_no_trust_in_the_private_ca(service, out, environment):
    text = write_instructions("browser", service, out, server_certificate_issuer="other")
    assert text.count("ca.crt") == 1
    assert "truststore" not in text
    # In place of a public CA, what curl and Python find by these variables.
    environment |= {"CURL_CA_BUNDLE": str(out / "ca.crt"), "SSL_CERT_FILE": str(out / "ca.crt")}
    assert "i-aaa1" in run("bash", block(text, "curl").splitlines()[1], environment)
    program = block(text, "Python")
    assert "i-aaa1" in run("bash", f"{sys.executable} -c {shlex.quote(program)}", environment)


@pytest.mark.commands("openssl")
@pytest.mark.parametrize("service", ["RSA", "ECDSA"], indirect=True)
def test_openssl_in_the_instructions_judges_the_files(service, out, environment):
    command = block(write_instructions("browser", service, out), "A wrong pass phrase")
    run("bash", command, environment)
    (out / "passphrase.txt").write_text("another\n")
    with pytest.raises(AssertionError, match="invalid password"):
        run("bash", command, environment)


@pytest.mark.commands("pk12util")
@pytest.mark.parametrize("service", ["RSA", "ECDSA"], indirect=True)
def test_linux_in_the_instructions_fills_the_database_of_chrome(service, out, environment):
    commands = block(write_instructions("browser", service, out), "Linux")
    run("bash", f"set -e\n{commands}\n{commands}", environment)
    listed = run("bash", 'certutil -d "sql:$HOME/.pki/nssdb" -L', environment)
    assert re.search(r"browser +u,u,u", listed)
    assert re.search(r"Test CA +C,,", listed)


JAVA_CLIENT = """
public class Client {
    public static void main(String[] arguments) throws Exception {
        var url = new java.net.URI(arguments[0]).toURL();
        System.out.print(new String(url.openStream().readAllBytes()));
    }
}
"""


@pytest.mark.commands("java")
@pytest.mark.parametrize("service", ["RSA", "ECDSA"], indirect=True)
def test_java_in_the_instructions_gets_through(service, out, environment, tmp_path):
    client = tmp_path / "Client.java"
    client.write_text(JAVA_CLIENT)
    commands = block(write_instructions("browser", service, out), "Java")
    assert commands.endswith(" -jar client.jar")
    program = f"{shlex.quote(str(client))} {shlex.quote(service)}"
    commands = commands.removesuffix("-jar client.jar") + program
    assert "i-aaa1" in run("bash", f"set -e\n{commands}", environment)
    assert stat.S_IMODE((out / "java.options").stat().st_mode) == 0o600
