"""Trainings before they run, and the processes that run them."""
