"""What was deleted, for 30 days."""
