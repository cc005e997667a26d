"""The text of a model card without anything that would be fetched: pictures become their descriptions.

Cards are written by others: each pattern is bounded, since a text can be made for which an unbounded one takes minutes.
"""

from __future__ import annotations

import html
import re

MOST_CHARACTERS = 40_000

_FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
_HIDDEN = re.compile(r"<(!--|script\b|style\b|iframe\b|svg\b)", re.IGNORECASE)
_PICTURE = re.compile(r"!\[([^\[\]]{0,500})\](?:\([^()\n]{0,1000}\)|\[[^\[\]]{0,500}\])")
_HTML_PICTURE = re.compile(r"<img\b[^<>]{0,4000}>", re.IGNORECASE)
_DESCRIPTION = re.compile(r"\balt=[\"']([^\"']*)[\"']", re.IGNORECASE)
_EMPTY_LINK = re.compile(r"\[\s{0,100}\]\([^()\n]{0,1000}\)")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


def plain_card(text: str) -> str:
    """The card's Markdown without front matter, pictures and HTML; cut after 40,000 characters."""
    text = _FRONT_MATTER.sub("", text.replace("\r\n", "\n")[: 4 * MOST_CHARACTERS])
    text = _without_hidden(html.unescape(text))  # first: an escaped picture would become one afterwards
    text = _PICTURE.sub(lambda found: found[1], text)
    text = _HTML_PICTURE.sub(lambda found: " ".join(_DESCRIPTION.findall(found[0])), text)
    text = _TAG.sub("", _BREAK.sub("\n", text))
    text = _BLANK_LINES.sub("\n\n", _EMPTY_LINK.sub("", text)).strip()
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS].rsplit(chr(10), 1)[0]}\n\n…"
    return text


def _without_hidden(text: str) -> str:
    """The text without comments, scripts, styles and drawings."""
    shown, place, unclosed = list[str](), 0, set[str]()
    for opened in _HIDDEN.finditer(text):
        kind = opened[1].lower()
        if opened.start() < place or kind in unclosed:
            continue
        closing = re.compile("-->" if kind == "!--" else rf"</{kind}\s{{0,100}}>", re.IGNORECASE)
        closed = closing.search(text, opened.end())
        if closed is None:
            unclosed.add(kind)
            continue
        shown.append(text[place : opened.start()])
        place = closed.end()
    return "".join([*shown, text[place:]])
