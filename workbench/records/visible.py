"""Texts and names whose invisible characters are named, so that they are read as they are, in window and terminal."""

from __future__ import annotations

import os
import unicodedata

_HIDDEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
"""Without width, and part of the writing of Persian and of composed emoji."""

TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of what follows: with them "exe.txt" can stand for "txt.exe"."""


def visible(text: str) -> str:
    """A text whose invisible characters are named: control codes, marks that turn the direction of writing, and
    characters without width. Lines and tabs stay."""
    return "".join(named(c) if unicodedata.category(c) in _HIDDEN and c not in "\n\t" else c for c in text)


def visible_path(path: str) -> str:
    """A path, or a name, on one line, whose invisible characters are named."""
    return "".join(named(c) if unicodedata.category(c) in _HIDDEN and c not in _JOINERS else c for c in path)


def visible_name(path: str) -> str:
    """The last part of a path, as ``visible_path``; "" for none."""
    return visible_path(os.path.basename(path.replace("\\", "/").rstrip("/") if os.name == "nt" else path.rstrip("/")))


def named(character: str) -> str:
    """``⟨U+202E⟩``"""
    return f"⟨U+{ord(character):04X}⟩"
