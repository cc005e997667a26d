"""What an answering method is handed: a model, perhaps documents, and whether to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from workbench import errors
from workbench.api import events
from workbench.api.events import Event
from workbench.backends.backend import ModelBackend
from workbench.engine.protocol import Generated
from workbench.records.messages import Message, Usage
from workbench.records.recipes import DecodingPart
from workbench.techniques.retrieval.protocol import Retriever


@dataclass(frozen=True)
class AnswerContext:
    """``retriever`` is the recipe's collection, None without one. ``cancelled`` may be asked at any time.

    A method generates through ``generate`` and ``continue_from``, which collect the ``generations`` that have ended.
    """

    model: ModelBackend
    retriever: Retriever | None
    cancelled: Callable[[], bool]
    generations: list[Generated] = field(default_factory=list)

    def raise_if_cancelled(self) -> None:
        """Raises errors.Cancelled once the request was cancelled."""
        if self.cancelled():
            raise errors.Cancelled

    def generate(
        self, messages: Sequence[Message], decoding: DecodingPart, assistant_start: str = ""
    ) -> Iterator[Event]:
        """As ``ModelBackend.generate``."""
        return self._recorded(self.model.generate(messages, decoding, assistant_start))

    def continue_from(self, prompt: Sequence[int], answer: Sequence[int], decoding: DecodingPart) -> Iterator[Event]:
        """As ``ModelBackend.continue_from``."""
        return self._recorded(self.model.continue_from(prompt, answer, decoding))

    def _recorded(self, stream: Iterator[Event]) -> Iterator[Event]:
        for event in stream:
            if isinstance(event, (events.Finished, events.Cancelled)) and event.result is not None:
                self.generations.append(msgspec.convert(event.result, Generated))
            yield event

    @property
    def usage(self) -> Usage:
        """What all generations cost together; the time to the first token is that of the first one."""
        used = [one.usage for one in self.generations]
        seconds = sum(one.new_tokens / one.tokens_per_s for one in used if one.tokens_per_s)
        tokens = sum(one.new_tokens for one in used)
        return Usage(
            prompt_tokens=sum(one.prompt_tokens for one in used),
            cached_tokens=sum(one.cached_tokens for one in used),
            new_tokens=tokens,
            first_token_s=next((one.first_token_s for one in used if one.first_token_s), 0.0),
            tokens_per_s=tokens / seconds if seconds else 0.0,
            drafted_tokens=sum(one.drafted_tokens for one in used),
            accepted_tokens=sum(one.accepted_tokens for one in used),
        )
