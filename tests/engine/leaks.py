"""Looks for the values of secrets, in every form that they could have leaked in."""

from __future__ import annotations

import base64
import gzip
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

PIECE = 57
"""Bytes of a long secret that are looked for: a line of base64, wherever it begins."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key of an object in the state that stands for a secret."""

PRIVATE_KEY = re.compile(r"-----BEGIN (?:RSA )?PRIVATE KEY-----.*?-----END [A-Z ]+-----", re.DOTALL)


class Secrets:
    """Every secret of a stack, by a name that says what it is."""

    def __init__(self) -> None:
        self._needles: dict[bytes, str] = {}

    def add_all(self, others: Secrets) -> None:
        """Look for those as well."""
        self._needles = {**others._needles, **self._needles}

    @property
    def names(self) -> set[str]:
        """What there is to be found; a secret that is known under two names counts once."""
        return set(self._needles.values())

    def add_key(self, name: str, key: rsa.RSAPrivateKey) -> None:
        """A private key, in each of its encodings."""
        numbers = key.private_numbers()
        for format_ in (PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8):
            der = key.private_bytes(Encoding.DER, format_, NoEncryption())
            # From here on is the private exponent, which no certificate has.
            start = der.index(numbers.d.to_bytes(key.key_size // 8, "big")[-PIECE * 2 :])
            self.add_bytes(name, der[start:])
            pem = key.private_bytes(Encoding.PEM, format_, NoEncryption())
            self.add_bytes(name, pem.splitlines()[len(pem.splitlines()) // 3])
        for number in (numbers.d, numbers.p, numbers.q):
            self._add(name, str(number).encode()[:PIECE])
            self._add(name, f"{number:x}".encode()[:PIECE])

    def add_bytes(self, name: str, secret: bytes) -> None:
        """A binary secret, of which every form has a piece."""
        pieces = [secret[shift : shift + PIECE] for shift in range(3)]
        for piece in pieces:
            self._add(name, base64.b64encode(piece))
            self._add(name, base64.urlsafe_b64encode(piece))
        self._add(name, pieces[0])
        self._add(name, pieces[0].hex().encode())
        self._add(name, pieces[0].hex().upper().encode())

    def add_text(self, name: str, secret: str) -> None:
        """A text, as it is and in what JSON, URLs, base64 and hex make of it."""
        plain = secret.encode()
        for form in _in_json({secret}, levels=4):
            self._add(name, form.encode())
        self._add(name, urllib.parse.quote(secret, safe="").encode())
        self._add(name, plain.hex().encode())
        self._add(name, plain.hex().upper().encode())
        for shift in range(3):
            whole = plain[shift : shift + (len(plain) - shift) // 3 * 3]
            self._add(name, base64.b64encode(whole))
            self._add(name, base64.urlsafe_b64encode(whole))

    def _add(self, name: str, needle: bytes) -> None:
        assert len(needle) >= 12, f"{name}: too short to be found by no accident"
        for form in (needle, squeezed(needle)):
            self._needles.setdefault(form, name)

    def in_(self, content: bytes) -> set[str]:
        """Names of the secrets that a text or a file has."""
        places = [content, squeezed(content), squeezed(urllib.parse.unquote_to_bytes(content))]
        return {
            name
            for needle, name in self._needles.items()
            if any(needle in place for place in places)
        }


def _in_json(texts: set[str], levels: int) -> set[str]:
    """Texts, and what they are in JSON, in a text within JSON and so on, by Python and by Go."""
    if not levels:
        return texts
    plain = {json.dumps(text, ensure_ascii=False)[1:-1] for text in texts}
    ascii_only = {json.dumps(text)[1:-1] for text in texts}
    in_go = {re.sub("[<>&]", lambda one: f"\\u{ord(one[0]):04x}", text) for text in plain}
    return texts | _in_json(plain | ascii_only | in_go, levels - 1)


def squeezed(content: bytes) -> bytes:
    """A text without what breaks long values: white space, escaped however often, and colons."""
    return re.sub(rb"(?:\\+[nrt]|[\s:])+", b"", content)


def secrets_of(state: str, bundles: Mapping[str, Mapping[str, str]]) -> Secrets:
    """All secrets of a stack.

    Args:
        state: What `pulumi stack export --show-secrets` prints.
        bundles: The output `client_bundles`.
    """
    found = Secrets()
    for resource in json.loads(state)["deployment"]["resources"]:
        kind = resource["type"].rsplit(":", 1)[-1]
        for output, value in resource.get("outputs", {}).items():
            name = f"key of {kind}" if output == "private_key" else output
            for text in _secret_texts(value):
                for pem in PRIVATE_KEY.findall(re.sub(r"\\+n", "\n", text)):
                    key = load_pem_private_key(pem.encode(), None)
                    assert isinstance(key, rsa.RSAPrivateKey)
                    found.add_key(name, key)
    _add_bundles(found, bundles)
    return found


def _add_bundles(found: Secrets, bundles: Mapping[str, Mapping[str, str]]) -> None:
    for client, bundle in bundles.items():
        if "private_key" not in bundle:
            continue  # The client keeps its key.
        found.add_text(f"pass phrase of {client}", bundle["pass_phrase"])
        found.add_bytes(f"bundle of {client}", base64.b64decode(bundle["pkcs12"])[-400:])
        encrypted = "".join(bundle["private_key"].splitlines()[1:-1])
        found.add_bytes(f"encrypted key of {client}", base64.b64decode(encrypted)[200:])
        key = load_pem_private_key(bundle["private_key"].encode(), bundle["pass_phrase"].encode())
        assert isinstance(key, rsa.RSAPrivateKey)
        found.add_key(f"key of {client}", key)


def _secret_texts(value: Any, *, secret: bool = False) -> Iterator[str]:
    """Texts within a state that it marks as secret."""
    if isinstance(value, Mapping):
        if SIGNATURE in value:
            yield from _secret_texts(json.loads(value["plaintext"]), secret=True)
            return
        for item in value.values():
            yield from _secret_texts(item, secret=secret)
    elif isinstance(value, list):
        for item in value:
            yield from _secret_texts(item, secret=secret)
    elif secret and isinstance(value, str):
        yield value


def files(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file in the folders with its content, unpacked where it is gzip."""
    for path in _paths(folders):
        content = path.read_bytes()
        yield path, gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def _paths(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path
