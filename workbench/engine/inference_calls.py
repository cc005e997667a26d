"""The calls of the inference worker and their results. Light: importing this loads no llama.cpp."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from workbench.api.protocol import Call
from workbench.engine.tool_format import ToolFormat
from workbench.records.fit import MemoryPart
from workbench.records.messages import ChosenToken, Finish, Message, Usage
from workbench.records.models import Device
from workbench.records.recipes import DecodingPart, Thinking


class LoadedModel(msgspec.Struct, frozen=True, kw_only=True):
    """The loaded model and its settings. ``choice`` is a sentence on what was chosen and why (layers, context,
    threads); ``languages`` are those of its card, as ISO 639-1 codes. ``memory`` is what it takes by llama.cpp's count,
    () where that is not known. ``sees``: it was loaded with a projector and reads images."""

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
    languages: tuple[str, ...] = ()
    memory: tuple[MemoryPart, ...] = ()
    sees: bool = False


class LoraUse(msgspec.Struct, frozen=True, kw_only=True):
    """A LoRA adapter in GGUF form on the model; ``scale`` multiplies it."""

    path: str
    scale: float = 1.0


class GeneratedSequence(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a generation; ``tokens`` are the chosen ids, without the one that ended it.

    ``mean_logprob`` is the mean natural-log probability of its tokens under the model itself (no temperature, no
    penalty). ``spelled`` are the texts of its tokens with their log-probabilities; () where these were not recorded, or
    it has a thought. ``score`` orders sequences: ``mean_logprob``, or a beam's length-normalised sum. ``repeated`` is
    what it has repeated where its finish is "loop".
    """

    text: str
    thought: str = ""
    finish: Finish = "eos"
    tokens: tuple[int, ...] = ()
    mean_logprob: float | None = None
    spelled: tuple[tuple[str, float], ...] = ()
    score: float | None = None
    repeated: str = ""


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """A finished generation. ``dropped_turns`` counts the oldest turns left out to fit the context.

    ``sequences`` are its answers, best first; ``text``, ``thought``, ``finish`` and ``mean_logprob`` are those of the
    first one. ``prompt`` are the token ids that the model saw. ``seed`` is the one that was used: with the same engine,
    recipe and prompt it draws the same answer.
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


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """The continuations of one prompt in their order. ``usage.new_tokens`` counts their tokens."""

    values: tuple[Scored, ...]
    usage: Usage = Usage()

    def probabilities(self) -> list[float]:
        """The probability of each continuation among these."""
        best = max((one.logprob for one in self.values), default=0.0)
        weights = [math.exp(one.logprob - best) for one in self.values]
        return [weight / sum(weights) for weight in weights]


class TextScore(msgspec.Struct, frozen=True, kw_only=True):
    """``perplexity`` is exp of the mean negative log-probability of the ``tokens`` counted tokens; ``error`` is its
    standard error."""

    perplexity: float
    error: float
    tokens: int
    windows: int


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens per second: of prompts, of one sequence, of ``sequences`` in parallel (all together)."""

    prompt: float
    alone: float
    together: float
    sequences: int


class Load(Call[LoadedModel], frozen=True, kw_only=True, tag="load"):
    """Load a GGUF model in place of the loaded one; streams Progress in [0, 1]; can be cancelled.

    ``path`` is the file, or the first file of a split model. 0 and -1 mean automatic. ``context_tokens`` 0 takes the
    trained length, at most 8,192, as far as memory allows. ``split_mode`` distributes a model over several GPUs: by
    layers, by rows of each layer, or not at all (then ``main_gpu`` has it); ``tensor_split`` is each GPU's share, () by
    free memory. ``sequences`` is the number computed in parallel, 0 as many as memory allows; with 2, sliding windows
    are short and cells are not shared. ``deterministic``: the same recipe, seed, model and build give the same tokens
    whatever else is being computed. ``prefix_cache_bytes`` caps the saved states of conversations outside the model's
    own memory. ``anyway`` loads a model that does not fit into what is free. ``projector`` is the file of the image
    encoder (mmproj) that belongs to the model, "" for none.
    """

    path: str
    projector: str = ""
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
    anyway: bool = False


class Unload(Call[None], frozen=True, kw_only=True, tag="unload"):
    """Free the model."""


class Marker(msgspec.Struct, frozen=True):
    """A piece of what a chat template writes itself, such as the mark that opens a tool call: names of control tokens
    in it are those tokens, unless it is ``literal``. It is not part of an answer's text."""

    text: str
    literal: bool = False


AssistantStart = str | tuple[str | Marker, ...]
"""The beginning of an answer: text, in which no control token is parsed, and markers."""


