"""A form for any configuration type: title, help, unit, range and default of each field come from the type.

An invalid value is marked with the range that the field takes, and is not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QCheckBox,
    QGridLayout,
    QLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from ui import texts
from ui.components.basics import FoldButton, IconButton, Line, Text
from ui.components.choice_box import ChoiceBox
from ui.components.choice_names import name_choice
from ui.components.layout import column_of, row_of
from ui.components.wording import shown_fields_of
from ui.theme import tokens
from ui.theme.theme import set_property
from workbench.base.catalogue import _, translated
from workbench.base.errors import UserError
from workbench.base.fields import Field, describe_range, lowest_of, parse_text

CONTROL_WIDTH = 200
_SIDE_WIDTH = CONTROL_WIDTH + 130  # of a control with its unit and its reset
_NUMBER_WIDTH = 150


class Form(QWidget):
    """The fields of one frozen value. ``changed`` is sent with a field's name and new value when it was edited.

    Made of a configuration type, or of the ``fields`` of one. ``narrow`` puts each control below its title instead of
    beside it. Fields stand in the order of their groups: first those of groups without a heading, then those of
    ``headings``. Advanced fields are folded away below ``fold``, and made when that is opened. ``make_row`` makes the
    row of a field that has one of its own, and returns None for others.
    """

    changed = Signal(str, object)

    def __init__(
        self,
        config: type[msgspec.Struct] | Iterable[Field],
        narrow: bool = False,
        *,
        headings: Mapping[str, str] | None = None,
        fold: str = texts.ADVANCED,
        make_row: Callable[[Field], QWidget | None] = lambda field: None,
    ) -> None:
        super().__init__()
        self._narrow, self._make_own = narrow, make_row
        self._headings_of = headings or {}
        self._fields = tuple(shown_fields_of(config) if isinstance(config, type) else config)
        self._values: msgspec.Struct | Mapping[str, Any] = {}
        self._shown: Collection[str] | None = None
        self._greyed: dict[str, str] = {}
        self._headings: list[tuple[str, bool, QWidget]] = []
        self.rows: dict[str, QWidget] = {}
        """By the names of their fields; of advanced ones once they were unfolded."""
        advanced = QWidget()
        self._below = column_of(advanced, gap=tokens.SPACE_4)
        self.fold = FoldButton(fold, advanced)
        self._column = column_of(self, gap=tokens.SPACE_4)
        self._fill(self._column, False)
        self._column.addWidget(self.fold)
        self._column.addWidget(advanced)
        self.fold.setVisible(any(field.advanced for field in self._fields))
        self.fold.toggled.connect(self._on_fold)

    def set_values(self, values: msgspec.Struct | Mapping[str, Any]) -> None:
        """Show a value of the form's type, or some of its fields with the others at their default. A field that is
        being edited keeps what was typed."""
        self._values = values
        self._show_meaningful()
        for row in self.rows.values():
            if isinstance(row, ValueRow):
                given = self._given(row.field)
                row.set_value(tuple(given) if row.field.kind == "list" else given)

    def _given(self, field: Field) -> Any:
        values = self._values
        return values.get(field.name, field.default) if isinstance(values, Mapping) else getattr(values, field.name)

    def show_fields(self, names: Collection[str]) -> None:
        """Show these fields only."""
        self._shown = names
        self._show_meaningful()
        shown = [field for field in self._fields if field.name in names]
        for group, advanced, heading in self._headings:
            heading.setVisible(any(field.group == group and field.advanced is advanced for field in shown))
        self.fold.setVisible(any(field.advanced for field in shown))

    def _show_meaningful(self) -> None:
        """Show the fields that have a meaning with the values of the others."""
        for field in (one for one in self._fields if one.name in self.rows):
            if field.when or self._shown is not None:
                wanted = self._shown is None or field.name in self._shown
                self.rows[field.name].setVisible(wanted and self._has_meaning(field))

    def _has_meaning(self, field: Field) -> bool:
        name, sign, listed = field.when.partition("=")
        if (other := next((one for one in self._fields if one.name == name), None)) is None:
            return True
        value = self._given(other)
        has = str(value) in listed.split("|") if sign else bool(value)
        return has and self._has_meaning(other)  # a field by which this one is chosen can have no meaning itself

    def row(self, name: str) -> QWidget:
        """Raises KeyError for a field that there is not."""
        if name not in self.rows:
            self._on_fold(True)
        return self.rows[name]

    def has(self, name: str) -> bool:
        return any(field.name == name for field in self._fields)

    def set_error(self, name: str, text: str) -> None:
        """Say beside a field why its value was refused."""
        row = self.row(name)
        if isinstance(row, ValueRow):
            row.set_error(text)

    def grey(self, reasons: Mapping[str, str]) -> None:
        """Fields that cannot be set now, with the reason as a note below each."""
        greyed = {name: reason for name, reason in reasons.items() if reason}
        for name in {**self._greyed, **greyed}:
            if isinstance(row := self.rows.get(name), ValueRow):
                row.grey(greyed.get(name, ""))
        self._greyed = greyed

    def focus_field(self, name: str) -> QWidget:
        """Put the keyboard on a field, unfolding it if needed. Returns its row."""
        row = self.row(name)
        if isinstance(row, ValueRow):
            self.fold.setChecked(self.fold.isChecked() or row.field.advanced)
            row.control.setFocus(Qt.FocusReason.OtherFocusReason)
        return row

    def _fill(self, column: QVBoxLayout, advanced: bool) -> None:
        groups = dict.fromkeys(field.group for field in self._fields if field.group not in self._headings_of)
        for group in (*groups, *self._headings_of):
            fields = [field for field in self._fields if field.group == group and field.advanced is advanced]
            if fields and group in self._headings_of and not (advanced and self._narrow):
                heading = _heading(self._headings_of[group], self._narrow)
                self._headings.append((group, advanced, heading))
                column.addWidget(heading)
            for field in fields:
                row = self._make_own(field)
                if row is None:
                    row = FieldRow(field, self._narrow)
                if isinstance(row, ValueRow):
                    row.changed.connect(self.changed)
                self.rows[field.name] = row
                column.addWidget(row)

    def _on_fold(self, opened: bool) -> None:
        if opened and not self._below.count():
            self._fill(self._below, True)
            self.set_values(self._values)
            self.grey(self._greyed)
            if self._shown is not None:
                self.show_fields(self._shown)


def _heading(title: str, narrow: bool) -> QWidget:
    words = Text(title, "heading")
    if narrow:
        return words
    heading = QWidget()
    column_of(heading, Line(), words, gap=tokens.SPACE_4)
    return heading


@dataclass(frozen=True)
class Control:
    """The control of a field. ``show`` puts a value into the widget; ``parse`` returns the value in it, or raises
    UserError; ``is_typing`` says of the last value whether another one is being typed."""

    widget: QWidget
    show: Callable[[Any], None]
    parse: Callable[[], Any]
    is_typing: Callable[[Any], bool]


class ValueRow(QWidget):
    """A field that is edited: its control, the button that resets it, and the error of the typed text.

    ``changed`` is sent with the field's name and new value when it is committed. ``make`` makes the control; a subclass
    lays the parts out.
    """

    changed = Signal(str, object)

    def __init__(self, field: Field, make: Callable[[ValueRow], Control]) -> None:
        super().__init__()
        self.field = field
        self._value: Any = field.default
        self._control = make(self)
        self.control = self._control.widget
        self.control.setAccessibleName(field.title)
        self.control.setAccessibleDescription(
            " ".join(part for part in (field.shown_help, describe_range(field, shown=True)) if part)
        )
        self.reset = IconButton(
            "restart", texts.RESET.format(title=field.title, value=describe_value(field, field.default))
        )
        keep = self.reset.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(keep)
        self.reset.clicked.connect(self._on_reset)
        self.error = Text("", "error", visible=False)
        self.note = Text("", "small", visible=False)

    @property
    def value(self) -> Any:
        """The last valid value."""
        return self._value

    def set_value(self, value: Any) -> None:
        """Show a value, unless the person is in the middle of typing another."""
        self._value = value
        self.reset.setVisible(value != self.field.default)
        if not self._control.is_typing(value):
            self.set_error("")
            self._show(value)

    def set_error(self, text: str) -> None:
        self.error.setText(text)
        self.error.setVisible(bool(text))
        set_property(self.control, "invalid", bool(text))

    def set_note(self, text: str) -> None:
        """A few words below the control, such as what the program takes where the value is left to it."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def set_chosen(self, value: Any) -> None:
        """Say what the program takes where the value is left to it: in the field where that is empty, else below it.
        None: nothing is chosen."""
        words = describe_value(self.field, value, unit=False) if value is not None else ""
        said = texts.AUTO_VALUE.format(value=words) if words else ""
        if isinstance(self.control, QLineEdit) and (self.field.auto or self.field.optional):
            self.control.setPlaceholderText(said or _blank(self.field))
            said = ""
        self.set_note(said)

    def grey(self, reason: str) -> None:
        """It cannot be set now, for the reason; "": it can."""
        self.set_note(reason)
        self.control.setEnabled(not reason)

    # -- editing -------------------------------------------------------------------------------------

    def check(self) -> None:
        """Show what is wrong with the typed text, if anything."""
        try:
            self._control.parse()
        except UserError as error:
            self.set_error(translated(error.hint or error.message))
        else:
            self.set_error("")

    def commit_typed(self) -> None:
        """Commit the typed text, or show what is wrong with it."""
        try:
            value = self._control.parse()
        except UserError as error:
            self.set_error(translated(error.hint or error.message))
        else:
            self.commit(value)

    def commit(self, value: Any) -> None:
        self.set_error("")
        if value != self._value:
            self._value = value
            self.reset.setVisible(value != self.field.default)
            self.changed.emit(self.field.name, value)

    def _on_reset(self) -> None:
        self.control.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show(self.field.default)
        self.commit(self.field.default)

    def _show(self, value: Any) -> None:
        """Put a value into the control, without a signal."""
        self.control.blockSignals(True)
        self._control.show(value)
        self.control.blockSignals(False)


