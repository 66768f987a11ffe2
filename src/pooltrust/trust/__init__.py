"""The signed trust log, the roster that is its fold, and whom a connection expects."""
