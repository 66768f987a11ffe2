"""The console: pools of hosts, seen and steered from a browser on an administrator's machine.

A client of the public API and of nothing else; it never imports the daemon.
"""
