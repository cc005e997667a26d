"""The languages of documents, also of tables and forms, whose few words show none by themselves: they are in the
language of the documents that share the most words with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from workbench.records.documents import DocumentText
from workbench.text.language import detect_language

_LETTERS = {"de": "äöüß", "fr": "àâçèêîôûœ", "es": "ñ¿¡áíóú"}
"""Letters of one of these languages and not of the others; é is in two of them."""
_LEAST_SHARED = 2


def languages_of(texts: Mapping[str, DocumentText], headings: Mapping[str, str]) -> dict[str, str]:
    """The ISO 639-1 code of each document's language by the document's id: "" only where no document shows one.
    ``headings`` are the names of the columns of its tables, which say more than its cells."""
    shown = {id: one.document.language or detect_language(one.text[:4_000]) for id, one in texts.items()}
    usual = Counter(code for code in shown.values() if code).most_common(1)
    words: dict[str, set[str]] = {}
    for id, code in shown.items():
        if code:
            words.setdefault(code, set()).update(_words(texts[id].text))
    alone = {
        code: found.difference(*(other for one, other in words.items() if one != code)) for code, found in words.items()
    }
    default = usual[0][0] if usual else ""

    def guess(id: str) -> str:
        return _likely(headings.get(id, ""), alone) or _likely(texts[id].text, alone) or default

    return {id: code or guess(id) for id, code in shown.items()}


def _likely(text: str, alone: Mapping[str, set[str]]) -> str:
    """The language of which a text has the most words that no other of the languages has, or the most letters."""
    own = _words(text)
    lowered = text.casefold()
    counts = {
        code: len(own & alone.get(code, set())) + sum(letter in lowered for letter in _LETTERS.get(code, ""))
        for code in {**alone, **_LETTERS}
    }
    best, *others = sorted(counts, key=lambda code: counts[code], reverse=True)
    is_clear = counts[best] >= _LEAST_SHARED and all(counts[other] < counts[best] for other in others[:1])
    return best if is_clear else ""


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", text.casefold()))
