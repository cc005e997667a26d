"""Prompt optimisers: searches for a better recipe on the tuning part of a question set."""
