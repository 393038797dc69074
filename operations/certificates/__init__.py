"""What people do with a stack's certificates: hand out, list, revoke, rotate."""
