"""The report on a data set: statistics, skipped rows, and examples as the model sees them.

The role of each column of a data set, chosen by hand if it was not recognised.

Examples as the model is shown them, one at a time, with the trained words tinted.

A histogram of example lengths, with the limit at which examples are truncated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QPen,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
)
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QTextEdit, QWidget

from ui.components.basics import Chip, ElidedLabel, FoldButton, IconButton, InlineMessage, ProgressLine, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import column_of, empty_layout, keep_place, row_of
from ui.components.prose import MONO
from ui.components.wording import describe_count
from ui.features.training import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from ui.theme.tokens import mixed
from workbench.base.catalogue import translated
from workbench.records.training import ColumnRole, DataPart, DataReport, LengthBin, Preview, SideReport
from workbench.records.training.measured import measured_part

SHAPES = {
    "messages": texts.SHAPE_MESSAGES,
    "sharegpt": texts.SHAPE_SHAREGPT,
    "instruction": texts.SHAPE_ALPACA,
    "prompt_completion": texts.SHAPE_COLUMNS,
    "text": texts.SHAPE_TEXT,
    "preference_pairs": texts.SHAPE_PAIRS,
    "judged_answers": texts.SHAPE_JUDGED,
    "prompts": texts.SHAPE_PROMPTS,
    "columns": texts.SHAPE_MAPPED,
    "unknown": texts.SHAPE_UNKNOWN,
}
_SHOWN_REFUSED = 50
_HEIGHT = 560  # px at least, also before there is a report: what stands below stays where it is when one comes


class DataReportView(QWidget):
    """``mapped`` sends the DataPart with columns chosen by hand, ``more_wanted`` the number of an example that is not
    there yet, ``stop_wanted`` that looking shall end."""

    mapped = Signal(object)
    more_wanted = Signal(int)
    stop_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.progress = ProgressLine(visible=False, stop_clicked=self.stop_wanted)
        self.message = InlineMessage(closable=False)
        self.hint = Text(texts.CHOOSE_BOTH, "muted")
        self.shape = Chip("", "accent")
        self.why = Text("", "muted")
        self.map_button = FoldButton(texts.MAP_COLUMNS, toggled=self._arrange)
        self.mapping = ColumnMapping()
        self.mapping.changed.connect(self.mapped)
        self.numbers = Text("", "body")
        self.flaws = Text("", "attention")
        self.histogram = LengthHistogram()
        self.notes = Text("", "small")
        self.legend = Text("", "small")
        self.examples = ExampleView()
        self.examples.wanted.connect(self.more_wanted)
        self.refused_button = FoldButton("", toggled=self._arrange)
        self.refused = Text("", "small")
        self._report: DataReport | None = None
        top = row_of(None, self.shape, (self.why, 1), gap=tokens.SPACE_2)
        links = row_of(None, self.map_button, self.refused_button, None)
        column = column_of(self, self.hint, self.message, top, gap=tokens.SPACE_2)
        above: tuple[QWidget, ...] = (self.numbers, self.flaws, self.histogram, self.notes)
        below: tuple[QWidget, ...] = (self.mapping, self.refused, self.legend, self.examples)
        for part in above:
            column.addWidget(part)
        column.addLayout(links)
        for part in (*below, self.progress):
            column.addWidget(part)
        column.insertStretch(column.count() - 1)
        keep_place(self.progress)
        self.setMinimumHeight(_HEIGHT)
        self._arrange()

    @property
    def report(self) -> DataReport | None:
        """What is shown; None before there is one."""
        return self._report

    def show_nothing(self, words: str) -> None:
        """Say why there is nothing to see yet."""
        self._report = None
        self.progress.hide()
        self.message.hide()
        self.hint.setText(words)
        self._arrange()

    def show_looking(self) -> None:
        """The set is being read; what was known stays in sight until then."""
        self.message.hide()
        self.progress.set_progress(texts.READING_DATA)
        self.progress.show()
        self.hint.setVisible(False)

    def show_problem(self, words: str, data: DataPart) -> None:
        """The set cannot be used, and why. Columns that were mapped by hand can be mapped anew."""
        self._report = None
        self.progress.hide()

        def map_anew() -> None:
            self.mapped.emit(unmapped(data))

        by_hand = unmapped(data) != data
        self.message.show_message(words, "danger", texts.MAP_AGAIN if by_hand else "", map_anew)
        self._arrange()

    def show_report(self, report: DataReport, data: DataPart) -> None:
        """Show what is in a set, with its first examples."""
        self.progress.hide()
        self.message.hide()
        self._report = report
        unknown = report.shape == "unknown"
        self.shape.setText(SHAPES.get(report.shape, report.shape.replace("_", " ").capitalize()))
        self.shape.set_tone("attention" if unknown else "accent")
        by_hand = not unknown and unmapped(data) != data
        self.why.setText(texts.MAPPED_BY_HAND if by_hand else report.why)
        self.mapping.show_columns(report, data)
        self.map_button.setVisible(bool(report.columns) and not unknown)
        self.numbers.setText(describe_sides(report))
        self.flaws.setText(describe_flaws(report))
        self.histogram.show_lengths(report.train.lengths, report.max_length if report.train.truncated else 0)
        left_out = texts.COLUMNS_UNUSED.format(names=", ".join(report.left_out)) if report.left_out else ""
        self.notes.setText("\n".join(part for part in (left_out, *report.notes) if part))
        self.examples.restart(report.previews, report.train.examples + report.evaluation.examples)
        self.refused_button.setText(describe_count(len(report.refused), "row is skipped", "rows are skipped"))
        self.refused.setText(refused_words(report.refused))
        self._arrange()

    def _arrange(self) -> None:
        report = self._report
        there = report is not None
        unknown = report is not None and report.shape == "unknown"
        self.hint.setVisible(not there and not self.message.isVisibleTo(self))
        for part in (self.shape, self.why):
            part.setVisible(there)
        for label in (self.numbers, self.flaws, self.notes):
            label.setVisible(there and bool(label.text()))
        self.histogram.setVisible(report is not None and bool(report.train.lengths))
        self.examples.setVisible(report is not None and bool(report.previews))
        self.legend.setVisible(self.examples.isVisibleTo(self))
        self.legend.setText(_legend_of(report))
        self.map_button.setVisible(report is not None and bool(report.columns) and not unknown)
        self.mapping.setVisible(report is not None and (unknown or self.map_button.isChecked()))
        self.refused_button.setVisible(report is not None and bool(report.refused))
        self.refused.setVisible(report is not None and bool(report.refused) and self.refused_button.isChecked())


def describe_sides(report: DataReport) -> str:
    """``1,350 examples for training, 150 held out · about 216 tokens each, the longest 812``; what is evaluated on is
    called what it is."""
    if not report.train.examples:
        return ""
    held = (
        texts.KEPT_APART.format(examples=report.evaluation.examples, part=translated(measured_part(report.measured)))
        if report.evaluation.examples
        else texts.NONE_HELD_OUT
    )
    lengths = texts.LENGTHS.format(
        median=report.train.median, shortest=report.train.shortest, longest=report.train.longest
    )
    trained = texts.TRAINED_TOKENS.format(trained_tokens=report.train.trained_tokens, tokens=report.train.tokens)
    prompts = holds_prompts(report)
    count = (
        describe_count(report.train.examples, "prompt") if prompts else describe_count(report.train.examples, "example")
    )
    said = texts.SIDES.format(count=count, held=held, lengths=lengths)
    return said if prompts else f"{said} · {trained}"


def holds_prompts(report: DataReport) -> bool:
    """Whether answers are sampled: of a prompt nothing is trained, and what follows its last token is learnt."""
    return 0 < report.train.trained_tokens <= report.train.examples


def describe_flaws(report: DataReport) -> str:
    """Problems of a set that a person may want to fix; "" for none."""
    flaws = []
    both = (report.train, report.evaluation)
    at = texts.AT_TOKENS.format(max_length=report.max_length) if report.max_length else ""
    for count, one, many in (
        (_sum(both, "truncated"), texts.IS_CUT.format(at=at), texts.ARE_CUT.format(at=at)),
        (_sum(both, "duplicates"), texts.IS_DUPLICATE, texts.ARE_DUPLICATES),
        (_sum(both, "empty"), texts.IS_EMPTY, texts.ARE_EMPTY),
        (report.overlap, texts.IS_LEAKED, texts.ARE_LEAKED),
    ):
        if count:
            flaws.append(f"{describe_count(count, 'example')} {one if count == 1 else many}")
    return f"{'; '.join(flaws)}." if flaws else ""


def refused_words(refused: tuple[str, ...]) -> str:
    """The first of the refused rows, with their reasons."""
    more = len(refused) - _SHOWN_REFUSED
    return "\n".join((*refused[:_SHOWN_REFUSED], *((texts.AND_MORE.format(more=more),) if more > 0 else ())))


def _sum(sides: tuple[SideReport, ...], field: str) -> int:
    return sum(int(getattr(side, field)) for side in sides)


class ColumnMapping(QWidget):
    """``changed`` sends the DataPart with the columns as they were chosen, once they make an example. Several columns
    can make the question."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data = DataPart()
        self._report: DataReport | None = None
        self.boxes: dict[str, ChoiceBox] = {}
        self.words = Text("", "muted")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(tokens.SPACE_4)
        self._grid.setVerticalSpacing(tokens.SPACE_1)
        self._grid.setColumnStretch(0, 1)
        column_of(self, self.words, self._grid, gap=tokens.SPACE_2)

    def show_columns(self, report: DataReport, data: DataPart) -> None:
        """Show the columns of a set with the roles that ``data`` gives them."""
        self._data = data
        before, self._report = self._report, report
        if before is None or (before.columns, before.roles) != (report.columns, report.roles):
            self._build(report.columns, report.roles)
        for name, box in self.boxes.items():
            box.blockSignals(True)
            box.setCurrentIndex(max(0, box.findData(role_of(name, data))))
            box.blockSignals(False)
        self.words.setText(texts.CHOOSE_ROLES.format(missing=_missing(data, report)).strip())

    def _build(self, columns: Sequence[str], roles: Sequence[ColumnRole]) -> None:
        empty_layout(self._grid)
        self.boxes = {}
        for line, name in enumerate(columns):
            choices = [(texts.NOT_USED, ""), *((role.title, role.name) for role in roles)]
            box = self.boxes[name] = ChoiceBox(texts.ROLE_OF_COLUMN.format(name=name), choices)
            box.setFixedWidth(180)
            box.currentIndexChanged.connect(lambda _, name=name: self._on_chosen(name))
            self._grid.addWidget(ElidedLabel(name, "code"), line, 0)
            self._grid.addWidget(box, line, 1)

    def _on_chosen(self, name: str) -> None:
        if self._report is None:
            return
        chosen = str(self.boxes[name].currentData())
        several = any(role.several for role in self._report.roles if role.name == chosen)
        self._data = with_role(self._data, name, chosen, several)
        self.show_columns(self._report, self._data)
        if not _missing(self._data, self._report):
            self.changed.emit(self._data)


