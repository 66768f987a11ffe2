"""What this host's pool trusts beside its members: changed here, brought along by a joiner."""
