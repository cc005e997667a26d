"""Answers on the screen: growing, copied, cited; cheap while they grow."""

from __future__ import annotations

import time

from PySide6.QtGui import QFontMetricsF, QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot

from tests.ui.test_markdown_stream import SAMPLE
from ui.components.code_view import CodeView
from ui.components.highlighting import Highlighter
from ui.components.markdown_blocks import make_parser, parse
from ui.components.markdown_view import MarkdownView
from ui.components.prose import Prose
from ui.components.table_view import TableView
from ui.theme.theme import Theme


def make_view(qtbot: QtBot, width: int = 700) -> MarkdownView:
    view = MarkdownView()
    qtbot.addWidget(view)
    view.resize(width, 600)
    view.show()
    return view


def content(view: MarkdownView) -> list[tuple[str, str]]:
    found = []
    for segment in view.segments:
        text = segment.code if isinstance(segment, CodeView) else segment.toPlainText()  # type: ignore[attr-defined]
        found.append((type(segment).__name__, text))
    return found


def test_growing_shows_the_same_as_the_whole(qtbot: QtBot, theme: Theme) -> None:
    whole, growing = make_view(qtbot), make_view(qtbot)
    whole.set_text(SAMPLE, {1, 2, 3})
    growing.set_numbers({1, 2, 3})
    for start in range(0, len(SAMPLE), 5):
        growing.add(SAMPLE[start : start + 5])
    growing.finish()
    assert content(growing) == content(whole)
    assert growing.text == SAMPLE
    kinds = [type(segment) for segment in growing.segments]
    assert kinds.count(CodeView) == 3
    assert kinds.count(TableView) == 1


def test_what_a_quoted_text_underlines_is_no_heading(qtbot: QtBot, theme: Theme) -> None:
    whole, growing = make_view(qtbot), make_view(qtbot)
    text = "“Prices 2024\n=============\nOak 12” [1]\n\nRates\n-----\nJoiner 62\n"
    whole.set_text(text)
    for start in range(0, len(text), 5):
        growing.add(text[start : start + 5])
    growing.finish()
    assert content(growing) == content(whole) == [("Prose", "“Prices 2024\n\nOak 12” [1]\nRates\n\nJoiner 62")]
    assert [leaf.kind for leaf in parse(text, make_parser())] == [*["paragraph", "rule", "paragraph"] * 2]


def test_numbers_that_come_after_the_text_become_citations(qtbot: QtBot, theme: Theme) -> None:
    whole, late = make_view(qtbot), make_view(qtbot)
    text = "The first quotation. [1]\n\nThe second one. [1]\n"
    whole.set_text(text, {1})
    late.add(text[:30])
    late.set_numbers({1})
    late.add(text[30:])
    late.set_text(text, {1})
    shown = [[segment.toHtml() for segment in view.segments if isinstance(segment, Prose)] for view in (late, whole)]
    assert "cite:1" in shown[1][0]
    assert shown[0] == shown[1]


def test_finished_blocks_are_not_touched_again(qtbot: QtBot, theme: Theme) -> None:
    view = make_view(qtbot)
    view.add("First paragraph.\n\n```py\na = 1\n```\n\nThird")
    prose, code = view.segments[0], view.segments[1]
    assert isinstance(prose, Prose)
    changes: list[int] = []
    prose.document().contentsChange.connect(lambda *_: changes.append(1))
    view.add(" paragraph grows.\n\nAnd a fourth.")
    view.finish()
    assert view.segments[0] is prose
    assert view.segments[1] is code
    assert changes == []


def test_a_citation_that_exists_is_a_link_and_others_are_text(qtbot: QtBot, theme: Theme) -> None:
    view = make_view(qtbot)
    view.set_text("Covered [1], not [7].", {1})
    (prose,) = view.segments
    assert isinstance(prose, Prose)
    assert "cite:1" in prose.document().toHtml()
    assert "cite:7" not in prose.document().toHtml()
    with qtbot.waitSignal(view.citation_clicked) as clicked:
        prose.anchorClicked.emit("cite:1")
    assert clicked.args == [1]


def test_html_is_text_and_no_picture_is_fetched(qtbot: QtBot, theme: Theme) -> None:
    view = make_view(qtbot)
    view.set_text('<img src="http://example.org/a.png"><b>bold</b> ![pic](http://example.org/b.png)')
    ((_, text),) = content(view)
    assert text == '<img src="http://example.org/a.png"><b>bold</b> pic'
    prose = view.segments[0]
    assert isinstance(prose, Prose)
    assert "<img" not in prose.document().toHtml()


def test_code_is_copied_without_its_fences(qtbot: QtBot, theme: Theme) -> None:
    view = make_view(qtbot)
    view.set_text("```python\nprint('ä')\n```")
    (code,) = view.segments
    assert isinstance(code, CodeView)
    code.copy_button.click()
    assert QGuiApplication.clipboard().text() == "print('ä')"
    assert code.copy_button.text() == "Copied"


