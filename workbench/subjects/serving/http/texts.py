"""``/v1/embeddings``, ``/v1/rerank``, ``/tokenize``, ``/detokenize`` and ``/tokenizer_info``."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbench.subjects.serving.calls import (
    DescribeServedTokenizer,
    DetokenizeServed,
    EmbedServed,
    RankServed,
    TokenizeServed,
)
from workbench.subjects.serving.http.endpoints import Endpoints
from workbench.subjects.serving.http.errors import invalid, too_large
from workbench.subjects.serving.http.exchange import result_of
from workbench.subjects.serving.http.requests import read

MOST_TEXTS = 2_048
MOST_CHARACTERS = 1_200_000
"""Of all texts of a request; 300,000 tokens, as OpenAI's API has it."""

CHARACTERS_OF_A_TOKEN = 4
LONGEST_QUERY = 32_768
"""In characters: a reranking model reads the query again with each document."""

MOST_TOKENS = 1 << 20


class EmbeddingsRequest(msgspec.Struct):
    input: str | list[int | str | list[int]]
    model: str = ""
    encoding_format: str | None = None
    dimensions: int | None = None


class RerankRequest(msgspec.Struct):
    """``documents`` as Jina and llama.cpp have it; with ``texts``, as Text Embeddings Inference does, the answer is a
    list with scores."""

    query: str
    documents: list[str | dict[str, Any]] | None = None
    texts: list[str] | None = None
    model: str = ""
    top_n: int | None = None
    return_documents: bool | None = None
    return_text: bool | None = None


class TokenizeRequest(msgspec.Struct):
    """``prompt`` as vLLM has it, ``content`` as llama.cpp does."""

    prompt: str | None = None
    content: str | None = None
    model: str = ""
    add_special_tokens: bool | None = None
    add_special: bool | None = None
    parse_special: bool | None = None
    with_pieces: bool | None = None


class DetokenizeRequest(msgspec.Struct):
    tokens: list[int]
    model: str = ""


async def embed(endpoints: Endpoints, request: Request) -> Response:
    asked = read(await request.body(), EmbeddingsRequest)
    texts = texts_of(asked.input)
    form = asked.encoding_format or "float"
    if form not in ("float", "base64"):
        raise invalid("encoding_format is float or base64.", "encoding_format")
    model = await endpoints.find_model(asked.model, request, embeds=True)
    made = await result_of(endpoints.handle, EmbedServed(texts=tuple(texts), model=model), request)
    if asked.dimensions and made.vectors and asked.dimensions != len(made.vectors[0]):
        raise invalid(f"The vectors of this model have {len(made.vectors[0])} dimensions.", "dimensions")
    encode = _packed if form == "base64" else list
    data = [
        {"object": "embedding", "index": place, "embedding": encode(vector)}
        for place, vector in enumerate(made.vectors)
    ]
    usage = {"prompt_tokens": made.tokens, "total_tokens": made.tokens}
    return JSONResponse({"object": "list", "data": data, "model": made.model, "usage": usage})


async def rerank(endpoints: Endpoints, request: Request) -> Response:
    asked = read(await request.body(), RerankRequest)
    given: list[Any] = list(asked.documents if asked.documents is not None else asked.texts or [])
    texts = [one if isinstance(one, str) else one.get("text") for one in given]
    if not texts or not all(isinstance(one, str) for one in texts):
        raise invalid("documents must be a list of texts that is not empty.", "documents")
    if len(texts) > MOST_TEXTS:
        raise invalid(f"At most {MOST_TEXTS:,} documents are allowed.", "documents")
    if len(asked.query) > LONGEST_QUERY:
        raise too_large(f"The query has {len(asked.query):,} characters; {LONGEST_QUERY:,} are allowed.", "query")
    _check_size(texts, "documents")
    model = await endpoints.find_model(asked.model, request, embeds=True)
    call = RankServed(query=asked.query, documents=tuple(map(str, texts)), model=model)
    made = await result_of(endpoints.handle, call, request)
    best = sorted(range(len(texts)), key=lambda place: -made.scores[place])
    best = best[: max(0, asked.top_n) if asked.top_n is not None else None]
    if asked.documents is None:
        said = [{"text": texts[place]} if asked.return_text else {} for place in best]
        return JSONResponse(
            [{"index": place, "score": made.scores[place], **one} for place, one in zip(best, said, strict=True)]
        )
    results: list[dict[str, Any]] = []
    for place in best:
        shown = {"document": {"text": texts[place]}} if asked.return_documents else {}
        results.append({"index": place, "relevance_score": made.scores[place], **shown})
    usage = {"prompt_tokens": made.tokens, "total_tokens": made.tokens}
    return JSONResponse(
        {"object": "list", "model": made.model, "results": results, "usage": usage, "workbench": {"by": made.method}}
    )


