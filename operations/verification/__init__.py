"""The service seen from outside: what is tried, and what each outcome means."""
