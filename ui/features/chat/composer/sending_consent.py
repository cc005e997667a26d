"""The decision about passages that a question would send to another machine.

The core refuses a question whose passages nobody has allowed to leave, and says of which collection. The person decides
above the composer, and the question is asked again at once.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QObject

from ui.bridge import Bridge
from ui.components.wording import in_words
from ui.features.chat import endpoint_texts as texts
from ui.features.chat.composer.sending_card import name_of
from ui.features.chat.layout import ChatLayout
from ui.features.chat.session import ChatSession
from workbench.api.events import Failed, Sending
from workbench.records.recipes import Recipe
from workbench.subjects.endpoints.calls import AllowSending


class SendingConsent(QObject):
    """Stores the person's decision. The card is hidden when the chat, the recipe or the question changes; the next
    question is checked when it is sent."""

    def __init__(self, bridge: Bridge, session: ChatSession, parts: ChatLayout, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._parts = parts
        self._sending: Sending | None = None
        self._again: Callable[[], None] = lambda: None
        self._recipe = Recipe()
        self._words = ""
        session.undecided.connect(self._on_undecided)
        session.opened.connect(self.end)
        session.busy_changed.connect(lambda busy: self.end() if busy else None)
        parts.recipe.recipe_shown.connect(self._on_recipe)
        parts.composer.edited.connect(self._on_edited)
        parts.sending.decided.connect(self._on_decided)
        parts.sending.closed.connect(self.end)

    def end(self) -> None:
        """Nothing is to be decided any more."""
        if self._sending is not None:
            self._sending, self._again = None, lambda: None
            self._parts.sending.hide()
            self._parts.composer.field.setFocus()

    def _on_undecided(self, failed: Failed, again: Callable[[], None]) -> None:
        if failed.sending is None:
            return
        self._sending, self._again = failed.sending, again
        self._recipe, self._words = self._parts.recipe.recipe, self._parts.composer.text
        self._parts.sending.ask(failed.message, failed.sending)

    def _on_recipe(self, recipe: Recipe) -> None:
        if recipe != self._recipe:
            self.end()

    def _on_edited(self) -> None:
        if self._parts.composer.text != self._words:
            self.end()

    def _on_decided(self, allowed: bool) -> None:
        sending, again = self._sending, self._again
        if sending is None:
            return

        def decided(_: object) -> None:
            if self._sending is not sending:
                return
            if allowed:
                self.end()
                again()
                return
            self._sending = msgspec.structs.replace(sending, refused=True)
            words = texts.NOT_SENT.format(collection=name_of(sending))
            self._parts.sending.ask(words, self._sending)
            self._parts.composer.field.setFocus()

        def failed(error: Exception) -> None:
            self._parts.sending.set_busy(False)
            self._parts.sending.set_error(in_words(error))

        self._parts.sending.set_busy(True)
        call = AllowSending(name=sending.model, collection=sending.collection, allowed=allowed)
        self._bridge.call(call, decided, failed, self)
