"""One model of the catalogue: its facts, its actions, and what opens below them (loading, details, removal).

The exam of a model on its card: the rates of each language, what follows from them, and an exam under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QPlainTextEdit, QPushButton, QWidget

from ui.components.basics import (
    Card,
    Chip,
    ElidedLabel,
    IconButton,
    InlineMessage,
    Line,
    PlainButton,
    ProgressLine,
    QuietButton,
    Text,
)
from ui.components.layout import column_of, row_of
from ui.components.notices import ConfirmRow
from ui.components.run_follower import RunFollower
from ui.components.wording import describe_bytes, describe_parameters, how_far
from ui.features.models import endpoint_texts, hub_texts, texts
from ui.features.models.fit_badge import FitBadge
from ui.theme import tokens
from ui.theme.theme import set_icon
from workbench.api.events import Progress
from workbench.base.catalogue import all_translated, translated
from workbench.records.exam import (
    RATES,
    ExamResult,
    describe_mode,
    describe_office,
    describe_poor,
    describe_rate,
)
from workbench.records.model_shapes import describe_shape, shape_title
from workbench.records.models import ModelDetails, ModelRecord

KINDS = {
    "chat": (texts.KIND_CHAT, texts.KIND_CHAT_HELP),
    "base": (texts.KIND_BASE, texts.KIND_BASE_HELP),
    "embedder": (texts.KIND_SEARCH, texts.KIND_SEARCH_HELP),
}


class ModelCard(Card):
    """Signals carry the model's name. Removal is asked for a second time, in the card, before it is sent."""

    load_wanted = Signal(str)
    unload_wanted = Signal(str)
    details_wanted = Signal(str)
    remove_wanted = Signal(str)
    default_wanted = Signal(str)
    exam_wanted = Signal(str)
    fit_wanted = Signal(str)
    load_anyway_wanted = Signal(str)
    quantize_wanted = Signal(str)
    speed_wanted = Signal(str)
    menu_shown = Signal(QMenu)
    """Its further actions are about to be shown: the page adds those that need the core."""

    def __init__(self, model: ModelRecord) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.model = model
        self._stop: Callable[[], None] | None = None
        self._loaded = self._is_default = False
        top = row_of(gap=tokens.SPACE_2)
        self._name = ElidedLabel(model.name, "heading")
        self._kind = Chip("")
        self._state = Chip(texts.LOADED, "success")
        self._missing = Chip(texts.MISSING, "danger")
        self._default = Chip(texts.DEFAULT, "accent", toolTip=texts.DEFAULT_HELP, visible=False)
        top.addWidget(self._name, 1)
        for chip in (self._missing, self._default, self._state, self._kind):
            top.addWidget(chip)
        self._facts = Text("", "body")
        self._purpose = Text("", "small")
        self._path = ElidedLabel("", "small", Qt.TextElideMode.ElideMiddle)
        self._problem = InlineMessage()
        self._progress = ProgressLine(stop_clicked=self._on_stop, visible=False)
        self.body.addLayout(top)
        self.body.addWidget(self._facts)
        self.body.addWidget(self._purpose)
        self.body.addWidget(self._path)
        self.body.addWidget(self._problem)
        self.fit = FitBadge()
        self.body.addWidget(self.fit)
        self.body.addWidget(self._progress)
        self.exam = ExamView()
        self.body.addWidget(self.exam)
        self.body.addLayout(self._build_actions())
        self.confirm = ConfirmRow(self.remove_button, tokens.SPACE_1)
        self.confirm.confirmed.connect(lambda: self.remove_wanted.emit(self.model.name))
        self.body.addWidget(self.confirm)
        self._details: QWidget | None = None
        self._state.hide()
        self.show_model(model)

    def _build_actions(self) -> QHBoxLayout:
        row = row_of(gap=tokens.SPACE_2, margins=(0, tokens.SPACE_1, 0, 0))
        self.load_button = PlainButton(texts.LOAD, "play")
        self.unload_button = PlainButton(texts.UNLOAD, "close")
        self.details_button = QuietButton(texts.DETAILS, "chevron-right", checkable=True)
        self.fit_button = QuietButton(hub_texts.FIT, "processor", toolTip=hub_texts.FIT_HELP)
        self.exam_button = QuietButton(texts.EXAMINE, "check", toolTip=texts.EXAMINE_HELP)
        self.default_button = QuietButton(texts.MAKE_DEFAULT, "pin", toolTip=texts.DEFAULT_HELP)
        self.remove_button = QuietButton(texts.REMOVE, "trash")
        self.more_button = IconButton("more", texts.MORE.format(name=self.model.name), clicked=self._on_more)
        for button in (
            self.load_button,
            self.unload_button,
            self.details_button,
            self.fit_button,
            self.exam_button,
            self.default_button,
            self.remove_button,
        ):
            button.setProperty("small", True)
            button.setAccessibleName(f"{button.text()} {self.model.name}")
        self.load_button.clicked.connect(lambda: self.load_wanted.emit(self.model.name))
        self.unload_button.clicked.connect(lambda: self.unload_wanted.emit(self.model.name))
        self.details_button.toggled.connect(self._on_details)
        self.fit_button.clicked.connect(lambda: self.fit_wanted.emit(self.model.name))
        self.exam_button.clicked.connect(lambda: self.exam_wanted.emit(self.model.name))
        self.default_button.clicked.connect(lambda: self.default_wanted.emit(self.model.name))
        self.remove_button.clicked.connect(self._on_remove)
        row.addWidget(self.load_button)
        row.addWidget(self.unload_button)
        row.addWidget(self.details_button)
        row.addWidget(self.fit_button)
        row.addWidget(self.exam_button)
        row.addWidget(self.default_button)
        row.addStretch(1)
        row.addWidget(self.remove_button)
        row.addWidget(self.more_button)
        return row

    def _on_remove(self) -> None:
        """A model that is computed elsewhere is gone with its key; others can be restored from the trash."""
        if self.model.endpoint is not None:
            self.confirm.ask()
        else:
            self.remove_wanted.emit(self.model.name)

    # -- what it shows -------------------------------------------------------------------------------

    def show_model(self, model: ModelRecord) -> None:
        self.model = model
        self.setAccessibleName(model.name)
        word, purpose = KINDS[model.kind]
        self._kind.setText(word)
        self._purpose.setText(purpose)
        if model.endpoint is not None:
            self._kind.setText(endpoint_texts.CARD_KIND)
            self._purpose.setText(endpoint_texts.CARD_HELP.format(host=model.endpoint.host))
        facts = [
            model.architecture,
            shape_title(model).lower(),
            texts.PARAMETERS.format(parameters=describe_parameters(model.parameters)) if model.parameters else "",
            model.quantization,
            describe_bytes(model.bytes) if model.endpoint is None else "",
            texts.CONTEXT_LENGTH.format(context_tokens=model.context_tokens) if model.context_tokens else "",
            texts.SEES_IMAGES if model.sees_images else "",
            model.licence or (texts.NO_LICENCE if model.endpoint is None else ""),
        ]
        self._facts.setText(" · ".join(fact for fact in facts if fact))
        self._path.set_full_text(model.path)
        self._missing.setVisible(model.missing)
        if model.missing:
            self._problem.show_message(model.unreadable or texts.FILES_MISSING, "attention")
        self.confirm.set_question(texts.ASK_REMOVE.format(name=model.name), texts.REMOVE)
        self.exam.show_model(model)
        self.exam_button.setText(texts.EXAMINE if model.exam is None else texts.EXAMINE_AGAIN)
        self.exam_button.setAccessibleName(f"{self.exam_button.text()} {model.name}")
        self._show_buttons()

    def follow_exam(self, follower: RunFollower | None) -> None:
        """Show an exam that is under way; None when none is."""
        self.exam.follow(follower)
        self._show_buttons()

    def set_loaded(self, loaded: bool) -> None:
        self._loaded = loaded
        self._state.setVisible(loaded)
        self._show_buttons()

    def set_default(self, is_default: bool) -> None:
        """Whether it answers where no model is chosen."""
        self._is_default = is_default
        self._default.setVisible(is_default)
        self._show_buttons()

    def set_stop(self, stop: Callable[[], None]) -> None:
        """Set what Stop does while the model is loading."""
        self._stop = stop

    def show_loading(self, share: float | None) -> None:
        if self._progress.isHidden():
            self._problem.hide()
            self._progress.show()
        self._progress.set_progress(texts.LOADING.format(name=self.model.name), share)
        self._show_buttons()

    def end_loading(self) -> None:
        self._progress.hide()
        self._stop = None
        self._show_buttons()

    def show_problem(self, text: str) -> None:
        """Say in the card why something was refused."""
        self.details_button.setChecked(False)
        self._problem.show_message(text, "danger")

    def hide_problem(self) -> None:
        self._problem.hide()

    def show_refused(self, text: str) -> None:
        """Loading was refused: say why, and offer to load it anyway."""
        name = self.model.name
        self._problem.show_message(
            f"{text} {hub_texts.LOAD_ANYWAY_HELP}", "danger", hub_texts.LOAD_ANYWAY,
            lambda: self.load_anyway_wanted.emit(name),
        )  # fmt: skip

    @property
    def problem_action(self) -> QPushButton:
        """The button beside a problem."""
        return self._problem.action_button

    @property
    def problem(self) -> str:
        return self._problem.text if not self._problem.isHidden() else ""

    @property
    def facts(self) -> str:
        return self._facts.text()

    @property
    def progress(self) -> ProgressLine:
        return self._progress

    def show_details(self, details: ModelDetails) -> None:
        if not self.details_button.isChecked():
            return
        if self._details is not None:
            self._details.deleteLater()
        self._details = ModelFacts(details)
        self.body.addWidget(self._details)

    def _show_buttons(self) -> None:
        loading = not self._progress.isHidden()
        usable = self.model.kind != "embedder" and not self.model.missing
        self.load_button.setVisible(usable and self.model.endpoint is None and not self._loaded and not loading)
        self.unload_button.setVisible(self._loaded and not loading)
        self.default_button.setVisible(usable and not self._is_default)
        self.fit_button.setVisible(self.model.format == "gguf" and not self.model.missing)
        self.exam_button.setVisible(usable and self.model.format == "gguf" and not self.exam.running)
        self.more_button.setVisible(self.model.format == "gguf" and not self.model.missing)

    # -- what is done --------------------------------------------------------------------------------

    def _on_stop(self) -> None:
        if self._stop is not None:
            self._progress.set_progress(texts.STOPPING)
            self._stop()

    def make_menu(self) -> QMenu:
        """The menu of actions that are needed less often."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(texts.QUANTISE, lambda: self.quantize_wanted.emit(self.model.name))
        if self.model.kind != "embedder":
            menu.addAction(texts.MEASURE_SPEED, lambda: self.speed_wanted.emit(self.model.name))
        self.menu_shown.emit(menu)
        return menu

    def _on_more(self) -> None:
        self.make_menu().popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft()))

    def _on_details(self, open: bool) -> None:
        set_icon(self.details_button, "chevron-down" if open else "chevron-right")
        if open:
            self.details_wanted.emit(self.model.name)
        elif self._details is not None:
            self._details.deleteLater()
            self._details = None


class ModelFacts(QWidget):
    """The metadata of a model's files."""

    def __init__(self, details: ModelDetails) -> None:
        super().__init__()
        column = column_of(self, Line(), gap=tokens.SPACE_3, margins=(0, tokens.SPACE_2, 0, 0))
        model = details.model
        numbers = [
            (
                texts.FACT_FORMAT,
                {"gguf": "GGUF", "safetensors": "safetensors", "endpoint": endpoint_texts.CARD_KIND}[model.format],
            ),
            (texts.FACT_TOKENIZER, details.tokenizer),
            (
                texts.FACT_VOCABULARY,
                texts.VOCABULARY.format(vocabulary=details.vocabulary) if details.vocabulary else "",
            ),
            (texts.FACT_LAYERS, str(details.layers or "")),
            (texts.FACT_WIDTH, str(details.embedding_length or "")),
            (texts.FACT_FILES, str(max(1, len(model.files)))),
            ("SHA-256", model.sha256),
        ]
        self.shape = Text(describe_shape(details), "body")
        if self.shape.text():
            column.addWidget(self.shape)
        column.addLayout(_pairs([(name, value) for name, value in numbers if value]))
        if details.chat_template:
            column.addWidget(Text(texts.CHAT_TEMPLATE, "strong"))
            column.addWidget(Text(texts.CHAT_TEMPLATE_HELP, "small"))
            column.addWidget(_code(details.chat_template, texts.CHAT_TEMPLATE, 120))
        if details.metadata:
            column.addWidget(Text(texts.METADATA_HELP, "strong"))
            lines = "\n".join(f"{name} = {value}" for name, value in sorted(details.metadata.items()))
            column.addWidget(_code(lines, texts.METADATA, 160))