def unmapped(data: DataPart) -> DataPart:
    """The DataPart with no column named by hand."""
    return msgspec.structs.replace(data, columns={})


def role_of(column: str, data: DataPart) -> str:
    """The role that a DataPart gives a column, "" for none."""
    return next((role for role, columns in data.columns.items() if column in columns), "")


def with_role(data: DataPart, column: str, role: str, several: bool) -> DataPart:
    """The DataPart in which a column has this role, beside others that have it or (not ``several``) instead of them."""
    left = {one: tuple(name for name in names if name != column) for one, names in data.columns.items()}
    if role:
        left[role] = (*left.get(role, ()), column) if several else (column,)
    return msgspec.structs.replace(data, columns={one: names for one, names in left.items() if names})


def _missing(data: DataPart, report: DataReport) -> str:
    if any(set(roles) <= data.columns.keys() for roles in report.role_sets):
        return ""
    titles = {role.name: role.title.lower() for role in report.roles}
    sets = [texts.AND.join(titles.get(role, role) for role in roles) for roles in report.role_sets]
    return texts.NEEDS_COLUMNS.format(names=texts.OR.join(sets))


_MOST_HEIGHT = 300
_LONGEST = 20_000
"""Characters of one example that are laid out."""


def _legend_of(report: DataReport | None) -> str:
    if report is None:
        return texts.LEGEND
    if holds_prompts(report):
        return texts.SAMPLED_LEGEND
    pairs = any(piece.rejected for preview in report.previews for piece in preview.pieces)
    return texts.PAIRS_LEGEND if pairs else texts.LEGEND


