"""The text of a model card without anything that would be fetched: pictures become their descriptions."""

from __future__ import annotations

import html
import re

MOST_CHARACTERS = 40_000

_FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SILENT = re.compile(r"<(script|style|iframe|svg)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)|!\[([^\]]*)\]\[[^\]]*\]")
_HTML_PICTURE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_DESCRIPTION = re.compile(r"\balt=[\"']([^\"']*)[\"']", re.IGNORECASE)
_EMPTY_LINK = re.compile(r"\[\s*\]\([^)]*\)")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


def plain_card(text: str) -> str:
    """The card's Markdown without front matter, pictures and HTML; cut after 40,000 characters."""
    text = text.replace("\r\n", "\n")[: 4 * MOST_CHARACTERS]
    for pattern in (_FRONT_MATTER, _COMMENT, _SILENT):
        text = pattern.sub("", text)
    text = _PICTURE.sub(lambda found: found[1] or found[2] or "", text)
    text = _HTML_PICTURE.sub(lambda found: " ".join(_DESCRIPTION.findall(found[0])), text)
    text = _TAG.sub("", _BREAK.sub("\n", text))
    text = _BLANK_LINES.sub("\n\n", html.unescape(_EMPTY_LINK.sub("", text))).strip()
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS].rsplit(chr(10), 1)[0]}\n\n…"
    return text
