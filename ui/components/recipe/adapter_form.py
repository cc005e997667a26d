"""The adapters of a recipe: which of those that fit the model are on, and how strongly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from ui.components.adapter_texts import KINDS, describe_use, gate_verdict, state_of, takes_strength
from ui.components.basics import Chip, LinkButton, PlainButton, Text
from ui.components.elided_box import ElidedCheckBox
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.recipe import texts
from ui.components.recipe.limit_note import LimitNote
from ui.components.strength import StrengthSlider
from ui.components.wording import describe_count
from ui.theme import tokens
from workbench.records.recipes import AdapterUse
from workbench.records.training import AdapterRecord

NONE_YET = texts.NO_ADAPTERS


class AdapterForm(QWidget):
    """``changed`` sends the uses after each edit of the person. Several LoRAs may be on at once, and one of the others:
    a soft prompt and a prefix both stand before the text."""

    changed = Signal(object)
    train_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._records: tuple[AdapterRecord, ...] = ()
        self._uses: tuple[AdapterUse, ...] = ()
        self.rows: dict[str, AdapterRow] = {}
        self.limits = LimitNote()
        self.problem = Text("", "attention")
        self.go_on = PlainButton(texts.CONTINUE_WITHOUT, small=True, clicked=self.drop_problem)
        self._problem_name = ""
        self._greyed = False
        self.nothing = Text(NONE_YET, "small")
        self.train_link = LinkButton(texts.TRAIN_ADAPTER, clicked=self.train_wanted)
        self._list = column_of(gap=tokens.SPACE_3)
        column_of(
            self,
            self.limits,
            self.problem,
            (self.go_on, 0, Qt.AlignmentFlag.AlignLeft),
            self._list,
            self.nothing,
            self.train_link,
            gap=tokens.SPACE_3,
        )
        self.show_problem("", "")

    @property
    def uses(self) -> tuple[AdapterUse, ...]:
        return self._uses

    def set_adapters(self, records: Sequence[AdapterRecord]) -> None:
        """The adapters that fit the recipe's model, the latest first. Failed ones and whole models are not offered."""
        offered = tuple(r for r in records if r.usable and r.kind not in ("merged", "reward"))
        if offered == self._records:
            return
        if [r.name for r in offered] != [r.name for r in self._records]:
            self.rows = {}
            empty_layout(self._list)
            for record in offered:
                row = self.rows[record.name] = AdapterRow(record)
                row.changed.connect(lambda name=record.name: self._on_row(name))
                self._list.addWidget(row)
        self._records = offered
        for record in offered:
            self.rows[record.name].show_record(record)
        self.nothing.setVisible(not offered and not self._greyed)
        self._show_uses()

    def set_uses(self, uses: tuple[AdapterUse, ...]) -> None:
        """Show what is on; nothing is signalled."""
        self._uses = uses
        self._show_uses()

    def show_problem(self, name: str, why: str) -> None:
        """One of those that are on cannot be used, and why; no words: all can. Going on without it is offered."""
        self._problem_name = name
        self.problem.setText(why)
        self.problem.setVisible(bool(why))
        self.go_on.setVisible(bool(why))

    def grey(self, reason: str) -> None:
        """The model takes no adapters, for this reason; those that are on can be switched off. "": it takes them."""
        self._greyed = bool(reason)
        self.limits.show_reason(reason, bool(self._uses))
        self.nothing.setVisible(not self._records and not self._greyed)
        self.train_link.setVisible(not self._greyed)
        self._show_uses()

    def drop_problem(self) -> None:
        """Go on without the adapter that cannot be used."""
        self._put(tuple(use for use in self._uses if use.name != self._problem_name))

    def _show_uses(self) -> None:
        on = {use.name: use for use in self._uses}
        for name, row in self.rows.items():
            row.show_use(on.get(name))
            row.box.setEnabled(not self._greyed or name in on)

    def _on_row(self, name: str) -> None:
        row = self.rows[name]
        uses = [use for use in self._uses if use.name != name]
        if row.box.isChecked():
            if not takes_strength(row.record.kind):
                alone = {r.name for r in self._records if not takes_strength(r.kind)}
                uses = [use for use in uses if use.name not in alone]
            place = next((n for n, use in enumerate(self._uses) if use.name == name), len(uses))
            uses.insert(min(place, len(uses)), AdapterUse(name=name, scale=row.scale))
        self._put(tuple(uses))

    def _put(self, uses: tuple[AdapterUse, ...]) -> None:
        if uses != self._uses:
            self.set_uses(uses)
            self.changed.emit(uses)


class AdapterRow(QWidget):
    """One adapter: on or off; a LoRA that is on has its strength below."""

    changed = Signal()

    def __init__(self, record: AdapterRecord) -> None:
        super().__init__()
        self.record = record
        self.box = ElidedCheckBox(record.name, Qt.TextElideMode.ElideMiddle, clicked=self._on_clicked)
        self.state = Chip("", "attention")
        self.kind = Chip("")
        self.facts = Text("", "small")
        self.facts.setContentsMargins(26, 0, 0, 0)
        self.strength = StrengthSlider(record.name)
        self.strength.changed.connect(lambda _: self.changed.emit())
        slide = row_of(None, self.strength, margins=(26, 0, 0, 0))
        below = row_of(None, (self.facts, 1), self.state, gap=tokens.SPACE_1)
        head = row_of(None, (self.box, 1), self.kind, gap=tokens.SPACE_1)
        column_of(self, head, below, slide, gap=2)
        self.show_record(record)
        self.show_use(None)

    @property
    def scale(self) -> float:
        """How strongly it is to count; what is on or off counts as it was trained."""
        return self.strength.value if takes_strength(self.record.kind) else 1.0

    def show_record(self, record: AdapterRecord) -> None:
        self.record = record
        word, purpose = KINDS[record.kind]
        self.kind.setText(word)
        self.kind.setVisible(record.kind != "lora")
        self.box.setToolTip(f"{record.name}\n{purpose}")
        self.state.setText(state_of(record)[0])
        self.state.setVisible(record.state == "checking")
        self.state.setToolTip(gate_verdict(record))
        facts = "imported" if record.origin == "imported" else PurePath(record.data).name
        self.facts.setToolTip(record.data)
        if record.examples:
            facts += f", {describe_count(record.examples, 'example')}"
        self.facts.setText(facts)
        self.facts.setVisible(bool(facts))

    def show_use(self, use: AdapterUse | None) -> None:
        self.box.setChecked(use is not None)
        if use is not None:
            self.strength.set_value(use.scale)
        self.strength.setVisible(use is not None and takes_strength(self.record.kind))

    def _on_clicked(self, on: bool) -> None:
        if on and self.strength.value == 0:
            self.strength.set_value(1.0)
        self.changed.emit()


def describe_adapters(uses: Sequence[AdapterUse]) -> str:
    """What is on, in a phrase."""
    return ", ".join(map(describe_use, uses)) or texts.NONE_ON
