"""Answers for other programs: what the local API offers, stateless, and the server of it.

Nothing of this is stored. A served model is a saved recipe, or a model of the catalogue by itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.records.answers import AskResult
from workbench.records.messages import ChosenToken, Message


class ServedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A name that requests may give. ``recipe``: a saved recipe; ``chat`` and ``embedder``: a model of the catalogue.
    ``created`` is when its file was last changed, in seconds since the epoch. ``problem``: why it cannot be used."""

    id: str
    kind: Literal["recipe", "chat", "embedder"]
    created: int = 0
    description: str = ""
    problem: Shown = ""


class ServedModels(msgspec.Struct, frozen=True, kw_only=True):
    models: tuple[ServedModel, ...]


class ListServedModels(Call[ServedModels], frozen=True, kw_only=True, tag="served.models"):
    """The saved recipes, then the models of the catalogue whose names are not those of recipes."""


class ClientTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that the calling program runs itself. ``parameters`` is a JSON schema of the type object."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = {}


class ServedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is stored nowhere. A call of a client's tool is a part of ``result.parts``.

    ``prompt`` are the tokens of a raw prompt that was asked to be scored, of which the first has the log-probability 0,
    since nothing is before it; ``tokens`` those of each sequence, where probabilities were asked for.
    """

    result: AskResult
    prompt: tuple[ChosenToken, ...] = ()
    prompt_text: str = ""
    prompt_tokens: int = 0
    tokens: tuple[tuple[ChosenToken, ...], ...] = ()


class AskServed(Call[ServedAnswer], frozen=True, kw_only=True, tag="served.ask"):
    """Answer a conversation by a served model, or continue a raw ``prompt`` (text, or token ids) without any template;
    streams as ``Ask`` does. Others go first.

    ``images`` are the files of the images in ``messages``, by their SHA-256; they are not kept. ``decoding`` are fields
    of the recipe's decoding that are set otherwise. The client's ``tools`` are called at most
    once, by an answer without text; ``must_call``: no answer without one. ``alternatives``: the probability of each
    token is told, with so many alternatives; None: not. ``echo``: that of the prompt's tokens as well. With
    ``generate`` false nothing is generated.
    """

    made_by = ("neither", "Requests of other programs to the local API.")

    model: str
    messages: tuple[Message, ...] = ()
    images: dict[str, bytes] = {}
    prompt: str | tuple[int, ...] | None = None
    decoding: dict[str, Any] = {}
    tools: tuple[ClientTool, ...] = ()
    must_call: bool = False
    alternatives: int | None = None
    echo: bool = False
    generate: bool = True


class TokenCount(msgspec.Struct, frozen=True, kw_only=True):
    tokens: int


class CountServed(Call[TokenCount], frozen=True, kw_only=True, tag="served.count"):
    """How many tokens the prompt of ``AskServed`` has with the same messages and tools. Nothing is generated."""

    made_by = ("neither", "Requests of other programs to the local API.")

    model: str
    messages: tuple[Message, ...]
    images: dict[str, bytes] = {}
    tools: tuple[ClientTool, ...] = ()


class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """A vector of length 1 for each text. ``tokens``: how many the model read."""

    model: str
    vectors: tuple[tuple[float, ...], ...]
    tokens: int = 0


class EmbedServed(Call[Vectors], frozen=True, kw_only=True, tag="served.embed"):
    """Vectors of texts, which may be token ids, by an embedding model of the catalogue; "": the default one."""

    made_by = ("neither", "Requests of other programs to the local API.")

    texts: tuple[str | tuple[int, ...], ...]
    model: str = ""


class Relevances(msgspec.Struct, frozen=True, kw_only=True):
    """The relevance of each document; higher is better. ``method``: by a ``reranker``, which reads query and document
    together, or the cosine of their ``vectors``. ``tokens``: how many the model read."""

    model: str
    scores: tuple[float, ...]
    method: Literal["reranker", "vectors"]
    tokens: int = 0


class RankServed(Call[Relevances], frozen=True, kw_only=True, tag="served.rank"):
    """How relevant documents are to a query, by an embedding or reranking model of the catalogue; "": the default
    embedding model."""

    made_by = ("neither", "Requests of other programs to the local API.")

    query: str
    documents: tuple[str, ...]
    model: str = ""


class TextToken(msgspec.Struct, frozen=True):
    token: int
    text: str


class TokenList(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    tokens: tuple[TextToken, ...]
    context_tokens: int = 0


class TokenizeServed(Call[TokenList], frozen=True, kw_only=True, tag="served.tokenize"):
    """The tokens of a text in a served model's vocabulary, which is loaded for it. ``begin``: with the token that
    begins a text, where the model has one; ``special``: names of control tokens stand for those tokens."""

    made_by = ("neither", "Requests of other programs to the local API.")

    text: str
    model: str = ""
    begin: bool = True
    special: bool = True


class TokensText(msgspec.Struct, frozen=True, kw_only=True):
    text: str


class DetokenizeServed(Call[TokensText], frozen=True, kw_only=True, tag="served.detokenize"):
    """The text of token ids."""

    made_by = ("neither", "Requests of other programs to the local API.")

    tokens: tuple[int, ...]
    model: str = ""


class ServedTokenizer(msgspec.Struct, frozen=True, kw_only=True):
    """The vocabulary of a served model and its chat template, as ``inference_calls.TokenizerInfo``."""

    model: str
    vocabulary: int
    bos: int = -1
    eos: int = -1
    bos_text: str = ""
    eos_text: str = ""
    adds_bos: bool = False
    template: str = ""
    context_tokens: int = 0


class DescribeServedTokenizer(Call[ServedTokenizer], frozen=True, kw_only=True, tag="served.tokenizer"):
    """The vocabulary of a served model."""

    made_by = ("neither", "Requests of other programs to the local API.")

    model: str = ""


class ApiState(msgspec.Struct, frozen=True, kw_only=True):
    """The server of the local API. ``address`` is where it serves, "" while it does not; ``problem`` says why it cannot
    be started. ``key`` is what requests must carry. ``answered`` and ``refused`` count requests since it began.
    ``network_addresses`` are those at which other machines reach it, () while they cannot; ``network_problem`` says why
    it cannot be served to them."""

    running: bool
    address: str = ""
    key: str = ""
    problem: str = ""
    answered: int = 0
    refused: int = 0
    network_addresses: tuple[str, ...] = ()
    network_problem: Shown = ""


class GetApiState(Call[ApiState], frozen=True, kw_only=True, tag="api.state"):
    """Whether the local API is served, and where."""


class RenewApiKey(Call[ApiState], frozen=True, kw_only=True, tag="api.key"):
    """Make another key; programs with the old one are refused from now on."""


class ServeApi(Call[ApiState], frozen=True, kw_only=True, tag="api.serve"):
    """Serve the local API until the call is cancelled, also where the settings do not. The first event is
    ``Artifact(kind="api")`` with the state as its result. ``port`` 0: that of the settings. Raises UserError when it
    cannot be served there."""

    made_by = ("terminal", "The window serves the local API by a setting, for as long as the core runs.")

    port: int = 0


MOST_PER_MINUTE, LARGEST_MB = 10_000, 16


class ApiClient(msgspec.Struct, frozen=True, kw_only=True):
    """Another machine that may use the API. It may make ``per_minute`` requests within a minute, each of at most
    ``largest_mb`` megabytes. ``created`` is in seconds since the epoch."""

    name: str
    created: float
    per_minute: int = 120
    largest_mb: int = 4


class ApiClientList(msgspec.Struct, frozen=True, kw_only=True):
    clients: tuple[ApiClient, ...]


class ListApiClients(Call[ApiClientList], frozen=True, kw_only=True, tag="api.clients"):
    """The other machines that may use the API."""


class ApiClientCode(msgspec.Struct, frozen=True, kw_only=True):
    """``code`` is what the other machine needs: the addresses, the fingerprint of the certificate and its key. It is
    kept nowhere."""

    client: ApiClient
    code: str


class AddApiClient(Call[ApiClientCode], frozen=True, kw_only=True, tag="api.clients.add"):
    """Make a key for another machine, and the code that it is given. The code leads to the addresses of this machine,
    whether the API is served to the network now or later. Raises UserError for a name that is taken."""

    name: Annotated[str, "the person or machine that gets the code"]
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=MOST_PER_MINUTE), "requests within a minute"] = 120
    largest_mb: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_MB), "the largest request in megabytes"] = 4


class RemoveApiClient(Call[ApiClientList], frozen=True, kw_only=True, tag="api.clients.remove"):
    """Refuse a client's key from now on."""

    name: Annotated[str, "the client"]
