"""The menu *More* of an answer: what is not needed under each answer."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from ui import texts as window_texts
from ui.features.chat import compare_texts, texts
from ui.theme.theme import current_theme


class AnswerMenu(QMenu):
    """The entries always stand in the same order. One that does not apply to the answer is grey, and its tooltip says
    why."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setToolTipsVisible(True)
        self.setAccessibleName(texts.MORE_HELP)
        self._icons: dict[QAction, str] = {}
        self.resume = self._entry(texts.CONTINUE, "play")
        self.vary = self._entry(texts.VARY, "branch")
        self.edit = self._entry(window_texts.EDIT_ANSWER, "edit")
        self.edit.setToolTip(window_texts.EDIT_ANSWER_HELP)
        self.addSeparator()
        self.compare = self._entry(compare_texts.COMPARE, checkable=True)
        self.compare_with = self._entry(compare_texts.COMPARE_WITH)
        """Its menu is made by who knows what can be compared, each time that this one opens."""
        self.answers = self._entry(texts.ALL_ANSWERS, checkable=True)
        self.addSeparator()
        self.export = self._entry(texts.EXPORT_MENU, "export")
        self.print = self._entry(texts.PRINT_MENU)
        self.addSeparator()
        self.steps = self._entry(texts.STEPS, "summary")
        self.tokens = self._entry(texts.TOKENS, "search")
        self.beams = self._entry(texts.BEAMS, "branch")
        self.map = self._entry(texts.MAP, "branch")
        self.aboutToShow.connect(self._draw_icons)

    def offer(self, action: QAction, reason: str = "", help: str = "") -> None:
        """Switch an entry on, or off with the reason."""
        action.setEnabled(not reason)
        action.setToolTip(reason or help)

    def _entry(self, words: str, icon: str = "", checkable: bool = False) -> QAction:
        action = self.addAction(words)
        action.setCheckable(checkable)
        if icon and not checkable:  # the mark of what is on stands in the icon's place
            self._icons[action] = icon
        return action

    def _draw_icons(self) -> None:
        """In the colours of the theme of now."""
        for action, icon in self._icons.items():
            action.setIcon(current_theme().icon(icon, "muted", 16))
