"""Bundles that hand a client its certificate and key: files for one person, and instructions."""

from __future__ import annotations

import base64
import contextlib
import difflib
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from components.pki import certificates
from operations.certificates import installation
from operations.errors import OperationError
from operations.outputs import ClientBundle, StackOutputs

SHARED_NAMES = frozenset({"ca", "chain"})
"""Names of clients whose certificate file would have the name of another file of the bundle."""


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
        "install.txt": installation.instructions(
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
