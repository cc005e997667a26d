"""The calls of the inference worker and their results. Light: importing this loads no llama.cpp."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.api.calls import Device
from workbench.api.protocol import Call
from workbench.records.messages import ChosenToken, Finish, Message, Usage
from workbench.records.recipes import DecodingPart


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
    deterministic: bool = False


class LoraUse(msgspec.Struct, frozen=True, kw_only=True):
    """A LoRA adapter in GGUF form on the model; ``scale`` multiplies it."""

    path: str
    scale: float = 1.0


class GeneratedSequence(msgspec.Struct, frozen=True, kw_only=True):
    """One of the answers of a generation; ``tokens`` are the ids that the model chose, without the ending one.

    ``mean_logprob`` is the mean natural-log probability of its tokens under the model itself (no temperature, no
    penalty). ``score`` is what sequences are ordered by: ``mean_logprob``, or a beam's length-normalised sum.
    """

    text: str
    thought: str = ""
    finish: Finish = "eos"
    tokens: tuple[int, ...] = ()
    mean_logprob: float | None = None
    score: float | None = None


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """A finished generation. ``dropped_turns`` counts the oldest turns left out to fit the context.

    ``sequences`` are its answers, best first; ``text``, ``thought``, ``finish`` and ``mean_logprob`` are those of the
    first one. ``prompt`` is what the model was shown, as token ids. ``seed`` is the one that was used: with the same
    engine, recipe and prompt it draws the same answer.
    """

    text: str
    thought: str = ""
    finish: Finish = "eos"
    usage: Usage = Usage()
    dropped_turns: int = 0
    mean_logprob: float | None = None
    seed: int = -1
    sequences: tuple[GeneratedSequence, ...] = ()
    prompt: tuple[int, ...] = ()


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """``logprob`` is the sum of natural-log probabilities of the continuation's ``tokens`` tokens."""

    logprob: float
    tokens: int


class TextScore(msgspec.Struct, frozen=True, kw_only=True):
    """``perplexity`` is exp of the mean negative log-probability of the ``tokens`` tokens that were counted;
    ``error`` is its standard error."""

    perplexity: float
    error: float
    tokens: int
    windows: int


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens a second: of prompts, of one sequence, of ``sequences`` at once (all together)."""

    prompt: float
    alone: float
    together: float
    sequences: int


class Load(Call[LoadedModel], frozen=True, kw_only=True, tag="load"):
    """Load a GGUF model in place of the one that is loaded; streams Progress in [0, 1]; can be cancelled.

    ``path`` is the file, or the first file of a split model. 0 and -1 mean: choose from the machine.
    ``context_tokens`` 0 takes the trained length, at most 8,192, as far as memory allows. ``split_mode`` says how a
    model is spread over several GPUs: whole layers, rows of each layer, or not at all (then ``main_gpu`` has it);
    ``tensor_split`` gives each GPU's share, () shares by free memory. ``sequences`` is how many are computed at once,
    0 as many as memory allows; with 2, sliding windows are kept short and nothing is shared. ``deterministic``: the
    same recipe, seed, model and build give the same tokens whatever else is being computed. ``prefix_cache_bytes`` caps
    the states of conversations that are kept outside the model's own memory.
    """

    path: str
    context_tokens: int = 0
    gpu_layers: int = -1
    threads: int = 0
    flash_attention: Literal["auto", "on", "off"] = "auto"
    kv_type: Literal["f16", "f32", "q8_0"] = "f16"
    split_mode: Literal["layer", "row", "none"] = "layer"
    tensor_split: tuple[float, ...] = ()
    main_gpu: int = 0
    sequences: int = 0
    deterministic: bool = False
    prefix_cache_bytes: int = 512 << 20


class Unload(Call[None], frozen=True, kw_only=True, tag="unload"):
    """Free the model."""


class Generate(Call[Generated], frozen=True, kw_only=True, tag="generate"):
    """Answer a conversation: streams Thought, TextDelta, BeamStep and, when turns were dropped, Log(notice).

    The system message and the last user message are always kept; the oldest turns in between are dropped whole
    until prompt and ``decoding.max_tokens`` (or at least a quarter of the context) fit. Raises UserError when
    even that does not fit. ``assistant_start`` is put at the beginning of the answer and is part of its text.

    With ``prompt`` (token ids, ``Generated.prompt`` of before) ``messages`` are not looked at; ``answer`` are the
    answer's first tokens, which are part of its text: so an answer is gone on with from any of its places.
    ``background`` requests give way to the others. ``draft_path`` is the model of ``speculation="draft"``.
    """

    messages: tuple[Message, ...] = ()
    decoding: DecodingPart = DecodingPart()
    assistant_start: str = ""
    prompt: tuple[int, ...] = ()
    answer: tuple[int, ...] = ()
    adapters: tuple[LoraUse, ...] = ()
    background: bool = False
    draft_path: str = ""


class Score(Call[tuple[Scored, ...]], frozen=True, kw_only=True, tag="score"):
    """Log-probability of each of some continuations of a conversation; the shared prefix is computed once and the
    continuations side by side."""

    messages: tuple[Message, ...]
    continuations: tuple[str, ...]
    adapters: tuple[LoraUse, ...] = ()
    background: bool = False


class Inspect(Call[tuple[ChosenToken, ...]], frozen=True, kw_only=True, tag="inspect"):
    """How probable each token of an answer was under the model alone, and what else could have come at its place.

    Tokens are ids. Only the last ``last`` of ``answer`` are told of; 0: all. One more, with ``token`` -1 and an empty
    text, tells of the place after the last token.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    alternatives: int = 8
    last: int = 0
    adapters: tuple[LoraUse, ...] = ()


class ScoreText(Call[TextScore], frozen=True, kw_only=True, tag="perplexity"):
    """The perplexity of a text, as llama-perplexity computes it: windows of ``window`` tokens, each begun anew with the
    model's first token where it has one; the second half of each is counted. Streams Progress in windows.

    Raises UserError when the text has fewer than two windows.
    """

    text: str
    window: int = 512
    adapters: tuple[LoraUse, ...] = ()
    background: bool = True


class MeasureSpeed(Call[Speed], frozen=True, kw_only=True, tag="speed"):
    """How fast the loaded model computes: prompts of ``prompt_tokens``, then ``new_tokens`` of one sequence and of
    ``sequences`` at once after such a prompt; medians of ``rounds``. Streams Progress in rounds."""

    prompt_tokens: int = 512
    new_tokens: int = 64
    sequences: int = 8
    rounds: int = 3


class CountTokens(Call[tuple[int, ...]], frozen=True, kw_only=True, tag="count"):
    """How many tokens each text has in the loaded model's vocabulary, without special tokens."""

    texts: tuple[str, ...]


class Embed(Call[tuple[tuple[float, ...], ...]], frozen=True, kw_only=True, tag="embed"):
    """A vector for each text, of length 1, by the GGUF embedding model ``path``, pooled as the model says. The model
    stays loaded beside the chat model until another one is asked for."""

    path: str
    texts: tuple[str, ...]


class Rank(Call[tuple[float, ...]], frozen=True, kw_only=True, tag="rank"):
    """How well each document fits the query, by the GGUF reranking model ``path``; higher is better."""

    path: str
    query: str
    documents: tuple[str, ...]


class ListDevices(Call[tuple[Device, ...]], frozen=True, kw_only=True, tag="devices"):
    """The devices that ggml can compute on."""


InferenceCall = (
    Load | Unload | Generate | Score | Inspect | ScoreText | MeasureSpeed | CountTokens | Embed | Rank | ListDevices
)
