"""The capabilities of models, those that a recipe needs, and why a model cannot do something.

What is refused when a request is checked, and what a window shows as not available before, are asked here.
"""

from __future__ import annotations

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.records.endpoints import Endpoint
from workbench.records.methods import MethodInfo
from workbench.records.recipes import AgentPart, DecodingPart, ModelPart, RetrievalPart, answers_of

JSON_FORMATS = ("json", "json_schema")
MOST_ANSWERS = 8
"""How many answers at once an endpoint is asked for at most."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """The capabilities of a backend for a model, or those that a request needs.

    ``token_logprobs``: scores given continuations and reports the alternatives to each token; ``labels``: chooses among
    labels of one character, as judges do, with their probabilities where they are known. ``schemas``: answers as
    JSON, by a schema or not; ``grammars``: every other form of answer of ``DecodingPart.format``. ``searches``: beam
    and contrastive search. ``max_sequences``: answers to one prompt. ``adapters``: LoRAs, soft prompts and prefixes in
    GGUF form. ``embeddings``: vectors of texts. ``tools``: tool definitions and calls as message parts. ``vision``:
    images in messages. ``context_known``: the context length.
    """

    streams: bool = False
    token_logprobs: bool = False
    labels: bool = False
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


LOCAL = Capabilities(
    streams=True,
    token_logprobs=True,
    labels=True,
    continues_from_tokens=True,
    schemas=True,
    grammars=True,
    searches=True,
    max_sequences=16,
    adapters=True,
    tools=True,
    context_known=True,
)
"""The capabilities of a model that this machine computes."""

ENCODER_DECODER = frozenset({"t5"})
"""GGUF architectures with an encoder that reads the question and a decoder that writes the answer."""

_LOCAL = "Choose a decoder-only model that runs on this machine (a GGUF file)"
_MISSING = {
    "streams": ("cannot stream its answer", f"{_LOCAL}."),
    "token_logprobs": ("does not report the probabilities of tokens", f"{_LOCAL}."),
    "labels": ("does not report the probabilities of labels", f"{_LOCAL}."),
    "continues_from_tokens": ("cannot continue an answer from a given token", f"{_LOCAL}, or ask again."),
    "schemas": ("cannot answer as JSON by a schema", f"{_LOCAL}, or choose free text as the answer format."),
    "grammars": ("cannot constrain the format of its answer", f"{_LOCAL}, or choose free text as the answer format."),
    "searches": ("supports neither beam search nor contrastive search", f"{_LOCAL}, or choose sampling."),
    "max_sequences": ("gives at most {has} of the {needs} answers", f"{_LOCAL}, or ask for {{has}} at once."),
    "adapters": ("cannot use adapters", f"{_LOCAL}, or remove the adapters from the recipe."),
    "embeddings": ("does not compute embeddings", "Choose an embedding model."),
    "tools": ("cannot call tools", "Choose a model with tool calling, or a recipe without tools."),
    "vision": (
        "cannot see images",
        "Choose a vision model, or give this model the projector file (mmproj) that was published with it: put it "
        "beside the model's file and import the model again. Probe a model elsewhere again, on the page Models.",
    ),
    "context_known": (
        "has no known context length",
        "Set the context of the model in the recipe, or the passage budget.",
    ),
}
"""The lack of a capability, as the predicate of a sentence, and what to do."""


def require(needs: Capabilities, has: Capabilities, model: str) -> None:
    """Raises UserError that names the first capability that ``model`` lacks, and what to do about it."""
    for name in has.missing(needs):
        lacks, hint = (text.format(has=getattr(has, name), needs=getattr(needs, name)) for text in _MISSING[name])
        raise UserError(f"{model} {lacks}.", hint)


def describe_missing(name: str, has: Capabilities, model: str = "") -> Shown:
    """The lack of a capability, as a sentence, without a subject where the model is not named."""
    lacks = _MISSING[name][0]
    if name == "max_sequences":
        lacks = f"gives at most {counted(has.max_sequences, 'answer')} at once"
    return f"{model} {lacks}." if model else f"{lacks[0].upper()}{lacks[1:]}."


# -- what the parts of a recipe need ------------------------------------------------------------------


def needs_of_methods(*rows: MethodInfo) -> Capabilities:
    """The needs of a decoding strategy, a prompting technique, or an agent."""
    return Capabilities(**dict.fromkeys((name for row in rows for name in row.needs), True))


def needs_of_decoding(part: DecodingPart, strategy: MethodInfo) -> Capabilities:
    """The needs of the answer's format and of the number of answers, beside those of the strategy."""
    return Capabilities(
        schemas=part.format in JSON_FORMATS,
        grammars=part.format not in ("text", *JSON_FORMATS),
        max_sequences=answers_of(part, strategy),
    )


def needs_of_documents(part: RetrievalPart | None, agent: AgentPart | None) -> Capabilities:
    """The needs of passages in the prompt: how many fit is known by the context, or said by their budget."""
    return Capabilities(context_known=part is not None and not part.token_budget and agent is None)


def needs_of_model(part: ModelPart) -> Capabilities:
    """The capabilities that the adapters of a recipe need of its model."""
    return Capabilities(adapters=bool(part.adapters))


def capabilities_of_file(architecture: str, *, sees: bool = False) -> Capabilities:
    """The capabilities of a GGUF model, which ``sees`` images where it has a projector. Of encoder-decoder models:
    adapters are made for models without an encoder, the encoder reads too few tokens for the definitions of tools, and
    T5's vocabulary has no braces, which JSON needs."""
    if architecture in ENCODER_DECODER:
        return msgspec.structs.replace(LOCAL, adapters=False, tools=False, schemas=False)
    return msgspec.structs.replace(LOCAL, vision=sees)


def capabilities_of(endpoint: Endpoint) -> Capabilities:
    """The capabilities of a model that is asked through OpenAI's API."""
    return Capabilities(
        streams=endpoint.streams,
        labels=True,
        schemas=endpoint.schemas,
        max_sequences=MOST_ANSWERS if endpoint.several else 1,
        vision=endpoint.sees_images,
        context_known=endpoint.context_tokens > 0,
    )
