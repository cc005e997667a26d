"""Questions made from documents: facts that stand once, one right answer each, near misses that are absent."""

from __future__ import annotations

from collections import Counter

import pytest

from workbench.records.documents import Document, DocumentText
from workbench.records.evaluation import QuestionRow
from workbench.records.tables import DocumentTable, TableColumn, TableRow
from workbench.subjects.evaluation.document_facts import facts_of, gaps_of
from workbench.subjects.evaluation.document_questions import MadeQuestion, Read, make_questions, split_by_document
from workbench.text.metrics import contains_answer


def read(
    name: str, text: str, *tables: DocumentTable, title: str = "", language: str = "en", kind: str = "text"
) -> Read:
    document = Document(
        id=name, path=f"/papers/{name}.txt", title=title or name, kind=kind, state="indexed", language=language
    )
    return Read(text=DocumentText(document=document, text=text, chunks=()), tables=tables)


def table(*rows: tuple[str, ...]) -> DocumentTable:
    head, *body = rows
    return DocumentTable(
        columns=tuple(TableColumn(name=name) for name in head),
        rows=tuple(TableRow(cells=cells, number=number) for number, cells in enumerate(body, 1)),
    )


def facts(text: str, language: str = "en", kind: str = "text") -> list[tuple[str, str]]:
    found = facts_of(read("paper", text, language=language, kind=kind).text, (), language)
    return [(fact.key, fact.value) for fact in found]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Deductible per claim: EUR 750", "en", [("Deductible per claim", "EUR 750")]),
        ("| Rated power | 750 W |", "en", [("Rated power", "750 W")]),
        ("- **Kaution:** 80 € in bar", "de", [("Kaution", "80 € in bar")]),
        ("Is a dog allowed? Only one. Ask the board.", "en", [("Is a dog allowed?", "Only one")]),
        (
            "The tenancy begins on 1 December 2022 and runs on.",
            "en",
            [("when does the tenancy begin?", "1 December 2022")],
        ),
        (
            "The basic charge is EUR 528.36 per month.",
            "en",
            [("how much is the basic charge per month?", "EUR 528.36")],
        ),
        (
            "The agreement begins on 1 April 2025 and ends on 31 March 2028.",
            "en",
            [("when does the agreement begin?", "1 April 2025")],
        ),
        ("Die Montage dauert 3 Tage.", "de", [("Wie lange dauert die Montage?", "3 Tage")]),
        ("Die Miete beträgt 450 € im Monat.", "de", [("Wie viel beträgt die Miete im Monat?", "450 €")]),
        ("Le devis coûterait 386 000 € hors taxes.", "fr", [("combien coûterait le devis hors taxes ?", "386 000 €")]),
        ("El seguro cuesta 120 € al año.", "es", [("¿cuánto cuesta el seguro al año?", "120 €")]),
    ],
)
def test_facts_are_found_in_the_words_of_the_document(
    text: str, language: str, expected: list[tuple[str, str]]
) -> None:
    assert facts(text, language) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Deductible: EUR 750\nSomething else.\nDeductible: EUR 900",  # two answers
        "Subject: the roof\nFrom: Ann",  # the head of a mail
        "Price: 20 euros",  # of what?
        "It costs 20 euros.",  # what?
        "The pump that you bought costs 20 euros.",
        "Members: Ann Lee, Ben Roe and",  # goes on in the next line
        "See https: //example.org",
        "Decision was taken on 2 July: yes to both",
        "General meeting on 22 March: 84 people",
        "No fibre cloths: 3",
        "Briquettes: 2.4 t came, 310 euros a ton",
        "Machine room: use the vacuum",
        "Check the walls: out of plumb more than 15 mm per storey? ring Hendrik",
        "Free time: see 5",
        "The monthly gross salary is 5,150 euros, from 1 March 2025 it is 5,480 euros.",
        "What is it? That depends on the weather, on the time, and on much else besides.",
    ],
)
def test_what_has_no_one_answer_is_no_fact(text: str) -> None:
    assert facts(text) == []


