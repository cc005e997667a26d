"""The protocol of models and backends.

A ``Backend`` lends models; each has a queue of its own, so that a request to one never waits for another. A
``ModelBackend`` is a lent model. What it is able to do is a ``Capabilities`` value, known before it is loaded
(``records/capabilities.py``).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import (
    AssistantStart,
    Generate,
    LoraUse,
    Rendered,
    RewardText,
    Score,
    Scores,
    TokenizerInfo,
)
from workbench.engine.tool_format import ToolFormat
from workbench.records.capabilities import Capabilities
from workbench.records.messages import ChosenToken, Message
from workbench.records.models import ModelRecord
from workbench.records.recipes import DecodingPart, Thinking


class ModelBackend(Protocol):
    """A chat model ready for use, with its adapters. All methods may be called from any thread.

    Methods raise UserError, WorkerDied or errors.Cancelled. What ``capabilities`` deny must not be called.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def engine(self) -> str:
        """The engine with its version, as stored recipes keep it."""

    @property
    def context_tokens(self) -> int:
        """0 when it is not known."""

    @property
    def parameters(self) -> int | None:
        """None when it is not known: then the model counts as a large one."""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the model's card lists, as ISO 639-1 codes; () when it lists none."""

    def generate(
        self,
        messages: Sequence[Message],
        decoding: DecodingPart,
        assistant_start: AssistantStart = "",
        tools: Sequence[dict[str, Any]] = (),
    ) -> Iterator[Event]:
        """Events that end in ``Finished(result=Generated as plain data)``; closing the iterator cancels. ``tools`` are
        described in the prompt (``inference_calls.Generate``)."""

    def continue_from(self, prompt: Sequence[int], answer: Sequence[int], decoding: DecodingPart) -> Iterator[Event]:
        """As ``generate``, after the tokens of an earlier prompt and of a partial answer, whose text comes first."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """An estimate where the vocabulary is not known."""

    def tokenize(self, texts: Sequence[str], *, special: bool, begin: bool) -> list[tuple[int, ...]]:
        """As ``workbench.engine.inference_calls.Tokenize``; of models that continue from tokens."""

    def detokenize(self, sequences: Sequence[Sequence[int]]) -> list[str]:
        """As ``workbench.engine.inference_calls.Detokenize``; of models that continue from tokens."""

    def describe_tokenizer(self) -> TokenizerInfo:
        """The vocabulary; of models that continue from tokens."""

    def generate_many(self, requests: Sequence[Generate], context: RequestContext) -> Iterator[tuple[int, Event]]:
        """Several generations that begin together: events with the place of their request. Each ends in a terminal
        event of its own; ``context`` cancels all, ``context.part(place)`` one."""

    def render(self, request: Generate) -> Rendered:
        """A generation's prompt as the model reads it."""

    def tool_format(self) -> ToolFormat:
        """How the model's chat template writes tool calls."""

    def score_many(self, requests: Sequence[Score], context: RequestContext) -> list[Scores]:
        """Several scorings that begin together, in their order."""

    def score_rewards(self, adapter: LoraUse, texts: Sequence[RewardText], context: RequestContext) -> list[float]:
        """The score of each answer by a reward model on this model."""

    def inspect(
        self, prompt: Sequence[int], answer: Sequence[int], alternatives: int, last: int
    ) -> tuple[ChosenToken, ...]:
        """As ``workbench.engine.inference_calls.Inspect``."""


def has_fewer_parameters(model: ModelBackend, parameters: int) -> bool:
    """Whether a model is known to be smaller than that."""
    return model.parameters is not None and model.parameters < parameters


Loading = Generator[Event, None, ModelBackend]
"""Waits for a turn and loads the model, with Progress; returns it."""


class ModelUse(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is used: its context length (0 takes the setting), the adapters on it, the file of its draft model,
    whether it thinks before it answers, whether others go first, and whether a conversation is answered ``whole`` or
    else refused, in place of dropping its oldest turns."""

    context_tokens: int = 0
    adapters: tuple[LoraUse, ...] = ()
    draft_path: str = ""
    thinking: Thinking = "automatic"
    background: bool = False
    whole: bool = False


class Backend(Protocol):
    """Lends models, in a queue of its own."""

    def capabilities(self, model: ModelRecord) -> Capabilities:
        """The capabilities for a model. Loads nothing."""

    def build(self, context: RequestContext) -> str:
        """The engine with its version, as stored recipes keep it. Loads no model."""

    def lease(self, model: ModelRecord, use: ModelUse, context: RequestContext) -> AbstractContextManager[Loading]:
        """Hold a model within the block, once ``loading`` has been run to its end::

        with backend.lease(model, use, context) as loading:
            ready = yield from loading
        """