async def tokenize(endpoints: Endpoints, request: Request) -> Response:
    asked = read(await request.body(), TokenizeRequest)
    text = asked.prompt if asked.prompt is not None else asked.content
    if text is None:
        raise invalid("The request has no prompt.", "prompt")
    model = await endpoints.find_model(asked.model, request)
    # by default vLLM adds the special tokens and llama.cpp does not
    usual = asked.prompt is not None
    begin = next((one for one in (asked.add_special_tokens, asked.add_special) if one is not None), usual)
    special = asked.parse_special is not False
    call = TokenizeServed(text=text, model=model, begin=begin, special=special)
    made = await result_of(endpoints.handle, call, request)
    ids = [one.token for one in made.tokens]
    shown: list[Any] = [{"id": one.token, "piece": one.text} for one in made.tokens] if asked.with_pieces else ids
    return JSONResponse({"tokens": shown, "count": len(ids), "max_model_len": made.context_tokens})


async def detokenize(endpoints: Endpoints, request: Request) -> Response:
    asked = read(await request.body(), DetokenizeRequest)
    if len(asked.tokens) > MOST_TOKENS:
        raise invalid(f"At most {MOST_TOKENS:,} tokens are allowed.", "tokens")
    model = await endpoints.find_model(asked.model, request)
    made = await result_of(endpoints.handle, DetokenizeServed(tokens=tuple(asked.tokens), model=model), request)
    return JSONResponse({"prompt": made.text, "content": made.text})


async def tokenizer_info(endpoints: Endpoints, request: Request) -> Response:
    model = await endpoints.find_model(request.query_params.get("model", ""), request)
    info = await result_of(endpoints.handle, DescribeServedTokenizer(model=model), request)
    return JSONResponse(
        {
            "model": info.model,
            "tokenizer_class": "gguf",
            "vocab_size": info.vocabulary,
            "bos_token": info.bos_text or None,
            "bos_token_id": info.bos if info.bos >= 0 else None,
            "eos_token": info.eos_text or None,
            "eos_token_id": info.eos if info.eos >= 0 else None,
            "pad_token": info.eos_text or None,
            "add_bos_token": info.adds_bos,
            "chat_template": info.template or None,
            "model_max_length": info.context_tokens,
        }
    )


def texts_of(given: str | list[int | str | list[int]]) -> list[str | tuple[int, ...]]:
    """One or several texts, each as it is or as token ids of the model's own vocabulary. Raises ApiError."""
    if not given:
        raise invalid("input must not be empty.", "input")
    if isinstance(given, str):
        texts: list[Any] = [given]
    else:
        texts = [given] if all(isinstance(one, int) for one in given) else given
    if len(texts) > MOST_TEXTS:
        raise invalid(f"At most {MOST_TEXTS:,} texts are allowed.", "input")
    _check_size([one for one in texts if not isinstance(one, int)], "input")
    for one in texts:
        if isinstance(one, int):
            raise invalid("input mixes token ids with texts.", "input")
        if not (one.strip() if isinstance(one, str) else one):
            raise invalid("A text is empty.", "input")
    return [one if isinstance(one, str) else tuple(one) for one in texts]


def _check_size(texts: Sequence[str | list[int]], param: str) -> None:
    """Raises ApiError where all texts together would hold the model for too long."""
    size = sum(len(one) if isinstance(one, str) else CHARACTERS_OF_A_TOKEN * len(one) for one in texts)
    if size > MOST_CHARACTERS:
        raise too_large(
            f"The texts have {size:,} characters in all; a request may have {MOST_CHARACTERS:,} "
            f"({MOST_CHARACTERS // CHARACTERS_OF_A_TOKEN:,} tokens). Send them in several requests.",
            param,
        )


def _packed(vector: tuple[float, ...]) -> str:
    """Little-endian 32-bit floats as base64."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