def test_rows_are_asked_by_their_names_and_empty_cells_are_gaps() -> None:
    prices = table(("Item", "EUR", "Per"), ("Garage", "64", "month"), ("Guest flat", "36", ""), ("Key", "42", "piece"))
    [*cells] = [(fact.row, fact.key, fact.value) for fact in facts_of(read("fees", "", prices).text, (prices,), "en")]
    assert {("Garage", "EUR", "64"), ("Key", "Per", "piece")} <= set(cells)
    [gap] = gaps_of("fees", (prices,))
    assert (gap.row, gap.column) == ("Guest flat", "Per")
    numbered = table(("Flat", "Tenant"), ("2.07", "Kolbe"), ("3.07", "Kolbe"))
    assert [fact.row for fact in facts_of(read("flats", "", numbered).text, (numbered,), "en")] == [
        "Flat 2.07",
        "Flat 3.07",
    ]
    twice = table(("Item", "EUR"), ("Garage", "64"), ("Garage", "60"))
    assert facts_of(read("twice", "", twice).text, (twice,), "en") == []


@pytest.fixture
def office() -> list[Read]:
    fees = table(("Item", "EUR"), *((f"Garage {letter}", str(60 + n)) for n, letter in enumerate("ABCDEF")))
    return [
        read(
            "fees",
            "Garage A | 60\n" + "\n".join(f"Garage {c} | {60 + n}" for n, c in enumerate("ABCDEF")),
            fees,
            title="Fees of 2025",
        ),
        read(
            "insurance",
            "Policy number: KB-5530\nDeductible per claim: EUR 750\nPerson in charge: Ms Anders\nThe year 2025.",
        ),
        read(
            "rules",
            "Quiet hours at night: 22 to 6\nBulky waste: every March\nThe laundry costs 2 euros a token.\n"
            "A claim goes to the insurer.",
        ),
        read(
            "merkblatt",
            "Längster Aufenthalt: 10 Nächte\nKaution für Gäste: 80 €\nDie Reinigung kostet 30 €.",
            language="de",
        ),
        read("aushang", "Abholung von Sperrmüll: im März\nDie Tür ist nachts zu, Gäste klingeln.", language="de"),
    ]


def test_questions_name_their_document_and_hold_no_answer(office: list[Read]) -> None:
    made = make_questions(office, 30, seed=3)
    texts = {one.text.document.id: one.text.text for one in office}
    assert len({one.question.text for one in made}) == len(made) > 15
    for one in made:
        question = one.question
        names = {"fees": "Fees of 2025"}
        assert all(names.get(name, name) in question.text for name in one.documents)
        assert question.sources == tuple(f"{name}.txt" for name in one.documents)
        values = question.expected or tuple(group[0] for group in question.need)
        assert bool(values) == question.answerable
        for value in values:
            assert not contains_answer(question.text, value)
            assert any(value in texts[name] for name in one.documents)
            assert any(value in place for place in question.evidence)
    kinds = Counter(
        "none" if not one.question.answerable else "several" if one.question.need else "one" for one in made
    )
    assert kinds["one"] > kinds["none"] > 0 < kinds["several"]
    assert make_questions(office, 30, seed=3) == made
    assert make_questions(office, 30, seed=4) != made


def test_a_near_miss_asks_a_document_that_lacks_a_word_of_it(office: list[Read]) -> None:
    texts = {one.text.document.id: one.text.text for one in office}
    missing = [one for one in make_questions(office, 60, seed=0) if not one.question.answerable]
    assert missing
    for one in missing:
        [document] = one.documents
        fact = one.borrowed
        assert fact is not None
        assert fact.document != document
        assert fact.key not in texts[document]
        words = fact.key.casefold().split()
        assert any(word in texts[document].casefold() for word in words)  # it is near
    same = [read("one", "Surplus of the year: EUR 5"), read("two", "The surplus of that year was high.")]
    assert all(one.question.answerable for one in make_questions(same, 10, seed=0))