def start_text(start: AssistantStart) -> str:
    """The text of an answer's beginning."""
    return start if isinstance(start, str) else "".join(piece for piece in start if isinstance(piece, str))


class Generate(Call[Generated], frozen=True, kw_only=True, tag="generate"):
    """Answer a conversation: streams Thought, TextDelta, BeamStep and, when turns were dropped, Log(notice); while a
    long prompt is computed, Progress in tokens.

    The system message and the last user message are always kept; the oldest turns in between are dropped whole until
    prompt and ``decoding.max_tokens`` (or at least a quarter of the context) fit. Raises UserError when even that does
    not fit. ``assistant_start`` begins the answer and is part of its text. ``thinking`` and ``tools`` are for the chat
    template (``engine.prompt.TemplateOptions``).

    With ``prompt`` (token ids, ``Generated.prompt`` of an earlier answer) ``messages`` are ignored; ``answer`` are the
    answer's first tokens, which are part of its text: so an answer can be continued from any of its tokens. ``append``
    is plain text after the prompt's tokens, in which no control token is parsed: the result of a tool, for example.
    ``background`` requests yield to others. ``draft_path`` is the draft model of ``speculation="draft"``.

    ``plain``: the messages' texts are the whole prompt, without the chat template, and the answer goes on from there.
    ``whole``: no turn is dropped; a conversation that does not fit raises ContextExceeded.
    """

    messages: tuple[Message, ...] = ()
    decoding: DecodingPart = DecodingPart()
    assistant_start: AssistantStart = ""
    thinking: Thinking = "automatic"
    tools: tuple[dict[str, Any], ...] = ()
    prompt: tuple[int, ...] = ()
    append: str = ""
    answer: tuple[int, ...] = ()
    adapters: tuple[LoraUse, ...] = ()
    background: bool = False
    draft_path: str = ""
    plain: bool = False
    whole: bool = False


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt as the model reads it, with the names of its control tokens; ``tokens`` is their number."""

    text: str
    tokens: int


class Render(Call[Rendered], frozen=True, kw_only=True, tag="render"):
    """The prompt of a generation, which is not computed."""

    request: Generate


class FindToolFormat(Call[ToolFormat], frozen=True, kw_only=True, tag="tool_format"):
    """How the chat template of the loaded model writes tool calls."""


class GenerateMany(Call[None], frozen=True, kw_only=True, tag="generate_many"):
    """Several generations that begin together: the beginnings that their prompts share are computed once.

    Each streams as ``Generate`` does, as PartEvents with the place of its request, and ends in a terminal event of its
    own. A single one is cancelled by its place (``RequestContext.part``).
    """

    requests: tuple[Generate, ...]


class Score(Call[Scores], frozen=True, kw_only=True, tag="score"):
    """Log-probability of each of several continuations of a conversation, each a text or token ids; the shared prefix
    is computed once and the continuations in parallel.

    ``assistant_start``, ``prompt`` and ``answer`` are a begun answer that they continue, and ``tools`` are described in
    the prompt, as in ``Generate``. ``plain`` as there: then continuations are texts, each tokenised together with the
    prompt and split behind it, as lm-evaluation-harness does.
    """

    messages: tuple[Message, ...] = ()
    continuations: tuple[str | tuple[int, ...], ...]
    assistant_start: AssistantStart = ""
    prompt: tuple[int, ...] = ()
    answer: tuple[int, ...] = ()
    thinking: Thinking = "automatic"
    tools: tuple[dict[str, Any], ...] = ()
    adapters: tuple[LoraUse, ...] = ()
    background: bool = False
    plain: bool = False


class ScoreMany(Call[tuple[Scores, ...]], frozen=True, kw_only=True, tag="score_many"):
    """Several scorings that begin together: the beginnings that their prompts share are computed once."""

    requests: tuple[Score, ...]


class Inspect(Call[tuple[ChosenToken, ...]], frozen=True, kw_only=True, tag="inspect"):
    """The probability of each token of an answer under the model alone, and its alternatives.

    Tokens are ids. Only the ``last`` tokens of ``answer`` are reported; 0: all. One more, with ``token`` -1 and an
    empty text, reports the position after the last token. ``background`` requests yield to others.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    alternatives: int = 8
    last: int = 0
    adapters: tuple[LoraUse, ...] = ()
    background: bool = False


class ScoreText(Call[TextScore], frozen=True, kw_only=True, tag="perplexity"):
    """The perplexity of a text, as llama-perplexity computes it: windows of ``window`` tokens, each beginning with the
    model's BOS token where it has one; the second half of each is counted. Streams Progress in windows.

    Raises UserError when the text has fewer than two windows.
    """

    text: str
    window: int = 512
    adapters: tuple[LoraUse, ...] = ()
    background: bool = True


