"""Sentence boundaries: by punctuation, with the abbreviations and ordinals of four languages, and by lines.

Text that was read from a file has lines of two kinds: those of a wrapped paragraph, which belong together, and those
that stand for themselves: headings, entries of a list, rows of a table, an address, the head of a page. A line goes on
in the next one where it is about as long as the longest around it, or the next one begins in lower case. A rule that is
drawn with marks ("-----") and a line whose parts stand in columns never go on.
"""

from __future__ import annotations

import re

CLOSERS = "\"'”’»)]"
_MARK = (
    rf"(?<![.!?…])[.!?…]++[{re.escape(CLOSERS)}]*+(?=\s)"  # tried once for a run of marks, however long it is
    r"|[。！？]+[”’」』）]*"
)
_END = re.compile(rf"{_MARK}|\n\s*\n|\n(?=\s*(?:[-*•|#▪–◦·]|\d+[.)]))|\n(?=[^\n|]+ \| )|\n")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(/\"'“„«])(?:[A-Za-z]|(?:[A-Za-z]{1,2}\.)+ ?[A-Za-z]{1,2}|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|etc|Fig|Eq|ca|cf|"
    r"al|approx|Gen|Col|Lt|Sgt|Rev|Hon|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec|bzw|usw|Nr|Abs|Art|"
    r"Dipl\.-Ing|Ing|Tel|Mio|Mrd|inkl|zzgl|ggf|evtl|vgl|sog|einschl|gem|geb|verh|Hr|Fr|Str|exkl|incl|excl|resp|Mme|Mlle|"
    r"Sra|Srta|Dña|Uds?|aprox|env|réf|e\.g|i\.e)$"
)
_BEFORE_FIGURE = re.compile(
    r"(?:^|[\s(/\"'“„«])(?:[Nn]os?|[Nn][úu]ms?|[Nn]|[Mm]ax|[Mm]in|mind|[Ff]igs?|pp?|S|Pos|Ziff|Kap|[Cc]hap|[Ss]ec|[Aa]rt|[Pp]ar|pág|"
    r"[Pp]ag|ref|Ref|[Vv]ol|Bd|ab|bis|Kto|[Ee]xt|[Tt]el|[Aa]pp|[Cc]h|Std|tgl|jährl|mtl|pcs?|[Ss]t)$"
)
"""Abbreviations that are also words, or end sentences: only where a figure follows."""

_ORDINAL = re.compile(
    r"(?:^|[\s(])(?:der|die|das|den|dem|des|am|im|vom|zum|zur|beim|ab|bis|seit|ein|eine|einem|einen|einer|jeden?|jedem|"
    r"unsere?|ihre?|seine?|und)\s+\d{1,2}$",
    re.IGNORECASE,
)
_MONTHS = (
    "Januar", "Jänner", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip
_ENTRY = re.compile(r"\s*[^\W\d_][\w./ -]{0,28}:(?=[ \t]+\S)")
"""The beginning of a line "Key: value"."""

LINES_AROUND = 6
FULL_LINE = 0.72
"""A line is wrapped where it is so long, as a share of the longest of the lines around it."""

SHORTEST_WRAPPED = 30, 14
"""Characters of a wrapped line at least; the second in scripts without spaces."""

_HEADING_WORDS = 2
_RULE = re.compile(r"[-=_*~#+·•–—|:\s]+|>*\s*(?:[-=_]{4,}|[-=_]{2,}+[^\n|]{0,60}?[-=_]{2,}+)")
_SHORTEST_RULE = 3
_IN_COLUMNS = re.compile(r"\S {3,}\S")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff]")


