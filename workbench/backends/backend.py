"""The protocol of models and backends, and the capabilities that a request needs.

A ``Backend`` lends models; each has a queue of its own, so that a request to one never waits for another. A
``ModelBackend`` is a lent model. What it is able to do is a ``Capabilities`` value, known before it is loaded; what a
request needs is one as well.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

from workbench.api.calls import ModelRecord
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
from workbench.errors import UserError
from workbench.records.messages import ChosenToken, Message
from workbench.records.recipes import DecodingPart, Thinking


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """The capabilities of a backend for a model, or those that a request needs.

    ``token_logprobs``: scores given continuations and reports the alternatives to each token. ``schemas``: answers as
    JSON, by a schema or not; ``grammars``: every other form of answer of ``DecodingPart.format``. ``searches``: beam
    and contrastive search. ``max_sequences``: answers to one prompt. ``adapters``: LoRAs, soft prompts and prefixes in
    GGUF form. ``embeddings``: vectors of texts. ``tools``: tool definitions and calls as message parts. ``vision``:
    images in messages. ``context_known``: the context length.
    """

    streams: bool = False
    token_logprobs: bool = False
    continues_from_tokens: bool = False
    schemas: bool = False
    grammars: bool = False
    searches: bool = False
    max_sequences: int = 1
    adapters: bool = False
    embeddings: bool = False
    tools: bool = False
    vision: bool = False
    context_known: bool = False

    def __or__(self, other: Capabilities) -> Capabilities:
        """The needs of both."""
        return Capabilities(**{name: max(getattr(self, name), getattr(other, name)) for name in self.__struct_fields__})

    def missing(self, needs: Capabilities) -> tuple[str, ...]:
        """Names of the capabilities that are needed and not there."""
        return tuple(name for name in self.__struct_fields__ if getattr(needs, name) > getattr(self, name))


_LOCAL = "Choose a model that runs on this machine (a GGUF file)"
_MISSING = {
    "streams": ("cannot stream its answer", f"{_LOCAL}."),
    "token_logprobs": ("does not report the probabilities of tokens", f"{_LOCAL}."),
    "continues_from_tokens": ("cannot continue an answer from a given token", f"{_LOCAL}, or ask again."),
    "schemas": ("cannot answer as JSON by a schema", f"{_LOCAL}, or set decoding.format to text."),
    "grammars": ("cannot constrain the format of its answer", f"{_LOCAL}, or set decoding.format to text."),
    "searches": ("supports neither beam search nor contrastive search", f"{_LOCAL}, or choose sampling."),
    "max_sequences": ("gives at most {has} of the {needs} answers", f"{_LOCAL}, or set decoding.n to {{has}}."),
    "adapters": ("cannot use adapters", f"{_LOCAL}, or remove the adapters from the recipe."),
    "embeddings": ("does not compute embeddings", "Choose an embedding model."),
    "tools": ("cannot call tools", "Choose a model with tool calling, or a recipe without tools."),
    "vision": ("cannot see images", "Choose a model with vision, or remove the images."),
    "context_known": ("has no known context length", "Set model.context_tokens in the recipe, or the token budget."),
}
"""What a model lacks, as the predicate of a sentence, and what to do."""


def require(needs: Capabilities, has: Capabilities, model: str) -> None:
    """Raises UserError that names the first capability that ``model`` lacks, and what to do about it."""
    for name in has.missing(needs):
        lacks, hint = (text.format(has=getattr(has, name), needs=getattr(needs, name)) for text in _MISSING[name])
        raise UserError(f"{model} {lacks}.", hint)


def describe_missing(name: str, has: Capabilities) -> str:
    """What a model lacks, as a sentence without a subject."""
    lacks = _MISSING[name][0]
    if name == "max_sequences":
        return f"Gives at most {has.max_sequences} {'answer' if has.max_sequences == 1 else 'answers'} at once."
    return f"{lacks[0].upper()}{lacks[1:]}."


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
    whether it thinks before it answers, and whether others go first."""

    context_tokens: int = 0
    adapters: tuple[LoraUse, ...] = ()
    draft_path: str = ""
    thinking: Thinking = "automatic"
    background: bool = False


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