class MeasureSpeed(Call[Speed], frozen=True, kw_only=True, tag="speed"):
    """The speed of the loaded model: prompts of ``prompt_tokens``, then ``new_tokens`` of one sequence and of
    ``sequences`` in parallel after such a prompt; medians of ``rounds``. Streams Progress in rounds."""

    prompt_tokens: int = 512
    new_tokens: int = 64
    sequences: int = 8
    rounds: int = 3


class CountTokens(Call[tuple[int, ...]], frozen=True, kw_only=True, tag="count"):
    """The number of tokens of each text in the loaded model's vocabulary, without special tokens."""

    texts: tuple[str, ...]


class Tokenize(Call[tuple[tuple[int, ...], ...]], frozen=True, kw_only=True, tag="tokenize"):
    """The token ids of each text in the loaded model's vocabulary. ``special``: names of control tokens stand for those
    tokens. ``begin``: the token that begins a text is put first, where the model has one."""

    texts: tuple[str, ...]
    special: bool = True
    begin: bool = False


class Detokenize(Call[tuple[str, ...]], frozen=True, kw_only=True, tag="detokenize"):
    """The text of each of several token sequences, with the names of control tokens. Raises UserError for ids that the
    vocabulary does not have."""

    sequences: tuple[tuple[int, ...], ...]


class TokenizerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The vocabulary of a model and its chat template. ``bos`` and ``eos`` are -1, their texts "", where there is
    none; ``adds_bos``: prompts begin with ``bos``."""

    vocabulary: int
    bos: int = -1
    eos: int = -1
    bos_text: str = ""
    eos_text: str = ""
    adds_bos: bool = False
    template: str = ""
    context_tokens: int = 0


class DescribeTokenizer(Call[TokenizerInfo], frozen=True, kw_only=True, tag="tokenizer"):
    """The loaded model's vocabulary and chat template."""


class Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """A vector of length 1 per text. ``tokens``: how many the model read in all."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int


class Embed(Call[Embedded], frozen=True, kw_only=True, tag="embed"):
    """Vectors of texts, which may be given as token ids, by the GGUF embedding model ``path``, pooled as the model
    says. The model stays loaded beside the chat model until another one is requested. Raises UserError for a token that
    the model does not have."""

    path: str
    texts: tuple[str | tuple[int, ...], ...]


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """The relevance of each document; higher is better. ``tokens``: how many the model read in all."""

    scores: tuple[float, ...]
    tokens: int


class Rank(Call[Ranked], frozen=True, kw_only=True, tag="rank"):
    """The relevance of documents to the query, by the GGUF reranking model ``path``."""

    path: str
    query: str
    documents: tuple[str, ...]


class RewardText(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a conversation, to be scored; with ``prompt`` and ``answer_tokens`` (token ids) these are."""

    messages: tuple[Message, ...] = ()
    answer: str = ""
    prompt: tuple[int, ...] = ()
    answer_tokens: tuple[int, ...] = ()


class ScoreRewards(Call[tuple[float, ...]], frozen=True, kw_only=True, tag="score_rewards"):
    """The score of each answer by the reward model ``adapter``. The oldest turns of a long conversation are left out;
    tokens that end an answer do not count, and an answer without any other token has the score 0."""

    adapter: LoraUse
    texts: tuple[RewardText, ...]
    background: bool = False


class DescribeBuild(Call[str], frozen=True, kw_only=True, tag="build"):
    """The engine with its version, as resolved recipes name it. Loads nothing."""


class LibraryState(msgspec.Struct, frozen=True, kw_only=True):
    """llama.cpp as it was loaded. ``base`` is what the library of a runtime pack must be of; ``variant`` is the kind of
    processor that was chosen, "" in a build for one machine; ``backends`` are those that were loaded from files;
    ``pack_problem`` says why the runtime pack is not among them."""

    build: str
    base: str = ""
    variant: str = ""
    backends: tuple[str, ...] = ()
    pack_problem: str = ""


class DescribeLibrary(Call[LibraryState], frozen=True, kw_only=True, tag="library"):
    """llama.cpp as it was loaded. Loads no model."""


class ListDevices(Call[tuple[Device, ...]], frozen=True, kw_only=True, tag="devices"):
    """The devices that ggml can compute on."""


InferenceCall = (
    Load | Unload | Generate | GenerateMany | FindToolFormat | Render | Score | ScoreMany | Inspect | ScoreText
    | MeasureSpeed | CountTokens | Tokenize | Detokenize | DescribeTokenizer | Embed | Rank | ScoreRewards
    | ListDevices | DescribeBuild | DescribeLibrary
)  # fmt: skip
