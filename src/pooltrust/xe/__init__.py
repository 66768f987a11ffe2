"""`xe`: the thin command line.  The file `xe` in this folder is the whole program.

It imports nothing of this package and works wherever Python is; see its first lines.
"""
