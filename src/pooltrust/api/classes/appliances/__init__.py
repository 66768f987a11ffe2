"""Appliances that hosts dial."""
