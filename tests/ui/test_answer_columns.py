"""Several answers beside each other, and the line about what an answer cost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui import fake_tokens
from ui.features.chat import texts
from ui.features.chat.conversation.answer_columns import LEAST_WIDTH, AnswerColumns, describe_figures
from ui.features.chat.conversation.answer_view import AnswerView
from ui.features.chat.conversation.live_answer import LiveAnswer
from ui.features.chat.conversation.usage_line import UsageLine
from ui.theme.theme import Theme
from workbench.api.events import TextDelta
from workbench.records.answers import StoredMessage
from workbench.records.messages import Candidate, Usage
from workbench.records.methods import Methods
from workbench.records.recipes import DecodingPart, Recipe

TEXT = "The warranty runs for **36 months** from delivery [1]. Claims must be made in writing."


@pytest.fixture
def columns(qtbot: QtBot, theme: Theme) -> Iterator[AnswerColumns]:
    columns = AnswerColumns()
    qtbot.addWidget(columns)
    columns.resize(700, 100)
    columns.show()
    yield columns
    columns.close()


def test_columns_share_the_width_and_the_rest_stands_in_rows_below(qtbot: QtBot, columns: AnswerColumns) -> None:
    columns.show_answers(fake_tokens.sequences(TEXT, 2), 0, {1}, True, True)
    assert sum(column.width() for column in columns.columns) > 680
    columns.show_answers(fake_tokens.sequences(TEXT, 5), 0, {1}, True, True)
    assert [column.number for column in columns.columns] == [0, 1, 2, 3, 4]
    assert min(column.width() for column in columns.columns) >= LEAST_WIDTH
    first, second, third, _, last = columns.columns
    qtbot.waitUntil(lambda: third.y() > first.y() + first.height() and third.x() == first.x() < second.x())
    qtbot.waitUntil(lambda: last.geometry().bottom() < columns.height())
    assert columns.rect().contains(last.geometry())
    columns.resize(1200, columns.height())
    qtbot.waitUntil(lambda: third.y() == first.y() and third.geometry().right() < columns.width())


def test_the_strip_is_as_high_as_its_longest_answer(qtbot: QtBot, columns: AnswerColumns) -> None:
    columns.begin(2)
    columns.add_text(0, "Short.")
    qtbot.waitUntil(lambda: columns.columns[0].text.height() > 0)
    low = columns.height()
    columns.add_text(1, "A much longer answer that has many words in it. " * 20)
    qtbot.waitUntil(lambda: columns.height() > low + 200)
    for column in columns.columns:
        assert column.text.mapTo(columns, column.text.rect().bottomLeft()).y() < columns.height()


def test_each_column_says_how_its_answer_ended(columns: AnswerColumns) -> None:
    columns.show_answers(fake_tokens.sequences(TEXT, 5), 1, {1}, True, False)
    said = [column.finish.text() for column in columns.columns]
    assert said == ["ended", texts.CUT_OFF, texts.STOP_STRING, "complete", "stopped"]
    assert [column.kept_mark.isVisibleTo(column) for column in columns.columns] == [False, True, False, False, False]
    assert [column.keep_button.isVisibleTo(column) for column in columns.columns] == [True, False, True, True, True]
    assert [bool(column.property("selected")) for column in columns.columns] == [False, True, False, False, False]
    assert columns.columns[0].tokens_button.isHidden()
    assert "selected" in columns.columns[1].accessibleName()


def test_keep_and_tokens_tell_the_number_of_the_answer(columns: AnswerColumns) -> None:
    columns.show_answers(fake_tokens.sequences(TEXT, 2), 0, {1}, True, True)
    kept: list[int] = []
    looked: list[int] = []
    columns.keep_wanted.connect(kept.append)
    columns.tokens_wanted.connect(looked.append)
    QTest.mouseClick(columns.columns[1].keep_button, Qt.MouseButton.LeftButton)
    QTest.mouseClick(columns.columns[0].tokens_button, Qt.MouseButton.LeftButton)
    assert (kept, looked) == ([1], [0])


def test_figures_are_left_out_where_they_are_not_known() -> None:
    assert describe_figures(Candidate(text="x", score=-0.4213, tokens=64)) == "score -0.42 · 64 tokens"
    assert describe_figures(Candidate(text="x", tokens=1)) == "1 token"
    assert describe_figures(Candidate(text="x")) == ""


USAGE = Usage(
    prompt_tokens=520, cached_tokens=412, new_tokens=128, first_token_s=0.31, tokens_per_s=41.4,
    drafted_tokens=40, accepted_tokens=31,
)  # fmt: skip


@pytest.fixture
def line(qtbot: QtBot, theme: Theme) -> Iterator[UsageLine]:
    line = UsageLine()
    qtbot.addWidget(line)
    line.show()
    line.show_usage(USAGE)
    yield line
    line.close()


def test_with_room_the_line_says_all(line: UsageLine) -> None:
    line.resize(900, 18)
    assert line.text() == (
        "41 tokens/s · first token after 0.3 s · 128 tokens · 412 of 520 prompt tokens reused · "
        "31 of 40 draft tokens accepted"
    )
    assert line.text() == line.full_text == line.accessibleName()


def test_with_less_room_it_is_said_shorter_and_then_the_least_telling_goes(line: UsageLine) -> None:
    whole = line.full_text
    said = []
    for width in range(700, 40, -20):
        line.resize(width, 18)
        text = line.text()
        said.append(text)
        fits = line.fontMetrics().horizontalAdvance(text) <= width
        assert fits or text == "41 tokens/s …"
        assert text.startswith("41 tokens/s")
    assert "41 tokens/s · first token 0.3 s · 128 tokens · 412 of 520 reused · 31 of 40 draft tokens" in said
    assert said[-1] == "41 tokens/s …"
    assert line.full_text == whole
    assert "31 of 40 draft tokens were accepted" in line.toolTip()


def test_an_answer_without_a_token_costs_nothing_to_tell(line: UsageLine) -> None:
    line.show_usage(None)
    assert (line.text(), line.toolTip()) == ("", "")
    line.show_usage(Usage(prompt_tokens=12))
    assert line.text() == ""


def test_a_running_answer_tells_its_speed_and_what_is_left(qtbot: QtBot, theme: Theme) -> None:
    now = [100.0]
    recipe = Recipe(decoding=DecodingPart(max_tokens=64))
    live = LiveAnswer("m", "c", recipe, QApplication.instance(), lambda: now[0])  # type: ignore[arg-type]
    view = AnswerView(
        StoredMessage(id="m", chat="c", parent="q", role="assistant", text="", state="streaming", recipe=recipe),
        Methods(()),
    )
    qtbot.addWidget(view)
    view.resize(600, 200)
    view.show()
    live.pace_changed.connect(view.show_pace)
    live.take([TextDelta(text="It", tokens=1)])
    now[0] += 0.5
    live.take([TextDelta(text=" runs", tokens=2)])
    assert view.usage.full_text == ""  # too early to tell
    now[0] += 1.5
    height = view.sizeHint().height()
    live.take([TextDelta(text=" for", tokens=4), TextDelta(text=" quoted words")])
    assert view.usage.full_text == "1.5 tokens/s · at most 60 more tokens, 40 s"
    assert view.sizeHint().height() == height
    now[0] += 0.2
    live.take([TextDelta(text=" years", tokens=5)])
    assert view.usage.full_text.startswith("1.5")  # not more often than can be read
    now[0] += 7.8
    live.take([TextDelta(text=" and on", tokens=64)])
    assert view.usage.full_text == "6.3 tokens/s"
    ended = AnswerView(
        StoredMessage(id="m", chat="c", parent="q", role="assistant", text="It runs.", state="done"), Methods(())
    )
    qtbot.addWidget(ended)
    ended.show_pace(live.pace)  # what is late says nothing of an answer that has ended
    assert ended.usage.full_text == ""
