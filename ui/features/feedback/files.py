"""Judgements from a file and into one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QGridLayout, QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import FoldButton, PlainButton, Text
from ui.components.call_dialog import StreamDialog
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.dialog import LabelledField
from ui.components.layout import row_of
from ui.components.wording import describe_count
from ui.features.feedback import texts
from ui.theme import tokens
from workbench.api.events import Progress
from workbench.api.protocol import Call
from workbench.records.judgement_reports import ExportReport, ImportReport
from workbench.records.judgements import JudgementFilter
from workbench.subjects.judgements.calls import ExportJudgements, ImportJudgements

_SHOWN_REFUSED = 8


class _FileDialog(StreamDialog):
    """Sends a call that reads or writes a file; the result stays visible."""

    def __init__(self, bridge: Bridge, title: str, help: str, action: str, parent: QWidget | None) -> None:
        super().__init__(bridge, title, help, action, parent, 600)
        self._done = False
        self.path = QLineEdit(accessibleName=texts.FILE, textChanged=lambda _: self._show_state())
        self.browse_button = PlainButton(texts.CHOOSE_FILE, "folder", clicked=self._on_browse)
        self.details = Text("", "small", visible=False)
        line = row_of(None, (self.path, 1), self.browse_button, gap=tokens.SPACE_2)
        self.inside.addWidget(LabelledField(texts.FILE, "", line))
        self.below.addWidget(self.details)
        self._show_state()

    def choose(self, path: str) -> None:
        self.path.setText(path)

    def _on_browse(self) -> None:
        raise NotImplementedError

    def _show_report(self, report: Any) -> None:
        raise NotImplementedError

    def missing(self) -> str:
        return "" if self.path.text().strip() or self._done else texts.FILE_NEEDED

    def words_of(self, progress: Progress | None) -> str:
        return texts.IMPORTING.format(path=Path(self.path.text()).name)

    def _on_go(self) -> None:
        if self._done:
            self.accept()
        else:
            super()._on_go()

    def take_result(self, report: Any) -> None:
        self._done = True
        self.go.setText(texts.DONE)
        self.leave.hide()
        self._show_report(report)
        self._show_state()


class ImportDialog(_FileDialog):
    """Bad rows are named by their numbers; the others are added."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(bridge, texts.IMPORT_TITLE, texts.IMPORT_HELP, texts.IMPORT.rstrip("…"), parent)
        forms = [(texts.FORM_AUTO, ""), *((title, name) for name, title in texts.FORMS.items())]
        self.form = ChoiceBox(texts.FORM, forms, 24)
        self.counts_from = ChoiceRow(texts.COUNTS_FROM, texts.COUNTS_FROM_CHOICES)
        self.counts_from.show_value("-1")
        self.counts_from.chosen.connect(self.counts_from.show_value)
        self.inside.addWidget(LabelledField(texts.FORM, texts.FORM_HELP, self.form))
        self.inside.addWidget(LabelledField(texts.COUNTS_FROM, texts.COUNTS_FROM_HELP, self.counts_from))
        self.columns = {role: QLineEdit(accessibleName=title) for role, title in texts.COLUMNS}
        named = QWidget()
        grid = QGridLayout(named)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(tokens.SPACE_2)
        grid.addWidget(Text(texts.NAME_COLUMNS_HELP, "small"), 0, 0, 1, 2)
        for line, (role, title) in enumerate(texts.COLUMNS, 1):
            grid.addWidget(Text(title, "body", wordWrap=False), line, 0)
            grid.addWidget(self.columns[role], line, 1)
        self.columns_button = FoldButton(texts.NAME_COLUMNS, named)
        self.inside.addWidget(self.columns_button)
        self.inside.addWidget(named)
        self.inside.addStretch(1)

    def make_call(self) -> Call[ImportReport]:
        form, first = self.form.value, int(self.counts_from.value)
        named = {role: field.text().strip() for role, field in self.columns.items() if field.text().strip()}
        columns = named if self.columns_button.isChecked() else {}
        path = self.path.text().strip()
        return ImportJudgements(path=path, form=form, columns=columns, counts_from=first)  # type: ignore[arg-type]

    def _on_browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, texts.CHOOSE_FILE, "", texts.FILTER_FILES)
        if path:
            self.choose(path)

    def _show_report(self, report: ImportReport) -> None:
        rows = describe_count(report.rows, "row")
        said = [texts.IMPORTED.format(added=f"{report.added:,}", rows=rows, why=report.why)]
        if report.duplicates:
            said.append(texts.DUPLICATES_LEFT.format(count=f"{report.duplicates:,}"))
        self.message.show_message(" ".join(said), "success" if report.added else "attention")
        shown = list(report.refused[:_SHOWN_REFUSED])
        more = len(report.refused) - len(shown) + report.more_refused
        if report.refused:
            refused = len(report.refused) + report.more_refused
            shown.insert(0, texts.REFUSED.format(count=describe_count(refused, "row")))
            shown += [texts.AND_MORE.format(more=more)] if more else []
        self.details.setText("\n".join((*shown, *report.notes)))
        self.details.setVisible(bool(self.details.text()))


class ExportDialog(_FileDialog):
    """What a format cannot say is counted, with the reason."""

    def __init__(self, bridge: Bridge, which: JudgementFilter, count: int, parent: QWidget | None = None) -> None:
        help = describe_count(count, "preference")
        super().__init__(bridge, texts.EXPORT_TITLE, help, texts.EXPORT, parent)
        self._which = which
        self.form = ChoiceBox(texts.FORM, [(title, name) for name, title in texts.FORMS.items()], 24)
        self.form.show_value("workbench")
        self.form.chosen.connect(self.form.show_value)
        self.inside.addWidget(LabelledField(texts.FORM, "", self.form))
        self.inside.addStretch(1)

    def make_call(self) -> Call[ExportReport]:
        path, form = self.path.text().strip(), self.form.value
        return ExportJudgements(path=path, form=form, which=self._which)  # type: ignore[arg-type]

    def _on_browse(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, texts.EXPORT_TITLE, "preferences.jsonl", texts.FILTER_JSONL)
        if path:
            self.choose(path)

    def _show_report(self, report: ExportReport) -> None:
        words = texts.EXPORTED.format(count=describe_count(report.rows, "row"), path=report.path)
        self.message.show_message(words, "success")
        lines = [texts.LEFT_OUT.format(count=f"{one.count:,}", reason=one.reason) for one in report.left_out]
        self.details.setText("\n".join(lines))
        self.details.setVisible(bool(lines))
