"""The painted tokens: where each stands, the mouse, the keyboard, the alternatives, other tokens chosen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.ui import fake_tokens
from ui.components.recipe import texts as recipe_texts
from ui.features.chat.traces.token_text import TokenText
from ui.theme.theme import Theme
from workbench.records.messages import ChosenToken

TEXT = "The warranty runs for 36 months.\nClaims must be made in writing, at once."


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> Iterator[TokenText]:
    window = QWidget()
    column = QVBoxLayout(window)
    made = TokenText(window)
    column.addWidget(made)
    column.addStretch(1)
    qtbot.addWidget(window)
    window.resize(500, 600)
    window.show()
    window.activateWindow()
    made.show_tokens(fake_tokens.tokens_of(TEXT))
    qtbot.waitUntil(lambda: made.width() > 400)
    yield made
    window.close()


def index_of(text: str) -> int:
    return fake_tokens.split(TEXT).index(text)


def plain(text: str) -> ChosenToken:
    return ChosenToken(token=1, text=text, logprob=-0.1)


def test_each_token_is_found_where_it_stands(view: TokenText) -> None:
    for index in range(len(fake_tokens.split(TEXT))):
        box = view.box_of(index)
        assert box.width() > 0
        assert view.token_at(box.center()) == index
    assert view.token_at(QPoint(5, view.height() + 20)) is None
    assert view.token_at(QPoint(view.width() - 1, 5)) is None
    claims, runs = view.box_of(index_of("Claims")), view.box_of(index_of(" runs"))
    assert claims.top() > runs.top()  # after the line break
    assert claims.left() == 0


def test_characters_beyond_the_first_plane_move_nothing(view: TokenText) -> None:
    view.show_tokens([plain("a"), plain(" \N{ROCKET}\N{ROCKET}"), plain(""), plain(" ж"), plain("\n"), plain("b")])
    boxes = [view.box_of(index) for index in range(6)]
    assert all(box.width() > 0 for box in boxes)
    assert [view.token_at(box.center()) for box in boxes] == [0, 1, 2, 3, 4, 5]
    assert boxes[5].top() > boxes[4].top()


def test_a_thousand_tokens_are_one_widget_and_wrap_anew_with_the_width(view: TokenText) -> None:
    words = fake_tokens.tokens_of("Water is lifted from the well by the pump. " * 100)
    assert len(words) >= 1_000
    view.show_tokens(words)
    assert view.findChildren(QWidget) == []
    tall = view.height()
    view.window().resize(900, 600)
    assert view.height() < tall
    box = view.box_of(999)
    assert view.token_at(box.center()) == 999


def test_the_mouse_resting_on_a_token_shows_its_alternatives(qtbot: QtBot, view: TokenText) -> None:
    months = index_of(" months")
    QTest.mouseMove(view, view.box_of(months).center())
    qtbot.waitUntil(lambda: view.current == months)
    popover = view.popover
    assert popover is not None
    assert popover.title.startswith("·months")
    shares = [row.logprob for row in popover.rows.alternatives]
    assert shares == sorted(shares, reverse=True)
    assert popover.parentWidget() is view.window()
    assert popover.geometry().top() >= view.mapTo(view.window(), view.box_of(months).bottomLeft()).y()
    QTest.mouseMove(view, QPoint(view.width() - 2, view.height() - 2))
    qtbot.waitUntil(lambda: view.popover is None)


def test_clicking_an_alternative_tells_the_place_and_the_token(qtbot: QtBot, view: TokenText) -> None:
    months = index_of(" months")
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.box_of(months).center())
    popover = view.popover
    assert popover is not None
    rows = popover.rows
    chosen = fake_tokens.tokens_of(TEXT)[months]
    row = next(n for n, other in enumerate(rows.alternatives) if other.token != chosen.token)
    standing = next(n for n, other in enumerate(rows.alternatives) if other.token == chosen.token)
    height = rows.height() // len(rows.alternatives)
    told: list[tuple[int, int]] = []
    view.branch_wanted.connect(lambda place, token: told.append((place, token)))
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=QPoint(20, standing * height + height // 2))
    assert told == []  # it stands there already
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=QPoint(20, row * height + height // 2))
    assert told == [(months, rows.alternatives[row].token)]
    assert view.popover is None


def test_the_keyboard_goes_along_the_tokens_and_chooses_another(qtbot: QtBot, view: TokenText) -> None:
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.current == 1
    assert "warranty" in view.accessibleDescription()
    QTest.keyClick(view, Qt.Key.Key_End)
    QTest.keyClick(view, Qt.Key.Key_Left)
    last = len(fake_tokens.split(TEXT)) - 1
    assert view.current == last - 1
    told: list[tuple[int, int]] = []
    view.branch_wanted.connect(lambda place, token: told.append((place, token)))
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert told == []  # none was picked yet
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Down)
    popover = view.popover
    assert popover is not None
    picked = popover.rows.alternatives[popover.rows.selected or 0]
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert told == [(last - 1, picked.token)]


def test_escape_closes_the_alternatives(view: TokenText) -> None:
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.popover is not None
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.popover is None
    assert view.current is None


def test_what_could_come_next_stands_at_the_end(view: TokenText) -> None:
    words = fake_tokens.tokens_of(TEXT)
    view.show_tokens(words[3:], fake_tokens.what_comes_next(), first=3)
    told: list[tuple[int, int]] = []
    view.branch_wanted.connect(lambda place, token: told.append((place, token)))
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_End)
    assert view.popover is not None
    assert view.popover.title == recipe_texts.NEXT_TOKEN
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert told == [(len(words), fake_tokens.what_comes_next().alternatives[0].token)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_improbable_tokens_are_tinted(view: TokenText, theme: Theme, scheme: str) -> None:
    theme.choose("dark" if scheme == "dark" else "light")
    words = fake_tokens.tokens_of(TEXT)
    sure = next(n for n, word in enumerate(words) if word.logprob > -0.1)
    rare = next(n for n, word in enumerate(words) if word.logprob < -3)
    picture = view.grab().toImage()
    corner = QPoint(2, 4)
    background = picture.pixelColor(view.box_of(sure).topLeft() + corner)
    tinted = picture.pixelColor(view.box_of(rare).topLeft() + corner)
    assert tinted != background