def test_code_gets_its_colours_in_slices(qtbot: QtBot, theme: Theme) -> None:
    view = make_view(qtbot)
    view.set_text("```python\n" + "def f(x):  # ümlaut 😀\n    return 'text'\n" * 600 + "```")
    (code,) = view.segments
    assert isinstance(code, CodeView)
    qtbot.waitUntil(lambda: not code.highlighter.busy, timeout=20_000)
    first, last = code.body.document().firstBlock(), code.body.document().lastBlock()
    assert first.layout().formats()
    assert last.layout().formats()


def test_a_text_may_become_another_one_while_it_is_coloured(qtbot: QtBot, theme: Theme) -> None:
    text = QPlainTextEdit()
    qtbot.addWidget(text)
    highlighter = Highlighter(text.document(), text)
    for lines in (20_000, 30_000, 40_000):
        text.setPlainText('{"a": 1},\n' * lines)
        highlighter.run("json")
        assert highlighter.busy
        text.setPlainText("none of that\n" * 9_000)
        text.setPlainText("{}")
        qtbot.waitUntil(lambda: not highlighter.busy, timeout=20_000)
        assert not text.document().firstBlock().layout().formats()  # the colours of a longer line are not its own


def test_a_wide_view_is_lower_than_a_narrow_one(qtbot: QtBot, theme: Theme) -> None:
    view = make_view(qtbot, 700)
    view.set_text("Many words in one paragraph. " * 40)
    (prose,) = view.segments
    qtbot.waitUntil(lambda: prose.width() > 600)
    before = prose.height()
    view.resize(300, 600)
    qtbot.waitUntil(lambda: prose.height() > 1.5 * before)


def test_lines_are_one_and_a_half_of_the_size_of_their_letters_apart(qtbot: QtBot, theme: Theme) -> None:
    view = make_view(qtbot)
    view.set_text("Many words in one paragraph. " * 20)
    (prose,) = view.segments
    assert isinstance(prose, Prose)
    layout = prose.document().firstBlock().layout()
    steps = [layout.lineAt(line + 1).y() - layout.lineAt(line).y() for line in range(layout.lineCount() - 1)]
    assert len(steps) >= 2
    least = max(QFontMetricsF(prose.currentCharFormat().font()).height(), 1.5 * theme.reading_size)
    assert all(abs(step - least) <= 2 for step in steps)


def test_a_number_of_two_digits_stands_clear_of_its_words(qtbot: QtBot, theme: Theme) -> None:
    view = make_view(qtbot)
    view.set_text("9. nine\n10. ten\n")
    (prose,) = view.segments
    assert isinstance(prose, Prose)
    numbers, words = [], []
    for line in range(2):
        block = prose.document().findBlockByNumber(line)
        tab = block.text().index("\t")
        for places, at in ((numbers, tab), (words, tab + 1)):
            place = block.layout().lineAt(0).cursorToX(at)
            places.append(place[0] if isinstance(place, tuple) else place)
    assert words[0] == words[1]
    assert words[1] - numbers[1] >= 3


def test_a_step_stays_cheap_in_a_long_answer(qtbot: QtBot, theme: Theme) -> None:
    """Steps at 20,000 characters cost about what they cost at 2,000: what is finished costs nothing."""
    view = make_view(qtbot)
    paragraph = "A sentence with **bold words** and a source [1]. " * 6 + "\n\n"
    costs: list[float] = []
    for _ in range(66):
        for start in range(0, len(paragraph), 75):
            began = time.process_time()
            view.add(paragraph[start : start + 75])
            costs.append(time.process_time() - began)
    assert len(view.text) > 19_000
    early, late = sorted(costs[20:60]), sorted(costs[-40:])
    assert late[len(late) // 2] < 0.010
    assert late[len(late) // 2] < 4 * early[len(early) // 2] + 0.002


def test_a_change_of_theme_repaints_what_is_there(qtbot: QtBot, theme: Theme) -> None:
    view = make_view(qtbot)
    view.set_text(SAMPLE, {1, 2, 3})
    before = content(view)
    light = view.segments[0].document().toHtml()  # type: ignore[attr-defined]
    theme.choose("dark")
    try:
        assert content(view) == before
        assert view.segments[0].document().toHtml() != light  # type: ignore[attr-defined]
    finally:
        theme.choose("light")


def test_the_last_line_of_a_code_block_is_in_sight(qtbot: QtBot, theme: Theme) -> None:
    view = make_view(qtbot)
    view.set_text("```json\n{\n" + '  "a": 1,\n' * 20 + "}\n```")
    code = view.segments[0]
    assert isinstance(code, CodeView)
    assert code.body.blockCount() == 22
    qtbot.waitUntil(lambda: code.body.viewport().height() > 100)
    assert code.body.verticalScrollBar().maximum() == 0
