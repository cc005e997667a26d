"""Measuring recipes: question sets, scorers, statistics and reports. Knows no model, no storage and no process."""
