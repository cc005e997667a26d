"""Drawings of the formulas in messages, made in a process of their own."""
