"""Certificate verification for a pool of hosts, without a certificate authority."""

__version__ = "0.1.0"
