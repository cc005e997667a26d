"""Sentence boundaries, for matching: by punctuation, with common abbreviations."""

from __future__ import annotations

import re

CLOSERS = "\"'”’»)]"
_END = re.compile(
    rf"(?<![.!?…])[.!?…]++[{re.escape(CLOSERS)}]*+(?=\s)"  # tried once for a run of marks, however long it is
    r"|[。！？]+[”’」』）]*|\n\s*\n|\n(?=\s*(?:[-*•|#]|\d+[.)]))|\n(?=[^\n|]+ \| )"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“])(?:[A-Za-z]|(?:[A-Za-z]\.)+[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|etc|No|Nos|Fig|Eq|ca|cf|al|"
    r"approx|Gen|Col|Lt|Sgt|Rev|Hon|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec|bzw|usw|Nr|Abs|Art|"
    r"Dipl\.-Ing|Ing|Tel|Mio|Mrd|inkl|zzgl|ggf|evtl)$"
)
_MONTHS = (
    "Januar", "Jänner", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip


_HEADING_WORDS = 2


def ends_sentence(before: str, mark: str, following: str) -> bool:
    """Whether ``mark`` after ``before`` ends a sentence, given what comes next without the space ("": the end)."""
    if not mark.startswith("."):
        return True
    if following[:1].islower():
        return False
    tail = before[-24:]
    if re.search(r"\b\d{1,2}$", tail):  # a German date: 31. August; at the end of what is known, also 31. Aug
        word = re.split(r"\W", following, maxsplit=1)[0]
        if word in _MONTHS or (word and word == following and any(month.startswith(word) for month in _MONTHS)):
            return False
    if _ABBREVIATION.search(tail):
        return not following
    return not re.search(r"(?:^|\n)\s*\d{1,3}$", tail)  # the number of a list item


def split_sentences(text: str) -> list[tuple[int, int]]:
    """``(start, end)`` of each sentence, without white space at the ends, in order, covering all but white space."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        rest = text[match.end() : match.end() + 40].lstrip()
        mark = match.group()
        if mark[0] not in ".!?…。！？" or ends_sentence(text[start : match.start()], mark, rest):
            _append(spans, text, start, match.end())
            start = match.end()
    _append(spans, text, start, len(text))
    return spans


def is_heading(text: str, start: int, end: int, document_start: bool = True) -> bool:
    """Whether a span states nothing: the title of a document, a heading or salutation, one or two words before a
    sentence in the same line ("Holidays. Staff have ..."). Entries ("Total: 12"), rows and list items are no headings.

    ``document_start``: ``text`` begins where its document does.
    """
    span, before, after = text[start:end], text[:start].rstrip(" "), text[end:].lstrip(" ")
    if before and not before.endswith("\n"):
        return False
    if not after.startswith("\n"):
        return bool(after) and span.endswith(".") and len(span.split()) <= _HEADING_WORDS
    if not after.startswith("\n\n") or re.search(r"[.!?…。！？]\W*$", span):
        return False
    if not before:
        return document_start
    return before.endswith("\n\n") and not re.search(r"[\d:|=\t\n•]", span)


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        start += len(piece) - len(piece.lstrip())
        spans.append((start, start + len(stripped)))
