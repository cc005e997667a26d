"""Chat messages, the passages shown to a model and the citations of an answer.

Plain values that several rooms share. They say nothing about how a message is stored, rendered or answered.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Role = Literal["system", "user", "assistant"]
FoundBy = Literal["words", "meaning", "both"]


class Message(msgspec.Struct, frozen=True):
    """One turn as a model sees it."""

    role: Role
    content: str


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a document, as found by a search.

    ``n`` is its number in the prompt (from 1; 0 when it was not shown). ``start`` and ``end`` are character
    offsets into the document's extracted text, so that ``document_text[start:end] == text``. ``page`` counts
    from 1 and is None for formats without pages. ``score`` is the fused relevance, higher is better, comparable
    within one search only. ``similarity`` is the cosine of question and passage, in [-1, 1].
    """

    collection: str
    document: str
    document_hash: str
    path: str
    title: str
    start: int
    end: int
    text: str
    page: int | None = None
    score: float = 0.0
    similarity: float | None = None
    found_by: FoundBy = "both"
    n: int = 0


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that the answer leans on; ``n`` is the number that stands in the answer as ``[n]``.

    It keeps the passage's text and the document's hash: it still says what was read when the document has
    changed or gone. ``claimed`` tells whether the model wrote the number itself or the sentence was matched.
    """

    n: int
    collection: str
    document: str
    document_hash: str
    path: str
    title: str
    start: int
    end: int
    text: str
    page: int | None = None
    score: float = 0.0
    claimed: bool = False


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer cost. ``cached_tokens`` of the prompt were reused from an earlier request; ``new_tokens`` are
    those of all its sequences; ``tokens_per_s`` counts those of beams that were given up too. Of ``drafted_tokens``
    guessed ahead, ``accepted_tokens`` were right."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    new_tokens: int = 0
    first_token_s: float = 0.0
    tokens_per_s: float = 0.0
    drafted_tokens: int = 0
    accepted_tokens: int = 0


Finish = Literal["eos", "stop", "length", "grammar", "cancelled"]
"""Why a sequence ended: the model said so, a stop string, the longest answer, a complete grammar, a person."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One of the answers that a request produced.

    ``score`` orders them: the mean log-probability of a sampled one, the length-normalised sum of a beam's.
    ``tokens`` is how many it has. ``claimed`` and ``matched`` are the numbers of the passages that it cites, by who put
    them there: the model itself, or the program, which traced a sentence to its passage.
    """

    text: str
    score: float | None = None
    finish: Finish = "eos"
    thought: str = ""
    tokens: int = 0
    claimed: tuple[int, ...] = ()
    matched: tuple[int, ...] = ()


class Beam(msgspec.Struct, frozen=True, kw_only=True):
    """One beam after a step of beam search. ``parent`` is its place among the beams of the step before (-1: the
    prompt); ``text`` is its newest token's; ``score`` is the sum of its log-probabilities. ``ended`` beams are complete
    answers and go no further. ``greedy``: it is greedy decoding's path, which is kept beside the others."""

    parent: int
    token: int
    text: str
    score: float
    ended: bool = False
    greedy: bool = False


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """A token that could have come, and its natural-log probability under the model alone (temperature 1)."""

    token: int
    text: str
    logprob: float


class ChosenToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token of an answer. ``text`` is what it adds to the answer (a character that several tokens make up comes
    with the last of them); ``alternatives`` are the most probable tokens at its place, best first."""

    token: int
    text: str
    logprob: float
    alternatives: tuple[Alternative, ...] = ()