def ends_sentence(before: str, mark: str, following: str) -> bool:
    """Whether ``mark`` after ``before`` ends a sentence, given what comes next without the space ("": the end)."""
    if not mark.startswith("."):
        return True
    if following[:1].islower() or following[:1] == "|":
        return False
    tail = before[-24:]
    if re.search(r"\b\d{1,2}$", tail):  # a German date: 31. August; at the end of what is known, also 31. Aug
        word = re.split(r"\W", following, maxsplit=1)[0]
        if word in _MONTHS or (word and word == following and any(month.startswith(word) for month in _MONTHS)):
            return False
        if following and _ORDINAL.search(tail):  # im 3. Stock
            return False
    if _ABBREVIATION.search(tail):
        return not following
    if _BEFORE_FIGURE.search(tail):
        return not re.match(r"[A-Z]{0,4}[-/]?\d", following)
    return not re.search(r"(?:^|\n)\s*(?:#{1,6} +)?\d{1,3}(?:\.\d{1,3})*$", tail)  # of a list item or a heading


def split_sentences(text: str) -> list[tuple[int, int]]:
    """``(start, end)`` of each sentence, without white space at the ends, in order, covering all but white space."""
    spans: list[tuple[int, int]] = []
    start = 0
    lines = _Lines(text)
    for match in _END.finditer(text):
        mark = match.group()
        if mark == "\n" and not match.group().strip() and lines.go_on(match.start()):
            continue
        rest = text[match.end() : match.end() + 40].lstrip()
        if mark[0] not in ".!?…。！？" or ends_sentence(text[start : match.start()], mark, rest):
            _append(spans, text, start, match.end())
            start = match.end()
    _append(spans, text, start, len(text))
    return spans


class _Lines:
    """The lines of a text, for whether one goes on in the next."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._lengths: list[int] = []
        begin = 0
        for line in text.split("\n"):
            self._starts.append(begin)
            self._lengths.append(len(line.rstrip()))
            begin += len(line) + 1
        self._number = 0

    def go_on(self, newline: int) -> bool:
        """Whether the line that ends here goes on in the next; asked in the order of the text."""
        while self._starts[self._number] + 0 <= newline and (
            self._number + 1 < len(self._starts) and self._starts[self._number + 1] <= newline
        ):
            self._number += 1
        number = self._number
        line = self._text[self._starts[number] : newline].strip()
        following = self._text[newline + 1 : newline + 60].lstrip()
        if not line or not following or is_rule(line) or is_rule(following.partition("\n")[0]):
            return False
        if re.match(r"(?:[-*•|#▪–◦·]|\d+[.)])\s", following) or " | " in line or line.startswith("#"):
            return False
        if " | " in following.partition("\n")[0]:  # the head of a table below its title
            return False
        if line.endswith("-") or following[0].islower():
            return True
        if _ENTRY.match(following) or (_ENTRY.match(line + " x") and line.endswith(":")):
            return False
        if _IN_COLUMNS.search(line) or _IN_COLUMNS.search(following.partition("\n")[0].rstrip()):
            return False
        near = self._lengths[max(0, number - LINES_AROUND) : number + LINES_AROUND + 1]
        shortest = SHORTEST_WRAPPED[1] if _UNSPACED.search(line) else SHORTEST_WRAPPED[0]
        return len(line) >= max(shortest, FULL_LINE * max(near))


def is_rule(span: str) -> bool:
    """Whether a line is a rule that is drawn with marks, the one below the head of a table in Markdown, or one with a
    few words between its marks, as above a mail that is forwarded."""
    return bool(_RULE.fullmatch(span)) and len(span.strip()) >= _SHORTEST_RULE


def is_heading(text: str, start: int, end: int, document_start: bool = True) -> bool:
    """Whether a span states nothing: the title of a document, a heading or salutation, one or two words before a
    sentence in the same line ("Holidays. Staff have ..."). Entries ("Total: 12"), rows and list items are no headings.

    ``document_start``: ``text`` begins where its document does.
    """
    span, before, after = text[start:end], text[:start].rstrip(" "), text[end:].lstrip(" ")
    if re.match(r"#{1,6} ", span):
        return True
    if before and not before.endswith("\n"):
        return False
    if not after.startswith("\n"):
        return bool(after) and span.endswith(".") and len(span.split()) <= _HEADING_WORDS
    if not (after.startswith("\n\n") or is_rule(after[1:].partition("\n")[0])) or re.search(r"[.!?…。！？]\W*$", span):
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
