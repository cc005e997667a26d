"""Scorers: each compares an answer with what is expected of it. One module per family; their rows: ``methods.py``."""
