"""Pools for whoever types commands at their hosts."""

from pooled import new, pool

__all__ = ["new", "pool"]
