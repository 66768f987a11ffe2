"""How a call, a class and a value are declared; everything else is read from these declarations."""
