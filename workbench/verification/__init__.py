"""Verification: whether a served model says what the trained one says."""