def _pairs(pairs: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(tokens.SPACE_4)
    grid.setVerticalSpacing(tokens.SPACE_1)
    grid.setColumnStretch(1, 1)
    for line, (name, value) in enumerate(pairs):
        grid.addWidget(Text(name, "muted"), line, 0)
        words = ElidedLabel(value, "body", Qt.TextElideMode.ElideMiddle)
        grid.addWidget(words, line, 1)
    return grid


def _code(text: str, name: str, height: int) -> QPlainTextEdit:
    box = QPlainTextEdit(text, readOnly=True)
    box.setProperty("role", "code")
    box.setAccessibleName(name)
    box.setFixedHeight(height)
    box.setTabChangesFocus(True)
    return box


class ExamView(QWidget):
    """Hidden while there is nothing to show: a model that was not examined has no empty table."""

    def __init__(self) -> None:
        super().__init__()
        self._follower: RunFollower | None = None
        self.title = Text("", "strong")
        self.poor = Text("", "attention")
        self.mode = Text("", "small")
        self._table = QWidget()
        self.progress = ProgressLine(stop_clicked=self._on_stop, visible=False)
        column_of(
            self,
            self.title,
            self.poor,
            self._table,
            self.mode,
            self.progress,
            gap=tokens.SPACE_2,
            margins=(0, tokens.SPACE_2, 0, 0),
        )
        self._result: ExamResult | None = None
        self._cells: dict[tuple[str, str], str] = {}
        self._show()

    @property
    def cells(self) -> dict[tuple[str, str], str]:
        """The rates as they are shown, by row and rate."""
        return dict(self._cells)

    @property
    def running(self) -> bool:
        return self._follower is not None

    def show_model(self, model: ModelRecord) -> None:
        self.title.setToolTip("")
        if model.exam != self._result or model.exam_problem:
            self._result = model.exam
            self._fill(model.exam)
        if model.exam is not None:
            date = time.strftime("%Y-%m-%d", time.localtime(model.exam.ended))
            self.title.setText((texts.EXAM if model.exam.current else texts.EXAM_OLD).format(date=date))
            self.title.setToolTip(texts.EXAM_HELP)
        else:
            self.title.setText(model.exam_problem)
        self._show()

    def follow(self, follower: RunFollower | None) -> None:
        """Show how far an exam is; None: none is under way."""
        if follower is self._follower:
            return
        self._follower = follower
        if follower is not None:
            self.progress.set_progress(texts.EXAM_WAITS)
            follower.progressed.connect(self._on_progress)
        self._show()

    def _on_progress(self, progress: Progress) -> None:
        share, numbers = how_far(progress)
        self.progress.set_progress(texts.EXAMINING, share, numbers, progress.seconds_left)

    def _on_stop(self) -> None:
        if self._follower is not None:
            self.progress.set_progress(texts.STOPPING)
            self._follower.stop()

    def _show(self) -> None:
        self._table.setVisible(self._result is not None)
        for text in (self.title, self.poor, self.mode):
            text.setVisible(bool(text.text()))
        self.progress.setVisible(self.running)
        self.setVisible(self.running or bool(self.title.text()))

    def _fill(self, result: ExamResult | None) -> None:
        self._cells.clear()
        said = all_translated((*describe_office(result), describe_mode(result))) if result is not None else ()
        self.mode.setText("\n".join((*said, texts.EXAM_CORRECTS) if said else ()))
        self.poor.setText(translated(describe_poor(result)) if result is not None else "")
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(0)
        at_top = partial(grid.addWidget, alignment=Qt.AlignmentFlag.AlignTop)
        titles = {field: translated(title) for field, title in RATES}
        for column, title in enumerate(titles.values(), start=1):
            grid.setColumnStretch(column, 1)
            at_top(Text(title, "muted"), 0, column)
        for line, (name, rates) in enumerate(result.rows.items() if result is not None else ()):
            grid.setRowMinimumHeight(3 * line + 1, tokens.SPACE_1)
            at_top(Text(name, "body"), 3 * line + 2, 0)
            for column, (field, title) in enumerate(titles.items(), start=1):
                share, counts = all_translated(describe_rate(rates, field))
                self._cells[name, field] = f"{share} {counts}".strip()
                cell = Text(share, "strong", accessibleName=f"{name}, {title}: {share} {counts}".strip())
                at_top(cell, 3 * line + 2, column)
                at_top(Text(counts, "small"), 3 * line + 3, column)
        layout = self.layout()
        assert layout is not None
        layout.replaceWidget(self._table, table)
        self._table.deleteLater()
        self._table = table
