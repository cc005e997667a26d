"""Every page can be used with the keyboard and read out: names on all controls, a visible focus, a way by Tab."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QShortcut, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QLabel,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.conftest import settle
from tests.ui.fake_adapters import furnish_adapters
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import running_ingest
from tests.ui.fake_ladder import furnish_ladder
from ui.bridge import Bridge
from ui.components.basics import IconButton, InlineMessage, PlainButton
from ui.features import PAGES, WELCOME
from ui.features.chat.conversation.answer_view import AnswerView
from ui.features.chat.page import ChatPage
from ui.shell import Shell
from ui.shortcuts import ShortcutList, keys_of
from ui.theme.theme import Theme
from workbench import calls as c

NAMES = [
    entry.name for entry in (*PAGES, WELCOME) if importlib.util.find_spec(entry.entry.partition(":")[0]) is not None
]


@pytest.fixture
def frame(qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path) -> Iterator[Shell]:
    running_ingest(front.home)
    running_ingest(front.home, state="interrupted", title="Add 3 files")
    shell = Shell(Bridge(front), tmp_path / "window.ini")
    shell.show()
    shell.start("models")
    qtbot.waitUntil(lambda: shell._bridge.status is not None)
    yield shell
    shell.close()
    shell.deleteLater()


def named(widget: QWidget) -> bool:
    # Qt tells a button's or a label's text as its name
    text = widget.text() if isinstance(widget, QAbstractButton | QLabel) else ""
    return bool(widget.accessibleName() or text)


def described(widget: QWidget) -> str:
    parents = []
    above: QWidget | None = widget
    while above is not None and len(parents) < 4:
        parents.append(type(above).__name__)
        above = above.parentWidget()
    return " in ".join(parents)


def focusable(root: QWidget) -> list[QWidget]:
    found = [w for w in root.findChildren(QWidget) if w.focusPolicy() != Qt.FocusPolicy.NoFocus]
    return [w for w in found if w.isVisibleTo(root) and w.focusProxy() is None and not w.objectName().startswith("qt_")]


@pytest.mark.parametrize("name", NAMES)
def test_each_control_has_a_name(frame: Shell, qtbot: QtBot, front: FakeFront, name: str) -> None:
    frame.open_page(name)
    frame.show_runs()
    page = frame.made_page(name)
    assert page is not None
    front.wait_idle()
    qtbot.waitUntil(lambda: bool(focusable(page)))
    assert [described(widget) for widget in focusable(frame) if not named(widget)] == []


@pytest.mark.parametrize("name", NAMES)
def test_tab_reaches_each_button(frame: Shell, qtbot: QtBot, front: FakeFront, name: str) -> None:
    frame.open_page(name)
    front.wait_idle()
    frame.activateWindow()
    qtbot.waitUntil(frame.isActiveWindow)
    wanted = {
        w
        for w in focusable(frame)
        if w.isEnabled() and w.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(w, QAbstractScrollArea)
        if not (isinstance(w, QRadioButton) and not w.isChecked())  # one stop for them all: arrows go through them
    }
    reached: set[QWidget] = set()
    for _ in range(4 * len(focusable(frame)) + 20):
        now = QApplication.focusWidget()
        if now is not None:
            reached.add(now)
        if not frame.focusNextPrevChild(True):
            break
    assert [described(widget) for widget in wanted - reached] == []


def test_tab_comes_round_through_the_frame_the_history_and_the_answer(
    frame: Shell, qtbot: QtBot, front: FakeFront
) -> None:
    chat = next(one for one in front.home.chats.values() if one.title == "How long is the warranty?")
    frame.open_page("chat", chat=chat.id)
    page = frame.made_page("chat")
    assert isinstance(page, ChatPage)
    qtbot.waitUntil(lambda: any(isinstance(view, AnswerView) for view in page.parts.conversation.views))
    qtbot.waitUntil(lambda: page.parts.conversation.views[-1].isVisible())
    frame.activateWindow()
    qtbot.waitUntil(frame.isActiveWindow)
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
        page.parts.composer.field.setFocus()
        reached: list[str] = []
        for _ in range(200):
            QTest.keyClick(QApplication.focusWidget(), key)
            now = QApplication.focusWidget()
            assert now is not None
            if now is page.parts.composer.field:
                break
            reached.append(now.accessibleName() or str(now.property("text") or ""))
        words = {"New chat", "Copy answer", "Documents"}  # in the history, below the answer, in the navigation
        assert words <= set(reached)
        assert now is page.parts.composer.field


def test_a_button_that_cannot_be_used_says_why(frame: Shell, qtbot: QtBot) -> None:
    for name in NAMES:
        frame.open_page(name)
    frame.open_page("models", add=True)
    off = [b for b in frame.findChildren(QAbstractButton) if not b.isEnabled() and b.isVisible()]
    assert off
    assert [described(button) for button in off if not button.toolTip()] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_focus_can_be_seen(frame: Shell, qtbot: QtBot, theme: Theme, scheme: str) -> None:
    theme.choose("dark" if scheme == "dark" else "light")
    frame.open_page("models")
    frame.activateWindow()
    qtbot.waitUntil(frame.isActiveWindow)
    buttons = [b for b in focusable(frame) if isinstance(b, QAbstractButton) and b.isVisible()]
    assert len(buttons) > 8
    unchanged = []
    for button in buttons:
        button.clearFocus()
        without = button.grab().toImage()
        button.setFocus(Qt.FocusReason.TabFocusReason)
        if button.grab().toImage() == without:
            unchanged.append(described(button))
    assert unchanged == []


def test_every_key_is_in_the_list_of_keys(frame: Shell, qtbot: QtBot) -> None:
    for name in NAMES:
        frame.open_page(name)
    keys = {QKeySequence(key) for part in keys_of(frame.pages).values() for key, _ in part}
    used = {shortcut.key() for shortcut in frame.findChildren(QShortcut)}
    assert used <= keys
    typed = {
        QKeySequence(key)
        for key in ("Return", "Shift+Return", "Esc", "F2", "Del", "Ins", "Ctrl++", "Ctrl+-", *"JKTBERSU")
    }  # by the widgets themselves
    assert keys - used <= typed
    QTest.keyClick(frame, Qt.Key.Key_F1)
    [shown] = frame.findChildren(ShortcutList)
    qtbot.waitUntil(shown.isVisible)
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    assert not shown.isVisible()


@pytest.mark.parametrize("name", NAMES)
def test_no_page_is_wider_than_the_smallest_window(frame: Shell, qtbot: QtBot, front: FakeFront, name: str) -> None:
    furnish_adapters(front.home)
    furnish_ladder(front.home)
    frame.resize(frame.minimumSize())
    frame.open_page(name)
    settle(frame._bridge, qtbot)
    areas = [area for area in frame.findChildren(QScrollArea) if area.isVisible()]
    assert [described(area) for area in areas if area.horizontalScrollBar().maximum() > 0] == []


@pytest.mark.parametrize("name", NAMES)
def test_enter_presses_the_buttons(frame: Shell, qtbot: QtBot, front: FakeFront, name: str) -> None:
    frame.open_page(name)
    settle(frame._bridge, qtbot)
    deaf = [described(button) for button in frame.findChildren(QPushButton) if not button.autoDefault()]
    assert deaf == []


@pytest.mark.parametrize("name", NAMES)
def test_a_wheel_over_a_list_of_choices_scrolls_the_page(frame: Shell, qtbot: QtBot, name: str) -> None:
    frame.open_page(name)
    qtbot.waitUntil(lambda: frame._bridge.home.listing(c.ListModels()).value is not None)
    changed = []
    for box in frame.findChildren(QComboBox):
        box.setFocus()
        before = box.currentIndex()
        for turn in (QPoint(0, 120), QPoint(0, -120)):
            centre = QPointF(box.rect().center())
            wheel = QWheelEvent(
                centre, centre, QPoint(), turn, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(box, wheel)
            if wheel.isAccepted() or box.currentIndex() != before:
                changed.append(described(box))
    assert changed == []


@pytest.mark.parametrize("make", [lambda: PlainButton("Go"), lambda: IconButton("close", "Close")])
@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_a_button_is_pressed_once(qtbot: QtBot, theme: Theme, make: Callable[[], QAbstractButton], key: Qt.Key) -> None:
    button = make()
    qtbot.addWidget(button)
    button.show()
    button.activateWindow()
    button.setFocus()
    qtbot.waitUntil(button.hasFocus)
    pressed: list[bool] = []
    button.clicked.connect(lambda: pressed.append(True))
    QTest.keyClick(button, key)
    assert pressed == [True]


@pytest.mark.parametrize("end", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_a_question_in_a_panel_is_left_with_the_keyboard(qtbot: QtBot, theme: Theme, end: Qt.Key) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    column = QVBoxLayout(box)
    asker, message = PlainButton("Delete…"), InlineMessage()
    column.addWidget(message)
    column.addWidget(asker)
    box.show()
    box.activateWindow()
    asker.setFocus()
    qtbot.waitUntil(asker.hasFocus)
    done: list[str] = []

    def delete() -> None:
        done.append("deleted")
        message.hide()

    message.show_message("Delete it?", "attention", "Delete", delete)
    message.action_button.setFocus()
    qtbot.waitUntil(message.action_button.hasFocus)
    QTest.keyClick(message.action_button, end)
    qtbot.waitUntil(asker.hasFocus)
    assert not message.isVisible()
    assert done == ([] if end is Qt.Key.Key_Escape else ["deleted"])


def test_a_message_has_room_for_its_words_in_a_narrow_panel(qtbot: QtBot, theme: Theme) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    column = QVBoxLayout(box)
    message = InlineMessage()
    column.addWidget(message)
    column.addStretch(1)
    message.show_message("Delete “a-rather-long-name of a training”? Its curves go.", "attention", "Delete")
    box.resize(240, 600)
    box.show()
    words = next(label for label in message.findChildren(QLabel) if label.text() == message.text)
    qtbot.waitUntil(lambda: words.width() > 120 and words.height() >= words.heightForWidth(words.width()))
    assert message.action_button.y() > words.geometry().bottom()
    box.resize(700, 600)
    qtbot.waitUntil(lambda: message.action_button.x() > words.geometry().right())
