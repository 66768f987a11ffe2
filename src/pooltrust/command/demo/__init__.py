"""The demonstration: a real pool of three hosts on this machine's loopback addresses."""
