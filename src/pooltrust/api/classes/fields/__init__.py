"""The records of the big classes, and the references and enumerations that fields are made of."""
