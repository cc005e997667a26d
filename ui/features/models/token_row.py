"""The hub's access token: entered once, never shown again."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import FoldButton, PlainButton, QuietButton, Text
from ui.components.layout import column_of, row_of
from ui.components.wording import in_words
from ui.features.models import hub_texts as texts
from ui.theme import tokens
from workbench.subjects.models.calls import GetHubAccount, HubAccount, SetHubToken


class TokenRow(QWidget):
    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.state = Text(texts.TOKEN_NONE, "small")
        self.field = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.field.setAccessibleName(texts.TOKEN_FIELD)
        self.field.setPlaceholderText("hf_…")
        self.save_button = PlainButton(texts.SAVE_TOKEN, small=True, clicked=self._on_save)
        self.forget_button = QuietButton(texts.FORGET_TOKEN, "trash", small=True, clicked=self._on_forget)
        self.field.returnPressed.connect(self._on_save)
        self.field.textChanged.connect(lambda text: self.save_button.setEnabled(bool(text.strip())))
        self.save_button.setEnabled(False)
        inside = QWidget()
        row = row_of(None, (self.field, 1), self.save_button, self.forget_button, gap=tokens.SPACE_2)
        column_of(inside, Text(texts.TOKEN_HELP, "small"), row, self.state, gap=tokens.SPACE_1)
        self.fold = FoldButton(texts.TOKEN, inside)
        column_of(self, self.fold, inside, gap=tokens.SPACE_1)
        bridge.call(GetHubAccount(), self._on_account, owner=self)

    def _on_save(self) -> None:
        token = self.field.text().strip()
        if token:
            self.field.clear()
            self._bridge.call(SetHubToken(token=token), self._on_account, self._on_refused, self)

    def _on_forget(self) -> None:
        self._bridge.call(SetHubToken(token=""), self._on_account, self._on_refused, self)

    def _on_account(self, account: HubAccount) -> None:
        known = texts.TOKEN_KEPT if account.kept else texts.TOKEN_SESSION
        self.state.setText(known if account.has_token else texts.TOKEN_NONE)
        self.forget_button.setVisible(account.has_token)

    def _on_refused(self, error: Exception) -> None:
        self.state.setText(in_words(error))
