"""Certificates and identities as values: read, mint, sign, check.  No clock, no files."""
