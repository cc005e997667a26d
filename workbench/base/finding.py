"""The one rule by which typed words are found in texts: each of them somewhere, whatever the case and the accents."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """The text as it is compared: without case and without accents."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def holds(typed: str, *texts: str) -> bool:
    """Whether each word of ``typed`` stands in one of the texts. No words stand in all."""
    within = folded("\n".join(texts))
    return all(word in within for word in folded(typed).split())
