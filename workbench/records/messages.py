"""Chat messages and their parts, retrieved passages, citations, usage and tokens.

Plain values that several packages share. Storage, prompts and display know them, not the reverse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.exam import Rate
from workbench.records.places import TextPlace

Role = Literal["system", "user", "assistant", "tool"]
FoundBy = Literal["words", "meaning", "both"]


class TextPart(msgspec.Struct, frozen=True, tag_field="part", tag="text"):
    text: str


class ThoughtPart(msgspec.Struct, frozen=True, tag_field="part", tag="thought"):
    """Reasoning text. It is not shown to the model again."""

    text: str


class ToolCallPart(msgspec.Struct, frozen=True, tag_field="part", tag="tool_call"):
    """A request of the assistant to run the tool ``name``. ``arguments`` is JSON text as the model wrote it, so it may
    be invalid. ``id`` links the call to its result."""

    name: str
    arguments: str = "{}"
    id: str = ""


class ToolResultPart(msgspec.Struct, frozen=True, tag_field="part", tag="tool_result"):
    """The output of a tool. ``call`` is the id of the ToolCallPart; ``failed``: ``text`` is an error message."""

    text: str
    name: str = ""
    call: str = ""
    failed: bool = False


class ImagePart(msgspec.Struct, frozen=True, tag_field="part", tag="image"):
    """An image. ``path`` is the file of its decoded pixels (``base.pixels``), "" for one that the home keeps under its
    ``sha256``, which identifies the file that a person or a program has given, of which ``name`` is the name, "" where
    it had none. ``width`` and ``height`` are those of the stored pixels."""

    path: str = ""
    media_type: str = ""
    sha256: str = ""
    name: str = ""
    width: int = 0
    height: int = 0


Part = TextPart | ThoughtPart | ToolCallPart | ToolResultPart | ImagePart


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn as a model sees it. ``content`` is its text.

    ``parts`` is empty for a message that is only text. Otherwise it holds the whole message in order, and ``content``
    is the text of its parts; make such a message with ``of_parts``. ``declined``: an answer which says that the
    documents do not have what was asked.
    """

    role: Role
    content: str
    parts: tuple[Part, ...] = ()
    declined: bool = False

    @classmethod
    def of_parts(cls, role: Role, parts: Iterable[Part]) -> Message:
        """A message of these parts; without ``parts`` of its own when they are only text."""
        parts = tuple(parts)
        only_text = all(isinstance(part, TextPart) for part in parts)
        return cls(role, text_of(role, parts), () if only_text else parts)

    @property
    def images(self) -> tuple[ImagePart, ...]:
        return tuple(part for part in self.parts if isinstance(part, ImagePart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        return tuple(part for part in self.parts if isinstance(part, ToolCallPart))

    @property
    def tool_result(self) -> ToolResultPart | None:
        """The first tool result, None for a message without one."""
        return next((part for part in self.parts if isinstance(part, ToolResultPart)), None)


def text_of(role: Role, parts: Sequence[Part]) -> str:
    """The text of a message's parts: its text parts joined; of a ``tool`` message its results as well."""
    shown = (TextPart, ToolResultPart) if role == "tool" else (TextPart,)
    return "".join(part.text for part in parts if isinstance(part, shown))


class _Piece(msgspec.Struct, frozen=True, kw_only=True):
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
    n: int = 0
    recognised: bool = False
    changed: bool = False
    context: str = ""
    superseded_by: str = ""
    places: tuple[TextPlace, ...] = ()


class Passage(_Piece, frozen=True, kw_only=True):
    """A piece of a document, as found by a search.

    ``n`` is its number in the prompt (from 1; 0 when it was not shown). ``start`` and ``end`` are character
    offsets into the document's extracted text, so that ``document_text[start:end] == text``. ``page`` counts
    from 1 and is None for formats without pages. ``score`` is the fused relevance, higher is better, comparable
    within one search only. ``similarity`` is the cosine of question and passage, in [-1, 1]. ``recognised``: its text
    was recognised in a picture. ``changed``: when it was found, its file was no longer as it was read. ``context`` says
    where the text stands: the title of its document, the headings above it, the sheet and the columns of a table, the
    subject and date of a message; "" where it was read before contexts were stored. ``superseded_by`` is the path of
    the newest version of its document, "" where the document is that itself. ``places`` are those of its text
    (``records.places``), empty where it was read before they were stored. ``pictures`` are the numbers of the pictures
    within its document that belong to it.
    """

    pictures: tuple[int, ...] = ()
    similarity: float | None = None
    found_by: FoundBy = "both"


class Citation(_Piece, frozen=True, kw_only=True):
    """A passage that the answer is based on; ``n`` is the number that stands in the answer as ``[n]``.

    It keeps the passage's text and the document's hash: it still says what was read when the document has
    changed or gone. ``claimed`` tells whether the model wrote the number itself or the sentence was matched.
    ``sentence_start`` to ``sentence_end`` in the document's text is the sentence that bears the answer, 0 to 0 where it
    is not known; ``span_start`` to ``span_end`` are the words of it that are quoted, 0 to 0 for all. ``more_sentences``
    are the places of further sentences of the passage that are quoted. ``recognised`` and ``changed`` are the
    passage's.
    """

    claimed: bool = False
    sentence_start: int = 0
    sentence_end: int = 0
    span_start: int = 0
    span_end: int = 0
    more_sentences: tuple[tuple[int, int], ...] = ()


Verdict = Literal["supported", "partly", "unsupported", "outside"]
"""Of a statement: a sentence of the passages says it; says some of it; says something else; none says any of it."""


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sentence of an answer, verified against the passages that were shown.

    ``start`` and ``end`` are its place in the answer's text. ``value`` in [0, 1] is how much of it the best sentence
    says, ``conflicts`` are the values, names or ``negation`` in which they differ, ``contradictions`` those that none
    of the passages says, or in which alone the statement differs from its sentence, ``elsewhere`` those that the
    passages say of something else. That sentence is in passage ``n`` (0: there is none), at ``sentence_start`` to
    ``sentence_end`` of the document's text. Where only words of it are quoted, they are at ``span_start`` to
    ``span_end``.
    """

    start: int
    end: int
    verdict: Verdict
    value: float = 0.0
    conflicts: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    n: int = 0
    sentence_start: int = 0
    sentence_end: int = 0
    span_start: int = 0
    span_end: int = 0


class Verification(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The statements of an answer, verified, and how far the answer can be trusted.

    ``confidence`` in [0, 1] is the estimated probability that the answer is right, None where it was not estimated;
    ``unsure`` when it is below the threshold at which the program warns. ``quoted`` characters at the beginning of the
    answer are sentences of the passages, word for word. ``problem`` says why the statements could not be verified.
    ``own_rate`` and ``quoted_rate`` are how often such answers of the model were right in its exam, in its own words
    and quoted; None without one, and where it has too few of them. ``recognised``: a quoted sentence was recognised in
    a picture. ``changed`` are the names of the files that were no longer as they were read. ``computed``: what is
    counted as quoted is computed from rows of a table.
    """

    statements: tuple[Statement, ...] = ()
    confidence: float | None = None
    unsure: bool = False
    quoted: int = 0
    problem: Shown = ""
    own_rate: Rate | None = None
    quoted_rate: Rate | None = None
    recognised: bool = False
    changed: tuple[str, ...] = ()
    computed: bool = False


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens and speed of one generation, or of all generations of an answer (``total_usage``).

    ``cached_tokens`` of the prompt were reused from an earlier request; ``new_tokens`` counts all sequences;
    ``tokens_per_s`` includes discarded beams. ``accepted_tokens`` of the ``drafted_tokens`` of speculative decoding
    were kept."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    new_tokens: int = 0
    first_token_s: float = 0.0
    tokens_per_s: float = 0.0
    drafted_tokens: int = 0
    accepted_tokens: int = 0

    @property
    def generation_s(self) -> float:
        """Seconds spent generating, 0.0 when the speed is unknown."""
        return self.new_tokens / self.tokens_per_s if self.tokens_per_s else 0.0


def total_usage(usages: Iterable[Usage]) -> Usage | None:
    """The sum over several generations; None for none. ``first_token_s`` is that of the first generation that has one,
    ``tokens_per_s`` the mean over the seconds spent generating."""
    used = list(usages)
    if len(used) < 2:
        return used[0] if used else None
    tokens, seconds = sum(one.new_tokens for one in used), sum(one.generation_s for one in used)
    return Usage(
        prompt_tokens=sum(one.prompt_tokens for one in used),
        cached_tokens=sum(one.cached_tokens for one in used),
        new_tokens=tokens,
        first_token_s=next((one.first_token_s for one in used if one.first_token_s), 0.0),
        tokens_per_s=tokens / seconds if seconds else 0.0,
        drafted_tokens=sum(one.drafted_tokens for one in used),
        accepted_tokens=sum(one.accepted_tokens for one in used),
    )


Finish = Literal["eos", "stop", "length", "grammar", "loop", "cancelled"]
"""Why a sequence ended: the model said so, a stop string, the longest answer, a complete grammar, a loop (the answer
repeated itself), a person."""

UNFINISHED: tuple[Finish, ...] = ("length", "loop")
"""Ends that the model did not choose: what comes next is unknown, and no end can be learnt from them."""


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
