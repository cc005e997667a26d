"""Child processes: how they are started, confined, spoken to and ended."""
