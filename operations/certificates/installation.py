"""Instructions for installing a client's bundle in browsers, systems and programs.

No pass phrase is in the text or, where its commands run, on a command line: other users of a
machine see those. Programs ask for it or read it from the bundle's `passphrase.txt`.
"""

from __future__ import annotations

import ipaddress
import shlex
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Issuer = Literal["private", "other"]
"""Issuer of the server's certificate: the stack's own CA, or one that clients may know already."""

# curl's and Java's quoting agree: backslashes before quotes and backslashes.
_ESCAPE = r"""s/[\\"]/\\&/g"""


def first_request(
    name: str, url: str, directory: Path, *, server_certificate_issuer: Issuer = "private"
) -> str:
    """One line for a POSIX shell, bash or zsh, that requests `url` as the client.

    Args:
        name: Name of the client.
        url: URL of the service.
        directory: Folder with the client's files.
        server_certificate_issuer: Issuer of the service's certificate; curl is told to trust the
            private CA only where that is it.
    """
    script = shlex.quote(f"""{_ESCAPE}; s/.*/pass = "&"/""")
    return (
        f"sed {script} < {_quoted(directory / 'passphrase.txt')} | curl --config - "
        f"{_curl_options(name, url, directory, server_certificate_issuer)}"
    )


def instructions(
    name: str,
    url: str,
    directory: Path,
    *,
    server_certificate_issuer: Issuer = "private",
    keeps_its_key: bool = False,
) -> str:
    """Say how to hand over and install a client's bundle; commands are indented by four spaces.

    Args:
        name: Name of the client.
        url: URL of the service.
        directory: Folder with the client's files, which commands for the machine they are on name.
        server_certificate_issuer: Issuer of the service's certificate; nobody is asked to trust
            the private CA unless that is it.
        keeps_its_key: Whether the client has its private key, and the files are without.
    """
    private = server_certificate_issuer == "private"
    if keeps_its_key:
        return _own_key(name, url, directory, server_certificate_issuer)
    sections = [
        _files(name, directory),
        _windows(name, private=private),
        _macos(name, directory, private=private),
        _linux(name, directory, private=private),
        _firefox(name, private=private),
        _ios(name, private=private),
        _android(name, private=private),
        _curl(name, url, directory, server_certificate_issuer),
        _python(name, url, directory, private=private),
        _java(name, directory, private=private),
        _troubles(name, directory),
    ]
    return "\n\n".join(sections) + "\n"


def _own_key(name: str, url: str, directory: Path, issuer: Issuer) -> str:
    """Instructions for a client that has made its own key and a certificate signing request."""
    trust = f"--cacert {_quoted(directory / 'ca.crt')} " if issuer == "private" else ""
    certificate = _quoted(directory / f"{name}.crt")
    return f"""\
Files of client {name} in {directory}
  {name}.crt   certificate, of the key that the signing request was made with
  chain.crt  the certificates above the client's, up to the CA's
  ca.crt     the CA's certificate
None of them is secret. Whoever has the key, in the following own.key, is {name}.

curl: asks for the key's pass phrase if it has one
    curl {trust}--cert {certificate} --key own.key {shlex.quote(url)}

Browsers and systems: a PKCS#12 file, under a pass phrase that is asked for, is installed like any
    openssl pkcs12 -export -inkey own.key -in {certificate} \
-certfile {_quoted(directory / "chain.crt")} -name {name} -out {name}.p12
"""


def _files(name: str, directory: Path) -> str:
    contents = {
        f"{name}.p12": "certificate, key and chain, for browsers, systems and Java",
        f"{name}.crt": "certificate, with what stands between it and the CA's",
        f"{name}.key": "private key, encrypted",
        "chain.crt": "the certificates above the client's, up to the CA's",
        "ca.crt": "the CA's certificate",
        "passphrase.txt": f"opens {name}.p12 and {name}.key",
        "install.txt": "this text",
    }
    width = max(map(len, contents))
    listing = "\n".join(f"  {file:{width}}  {content}" for file, content in contents.items())
    return f"""\
Files of client {name} in {directory}
{listing}
Send the pass phrase by another way than the files: in a call, or through a password manager.
Whoever has both is {name}."""


def _windows(name: str, *, private: bool) -> str:
    trust = (
        "\n    Import-Certificate -FilePath ca.crt -CertStoreLocation Cert:\\CurrentUser\\Root"
        if private
        else ""
    )
    return f"""\
Windows (Edge, Chrome): in PowerShell, in the folder of the files; it asks for the pass phrase
    Import-PfxCertificate -FilePath {name}.p12 -CertStoreLocation Cert:\\CurrentUser\\My \
-Password (Read-Host "Pass phrase" -AsSecureString){trust}"""


def _macos(name: str, directory: Path, *, private: bool) -> str:
    keychain = "~/Library/Keychains/login.keychain-db"
    trust = (
        f"\n    security add-trusted-cert -r trustRoot -k {keychain} "
        f"{_quoted(directory / 'ca.crt')}"
        if private
        else ""
    )
    return f"""\
macOS (Safari, Chrome): in a terminal; a window asks for the pass phrase
    security import {_quoted(directory / f"{name}.p12")} -k {keychain}{trust}"""