class ExampleView(QWidget):
    """Goes through ``total`` examples; ``wanted`` asks for those from a number on that are not there yet."""

    wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._previews: dict[int, Preview] = {}
        self._total = 0
        self._at = 0
        self.back = IconButton("chevron-left", texts.PREVIOUS_EXAMPLE)
        self.forward = IconButton("chevron-right", texts.NEXT_EXAMPLE)
        self.back.clicked.connect(lambda: self.go_to(self._at - 1))
        self.forward.clicked.connect(lambda: self.go_to(self._at + 1))
        self.place = Text("", "muted", wordWrap=False)
        self.side = Chip("", "accent")
        self.counts = ElidedLabel("", "small")
        self.source = ElidedLabel("", "small", Qt.TextElideMode.ElideMiddle)
        self.text = QTextEdit()
        self.text.setReadOnly(True)
        self.text.setUndoRedoEnabled(False)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setAccessibleName(texts.EXAMPLE)
        self.text.setTabChangesFocus(True)
        self.text.document().setDocumentMargin(tokens.SPACE_2)
        row = row_of(None, self.back, self.place, self.forward, self.side, (self.counts, 1), gap=tokens.SPACE_2)
        column_of(self, row, self.text, self.source, gap=tokens.SPACE_1)
        current_theme().changed.connect(self._draw)

    @property
    def at(self) -> int:
        """The number of the shown example, from 0."""
        return self._at

    def restart(self, previews: Sequence[Preview], total: int) -> None:
        """Another set: show its first example; ``total`` is how many it has."""
        self._previews = dict(enumerate(previews))
        self._total = max(total, len(previews))
        self._at = 0
        self.setVisible(bool(previews))
        self._draw()

    def put(self, first: int, previews: Sequence[Preview]) -> None:
        """The examples from number ``first`` on, as they were asked for."""
        self._previews.update(enumerate(previews, first))
        self._draw()

    def go_to(self, number: int) -> None:
        """Show an example; one that is not there yet is asked for."""
        if not 0 <= number < self._total:
            return
        self._at = number
        if number not in self._previews:
            self.wanted.emit(number)
        self._draw()

    def _draw(self) -> None:
        self.back.setEnabled(self._at > 0)
        self.back.setToolTip(texts.PREVIOUS_EXAMPLE if self._at > 0 else texts.FIRST_EXAMPLE)
        last = self._at >= self._total - 1
        self.forward.setEnabled(not last)
        self.forward.setToolTip(texts.LAST_EXAMPLE if last else texts.NEXT_EXAMPLE)
        self.place.setText(texts.OF_TOTAL.format(value=self._at + 1, _total=self._total))
        preview = self._previews.get(self._at)
        self.side.setVisible(preview is not None)
        if preview is None:
            self.counts.set_full_text(texts.READING)
            return
        self.side.setText(texts.TRAINED_ON if preview.side == "train" else texts.EVALUATED_ON)
        self.side.set_tone("accent" if preview.side == "train" else "plain")
        cut = texts.CUT_FROM.format(whole_tokens=preview.whole_tokens) if preview.whole_tokens > preview.tokens else ""
        self.counts.set_full_text(
            (texts.PROMPT_TOKENS if preview.trained_tokens == 1 else texts.EXAMPLE_TOKENS).format(
                tokens=preview.tokens, cut=cut, trained_tokens=preview.trained_tokens
            )
        )
        self.source.set_full_text(preview.source)
        self._write(preview)

    def _write(self, preview: Preview) -> None:
        palette = current_theme().palette
        plain, trained, rejected = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        for one in (plain, trained, rejected):
            one.setFontFamilies(MONO)
            one.setProperty(QTextFormat.Property.FontPixelSize, 13)
            one.setForeground(QColor(palette.muted if one is plain else palette.text))
        pair = any(piece.rejected for piece in preview.pieces)
        trained.setBackground(QColor(palette.success_soft if pair else mixed(palette.accent, palette.surface, 0.2)))
        rejected.setBackground(QColor(palette.danger_soft))
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        cursor.beginEditBlock()
        spaced = QTextBlockFormat()
        spaced.setLineHeight(140, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(spaced)
        left = _LONGEST
        told = False
        for piece in preview.pieces:
            if piece.rejected and not told:
                told = True
                cursor.insertText(f"\n{texts.REJECTED_ANSWER}\n", plain)
            tint = rejected if piece.rejected else trained
            cursor.insertText(piece.text[:left], tint if piece.trained else plain)
            left -= len(piece.text)
            if left <= 0:
                cursor.insertText(" […]", plain)
                break
        cursor.endEditBlock()
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        self._fit()

    def _fit(self) -> None:
        document = self.text.document()
        document.setTextWidth(max(200, self.text.viewport().width()))
        height = math.ceil(document.size().height()) + 2 * tokens.SPACE_2 + 4
        self.text.setFixedHeight(min(_MOST_HEIGHT, max(120, height)))


_PLOT = 64
_LABELS = 18


class LengthHistogram(QWidget):
    """Painted bars, whose values are also in the accessible name."""

    def __init__(self) -> None:
        super().__init__()
        self._bins: tuple[LengthBin, ...] = ()
        self._cut = 0
        self.setFixedHeight(_PLOT + _LABELS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_lengths(self, bins: Sequence[LengthBin], cut: int) -> None:
        """``cut`` is the length in tokens at which examples are cut; 0: they are not."""
        self._bins, self._cut = tuple(bins), cut
        self.setVisible(bool(bins))
        words = "; ".join(texts.HISTOGRAM_BIN.format(count=one.count, low=one.low, value=one.high - 1) for one in bins)
        self.setAccessibleName(texts.HISTOGRAM.format(words=words))
        self.setToolTip(texts.HISTOGRAM_HELP.format(replace=words.replace("; ", chr(10))) if bins else "")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._bins:
            return
        palette = current_theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPixelSize(11)
        painter.setFont(font)
        low, high = self._bins[0].low, max(self._bins[-1].high, self._bins[0].low + 1)
        most = max(one.count for one in self._bins) or 1
        cut = low < self._cut < high

        def place(length: int) -> float:
            return self.width() * (length - low) / (high - low)

        for one in self._bins:
            left, right = place(one.low), place(one.high)
            height = (_PLOT - 14) * one.count / most
            if not one.count:
                continue
            beyond = cut and one.low >= self._cut
            colour = mixed(palette.attention if beyond else palette.accent, palette.surface, 0.5)
            tall = max(2.0, height)
            painter.fillRect(QRectF(left + 1, _PLOT - tall, right - left - 2, tall), QColor(colour))
        painter.setPen(QColor(palette.edge))
        painter.drawLine(QPointF(0, _PLOT), QPointF(self.width(), _PLOT))
        painter.setPen(QColor(palette.muted))
        area = QRectF(0, _PLOT, self.width(), _LABELS)
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{low:,}")
        painter.drawText(
            area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, texts.COUNT_TOKENS.format(high=high)
        )
        if cut:
            x = place(self._cut)
            painter.setPen(QPen(QColor(palette.attention), 1.5, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, 0), QPointF(x, _PLOT))
            words = texts.CUT_AT.format(_cut=self._cut)
            wide = painter.fontMetrics().horizontalAdvance(words)
            painter.drawText(QPointF(x + 4 if x + wide + 8 < self.width() else x - wide - 4, 10), words)
        painter.end()
