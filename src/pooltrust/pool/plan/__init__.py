"""What an operation on the pool is made of: steps, phases, plans, the picture, what to do next."""
