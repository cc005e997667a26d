"""The outcome of an answer from documents: that it may not be the right one and why, and the road that it took, with
the others to ask again by."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from ui.components.basics import IconLabel, LinkButton, Text
from ui.components.layout import FlowLayout, column_of, empty_layout, row_of
from ui.features.chat import texts
from ui.theme import tokens
from ui.theme.theme import set_property
from workbench.base.catalogue import localised, translated
from workbench.records.outcomes import Reason, Road
from workbench.records.roads import ROADS
from workbench.records.trust import PERHAPS


class PerhapsNote(QFrame):
    """Stands above an answer that may not be the right one, with the reasons to doubt it."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "message")
        set_property(self, "kind", "attention")
        self.words = Text(translated(PERHAPS), "strong")
        self.reasons = Text("", "body", textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        column = column_of(gap=tokens.SPACE_1)
        column.addWidget(self.words)
        column.addWidget(self.reasons)
        row = row_of(self, gap=tokens.SPACE_3, margins=(tokens.SPACE_3, tokens.SPACE_2))
        row.addWidget(IconLabel("warning", "attention"), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        self.hide()

    def show_reasons(self, reasons: Sequence[Reason]) -> None:
        """Show the note with these reasons; without any it says only that the answer may be wrong."""
        said = [reason.text for reason in reasons]
        self.reasons.setText("\n".join(said if len(said) == 1 else (f"•  {one}" for one in said)))
        self.reasons.setVisible(bool(said))
        self.setAccessibleName(" ".join((self.words.text(), *said)))
        self.show()


class RoadLine(QWidget):
    """The road that an answer took, and the other roads: a click asks the question again by one of them."""

    road_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[Road, LinkButton] = {}
        self._flow = FlowLayout(self, tokens.SPACE_1)
        self.hide()

    def show_roads(self, road: Road | None, roads: Sequence[Road]) -> None:
        """Show the road and those to choose from; nothing where no road was taken."""
        empty_layout(self._flow)
        self.buttons = {}
        self.setVisible(road is not None and bool(roads))
        if road is None:
            return
        taken = Text(texts.ROAD_TAKEN.format(road=localised(ROADS[road]).title), "small", wordWrap=False)
        taken.setToolTip(localised(ROADS[road]).summary)
        self._flow.addWidget(taken)
        for other in roads:
            button = LinkButton(localised(ROADS[other]).title, small=True)
            button.setToolTip(f"{texts.ASK_BY_ROAD} {localised(ROADS[other]).summary}")
            button.setAccessibleName(texts.ASK_BY_ROAD_NAMED.format(road=localised(ROADS[other]).title))
            button.clicked.connect(lambda _=False, wanted=other: self.road_wanted.emit(wanted))
            self.buttons[other] = button
            self._flow.addWidget(button)
