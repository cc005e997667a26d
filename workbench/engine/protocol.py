"""What the inference worker can be asked. Light: importing this loads no llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

import msgspec

from workbench.calls import Device
from workbench.events import Event
from workbench.messages import Finish, Message, Usage
from workbench.protocol import Call
from workbench.recipes import DecodingPart


class LoadedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What was loaded and how. ``choice`` says in a sentence what was chosen and why (layers, context, threads)."""

    path: str
    architecture: str
    context_tokens: int
    trained_context_tokens: int
    vocabulary: int
    parameters: int
    gpu_layers: int
    threads: int
    device: str
    engine: str
    has_template: bool
    choice: str = ""


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """One finished generation. ``dropped_turns`` counts the oldest turns left out to fit the context.

    ``mean_logprob`` is the mean natural-log probability of its new tokens under the model itself (no temperature, no
    penalty). ``seed`` is the one that was used: with the same engine, recipe and prompt it draws the same answer.
    """

    text: str
    thought: str = ""
    finish: Finish = "eos"
    usage: Usage = Usage()
    dropped_turns: int = 0
    mean_logprob: float | None = None
    seed: int = -1


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """``logprob`` is the sum of natural-log probabilities of the continuation's ``tokens`` tokens."""

    logprob: float
    tokens: int


class Load(Call[LoadedModel], frozen=True, kw_only=True, tag="load"):
    """Load a GGUF model in place of the one that is loaded; streams Progress in [0, 1]; can be cancelled.

    ``path`` is the file, or the first file of a split model. 0 and -1 mean: choose from the machine.
    ``context_tokens`` 0 takes the trained length, at most 8,192, as far as memory allows.
    """

    path: str
    context_tokens: int = 0
    gpu_layers: int = -1
    threads: int = 0
    flash_attention: Literal["auto", "on", "off"] = "auto"
    kv_type: Literal["f16", "f32", "q8_0"] = "f16"


class Unload(Call[None], frozen=True, kw_only=True, tag="unload"):
    """Free the model."""


class Generate(Call[Generated], frozen=True, kw_only=True, tag="generate"):
    """Generate an answer to a conversation: streams Thought, TextDelta and, when turns were dropped, Log(notice).

    The system message and the last user message are always kept; the oldest turns in between are dropped whole
    until prompt and ``decoding.max_tokens`` (or at least a quarter of the context) fit. Raises UserError when
    even that does not fit. ``assistant_start`` is put at the beginning of the answer and is part of its text.
    """

    messages: tuple[Message, ...]
    decoding: DecodingPart = DecodingPart()
    assistant_start: str = ""


class Score(Call[tuple[Scored, ...]], frozen=True, kw_only=True, tag="score"):
    """Log-probability of each of some continuations of a conversation; the shared prefix is computed once."""

    messages: tuple[Message, ...]
    continuations: tuple[str, ...]


class CountTokens(Call[tuple[int, ...]], frozen=True, kw_only=True, tag="count"):
    """How many tokens each text has in the loaded model's vocabulary, without special tokens."""

    texts: tuple[str, ...]


class ListDevices(Call[tuple[Device, ...]], frozen=True, kw_only=True, tag="devices"):
    """The devices that ggml can compute on."""


InferenceCall = Load | Unload | Generate | Score | CountTokens | ListDevices


class LanguageModel(Protocol):
    """A loaded chat model, as the techniques see it. All methods may be called from any thread."""

    @property
    def context_tokens(self) -> int: ...

    @property
    def parameters(self) -> int: ...

    def generate(
        self, messages: Sequence[Message], decoding: DecodingPart, assistant_start: str = ""
    ) -> Iterator[Event]:
        """Events that end in ``Finished(result=Generated as plain data)``; closing the iterator cancels."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...

    def score(self, messages: Sequence[Message], continuations: Sequence[str]) -> list[Scored]: ...
