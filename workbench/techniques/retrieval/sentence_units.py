"""Units of a passage: the sentences, list items, entries and rows that can be quoted, and what they belong to.

Headings, the heads of tables and of pages, and numbers of pages are units as well: they answer nothing, but say what
stands below them. A list item knows its lead-in ("The rooms are fitted in three sections:"), a row the head of its
table. A question on a line of its own, or at the beginning of one, is the heading of its answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from workbench.records.messages import Passage
from workbench.text.sentences import is_heading, is_rule, split_sentences

UnitKind = Literal["sentence", "item", "entry", "row", "question", "heading", "head"]
"""``head``: the head of a table or of a page, a page's number, a rule of marks. ``question``: ends with a question
mark."""

LONGEST_HEADING = 70
HEADING_WORDS, LONG_SENTENCE = 5, 60
"""A line of so few words above a sentence of so many characters is its heading."""

PROSE = 0.85
"""The share of whole sentences from which on texts are taken for prose."""
_ENDS = (".", "!", "。", "！", "…", ";")

_ITEM = re.compile(r"(?:[-*•▪–◦·]|\(?\d{1,2}[.)]|\(?[a-z]\))\s")
_NUMBERED_HEADING = re.compile(r"(?:§ ?)?(?:\d{1,2}(?:\.\d{1,2})*\.?|[IVX]{1,4}\.?|[A-Z]\.?)\s+[^\W\d_a-zß]")
_PAGE = re.compile(
    r"(?:.{0,60}\b)?(?:page|seite|página|p\.|s\.)\s*\d+(?:\s*(?:of|von|de|/)\s*\d+)?\W*|\W*\d{1,4}(?:\s*/\s*\d+)?\W*",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"[^\W\d_][^:\n|]{0,40}:\s*\S")
_SUBJECT = re.compile(r"(?:Subject|Betreff|Objet|Asunto|Oggetto|Onderwerp|Emne|Assunto): \S")
"""The line of a mail or a letter that says what it is about."""
_MAIL_ENTRY = re.compile(
    r"(?:From|To|Cc|Bcc|Date|Sent|Attachments?|Von|An|Datum|Gesendet|Anlagen?|De|À|Envoyé|Pour|Para|Fecha|Enviado"
    r"|Da|A|Van|Aan|Fra|Til|Data)\s?:"
)

_ENDED = re.compile(r"[.!?…。！？]\W*$")
_ANAPHORA = re.compile(
    r"(?:[\"'“„«(>\s])*(?:it|its|they|their|them|this|that|these|those|he|she|his|her|there|then|otherwise|such|both|which|"
    r"in (?:this|that|these) cases?|the (?:same|latter|former)|er|sie|es|dies\w*|jene\w*|deren|dessen|dann|dort|dafür|"
    r"dazu|danach|davon|damit|dabei|daher|sonst|letztere\w*|beide\w*|il|elle|ils|elles|cel\w+|ces|cette|ce|ceux|"
    r"él|ella|ellos|ellas|est[aeo]s?|es[aeo]s?|dicho|dicha|en ese caso|它|他|她|这|此|其)\b",
    re.IGNORECASE,
)


class Unit(Struct, frozen=True, kw_only=True):
    """``start`` and ``end`` are its place in the passage's text; ``rank`` is the passage's among the hits, from 0.
    ``number`` counts the units of the passage. ``heading`` is the nearest heading above it, ``lead`` the number of the
    unit that it needs to be understood, None where it needs none."""

    passage: Passage
    rank: int
    number: int
    start: int
    end: int
    kind: UnitKind
    heading: str = ""
    lead: int | None = None

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]

    @property
    def states(self) -> bool:
        """Whether it can be an answer."""
        return self.kind not in ("heading", "head", "question")


def prose_share(units: Sequence[Sequence[Unit]]) -> float:
    """The share of whole sentences among the ``units`` of passages: 1 in an encyclopedia, less in an office."""
    every = [unit for its in units for unit in its]
    whole = sum(unit.kind == "sentence" and unit.text.rstrip("\"'”»)").endswith(_ENDS) for unit in every)
    return whole / max(1, len(every))


def split_units(passages: Sequence[Passage]) -> list[list[Unit]]:
    """The units of each passage, in order."""
    spans = [split_sentences(passage.text) for passage in passages]
    lines = Counter(
        line
        for passage, places in zip(passages, spans, strict=True)
        for line in {_plain(passage.text[start:end]) for start, end in places}
        if len(line) <= LONGEST_HEADING
    )
    repeated = {line for line, count in lines.items() if count > 1}
    return [
        _units(passage, rank, places, repeated)
        for rank, (passage, places) in enumerate(zip(passages, spans, strict=True))
    ]


def _units(passage: Passage, rank: int, spans: Sequence[tuple[int, int]], repeated: set[str]) -> list[Unit]:
    found: list[Unit] = []
    heading, lead = "", None
    question, beside = "", False
    for number, (start, end) in enumerate(spans):
        kind = _kind(passage, spans, number, repeated)
        needed = None
        if kind == "heading" or (beside and number and not _together(passage.text, spans[number - 1], start)):
            question = ""
        if kind == "question":
            before = passage.text[:start].rstrip(" #*>-")
            short = end - start <= LONGEST_HEADING and (not before or before.endswith("\n"))
            question = passage.text[start:end].lstrip("# ") if short else ""
            beside = passage.text[end:].lstrip(" *")[:1] not in ("\n", "")
        if is_rule(passage.text[start:end]):
            pass  # what is above it still belongs to what is below
        elif kind in ("heading", "head"):
            lead = number if kind == "head" and " | " in passage.text[start:end] else None
            heading = passage.text[start:end].lstrip("# ") if kind == "heading" else heading
        elif kind in ("item", "row"):
            needed = lead
        elif passage.text[start:end].rstrip("*_ ").endswith((":", "：")):
            lead = number
        elif kind == "question":
            lead = None
        else:
            lead = None if kind == "sentence" else lead
            if (
                number
                and _ANAPHORA.match(passage.text[start:end])
                and _together(passage.text, spans[number - 1], start)
            ) or (number and found[-1].kind == "question" and _together(passage.text, spans[number - 1], start)):
                needed = number - 1
        found.append(
            Unit(
                passage=passage,
                rank=rank,
                number=number,
                start=start,
                end=end,
                kind=kind,
                heading=question if question and kind != "question" else heading,
                lead=needed,
            )
        )
    return found


def _kind(passage: Passage, spans: Sequence[tuple[int, int]], number: int, repeated: set[str]) -> UnitKind:
    text = passage.text
    start, end = spans[number]
    span = text[start:end]
    if is_rule(span):
        return "head"
    own_line = (start == 0 or text[:start].rstrip(" >").endswith("\n")) and (text[end:].lstrip(" ")[:1] in ("\n", ""))
    if " | " in span:
        return "head" if _is_table_head(text, spans, number) else "row"
    if is_heading(text, start, end, passage.start == 0) or (own_line and _is_subject(text, spans, number)):
        return "heading"
    if own_line and len(span) <= 90 and _PAGE.fullmatch(span):
        return "head"
    if own_line and _plain(span) in repeated and not re.search(r"\d", _plain(span)) and not _ENDED.search(span):
        return "head"
    if span.rstrip("\"'”»)").endswith(("?", "？")):
        return "question"
    short = own_line and len(span) <= LONGEST_HEADING and not _ENDED.search(span) and end < len(text.rstrip())
    if short and _NUMBERED_HEADING.match(span) and not span.endswith(":"):
        return "heading"
    if short and _names_what_follows(text, spans, number):
        return "heading"
    if _ITEM.match(span):
        return "item"
    if _ENTRY.match(span):
        return "entry"
    return "sentence"


def _is_subject(text: str, spans: Sequence[tuple[int, int]], number: int) -> bool:
    """Whether a line says what a mail is about; not the subject of a form, beside other entries ("Teacher: ...")."""
    if not _SUBJECT.match(text[slice(*spans[number])]):
        return False
    first = number if not number or not _together(text, spans[number - 1], spans[number][0]) else number - 1
    last = number + 1 if number + 1 < len(spans) and _together(text, spans[number], spans[number + 1][0]) else number
    beside = [text[slice(*spans[place])] for place in {first, last} - {number}]
    return not any(_ENTRY.match(one) and not _MAIL_ENTRY.match(one) for one in beside)


def _names_what_follows(text: str, spans: Sequence[tuple[int, int]], number: int) -> bool:
    """A few words without a figure on a line of their own, and whole sentences below."""
    span = text[slice(*spans[number])]
    if number + 1 >= len(spans) or not span[0].isupper() or re.search(r"[\d:|]", span):
        return False
    following = text[slice(*spans[number + 1])]
    return len(span.split()) <= HEADING_WORDS and len(following) >= LONG_SENTENCE and bool(_ENDED.search(following))


def _is_table_head(text: str, spans: Sequence[tuple[int, int]], number: int) -> bool:
    """The first of several rows, without figures; in Markdown the row above the rule."""
    start, end = spans[number]
    before = text[slice(*spans[number - 1])] if number else ""
    after = text[slice(*spans[number + 1])] if number + 1 < len(spans) else ""
    if "|" in after and is_rule(after):
        return True
    if "|" in before and is_rule(before):
        return False
    return (
        " | " not in before and " | " in after and not re.search(r"\d", text[start:end]) and ":" not in text[start:end]
    )


def _together(text: str, before: tuple[int, int], start: int) -> bool:
    """Whether a unit stands in the paragraph of the one before it."""
    return "\n\n" not in text[before[1] : start]


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"(?i)(?:page|seite|página)\s*\d+", "page", text)).strip()
