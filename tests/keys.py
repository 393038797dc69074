"""Private keys that tests have read again and again."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization

from components.pki import keys
from localcloud.services import certificates

_read = functools.lru_cache(maxsize=1024)(serialization.load_pem_private_key)


@contextlib.contextmanager
def read_once() -> Iterator[None]:
    """Keep what was read of a key's text until the block ends; errors are found again each time.

    OpenSSL asks whether an RSA key's factors are primes whenever it reads one: 15 to 50 ms, for
    texts that each step of a test reads again.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (serialization, keys, certificates):
            patch.setattr(module, "load_pem_private_key", _read)
        yield
