"""The gate: whether what is served says what was trained."""
