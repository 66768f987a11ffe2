"""What a member does about its own pool identities: by itself, and on its coordinator's order."""
