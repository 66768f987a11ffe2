"""What the console knows of each server that it was given: its state and its objects."""
