"""Question sets and evaluations of a home."""
