"""Names that the cloud's APIs take: none longer than their bounds."""

from __future__ import annotations

import hashlib

LONGEST = 128
"""Characters in the name of a VPC, a vSwitch, a security group or an instance, at most."""

LONGEST_OF_SLB = 80
"""Characters in the name of a load balancer or certificate, or in a listener's description."""

LONGEST_TO_COMPLETE = 72
"""Characters in a name of SLB to which the provider adds 8 of its own."""

LONGEST_COMMON_NAME = 64
"""Characters in a certificate's common name, at most (RFC 5280, appendix A.1)."""


def bound_name(name: str, longest: int, suffix: str = "") -> str:
    """A name with a suffix, shortened to what fits; others that are shortened stay other names."""
    if len(name) + len(suffix) <= longest:
        return name + suffix
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: longest - len(suffix) - len(digest) - 1]}-{digest}{suffix}"
