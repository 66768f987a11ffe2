"""Verified connections: dialling, answering, framing.  The only importer of ssl."""
