"""The thin protocol and what travels in it: frames, words typed, answers as text."""
