"""How the console speaks to a host: HTTP and JSON-RPC over a verified connection."""
