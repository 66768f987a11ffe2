"""Who may come in, as calls change it: users and subjects, and clients with a certificate."""
