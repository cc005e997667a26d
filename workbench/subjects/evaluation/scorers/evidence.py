"""Scorers of answers from documents: right citations, statements that the passages support, abstention.

Citation precision and recall: Gao et al. 2023, "Enabling Large Language Models to Generate Text with Citations"
(arXiv:2305.14627), here of documents. They use what was verified when the answer was made; nothing is searched again.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

import msgspec

from workbench.base.fields import about
from workbench.records.evaluation import Score
from workbench.records.messages import Citation
from workbench.subjects.evaluation.scorers.scorer import Scorable, ScorerContext
from workbench.subjects.evaluation.scorers.texts import NoOptions
from workbench.text.metrics import contains_answer


class Abstaining(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts as declining besides the program's own abstention."""

    phrases: Annotated[
        tuple[str, ...],
        about("Phrases"),
        "An answer that contains one of these phrases declines. Each line is one phrase.",
    ] = ("I don't know", "I do not know", "cannot answer", "unanswerable", "no information", "not mentioned")


def citation_precision(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    """The share of the citations that name a document which holds the answer."""
    sources, citations = cell.question.sources, cell.answer.citations
    if not sources or not citations:
        return Score(None)
    return Score(sum(any(_names(c, source) for source in sources) for c in citations) / len(citations))


def citation_recall(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    """The share of the documents that hold the answer which are cited."""
    sources = cell.question.sources
    if not sources:
        return Score(None)
    return Score(sum(any(_names(c, source) for c in cell.answer.citations) for source in sources) / len(sources))


def groundedness(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    """The share of the answer's statements that the shown passages support."""
    verification = cell.answer.verification
    if verification is None or not verification.statements or cell.answer.declined:
        return Score(None)
    verdicts = [statement.verdict for statement in verification.statements]
    return Score(verdicts.count("supported") / len(verdicts), f"{verdicts.count('supported')} of {len(verdicts)}")


def abstention(cell: Scorable, options: Abstaining, context: ScorerContext) -> Score:
    """Whether the answer declines where there is no answer, and only there."""
    text = cell.answer.text
    declined = cell.answer.declined or any(contains_answer(text, phrase) for phrase in options.phrases)
    return Score(float(declined != cell.question.answerable), "declined" if declined else "answered")


def _names(citation: Citation, source: str) -> bool:
    path, wanted = PurePath(citation.path), PurePath(source)
    return path.parts[-len(wanted.parts) :] == wanted.parts or citation.document == source or path.stem == source
