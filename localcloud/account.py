"""The one account of a local cloud."""

ACCOUNT_ID = "1000000000000001"
