"""The terms of a course on adapting language models, each with its paper and the place of the window that shows it.

The table is ``resources/terms.toml``; finder, map and glossary share it.
"""

from __future__ import annotations

import functools
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.paths import RESOURCES

FILE = RESOURCES / "terms.toml"

Technique = Literal[
    "prompting", "decoding", "retrieval", "agents", "finetuning", "preference", "model", "measuring"
]  # fmt: skip


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One term. ``text`` are two sentences, ``also`` other words that it is found by. ``paper`` is the title of the
    paper that it is from, of ``year``, with its number at arxiv.org where it has one. ``place`` names a page of the
    window and what it is opened with. ``module`` is the file below ``workbench`` that computes it."""

    name: Shown
    technique: Technique
    text: Shown
    paper: str
    year: int
    place: dict[str, str]
    module: str
    also: str = ""
    arxiv: str = ""

    @property
    def target(self) -> dict[str, str]:
        """What the page is opened with."""
        return {name: value for name, value in self.place.items() if name != "page"}

    @property
    def source(self) -> str:
        """``Direct Preference Optimization …, 2023, arXiv:2305.18290``"""
        return ", ".join(filter(None, (self.paper, str(self.year), f"arXiv:{self.arxiv}" if self.arxiv else "")))


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    term: tuple[Term, ...]


@functools.cache
def course_terms() -> tuple[Term, ...]:
    """All terms, in the order of the course."""
    return msgspec.toml.decode(FILE.read_bytes(), type=_Table).term
