"""Loss of the coordinator: votes, taking over, the records' next owner, following on an order."""
