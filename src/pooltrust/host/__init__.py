"""The daemon: the floor that waits."""
