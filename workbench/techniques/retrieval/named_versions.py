"""Versions of a document among the hits, told by their names: "Boat rules 2022" and "Boat rules 2025-03-15"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

from workbench.records.messages import Passage
from workbench.text.language import split_words

_VERSION = re.compile(r"(?:19|20)\d\d(?:[-_.]\d\d)?|\bv ?\d+(?:\.\d+)*|\brev ?\d+", re.IGNORECASE)
_OUTDATED = re.compile(
    r"(?:^|[\W_])(?:old|alt|outdated|veraltet|ancien\w*|antigu\w+|superseded)(?:[\W_]|$)", re.IGNORECASE
)
_SAME_NAME, _LONG_WORD = 0.67, 4
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_OLD_WORDS = frozenset(("outdated", "veraltet", "superseded", "from", "copy", "kopie", "final"))


def named_versions(question: str, passages: Sequence[Passage]) -> tuple[set[str], set[str]]:
    """The documents among the hits of which there is a newer version, by their names, and those newer ones; none where
    the question names the year or the version of one."""
    names = {p.document: PurePath(p.path).stem or p.title for p in passages}
    versions = {document: _VERSION.findall(name) for document, name in names.items()}
    if any(one in question for its in versions.values() for one in its):
        return set(), set()
    words = {
        document: {
            word.translate(_UMLAUTS)
            for word in split_words(re.sub(r"[_\d]", " ", _VERSION.sub(" ", name)))
            if len(word) >= _LONG_WORD
        }
        - _OLD_WORDS
        for document, name in names.items()
    }
    older: set[str] = set()
    newer: set[str] = set()
    for a in names:
        for b in names:
            both = len(words[a] & words[b]) / max(1, min(len(words[a]), len(words[b])))
            if a == b or both < _SAME_NAME:
                continue
            outdated = bool(_OUTDATED.search(names[a])) and not _OUTDATED.search(names[b])
            if outdated or (versions[a] and versions[b] and _order(versions[a]) < _order(versions[b])):
                older.add(a)
                newer.add(b)
    return older, newer - older


def _order(versions: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(run) for run in re.findall(r"\d+", versions[0]))
