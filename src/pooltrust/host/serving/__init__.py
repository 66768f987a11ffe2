"""Serving clients: HTTP, and the daemon as the API's calls see it."""
