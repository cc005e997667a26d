"""What is said of a description of an answer's form that is none."""

from __future__ import annotations


class FormatProblem(Exception):
    """Why a description is none. ``line``, from 1, where it is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
