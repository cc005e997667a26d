"""The rows of the history: titles of at most two lines, rows as high as their lines."""

from __future__ import annotations

import itertools

from PySide6.QtGui import QFont, QFontMetrics
from pytestqt.qtbot import QtBot

from ui.features.chat.history.chat_list import HistoryPanel
from ui.features.chat.history.titles import LINE_END, two_lines
from ui.theme.theme import Theme
from workbench.subjects.chats.calls import ChatRecord


def chat(id: str, title: str, folder: str = "") -> ChatRecord:
    return ChatRecord(id=id, title=title, created=0.0, updated=0.0, head=None, folder=folder)


def test_a_long_title_ends_in_its_second_line(qtbot: QtBot, theme: Theme) -> None:
    font = QFont()
    assert two_lines("Short", font, 200) == "Short"
    first, second = two_lines("The warranty of a new pump " * 5, font, 200).split(LINE_END)
    assert first.startswith("The warranty")
    assert second.endswith("…")
    assert max(QFontMetrics(font).horizontalAdvance(line) for line in (first, second)) <= 200
    first, second = two_lines("The warranty of a new pump is short", font, 200).split(LINE_END)
    assert f"{first} {second}" == "The warranty of a new pump is short"
    assert two_lines("", font, 0) == ""


def test_rows_of_as_many_lines_are_equally_high_at_every_width(qtbot: QtBot, theme: Theme) -> None:
    panel = HistoryPanel()
    qtbot.addWidget(panel)
    titles = ["One", "Two", *(f"Which rules must a patient follow after getting {n}?" for n in "abcdefg")]
    chats = [chat(str(number), title, "Pumps" if number % 3 == 0 else "") for number, title in enumerate(titles)]
    panel.show_chats(chats, None, ("Pumps",))
    theme.dress(panel)
    panel.show()
    for width in (180, 260, 420):
        panel.resize(width, 600)
        heights: dict[int, set[int]] = {}
        for row in range(panel.model.rowCount()):
            index = panel.model.index(row)
            if panel.model.chat_at(index) is not None:
                height = panel.list.visualRect(index).height()
                room = panel.list.viewport().width()
                assert panel.list.visualRect(index).right() <= room
                heights.setdefault(height, set()).add(row)
        assert len(heights) <= 2, f"one height for one line, one for two: {heights}"
        last = panel.model.index(panel.model.rowCount() - 1)
        panel.list.scrollTo(last)
        picture = panel.list.viewport().grab(panel.list.visualRect(last)).toImage()
        paper = picture.pixelColor(0, 0)
        inked = [
            any(picture.pixelColor(x, y) != paper for x in range(picture.width())) for y in range(picture.height())
        ]
        lines = sum(now and not before for before, now in itertools.pairwise([False, *inked]))
        assert lines == (1 if width == 420 else 2), "all lines are drawn"
