"""How members talk: greeting, currency, requests, and the coordinator's appending."""
