"""What takes longest in these tests is done once: a key's text is read, and its numbers checked."""

from __future__ import annotations

import functools

import pytest
from cryptography.hazmat.primitives import serialization

from components.pki import keys
from localcloud.services import certificates

READ = functools.cache(serialization.load_pem_private_key)


@pytest.fixture(autouse=True, scope="module")
def keys_are_read_once():
    """Keep what was read of a text; errors are found again each time.

    OpenSSL asks whether an RSA key's factors are primes whenever it reads one: 15 to 50 ms, for
    texts that a test's every step reads again.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (serialization, keys, certificates):
            patch.setattr(module, "load_pem_private_key", READ)
        yield
