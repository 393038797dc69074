"""Private keys, taken out of what the Pulumi CLI prints.

The provider puts the key of a server certificate into the URL by which it uploads it
(UploadServerCertificate), and repeats the URL where no answer comes: the CLI prints it, and the log
of a pipeline would keep it.
"""

from __future__ import annotations

import re

SHOWN = b"[private key]"
"""Text that is printed in a key's place."""

LONGEST = 16 * 1024
"""Bytes that are waited for the end of a key: in a URL, one of 4096 bits has 3.6 thousand."""

_SPACE = rb"(?:[ +]|%20)"
_KIND = rb"(?:[A-Z]+" + _SPACE + rb"){0,2}PRIVATE" + _SPACE + rb"KEY"
_BEGIN = re.compile(rb"-----BEGIN" + _SPACE + _KIND + rb"-----")
_WHOLE = re.compile(_BEGIN.pattern + rb".*?-----END" + _SPACE + _KIND + rb"-----", re.DOTALL)
_CUT_SHORT = re.compile(_BEGIN.pattern + rb"[A-Za-z0-9+/=%\\\s]*")
_MAY_BEGIN = re.compile(rb"-{1,5}\Z|-----[A-Z][A-Z0-9 +%]{0,40}-{0,4}\Z")


class Redactor:
    """Takes private keys out of a stream of bytes, as they are and as URLs and JSON have them."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, content: bytes) -> bytes:
        """Take bytes in; return what can be printed now, as the rest may be the start of a key."""
        text = _WHOLE.sub(SHOWN, self._held + content)
        begun = _BEGIN.search(text)
        if begun and len(text) - begun.start() > LONGEST:
            text, begun = _CUT_SHORT.sub(SHOWN, text), None
        held_from = begun or _MAY_BEGIN.search(text)
        end = held_from.start() if held_from else len(text)
        self._held = text[end:]
        return text[:end]

    def rest(self) -> bytes:
        """Return what is left at the end of the stream, without keys."""
        text, self._held = _CUT_SHORT.sub(SHOWN, self._held), b""
        return text
