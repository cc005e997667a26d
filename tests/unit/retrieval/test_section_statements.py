"""What is kept of a section's summary in a model's own words."""

from __future__ import annotations

import msgspec
import pytest

from tests.fakes import document_text, passage
from workbench.techniques.retrieval.outline import read_outline, without_furniture
from workbench.techniques.retrieval.passages import passages_at
from workbench.techniques.retrieval.section_statements import (
    Kept,
    find_lead,
    is_statement,
    keep_statements,
    repeats_itself,
    shape_of,
)

SECTION = passage("The seal costs 12 euros. The rotor was made by Mrs Osei in Leeds. Oil the pump in spring.", n=3)


def kept(text: str, *, borne: bool = True, most: int = 0, before: frozenset[str] = frozenset()) -> list[str]:
    return [one.text for one in keep_statements(text, [SECTION], borne=borne, most=most, before=before)]


def test_statement_names_the_passage_that_bears_it() -> None:
    assert keep_statements("- The seal costs 12 euros.", [SECTION], borne=True) == [Kept("The seal costs 12 euros.", 3)]


@pytest.mark.parametrize(
    "said",
    ["The seal costs 95 euros.", "The seal", "Page 41.", "What does the seal cost?", "The seal costs 12 euros and"],
)
def test_what_is_no_statement_or_contradicts_the_section_is_dropped(said: str) -> None:
    assert kept(said) == []
    assert kept(said, borne=False) == []


def test_what_the_section_does_not_say_is_dropped_where_it_has_to_bear_it() -> None:
    said = "Readers should always think about machines carefully."
    assert kept(said) == []
    assert kept(said, borne=False) == [said]


def test_sentences_that_count_on_are_one() -> None:
    assert kept("Oil the pump in spring. Oil the pump in spring!", borne=False) == ["Oil the pump in spring."]
    assert shape_of("The page 41 of the pump.") == shape_of("The page 42 of the pump!")
    assert kept("Oil the pump in spring.", before=frozenset({"Oil the pump in spring!"})) == []


def test_statements_of_other_figures_are_kept_where_the_section_bears_them_out() -> None:
    section = passage("Room 1 costs 300 euros a month. Room 2 costs 400 euros a month.")
    said = "Room 1 costs 300 euros a month. Room 2 costs 400 euros a month. Room 3 costs 500 euros a month."
    for borne in (True, False):
        found = keep_statements(said, [section], borne=borne)
        assert [one.text for one in found] == ["Room 1 costs 300 euros a month.", "Room 2 costs 400 euros a month."]
    first = frozenset({"Room 1 costs 300 euros a month."})
    assert [one.text for one in keep_statements(said, [section], borne=True, before=first)] == [
        "Room 2 costs 400 euros a month."
    ]


def test_a_sentence_that_says_the_same_words_again_is_dropped() -> None:
    section = passage("The rowing club in short: 240 members, a boathouse and a coach.")
    said = "The club in short is the rowing club in short."
    assert keep_statements(said, [section], borne=False) == []


@pytest.mark.parametrize(
    "said",
    [
        "Members pay 30 euros a year and guests pay 45 euros a year.",
        "The office is open from Monday to Friday at 9 and from Monday to Thursday at 10.",
        "The association elects the chair of the board and the chair of the committee.",
    ],
)
def test_a_sentence_may_say_some_words_twice(said: str) -> None:
    assert not repeats_itself(said)


def test_best_borne_are_kept_in_their_order() -> None:
    said = "The pump is oiled by people every spring. The seal costs 12 euros. Oil the pump in spring."
    assert kept(said, most=2) == ["The seal costs 12 euros.", "Oil the pump in spring."]


def test_text_in_another_language_is_not_borne() -> None:
    assert kept("Die Dichtung ist ein wichtiges Teil der Pumpe und kostet sehr viel Geld.") == []


@pytest.mark.parametrize("said", ["泵的密封件价格是十二欧元。", "Die Dichtung kostet 12 Euro.", "It is old (1912)."])
def test_whole_sentences_are_statements(said: str) -> None:
    assert is_statement(said)


def test_lead_is_the_first_sentence_of_the_first_part_that_begins_in_the_passage() -> None:
    said = "The seal costs 12 euros. It is old."
    document = document_text(f"# One\n\n{said}\n\n# Two\n\n- oil\n- grease\n\nThe rotor is made of steel.")
    outline = read_outline(document)
    middle = document.text.index("It is old")
    passages = passages_at(document, [(0, middle), (middle, len(document.text))])
    leads = [find_lead(outline, one) for one in passages]
    assert [one.text for one in leads if one is not None] == ["The seal costs 12 euros.", "The rotor is made of steel."]


def test_headers_and_footers_of_office_files_are_furniture() -> None:
    text = "# Header\n\nPump manual\n\n# Use\n\nOil it.\n\n# Footer\n\nPage 1"
    plain = without_furniture(document_text(text))
    assert len(plain) == len(text)
    assert plain.split() == ["#", "Use", "Oil", "it."]


def test_a_price_list_with_dots_is_no_table_of_contents() -> None:
    text = "Coffee ........ 3\nTea ........... 2\nCake with cream ... . 14\n\nWe bake every morning and serve coffee.\n"
    assert without_furniture(document_text(text)) == text


def test_lines_of_a_table_of_contents_are_furniture() -> None:
    text = "1 Use ......... 3\n2 Care ........ 14\n\n# 1 Use\n\nOil it.\n\n# 2 Care\n\nKeep it dry.\n"
    assert without_furniture(document_text(text)).strip() == text[text.index("# 1") :].strip()


def test_forms_with_a_record_on_each_page_are_no_furniture() -> None:
    pages = [f"Invoice {n}\nCustomer {n * 7}\nTotal: {n * 120} euros\n" for n in range(1, 5)]
    starts = tuple(sum(map(len, pages[:n])) for n in range(4))
    document = msgspec.structs.replace(document_text("".join(pages)), page_starts=starts)
    assert without_furniture(document) == document.text
    assert read_outline(document)


def test_a_long_line_of_dots_is_read_at_once() -> None:
    text = f"Name {'.' * 100_000} 1\n\nOil it.\n"
    assert without_furniture(document_text(text)) == text
