"""Verification: whether a served model behaves as the trained one."""
