"""Certificates that administrators see, install and trust."""
