"""Names that the cloud's APIs take: none longer than their bounds."""

from __future__ import annotations

import hashlib

LONGEST = 128
"""Of a VPC, a vSwitch, a security group, an instance."""

LONGEST_OF_SLB = 80
"""Of a load balancer, a certificate, a listener's description."""

LONGEST_TO_COMPLETE = 72
"""Of a resource whose name the provider makes up by adding 8 characters, of the 80 of SLB."""

LONGEST_COMMON_NAME = 64
"""Of a certificate's subject (RFC 5280, appendix A.1)."""


def bounded(name: str, longest: int, suffix: str = "") -> str:
    """A name with a suffix, shortened to what fits; others that are shortened stay other names."""
    if len(name) + len(suffix) <= longest:
        return name + suffix
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: longest - len(suffix) - len(digest) - 1]}-{digest}{suffix}"
