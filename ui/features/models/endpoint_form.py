"""Editing an endpoint: name, model, key, prices, budget, terms and notes.

The address cannot be changed: the key would be sent to another host.
"""

from __future__ import annotations

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from ui.components.basics import LinkButton, PlainButton, PrimaryButton, Text
from ui.components.layout import column_of, row_of
from ui.components.number_box import AmountBox
from ui.features.models import endpoint_texts as texts
from ui.theme import tokens
from workbench.subjects.endpoints.calls import ChangeEndpoint, EndpointRecord

_LARGEST, _WIDEST, _DECIMALS = 1e9, 200, 4


class EndpointForm(QWidget):
    """``saved`` sends what is to be changed. The key is never shown: an empty field leaves it as it is."""

    saved = Signal(object)
    cancelled = Signal()

    def __init__(self, record: EndpointRecord) -> None:
        super().__init__()
        endpoint = record.model.endpoint
        assert endpoint is not None
        self._record = record
        self.name, self.model = QLineEdit(record.model.name), QLineEdit(endpoint.model)
        self.key = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.key.setPlaceholderText(texts.KEY_STORED if record.use.has_key else texts.KEY_EXAMPLE)
        self.price_in, self.price_out = _amount(endpoint.price_in), _amount(endpoint.price_out)
        self.budget = _amount(endpoint.budget)
        self.budget.setSpecialValueText(texts.NO_BUDGET)
        self.terms, self.notes = QLineEdit(endpoint.terms), QLineEdit(endpoint.notes)
        self.terms.setPlaceholderText(texts.TERMS_EXAMPLE)
        self.notes.setPlaceholderText(texts.NOTES_EXAMPLE)
        self.remove_key = LinkButton(texts.REMOVE_KEY, clicked=self._on_remove_key)
        self.remove_key.setVisible(record.use.has_key)
        self.save_button = PrimaryButton(texts.SAVE, "check", clicked=self._on_save)
        self.cancel_button = PlainButton(texts.CANCEL, clicked=self.cancelled)
        self.state = Text("", "small")
        grid = QGridLayout()
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(tokens.SPACE_2)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget, str], ...] = (
            (texts.NAME, self.name, texts.NAME_HELP),
            (texts.MODEL, self.model, ""),
            (texts.KEY, self.key, texts.KEY_HELP),
            (texts.PRICE_IN, self.price_in, ""),
            (texts.PRICE_OUT, self.price_out, ""),
            (texts.BUDGET, self.budget, texts.BUDGET_HELP),
            (texts.TERMS_FIELD, self.terms, ""),
            (texts.NOTES, self.notes, ""),
        )
        place = 0
        for title, field, help in rows:
            field.setAccessibleName(title)
            grid.addWidget(Text(title, "strong"), place, 0)
            if field is self.key:
                grid.addLayout(row_of(None, (field, 1), self.remove_key, gap=tokens.SPACE_2), place, 1)
            else:
                grid.addWidget(field, place, 1)
            place += 1
            if help:
                grid.addWidget(Text(help, "small"), place, 1)
                place += 1
            if isinstance(field, QLineEdit):
                field.returnPressed.connect(self._on_save)
        buttons = row_of(None, self.save_button, self.cancel_button, (self.state, 1), gap=tokens.SPACE_2)
        column_of(self, grid, buttons, gap=tokens.SPACE_3)

    @property
    def changes(self) -> ChangeEndpoint:
        """Only what was changed."""
        endpoint = self._record.model.endpoint
        assert endpoint is not None
        typed = {
            "new_name": (self.name.text().strip(), self._record.model.name),
            "model": (self.model.text().strip(), endpoint.model),
            "terms": (self.terms.text().strip(), endpoint.terms),
            "notes": (self.notes.text().strip(), endpoint.notes),
            "price_in": (self.price_in.value(), round(endpoint.price_in, _DECIMALS)),
            "price_out": (self.price_out.value(), round(endpoint.price_out, _DECIMALS)),
            "budget": (self.budget.value(), round(endpoint.budget, _DECIMALS)),
            "key": (self.key.text().strip(), ""),
        }
        changed = {name: now for name, (now, before) in typed.items() if now != before}
        return ChangeEndpoint(name=self._record.model.name, **changed)  # type: ignore[arg-type]

    def set_busy(self, busy: bool) -> None:
        self.setEnabled(not busy)
        self.state.setText(texts.SAVING if busy else "")

    def set_error(self, words: str) -> None:
        self.set_busy(False)
        self.state.setText(words)

    def _on_save(self) -> None:
        self.saved.emit(self.changes)

    def _on_remove_key(self) -> None:
        self.saved.emit(ChangeEndpoint(name=self._record.model.name, key=""))


def _amount(value: float) -> AmountBox:
    box = AmountBox()
    box.setLocale(QLocale(QLocale.Language.C))
    box.setDecimals(_DECIMALS)
    box.setRange(0.0, _LARGEST)
    box.setValue(value)
    box.setMaximumWidth(_WIDEST)
    return box
