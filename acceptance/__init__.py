"""The provider's own acceptance tests, run against the local cloud: `make conformance`."""
