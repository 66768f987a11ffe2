"""Carrying out operations on the pool: ordered at the desk, driven, stored, gone on with."""
