"""What each next question of the chat is compared with, chosen above the input or below the recipe."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu, QWidget

from ui.bridge import Bridge
from ui.features import ShellActions
from ui.features.chat.comparison.compare import ChatCompare
from ui.features.chat.comparison.opponents import Opponents
from ui.features.chat.comparison.verdicts import ChatVerdicts
from ui.features.chat.composer.one_question import OneQuestion
from ui.features.chat.layout import ChatLayout
from ui.features.chat.session import ChatSession


class CompareChoice(QObject):
    """Makes what comparisons need. ``pairs`` knows which answers are shown side by side."""

    def __init__(
        self, bridge: Bridge, shell: ShellActions, session: ChatSession, parts: ChatLayout, page: QWidget
    ) -> None:
        super().__init__(page)
        self._parts = parts
        self.opponents = Opponents(bridge, shell, page)
        self.verdicts = ChatVerdicts(bridge, self)
        self.pairs = ChatCompare(session, parts.conversation, parts.recipe, self.opponents, self.verdicts, self)
        for button in (parts.composer.compare_chip, parts.recipe.compare_button):
            button.clicked.connect(lambda _=False, button=button: self._open(button))
        self.opponents.changed.connect(self._on_changed)

    def ask(self, question: str, only: OneQuestion) -> bool:
        """Ask twice, where the person chose an opponent; else nothing is asked."""
        opponent = self.opponents.chosen
        if opponent is not None:
            self.pairs.ask(question, opponent, only)
        return opponent is not None

    def make_menu(self) -> QMenu:
        return self.opponents.make_menu(self._parts.recipe.recipe, self.opponents.choose, off=True)

    def _open(self, beside: QWidget) -> None:
        menu = self.make_menu()
        menu.popup(beside.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _on_changed(self) -> None:
        chosen = self.opponents.chosen
        self._parts.composer.show_opponent(chosen.title if chosen is not None else "")
