"""What the search for a better prompt found, with the ways on: use the recipe, or look at the comparison."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import Card, PlainButton, PrimaryButton, Text
from ui.components.layout import row_of
from ui.features.evaluation import texts
from ui.theme import tokens
from workbench.records.optimisation import OptimisationResult
from workbench.subjects.runs.calls import RunRecord


class SearchResult(Card):
    """Hidden unless ``show_run`` is given a search that has ended. ``use_wanted`` sends the recipe, ``compare_wanted``
    the id of the evaluation on held-out questions."""

    use_wanted = Signal(object)
    compare_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=tokens.SPACE_3)
        self.result: OptimisationResult | None = None
        self.text, self.instructions = Text(""), Text("", "small")
        self.use_button = PrimaryButton(texts.USE_RECIPE, small=True)
        self.compare_button = PlainButton(texts.COMPARE_RECIPES, small=True, toolTip=texts.COMPARE_HELP)
        self.use_button.clicked.connect(lambda: self.result and self.use_wanted.emit(self.result.recipe))
        self.compare_button.clicked.connect(lambda: self.result and self.compare_wanted.emit(self.result.held_out))
        row = row_of(None, (self.text, 1), self.compare_button, self.use_button, gap=tokens.SPACE_2)
        self.body.addLayout(row)
        self.body.addWidget(self.instructions)
        self.hide()

    def show_run(self, run: RunRecord | None) -> None:
        ended = run is not None and run.kind == "optimise" and run.state == "finished" and not run.unreadable
        self.setVisible(ended)
        if not ended or run is None:
            return
        result = self.result = msgspec.convert(run.result, OptimisationResult)
        words = texts.FOUND if result.candidate else texts.FOUND_NOTHING
        shown = words.format(
            candidate=result.candidate, candidates=result.candidates, questions=result.questions,
            before=texts.amount(result.before, ""), after=texts.amount(result.after, ""), sentence=result.sentence,
        )  # fmt: skip
        saved = [texts.SAVED_AS.format(name=one.name, number=one.version) for one in result.recipe.prompting.sources]
        self.text.setText(" ".join(filter(None, (shown, *(saved if result.candidate else ()), result.ended))))
        self.instructions.setText(result.recipe.prompting.instructions)
        self.instructions.setVisible(bool(result.candidate and result.recipe.prompting.instructions))
        self.use_button.setVisible(bool(result.candidate))
        self.use_button.setToolTip(texts.USE_HELP.format(path=result.path))
        self.compare_button.setVisible(bool(result.held_out))
