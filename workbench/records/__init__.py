"""Values that are stored or sent."""
