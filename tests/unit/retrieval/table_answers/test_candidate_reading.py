"""Candidates that a cross-encoder reads: which, as what texts, and what its scores change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadLimits
from workbench.techniques.retrieval.table_answers import candidate_reading
from workbench.techniques.retrieval.table_answers.candidate_reading import read_candidates, texts_by_table
from workbench.techniques.retrieval.table_answers.candidates import candidates_of
from workbench.techniques.retrieval.table_answers.choice import choose, weights
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.schema import LoadedTable, Source

MEMBERS = """Name,Plan,Fee EUR,Visits
Bahr,full,59,148
Dietl,senior,34,163
Ebner,senior,34,96
Jansen,student,27,121
Lindner,student,27,43
"""
QUESTION = "How many members have the plan senior?"
RANK = weights(read=False).rank


@pytest.fixture
def table(tmp_path: Path) -> LoadedTable:
    path = tmp_path / "members.csv"
    path.write_text(MEMBERS)
    (table,) = read_file(path, ReadLimits()).tables
    return LoadedTable(Source("d", "h", str(path), ""), 0, table)


class Reading:
    """A cross-encoder that finds one text."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.passages: list[Sequence[str]] = []

    def __call__(self, passages: Sequence[Sequence[str]]) -> list[list[float]]:
        self.passages += passages
        return [[6.0 if part == self.wanted else -6.0 for part in parts] for _, *parts in passages]


def test_a_query_is_read_under_its_table(table: LoadedTable) -> None:
    read = Reading("")
    assert read_candidates(candidates_of(Question(QUESTION), [table]), RANK, read)
    ((above, *parts),) = read.passages
    assert above == "members: Name, Plan, Fee, Visits"
    assert "how many where Plan is senior" in parts
    assert len(parts) == len(set(parts))


def test_only_the_likeliest_are_read(table: LoadedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = candidates_of(Question(QUESTION), [table])
    ((_, every),) = texts_by_table(candidates, RANK)
    monkeypatch.setattr(candidate_reading, "MOST_READ", 2)
    ((_, texts),) = texts_by_table(candidates, RANK)
    assert list(texts) == list(every)[:2]
    read_candidates(candidates, RANK, Reading(""))
    unread = [one for one in candidates if "unread" in one.features]
    assert 0 < len(unread) == sum(len(its) for text, its in every.items() if text not in texts)
    assert not any("read" in one.features for one in unread)


def test_what_is_read_outweighs_the_words(table: LoadedTable) -> None:
    for wanted in ("how many where Plan is senior", "sum of Fee where Plan is senior", "how many"):
        found = choose(Question(QUESTION), [table], Reading(wanted))
        assert found is not None
        choice, known = found
        assert known == weights(read=True)
        ((_, texts),) = texts_by_table([choice.candidate], RANK)
        assert list(texts) == [wanted]


def test_where_nothing_reads_the_words_decide(table: LoadedTable) -> None:
    with_nothing, alone = choose(Question(QUESTION), [table], lambda passages: ()), choose(Question(QUESTION), [table])
    assert with_nothing is not None
    assert alone is not None
    assert with_nothing[0].candidate.query == alone[0].candidate.query
    assert with_nothing[1] == alone[1] == weights(read=False)
