"""The likeliest candidates of a question, read by a cross-encoder: which of these queries means what is asked?

Words alone find a cell only where the question has them: "pensioners" is not found in a plan that is called "senior".
The cross-encoder (``cross_encoder``) reads the question with the queries as short texts ("sum of Fee where Plan is
senior"), those of one table as the parts of a passage under its name and columns. Reranking of parses: compare Yin and
Neubig 2019, "Reranking for Neural Semantic Parsing". ``benchmarks/train_table_reader.py`` trains it.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence

from workbench.techniques.retrieval.table_answers.features import Candidate
from workbench.techniques.retrieval.table_answers.schema import LoadedTable
from workbench.techniques.retrieval.table_answers.wording import Wording

MOST_READ = 48
"""Of the queries with different texts, the likeliest by their words."""

MOST_SCORED = 400

Read = Callable[[Sequence[Sequence[str]]], Sequence[Sequence[float]]]
"""For each passage, a list of what stands above it and of its parts, the scores of these; () where nothing reads."""


def score_of(candidate: Candidate, rank: Mapping[str, float]) -> float:
    """By the weights of its features."""
    return sum(rank.get(name, 0.0) * value for name, value in candidate.features.items())


def context_of(table: LoadedTable) -> str:
    """What stands above the queries of a table: its name and its columns."""
    return f"{table.label}: {', '.join(column.name for column in table.columns if column.name)}"


def texts_by_table(
    candidates: Sequence[Candidate], rank: Mapping[str, float]
) -> list[tuple[LoadedTable, dict[str, list[Candidate]]]]:
    """The tables of the candidates that are read, the likeliest first, and of each table the texts of its queries with
    the candidates of each: several may have one."""
    likeliest = heapq.nlargest(MOST_SCORED, candidates, key=lambda one: score_of(one, rank))
    wording = Wording("brief")
    found: dict[int, tuple[LoadedTable, dict[str, list[Candidate]]]] = {}
    count = 0
    for one in likeliest:
        text = wording.query(one.table, one.query)
        _, texts = found.setdefault(id(one.table), (one.table, {}))
        if text not in texts:
            if count == MOST_READ:
                continue
            count += 1
        texts.setdefault(text, []).append(one)
    return [(table, texts) for table, texts in found.values() if texts]


def read_candidates(candidates: Sequence[Candidate], rank: Mapping[str, float], read: Read) -> bool:
    """Have the likeliest candidates read, which adds to the features of all; False where nothing reads."""
    tables = texts_by_table(candidates, rank)
    scores = read([[context_of(table), *texts] for table, texts in tables])
    if not scores:
        return False
    for one in candidates:
        one.features["unread"] = 1.0
    every = [score for of_table in scores for score in of_table]
    any_read = math.log1p(sum(math.exp(score) for score in every))
    for (_, texts), of_table in zip(tables, scores, strict=True):
        best = max(of_table)
        for its, score in zip(texts.values(), of_table, strict=True):
            for one in its:
                del one.features["unread"]
                one.features |= {"read": score / 3, "read share": math.exp(score - any_read), "read table": best / 3}
    return True
