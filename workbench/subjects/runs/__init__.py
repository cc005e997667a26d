"""Runs: the queue of long work, its logs, its kinds."""
