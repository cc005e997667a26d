"""Rows of tables that an answer quotes are drawn as small tables; its text stays what it was."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from ui.components.markdown_blocks import Leaf, make_parser, parse
from ui.components.markdown_view import MarkdownView
from ui.components.prose import Prose
from ui.components.table_rows import rows_as_tables
from ui.components.table_view import TableView
from ui.theme.theme import Theme

COLUMNS = {2: ("Day", "Showroom", "Workshop")}


def leaves(text: str) -> list[Leaf]:
    return rows_as_tables(parse(text, make_parser()), COLUMNS)


def words(leaf: Leaf) -> list[list[str]]:
    return [["".join(span.text for span in cell) for cell in row] for row in leaf.rows]


def test_a_quoted_row_becomes_a_table_with_its_head() -> None:
    (table,) = leaves("Nr: K-01 | Art: Fräskopf | Platz: Schrank 3 [1]")
    assert table.kind == "table"
    assert words(table) == [["Nr", "Art", "Platz"], ["K-01", "Fräskopf", "Schrank 3 [1]"]]
    assert [span.cite for span in table.rows[1][-1]] == [0, 0, 1]


def test_a_row_without_names_has_those_of_what_it_cites() -> None:
    (table,) = leaves("Monday | closed | 7:00 - 16:15 [2]")
    assert words(table) == [["Day", "Showroom", "Workshop"], ["Monday", "closed", "7:00 - 16:15 [2]"]]
    (barred,) = leaves("| Monday | closed | 7:00 - 16:15 | [2]")
    assert words(barred)[1] == ["Monday", "closed", "7:00 - 16:15 [2]"]
    (line,) = leaves("Monday | closed | 7:00 - 16:15 [1]")
    assert line.kind == "paragraph"
    assert "".join(span.text for span in line.spans) == "Monday · closed · 7:00 - 16:15 [1]"


def test_the_sign_of_a_quoted_mail_is_no_part_of_a_row() -> None:
    (table,) = leaves("“> Wood: Elm | Price: 12” [1]")
    assert words(table) == [["Wood", "Price"], ["Elm", "12 [1]"]]


def test_words_around_rows_stay_and_rows_of_the_same_columns_are_one_table() -> None:
    found = leaves(
        "These are open:\nDay: Mo | Doors: 9 [1]\nDay: Tu | Doors: 10 [1]\nCome early.\n\n- Kind: A | Price: 3 [3]"
    )
    assert [leaf.kind for leaf in found] == ["paragraph", "table", "paragraph", "table"]
    assert words(found[1]) == [["Day", "Doors"], ["Mo", "9 [1]"], ["Tu", "10 [1]"]]
    assert words(found[3]) == [["Kind", "Price"], ["A", "3 [3]"]]


def test_code_and_words_without_bars_stay_untouched() -> None:
    plain = parse("Say `a | b` here.\n\nAnd on.", make_parser())
    assert rows_as_tables(plain, {}) == plain


def test_an_answer_that_grows_shows_no_bars_when_it_is_whole(qtbot: QtBot, theme: Theme) -> None:
    view = MarkdownView()
    qtbot.addWidget(view)
    text = "The row is:\n\nNr: K-01 | Art: Fräskopf [1]\n\nMonday | closed | 7:00 - 16:15 [2]"
    for start in range(0, len(text), 7):
        view.add(text[start : start + 7])
    view.finish()
    view.set_columns(COLUMNS)
    assert view.text == text
    shown = [segment.toPlainText() for segment in view.segments if isinstance(segment, Prose)]
    assert not [words for words in shown if "|" in words]
    assert [type(segment) for segment in view.segments] == [Prose, TableView, TableView]
