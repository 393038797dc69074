"""Finds, downloads or builds the Pulumi CLI and its plugins, in a per-user cache."""
