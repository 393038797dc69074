"""X.509, PKCS#12 and the register of issued certificates as plain functions; no Pulumi here."""
