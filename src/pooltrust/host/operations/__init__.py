"""Carrying out operations: what one host does on order, and the driver that gives the orders."""
