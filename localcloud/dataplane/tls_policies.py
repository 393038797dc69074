"""CLB's TLS security policies: protocol versions and cipher suites.

Source: https://www.alibabacloud.com/help/en/slb/classic-load-balancer/user-guide/tls-security-policies
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

TlsVersion = Literal["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]


@dataclass(frozen=True)
class TlsPolicy:
    """TLS security policy in OpenSSL's names."""

    minimum: TlsVersion
    maximum: TlsVersion
    ciphers: tuple[str, ...]
    """Cipher suites of TLS 1.2 and older, in the server's order of preference."""
    ciphersuites: tuple[str, ...] = ()
    """Cipher suites of TLS 1.3."""


_ECDHE_RSA = (
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-RSA-AES256-SHA384",
)
_ECDHE_RSA_SHA1 = ("ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA")

_COMPATIBLE = (
    *_ECDHE_RSA,
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA256",
    "AES256-SHA256",
    *_ECDHE_RSA_SHA1,
    "AES128-SHA",
    "AES256-SHA",
    "DES-CBC3-SHA",
)
_STRICT = (*_ECDHE_RSA, *_ECDHE_RSA_SHA1)
_STRICT_WITH_ECDSA = (
    *(name.replace("RSA", "ECDSA") for name in _ECDHE_RSA),
    *_ECDHE_RSA,
    *(name.replace("RSA", "ECDSA") for name in _ECDHE_RSA_SHA1),
    *_ECDHE_RSA_SHA1,
)
_TLS_1_3 = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
)

POLICIES: Mapping[str, TlsPolicy] = MappingProxyType(
    {
        "tls_cipher_policy_1_0": TlsPolicy("TLSv1.0", "TLSv1.2", _COMPATIBLE),
        "tls_cipher_policy_1_1": TlsPolicy("TLSv1.1", "TLSv1.2", _COMPATIBLE),
        "tls_cipher_policy_1_2": TlsPolicy("TLSv1.2", "TLSv1.2", _COMPATIBLE),
        "tls_cipher_policy_1_2_strict": TlsPolicy("TLSv1.2", "TLSv1.2", _STRICT),
        "tls_cipher_policy_1_2_strict_with_1_3": TlsPolicy(
            "TLSv1.2", "TLSv1.3", _STRICT_WITH_ECDSA, _TLS_1_3
        ),
    }
)
"""TLS security policies by the API's TLSCipherPolicy."""
