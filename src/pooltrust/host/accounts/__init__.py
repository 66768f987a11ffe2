"""Local accounts: who may log in with a password, and how a password is proved unsaid.

verifier.py is the value that is stored, local.py the accounts, origins.py the waiting after wrong
passwords, scram.py the proof at a first meeting.
"""
