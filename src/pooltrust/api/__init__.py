"""The calls of the daemon: bytes in, bytes out.

Pure: what a call needs of its host (time, roster, rows, other hosts) comes in through
`context.Context`.  Importing `classes` fills the registries.
"""
