"""Probes of questions that only an account can answer, since documentation leaves them open."""
