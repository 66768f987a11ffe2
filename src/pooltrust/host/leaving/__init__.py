"""Leaving a pool: what an ejected host does, and how nothing of the pool stays behind."""
