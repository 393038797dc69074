"""Certificates and requests as other tools have made them, written in DER by hand (X.690).

The library's own builders refuse what is odd here: numbers, dates, names and keys.
"""

from __future__ import annotations

import base64
import functools
import textwrap
from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.components.pki.material import key

UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
UTF8, PRINTABLE, T61, IA5, BMP = 0x0C, 0x13, 0x14, 0x16, 0x1E

SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
SHA1_WITH_RSA = bytes.fromhex("300d06092a864886f70d0101050500")
CLIENT_AUTH = bytes.fromhex("06082b06010505070302")
SERVER_AUTH = bytes.fromhex("06082b06010505070301")
ANY_PURPOSE = bytes.fromhex("0604551d2500")


def tlv(tag: int, *contents: bytes) -> bytes:
    """An element: tag, length, contents."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*contents: bytes) -> bytes:
    return tlv(0x30, *contents)


def integer(number: int) -> bytes:
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def attribute(number: int, text: bytes, tag: int = UTF8) -> bytes:
    """An attribute of 2.5.4.`number`."""
    return sequence(tlv(6, bytes([0x55, 4, number])), tlv(tag, text))


def name(*relatives: Sequence[bytes]) -> bytes:
    """A name of relative distinguished names, each of some attributes; DER sorts these."""
    return sequence(*(tlv(0x31, *sorted(one)) for one in relatives))


def named(text: str) -> bytes:
    return name([attribute(3, text.encode())])


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    """An extension by the hex of its object identifier's content."""
    flag = tlv(1, b"\xff") if critical else b""
    return sequence(tlv(6, bytes.fromhex(oid)), flag, tlv(4, value))


def basic_constraints(*, ca: bool) -> bytes:
    return extension("551d13", sequence(tlv(1, b"\xff") if ca else b""), critical=True)


def key_usage(bits: int) -> bytes:
    """The first bit is digitalSignature, 0x80."""
    return extension("551d0f", tlv(3, bytes([0, bits])), critical=True)


def purposes(*oids: bytes) -> bytes:
    return extension("551d25", sequence(*oids))


def netscape_type(bits: int) -> bytes:
    return extension("6086480186f8420101", tlv(3, bytes([0, bits])))


def policy_with_text(tag: int, text: bytes) -> bytes:
    """A certificate policy with a notice whose explicit text is of that type."""
    notice = sequence(tlv(6, bytes.fromhex("2b06010505070202")), sequence(tlv(tag, text)))
    return extension("551d20", sequence(sequence(tlv(6, b"\x2a\x03\x04"), sequence(notice))))


@functools.cache
def other_key(kind: str) -> bytes:
    """A SubjectPublicKeyInfo of a kind that is not this program's own."""
    if kind == "SM2":
        # GM/T 0006: an id-ecPublicKey on the curve 1.2.156.10197.1.301; its base point is a key.
        point = bytes.fromhex(
            "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
            "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
        )
        kinds = tlv(6, bytes.fromhex("2a8648ce3d0201")), tlv(6, bytes.fromhex("2a811ccf5501822d"))
        return sequence(sequence(*kinds), tlv(3, b"\0\4" + point))
    if kind == "RSA-16384":
        # Making one takes minutes, and nobody needs the private half.
        number = (1 << 16383) | (1 << 8000) | 1
        rsa_key = sequence(integer(number), integer(65537))
        algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
        return sequence(algorithm, tlv(3, b"\0" + rsa_key))
    made = {
        "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
        "Ed25519": ed25519.Ed25519PrivateKey.generate,
        "X25519": x25519.X25519PrivateKey.generate,
        "DSA": lambda: dsa.generate_private_key(1024),
        "RSA-1024": lambda: rsa.generate_private_key(65537, 1024),
        "RSA-2048": key,
    }[kind]()
    return made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


KINDS = (
    "RSA-2048",
    "RSA-1024",
    "RSA-16384",
    "P-256",
    "P-521",
    "secp256k1",
    "Ed25519",
    "X25519",
    "DSA",
    "SM2",
)

BEGINNING, END = (UTC_TIME, b"260101000000Z"), (UTC_TIME, b"350101000000Z")


def certificate(
    *,
    issuer: bytes = named("Old CA"),
    subject: bytes = named("old"),
    serial: int = 7,
    beginning: tuple[int, bytes] = BEGINNING,
    end: tuple[int, bytes] = END,
    public_key: bytes | None = None,
    extensions: Sequence[bytes] = (),
    signer: rsa.RSAPrivateKey | None = None,
) -> str:
    """PEM of a certificate that the CA "Old CA" has signed; of version 1 without extensions."""
    content = sequence(
        tlv(0xA0, integer(2)) if extensions else b"",
        integer(serial),
        SHA256_WITH_RSA,
        issuer,
        sequence(tlv(*beginning), tlv(*end)),
        subject,
        public_key or other_key("RSA-2048"),
        tlv(0xA3, sequence(*extensions)) if extensions else b"",
    )
    signature = (signer or key("ca")).sign(content, padding.PKCS1v15(), hashes.SHA256())
    return armoured("CERTIFICATE", sequence(content, SHA256_WITH_RSA, tlv(3, b"\0" + signature)))


def authority(*, subject: bytes = named("Old CA"), **others: object) -> str:
    """PEM of the CA's own certificate."""
    own = key("ca").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    values = {"extensions": [basic_constraints(ca=True)], **others}
    return certificate(issuer=subject, subject=subject, public_key=own, **values)


def armoured(label: str, der: bytes) -> str:
    """PEM (RFC 7468)."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"
