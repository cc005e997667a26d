"""Colours can be told apart and read, in both themes; the stylesheet and the icons are whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QLabel, QListWidget, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.components.basics import Text
from ui.components.layout import FlowLayout, column_of
from ui.theme import tokens
from ui.theme.stylesheet import stylesheet, technique_soft
from ui.theme.theme import ICONS, Theme, draw_pixmap, set_icon
from ui.theme.tokens import DARK, LIGHT, Palette, contrast

READ_ON = [
    *[("text", back) for back in ("window", "surface", "sunken", "hover", "accent_soft")],
    *[("muted", back) for back in ("window", "surface", "sunken", "hover")],
    *[("accent", back) for back in ("window", "surface", "accent_soft")],
    *[(tone, f"{tone}_soft") for tone in ("attention", "danger", "success")],
    *[("text", f"{tone}_soft") for tone in ("attention", "danger", "success")],
    *[("danger", back) for back in ("window", "surface")],
    *[("attention", back) for back in ("window", "surface", "sunken")],
    *[(name, "surface") for name in tokens.TECHNIQUES],
    *[(f"code_{part}", "sunken") for part in ("keyword", "string", "comment", "number", "name")],
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("on_danger", "danger"),
    ("on_danger", "danger_hover"),
    ("on_mark", "mark"),
]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), READ_ON)
def test_text_reaches_aa(palette: Palette, front: str, back: str) -> None:
    assert contrast(palette[front], palette[back]) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("technique", tokens.TECHNIQUES)
def test_a_technique_is_readable_on_its_chip(palette: Palette, technique: str) -> None:
    assert contrast(palette[technique], technique_soft(palette, technique)) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("back", ["window", "surface"])
@pytest.mark.parametrize("edge", ["edge", "accent"])
def test_edges_and_focus_rings_can_be_seen(palette: Palette, edge: str, back: str) -> None:
    assert contrast(palette[edge], palette[back]) >= 3


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_stylesheet_names_only_files_that_are_there(palette: Palette) -> None:
    files = re.findall(r'url\("([^"]+)"\)', stylesheet(palette, 15))
    assert files
    assert [file for file in files if not Path(file).is_file()] == []


@pytest.mark.parametrize("name", sorted(path.stem for path in ICONS.glob("*.svg")))
def test_each_icon_draws_something_within_its_box(qapp: QApplication, name: str) -> None:
    image = draw_pixmap(name, "#ff0000", 40).toImage()
    inked = [(x, y) for x in range(40) for y in range(40) if image.pixelColor(x, y).alpha() > 40]
    assert len(inked) > 20
    on_the_edge = [(x, y) for x, y in inked if x in (0, 39) or y in (0, 39)]
    assert on_the_edge == []


def test_a_list_stays_in_its_place_when_it_takes_the_keyboard(theme: Theme, qtbot: QtBot) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    column = QVBoxLayout(box)
    items, other = QListWidget(), QPushButton("Other")
    items.addItems(["one", "two"])
    column.addWidget(other)
    column.addWidget(items)
    box.show()
    box.activateWindow()
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)
    before = items.viewport().geometry()
    items.setFocus()
    qtbot.waitUntil(items.hasFocus)
    assert items.viewport().geometry() == before
    assert before.left() >= 2  # beside the ring, not over it


def test_what_stands_in_a_row_has_one_middle(theme: Theme, qtbot: QtBot) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    row = FlowLayout(box, 4)
    parts = [QWidget(box) for _ in range(3)]
    for part, height in zip(parts, (40, 26, 30), strict=True):
        part.setFixedSize(100, height)
        row.addWidget(part)
    box.resize(250, row.heightForWidth(250))
    box.show()
    assert parts[0].geometry().center().y() == parts[1].geometry().center().y()
    assert parts[2].y() == 40 + 4
    assert box.height() == parts[2].geometry().bottom() + 1


def test_switching_repaints_icons_and_tells(theme: Theme, qtbot: QtBot) -> None:
    button = QPushButton("Go")
    qtbot.addWidget(button)
    set_icon(button, "play", "text")

    def colour() -> str:
        image = button.icon().pixmap(20).toImage()
        inked = [image.pixelColor(x, y) for x in range(20) for y in range(20) if image.pixelColor(x, y).alpha() > 250]
        return inked[0].name()

    assert colour() == LIGHT.text
    with qtbot.waitSignal(theme.changed):
        theme.choose("dark")
    assert colour() == DARK.text
    theme.choose("light")


def test_the_system_choice_follows_the_desktop_and_the_others_do_not(theme: Theme, qapp: QApplication) -> None:
    theme.choose("system")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.is_dark
    theme.choose("light")
    assert not theme.is_dark
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert not theme.is_dark
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    theme.choose("system")
    assert not theme.is_dark


def test_the_reading_size_is_in_the_stylesheet(theme: Theme, qtbot: QtBot) -> None:
    label = Text("Words to read", "reading")
    qtbot.addWidget(label)
    label.show()
    theme.set_reading_size(19)
    assert label.fontInfo().pixelSize() == 19
    theme.set_reading_size(15)


class _Counted(QLabel):
    """Counts its style changes."""

    def __init__(self) -> None:
        super().__init__("deep")
        self.count = 0

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.count += event.type() == QEvent.Type.StyleChange


def test_a_switch_looks_at_a_widget_as_often_however_deep_it_lies(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    labels = []
    inside = window
    for _ in range(12):
        inside = QWidget(inside)
        labels.append(_Counted())
        column_of(inside, labels[-1])
    window.show()
    before = [label.count for label in labels]
    theme.choose("dark")
    assert labels[-1].palette().windowText().color().name() == DARK.text
    assert {label.count - was for label, was in zip(labels, before, strict=True)} <= {1, 2}
    theme.choose("light")


def test_what_is_made_for_a_dressed_window_is_looked_at_once(theme: Theme, qtbot: QtBot) -> None:
    """And not as often as it is put into another part, each of which is put into the next."""
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    label = _Counted()
    part: QWidget = label
    for _ in range(12):
        around = QWidget()
        column_of(around, part)
        part = around
    assert label.count == 0
    column_of(window, part)
    assert label.count == 1


def test_a_window_that_has_gone_is_not_dressed_again(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    theme.dress(window)
    gone: list[bool] = []
    window.destroyed.connect(lambda: gone.append(True))
    window.deleteLater()
    qtbot.waitUntil(lambda: bool(gone))
    theme.choose("dark")
    theme.choose("light")
