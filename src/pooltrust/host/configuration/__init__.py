"""What an administrator decides for one host."""
