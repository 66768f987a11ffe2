"""Pools for the stories about operations."""

from pooled import new, pool

__all__ = ["new", "pool"]
