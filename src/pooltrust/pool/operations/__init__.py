"""Planners: from a request and a picture to a plan, as pure functions.

Each refuses (`Refused`, nothing changed) what can't be asked for at all; who is missing at the
moment is no refusal but a blocker, which the plan's preview shows and its operation waits for.
"""
