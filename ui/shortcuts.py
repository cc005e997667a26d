"""F1: the keys of the window and of its pages, in one list."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QGridLayout, QWidget

from ui import texts
from ui.components.basics import Chip, Text
from ui.components.dialog import Dialog
from ui.features import PageEntry, keys_of_page, stops_of
from ui.theme import tokens

_FRAME = (
    ("Ctrl+K", texts.FIND_ANYTHING),
    ("Ctrl+J", texts.SHOW_RUNS),
    ("Ctrl+Tab", texts.NEXT_TAB),
    ("Ctrl+Shift+Tab", texts.PREVIOUS_TAB),
    ("Ctrl++", texts.ZOOM_IN),
    ("Ctrl+=", texts.ZOOM_IN),
    ("Ctrl+-", texts.ZOOM_OUT),
    ("Ctrl+0", texts.ZOOM_RESET),
    ("F1", texts.SHORTCUTS),
    ("Ctrl+Q", texts.QUIT),
)
_PAGES = {
    texts.SHORTCUTS_CHAT: (
        ("Return", texts.KEY_SEND),
        ("Shift+Return", texts.KEY_NEW_LINE),
        ("Esc", texts.KEY_STOP),
        ("Ctrl+N", texts.NEW_CHAT),
        ("Ctrl+R", texts.KEY_RECIPE),
        ("Ctrl+H", texts.KEY_HISTORY),
        ("Ctrl+F", texts.KEY_FIND_IN_SOURCE),
    ),
    texts.SHORTCUTS_THOUGHTS: (
        ("Ins", texts.KEY_EXPAND),
        ("Del", texts.KEY_PRUNE),
        ("F2", texts.KEY_EDIT_THOUGHT),
        ("Ctrl++", texts.KEY_LARGER),
        ("Ctrl+-", texts.KEY_SMALLER),
    ),
    texts.SHORTCUTS_DOCUMENTS: (
        ("Ctrl+F", texts.KEY_SEARCH_DOCUMENTS),
        ("Esc", texts.KEY_CLOSE_DOCUMENT),
        ("F2", texts.KEY_RENAME),
        ("Del", texts.KEY_REMOVE),
    ),
    texts.SHORTCUTS_FEEDBACK: (
        ("J", texts.LEFT_BETTER),
        ("K", texts.RIGHT_BETTER),
        ("T", texts.TIE),
        ("B", texts.BOTH_BAD),
        ("E", texts.KEY_EDIT_LEFT),
        ("R", texts.KEY_EDIT_RIGHT),
        ("S", texts.KEY_SKIP),
        ("U", texts.KEY_UNDO_VERDICT),
        ("Ctrl+Z", texts.KEY_UNDO_JUDGEMENT),
        ("Del", texts.KEY_DELETE_JUDGEMENT),
    ),
}


def keys_of(pages: tuple[PageEntry, ...]) -> dict[str, list[tuple[str, str]]]:
    """Keys as in ``QKeySequence``, with what they do, by the part of the window."""
    stops = enumerate(stops_of(pages), 1)
    opening = [(keys_of_page(number), texts.OPEN_PAGE.format(page=stop.title)) for number, stop in stops]
    return {texts.SHORTCUTS_WINDOW: [*_FRAME, *opening]} | {title: list(keys) for title, keys in _PAGES.items()}


class ShortcutList(Dialog):
    """Closed by its button, and by Esc."""

    def __init__(self, pages: tuple[PageEntry, ...], parent: QWidget) -> None:
        super().__init__(texts.SHORTCUTS, "", texts.CLOSE, parent, 460)
        self.go.clicked.connect(self.accept)
        self.leave.hide()
        grid = QGridLayout()
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(tokens.SPACE_1)
        grid.setColumnStretch(1, 1)
        self.inside.addLayout(grid)
        for title, keys in keys_of(pages).items():
            heading = Text(title, "strong")
            heading.setContentsMargins(0, tokens.SPACE_2, 0, 0)
            grid.addWidget(heading, grid.rowCount(), 0, 1, 2)
            for combination, words in keys:
                line = grid.rowCount()
                shown = QKeySequence(combination).toString(QKeySequence.SequenceFormat.NativeText)
                grid.addWidget(Chip(shown), line, 0, Qt.AlignmentFlag.AlignLeft)
                grid.addWidget(Text(words), line, 1)
