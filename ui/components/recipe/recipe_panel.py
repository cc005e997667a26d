"""The recipe of a chat: one card for each of its parts, closed with its state in a phrase, opened with its settings.

The panel holds a ``Recipe`` and tells when the person changed it. It knows which models and collections there are
because it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QWidget

from ui.components.agent_wording import describe_agent
from ui.components.basics import IconButton, LinkButton, Text, without_keys
from ui.components.choice_box import ChoiceBox
from ui.components.config_form import Form
from ui.components.edge_fade import EdgeFade
from ui.components.layout import column_of, row_of
from ui.components.recipe import texts
from ui.components.recipe.adapter_form import AdapterForm, describe_adapters
from ui.components.recipe.agent_form import AgentForm
from ui.components.recipe.decoding_form import DecodingForm, describe_decoding
from ui.components.recipe.limit_note import LimitNote
from ui.components.recipe.model_limits import show_limits
from ui.components.recipe.prompt_form import PromptForm, describe_prompting
from ui.components.recipe.recipe_card import RecipeCard
from ui.components.recipe.recipes import collections_of, plain
from ui.components.wording import describe_count, shown_fields_of
from ui.theme import tokens
from workbench.base.catalogue import all_translated
from workbench.records.documents import Collection
from workbench.records.methods import MethodInfo, Methods
from workbench.records.models import ModelRecord
from workbench.records.recipes import (
    PARTS,
    AdapterUse,
    AgentPart,
    DecodingPart,
    ModelPart,
    PromptingPart,
    Recipe,
    RetrievalPart,
    notes_on_composition,
)
from workbench.records.training import AdapterRecord
from workbench.records.visible import visible_name

NO_DOCUMENTS = texts.NO_DOCUMENTS


FORMS: Mapping[str, Callable[[], QWidget]] = {
    "adapter_form": AdapterForm,
    "prompt_form": PromptForm,
    "agent_form": AgentForm,
    "decoding_form": DecodingForm,
}
"""The large parts of the panel, by their names in it."""


class RecipePanel(QFrame):
    """``changed`` sends the new recipe after each edit of the person."""

    changed = Signal(object)
    recipe_shown = Signal(object)
    """Another recipe is shown, after an edit or a call."""
    was_reset = Signal(object)
    """The person wants the usual settings: the recipe before."""
    close_wanted = Signal()
    models_wanted = Signal()
    documents_wanted = Signal()
    files_wanted = Signal()
    """Some files of the documents are to be chosen."""

    def __init__(self, forms: Mapping[str, Any] | None = None) -> None:
        """``forms`` are those of ``FORMS``, where they were made before."""
        super().__init__()
        forms = forms or {name: make() for name, make in FORMS.items()}
        self.setProperty("role", "panel")
        self._recipe = Recipe()
        self._models: Sequence[ModelRecord] = ()
        self._methods: Methods[Any] = Methods()
        self._showing = False
        self._format_problem = ""
        self._attached = False
        self._collections: tuple[str, ...] = ()
        self.model = RecipeCard(texts.MODEL, texts.MODEL_HELP)
        self.prompting = RecipeCard(texts.PROMPT, texts.PROMPT_HELP)
        self.decoding = RecipeCard(texts.DECODING, texts.DECODING_HELP)
        self.retrieval = RecipeCard(texts.DOCUMENTS, texts.DOCUMENTS_HELP)
        self.agent = RecipeCard(texts.AGENT, texts.AGENT_HELP)
        self.adapters = RecipeCard(texts.ADAPTERS, texts.ADAPTERS_HELP)
        self.adapter_form: AdapterForm = forms["adapter_form"]
        self.adapter_form.changed.connect(self._on_adapters)
        self.model_box = ChoiceBox(texts.MODEL, chosen=self._on_model)
        self.models_link = LinkButton(texts.GET_MODEL_BUTTON, clicked=self.models_wanted)
        self.documents_box = ChoiceBox(texts.DOCUMENTS, chosen=self._on_documents)
        self.further_button = LinkButton(texts.FURTHER_DOCUMENTS, clicked=self._on_further)
        self.further = Text("", "small")
        self.files_button = LinkButton(texts.SOME_FILES, clicked=self.files_wanted)
        self.files = Text("", "small")
        self.documents_link = LinkButton(texts.ADD_DOCUMENTS, clicked=self.documents_wanted)
        self.forms: dict[str, Form] = {
            "model": _form(ModelPart, "context_tokens"),
            "retrieval": _form(
                RetrievalPart,
                "mode",
                "road",
                "quote_length",
                "rerank",
                "pictures",
                "passages",
                "token_budget",
                "decline",
            ),
        }
        self.retrieval_limits = LimitNote()
        self.prompt_form: PromptForm = forms["prompt_form"]
        self.prompt_form.changed.connect(self._on_prompting)
        self.agent_form: AgentForm = forms["agent_form"]
        self.agent_form.changed.connect(self._on_agent)
        self.decoding_form: DecodingForm = forms["decoding_form"]
        self.decoding_form.changed.connect(self._on_decoding)
        for part, form in self.forms.items():
            form.changed.connect(lambda name, value, part=part: self._on_field(part, name, value))
        for card, widgets in (
            (self.model, (self.model_box, self.models_link, self.forms["model"])),
            (self.prompting, (self.prompt_form,)),
            (self.decoding, (self.decoding_form,)),
            (self.retrieval, (self.documents_box, self.further, self.files, self.further_button, self.files_button)),
            (self.retrieval, (self.documents_link, self.retrieval_limits, self.forms["retrieval"])),
            (self.agent, (self.agent_form,)),
            (self.adapters, (self.adapter_form,)),
        ):
            for widget in widgets:
                card.inside.addWidget(widget)
        self._lay_out()
        self.set_choices((), ())
        self.set_recipe(self._recipe)

    @property
    def recipe(self) -> Recipe:
        return self._recipe

    @property
    def methods(self) -> Methods[Any]:
        return self._methods

    @property
    def cards(self) -> tuple[RecipeCard, ...]:
        return (self.model, self.prompting, self.decoding, self.retrieval, self.agent, self.adapters)

    def set_choices(self, models: Sequence[ModelRecord], collections: Sequence[Collection], default: str = "") -> None:
        """The chat models, with the default one, and the collections that there are."""
        self._models = models
        self._collections = tuple(one.name for one in collections)
        self.model_box.set_choices(
            [(texts.DEFAULT_MODEL.format(name=m.name) if m.name == default else m.name, m.name) for m in models]
        )
        names = [(NO_DOCUMENTS, "")] + [
            (f"{c.name} ({describe_count(c.documents, 'file')})", c.name) for c in collections
        ]
        self.documents_box.set_choices(names)
        self.decoding_form.set_models([m.name for m in models if m.format == "gguf" and m.kind in ("chat", "base")])
        self.models_link.setVisible(not models)
        self.documents_link.setVisible(not collections)
        self.set_recipe(self._recipe)

    def set_methods(self, rows: Sequence[MethodInfo]) -> None:
        """The techniques, strategies and presets to choose from."""
        self._methods = Methods(rows)
        self.prompt_form.set_methods(self._methods)
        self.decoding_form.set_methods(self._methods)
        self.agent_form.set_methods(self._methods)
        self.set_recipe(self._recipe)

    def set_attached(self, there_are: bool) -> None:
        """Whether files are attached to the chat, which the settings of documents are for as well."""
        self._attached = there_are

    def set_recipe(self, recipe: Recipe) -> None:
        """Show a recipe; nothing is signalled."""
        self._recipe = recipe
        self._showing = True
        self.model_box.show_value(recipe.model.name)
        self.documents_box.show_value(recipe.retrieval.collection if recipe.retrieval else "")
        for part, form in self.forms.items():
            form.set_values(getattr(recipe, part) or RetrievalPart())
        self.prompt_form.set_part(recipe.prompting)
        switched = any(model.thinking for model in self._models if model.name == recipe.model.name)
        self.prompt_form.thinking.setVisible(switched or recipe.prompting.thinking != "automatic")
        notes = all_translated(notes_on_composition(recipe, self._methods))
        self.prompt_form.set_notes(() if recipe.agent is not None else notes)
        self.agent_form.set_notes(notes if recipe.agent is not None else ())
        self.agent_form.set_part(recipe.agent)
        self.decoding_form.set_part(recipe.decoding)
        first, *more = collections_of(recipe)
        self.further.setText(texts.ALSO.format(names=", ".join(more)))
        self.further.setVisible(bool(more))
        self.further_button.setVisible(bool(first) and bool(more or set(self._collections) - {first}))
        chosen = recipe.retrieval.files if recipe.retrieval is not None else ()
        self.files.setText(texts.ONLY_FILES.format(names=name_files(chosen)))
        self.files.setVisible(bool(chosen))
        self.files_button.setVisible(bool(first))
        self.forms["retrieval"].setVisible(recipe.retrieval is not None or self._attached)
        self.model.set_state(recipe.model.name or texts.NONE_CHOSEN)
        self.prompting.set_state(describe_prompting(recipe.prompting, self._methods))
        self.decoding.set_state(self._decoding_state())
        self.retrieval.set_state(describe_retrieval(recipe.retrieval, self._attached))
        self.agent.set_state(describe_agent(recipe.agent, self._methods))
        self.adapter_form.set_uses(recipe.model.adapters)
        self.adapters.set_state(describe_adapters(recipe.model.adapters))
        show_limits(self, next((model for model in self._models if model.name == recipe.model.name), None))
        self.reset_button.setEnabled(plain(recipe) != recipe)
        self._showing = False
        self.recipe_shown.emit(recipe)

    def show_field(self, part: str, name: str) -> None:
        """Open the card of a part and put the keyboard on a field of it."""
        card: RecipeCard = getattr(self, part)
        card.open()
        own: dict[str, QWidget] = {
            "name": self.model_box,
            "collection": self.documents_box,
            "instructions": self.prompt_form.instructions.control,
            "thinking": self.prompt_form.thinking.control,
            "technique": self.prompt_form.technique,
            "method": self.agent_form.method,
            "memory": self.agent_form.memory,
            "folder": self.agent_form.folder_button,
        }
        more = {"decoding": self.decoding_form.form, "prompting": self.prompt_form.parts}
        more["agent"] = self.agent_form.limits
        form = {**self.forms, **more}.get(part)
        row = own.get(name) or (form.focus_field(name) if form is not None and form.has(name) else card.head)
        if not row.isVisible() or not row.height():  # it is for another strategy, or for a chat with documents
            row = self.decoding_form.strategy if part == "decoding" else card.head
        takes = [row, *row.findChildren(QWidget)]
        tab = Qt.FocusPolicy.TabFocus
        first = next((w for w in takes if w.focusPolicy() & tab and w.isVisible() and w.isEnabled()), card.head)
        first.setFocus(Qt.FocusReason.OtherFocusReason)
        # once the rows that were unfolded for it have their places
        QTimer.singleShot(0, self, lambda: self._area.ensureWidgetVisible(row, 0, tokens.SPACE_6))

    def _lay_out(self) -> None:
        title = self.title = Text(texts.RECIPE, "heading")
        self.close_button = IconButton("close", texts.HIDE_RECIPE, clicked=self.close_wanted)
        self.reset_button = IconButton("restart", texts.RESET_RECIPE, clicked=self._on_reset)
        self.menu_button = IconButton("more", texts.RECIPE_MENU)
        head = row_of(None, (title, 1), self.reset_button, self.menu_button, self.close_button)
        inner = QWidget()
        inner.setProperty("role", "page")
        cards = column_of(inner, gap=tokens.SPACE_2, margins=(0, 0, tokens.SPACE_1, 0))
        for card in self.cards:
            cards.addWidget(card)
        cards.addStretch(1)
        area = self._area = QScrollArea(widgetResizable=True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its cards take the keyboard
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        EdgeFade(area, "surface")
        self.save_button = LinkButton(texts.SAVE_RECIPE)
        self.compare_button = LinkButton(texts.WITH_MENU, toolTip=texts.CHIP_HELP)
        column_of(
            self,
            head,
            (area, 1),
            row_of(None, self.save_button, None, self.compare_button, gap=tokens.SPACE_2),
            gap=tokens.SPACE_2,
            margins=(tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_2, tokens.SPACE_3),
        )

    def stand_alone(self) -> None:
        """Hide what only the page of a chat can do: close the panel, go to another page, the prompt library."""
        for widget in (
            self.close_button,
            self.menu_button,
            self.compare_button,
            self.models_link,
            self.documents_link,
            self.prompt_form.library_button,
            self.prompt_form.save_button,
            self.agent_form.tools_link,
            self.adapter_form.train_link,
            self.decoding_form.edit_format,
        ):
            widget.hide()
            widget.setEnabled(False)
            widget.setMaximumSize(0, 0)  # a form may show it again: it takes no room, no key and no click
        self.title.clear()

    def _put(self, recipe: Recipe) -> None:
        if self._showing or recipe == self._recipe:
            return
        self.set_recipe(recipe)
        self.changed.emit(recipe)

    def _on_model(self, name: str) -> None:
        same = name == self._recipe.model.name
        adapters = self._recipe.model.adapters if same else ()  # they are for the model that was
        part = msgspec.structs.replace(self._recipe.model, name=name, adapters=adapters, sha256="", engine="")
        self._put(msgspec.structs.replace(self._recipe, model=part))

    def set_adapters(self, records: Sequence[AdapterRecord]) -> None:
        """The adapters that fit the recipe's model, the latest first."""
        self.adapter_form.set_adapters(records)
        self.prompt_form.set_reward_models([one.name for one in records if one.usable and one.kind == "reward"])

    def _on_adapters(self, uses: tuple[AdapterUse, ...]) -> None:
        part = msgspec.structs.replace(self._recipe.model, adapters=uses)
        self._put(msgspec.structs.replace(self._recipe, model=part))

    def _on_agent(self, part: AgentPart | None) -> None:
        self._put(msgspec.structs.replace(self._recipe, agent=part))

    def show_adapter_problem(self, name: str, why: str) -> None:
        """An adapter of the recipe cannot be used, and why; no words: all can."""
        self.adapter_form.show_problem(name, why)
        state = describe_adapters(self._recipe.model.adapters)
        self.adapters.set_state(texts.STATE_UNUSABLE.format(state=state) if why else state)

    def _on_documents(self, name: str) -> None:
        before = self._recipe.retrieval or RetrievalPart()
        keeps = name or (self._attached and self._recipe.retrieval is not None)
        more = tuple(other for other in before.more if name and other != name)
        part = msgspec.structs.replace(before, collection=name, more=more, files=(), revision=0) if keeps else None
        self._put(msgspec.structs.replace(self._recipe, retrieval=part))

    def _on_further(self) -> None:
        """Choose the collections that are searched as well."""
        self.make_further_menu().popup(self.further_button.mapToGlobal(QPoint(0, self.further_button.height())))

    def make_further_menu(self) -> QMenu:
        first, *more = collections_of(self._recipe)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in dict.fromkeys((*self._collections, *more)):
            if name != first:
                action = menu.addAction(without_keys(name), partial(self._toggle_further, name))
                action.setCheckable(True)
                action.setChecked(name in more)
        return menu

    def _toggle_further(self, name: str) -> None:
        part = self._recipe.retrieval or RetrievalPart()
        more = tuple(one for one in part.more if one != name) if name in part.more else (*part.more, name)
        changed = msgspec.structs.replace(part, more=more, files=(), revision=0)
        self._put(msgspec.structs.replace(self._recipe, retrieval=changed))

    def put_files(self, files: tuple[str, ...]) -> None:
        """Search only these files of the documents; none: all."""
        part = msgspec.structs.replace(self._recipe.retrieval or RetrievalPart(), files=files, revision=0)
        self._put(msgspec.structs.replace(self._recipe, retrieval=part))

    def _on_reset(self) -> None:
        before = self._recipe
        self.set_recipe(plain(before))
        self.was_reset.emit(before)

    def _on_prompting(self, part: PromptingPart) -> None:
        self._put(msgspec.structs.replace(self._recipe, prompting=part))

    def _on_decoding(self, part: DecodingPart) -> None:
        self._put(msgspec.structs.replace(self._recipe, decoding=part))

    def put_format(self, kind: str, grammar: str) -> None:
        """Take over the form of the answer as the person edited it."""
        self._on_decoding(msgspec.structs.replace(self._recipe.decoding, format=kind, grammar=grammar))

    def set_format_problem(self, problem: str) -> None:
        """Why the form of the answer that the recipe asks for cannot be used; "" when it can."""
        self._format_problem = problem
        self.decoding_form.set_problem(problem)
        self.decoding.set_state(self._decoding_state())

    def _decoding_state(self) -> str:
        part = self._recipe.decoding
        unusable = self._format_problem and part.format != "text"
        return describe_decoding(part, self._methods) + (texts.CANNOT_BE_USED if unusable else "")

    def _on_field(self, part: str, name: str, value: Any) -> None:
        now = getattr(self._recipe, part) or PARTS[part]()
        changed = msgspec.structs.replace(now, **{name: value})
        self._put(msgspec.structs.replace(self._recipe, **{part: changed}))


def _form(part: type[msgspec.Struct], *names: str) -> Form:
    return Form([field for field in shown_fields_of(part) if field.name in names], narrow=True)


def name_files(paths: Sequence[str]) -> str:
    """The names of the first files, and how many more there are."""
    names = ", ".join(visible_name(path) for path in paths[:3])
    return f"{names} + {len(paths) - 3:,}" if len(paths) > 3 else names


def describe_retrieval(part: RetrievalPart | None, attached: bool = False) -> str:
    documents = ", ".join((part.collection, *part.more)) if part is not None and part.collection else ""
    if part is not None and part.files and documents:
        documents = texts.STATE_FILES.format(documents=documents, files=describe_count(len(part.files), "file"))
    if attached:
        documents = texts.WITH_ATTACHED.format(documents=documents) if documents else texts.ATTACHED_FILES
    if not documents:
        return texts.OFF
    return (
        f"{documents}, {describe_count(part.passages, 'passage')}" if part is not None and part.passages else documents
    )
