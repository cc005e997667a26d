"""The error of a description of an answer format."""

from __future__ import annotations


class FormatProblem(Exception):
    """What is wrong with a description. ``line``, from 1, where it is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
