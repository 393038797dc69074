"""A stack, on the local cloud or in an account, and how the Pulumi CLI runs on it."""
