"""How the pure core grows with hosts and with changes: no sockets, files or daemons."""
