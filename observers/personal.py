"""What observers know of a person, for the ledger of personal data."""
