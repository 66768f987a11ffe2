"""The `xe` command line's server side: the thin protocol, its commands, and how they answer.

The client is a dumb terminal: it sends words and shows what it is told.  Pure: bytes come and go
through two functions that are given, and everything else is an API call.
"""
