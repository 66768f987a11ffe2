"""The command line's connections: what is HTTP no more after its first request."""