class FieldRow(ValueRow):
    """One field: title, help, control, unit, and the button that resets it."""

    def __init__(self, field: Field, narrow: bool = False, make: Callable[[ValueRow], Control] | None = None) -> None:
        super().__init__(field, make or _CONTROLS.get(field.kind, _lines if field.multiline else line_control))
        self._side: QWidget | None = None
        self.reason = Text("", "attention", visible=False)
        if isinstance(self.control, QPlainTextEdit):
            self.control.installEventFilter(self)
        if isinstance(self.control, ChoiceBox | QLineEdit):
            self.control.setFixedWidth(_NUMBER_WIDTH if field.kind in ("int", "float") else CONTROL_WIDTH)
        title = Text(field.title, "strong")
        title.setBuddy(self.control)
        span = describe_span(field) if narrow else ""
        help = Text(" ".join(part for part in (field.shown_help, span) if part), "small")
        head: QLayout | None = None
        controls = row_of(gap=tokens.SPACE_2)
        if isinstance(self.control, QPlainTextEdit):  # as wide as the row: its button stands beside the title
            self.reset.setFixedSize(tokens.SPACE_5, tokens.SPACE_5)
            head = row_of(None, title, None, self.reset)
            controls.addWidget(self.control, 1)
        else:
            controls.addWidget(self.control)
            if field.unit:
                controls.addWidget(Text(field.unit, "muted"))
            controls.addWidget(self.reset)
        if head is None:
            controls.addStretch(1)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(tokens.SPACE_5)
        grid.setVerticalSpacing(tokens.SPACE_1)
        if narrow or isinstance(self.control, QPlainTextEdit):
            if head is not None:
                grid.addLayout(head, 0, 0)
            else:
                grid.addWidget(title, 0, 0)
            grid.addWidget(help, 1, 0)
            grid.addLayout(controls, 2, 0)
            grid.addWidget(self.note, 3, 0)
            grid.addWidget(self.error, 4, 0)
        else:
            grid.addWidget(title, 0, 0)
            grid.addWidget(help, 1, 0, Qt.AlignmentFlag.AlignTop)
            self._side = QWidget()
            self._side.setFixedWidth(_SIDE_WIDTH)
            column_of(self._side, controls, self.note, gap=tokens.SPACE_1)
            grid.addWidget(self._side, 0, 1, 2, 1, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self.error, 3, 0, 1, 2)
            grid.addWidget(self.reason, 4, 0, 1, 2)
            grid.setColumnStretch(0, 1)
        self._grid = grid
        self.set_value(field.default)

    def grey(self, reason: str) -> None:
        """The note has the width of the control: in a wide row the reason has a line of its own."""
        if self._side is None:
            super().grey(reason)
            return
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        self.control.setEnabled(not reason)

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return hint if self._side is None else QSize(_SIDE_WIDTH, hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The control stands beside its title, or, where that leaves the words no room, below them."""
        super().resizeEvent(event)
        if self._side is not None:
            below = event.size().width() < _SIDE_WIDTH + CONTROL_WIDTH
            if below != (self._grid.getItemPosition(self._grid.indexOf(self._side))[0] == 2):  # type: ignore[index]
                self._grid.removeWidget(self._side)
                place = (2, 0, 1, 1) if below else (0, 1, 2, 1)
                self._grid.addWidget(self._side, *place, Qt.AlignmentFlag.AlignTop)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leaving a text commits it."""
        if event.type() == QEvent.Type.FocusOut:
            self.commit_typed()
        return False


def _switch(row: ValueRow) -> Control:
    box = QCheckBox(texts.OFF, toggled=row.commit)

    def show(value: Any) -> None:
        box.setChecked(bool(value))
        box.setText(texts.ON if value else texts.OFF)

    box.toggled.connect(show)
    return Control(box, show, box.isChecked, lambda value: False)


def choice_control(row: ValueRow) -> Control:
    """A list of the field's choices; another field's list is filled by who makes it."""
    choices = [(name_choice(row.field.name, choice), choice) for choice in row.field.choices]
    box = ChoiceBox(row.field.title, choices, chosen=row.commit)
    return Control(box, lambda value: box.show_value(str(value)), lambda: box.value, lambda value: False)


def line_control(row: ValueRow) -> Control:
    line = QLineEdit(textEdited=lambda _: row.check(), editingFinished=row.commit_typed)
    if row.field.auto:
        line.setPlaceholderText(_blank(row.field))

    def shown(value: Any) -> str:
        return "" if row.field.auto and value == row.field.empty else _shown(value)

    def show(value: Any) -> None:
        line.setText(shown(value))
        line.setCursorPosition(0)  # a text that is longer than the field shows its beginning

    def parse() -> Any:
        text = line.text()
        if row.field.kind in ("int", "float"):
            text = text.replace(",", "").replace(" ", "").strip() if row.field.kind == "int" else text.strip()
        return parse_text(row.field, text, shown=True)

    return Control(
        line,
        show,
        parse,
        lambda value: line.hasFocus() and line.text() != shown(value),
    )


def _lines(row: ValueRow) -> Control:
    text = QPlainTextEdit()
    text.setFixedHeight(88)
    text.setTabChangesFocus(True)
    text.setSizeAdjustPolicy(QAbstractScrollArea.SizeAdjustPolicy.AdjustIgnored)

    def parse() -> Any:
        words = text.toPlainText()
        if row.field.kind == "list":
            return tuple(line for line in words.split("\n") if line)
        return parse_text(row.field, words, shown=True)

    return Control(
        text,
        lambda value: text.setPlainText(_in_lines(value)),
        parse,
        lambda value: text.hasFocus() and text.toPlainText() != _in_lines(value),
    )


_CONTROLS: dict[str, Callable[[ValueRow], Control]] = {"bool": _switch, "choice": choice_control, "list": _lines}
"""The controls of the kinds of fields that are no line of text."""


def describe_span(field: Field) -> str:
    """The range of a number in short: ``0 to 5.``, ``From 1 on.``; nothing for other fields."""
    lowest = lowest_of(field)
    if field.kind not in ("int", "float") or lowest is None:
        return ""
    if field.maximum is None or field.maximum > 1_000_000:
        return texts.FROM_UP.format(minimum=lowest) if lowest > 0 else ""
    return texts.FROM_TO.format(minimum=lowest, maximum=field.maximum, value=f" {field.unit}" if field.unit else "")


def describe_value(field: Field, value: Any, unit: bool = True) -> str:
    """A field's value in words: ``on``, ``8,192 tokens``, ``auto``."""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, tuple):
        return ", ".join(value) or _("nothing")
    if value is None or (field.auto and value == field.empty):
        return _blank(field)
    words = _shown(value) or _("nothing")
    return f"{words} {field.unit}".strip() if unit else words


def _blank(field: Field) -> str:
    """The word in an empty field."""
    return field.blank or texts.AUTO


def _in_lines(value: Any) -> str:
    return "\n".join(value) if isinstance(value, tuple) else _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)
