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
        read("rules", "Quiet hours at night: 22 to 6\nBulky waste: every March\nThe laundry costs 2 euros a token."),
        read(
            "merkblatt",
            "Längster Aufenthalt: 10 Nächte\nKaution für Gäste: 80 €\nDie Reinigung kostet 30 €.",
            language="de",
        ),
        read("aushang", "Abholung von Sperrmüll: im März\nDie Tür ist nachts zu.", language="de"),
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
        key = one.question.text.split("“" if "“" in one.question.text[:20] else "„")[2].split("”")[0].split("“")[0]
        [document] = one.documents
        assert key not in texts[document]
    same = [read("one", "Surplus of the year: EUR 5"), read("two", "The surplus of that year was high.")]
    assert all(one.question.answerable for one in make_questions(same, 10, seed=0))


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
