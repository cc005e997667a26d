"""Models that other programs have on this disk: looked for when asked, added where they are."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, Chip, ElidedLabel, PlainButton, QuietButton, Text
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.wording import describe_bytes, in_words
from ui.features.models import hub_texts as texts
from ui.theme import tokens
from workbench.records.local_models import LocalModel
from workbench.records.models import ModelRecord
from workbench.subjects.models.calls import FindLocalModels, ImportModel, LocalModels


class LocalModelsPanel(QWidget):
    """``added`` carries the name in the catalogue."""

    added = Signal(str)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.looked = False
        self.rows: dict[str, LocalRow] = {}
        self.look_button = QuietButton(texts.LOOK_FOR, "folder", small=True, toolTip=texts.LOOK_FOR_HELP)
        self.look_button.clicked.connect(self.look)
        self.card = Card()
        self.state = Text("", "muted")
        self._list = column_of(gap=tokens.SPACE_2)
        self.card.body.addWidget(Text(texts.FOUND, "heading"))
        self.card.body.addWidget(self.state)
        self.card.body.addLayout(self._list)
        self.card.hide()
        column_of(self, row_of(None, self.look_button, None), self.card, gap=tokens.SPACE_2)

    def look(self) -> None:
        """Look for them, and show what was found."""
        self.looked = True
        self.look_button.hide()
        self.card.show()
        self.state.setText(texts.LOOKING)
        self._bridge.call(FindLocalModels(), self._on_found, lambda error: self.state.setText(in_words(error)), self)

    def _on_found(self, found: LocalModels) -> None:
        empty_layout(self._list)
        self.rows = {}
        fresh = [one for one in found.models if not one.known]
        self.state.setText(texts.FOUND_HELP if fresh else texts.NONE_FOUND)
        for one in fresh:
            row = self.rows[one.path] = LocalRow(one)
            row.wanted.connect(self._on_wanted)
            self._list.addWidget(row)

    def _on_wanted(self, model: LocalModel) -> None:
        row = self.rows[model.path]
        row.add_button.setEnabled(False)

        def added(record: ModelRecord) -> None:
            row.hide()
            self.added.emit(record.name)

        def refused(error: Exception) -> None:
            row.add_button.setEnabled(True)
            row.show_problem(in_words(error))

        # a blob's own name says nothing, and its metadata not which tag it is
        name = model.name if model.source == "Ollama" else ""
        self._bridge.call(ImportModel(path=model.path, name=name), added, refused, row)


class LocalRow(QWidget):
    wanted = Signal(object)

    def __init__(self, model: LocalModel) -> None:
        super().__init__()
        self.add_button = PlainButton(texts.ADD, "plus", small=True)
        self.add_button.setAccessibleName(texts.ADD_NAME.format(name=model.name))
        self.add_button.clicked.connect(lambda: self.wanted.emit(model))
        self.problem = Text("", "error", visible=False)
        top = row_of(
            None,
            (ElidedLabel(model.name, "strong"), 1),
            Chip(model.source),
            Text(describe_bytes(model.bytes), "body"),
            self.add_button,
            gap=tokens.SPACE_3,
        )
        path = ElidedLabel(model.path, "small")
        column_of(self, top, path, self.problem, gap=0)

    def show_problem(self, words: str) -> None:
        self.problem.setText(words)
        self.problem.show()
