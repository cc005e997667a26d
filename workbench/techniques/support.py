"""How far passages support a whole answer: its verified statements, as one value that two answers are compared by."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.messages import Passage, Statement, Verdict
from workbench.text.terms import Vocabulary

NEAR = 0.75
"""Share of the question's words, relative to the passage that holds most of them, from which a passage is about it."""

ELSEWHERE = "The passages say this of something else."
_WORTH: dict[Verdict, float] = {"supported": 1.0, "partly": 0.5, "unsupported": 0.0, "outside": 0.0}


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """How far passages support an answer: ``score`` from 0 to 1. ``contradicted``: a statement of it stands in none of
    them, all are about something else, or there is no statement. ``why`` says what is not supported, as a sentence."""

    score: float
    contradicted: bool
    why: Shown = ""


def support_of(statements: Sequence[Statement], passages: Sequence[Passage], question: str) -> Support:
    """The support of an answer's verified statements. A statement counts less where its passage is less about the
    question than another one is: the price of something else is no answer."""
    if not statements:
        return Support(score=0.0, contradicted=True, why="The answer states nothing that the passages could support.")
    about = _about(passages, question)
    most = max(about.values(), default=0.0)
    nearness = [about.get(one.n, 0.0) / most if most else 1.0 for one in statements]
    score = sum(_WORTH[one.verdict] * near for one, near in zip(statements, nearness, strict=True)) / len(statements)
    good = sum(one.verdict == "supported" for one in statements)
    contradicted = any(_WORTH[one.verdict] == 0.0 for one in statements)
    if not contradicted and max(nearness) < NEAR:
        return Support(score=score, contradicted=True, why=ELSEWHERE)
    if good == len(statements):
        return Support(score=score, contradicted=False)
    conflicts = [conflict for one in statements for conflict in one.conflicts]
    named = f" Not in the passages: {', '.join(dict.fromkeys(conflicts))}." if conflicts else ""
    why = f"The passages support {good} of {len(statements)} statements.{named}"
    return Support(score=score, contradicted=contradicted, why=why)


def _about(passages: Sequence[Passage], question: str) -> dict[int, float]:
    """The share of the question's words in each passage, by its number; a word counts by its rarity among them."""
    words = Vocabulary.of(passage.text for passage in passages)
    asked = set(words.content_terms(question))
    held = {passage.n: asked & set(words.stems(f"{passage.title} {passage.text}")) for passage in passages}
    seen_in = Counter(term for terms in held.values() for term in terms)
    rarity = {term: math.log(1 + len(passages) / (seen_in[term] or 1)) for term in asked}
    total = sum(rarity.values())
    return {n: sum(rarity[term] for term in terms) / total if total else 1.0 for n, terms in held.items()}
