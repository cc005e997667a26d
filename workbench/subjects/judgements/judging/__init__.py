"""Judges of pairs, how well they agree with a person, and win rates. Pure: models are asked through a function."""
