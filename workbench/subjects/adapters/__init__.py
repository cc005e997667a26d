"""Trained, merged and imported adapters."""
