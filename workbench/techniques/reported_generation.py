"""A model's stream as the work of a step, event by event: its texts, its result, and the end of the step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from workbench.api import events
from workbench.api.events import Event, StepFinished
from workbench.api.protocol import error_of
from workbench.engine.inference_calls import Generated, GeneratedSequence
from workbench.records.trace import TokenIds

if TYPE_CHECKING:
    from workbench.techniques.context import AnswerContext, Step

LOOP, LOOP_TITLE = "loop", "Ended because it repeated itself"
"""Kind and title of the step that tells what an answer repeated when it was ended."""


class ReportedGeneration:
    """``ended`` once the stream has. With ``quiet`` the text is that of the step alone."""

    def __init__(self, context: AnswerContext, step: Step, quiet: bool) -> None:
        self.ended = False
        self._context, self._step = context, step
        self._inner = step.id if quiet else ""
        self._texts: dict[int, list[str]] = {}
        self._result: Generated | None = None
        self._stopped = True

    def feed(self, event: Event) -> Iterator[Event]:
        """The event as it is passed on. Raises the exception that a failed generation means."""
        if isinstance(event, events.TextDelta):
            self._texts.setdefault(event.sequence, []).append(event.text)
        if isinstance(event, events.TextDelta | events.Thought):
            yield msgspec.structs.replace(event, step=self._inner)
        elif isinstance(event, events.BeamStep | events.Progress):
            yield msgspec.structs.replace(event, step=self._step.id)
        elif isinstance(event, events.Finished | events.Cancelled):
            self._stopped = isinstance(event, events.Cancelled)
            self._result = msgspec.convert(event.result, Generated) if event.result is not None else None
            self.ended = True
        elif isinstance(event, events.Failed):
            raise error_of(event)
        elif isinstance(event, events.Log) and event.level == "notice":
            yield from self._context.note(event.text)
        else:
            yield event

    def generated(self) -> Generated:
        """The result of the generation; ``finish="cancelled"`` with the text so far if it was stopped."""
        generated = self._result or Generated(text="", finish="cancelled")
        sequences = generated.sequences or _sequences_of(self._result, self._texts)
        finish = "cancelled" if self._stopped else sequences[0].finish
        return msgspec.structs.replace(generated, text=sequences[0].text, finish=finish, sequences=sequences)

    def ending(self) -> Iterator[Event]:
        """The end of the step; within it a step for each sequence that was ended since it repeated itself."""
        for sequence in self.generated().sequences:
            if sequence.finish == "loop":
                loop = self._context.step(LOOP, LOOP_TITLE, parent=self._step.id)
                yield loop.started
                yield loop.finished(sequence.repeated)
        yield self._finished()

    def _finished(self) -> StepFinished:
        generated, tokens = self.generated(), None
        if self._result is not None and generated.prompt and self._result.sequences:
            tokens = TokenIds(prompt=generated.prompt, sequences=tuple(one.tokens for one in generated.sequences))
        usage = self._result.usage if self._result is not None else None
        score = generated.sequences[0].mean_logprob
        return self._step.finished(generated.text, score=score, usage=usage, tokens=tokens)


def _sequences_of(result: Generated | None, texts: dict[int, list[str]]) -> tuple[GeneratedSequence, ...]:
    """The sequences of a generation that does not name them: as they streamed."""
    if result is not None:
        logprob = result.mean_logprob
        return (
            GeneratedSequence(
                text=result.text, thought=result.thought, finish=result.finish, mean_logprob=logprob, score=logprob
            ),
        )
    streamed = [GeneratedSequence(text="".join(one), finish="cancelled") for _, one in sorted(texts.items())]
    return tuple(streamed) or (GeneratedSequence(text="", finish="cancelled"),)
