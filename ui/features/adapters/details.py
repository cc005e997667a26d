"""The details of an adapter: actions, scores before and after, its exported file, origin."""

from __future__ import annotations

from typing import Any, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from ui.components import adapter_texts as texts
from ui.components.adapter_texts import KINDS, describe_origin, gate_verdict, score_rows, state_of, why_failed
from ui.components.basics import (
    Chip,
    ElidedLabel,
    InlineMessage,
    PlainButton,
    PrimaryButton,
    ProgressLine,
    QuietButton,
    Text,
)
from ui.components.fact_card import FactCard, ScoreTable, show_outcome
from ui.components.layout import FlowLayout, column_of, row_of
from ui.components.notices import ConfirmRow
from ui.components.wording import describe_bytes, describe_seconds
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.base.catalogue import all_translated, translated
from workbench.records.methods import Methods
from workbench.records.training import AdapterRecord
from workbench.records.training.measured import explain_measured
from workbench.records.training.outcomes import learnt_words, loses_half, lost_words
from workbench.records.training.reward_texts import describe_reward
from workbench.records.training.verdicts import counted_words, describe_forgetting, forgets, verdict_words, why

WIDE = 980
"""From this width on, in px, the origin stands beside the figures."""
ExportForm = Literal["peft", "gguf", "merged"]
FORMS: dict[ExportForm, str] = {"gguf": texts.EXPORT_GGUF, "peft": texts.EXPORT_PEFT, "merged": texts.EXPORT_MERGED}


