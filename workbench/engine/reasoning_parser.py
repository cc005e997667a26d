"""Separates a reasoning model's thoughts from its answer in the text stream.

Thoughts come first, between two marks, and are parsed only there, so that an answer about ``<think>`` tags stays an
answer. Many templates open the thoughts themselves, at the end of the prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from workbench.engine.text import partial_match_length


class Marks(NamedTuple):
    """The opening and the closing mark of thoughts. ``before_answer`` is dropped where an answer has no thoughts."""

    opening: str
    closing: str
    before_answer: str = ""


MARKS: tuple[Marks, ...] = (
    Marks("<think>", "</think>"),  # DeepSeek R1, Qwen 3, SmolLM 3 and most others
    Marks("<thinking>", "</thinking>"),
    Marks("<thought>", "</thought>"),
    Marks("[THINK]", "[/THINK]"),  # Magistral
    Marks("◁think▷", "◁/think▷"),  # Kimi
    Marks(  # gpt-oss: https://github.com/openai/harmony
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel|>final<|message|>",
    ),
)

Part = tuple[Literal["thought", "text"], str]


def opened_by(prompt: str) -> Marks | None:
    """The marks that the end of a prompt has opened, so that the model begins inside its thoughts."""
    end = prompt.rstrip()
    return next((marks for marks in MARKS if end.endswith(marks.opening)), None)


class ThoughtSplitter:
    """Splits a stream into thought and answer; holds back text that may be the beginning of a mark.

    ``opened``: the stream begins inside the thoughts. White space around the thoughts is dropped.
    """

    def __init__(self, opened: Marks | None = None, marks: Sequence[Marks] = MARKS) -> None:
        self._marks = marks
        self._inside = opened
        self._state: Literal["start", "thought", "gap", "text"] = "thought" if opened else "start"
        self._kept = ""
        self._fresh = True

    def feed(self, text: str) -> list[Part]:
        if self._state == "text":
            return [("text", text)] if text else []
        self._kept += text
        parts: list[Part] = []
        if self._state == "start":
            parts += self._at_start()
        if self._state == "thought":
            parts += self._in_thought()
        if self._state == "gap":
            parts += self._in_gap()
        return parts

    def finish(self) -> list[Part]:
        """The text held back at the end of the stream."""
        kept, self._kept = self._kept, ""
        if self._state == "thought":
            kept = kept.rstrip()
            return [("thought", kept)] if kept else []
        return [("text", kept)] if kept and self._state != "gap" else []

    def _at_start(self) -> list[Part]:
        begun = self._kept.lstrip()
        for marks in self._marks:
            if begun.startswith(marks.opening):
                self._state, self._inside, self._kept = "thought", marks, begun[len(marks.opening) :]
                return []
            if marks.before_answer and begun.startswith(marks.before_answer):
                self._state, self._kept = "gap", begun[len(marks.before_answer) :]
                return []
        if not begun or any(
            mark.startswith(begun) for marks in self._marks for mark in (marks.opening, marks.before_answer) if mark
        ):
            return []
        return self._rest_is_text()

    def _in_thought(self) -> list[Part]:
        assert self._inside is not None
        if self._fresh:
            self._kept = self._kept.lstrip()
        thought, closing, rest = self._kept.partition(self._inside.closing)
        if closing:
            self._state, self._kept = "gap", rest
            thought = thought.rstrip()
        else:
            # white space is held back as well: it is dropped if the closing mark follows
            solid = thought[: len(thought) - partial_match_length(thought, self._inside.closing)].rstrip()
            self._kept = thought[len(solid) :]
            thought = solid
        self._fresh = self._fresh and not thought
        return [("thought", thought)] if thought else []

    def _in_gap(self) -> list[Part]:
        self._kept = self._kept.lstrip()
        return self._rest_is_text() if self._kept else []

    def _rest_is_text(self) -> list[Part]:
        self._state = "text"
        kept, self._kept = self._kept, ""
        return [("text", kept)] if kept else []
