"""Questions that are answered by queries of a table, in four languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadLimits
from workbench.records.documents import Chunk
from workbench.records.tables import DocumentTable, TableColumn, TableRow
from workbench.techniques.embedding_calls import TableReply
from workbench.techniques.retrieval.index import CollectionIndex, Entry
from workbench.techniques.retrieval.snapshot import FileStamp
from workbench.techniques.retrieval.table_answers import answers
from workbench.techniques.retrieval.table_answers.answers import TableAnswers
from workbench.techniques.retrieval.table_answers.choice import choose, is_doubted, is_sure
from workbench.techniques.retrieval.table_answers.conditions import find_conditions
from workbench.techniques.retrieval.table_answers.cues import cues_of
from workbench.techniques.retrieval.table_answers.query import Condition, Query, compute, rows_of
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.reasons import table_reason
from workbench.techniques.retrieval.table_answers.schema import LoadedTable, Source
from workbench.techniques.retrieval.table_answers.table_reading import TableReading, fits, naming_column, rarity_of
from workbench.techniques.retrieval.table_answers.wording import Wording
from workbench.techniques.retrieval.table_answers.words import similarity

REPAIRS = """No,Date,Customer,Item,Hours,Amount EUR,Paid,Returned on
1,2025-01-10,Moser,bicycle,2,120.50,yes,2025-01-12
2,2025-02-03,Lindt,scooter,1,60,no,
3,2025-02-20,Moser,bicycle,3.5,210,no,2025-03-01
4,2025-03-05,Weber,wheelchair,4,340,yes,
5,2025-03-09,Lindt,bicycle,1.5,95,yes,2025-03-15
6,2025-04-01,Keller,scooter,2,130,no,2025-04-04
"""


PRICES = """Item,Unit,Price EUR,Deposit EUR,Listed since
Desk,piece,240,30,2025-03-01
Chair,piece,85,10,2025-01-15
Lamp,piece,39.50,5,2024-11-01
"""


@pytest.fixture
def index(tmp_path: Path) -> CollectionIndex:
    return read(tmp_path, "Repairs 2025.csv", REPAIRS)


REMADE = "Pump,Sensors\nLindau,3\nMainau,4\nReichenau,7\n"


def read(tmp_path: Path, name: str, text: str) -> CollectionIndex:
    path = tmp_path / name
    path.write_text(text)
    document = read_file(path, ReadLimits())
    index = CollectionIndex(tmp_path / "c.sqlite")
    index.record_embedder("fake", 4)
    index.put(
        Entry(
            path=str(path),
            stamp=FileStamp(document.bytes, 1, 1),
            title=document.title,
            kind=document.kind,
            hash=document.hash,
            text=document.text,
            language="en",
            page_starts=(),
            chunks=[Chunk(start=0, end=len(document.text))],
            vectors=np.ones((1, 4), np.float32),
            fluency=1.0,
            tables=document.tables,
        )
    )
    return index


@pytest.fixture
def table(index: CollectionIndex) -> LoadedTable:
    with index.reading() as snapshot:
        (stored,) = snapshot.tables(1_000)
    return LoadedTable(Source(stored.document, stored.hash, stored.path, stored.title), 0, stored.content)


def ask(index: CollectionIndex, question: str, language: str = "en") -> TableReply:
    reply = TableAnswers().answer(index, "c", question, language)
    assert reply is not None
    return reply


@pytest.mark.parametrize(
    ("question", "language", "value"),
    [
        ("How many repairs were done for Moser?", "en", "2"),
        ("What is the total amount for Lindt?", "en", "155 EUR"),
        ("Wie viele Reparaturen sind nicht bezahlt?", "de", "3"),
        ("Summe der Beträge für Moser", "de", "330,50 EUR"),
        ("Combien de réparations pour Lindt ?", "fr", "2"),
        ("¿Cuántas reparaciones hay de Moser?", "es", "2"),
        ("What is the average amount for a bicycle?", "en", "141.83 EUR"),
    ],
)
def test_values(index: CollectionIndex, question: str, language: str, value: str) -> None:
    assert ask(index, question, language).value == value


@pytest.mark.parametrize(
    ("question", "language", "value"),
    [
        ("Difference in price between the desk and the chair?", "en", "155 EUR"),
        ("By how much does the deposit of the desk differ from that of the lamp?", "en", "25 EUR"),
        ("What is the price of 3 chairs?", "en", "255 EUR"),
        ("Price of the desk, the chair and the lamp together", "en", "364.50 EUR"),
        ("Which has the lower price, the desk or the lamp?", "en", "Lamp, piece (Price EUR: 39.50 EUR)"),
        ("Which item was listed earlier, the desk or the chair?", "en", "Chair, piece (Listed since: 2025-01-15)"),
    ],
)
def test_values_of_named_rows(tmp_path: Path, question: str, language: str, value: str) -> None:
    assert ask(read(tmp_path, "Prices.csv", PRICES), question, language).value == value


def test_the_difference_of_two_dates_is_in_days_and_that_of_three_rows_is_none(tmp_path: Path) -> None:
    with read(tmp_path, "Prices.csv", PRICES).reading() as snapshot:
        (stored,) = snapshot.tables(1_000)
    table = LoadedTable(Source(stored.document, stored.hash, stored.path, stored.title), 0, stored.content)
    two = Query("apart", (Condition(0, "is", ("desk", "chair")),), 4)
    found = compute(table, two)
    assert found is not None
    assert found.value == 45.0
    assert Wording("en").answer(table, two, found) == (
        "45 days", "Difference of Listed since between 2 rows of Prices.csv where Item is Desk or Chair."
    )  # fmt: skip
    assert compute(table, Query("apart", (), 2)) is None


def test_the_answer_says_the_calculation_and_cites_its_rows(index: CollectionIndex) -> None:
    reply = ask(index, "What is the total amount for Lindt?")
    assert reply.calculation == "Sum of Amount EUR over 2 rows of Repairs 2025.csv where Customer is Lindt."
    assert reply.of_rows == 2
    assert [passage.text.split(" | ")[0] for passage in reply.passages] == ["No: 2", "No: 5"]
    with index.reading() as snapshot:
        text = snapshot.text(reply.passages[0].document).text
    assert all(text[passage.start : passage.end] == passage.text for passage in reply.passages)


def test_a_cell_that_is_empty_is_said_to_be(index: CollectionIndex) -> None:
    reply = ask(index, "When was the wheelchair of Weber returned?")
    assert reply.empty
    assert "The cell is empty: Returned on" in reply.calculation


def test_a_cell_of_a_row_that_the_question_hardly_names_is_not_said_to_be_empty(index: CollectionIndex) -> None:
    reply = TableAnswers().answer(index, "c", "Which day did Weber's brother return the borrowed ladder?", "en")
    assert reply is None or not reply.empty


def test_the_empty_cell_of_a_row_that_is_called_by_its_name_is_told(tmp_path: Path) -> None:
    rows = "Zahnstation;Kirkholm;\nRöntgen;Ellerup;03.02.2026\nNarkose;Kirkholm;01.04.2026\n"
    devices = read(tmp_path, "Geräte.csv", f"Gerät;Standort;Nächste Prüfung\n{rows}")
    assert ask(devices, "Wann wird die Zahnstation wieder gewartet und geprüft?", "de").empty


@pytest.mark.parametrize(
    ("question", "cue", "has"),
    [
        ("Welche Summe ist aus den Bestellungen noch offen?", "highest", False),
        ("Which order was best?", "highest", True),
        ("Which is our dearest tool?", "money", True),
        ("Unsere kleinste Rechnung?", "negated", False),
        ("Which orders are under 5 kg until May?", "negated", False),
        ("Which bills are unpaid?", "negated", True),
        ("Welche Aufträge sind unerledigt?", "negated", True),
    ],
)
def test_what_a_question_asks_for_is_told_by_whole_words(question: str, cue: str, has: bool) -> None:
    assert (cue in cues_of(question)) is has


def test_a_calculation_over_all_rows_that_may_be_meant_of_some_is_marked(tmp_path: Path) -> None:
    pupils = read(tmp_path, "pupils autumn 2025.csv", "Name,Subject,Age\nAnn,Cello,12\nBob,Piano,15\nCid,Cello,11\n")
    reply = ask(pupils, "Average age of the harpists on the autumn list?")
    assert "harpists" in reply.reasons[0].text


def test_what_no_cell_is_called_is_a_reason_to_doubt(index: CollectionIndex) -> None:
    reply = TableAnswers().answer(index, "c", "How many repairs of Hofstetter?", "en")
    assert reply is None or any("Hofstetter" in reason.text for reason in reply.reasons)


def test_only_some_documents_are_asked(index: CollectionIndex) -> None:
    assert TableAnswers().answer(index, "c", "How many repairs were done for Moser?", "en", paths=["/other"]) is None


def test_a_replaced_document_has_its_new_tables(index: CollectionIndex, tmp_path: Path) -> None:
    asked = TableAnswers()
    assert asked.answer(index, "c", "How many repairs were done for Moser?", "en") is not None
    with index.reading() as snapshot:
        (document,) = snapshot.documents().documents
    index.remove([document.id])
    assert asked.answer(index, "c", "How many repairs were done for Moser?", "en") is None


class CountingReader:
    """Finds that nothing is meant, and counts the questions that it has read."""

    read = 0

    def similarities(self, texts: Sequence[str]) -> Sequence[float]:
        self.read += 1
        return [0.8] * len(texts)

    def scores(self, passages: Sequence[Sequence[str]]) -> Sequence[Sequence[float]]:
        return [[-6.0] * (len(passage) - 1) for passage in passages]


def test_the_last_answer_is_kept_but_not_for_a_question_that_is_read_now(index: CollectionIndex) -> None:
    asked, reader, question = TableAnswers(), CountingReader(), "How many repairs were done for Moser?"
    for _ in range(2):
        asked.answer(index, "c", question, "en")
    for _ in range(2):
        asked.answer(index, "c", question, "en", reader=reader)
    assert reader.read == 1


def test_an_index_that_is_made_anew_in_the_same_file_has_its_own_tables(tmp_path: Path) -> None:
    asked, question = TableAnswers(), "How many sensors does the Lindau pump have?"
    ids = []
    for _ in range(2):
        index = read(tmp_path, "repairs.csv", REMADE)
        reply = asked.answer(index, "c", question, "en")
        assert reply is not None
        ids.append(reply.passages[0].document)
        index.close()
        for file in tmp_path.glob("c.sqlite*"):
            file.unlink()
    assert ids[0] != ids[1]


@pytest.mark.parametrize(
    ("question", "condition"),
    [
        ("amounts over 200 EUR", Condition(5, "above", low=200.0)),
        ("amount at least 210 EUR", Condition(5, "at least", low=210.0)),
        ("hours under 2", Condition(4, "below", high=2.0)),
        ("Reparaturen mit Stunden länger als 2", Condition(4, "above", low=2.0)),
        ("amounts smaller than 100 EUR", Condition(5, "below", high=100.0)),
        ("the bicycle and the wheelchair", Condition(3, "is", ("bicycle", "wheelchair"))),
        ("which are not paid", Condition(6, "is", ("no",))),
        ("not returned yet", Condition(7, "empty")),
        ("repairs of Moser", Condition(2, "is", ("moser",))),
        ("bikes except bicycle", Condition(3, "not", ("bicycle",))),
    ],
)
def test_conditions(table: LoadedTable, question: str, condition: Condition) -> None:
    assert condition in [finding.condition for finding in find_conditions(Question(question), table)]


@pytest.mark.parametrize(
    "question", ["repairs in March", "Reparaturen im März", "réparations en mars", "reparaciones en marzo"]
)
def test_months(table: LoadedTable, question: str) -> None:
    found = [one.condition for one in find_conditions(Question(question), table) if one.condition.column == 1]
    assert [rows_of(table, [one]) for one in found] == [[3, 4]]


@pytest.mark.parametrize(
    ("question", "months"),
    [("sales in may", {2: 5}), ("milk may 2025", {1: 5}), ("what may we take", {}), ("How many may I see?", {})],
)
def test_may_is_a_month_before_a_year_and_after_in(question: str, months: dict[int, int]) -> None:
    assert Question(question).months == months


def test_parts_of_cells_name_several_rows(tmp_path: Path) -> None:
    text = 'Object,Value EUR\n"Log of the brig Amalie, 1829",18000\n"Chart of the estuary, 1776",26500\nPhoto,350\n'
    with read(tmp_path, "Loan.csv", text).reading() as snapshot:
        (stored,) = snapshot.tables(1_000)
    table = LoadedTable(Source(stored.document, stored.hash, stored.path, stored.title), 0, stored.content)
    found = find_conditions(Question("value of the log and the chart together"), table)
    assert [0, 1] in [rows_of(table, [one.condition]) for one in found]


def test_a_list_has_a_line_for_each_entry_and_a_short_one_is_a_part_of_a_sentence(table: LoadedTable) -> None:
    def said(query: Query) -> str:
        result = compute(table, query)
        assert result is not None
        return Wording("en").answer(table, query, result)[0]

    assert said(Query("list", column=3)) == "bicycle, scooter, wheelchair"
    assert said(Query("list", column=2)) == "- Moser\n- Lindt\n- Weber\n- Keller"
    assert (
        said(Query("list", (Condition(2, "is", ("moser",)),), 3, show=(3, 5)))
        == "bicycle, 120.50 EUR; bicycle, 210 EUR"
    )


def test_the_unit_of_a_column_names_it_and_a_name_of_money_does_without(tmp_path: Path) -> None:
    with read(
        tmp_path, "Drinks.csv", "Drink,Size,Price\nRiesling,0.75 l,21.50\nBeer,0.33 l,3.20\n"
    ).reading() as snapshot:
        (stored,) = snapshot.tables(1_000)
    table = LoadedTable(Source(stored.document, stored.hash, stored.path, stored.title), 0, stored.content)
    assert [fits(column, "money") for column in table.columns] == [False, False, True]
    assert "l" in table.columns[1].words


DONE = """No,Reported,Building,Category,What,Who,Cost EUR
1,2024-07-03,A,Lift,door stuck,Kastell,120.5
2,2024-07-09,B,Plumbing,water damage bathroom,Hübner,2318.4
3,2024-08-01,B,Lift,door stuck,Kastell,96
4,2024-08-11,A,Plumbing,drain blocked,Hübner,74
5,2024-09-02,B,Plumbing,drain blocked,Hübner,312.95
6,2024-09-12,A,Lift,door stuck,Kastell,
"""


def loaded(tmp_path: Path, name: str, text: str) -> LoadedTable:
    with read(tmp_path, name, text).reading() as snapshot:
        (stored,) = snapshot.tables(1_000)
    return LoadedTable(Source(stored.document, stored.hash, stored.path, stored.title), 0, stored.content)


def test_a_row_that_no_column_names_is_shown_with_its_cells_and_never_by_its_group(tmp_path: Path) -> None:
    said = ask(read(tmp_path, "Repairs.csv", DONE), "Which repair was the most expensive one and what did it cost?")
    assert said.value == (
        "No: 2, Reported: 2024-07-09, Building: B, Category: Plumbing, What: water damage bathroom, Who: Hübner "
        "(Cost EUR: 2318.40 EUR)"
    )


def test_the_column_that_names_the_rows_is_the_one_that_tells_them_apart(tmp_path: Path) -> None:
    def name(text: str) -> str:
        columns = (TableColumn(name="Kind"), TableColumn(name="Name"), TableColumn(name="EUR", kind="number"))
        rows = tuple(TableRow(cells=tuple(line.split(",")), number=n) for n, line in enumerate(text.split(), 2))
        column = naming_column(LoadedTable(Source("d", "h", "a.csv", ""), 0, DocumentTable(columns=columns, rows=rows)))
        return column.name if column is not None else ""

    assert name("a,Desk,240 a,Chair,85 b,Lamp,39 b,Desk,20") == "Name"
    assert name("a,Desk,240 b,Chair,85 c,Lamp,39 d,Stool,20") == "Kind"  # the first of those that tell all apart
    assert name("a,Desk,240 a,Desk,85 b,Lamp,39 b,Desk,20") == ""


@pytest.mark.parametrize(
    ("path", "cell", "language", "shown"),
    [
        ("a.xlsx", "2318.40", "en", "2,318.40 EUR"),
        ("a.xlsx", "2318.40", "de", "2.318,40 EUR"),
        ("a.xlsx", "2318.4", "en", "2,318.40 EUR"),  # read before formats were
        ("a.xlsx", "2318", "en", "2,318 EUR"),
        ("a.csv", "2318.40", "de", "2318.40 EUR"),  # as it is written
        ("a.csv", "2,318.40", "en", "2,318.40 EUR"),
    ],
)
def test_a_number_is_shown_as_it_is_written_and_that_of_a_sheet_in_the_language(
    path: str, cell: str, language: str, shown: str
) -> None:
    columns = (TableColumn(name="Item"), TableColumn(name="Cost EUR", kind="number", unit="EUR"))
    rows = (TableRow(cells=("a", cell), number=2), TableRow(cells=("b", "12.25"), number=3))
    table = LoadedTable(Source("d", "h", path, ""), 0, DocumentTable(columns=columns, rows=rows))
    query = Query("maximum", column=1)
    found = compute(table, query)
    assert found is not None
    assert Wording(language).answer(table, query, found)[0] == shown


READINGS = """Wohnung;Mieter;Kaltwasser m³ 31.12.2023;Kaltwasser m³ 31.12.2024;Heizung Einheiten 2024
2.05;Haller;615,580;686,664;2.805
2.06;Nowak;526,793;566,273;1.935
2.07;Kolbe;386,043;448,614;671
3.07;Rahimi;290,975;339,740;2.449
"""


@pytest.mark.parametrize(
    ("question", "language", "value"),
    [
        ("Wie viel Kaltwasser hat Wohnung 2.07 im Jahr 2024 verbraucht?", "de", "448,614 − 386,043 = 62,571 m³"),
        ("How much cold water did Kolbe use in 2024?", "en", "448,614 − 386,043 = 62.571 m³"),
        ("Wer hatte 2024 die meisten Heizungseinheiten?", "de", "2.05, Haller (Heizung Einheiten 2024: 2.805)"),
    ],
)
def test_what_was_used_is_the_difference_of_two_readings(
    tmp_path: Path, question: str, language: str, value: str
) -> None:
    assert ask(read(tmp_path, "meter_readings.csv", READINGS), question, language).value == value


@pytest.mark.parametrize(
    ("heads", "question", "pairs"),
    [
        (("Water 31.12.2023", "Water 31.12.2024"), "water used in 2024", [(2, 1)]),
        (("Water 2024-12-31", "Water 2024-01-01"), "water used in 2024", [(1, 2)]),
        (("Water 31.12.2023", "Water 31.12.2024"), "water used", [(2, 1)]),
        (("Water 31.12.2023", "Water 31.12.2024"), "water used in 2023", []),
        (("Water 30.06.2023", "Water 30.06.2024"), "water used in 2024", []),
        (("Water 2023", "Water 2024"), "water used in 2024", []),  # of a year each: no readings
        (("Water 31.12.2023", "Gas 31.12.2024"), "water used in 2024", []),
        (("Water 31.12.2023", "Water 31.12.2024"), "water in 2024", []),
    ],
)
def test_readings_between_which_something_was_used(
    tmp_path: Path, heads: tuple[str, str], question: str, pairs: list[tuple[int, int]]
) -> None:
    table = loaded(tmp_path, "a.csv", f"Flat,{heads[0]},{heads[1]}\na,12.5,13.5\nb,12.25,14.75\n")
    asked = Question(question)
    assert list(TableReading(asked, table, rarity_of(asked, [table])).changes) == pairs


STOCK = """article,name,price_eur,remarks
P-300,TideLift 300 bilge pump,289.00,float included
P-450,TideLift 450 bilge pump,419.00,float included
S-300,Seal set for TideLift 300,38.50,with oil
C-10,Controller C-10,149.00,for TideLift 300 and 450
"""


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What does the TideLift 300 cost?", "289.00 EUR"),
        ("What does the seal set for the TideLift 300 cost?", "38.50 EUR"),
        ("What do 3 TideLift 450 cost?", "1,257 EUR"),
    ],
)
def test_a_thing_is_the_row_that_begins_with_its_name(tmp_path: Path, question: str, value: str) -> None:
    assert ask(read(tmp_path, "price list.csv", STOCK), question).value == value


def test_a_row_that_is_called_by_its_name(tmp_path: Path) -> None:
    index = read(tmp_path, "meter_readings.csv", READINGS)
    assert ask(index, "Mrs Kolbe's cold water meter at the end of 2024?").named
    assert not ask(index, "Wie viel Kaltwasser hat Wohnung 2.07 im Jahr 1998 verbraucht?", "de").named
    asked = TableAnswers().answer(index, "c", "Which driving licence does Kolbe hold?", "en")
    assert asked is None or not asked.named


def test_two_cells_of_a_row_are_asked_for(tmp_path: Path) -> None:
    costs = "Item,Total building EUR,Key,Your share EUR\nRefuse,12118.00,persons,238.72\nGarden,2870.00,area,60.55\n"
    reply = ask(
        read(tmp_path, "costs.csv", costs), "What did refuse cost in total for the building and what is my share?"
    )
    assert reply.several
    assert reply.value == "Total building EUR: 12118.00 EUR, Your share EUR: 238.72 EUR"


def test_a_number_that_is_a_part_of_what_is_asked_says_so(tmp_path: Path) -> None:
    repairs = read(tmp_path, "Repairs.csv", DONE)
    assert not ask(repairs, "How many repairs were there in building B?").partial
    assert ask(repairs, "How many repairs were there in building B, and when is the roof mended?").partial
    assert ask(repairs, "What did repair 2 cost, and how long did it take?").partial
    assert not ask(repairs, "Which repair was the most expensive one and what did it cost?").partial


def test_how_many_packs_asks_for_what_stands_in_packs(tmp_path: Path) -> None:
    stock = "Article,Unit,Quantity\nRope,packs,3\nPrimer,cans,7\nScrews,packs,12\nFlares,packs,5\n"
    reply = ask(read(tmp_path, "stock.csv", stock), "How many packs are in stock in all?")
    assert reply.value == "20"
    assert reply.calculation == "Sum of Quantity over 3 rows of stock.csv where Unit is packs."


def test_rows_of_a_unit_are_counted_where_there_are_no_quantities(tmp_path: Path) -> None:
    prices = "Article,Unit,Price EUR\nRope,packs,3.50\nPrimer,cans,7.20\nScrews,packs,12.00\n"
    assert ask(read(tmp_path, "prices.csv", prices), "How many articles are sold in packs?").value == "2"


@pytest.mark.parametrize("question", ["How many should there be at least?", "What may it cost at most?"])
def test_a_bound_is_no_superlative(question: str) -> None:
    assert {"lowest", "highest"}.isdisjoint(Question(question).cues)


def test_before_a_month(table: LoadedTable) -> None:
    found = [one.condition for one in find_conditions(Question("repairs before March 2025"), table)]
    assert [0, 1, 2] in [rows_of(table, [one]) for one in found if one.column == 1]


def test_queries(table: LoadedTable) -> None:
    def value(query: Query) -> object:
        result = compute(table, query)
        return result.value if result is not None else None

    assert value(Query("highest", column=5, show=(2,))) == 340.0
    assert value(Query("most", by=2, column=5, measure="sum")) == ("Weber",)
    assert value(Query("distinct", column=2)) == 4.0
    assert value(Query("sum", (Condition(2, "is", ("nobody",)),), 5)) is None
    tied = compute(table, Query("most", by=3, measure="count"))
    assert tied is not None
    assert (tied.value, tied.ties) == (("bicycle",), False)


def test_words_are_compared_across_inflection_and_languages() -> None:
    assert similarity("eichen", "eiche") > 0.9
    assert similarity("kunde", "customer") == 0.75
    assert similarity("literpreis", "preis") > 0.6
    assert similarity("tankt", "tankungen") > 0.65
    assert similarity("haus", "maus") == 0.0
    assert similarity("25-051", "25-052") == 0.0


def test_of_a_large_collection_only_the_best_documents_are_asked(
    index: CollectionIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_CELLS", 48)  # as many as the table has
    assert ask(index, "How many repairs were done for Moser?").value == "2"
    monkeypatch.setattr(answers, "MOST_CELLS", 47)
    assert TableAnswers().answer(index, "c", "How many repairs were done for Moser?", "en") is None


def test_a_number_that_no_cell_explains_and_a_table_that_is_cut_are_doubts(table: LoadedTable) -> None:
    def sure(question: str, of: LoadedTable) -> bool:
        found = choose(Question(question), [of])
        assert found is not None
        choice, known = found
        return is_sure(replace(choice, sure=1.0), known)

    cut = LoadedTable(table.source, 0, msgspec.structs.replace(table.content, incomplete=True))
    assert sure("What is the total amount for Lindt?", table)
    assert not sure("What is the total amount for Lindt?", cut)
    assert not sure("What is the total amount for Lindt in 1987?", table)


LOANS = (
    "Tool,Borrower,Lent,Back\nLadder,Amara,2026-03-02,2026-03-05\nDrill,Pim,2026-03-04,\n"
    "Sander,Amara,2026-03-09,2026-04-10\nTile cutter,Dov,2026-04-11,2026-04-12\n"
)


@pytest.mark.parametrize(
    ("question", "doubted"),
    [
        pytest.param("How many tools are there in March?", True, id="by the other date it would be other rows"),
        pytest.param("How many tools were lent in March?", False, id="the column is named"),
        pytest.param("Which tools did Amara not want?", True, id="nothing heeds the negation"),
        pytest.param("Which tools did Amara borrow?", False, id="no negation"),
    ],
)
def test_a_date_of_another_column_and_a_negation_that_nothing_heeds_are_doubts(
    tmp_path: Path, question: str, doubted: bool
) -> None:
    found = choose(Question(question), [loaded(tmp_path, "Loans.csv", LOANS)])
    assert found is not None
    assert is_doubted(found[0]) == doubted


METERS = """Zähler;Zählerstand 31.12.2023 kWh;Zählerstand 31.12.2024 kWh
Bar;994;1.935
Küche;812;1.420
Sauna;120;877
"""


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("Wie viel Strom hat die Bar 2024 verbraucht?", "1.935 − 994 = 941 kWh"),
        ("Wie viel kWh wurden 2024 insgesamt verbraucht?", "2.306 kWh"),
    ],
)
def test_a_sign_for_thousands_stands_before_no_decimals(tmp_path: Path, question: str, value: str) -> None:
    assert ask(read(tmp_path, "Strom.csv", METERS), question, "de").value == value


def test_a_price_less_a_weight_is_no_difference(tmp_path: Path) -> None:
    parts = read(tmp_path, "Parts.csv", "Part,Price EUR,Weight kg\nPump,120.50,14\nValve,30,2\nSeal,3,1\n")
    answer = TableAnswers().answer(
        parts, "c", "What is the difference between the price and the weight of the pump?", "en"
    )
    assert answer is None or "106.5" not in answer.value


def test_a_sum_over_rows_of_several_units_is_marked(tmp_path: Path) -> None:
    rows = "Gas,kWh,100,900\nPower,kWh,500,1500\nWater,m³,10,60\n"
    meters = read(tmp_path, "Meters.csv", f"Meter,Unit,Reading 2023-12-31,Reading 2024-12-31\n{rows}")
    mixed = ask(meters, "What was used in total in 2024?")
    assert (mixed.value, [one.text for one in mixed.reasons]) == ("1,850", ["The rows have values of several units."])
    assert not ask(meters, "How much gas was used in 2024?").reasons


def test_an_empty_cell_of_several_that_are_asked_for_is_told_beside_the_others(tmp_path: Path) -> None:
    orders = read(tmp_path, "Orders.csv", "Order,Ordered,Delivered\nK1,2025-01-10,2025-01-20\nK2,2025-02-01,\n")
    answer = ask(orders, "When was K2 delivered and when was it ordered?")
    assert answer.value == "Delivered: –, Ordered: 2025-02-01"
    assert not answer.empty


def test_what_was_used_by_a_meter_that_ran_backwards_is_marked(tmp_path: Path) -> None:
    meters = read(tmp_path, "M.csv", "Meter;Stand 31.12.2023;Stand 31.12.2024\nBar;9950;120\nSauna;10;15\n")
    assert ask(meters, "How much was used by the Bar in 2024?").reasons[0].text.startswith("A later reading is lower")
    assert not ask(meters, "How much was used by the Sauna in 2024?").reasons


def test_a_row_of_which_a_cell_that_may_be_asked_for_is_empty_is_marked(tmp_path: Path) -> None:
    loans = read(tmp_path, "Loans.csv", "Month,Bus children,House children\nApril,310,8120\nMay,,9260\nJune,290,8300\n")
    empty = "A cell that may be asked for is empty."
    answer = ask(loans, "How many children of the bus and children of the house were there in May?")
    assert "–" in answer.value
    assert empty in [one.text for one in answer.reasons]
    full = ask(loans, "How many children of the bus and children of the house were there in June?")
    assert empty not in [one.text for one in full.reasons]


def test_both_terms_of_a_difference_of_a_sheet_are_in_the_style_of_the_language(tmp_path: Path) -> None:
    read(tmp_path, "Strom.csv", "Meter,Reading 2023-12-31,Reading 2024-12-31\nBar,0.5,1.935\nSauna,2,3.25\n")
    with CollectionIndex(tmp_path / "c.sqlite").reading() as snapshot:
        (stored,) = snapshot.tables(1_000)
    table = LoadedTable(Source(stored.document, stored.hash, "/Strom.xlsx", stored.title), 0, stored.content)
    query = Query("difference", (Condition(0, "is", ("bar",)),), 2, minus=1)
    result = compute(table, query)
    assert result is not None
    assert Wording("de").answer(table, query, result)[0] == "1,935 − 0,5 = 1,435"
    assert Wording("en").answer(table, query, result)[0] == "1.935 − 0.5 = 1.435"


def test_a_difference_of_a_column_with_a_unit_and_one_without_is_marked(tmp_path: Path) -> None:
    cars = read(tmp_path, "Cars.csv", "Item,Seats,Price EUR\nBus,50,1200\nVan,8,400\n")
    answer = ask(cars, "What is the difference between seats and price of the bus?")
    assert "The two columns are not known to have the same unit." in [one.text for one in answer.reasons]


@pytest.mark.parametrize("years", ["2024 and sales 2023", "2023 and sales 2024"])
def test_the_difference_of_two_cells_of_a_row_is_that_of_the_higher_one(tmp_path: Path, years: str) -> None:
    sales = read(tmp_path, "Sales.csv", "Store,Sales 2023 EUR,Sales 2024 EUR\nNorth,1935.50,2100\nSouth,800,994.25\n")
    question = f"What is the difference between sales {years} for North?"
    assert ask(sales, question).value == "2100 − 1935.50 = 164.50 EUR"


def test_another_reading_that_gives_the_same_is_no_reason_to_doubt(tmp_path: Path) -> None:
    staff = read(tmp_path, "Staff.csv", "Name,Phone,Email\nAnna Meyer,0123 456,\nBob Lind,0999 111,bob@x.org\n")
    answer = ask(staff, "What is the phone and the email of Anna Meyer?")
    assert answer.value == "Phone: 0123 456, Email: –"
    assert not any(answer.value in one.text for one in answer.reasons)
    answer = ask(read(tmp_path, "Projects.csv", PROJECTS), "What is the budget of Garden?")
    assert answer.value == "Budget planned EUR: 300 EUR, Budget used EUR: –"
    assert [one.text for one in answer.reasons] == ["A cell that may be asked for is empty."]


PROJECTS = """Project;Budget planned EUR;Budget used EUR;Note
Roof;1000;900;
Cellar;2000;2500;late
Garden;300;;x
"""
BUDGETS = """Team,Budget planned EUR,Budget used EUR
North,1000,900
South,2000,1500
West,500,700
"""


@pytest.mark.parametrize(
    ("question", "language", "rival"),
    [
        ("What is the total budget?", "en", "“Budget used EUR”"),
        ("Wie hoch ist das Budget insgesamt?", "de", "„Budget used EUR“"),
        ("What is the total of the budget used?", "en", ""),
        ("What is the total of the budget planned?", "en", ""),
    ],
)
def test_of_two_columns_that_are_called_alike_the_other_is_named(
    tmp_path: Path, question: str, language: str, rival: str
) -> None:
    reply = TableAnswers().answer(read(tmp_path, "teams.csv", BUDGETS), "c", question, language)
    assert reply is not None
    assert bool(rival) == any("Budget used EUR" in reason.text for reason in reply.reasons)
    assert any(rival in reason.text for reason in reply.reasons) or not rival


def test_the_reasons_are_told_in_the_language_of_the_question() -> None:
    told = {language: table_reason(language, "ties").text for language in ("en", "de", "fr", "es", "it")}
    assert told["de"] == "Mehrere Zeilen haben diesen Wert."
    assert len(set(told.values())) == 4
    assert told["it"] == told["en"]


PUMPS = """article,name,price_eur,delivery_days
G-300,Gannet 300 submersible pump,289.00,3
G-450,Gannet 450 submersible pump,419.00,5
G-300-I,Impeller for Gannet 300,27.90,2
HOSE,Pressure hose,4.60,1
"""


@pytest.mark.parametrize(
    ("question", "value", "named"),
    [
        ("What does the Gannet 300 cost?", "289.00 EUR", True),
        ("How many days does the delivery of the Gannet 450 take?", "5 days", True),
        ("Which article is the cheapest?", "HOSE, Pressure hose (price_eur: 4.60 EUR)", False),
        ("Welcher Artikel ist am billigsten?", "HOSE, Pressure hose (price_eur: 4.60 EUR)", False),
    ],
)
def test_a_row_is_called_by_the_beginning_of_its_name(tmp_path: Path, question: str, value: str, named: bool) -> None:
    reply = TableAnswers().answer(read(tmp_path, "prices.csv", PUMPS), "c", question, "en")
    assert reply is not None
    assert (reply.value, reply.named) == (value, named)
    assert not any("article" in reason.text for reason in reply.reasons)  # it names a column that is shown
