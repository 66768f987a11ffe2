"""Pools for the stories about certificates that administrators see and change."""

from pooled import new, pool

__all__ = ["new", "pool"]
