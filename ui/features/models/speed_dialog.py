"""The dialog that measures how fast a model computes on this machine."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.bridge import Bridge
from ui.components.basics import Text
from ui.components.call_dialog import StreamDialog
from ui.components.dialog import LabelledField
from ui.components.layout import column_of
from ui.components.number_box import NumberBox
from ui.components.wording import describe_count
from ui.features.models import speed_texts as texts
from ui.theme import tokens
from workbench.api.events import Progress
from workbench.base.catalogue import translated
from workbench.records.models import ModelRecord
from workbench.subjects.models.calls import Benchmark, BenchModel


class SpeedDialog(StreamDialog):
    """The measurement stops when the dialog is closed."""

    def __init__(self, bridge: Bridge, model: ModelRecord, parent: QWidget | None = None) -> None:
        super().__init__(bridge, texts.TITLE.format(name=model.name), texts.EXPLANATION, texts.MEASURE, parent)
        self._model = model
        usual = BenchModel(name=model.name)
        self.prompt_tokens = NumberBox(minimum=1, maximum=100_000, value=usual.prompt_tokens)
        self.new_tokens = NumberBox(minimum=1, maximum=10_000, value=usual.new_tokens)
        self.sequences = NumberBox(minimum=1, maximum=64, value=usual.sequences)
        self.rounds = NumberBox(minimum=1, maximum=20, value=usual.rounds)
        grid = QGridLayout()
        grid.setHorizontalSpacing(tokens.SPACE_5)
        grid.setVerticalSpacing(tokens.SPACE_3)
        self._fields = [
            LabelledField(texts.PROMPT_TOKENS, "", self.prompt_tokens),
            LabelledField(texts.NEW_TOKENS, "", self.new_tokens),
            LabelledField(texts.SEQUENCES, "", self.sequences),
            LabelledField(texts.ROUNDS, "", self.rounds),
        ]
        for place, field in enumerate(self._fields):
            grid.addWidget(field, place // 2, place % 2)
        self.inside.addLayout(grid)
        self.inside.addStretch(1)
        self.measured = SpeedTable()
        self.below.addWidget(self.measured)
        self.leave.setText(texts.CLOSE)
        self.resize(600, 330)

    def make_call(self) -> BenchModel:
        return BenchModel(
            name=self._model.name,
            prompt_tokens=self.prompt_tokens.value(),
            new_tokens=self.new_tokens.value(),
            sequences=self.sequences.value(),
            rounds=self.rounds.value(),
        )

    def words_of(self, progress: Progress | None) -> str:
        stage = translated(progress.stage) if progress is not None else ""
        return f"{stage[:1].upper()}{stage[1:]}" or texts.MEASURING

    def _on_go(self) -> None:
        self.measured.hide()
        super()._on_go()

    def take_result(self, found: Benchmark) -> None:
        self.measured.show_result(found)
        self.go.setText(texts.AGAIN)
        self._show_state()

    def _show_state(self) -> None:
        super()._show_state()
        for field in self._fields:
            field.setEnabled(not self._waiting)
        if not self._waiting:
            self._bridge.refresh_status()  # the model is loaded now


class SpeedTable(QWidget):
    """What was measured, in tokens per second. Hidden until there is something."""

    def __init__(self) -> None:
        super().__init__(visible=False, accessibleName=texts.RESULT)
        self.rows: list[tuple[str, str, str]] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(tokens.SPACE_4)
        self._grid.setVerticalSpacing(tokens.SPACE_1)
        self._grid.setColumnStretch(0, 1)
        self._machine = Text("", "small")
        column_of(self, self._grid, self._machine, gap=tokens.SPACE_2)

    def show_result(self, found: Benchmark) -> None:
        gain = texts.GAIN.format(gain=found.together / found.alone) if found.alone else ""
        prompt = texts.PROMPT.format(count=describe_count(found.prompt_tokens, "token"))
        alone = texts.ALONE.format(count=describe_count(found.new_tokens, "token"))
        together = texts.TOGETHER.format(count=describe_count(found.sequences, "answer"))
        self.rows = [
            (prompt, _speed(found.prompt), ""),
            (alone, _speed(found.alone), ""),
            (together, _speed(found.together), gain),
        ]
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for line, row in enumerate(self.rows):
            for column, words in enumerate(row):
                side = Qt.AlignmentFlag.AlignRight if column == 1 else Qt.AlignmentFlag.AlignLeft
                text = Text(words, "strong" if column == 1 else "body" if column == 0 else "small", wordWrap=False)
                self._grid.addWidget(text, line, column, side)
        self._machine.setText(
            texts.MACHINE.format(
                device=found.device, threads=found.threads, engine=found.engine, seconds=found.load_seconds
            )
        )
        self.show()


def _speed(tokens_per_s: float) -> str:
    return texts.SPEED.format(speed=tokens_per_s)
