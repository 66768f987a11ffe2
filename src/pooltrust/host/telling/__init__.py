"""Telling what happens: one line per event, damped."""
