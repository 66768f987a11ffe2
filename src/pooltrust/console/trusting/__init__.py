"""Whom the console trusts: known servers, first meetings, changed certificates."""