def test_a_near_miss_is_dropped_where_a_passage_is_as_similar_as_the_one_that_answers_it(office: list[Read]) -> None:
    asked: list[tuple[str, str]] = []

    def closest(document: str, text: str) -> list[tuple[float, str]]:
        asked.append((document, text))
        return [(0.9, "The deductible is EUR 600 for every claim; guests pay 90 €.")]

    def far(document: str, text: str) -> list[tuple[float, str]]:
        held = document == ("insurance" if "claim" in text else "merkblatt")
        return [(0.9 if held else 0.8, "EUR 600 oder 90 €")]

    by_words = [one for one in make_questions(office, 60, seed=0) if one.borrowed]
    assert {one.borrowed.key for one in by_words if one.borrowed} >= {"Deductible per claim", "Kaution für Gäste"}
    assert not [one for one in make_questions(office, 60, 0, closest) if one.borrowed]
    assert ("insurance", "Deductible per claim") in asked
    assert [one for one in make_questions(office, 60, 0, far) if one.borrowed]


def test_an_english_question_has_the_article_of_a_plain_noun_and_quotes_other_columns() -> None:
    fees = table(
        ("Item", "Price EUR", "Places", "Booked until"),
        ("Garage A", "64", "12", "2026-01-31"),
        ("Garage B", "66", "14", "2026-03-31"),
    )
    text = "Garage A 64 12 2026-01-31\nGarage B 66 14 2026-03-31\nBirthday party: 165 euros\nNext meeting: 10 June 2025"
    asked = {one.question.text for one in make_questions([read("fees", text, fees)], 60, seed=0)}
    assert "What is the price in EUR for “Garage A” in “fees”?" in asked
    assert "What is listed under “Places” for “Garage A” in “fees”?" in asked
    assert "What is listed under “Booked until” for “Garage B” in “fees”?" in asked
    assert "According to “fees”, how much is the birthday party?" in asked
    assert "According to “fees”, what is the next meeting?" in asked


def test_a_table_is_asked_about_in_the_language_of_the_documents_that_share_its_words() -> None:
    holz = table(("Holzart", "Lieferant"), ("Eiche", "Vautrin"), ("Lärche", "Sägewerk"))
    texts = [
        read("notizen", "Die Holzart nennt der Lieferant, und die Lärche ist noch nicht da.", language="de"),
        read("notes", "The wood of the stairs is oak, and that of the shelf is larch.", language="en"),
        read("letter", "The wood is here, and the bill is not.", language="en"),
        read("lager", "Eiche | Vautrin\nLärche | Sägewerk", holz, language=""),
    ]
    asked = [one.question.text for one in make_questions(texts, 20, seed=0)]
    assert "Was steht in „lager“ bei „Lärche“ unter „Lieferant“?" in asked


def test_rows_of_a_log_are_events_and_have_no_names() -> None:
    log = table(("Date", "Hour", "Event"), ("1 May", "9:15", "Mr Habicht arrives"), ("1 May", "9:40", "Sorting begins"))
    kinds = ("date", "time", "text")
    columns = tuple(TableColumn(name=c.name, kind=kind) for c, kind in zip(log.columns, kinds, strict=True))  # type: ignore[arg-type]
    assert facts_of(read("log", "", log).text, (DocumentTable(columns=columns, rows=log.rows),), "en") == []


def test_documents_of_one_name_are_not_asked_about() -> None:
    twice = [read("a/notes", "Policy number: KB-1"), read("b/notes", "Policy number: KB-2")]
    assert make_questions(twice, 10, seed=0) == []


def question(*documents: str) -> MadeQuestion:
    return MadeQuestion(question=QuestionRow(messages=()), documents=documents)


def test_the_questions_on_a_document_are_on_one_side() -> None:
    made = [
        question("a"),
        question("b"),
        question("a", "c"),
        question("c"),
        question("d"),
        question("e"),
        question("f"),
    ]
    split = split_by_document(made, 0.5, seed=1)
    sides: dict[str, set[str]] = {}
    for one, side in zip(made, split, strict=True):
        for document in one.documents:
            sides.setdefault(document, set()).add(side)
    assert all(len(found) == 1 for found in sides.values())
    assert sides["a"] == sides["c"]
    assert 2 <= split.count("tune") <= 5
    assert split_by_document([question("a"), question("a")], 0.5, seed=1) == ["held-out", "held-out"]
