"""What a person has in files or pastes, read on this machine before any host is asked.

Bytes become certificates, keys and lists, whatever they are wrapped in; what is to be installed is
judged by the rules that hosts have, and every finding is told at once.
"""
