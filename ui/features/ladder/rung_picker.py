"""The rungs that can be climbed, each with a tick: what it is, where it works, and what it takes here."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from ui.components.basics import Chip, Line, Text, without_keys
from ui.components.layout import column_of, empty_layout, row_of
from ui.features.ladder import texts
from ui.theme import tokens
from workbench.records.ladder import AS_IT_IS, RungOffer


class RungPicker(QWidget):
    """``changed`` is sent when the person ticks. The rung as it is is always climbed, to compare."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(texts.RUNGS)
        self.rows: dict[str, RungRow] = {}
        self._column = column_of(self, gap=tokens.SPACE_2)

    @property
    def ticked(self) -> tuple[str, ...]:
        """The names of the rungs that are ticked, in the order of their cost."""
        return tuple(name for name, row in self.rows.items() if row.tick.isChecked())

    @property
    def offers(self) -> Sequence[RungOffer]:
        """What is ticked."""
        return [row.offer for row in self.rows.values() if row.tick.isChecked()]

    def show_offers(self, offers: Sequence[RungOffer], ticked: Collection[str] | None = None) -> None:
        """Offer these, with the proposed ones ticked, or those that are named."""
        if list(self.rows) != [offer.name for offer in offers]:
            empty_layout(self._column)
            self.rows = {}
            for offer in offers:
                if self.rows:
                    self._column.addWidget(Line())
                row = self.rows[offer.name] = RungRow(offer.name)
                row.tick.toggled.connect(self.changed)
                self._column.addWidget(row)
        for offer in offers:
            wanted = offer.proposed if ticked is None else offer.name in ticked
            self.rows[offer.name].show_offer(offer, wanted)
        self.changed.emit()


class RungRow(QWidget):
    """One rung: its tick with the title, its place in the pipeline, a sentence, and what it will take."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.offer = RungOffer(name=name, title="", sentence="", place="")
        self.tick = QCheckBox()
        self._technique = Chip("")
        self._place = Text("", "small", wordWrap=False)
        self._sentence = Text("", "muted")
        self.figures = Text("", "small", wordWrap=False)
        self.figures.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.missing = Text("", "attention")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(tokens.SPACE_3)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        grid.addLayout(row_of(None, self.tick, self._technique, self._place, None, gap=tokens.SPACE_2), 0, 0)
        grid.addWidget(self.figures, 0, 1)
        indent = column_of(None, self._sentence, self.missing, gap=2, margins=(tokens.SPACE_5, 0, 0, 0))
        grid.addLayout(indent, 1, 0, 1, 2)

    def show_offer(self, offer: RungOffer, ticked: bool) -> None:
        self.offer = offer
        self.tick.blockSignals(True)
        self.tick.setText(without_keys(offer.title))
        always = offer.name == AS_IT_IS
        self.tick.setChecked((ticked or always) and not offer.missing)
        self.tick.setEnabled(not offer.missing and not always)
        self.tick.blockSignals(False)
        self.tick.setToolTip(offer.missing or (offer.sentence if always else ""))
        self.tick.setAccessibleName(offer.title)
        self.tick.setAccessibleDescription(f"{offer.sentence} {offer.missing or offer.remark}".strip())
        self._technique.setText(texts.TECHNIQUES.get(offer.technique or "", ""))
        self._technique.setVisible(bool(self._technique.text()))
        if offer.technique is not None and offer.technique != "evaluation":
            self._technique.set_tone(offer.technique)
        self._place.setText(offer.place)
        self._sentence.setText(offer.sentence)
        self.figures.setText("" if offer.missing else texts.estimate(offer.estimate))
        self.missing.setText(offer.missing or offer.remark)
        self.missing.setVisible(bool(self.missing.text()))
