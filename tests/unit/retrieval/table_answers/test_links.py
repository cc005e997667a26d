"""What a cross-encoder finds that a question means of a table, and the queries that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from workbench.records.tables import DocumentTable, TableColumn, TableRow
from workbench.techniques.retrieval.table_answers.candidates import candidates_of, readings_of
from workbench.techniques.retrieval.table_answers.choice import choose, link_readings, weights
from workbench.techniques.retrieval.table_answers.features import Candidate
from workbench.techniques.retrieval.table_answers.links import MOST_LINKED, Links, context_of, parts_of, to_link
from workbench.techniques.retrieval.table_answers.query import Condition, Query
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.schema import LoadedTable, Source

DELIVERIES = (
    ("Date", "Vessel", "Kind of goods", "Value EUR"),
    ("2025-01-10", "Corvane Star", "Provisions", "1200"),
    ("2025-02-03", "Corvane Star", "Medicine", "310"),
    ("2025-02-20", "Luise", "Medicine", "95"),
    ("2025-03-05", "Corvane Star", "Medicine", "450"),
    ("2025-03-09", "Luise", "Deck stores", "2100"),
)
QUESTION = "pills and bandages that went out to the Corvane Star, how often?"


def loaded(rows: Sequence[Sequence[str]], name: str = "Deliveries") -> LoadedTable:
    kinds = {"Date": "date", "Value EUR": "number"}
    columns = tuple(TableColumn(name=one, kind=kinds.get(one, "text")) for one in rows[0])  # type: ignore[arg-type]
    cells = tuple(TableRow(cells=tuple(row), number=number) for number, row in enumerate(rows))[1:]
    return LoadedTable(Source("d", "h", f"{name}.csv", name), 0, DocumentTable(name=name, columns=columns, rows=cells))


class ScriptedReader:
    """Finds that the texts of ``meant`` are, and nothing else; ``alike`` are cosines by a word of the context."""

    def __init__(self, meant: Mapping[str, float], alike: Mapping[str, float] | None = None) -> None:
        self._meant, self._alike = meant, alike or {}
        self.read: list[str] = []

    def similarities(self, texts: Sequence[str]) -> Sequence[float]:
        return [next((cosine for word, cosine in self._alike.items() if word in text), 0.8) for text in texts]

    def scores(self, passages: Sequence[Sequence[str]]) -> Sequence[Sequence[float]]:
        self.read += [context for context, *_ in passages]
        return [[self._meant.get(part, -6.0) for part in parts] for _, *parts in passages]


def linked(question: str, table: LoadedTable, reader: ScriptedReader) -> list[Candidate]:
    """The candidates, the likeliest by the links first."""
    readings = readings_of(Question(question), [table])
    link_readings(readings, reader)
    return sorted(candidates_of(readings), key=lambda one: -one.features["linked likelihood"])


def test_a_cell_that_no_word_of_the_question_names_is_a_condition() -> None:
    table = loaded(DELIVERIES)
    conditions = (Condition(1, "is", ("corvane star",)), Condition(2, "is", ("medicine",)))
    by_words = candidates_of(readings_of(Question(QUESTION), [table]))
    assert by_words
    assert all(conditions[1] not in one.query.conditions for one in by_words)
    reader = ScriptedReader({"count": 5.0, "Kind of goods: Medicine": 5.0, "Vessel: Corvane Star": 5.0})
    best = linked(QUESTION, table, reader)[0]
    assert (best.query.kind, set(best.query.conditions)) == ("count", set(conditions))
    result = best.result()
    assert result is not None
    assert result.value == 2.0


@pytest.mark.parametrize(
    ("meant", "query", "value"),
    [
        ({"sum": 5.0}, Query("sum", column=3), 4155.0),
        ({"average": 5.0}, Query("average", column=3), 831.0),
        ({"most in all": 5.0, "Vessel: Corvane Star, Luise": 5.0}, Query("most", column=3, by=1, measure="sum"), None),
    ],
)
def test_what_is_computed_and_of_which_column_needs_no_word_of_the_table(
    meant: dict[str, float], query: Query, value: float | None
) -> None:
    reader = ScriptedReader({**meant, "Value EUR: 1200, 310": 5.0})
    best = linked("What did all of it come to?", loaded(DELIVERIES), reader)[0]
    assert best.query == query
    result = best.result()
    assert result is not None
    assert value is None or result.value == value


def test_a_question_is_answered_by_the_weights_of_linked_candidates() -> None:
    reader = ScriptedReader({"count": 5.0, "Kind of goods: Medicine": 5.0, "Vessel: Corvane Star": 5.0})
    found = choose(Question("How many deliveries of medicine did the Corvane Star get?"), [loaded(DELIVERIES)], reader)
    assert found is not None
    choice, known = found
    assert known == weights(linked=True)
    assert choice.result is not None
    assert choice.result.value == 2.0


def test_the_parts_are_operations_columns_and_cells_of_words() -> None:
    parts = dict(parts_of(loaded(DELIVERIES)))
    assert parts["operation", -1, "most in all"] == "most in all"
    assert parts["column", 1, ""] == "Vessel: Corvane Star, Luise"
    assert parts["cell", 2, "deck stores"] == "Kind of goods: Deck stores"
    assert not [key for key in parts if key[0] == "cell" and key[1] in (0, 3)], (
        "a date or number is not linked by its cell"
    )
    assert context_of(loaded(DELIVERIES)) == "Deliveries.csv: Date, Vessel, Kind of goods, Value EUR"


def test_a_long_column_of_names_is_not_read_and_one_of_groups_is_cut() -> None:
    rows = [("Name", "Group"), *((f"Person {n}", f"Group {n % 30}") for n in range(60))]
    cells = [key for key, _ in parts_of(loaded(rows)) if key[0] == "cell"]
    assert {number for _, number, _ in cells} == {1}
    assert len(cells) == 24


def test_tables_are_read_that_know_the_words_or_are_like_the_question() -> None:
    assert to_link([0.0, 2.0, 1.0], [0.8, 0.8, 0.8]) == [1, 2, 0]
    assert to_link([0.0, 2.0, 1.0], [0.95, 0.8, 0.8])[0] == 0
    assert len(to_link([0.0] * 20, [0.8] * 20)) == MOST_LINKED
    assert to_link([], []) == []
    reader = ScriptedReader({}, {"Members": 0.95})
    others = [loaded((("Alpha", "Beta"), ("x", "y")), f"Sheet {n}") for n in range(8)]
    choose(Question("Who joined last?"), [*others, loaded((("Who", "Joined"), ("Ada", "2024")), "Members")], reader)
    assert len(reader.read) == MOST_LINKED
    assert any("Members" in context for context in reader.read)


@pytest.mark.parametrize(
    ("query", "features"),
    [
        pytest.param(Query("count"), {"linked operation": 0.0, "linked missed": -3.02}, id="cell and column missed"),
        pytest.param(
            Query("count", (Condition(2, "is", ("medicine",)),)),
            {"linked conditions": 0.0, "linked missed": -1.02, "linked likelihood": -1.02},
            id="cell used",
        ),
        pytest.param(
            Query("sum", column=3),
            {"linked operation": -5.0, "linked columns": -0.02, "linked missed": -2.0},
            id="column used",
        ),
    ],
)
def test_features_tell_what_of_the_links_a_query_uses(query: Query, features: dict[str, float]) -> None:
    links = Links({("operation", -1, "count"): 9.0, ("cell", 2, "medicine"): 6.0, ("column", 3, ""): 3.0})
    found = links.features(query, links.weight)
    assert {name: found[name] for name in features} == pytest.approx(features, abs=0.01)
    assert found["linked table"] == 0.0


def test_a_table_that_knows_no_word_has_candidates_once_it_is_linked() -> None:
    table = loaded((("Konto", "Stand"), ("A", "1"), ("B", "2")), "x")
    readings = readings_of(Question("how much is left?"), [table])
    assert candidates_of(readings) == []
    readings[0].link(Links({("operation", -1, "sum"): 2.0, ("column", 1, ""): 2.0}))
    assert candidates_of(readings)


def test_empty_cells_are_read_and_become_conditions() -> None:
    table = loaded((("Key", "Booked"), ("A", "yes"), ("B", ""), ("C", "")), "Log")
    assert dict(parts_of(table))["empty", 1, ""] == "Booked: empty"
    reader = ScriptedReader({"count": 5.0, "Booked: empty": 5.0})
    best = linked("How many times did somebody just grab one without reserving?", table, reader)[0]
    assert best.query == Query("count", (Condition(1, "empty"),))
    result = best.result()
    assert result is not None
    assert result.value == 2.0
