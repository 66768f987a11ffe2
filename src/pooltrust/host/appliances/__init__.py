"""Appliances that a host dials: whom it expects there, what it says, what it hears."""
