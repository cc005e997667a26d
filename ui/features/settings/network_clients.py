"""Other machines that may use the API: the list of them, and the code that one is given."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QLocale
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import IconButton, InlineMessage, PlainButton, Text
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.notices import ConfirmRow
from ui.components.wording import in_words
from ui.features.settings import network_texts as texts
from ui.theme import tokens
from workbench.subjects.serving.calls import (
    AddApiClient,
    ApiClient,
    ApiClientCode,
    ApiClientList,
    ApiState,
    ListApiClients,
    RemoveApiClient,
)

_LONGEST_NAME, _FIELD = 60, 260


class NetworkClients(QWidget):
    """Call ``refresh`` when it comes into sight, and ``show_state`` when the API was started or stopped."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.rows: dict[str, ClientRow] = {}
        self.status = Text("", "body")
        self.name = QLineEdit(placeholderText=texts.CLIENT_EXAMPLE, maximumWidth=_FIELD, maxLength=_LONGEST_NAME)
        self.name.setAccessibleName(texts.CLIENT_NAME)
        self.make_button = PlainButton(texts.MAKE_CODE, "plus", small=True, enabled=False, clicked=self._on_make)
        self.make_button.setToolTip(texts.NAME_FIRST)
        self.code = QLineEdit(readOnly=True)
        self.code.setAccessibleName(texts.CODE)
        self.copy_button = PlainButton(texts.COPY_CODE, "copy", small=True, clicked=self._on_copy)
        self.message = InlineMessage()
        self._about_code = Text("", "small")
        self._code_row = QWidget()
        column_of(
            self._code_row, self._about_code, row_of(None, (self.code, 1), self.copy_button, gap=tokens.SPACE_2),
            gap=tokens.SPACE_2,
        )  # fmt: skip
        self._code_row.hide()
        self._list = column_of(gap=tokens.SPACE_1)
        making = row_of(None, (self.name, 100), self.make_button, None, gap=tokens.SPACE_2)
        column_of(
            self, Text(texts.CLIENTS, "strong"), Text(texts.CLIENTS_HELP, "small"), self.status, self._list, making,
            self._code_row, self.message, gap=tokens.SPACE_2,
        )  # fmt: skip
        self.name.textChanged.connect(self._on_typed)
        self.name.returnPressed.connect(self._on_make)

    def refresh(self) -> None:
        self._bridge.call(ListApiClients(), self._show, self._on_failed, self)

    def show_state(self, state: ApiState) -> None:
        served = state.network_addresses
        words = state.network_problem or (texts.SERVED_TO.format(addresses=", ".join(served)) if served else "")
        self.status.setText(words or texts.NOT_SERVED)

    def _show(self, found: ApiClientList) -> None:
        empty_layout(self._list)
        self.rows = {}
        for client in found.clients:
            row = self.rows[client.name] = ClientRow(client)
            row.confirm.confirmed.connect(lambda name=client.name: self._remove(name))
            self._list.addWidget(row)
            row.show()

    def _on_typed(self, text: str) -> None:
        self.make_button.setEnabled(bool(text.strip()))
        self.make_button.setToolTip("" if text.strip() else texts.NAME_FIRST)

    def _on_make(self) -> None:
        if self.make_button.isEnabled():
            self._bridge.call(AddApiClient(name=self.name.text()), self._on_made, self._on_failed, self)

    def _on_made(self, made: ApiClientCode) -> None:
        self.message.hide()
        self.name.clear()
        self.code.setText(made.code)
        self.code.setCursorPosition(0)
        self._about_code.setText(texts.CODE_ONCE.format(name=made.client.name))
        self._code_row.show()
        self.copy_button.setFocus()
        self.refresh()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.code.text())
        self._about_code.setText(texts.CODE_COPIED)

    def _remove(self, name: str) -> None:
        self._bridge.call(RemoveApiClient(name=name), self._show, self._on_failed, self)

    def _on_failed(self, error: Exception) -> None:
        self.message.show_message(in_words(error))


class ClientRow(QWidget):
    def __init__(self, client: ApiClient) -> None:
        super().__init__()
        day = QLocale().toString(
            QDateTime.fromSecsSinceEpoch(int(client.created)).date(), QLocale.FormatType.ShortFormat
        )
        limits = texts.CLIENT_LIMITS.format(day=day, per_minute=client.per_minute, megabytes=client.largest_mb)
        self.remove_button = IconButton("trash", texts.REMOVE_CLIENT.format(name=client.name))
        self.confirm = ConfirmRow(self.remove_button)
        self.confirm.set_question(texts.REMOVE_QUESTION.format(name=client.name), texts.REMOVE)
        self.remove_button.clicked.connect(lambda: self.confirm.ask())
        line = row_of(None, Text(client.name), (Text(limits, "small"), 1), self.remove_button, gap=tokens.SPACE_3)
        column_of(self, line, self.confirm, gap=0)
