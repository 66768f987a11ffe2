"""Real daemons that are killed at every single moment of an operation, and find together again."""
