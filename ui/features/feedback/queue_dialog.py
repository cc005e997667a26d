"""The dialog before answers are generated for comparison: two recipes and the questions."""

from __future__ import annotations

import time

import msgspec
from PySide6.QtWidgets import QFileDialog, QLineEdit, QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import PlainButton, Text
from ui.components.call_dialog import StartDialog
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.dialog import LabelledField
from ui.components.layout import column_of, row_of
from ui.components.wording import describe_count
from ui.features.feedback import texts
from ui.features.feedback.recipe_choice import RecipeChoice
from ui.theme import tokens
from workbench.records.recipes import Recipe
from workbench.subjects.chats.calls import ChatList, ListChats
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.evaluation.calls import ListQuestionSets, QuestionSetList
from workbench.subjects.judgements.calls import MakeCandidates

_LONGEST_SUGGESTED = 60
"""Characters of a suggested name before the date: names have at most 80."""


class NewQueue(StartDialog):
    """``started`` sends the run that generates the answers."""

    def __init__(
        self, bridge: Bridge, parent: QWidget | None = None, purpose: str = "label", adapter: str = ""
    ) -> None:
        """``adapter`` is that of the second recipe; the first is its base model."""
        tests = purpose == "verdict"
        title, help = (texts.TEST_TITLE, texts.TEST_NEW_HELP) if tests else (texts.NEW_TITLE, texts.NEW_HELP)
        super().__init__(bridge, title, help, texts.NEW_GO, parent)
        self._adapter, self._tests = adapter, tests
        self._seed = int(time.time()) % 1_000_000
        self._named = False
        self._has_chats = True  # until the list says otherwise
        self.first = RecipeChoice(bridge, texts.FIRST_RECIPE)
        self.second = RecipeChoice(bridge, texts.SECOND_RECIPE, with_same=not tests)
        self.prompts = ChoiceRow(texts.PROMPTS, texts.PROMPTS_FROM, chosen=self._on_prompts)
        self._about = Text("", "small")  # where the chosen questions come from
        self.set = ChoiceBox(texts.SET, (), 26)
        self.collection = ChoiceBox(texts.COLLECTION, (), 26)
        self.file = QLineEdit(accessibleName=texts.PROMPT_FILE, textChanged=lambda _: self._show_state())
        self.file_button = PlainButton(texts.CHOOSE_FILE, "folder", clicked=self._on_browse)
        self.limit = ChoiceBox(texts.LIMIT, [(title, str(count)) for count, title in texts.LIMITS])
        self.limit.show_value("50")
        self.tokens = ChoiceBox(texts.TOKENS, [(title, str(count)) for count, title in texts.TOKEN_CHOICES], 24)
        self.tokens.show_value("128")
        self.purpose = ChoiceRow(texts.PURPOSE, texts.PURPOSES)
        self.purpose.chosen.connect(self.purpose.show_value)
        self.purpose.show_value(purpose)
        self.name = QLineEdit(textEdited=self._on_named, maxLength=80)
        self._lay_out()
        self.first.known.connect(self._suggest_name)
        self.second.known.connect(self._choose_adapter)
        self.second.known.connect(self._choose_another)
        for box in (self.first, self.second, self.set, self.collection):
            box.chosen.connect(lambda _: self._suggest_name())
        self._on_prompts("chats")
        bridge.home.listing(ListChats()).follow(self._on_chats)
        bridge.home.listing(ListQuestionSets()).follow(self._on_sets)
        bridge.home.listing(ListCollections()).follow(self._on_collections)
        self._choose_adapter()
        self._suggest_name()

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The two recipes; one where the same one is drawn from twice."""
        chosen = [one for one in (self.first.recipe, self.second.recipe) if one is not None]
        tokens = int(self.tokens.value)
        return tuple(
            msgspec.structs.replace(one, decoding=msgspec.structs.replace(one.decoding, max_tokens=tokens))
            for one in chosen
        )

    def missing(self) -> str:
        needed = {
            "chats": (self._has_chats, texts.CHATS_NEEDED),
            "questions": (self.set.value, texts.SET_NEEDED),
            "documents": (self.collection.value, texts.COLLECTION_NEEDED),
            "file": (self.file.text().strip(), texts.FILE_NEEDED),
        }
        if self.first.recipe is None:
            return texts.MODEL_NEEDED
        if self._tests and self.first.value == self.second.value:
            return texts.TWO_NEEDED
        given, words = needed.get(self.prompts.value, ("given", ""))
        if not given:
            return words
        return "" if self.name.text().strip() else texts.NAME_NEEDED

    def make_call(self) -> MakeCandidates:
        paths = {
            "questions": self.set.value, "documents": self.collection.value, "file": self.file.text().strip()
        }  # fmt: skip
        return MakeCandidates(
            name=self.name.text().strip(),
            recipes=self.recipes,
            prompts=self.prompts.value,  # type: ignore[arg-type]
            path=paths.get(self.prompts.value, ""),
            limit=int(self.limit.value),
            seed=self._seed,
            part="held-out" if self.purpose.value == "verdict" and self.prompts.value == "questions" else "tune",
            purpose=self.purpose.value,  # type: ignore[arg-type]
        )

    def _lay_out(self) -> None:
        places = QStackedWidget()
        self._places: dict[str, QWidget] = {"chats": Text(texts.CHATS_NEEDED, "muted")}
        for name, field in (
            ("questions", LabelledField(texts.SET, "", self.set)),
            ("documents", LabelledField(texts.COLLECTION, "", self.collection)),
        ):
            self._places[name] = field
        line = row_of(None, (self.file, 1), self.file_button, gap=tokens.SPACE_2)
        self._places["file"] = LabelledField(texts.PROMPT_FILE, texts.PROMPT_FILE_HELP, line)
        for place in self._places.values():
            places.addWidget(place)
        self._stack = places
        numbers = row_of(
            None,
            LabelledField(texts.LIMIT, "", self.limit),
            LabelledField(texts.TOKENS, "", self.tokens),
            None,
            gap=tokens.SPACE_5,
        )
        asked = QWidget()
        column_of(asked, self.prompts, self._about, places, gap=tokens.SPACE_2)
        self.inside.setSpacing(tokens.SPACE_4)
        self.inside.addWidget(LabelledField(texts.FIRST_RECIPE, "", self.first))
        self.inside.addWidget(LabelledField(texts.SECOND_RECIPE, "" if self._tests else texts.SECOND_HELP, self.second))
        self.inside.addWidget(LabelledField(texts.PROMPTS, "", asked))
        self.inside.addLayout(numbers)
        if not self._tests:  # a test is for nothing else
            self.inside.addWidget(LabelledField(texts.PURPOSE, texts.PURPOSE_HELP, self.purpose))
        self.inside.addWidget(LabelledField(texts.SET_NAME, texts.SET_NAME_HELP, self.name))
        self.inside.addStretch(1)
        self.resize(640, 680)

    def _on_prompts(self, value: str) -> None:
        self.prompts.show_value(value)
        self._about.setText(texts.PROMPTS_HELP[value])
        self._stack.setCurrentWidget(self._places[value])
        self._stack.setVisible(value != "chats" or not self._has_chats)
        self._show_state()

    def _choose_adapter(self) -> None:
        """The adapter that the test was begun for, until another recipe is chosen."""
        if self._adapter and (base := self.second.choose_adapter(self._adapter)):
            self._adapter = ""
            self.first.choose_model(base)
            self._suggest_name()

    def _choose_another(self) -> None:
        """A test begins with two recipes that differ, where there are two."""
        if self._tests and not self._adapter and self.first.value == self.second.value:
            self.second.choose_other(self.first.value)
            self._suggest_name()

    def _on_chats(self, found: ChatList) -> None:
        self._has_chats = bool(found.chats)
        self._on_prompts(self.prompts.value)

    def _on_sets(self, found: QuestionSetList) -> None:
        self.set.set_choices([(one.name, one.id) for one in found.sets])
        self._show_state()

    def _on_collections(self, found: CollectionList) -> None:
        held = [one for one in found.collections if one.documents]
        self.collection.set_choices([(f"{c.name} ({describe_count(c.documents, 'file')})", c.id) for c in held])
        self._show_state()

    def _on_named(self, text: str) -> None:
        self._named = bool(text.strip())
        self._show_state()

    def _suggest_name(self) -> None:
        tests = self.purpose.value == "verdict"
        recipe = self.second.recipe if tests and self.second.recipe is not None else self.first.recipe
        if not self._named and recipe is not None:
            when = time.strftime("%d %b %H:%M")
            on = [use.name for use in recipe.model.adapters]
            called = (on[0] if on else recipe.name or recipe.model.name)[:_LONGEST_SUGGESTED]
            self.name.setText(texts.DEFAULT_NAME.format(model=called.strip(), date=when))
        self._show_state()

    def _on_browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, texts.PROMPT_FILE, "", texts.FILTER_PROMPTS)
        if path:
            self.file.setText(path)
