"""Quoting: the sentences of the passages that answer a question, word for word, instead of the model's own words.

A small model points better than it retells: of 640 questions of XQuAD a gold answer stands in the two sentences with
the strongest evidence in 89 % (English), 81 % (German) and 82 % (Chinese), where SmolLM2 135M in its own words is right
in 30, 5 and 9 % (docs/benchmarks.md). The sentences are those that abstention compares with the question anyway, so a
quoted answer costs no generation. Extractive answers: Chen et al. 2017, "Reading Wikipedia to Answer Open-Domain
Questions" (arXiv:1704.00051); verified quotes: Menick et al. 2022 (arXiv:2203.11147).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workbench.backends.backend import ModelBackend, has_fewer_parameters
from workbench.records.exam import ExamResult
from workbench.records.messages import Citation, Passage, Statement
from workbench.records.recipes import RetrievalPart
from workbench.records.recipes.parts import Mode
from workbench.techniques.retrieval.abstention import Sentence
from workbench.techniques.retrieval.citations import as_citation
from workbench.techniques.retrieval.prompting import WANTS_MORE
from workbench.text.language import detect_language
from workbench.text.sentences import is_heading

LEAST_LEAD = 0.45
"""Evidence by which the best sentence must lead to be quoted alone; otherwise the two best are."""

MOST_SENTENCES = 2
QUOTING_PARAMETERS = 1_000_000_000
"""``automatic`` quotes for a model with fewer, unless its exam says otherwise."""


class Quotes(msgspec.Struct, frozen=True, kw_only=True):
    """``text``: the quoted sentences, each with its citation; ``statements`` are their places in it. ``passages``:
    those shown and quoted, numbered from 1. ``separator`` comes before the model's own words."""

    text: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    separator: str = "\n\n"


def resolve_mode(
    part: RetrievalPart, question: str, model: ModelBackend, answers: int = 1, exam: ExamResult | None = None
) -> Mode:
    """The mode that ``automatic`` means: quoted where the model's ``exam`` in the question's language shows that it is
    better (``ExamRates.prefers_quotes``). Without an exam, or where that shows no difference, a model with few
    parameters quotes. Longer texts and several ``answers`` are in the model's own words."""
    if part.mode != "automatic":
        return part.mode
    if answers > 1 or WANTS_MORE.match(question):
        return "own-words"
    rates = exam.rates(detect_language(question)) if exam is not None and exam.current else None
    quotes = rates.prefers_quotes if rates is not None else None
    if quotes is None:
        quotes = has_fewer_parameters(model, QUOTING_PARAMETERS)
    return "quoted" if quotes else "own-words"


def quote(sentences: Sequence[Sentence], shown: Sequence[Passage] = ()) -> Quotes | None:
    """Quote the best of the sentences, which are ordered by strength; None when there are none.

    Headings are quoted only where there is nothing else. A passage that is among those ``shown`` keeps its number;
    others get the next ones.
    """
    stating = [s for s in sentences if not is_heading(s.passage.text, s.start, s.end, s.passage.start == 0)]
    chosen = (stating or list(sentences))[:MOST_SENTENCES]
    if not chosen:
        return None
    best = chosen[0]
    if len(chosen) > 1 and chosen[0].strength - chosen[1].strength >= LEAST_LEAD:
        chosen = chosen[:1]
    passages = list(shown)
    text, statements = "", []
    citations: dict[int, Citation] = {}
    for sentence in sorted(chosen, key=lambda s: (best.passage != s.passage, s.start)):
        place = (sentence.passage.document, sentence.passage.start)
        number = next((p.n for p in passages if (p.document, p.start) == place), 0)
        if not number:
            number = max((p.n for p in passages), default=0) + 1
            passages.append(msgspec.structs.replace(sentence.passage, n=number))
        passage = next(p for p in passages if p.n == number)
        start = passage.start + sentence.start
        text += "\n\n" if text else ""
        statement = Statement(
            start=len(text) + 1,
            end=len(text) + 1 + len(sentence.text),
            verdict="supported",
            value=1.0,
            n=number,
            sentence_start=start,
            sentence_end=start + len(sentence.text),
        )
        statements.append(statement)
        text += f"“{sentence.text}” [{number}]"
        citations.setdefault(number, as_citation(passage, claimed=False))
    return Quotes(
        text=text,
        statements=tuple(statements),
        citations=tuple(citations[n] for n in sorted(citations)),
        passages=tuple(passages),
    )