class AdapterDetails(QWidget):
    """Signals are about the adapter that is shown. Deleting is asked for a second time here before it is sent."""

    use_wanted = Signal()
    merge_wanted = Signal()
    export_wanted = Signal(str)
    renamed = Signal(str)
    delete_wanted = Signal()
    run_wanted = Signal(str)
    model_wanted = Signal(str)
    stop_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.record: AdapterRecord | None = None
        self._methods: Methods[Any] = Methods()
        self._name = ElidedLabel("", "title")
        self.name_field = _NameField()
        self.name_field.setAccessibleName(texts.NEW_NAME)
        self.name_field.setMaximumWidth(420)
        self.name_field.given_up.connect(self.end_rename)
        self.name_field.returnPressed.connect(self._on_named)
        self.name_field.hide()
        self.kind = Chip("")
        self.state = Chip("")
        self.purpose = Text("", "muted")
        self.outcome = InlineMessage(closable=False)
        self.message = InlineMessage()
        self.progress = ProgressLine(stop_clicked=self.stop_wanted, visible=False)
        self._before_after = FactCard(texts.BEFORE_AND_AFTER)
        self._check = FactCard(texts.VERIFICATION)
        self._origin = FactCard(texts.ORIGIN)
        self._file = FactCard(texts.FILE)
        top = row_of(None, self._name, (self.name_field, 1), self.kind, self.state, gap=tokens.SPACE_2)
        left, right = QVBoxLayout(), QVBoxLayout()
        for column, sections in ((left, (self._before_after, self._check)), (right, (self._origin, self._file))):
            column.setSpacing(tokens.SPACE_3)
            for section in sections:
                column.addWidget(section)
            column.addStretch(1)
        self._body = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._body.setSpacing(tokens.SPACE_3)
        self._body.addLayout(left, 3)
        self._body.addLayout(right, 2)
        whole = column_of(self, top, self.purpose, self.outcome, self._build_actions(), gap=tokens.SPACE_3)
        self.confirm = ConfirmRow(self.delete_button)
        self.confirm.confirmed.connect(self.delete_wanted)
        whole.addWidget(self.confirm)
        whole.addWidget(self.message)
        whole.addWidget(self.progress)
        whole.addLayout(self._body)
        whole.addStretch(1)

    def set_methods(self, methods: Methods[Any]) -> None:
        """The methods by whose titles an adapter is described."""
        self._methods = methods
        record, self.record = self.record, None
        if record is not None:
            self.show_adapter(record)

    def show_adapter(self, record: AdapterRecord) -> None:
        """Show an adapter as it is now; what was asked or said about another one goes."""
        if record == self.record:
            return  # what is selected or has the focus stays
        if self.record is None or record.name != self.record.name:
            self.confirm.hide()
            self.message.hide()
            self.end_rename()
        self.record = record
        self.setAccessibleName(record.name)
        self._name.set_full_text(record.name)
        word, purpose = KINDS[record.kind]
        self.kind.setText(word)
        self.purpose.setText(purpose)
        state, tone = state_of(record)
        self.state.setText(state)
        self.state.setVisible(bool(state))
        self.state.set_tone("danger" if tone == "danger" else "attention")
        show_outcome(self.outcome, record.scores, record.forgetting, record.kind)
        self._show_actions(record)
        self._show_scores(record)
        self._show_check(record)
        self._origin.show_pairs(describe_origin(record, self._methods))
        if record.run:
            self._origin.add_link(texts.OPEN_TRAINING, lambda: self.run_wanted.emit(record.run))
        if record.model:
            self._origin.add_link(
                texts.SHOW_MODEL.format(model=record.model), lambda: self.model_wanted.emit(record.model)
            )
        facts = [
            (texts.SIZE, describe_bytes(record.bytes) if record.bytes else ""),
            (texts.ARCHITECTURE, record.architecture),
            (texts.BASE_SHA256, record.base_sha256),
        ]
        self._file.show_pairs([(name, value) for name, value in facts if value])
        self._file.setVisible(any(value for _, value in facts))

    def show_progress(self, words: str, share: float | None = None, seconds_left: float | None = None) -> None:
        """Something is being made of the adapter; no words: not any more."""
        self.progress.setVisible(bool(words))
        if words:
            self.message.hide()
            self.progress.set_progress(words, share, "", seconds_left)

    def begin_rename(self) -> None:
        if self.record is not None:
            self._name.hide()
            self.name_field.setText(self.record.name)
            self.name_field.show()
            self.name_field.setFocus(Qt.FocusReason.OtherFocusReason)
            self.name_field.selectAll()

    def end_rename(self) -> None:
        if not self.name_field.isHidden():
            self.name_field.hide()
            self.name_field.setEnabled(True)
            self._name.show()
            self.rename_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_name_back(self) -> None:
        """The new name cannot be had: it stays to be changed."""
        self.name_field.setEnabled(True)
        self.name_field.setFocus(Qt.FocusReason.OtherFocusReason)

    def ask_to_delete(self) -> None:
        """Ask before the adapter is deleted."""
        if self.record is None:
            return
        stays = texts.MODEL_IS_KEPT.format(model=self.record.model) if self.record.model else ""
        self.confirm.set_question(texts.ASK_DELETE.format(name=self.record.name, stays=stays), texts.DELETE)
        self.confirm.ask()

    # -- building ------------------------------------------------------------------------------------

    def _build_actions(self) -> QWidget:
        actions = QWidget()
        row = FlowLayout(actions, tokens.SPACE_2)
        self.use_button = PrimaryButton(texts.USE_IN_CHAT, "chat", clicked=self.use_wanted)
        self.merge_button = PlainButton(
            texts.MERGE_BUTTON, "models", toolTip=texts.MERGE_HELP, clicked=self.merge_wanted
        )
        self.export_button = PlainButton(texts.EXPORT_BUTTON, "export", clicked=self._on_export)
        self.rename_button = QuietButton(texts.RENAME, "edit", clicked=self.begin_rename)
        self.delete_button = QuietButton(texts.DELETE, "trash", clicked=self.ask_to_delete)
        for button in (self.use_button, self.merge_button, self.export_button, self.rename_button, self.delete_button):
            row.addWidget(button)
        return actions

    def _show_actions(self, record: AdapterRecord) -> None:
        usable = record.usable
        self.use_button.setVisible(usable and record.kind != "reward")
        self.export_button.setVisible(usable)
        self.merge_button.setVisible(usable and record.kind not in ("merged", "reward"))
        self.merge_button.setEnabled(record.can_merge)
        what = KINDS[record.kind][0].lower()
        self.merge_button.setToolTip(
            texts.MERGE_HELP
            if record.can_merge
            else texts.CANNOT_MERGE_KIND.format(what=what)
            if record.kind in ("soft-prompt", "prefix")
            else texts.CANNOT_MERGE
        )

    # -- what it shows -------------------------------------------------------------------------------

    def _show_scores(self, record: AdapterRecord) -> None:
        section = self._before_after
        section.clear()
        task, general = score_rows(record.scores), score_rows(record.forgetting, general=True)
        for words in (translated(learnt_words(record.scores)), translated(lost_words(record.forgetting))):
            if words:
                section.add_line(words, "strong")
        if task:
            section.add_line(translated(explain_measured(record.scores.measured)), "small")
            section.add_scores(ScoreTable(task, texts.TRAINED_TASK))
        if general:
            section.add_line(texts.GENERAL_HELP, "small")
            section.add_scores(ScoreTable(general, texts.GENERAL))
            if not loses_half(record.forgetting):  # that is said above, in red
                role: Literal["attention", "body"] = "attention" if forgets(record.forgetting) else "body"
                section.add_line(translated(describe_forgetting(record.forgetting)), role)
        for line in all_translated(describe_reward(record.reward)) if record.reward is not None else ():
            section.add_line(line)
        if not task and not general and record.reward is None:
            section.add_line(texts.NOTHING_MEASURED, "muted")
        section.setVisible(bool(task or general or record.reward) or record.origin == "trained")

    def _show_check(self, record: AdapterRecord) -> None:
        section, verification = self._check, record.verification
        section.clear()
        passed = verification is not None and verification.passed and record.usable
        icon, token = ("check" if passed else "info"), "muted"
        if not record.usable:
            icon, token = "warning", "danger"
        section.add_verdict(icon, token, gate_verdict(record))
        if record.state == "failed":
            section.add_line(why_failed(record))
        if verification is None:
            return
        counted = translated(counted_words(verification)) or (
            translated(verdict_words(verification)) if record.kind == "reward" else ""
        )
        if counted:
            section.add_line(counted)
        for found in verification.agreements:
            section.add_line(translated(why(found)), "body" if found.passed else "attention")
        for note in verification.notes:
            section.add_line(note, "small")
        if verification.seconds:
            section.add_line(texts.VERIFIED_IN.format(seconds=describe_seconds(verification.seconds)), "small")

    @property
    def check_lines(self) -> list[str]:
        """The lines under Verification."""
        return self._check.lines

    @property
    def origin_lines(self) -> list[str]:
        return self._origin.lines

    @property
    def score_lines(self) -> list[str]:
        """The rows of Before and after."""
        return self._before_after.lines

    # -- what is done --------------------------------------------------------------------------------

    def make_export_menu(self) -> QMenu:
        """The forms that the adapter can be written in."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        record = self.record
        for form, words in FORMS.items():
            if record is None or (
                (record.kind == "merged") != (form == "merged") and not (form == "merged" and record.can_merge)
            ):
                continue
            if form == "peft" and record.origin == "imported" and not record.can_merge:
                continue
            action = menu.addAction(current_theme().icon("folder" if form == "peft" else "file"), words)
            action.setData(form)
        menu.triggered.connect(lambda action: self.export_wanted.emit(action.data()))
        return menu

    def _on_export(self) -> None:
        menu = self.make_export_menu()
        menu.popup(self.export_button.mapToGlobal(self.export_button.rect().bottomLeft()))

    def _on_named(self) -> None:
        name = self.name_field.text().strip()
        if name and self.record is not None and name != self.record.name:
            self.name_field.setEnabled(False)  # until it is known under its new name
            self.renamed.emit(name)
        else:
            self.end_rename()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = event.size().width() >= WIDE
        self._body.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)


class _NameField(QLineEdit):
    given_up = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
            return
        super().keyPressEvent(event)
