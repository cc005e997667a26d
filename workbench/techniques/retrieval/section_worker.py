"""Asks a model for one section of a document after the other, with progress; finished sections are not made again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator, Sequence

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Citation, Message, Passage
from workbench.records.recipes import Recipe, system_text
from workbench.techniques.context import AnswerContext, Step

Work = Generator[Event, None, tuple[Generated, Sequence[Passage], tuple[Citation, ...]]]
"""The steps of a task; returns the generation, the passages that its citations number, and the citations."""


class SectionWorker:
    """Asks the model for one section after the other. ``planned`` generations are to be made at most; how long they
    take is estimated from those that were made now."""

    def __init__(self, recipe: Recipe, context: AnswerContext, sections: int) -> None:
        self._system = system_text(recipe.prompting)
        self.context = context
        self.planned = sections
        self._done = self._made = self._total = 0
        self._seconds = 0.0

    def progress(self, stage: str, part: str) -> Event:
        """How far the task is; ``part`` tells what is worked on, such as ``section 3 of 12``."""
        self._total = self._total or self.planned  # it never changes, so that the share never falls
        done = min(self._done, self._total - 1)
        left = self._seconds / self._made * (self._total - done) if self._made else None
        return events.Progress(
            stage=stage, done=done, total=self._total, unit="sections", detail=part, seconds_left=left
        )

    def skip(self) -> None:
        """Count a section that needs no generation."""
        self._done += 1

    def ask(
        self,
        instruction: str,
        text: str,
        title: str,
        *,
        kind: str = "section",
        within: Step | None = None,
        quiet: bool = False,
        most: int = 0,
    ) -> Generator[Event, None, Generated]:
        """The model's answer to an instruction about a text, as a step called ``title``, inside another one; it takes
        at most ``most`` tokens (0: as the recipe says). A section that an earlier attempt has finished is not made
        again."""
        context = self.context if within is None else self.context.inside(within)
        saved = self.context.saved
        key = hashlib.sha256("\0".join((self._system, instruction, text)).encode()).hexdigest()
        before = saved.find(key) if saved is not None and kind == "section" else None
        if before is not None:
            self._done += 1
            return (yield from context.reuse(before, title=title, kind=kind, input=instruction, quiet=quiet))
        began = time.monotonic()
        messages = [Message("system", self._system)] if self._system else []
        messages.append(Message("user", f"{instruction}\n\n{text}\n\n{instruction}"))
        decoding = self.context.decoding
        if most:
            decoding = msgspec.structs.replace(decoding, max_tokens=most)
        made = yield from _without_progress(
            context.generate(messages, title=title, kind=kind, input=instruction, quiet=quiet, decoding=decoding)
        )
        if made.finish != "cancelled":
            self._done, self._made = self._done + 1, self._made + 1
            self._seconds += time.monotonic() - began
            if saved is not None and kind == "section":
                saved.add(key, made)
        return made


def _without_progress(generation: Generator[Event, None, Generated]) -> Generator[Event, None, Generated]:
    """A generation without its own progress: that of the task counts sections."""
    while True:
        try:
            event = next(generation)
        except StopIteration as end:
            made: Generated = end.value
            return made
        if not isinstance(event, events.Progress):
            yield event
