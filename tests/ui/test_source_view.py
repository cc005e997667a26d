"""Documents drawn as what they are, with a passage marked, and the bar that finds words in them."""

from __future__ import annotations

from itertools import pairwise
from textwrap import wrap

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.fake_home import FakeHome
from tests.ui.test_documents_page import DocumentsPage, document, page  # noqa: F401
from ui import texts
from ui.components.source.view import SourceView
from ui.theme.theme import Theme
from workbench.records.document_blocks import DocumentBlocks
from workbench.records.tables import DocumentTable, TableColumn, TableRow

TABLE = "Day: Monday | Doors: 9:00\nDay: Tuesday | Doors: 10:00\nDay: Friday | Doors: closed"


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> SourceView:
    shown = SourceView()
    qtbot.addWidget(shown)
    shown.resize(520, 400)
    shown.show()
    return shown


def test_marks_of_structure_are_drawn_and_not_written(view: SourceView) -> None:
    text = f"# Visits\n\nWe are **open** on `three` days.\n\n{TABLE}\n\n- Ring twice\n- See [the map](map.png)\n"
    view.show_blocks(DocumentBlocks(text, "markdown"))
    drawn = view.drawn_text()
    assert [block.kind for block in view.blocks.blocks] == [
        "heading", "paragraph", "head", "row", "row", "row", "item", "item",
    ]  # fmt: skip
    assert drawn.splitlines()[:2] == ["Visits", "We are open on three days."]
    assert not any(sign in drawn for sign in ("#", "**", "`", "|", "](", "Day:"))


def test_a_passage_far_down_is_marked_and_brought_into_sight(view: SourceView) -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "Words of it go on and on. " * 12 for number in range(2_000))
    view.show_blocks(DocumentBlocks(text, "docx"))
    start = text.index("Paragraph 1777.")
    view.show_passage(start, start + 15)
    assert view.marked == [("mark", "Paragraph 1777.")]
    assert 0 <= view.rectangle_of(start).top() <= view.viewport().height()
    before = view.rectangle_of(start).top()
    view.zoom_by(1)
    view.zoom_by(1)
    assert view.zoom > 1.2
    assert 0 <= view.rectangle_of(start).top() <= view.viewport().height()
    view.resize(300, 400)
    assert 0 <= view.rectangle_of(start).top() <= view.viewport().height()
    assert before > 0


def test_only_what_is_near_is_laid_out(view: SourceView) -> None:
    rows = "\n".join(f"Nr: {number} | Name: Part {number} | Price: {number * 3}" for number in range(50_000))
    view.show_blocks(DocumentBlocks(rows, "csv"))
    assert len(view.blocks.blocks) == 50_001
    assert len(view._drawn) < 200
    start = rows.index("Part 43210")
    view.show_passage(start, start + 10)
    assert 0 <= view.rectangle_of(start).top() <= view.viewport().height()
    assert len(view._drawn) < 500


def test_offsets_hold_behind_characters_that_qt_counts_twice(view: SourceView) -> None:
    words = "😀 first 😀😀 line.\n\nThe wanted passage 😀 is here."
    view.show_blocks(DocumentBlocks(words, "text"))
    start = words.index("wanted")
    view.show_passage(start, start + len("wanted passage 😀"))
    assert view.marked == [("mark", "wanted passage 😀")]
    for offset in [*range(16), *range(start, len(words))]:
        place = view.rectangle_of(offset)
        assert view.offset_at(QPointF(place.left() + 0.5, place.center().y())) == offset


def test_selected_words_are_copied_as_they_are_drawn(view: SourceView) -> None:
    text = f"## Opening\n\nWe are **open** now.\n\n{TABLE}"
    view.show_blocks(DocumentBlocks(text, "markdown"))
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text().splitlines()
    assert copied[:2] == ["Opening", "We are open now."]
    assert copied[-1] == "Friday\tclosed"
    place = view.rectangle_of(text.index("open**"))
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place.center().toPoint())
    assert view.selected_text() == "open"


def test_the_numbers_of_rows_are_those_of_the_sheet(view: SourceView) -> None:
    text = "# Rates\n\nAs of May\nKind | Price\nA | 10\nB | 20"
    rows = tuple(
        TableRow(cells=(kind, price), number=number, start=text.index(f"{kind} | {price}"), end=text.index(price) + 2)
        for kind, price, number in (("A", "10", 4), ("B", "20", 5))
    )
    columns = (TableColumn(name="Kind"), TableColumn(name="Price", kind="number"))
    blocks = DocumentBlocks(text, "xlsx", tables=(DocumentTable(columns=columns, rows=rows, name="Rates"),))
    view.show_blocks(blocks)
    assert [(block.kind, block.number) for block in blocks.blocks] == [
        ("heading", 0), ("paragraph", 0), ("head", 0), ("row", 4), ("row", 5),
    ]  # fmt: skip
    assert [cell.words for cell in blocks.cells(4)] == ["B", "20"]
    assert view.drawn_text() == "Rates\nAs of May\nKind\nPrice\nA\n10\nB\n20"