def _linux(name: str, directory: Path, *, private: bool) -> str:
    database = '-d "sql:$HOME/.pki/nssdb"'
    trust = (
        f"\n    certutil {database} -A -t C,, -n {name}-ca -i {_quoted(directory / 'ca.crt')}"
        if private
        else ""
    )
    return f"""\
Linux (Chrome, Chromium): with pk12util and certutil of NSS (packages libnss3-tools, nss-tools)
    mkdir -p ~/.pki/nssdb
    certutil {database} -L > /dev/null 2>&1 || certutil {database} -N --empty-password
    pk12util {database} -i {_quoted(directory / f"{name}.p12")} \
-w {_quoted(directory / "passphrase.txt")}{trust}"""


def _firefox(name: str, *, private: bool) -> str:
    trust = "\n  Authorities > Import: ca.crt, and let it identify websites." if private else ""
    return f"""\
Firefox (any system): Settings > Privacy & Security > Certificates > View Certificates
  Your Certificates > Import: {name}.p12.{trust}"""


def _ios(name: str, *, private: bool) -> str:
    trust = (
        "\n  Likewise ca.crt; then Settings > General > About > Certificate Trust Settings: on."
        if private
        else ""
    )
    return f"""\
iOS, iPadOS (Safari): open {name}.p12 in Files
  Settings > Profile Downloaded > Install.{trust}"""


def _android(name: str, *, private: bool) -> str:
    trust = "\n  Install ca.crt there as CA certificate." if private else ""
    return f"""\
Android (Chrome): Settings > Security > More > Encryption & credentials > Install a certificate
  Install {name}.p12 as VPN & app user certificate.{trust}"""


def _curl(name: str, url: str, directory: Path, issuer: Issuer) -> str:
    return f"""\
curl (the one of Windows reads no PEM keys): asks for the pass phrase; in scripts, the second form
    curl {_curl_options(name, url, directory, issuer)}
    {first_request(name, url, directory, server_certificate_issuer=issuer)}"""


def _curl_options(name: str, url: str, directory: Path, issuer: Issuer) -> str:
    trust = f"--cacert {_quoted(directory / 'ca.crt')} " if issuer == "private" else ""
    if _is_on_this_machine(url):
        trust = f"--noproxy '*' {trust}"
    # In --cert, a colon not escaped ends the path, and a pass phrase follows.
    certificate = str(directory / f"{name}.crt").replace("\\", "\\\\").replace(":", "\\:")
    return (
        f"{trust}--cert {shlex.quote(certificate)} "
        f"--key {_quoted(directory / f'{name}.key')} {shlex.quote(url)}"
    )


def _is_on_this_machine(url: str) -> bool:
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False


def _python(name: str, url: str, directory: Path, *, private: bool) -> str:
    anchor = 'cafile=folder / "ca.crt"' if private else ""
    return f"""\
Python: an SSLContext, for httpx (verify=), urllib (context=), aiohttp (ssl=) and others
    import ssl
    from pathlib import Path
    import httpx

    folder = Path({str(directory)!r})
    context = ssl.create_default_context({anchor})
    context.load_cert_chain(
        folder / "{name}.crt",
        folder / "{name}.key",
        password=(folder / "passphrase.txt").read_bytes().rstrip(b"\\n"),
    )
    print(httpx.get({url!r}, verify=context).text)"""


def _java(name: str, directory: Path, *, private: bool) -> str:
    phrase = _quoted(directory / "passphrase.txt")
    options = _quoted(directory / "java.options")
    trust_store = directory / "truststore"
    script = shlex.quote(f"""{_ESCAPE}; s/.*/"-Djavax.net.ssl.keyStorePassword=&"/""")
    lines = [
        f"(umask 077; sed {script} < {phrase} > {options})",
        f"java @{options} -Djavax.net.ssl.keyStoreType=PKCS12 "
        f"-Djavax.net.ssl.keyStore={_quoted(directory / f'{name}.p12')} -jar client.jar",
    ]
    if private:
        lines.insert(
            0,
            f"keytool -importcert -noprompt -alias ca -file {_quoted(directory / 'ca.crt')} "
            f"-keystore {_quoted(trust_store)} -storetype PKCS12 -storepass changeit",
        )
        lines[-1] = lines[-1].replace(
            " -jar",
            f" -Djavax.net.ssl.trustStore={_quoted(trust_store)} "
            "-Djavax.net.ssl.trustStorePassword=changeit -jar",
        )
    commands = "\n".join(f"    {line}" for line in lines)
    return f"""\
Java 9 and newer: the options that hold the pass phrase go in a file of their own
{commands}"""


def _troubles(name: str, directory: Path) -> str:
    return f"""\
A wrong pass phrase although it is right: Windows Server 2016, macOS 14, Android 15 and what is
older may read only the older encryption. Set `bundle_encoding: legacy` for the client, run
`make up`, and hand the bundle over again. With OpenSSL 3, this tells whether the files are sound:
    openssl pkcs12 -in {_quoted(directory / f"{name}.p12")} \
-passin file:{_quoted(directory / "passphrase.txt")} -noout
Java opens the bundle with a pass phrase of ASCII characters only, and calls any other wrong."""


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
