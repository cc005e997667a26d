"""The report on a data set: statistics, skipped rows, and examples as the model sees them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import Chip, FoldButton, InlineMessage, ProgressLine, Text
from ui.components.layout import column_of, row_of
from ui.components.wording import describe_count
from ui.features.training import texts
from ui.features.training.column_mapping import ColumnMapping, unmapped
from ui.features.training.example_view import ExampleView
from ui.features.training.length_histogram import LengthHistogram
from ui.theme import tokens
from workbench.records.training import DataPart, DataReport, SideReport
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


class DataReportView(QWidget):
    """``mapped`` sends the DataPart with columns chosen by hand, ``more_wanted`` the number of an example that is not
    there yet, ``stop_wanted`` that looking shall end."""

    mapped = Signal(object)
    more_wanted = Signal(int)
    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        column = column_of(self, self.hint, self.progress, self.message, top, gap=tokens.SPACE_2)
        above: tuple[QWidget, ...] = (self.numbers, self.flaws, self.histogram, self.notes)
        below: tuple[QWidget, ...] = (self.mapping, self.refused, self.legend, self.examples)
        for part in above:
            column.addWidget(part)
        column.addLayout(links)
        for part in below:
            column.addWidget(part)
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
        self.refused_button.setText(describe_count(len(report.refused), texts.ROW_LEFT_OUT, texts.ROWS_LEFT_OUT))
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
        self.legend.setText(texts.SAMPLED_LEGEND if report is not None and holds_prompts(report) else texts.LEGEND)
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
        texts.KEPT_APART.format(examples=report.evaluation.examples, part=measured_part(report.measured))
        if report.evaluation.examples
        else texts.NONE_HELD_OUT
    )
    lengths = texts.LENGTHS.format(
        median=report.train.median, shortest=report.train.shortest, longest=report.train.longest
    )
    trained = texts.TRAINED_TOKENS.format(trained_tokens=report.train.trained_tokens, tokens=report.train.tokens)
    prompts = holds_prompts(report)
    count = describe_count(report.train.examples, "prompt" if prompts else "example")
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
