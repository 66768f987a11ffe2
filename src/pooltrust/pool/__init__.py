"""What the pool's operations decide, as pure functions of what they are shown."""
