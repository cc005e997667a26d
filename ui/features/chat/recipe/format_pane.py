"""The form of the answer, beside the conversation: an editor for schema, expression, choices or grammar.

What is written is checked while it is written, and the last answer against it. Text that cannot be used stays, marked.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QWidget

from ui.bridge import Bridge
from ui.components.basics import IconButton, PlainButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import FlowLayout, column_of, row_of
from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.decoding_form import FORMATS
from ui.components.recipe.recipes import DESCRIBED, FormTexts
from ui.features.chat import texts
from ui.features.chat.recipe.code_editor import CodeEditor
from ui.theme import tokens
from workbench.records.answers import FormatCheck
from workbench.records.recipes import DecodingPart
from workbench.subjects.chats.calls import CheckFormat

CHECK_MS = 250

_WORDS = {
    "text": texts.TEXT_HELP,
    "json": texts.JSON_HELP,
    "json_schema": texts.SCHEMA_HELP,
    "regex": texts.REGEX_HELP,
    "choice": texts.CHOICE_HELP,
    "gbnf": texts.GBNF_HELP,
    "quote": texts.QUOTE_HELP,
}
_NOTHING = texts.EMPTY_FORM
_LANGUAGES = {"json_schema": "json", "gbnf": "ebnf"}
_OBJECT = """{
  "type": "object",
  "properties": {
    "name": {"type": "string"},
    "year": {"type": "integer"}
  },
  "required": ["name", "year"],
  "additionalProperties": false
}
"""
_LIST = """{
  "type": "array",
  "items": {
    "type": "object",
    "properties": {
      "item": {"type": "string"},
      "amount": {"type": "number"}
    },
    "required": ["item", "amount"],
    "additionalProperties": false
  },
  "minItems": 1,
  "maxItems": 10
}
"""
_CHOICE = """{
  "type": "object",
  "properties": {
    "verdict": {"enum": ["yes", "no", "unclear"]}
  },
  "required": ["verdict"],
  "additionalProperties": false
}
"""
TEMPLATES: dict[str, tuple[tuple[str, str], ...]] = {
    "json_schema": ((texts.EXAMPLE_OBJECT, _OBJECT), (texts.EXAMPLE_LIST, _LIST), (texts.EXAMPLE_CHOICE, _CHOICE)),
    "regex": (
        (texts.EXAMPLE_DATE, r"\d{4}-\d{2}-\d{2}"),
        (texts.EXAMPLE_NUMBER, r"-?\d+(\.\d+)?"),
        (texts.EXAMPLE_WORDS, r"\w+(, \w+)*"),
    ),
    "choice": ((texts.EXAMPLE_YES_NO, "yes\nno"), (texts.EXAMPLE_JUDGEMENT, "positive\nneutral\nnegative")),
    "gbnf": (
        (texts.EXAMPLE_CHOICE, 'root ::= "yes" | "no"\n'),
        (texts.EXAMPLE_LIST, 'root ::= item+\nitem ::= "- " [^\\n]+ "\\n"\n'),
    ),
}


class FormatPane(QFrame):
    """``changed`` sends the kind of form and its description; ``checked`` what is wrong with it, "" for nothing."""

    changed = Signal(str, str)
    checked = Signal(str)
    close_wanted = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._bridge = bridge
        self._format: Any = "text"
        self._grammar = ""
        self._texts = FormTexts()
        self._showing = False
        self._answer: str | None = None
        self._asked: CheckFormat | None = None
        self.close_button = IconButton("close", texts.BACK_TO_RECIPE, clicked=self.close_wanted)
        self.kind = ChoiceBox(
            recipe_texts.FORM_OF_ANSWER,
            [(title, name) for name, title in FORMATS.items()],
            currentIndexChanged=lambda index: self._on_kind(list(FORMATS)[index]),
        )
        self.words = Text("", "muted")
        self._start = QWidget()
        self._starts = FlowLayout(self._start, tokens.SPACE_1)
        self.templates: list[PlainButton] = []
        self.editor = CodeEditor(texts.DESCRIPTION)
        self.editor.textChanged.connect(self._on_text)
        self.problem = Text("", "body")
        self.verdict = Text("", "small")
        self._timer = QTimer(self, singleShot=True, interval=CHECK_MS, timeout=self._check)
        self._lay_out()
        self._show()

    def set_decoding(self, part: DecodingPart) -> None:
        """Show what a recipe says of the form; nothing is signalled but what comes of the check."""
        if (part.format, part.grammar) != (self._format, self._grammar):
            self._format, self._grammar = part.format, part.grammar
            self._texts.follow(part.format, part.grammar)
            self._show()
            self._check_soon()

    def set_answer(self, text: str | None) -> None:
        """The last complete answer, to be held against the form; None when there is none."""
        if text != self._answer:
            self._answer = text
            self._check_soon()

    def _lay_out(self) -> None:
        head = row_of(None, (Text(recipe_texts.FORM_OF_ANSWER, "heading"), 1), self.close_button)
        column = column_of(
            self,
            head,
            self.kind,
            self.words,
            self._start,
            (self.editor, 1),
            self.problem,
            self.verdict,
            gap=tokens.SPACE_2,
            margins=(tokens.SPACE_4, tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_3),
        )
        column.addStretch(0)

    def _show(self) -> None:
        self._showing = True
        self.kind.setCurrentIndex(list(FORMATS).index(self._format))
        if self.editor.toPlainText() != self._grammar:
            self.editor.setPlainText(self._grammar)
        self._showing = False
        self.editor.set_language(_LANGUAGES.get(self._format, ""))
        self.words.setText(_WORDS[self._format])
        self.editor.setVisible(self.described)
        self._offer_templates()
        self.kind.setAccessibleDescription(_WORDS[self._format])

    @property
    def described(self) -> bool:
        """Whether the form is one that has to be described."""
        return self._format in DESCRIBED

    def _offer_templates(self) -> None:
        offered = TEMPLATES.get(self._format, ())
        if [button.text() for button in self.templates] == [title for title, _ in offered]:
            return
        for button in self.templates:
            self._starts.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.templates = []
        for title, text in offered:
            button = PlainButton(
                title,
                small=True,
                toolTip=texts.TEMPLATE_HELP,
                clicked=lambda _=False, text=text: self._on_template(text),
            )
            self._starts.addWidget(button)
            self.templates.append(button)
        self._start.setVisible(bool(offered))

    def _on_template(self, text: str) -> None:
        self.editor.replace_all(text)
        self.editor.setFocus()

    def _on_kind(self, kind: str) -> None:
        if not self._showing:
            self._put(kind, self._texts.text_for(kind, self._grammar))

    def _on_text(self) -> None:
        if not self._showing:
            self._put(self._format, self.editor.toPlainText())

    def _put(self, kind: str, grammar: str) -> None:
        if (kind, grammar) == (self._format, self._grammar):
            return
        self._format, self._grammar = kind, grammar
        self._texts.follow(kind, grammar)
        self._show()
        self._check_soon()
        self.changed.emit(kind, grammar)

    # -- checking --------------------------------------------------------------------------------------

    def _check_soon(self) -> None:
        self._asked = None  # an answer to an earlier check is not about this text
        if self._format == "text":
            self._timer.stop()
            self._tell(FormatCheck())
        elif self.described and not self._grammar.strip():
            self._timer.stop()
            self._tell(FormatCheck(problem=_NOTHING))
        else:
            self._timer.start()

    def _check(self) -> None:
        call = self._asked = CheckFormat(format=self._format, grammar=self._grammar, text=self._answer)
        self._bridge.call(
            call, lambda found: self._on_checked(call, found), lambda error: self._on_check_failed(call, error), self
        )

    def _on_checked(self, call: CheckFormat, found: FormatCheck) -> None:
        if call is self._asked:
            self._tell(found)

    def _on_check_failed(self, call: CheckFormat, error: Exception) -> None:
        if call is self._asked:
            self._tell(FormatCheck())
            self._say(texts.NOT_CHECKED.format(error=error), "attention")
            self.verdict.hide()

    def _tell(self, found: FormatCheck) -> None:
        wrong = bool(found.problem)
        self.editor.mark_problem(wrong and found.problem != _NOTHING, found.line)
        if found.problem == _NOTHING:  # that is no fault of anybody's
            self._say(_NOTHING, "attention")
        elif wrong:
            place = texts.LINE.format(line=found.line) if found.line is not None else ""
            self._say(f"{place}{found.problem}", "error")
        elif self._format == "text":
            self._say("", "muted")
        else:
            self._say(texts.VALID, "muted")
        self.verdict.setVisible(not wrong and self._format != "text")
        if self._answer is None:
            self.verdict.setText(texts.NO_ANSWER_TO_CHECK)
        elif found.text_problem:
            self.verdict.setText(texts.ANSWER_VIOLATES.format(text_problem=found.text_problem))
        else:
            self.verdict.setText(texts.ANSWER_OBEYS)
        self.checked.emit(self.problem.text() if wrong else "")

    def _say(self, words: str, role: str) -> None:
        self.problem.setProperty("role", role)
        self.problem.style().unpolish(self.problem)
        self.problem.style().polish(self.problem)
        self.problem.setText(words[:1].upper() + words[1:])
        self.problem.setVisible(bool(words))
