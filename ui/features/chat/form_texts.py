"""What was written for each kind of form of the answer, so that no schema is offered as a regular expression."""

from __future__ import annotations

DESCRIBED = ("json_schema", "regex", "choice", "gbnf")
"""The kinds of form that have to be described."""


class FormTexts:
    """Remembers a description for each kind. A recipe holds one only, that of a kind that may be off just now."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._kind = ""

    def follow(self, kind: str, text: str) -> None:
        """Take note of what a recipe holds now."""
        if kind in DESCRIBED:
            self._kind = kind
            self._texts[kind] = text
        elif text != self._texts.get(self._kind, ""):
            self._kind = ""  # of which kind it is nobody knows

    def text_for(self, kind: str, text: str) -> str:
        """What is to stand in place of the present text when this kind is chosen."""
        if kind not in DESCRIBED or self._kind in ("", kind):
            return text
        return self._texts.get(kind, "")
