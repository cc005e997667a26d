"""Cues of a request: words and forms that tell which road it takes, in English, German, French and Spanish.

A cue is a pattern over the folded text: lower case, without accents, digits as 0. The patterns of the four languages
are joined, since words of one are rare in the others. They are data (``resources/road_cues.toml``); the classifier
learns what each cue is worth.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache

from workbench.base.paths import RESOURCES

FILE = RESOURCES / "road_cues.toml"

_LENGTHS = (2, 4, 6, 9, 13, 18)
"""Most words of a request of each length."""

_QUESTION_WORD = re.compile(
    r"\b(?:what|who|whose|when|where|why|how|which|was|wer|wem|wen|wann|wo|wohin|warum|wie|welche\w*|qui|ubi|quand|"
    r"pourquoi|combien|comment|quel\w*|quien\w*|cuando|donde|como|cual\w*|cuant\w+)\b"
)


@cache
def patterns() -> Mapping[str, re.Pattern[str]]:
    """The pattern of each cue by its name."""
    known = tomllib.loads(FILE.read_text("utf-8"))
    words = {name: re.compile(rf"(?<!\w)(?:{'|'.join(one)})(?!\w)") for name, one in known["words"].items()}
    return words | {name: re.compile(pattern) for name, pattern in known["forms"].items()}


@cache
def names() -> tuple[str, ...]:
    """The cues in the order of ``cues_of``."""
    return (*patterns(), "question_words", *(f"at most {most} words" for most in _LENGTHS))


def fold(text: str) -> str:
    """The text in lower case, without accents, on one line, with plain apostrophes and each digit as 0. French *où*
    becomes *ubi*, since without its accent it would be *ou*, or."""
    plain = unicodedata.normalize("NFKD", re.sub(r"\boù\b", "ubi", text.casefold().replace("’", "'")))
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    return re.sub(r"\d", "0", " ".join(plain.split()))


_OF_CONVERSATION = (
    "thanks", "greeting", "rewrite", "form", "in_language", "translation", "assistant", "assistant_about", "wrong",
    "continue", "before",
)  # fmt: skip


def _has_any(text: str, cues: Iterable[str]) -> bool:
    folded = fold(text)
    return any(patterns()[name].search(folded) for name in cues)


def is_of_conversation(text: str) -> bool:
    """Whether a request greets, thanks or asks about the program itself, so that it needs no answer before it."""
    return _has_any(text, ("thanks", "greeting", "assistant_about"))


def speaks_of_conversation(text: str) -> bool:
    """Whether a request has any word or form of one about the conversation: "shorter", "in German", "are you sure?"."""
    return _has_any(text, _OF_CONVERSATION)


def names_collections(text: str) -> bool:
    """Whether a request has a word for a collection of documents: "and in the letters?"."""
    return _has_any(text, ("collections",))


def compares(text: str) -> bool:
    """Whether a request has a word of comparing: "compare", "differ", "changed"."""
    return _has_any(text, ("compare", "differ", "changed", "same"))


def asks_on(text: str) -> bool:
    """Whether a request is a question that goes on with another subject, as "and for dogs?" does, rather than one about
    the conversation, as "and in German?" is."""
    folded, known = fold(text), patterns()
    if not all(known[name].search(folded) for name in ("begins_and", "question_mark")):
        return False
    return not speaks_of_conversation(text)


def cues_of(text: str) -> list[float]:
    """1 for each cue that a request has, else 0, in the order of ``names``."""
    folded = fold(text)
    words = len(re.findall(r"\w+", folded))
    asked = len(_QUESTION_WORD.findall(folded))
    return [
        *(float(pattern.search(folded) is not None) for pattern in patterns().values()),
        float(asked > 1),
        *(float(words <= most) for most in _LENGTHS),
    ]
