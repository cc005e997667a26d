"""The parts of a question that asks for more than one thing: "who signed the lease, and when does it end?"

A question is cut at its marks, and before an interrogative that "and" joins, in English, German, French and Spanish. A
topic before a colon belongs to each part; a request after the question ("Name both.") is no part. What a later part
does not say itself ("his job", "it") comes from the answer to the part before: the road of several places adds its
names.
"""

from __future__ import annotations

import re
from typing import Literal

_ASKING = (
    # en, de, fr, es
    r"who(?:m|se)?|what|when|where|which|why|how"
    r"|wer|wen|wem|wessen|was|wann|wo|wohin|woher|welche[rsnm]?|warum|wie|wieviele?|wofür|womit|wodurch"
    r"|qui|que|qu['’]|quoi|quel(?:le)?s?|quand|où|combien|comment|pourquoi"
    r"|quién(?:es)?|qué|cuándo|dónde|cuál(?:es)?|cuánt[oa]s?|cómo"
)
_BEFORE_ASKING = (
    r"(?:(?:in|at|on|by|to|for|from|since|until|with|of|ab|bei|bis|für|mit|nach|seit|um|von|zu|an|auf|à|de|en|par|pour|"
    r"depuis|a|con|desde|hasta|para|por)\s+)?"
)
_CUT = re.compile(
    rf"[?;]\s+|[,\s]\s*(?:and|und|et|y|sowie)\s+(?={_BEFORE_ASKING}(?:{_ASKING})\b)",
    re.IGNORECASE,
)
_INTERROGATIVE = re.compile(rf"(?<!\w)(?:{_ASKING})\b", re.IGNORECASE)
_TOPIC = re.compile(r"^\s*([^:?]{3,60}):\s+(?=\S)")
_FEWEST_LETTERS = 5
MOST_PARTS = 3

Combination = Literal["difference", "sum", ""]
_DIFFERENCE = re.compile(
    r"\b(difference|differ|gap|minus"
    r"|(?:how|so) much (?:more|less|cheaper|dearer|longer|faster|higher|lower|later|earlier)"
    r"|by how much|how many more|how many fewer|too many|zu viele?|how much has .{3,60} (?:become|risen|fallen|gone)"
    r"|(?:dearer|cheaper) than|unterschied|differenz|um wie ?viel|wie ?viel (?:mehr|weniger|teurer|billiger|günstiger)"
    r"|wie ?viele? .{0,20}mehr|de combien|différence|écart|cuánto (?:más|menos)|diferencia|de más)\b",
    re.IGNORECASE,
)
_SUM = re.compile(
    r"\b(together|in total|altogether|sum of|incl(?:uding|\.)? .{0,12}(?:postage|delivery|shipping|tax)|added up"
    r"|(?<!\ben )(?<!\bde )(?<!\ble )(?<!\bla )plus"  # in French it is "more" after these
    r"|zusammen|insgesamt|summe|inklusive|mitsamt|en tout|au total|ensemble|en total|sumad[oa]s|juntos)\b",
    re.IGNORECASE,
)


def split_question(question: str) -> tuple[str, ...]:
    """The parts of a question in their order, each with its topic; the whole question where it has one part."""
    topic, rest = "", question.strip()
    if match := _TOPIC.match(rest):
        topic, rest = match[1].strip(), rest[match.end() :]
    cut = [piece.strip(" ,;?.!") for piece in _CUT.split(rest)]
    pieces = [piece for piece in cut if sum(c.isalpha() for c in piece) >= _FEWEST_LETTERS]
    pieces = [piece for place, piece in enumerate(pieces) if not place or _INTERROGATIVE.search(piece)]
    if len(pieces) < 2 or len(pieces) > MOST_PARTS:
        return (question.strip(),)
    return tuple(f"{topic}: {piece}" if topic else piece for piece in pieces)


def combination(question: str) -> Combination:
    """Whether a question asks for the difference or the sum of two values."""
    if _DIFFERENCE.search(question):
        return "difference"
    return "sum" if _SUM.search(question) else ""
