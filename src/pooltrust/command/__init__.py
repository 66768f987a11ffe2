"""The `pooltrust` command: setting hosts up, running them, and looking at them."""
