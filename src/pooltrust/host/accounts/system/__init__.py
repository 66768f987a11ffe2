"""The operating system's users, where a setting says that they are the pool's: PAM and the name
services, asked in a process of their own.

What those load may block, crash or leak; a process can be ended.  child.py is that process,
asking.py starts it, pam.py and names.py ask.
"""