def test_paragraphs_stand_apart_and_lines_below_each_other(view: SourceView) -> None:
    text = "A paragraph that is long enough to be broken at this width of the view. " * 3 + "\n\nAnother one."
    view.show_blocks(DocumentBlocks(text, "docx"))
    tops = [view.rectangle_of(offset).top() for offset in range(0, len(text), 20)]
    assert tops == sorted(tops)
    steps = {round(after - before) for before, after in pairwise(sorted(set(tops)))}
    assert min(steps) >= view._look.step


def test_entries_on_lines_of_their_own_stay_apart_and_broken_lines_are_joined(view: SourceView) -> None:
    entries = [f"mon {day}.11. 8.{day} " + "The caller wants " + "a van, a lorry, " * (2 + day) for day in range(1, 7)]
    view.show_blocks(DocumentBlocks("\n".join(entries), "text"))
    tops = {view.rectangle_of("\n".join(entries).index(entry)).left() for entry in entries}
    assert len(tops) == 1
    words = "The seal roll is locked with Agnieszka and every seal number is written in the book of the week. " * 4
    broken = "\n".join(wrap(words, 72))
    view.show_blocks(DocumentBlocks(broken, "text"))
    assert [line for line in view._block(0).taken(0, len(broken)).split("\n") if line] == [words.strip()]


def test_no_word_of_a_wide_table_is_broken(view: SourceView) -> None:
    names = ("Department", "Responsibility", "Representative", "Appointment", "Correspondence")
    rows = "\n".join(" | ".join(f"{name}: {name.lower()}{n}" for name in names) for n in range(4))
    view.resize(300, 400)
    view.show_blocks(DocumentBlocks(rows, "docx"))
    assert view.horizontalScrollBar().maximum() > 0
    for name in names:
        start = rows.index(f"{name.lower()}2")
        assert view.rectangle_of(start).top() == view.rectangle_of(start + len(name)).top()


@pytest.fixture
def long_text(home: FakeHome, page: DocumentsPage) -> str:  # noqa: F811
    text = "# Pump\n\nThe pump is **new**.\n\nThe PUMP  room.\n\nNo more of it.\n\nOne last pump."
    made = home.put_document(next(iter(home.collections)), "/papers/pump.md", text)
    start = text.index("No more")
    page.open_document(made, start, start + 7)
    return text


def test_words_are_found_with_their_count_and_one_goes_from_match_to_match(
    qtbot: QtBot,
    page: DocumentsPage,  # noqa: F811
    long_text: str,
) -> None:
    pane = page.parts.pane
    qtbot.waitUntil(lambda: pane.text.passage is not None)
    pane.text.setFocus()
    QTest.keyClick(pane.text, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(pane.find_bar.isVisible)
    QTest.keyClicks(pane.find_bar.field, "pump")
    qtbot.waitUntil(lambda: pane.find_bar.count.text() == texts.MATCH_OF.format(number=4, count=4))
    assert long_text[slice(*pane._matches[pane._match])] == "pump"  # the first one behind the passage
    QTest.keyClick(pane.find_bar.field, Qt.Key.Key_Return)
    assert pane.find_bar.count.text() == texts.MATCH_OF.format(number=1, count=4)
    QTest.keyClick(pane.find_bar.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert pane.find_bar.count.text() == texts.MATCH_OF.format(number=4, count=4)
    pane.find_bar.field.setText("is new")
    qtbot.waitUntil(lambda: pane.find_bar.count.text() == texts.MATCH_OF.format(number=1, count=1))
    pane.find_bar.field.setText("pumpkin")
    qtbot.waitUntil(lambda: pane.find_bar.count.text() == texts.NO_MATCH)
    QTest.keyClick(pane.find_bar.field, Qt.Key.Key_Escape)
    assert not pane.find_bar.isVisible()
    assert page.parts.shows_document


def test_a_file_opens_as_its_text_with_its_chunks(qtbot: QtBot, page: DocumentsPage, home: FakeHome) -> None:  # noqa: F811
    manual = document(page, "AquaLift-300-manual.md")
    page.open_document(manual)
    text = page.parts.pane.text
    qtbot.waitUntil(lambda: text.blocks.text == home.texts[manual.id])
    assert "#" not in text.drawn_text()


def test_a_file_that_is_gone_is_not_opened_and_said_to_be(qtbot: QtBot, page: DocumentsPage, long_text: str) -> None:  # noqa: F811
    pane = page.parts.pane
    qtbot.waitUntil(lambda: pane.text.passage is not None)
    pane.original.click()
    assert pane.note.text == texts.ORIGINAL_GONE.format(path="/papers/pump.md")
