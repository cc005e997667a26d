"""Judgements: read from files and chats, written to files, measured, and made into training data. Pure functions."""
