"""Bundles that hand a client its certificate and key: files for one person, and instructions.

No pass phrase is in the instructions or, where their commands run, on a command line: other users
of a machine see those. Programs ask for it or read it from the bundle's `passphrase.txt`.
"""

from __future__ import annotations

import base64
import contextlib
import difflib
import ipaddress
import os
import secrets
import shlex
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from components.pki import certificates
from configuration.outputs import ClientBundle, StackOutputs
from operations.errors import OperationError

SHARED_NAMES = frozenset({"ca", "chain"})
"""Names of clients whose certificate file would have the name of another file of the bundle."""

ServerCertificateIssuer = Literal["private", "other"]
"""Issuer of the server's certificate: the stack's own CA, or one that clients may know already."""

# curl's and Java's quoting agree: backslashes before quotes and backslashes.
_ESCAPE = r"""s/[\\"]/\\&/g"""


def write_bundle(outputs: StackOutputs, name: str, directory: Path) -> list[Path]:
    """Write a client's bundle into a directory of its own, readable by its owner only.

    The files: `NAME.p12`; `NAME.crt`, `NAME.key` (PKCS#8, encrypted) and `chain.crt` as PEM; the
    CA's `ca.crt`; `passphrase.txt`, which opens the first and the key; and `install.txt`. A client
    that keeps its key to itself gets no file of it. An earlier bundle of the same client is
    replaced, file by file, each at once.

    Args:
        outputs: Outputs of the stack, secrets included.
        name: Name of the client.
        directory: Folder of this client alone; it is made, with mode 0700, if it is not there.

    Returns:
        The files, in the order in which they were written.

    Raises:
        OperationError: the client is unknown or revoked, or the directory is another client's,
            holds other files under the same names, or can be written to by other users.
    """
    files = _bundle_files(outputs, name)
    try:
        with _open_folder(directory) as folder:
            _refuse_foreign_files(folder, directory, name, files)
            for file, content in files.items():
                _replace_file(folder, file, content)
    except OSError as error:
        place = directory / error.filename2 if error.filename2 else directory
        raise OperationError(f"{place} cannot be written: {error.strerror}.") from None
    return [directory / file for file in files]


def _bundle_files(outputs: StackOutputs, name: str) -> dict[str, bytes]:
    """Content of a bundle by file name, first the file that marks the directory as the client's."""
    bundle = _find_bundle(outputs, name)
    if name.lower() in SHARED_NAMES:
        raise OperationError(
            f"Client {name}'s certificate would overwrite the bundle's own {name.lower()}.crt: "
            "give the client another name."
        )
    return {
        **_key_files(name, bundle),
        f"{name}.crt": (bundle.certificate + _intermediates(bundle.chain)).encode(),
        "chain.crt": bundle.chain.encode(),
        # During a rotation both: the listener's certificate will be the next CA's.
        "ca.crt": (outputs.ca_certificate + outputs.next_ca_certificate).encode(),
        "install.txt": write_instructions(
            name,
            outputs.url,
            Path(),
            server_certificate_issuer=outputs.server_certificate_issuer,
            keeps_its_key=bundle.private_key is None,
        ).encode(),
    }


def _intermediates(chain: str) -> str:
    """Certificates between the client's and its root, which the client has to send along."""
    parsed = certificates.load_chain(chain)
    return "".join(
        certificates.pem(certificate)
        for certificate in parsed
        if certificate.issuer != certificate.subject
    )


def _key_files(name: str, bundle: ClientBundle) -> dict[str, bytes]:
    """Content, by file name, of what holds or opens the key; empty if the client keeps its key."""
    if bundle.pkcs12 is None or bundle.private_key is None or bundle.pass_phrase is None:
        return {}
    pass_phrase = bundle.pass_phrase.get_secret_value()
    if "\n" in pass_phrase or "\r" in pass_phrase:
        raise OperationError(
            f"The pass phrase of client {name} holds a line break, and programs read one line of "
            "a pass phrase file: configure another."
        )
    try:
        archive = base64.b64decode(bundle.pkcs12.get_secret_value(), validate=True)
    except ValueError:  # binascii.Error, or characters beyond ASCII
        raise OperationError(
            f"The PKCS#12 bundle of client {name} is not base64. Run `make up`, which writes it "
            "anew."
        ) from None
    return {
        f"{name}.p12": archive,
        f"{name}.key": bundle.private_key.get_secret_value().encode(),
        "passphrase.txt": f"{pass_phrase}\n".encode(),
    }


def _find_bundle(outputs: StackOutputs, name: str) -> ClientBundle:
    record = outputs.clients.get(name)
    if record is not None and record.status == "revoked":
        raise OperationError(
            f"Client {name} is revoked (certificate {record.serial_number}), and a revoked "
            "certificate is not handed out."
        )
    if name in outputs.client_bundles:
        return outputs.client_bundles[name]
    known = outputs.clients_in_force()
    if not known:
        raise OperationError("The stack has no clients: configure one, and run `make up`.")
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    raise OperationError(f"There is no client {name!r}; there are {', '.join(known)}{hint}")


