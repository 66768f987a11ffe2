"""First meetings: a joiner and a coordinator that do not know each other yet."""
