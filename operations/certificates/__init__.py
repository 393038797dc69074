"""Commands' work on a stack's certificates: hand out, list, revoke, rotate."""
