"""How fast this project answers, next to nginx and to a bare loop, in one run on one machine."""
