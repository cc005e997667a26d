"""Answers for other programs, and the server that hands them out."""