@contextlib.contextmanager
def _open_folder(directory: Path) -> Iterator[int]:
    """Open the directory, so that what is checked is what is written to."""
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700, parents=True)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():
            raise OperationError(
                f"{directory} belongs to another user: take a directory of your own."
            )
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise OperationError(
                f"Other users can write to {directory} (mode {stat.S_IMODE(status.st_mode):04o}): "
                "take a new directory, or run `chmod 700` on it."
            )
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_foreign_files(
    folder: int, directory: Path, name: str, files: Mapping[str, bytes]
) -> None:
    present = sorted(os.listdir(folder))
    own = f"{name}.p12"
    for other in present:
        if other.lower().endswith(".p12") and other != own:
            raise OperationError(
                f"{directory} holds {other}, another client's bundle with its pass phrase: take "
                f"a directory of its own, such as {directory / name}."
            )
    if own in present:
        return
    for file, content in files.items():
        if file in present and _read_file(folder, file) != content:
            raise OperationError(
                f"{directory} holds another {file}, which is not client {name}'s: take a new "
                f"directory, such as {directory / name}."
            )


def _read_file(folder: int, file: str) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def _replace_file(folder: int, file: str, content: bytes) -> None:
    scratch = f".{file}.{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(scratch, flags, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        os.replace(scratch, file, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(scratch, dir_fd=folder)
        raise


def write_first_request(
    name: str,
    url: str,
    directory: Path,
    *,
    server_certificate_issuer: ServerCertificateIssuer = "private",
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
        f"sed {script} < {_quote(directory / 'passphrase.txt')} | curl --config - "
        f"{_curl_options(name, url, directory, server_certificate_issuer)}"
    )


def write_instructions(
    name: str,
    url: str,
    directory: Path,
    *,
    server_certificate_issuer: ServerCertificateIssuer = "private",
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
        _explain_files(name, directory),
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


def _own_key(name: str, url: str, directory: Path, issuer: ServerCertificateIssuer) -> str:
    """Instructions for a client that has made its own key and a certificate signing request."""
    trust = f"--cacert {_quote(directory / 'ca.crt')} " if issuer == "private" else ""
    certificate = _quote(directory / f"{name}.crt")
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
-certfile {_quote(directory / "chain.crt")} -name {name} -out {name}.p12
"""


def _explain_files(name: str, directory: Path) -> str:
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
        f"\n    security add-trusted-cert -r trustRoot -k {keychain} {_quote(directory / 'ca.crt')}"
        if private
        else ""
    )
    return f"""\
macOS (Safari, Chrome): in a terminal; a window asks for the pass phrase
    security import {_quote(directory / f"{name}.p12")} -k {keychain}{trust}"""


def _linux(name: str, directory: Path, *, private: bool) -> str:
    database = '-d "sql:$HOME/.pki/nssdb"'
    trust = (
        f"\n    certutil {database} -A -t C,, -n {name}-ca -i {_quote(directory / 'ca.crt')}"
        if private
        else ""
    )
    return f"""\
Linux (Chrome, Chromium): with pk12util and certutil of NSS (packages libnss3-tools, nss-tools)
    mkdir -p ~/.pki/nssdb
    certutil {database} -L > /dev/null 2>&1 || certutil {database} -N --empty-password
    pk12util {database} -i {_quote(directory / f"{name}.p12")} \
-w {_quote(directory / "passphrase.txt")}{trust}"""


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


def _curl(name: str, url: str, directory: Path, issuer: ServerCertificateIssuer) -> str:
    return f"""\
curl (the one of Windows reads no PEM keys): asks for the pass phrase; in scripts, the second form
    curl {_curl_options(name, url, directory, issuer)}
    {write_first_request(name, url, directory, server_certificate_issuer=issuer)}"""


def _curl_options(name: str, url: str, directory: Path, issuer: ServerCertificateIssuer) -> str:
    trust = f"--cacert {_quote(directory / 'ca.crt')} " if issuer == "private" else ""
    if _is_on_this_machine(url):
        trust = f"--noproxy '*' {trust}"
    # In --cert, a colon not escaped ends the path, and a pass phrase follows.
    certificate = str(directory / f"{name}.crt").replace("\\", "\\\\").replace(":", "\\:")
    return (
        f"{trust}--cert {shlex.quote(certificate)} "
        f"--key {_quote(directory / f'{name}.key')} {shlex.quote(url)}"
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
    phrase = _quote(directory / "passphrase.txt")
    options = _quote(directory / "java.options")
    trust_store = directory / "truststore"
    script = shlex.quote(f"""{_ESCAPE}; s/.*/"-Djavax.net.ssl.keyStorePassword=&"/""")
    lines = [
        f"(umask 077; sed {script} < {phrase} > {options})",
        f"java @{options} -Djavax.net.ssl.keyStoreType=PKCS12 "
        f"-Djavax.net.ssl.keyStore={_quote(directory / f'{name}.p12')} -jar client.jar",
    ]
    if private:
        lines.insert(
            0,
            f"keytool -importcert -noprompt -alias ca -file {_quote(directory / 'ca.crt')} "
            f"-keystore {_quote(trust_store)} -storetype PKCS12 -storepass changeit",
        )
        lines[-1] = lines[-1].replace(
            " -jar",
            f" -Djavax.net.ssl.trustStore={_quote(trust_store)} "
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
    openssl pkcs12 -in {_quote(directory / f"{name}.p12")} \
-passin file:{_quote(directory / "passphrase.txt")} -noout
Java opens the bundle with a pass phrase of ASCII characters only, and calls any other wrong."""


def _quote(path: Path) -> str:
    return shlex.quote(str(path))
