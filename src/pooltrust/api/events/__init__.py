"""Events: what changed between two pictures of the pool, and who wants to know."""
