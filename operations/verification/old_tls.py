"""Handshakes of obsolete TLS versions (RFC 8996), to see them refused."""

from __future__ import annotations

import ssl
import warnings

from operations.verification.identity import Identity

OLD_VERSIONS = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}
"""Obsolete TLS versions: name for people, and OpenSSL's value."""


def restrict_to(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """Make `context` speak this TLS version alone.

    Raises:
        ValueError: this OpenSSL is built without the version.
    """
    with warnings.catch_warnings():
        # Python warns of TLS 1.0 and 1.1: the very reason to ask a server whether it takes them.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version
        context.maximum_version = version
    # OpenSSL 3 leaves the signatures of TLS 1.0 and 1.1 to security level 0.
    context.set_ciphers("ALL:@SECLEVEL=0")


def can_speak(version: ssl.TLSVersion, identity: Identity) -> bool:
    """Tell whether the local OpenSSL completes a handshake of this version, tried in memory.

    Args:
        version: To try.
        identity: For the server's side; an RSA key, as CLB's certificates have.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Both sides are this process, and the certificate is not what is tried.
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    try:
        identity.load_into(server)
        for context in (server, client):
            restrict_to(context, version)
        return _shake_hands(client, server)
    except (ssl.SSLError, ValueError):
        return False


def _shake_hands(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> bool:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    pending = [client, server]
    for _ in range(8):  # two round trips are what TLS 1.0 and 1.1 need
        for side in list(pending):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            pending.remove(side)
        if not pending:
            return True
    return False
