"""Money asked from carriers: claims, what was paid, and the ledger of both."""
