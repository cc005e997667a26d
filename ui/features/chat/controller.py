"""What is asked with: the recipe, shown by every part of the page that shows some of it, and whether it can be asked.

It knows what the home folder offers for a recipe: models, collections, adapters.
"""

from __future__ import annotations

import msgspec
from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu, QWidget

from ui.bridge import Bridge
from ui.components.adapter_texts import describe_asked
from ui.components.agent_wording import asks_documents, describe_agent
from ui.components.basics import without_keys
from ui.components.choice_box import ChoiceBox
from ui.components.known_tools import KnownTools
from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.adapter_form import describe_adapters
from ui.components.recipe.file_choice import FileChoice
from ui.components.recipe.known_names import KnownNames
from ui.components.recipe.recipe_card import RecipeCard
from ui.components.recipe.recipes import ChatAdapters, begun_anew, collections_of, lack_of, with_adapter, with_model
from ui.components.wording import describe_count, is_small
from ui.features import Action, ShellActions
from ui.features.chat import texts
from ui.features.chat.composer.asked_files import AskedFiles
from ui.features.chat.layout import ChatLayout
from ui.features.chat.session import ChatSession
from workbench.records.answers import AskResult
from workbench.records.documents import Collection
from workbench.records.models import ModelRecord
from workbench.records.recipes import Mode, Recipe, RetrievalPart
from workbench.records.training import AdapterRecord
from workbench.subjects.chats.calls import ChatList, ListChats, WithdrawTool
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.models.calls import ListModels, ModelList, SetDefaultModel


class ChatController(QObject):
    """``recipe`` is what the next question is asked with."""

    models_known = Signal()
    """It is known which models there are, or known anew."""

    def __init__(
        self, bridge: Bridge, shell: ShellActions, session: ChatSession, parts: ChatLayout, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._shell = shell
        self._session = session
        self._parts = parts
        self._page = parent
        self._models: tuple[ModelRecord, ...] = ()
        self._collections: tuple[Collection, ...] = ()
        self._default = ""  # the model that new chats begin with; "" where none was chosen
        self._known = False  # whether it is known which models there are
        self._last_asked = ""  # the collection of the latest chat when the window opened
        self._last_mode: Mode = "automatic"  # and how it was answered from
        self._has_chosen = False  # whether the person touched the recipe
        self._context_tokens: dict[str, int] = {}  # by message
        self._allowed: dict[str, tuple[str, ...]] = {}  # tools whose calls were allowed, by chat
        self.adapters = ChatAdapters(bridge, self)
        self.adapters.changed.connect(self._on_adapters)
        self.tools = KnownTools(bridge, self)
        self._names = KnownNames(bridge, parts.recipe)
        self.asked_files = AskedFiles(bridge, shell, parts, self)
        self.asked_files.choice_wanted.connect(self.choose_files)
        self.tools.changed.connect(lambda: parts.recipe.agent_form.set_tools(self.tools.tools or ()))
        self._connect()

    @property
    def recipe(self) -> Recipe:
        return self._parts.recipe.recipe

    @property
    def ready(self) -> bool:
        """Whether it is known which models there are."""
        return self._known

    def put(self, recipe: Recipe) -> None:
        """Ask with this recipe from now on."""
        self._parts.recipe.set_recipe(recipe)
        self._show()

    def follow_home(self) -> None:
        """Know from now on what there is in the home folder. Once the page is built: what is known comes at once."""
        home = self._bridge.home
        home.listing(ListMethods()).follow(self._on_methods)  # before what is shown with their names
        home.listing(ListModels()).follow(self._on_models)
        home.listing(ListCollections()).follow(self._on_collections)
        home.listing(ListChats()).follow(self._on_chats)
        self._parts.files.follow_home()

    def put_documents(self, collection: str, files: tuple[str, ...] = ()) -> None:
        """Answer from this collection, with ``files`` from these paths of it alone."""
        part = msgspec.structs.replace(self.recipe.retrieval or RetrievalPart(), collection=collection, files=files)
        self.put(msgspec.structs.replace(self.recipe, retrieval=part))

    def ask_only(self, collection: str) -> None:
        """Answer from this collection alone, and from all of its files."""
        before = self.recipe.retrieval or RetrievalPart()
        part = msgspec.structs.replace(before, collection=collection, more=(), files=())
        self.choose(msgspec.structs.replace(self.recipe, retrieval=part))

    def choose_files(self) -> None:
        """Ask which files of the documents are to be searched."""
        part = self.recipe.retrieval
        if part is not None and part.collection:
            dialog = FileChoice(self._bridge, collections_of(self.recipe), part.files, self._page)
            dialog.chosen.connect(self._parts.recipe.put_files)
            dialog.open()

    def put_adapter(self, name: str) -> None:
        """Answer with an adapter, on its base model; one that is not there any more is told."""

        def take(record: AdapterRecord | None) -> None:
            if record is None:
                self._shell.show_message(texts.ADAPTER_MISSING.format(name=name), "attention")
                return
            recipe = with_adapter(self.recipe, record)
            if recipe.retrieval is not None:  # it was trained without documents: what it learnt is not in them
                recipe = msgspec.structs.replace(recipe, retrieval=None)
                self._shell.show_message(texts.TRIED_WITHOUT_DOCUMENTS, "info")
            self._has_chosen = True
            self.put(recipe)
            self._parts.recipe.adapters.open(record.kind != "merged")

        self.adapters.find(name, take)

    def begin(self) -> None:
        """Ask a new chat with the default model, the usual settings, and the documents that were asked last in the way
        that was chosen for them."""
        recipe = begun_anew(self.recipe)
        self.put(with_model(recipe, self._default) if self._default else recipe)

    def restore(self, recipe: Recipe) -> None:
        """Ask with what a chat was asked with last."""
        self.put(self.with_a_model(recipe))

    def with_a_model(self, recipe: Recipe) -> Recipe:
        """The recipe; one that names no model asks the one of now."""
        return recipe if recipe.model.name else with_model(recipe, self.recipe.model.name)

    def _on_chats(self, found: ChatList) -> None:
        """The documents that were asked last are the likely ones of a first chat."""
        self._allowed = {chat.id: chat.allowed for chat in found.chats}
        self._show_allowed()
        if not self._last_asked and found.latest is not None and found.latest.retrieval is not None:
            self._last_asked, self._last_mode = found.latest.retrieval.collection, found.latest.retrieval.mode
            self.put(self._with_likely_documents(self.recipe))

    def _show_allowed(self) -> None:
        self._parts.recipe.agent_form.set_allowed_here(self._allowed.get(self._session.chat.id or "", ()))

    def _on_withdrawn(self, tool: str) -> None:
        if chat := self._session.chat.id:
            self._bridge.call(
                WithdrawTool(chat=chat, tool=tool),
                lambda _: self._bridge.home.listing(ListChats()).refresh(),
                owner=self,
            )

    def take_result(self, result: AskResult) -> None:
        """An answer is there: it tells how long its context was."""
        if result.context_tokens:
            self._context_tokens[result.message] = result.context_tokens
        self.show_context()

    def show_context(self) -> None:
        """How full the context is after the last answer of the shown branch."""
        path = self._session.chat.branches.path()
        # a stopped answer may not know what it cost: the one before it still tells
        last = next((m for m in reversed(path) if m.usage is not None and m.usage.prompt_tokens), None)
        if last is not None and last.recipe is not None and last.recipe.agent is not None:
            last = None  # what all its steps have read says nothing of the context
        window = self._context_tokens.get(last.id, 0) if last is not None else 0
        self._parts.head.show_context(last.usage if last is not None else None, window or self._model_context())

    # -- what there is -------------------------------------------------------------------------------

    def _connect(self) -> None:
        parts, composer = self._parts, self._parts.composer
        parts.recipe.changed.connect(self.choose)
        parts.recipe.was_reset.connect(self._on_reset)
        parts.recipe.files_wanted.connect(self.choose_files)
        parts.files.changed.connect(self._on_files)
        parts.recipe.models_wanted.connect(self._on_models_wanted)
        parts.recipe.adapter_form.train_wanted.connect(lambda: self._shell.open_page("train"))
        composer.remedy_clicked.connect(self._on_remedy)
        composer.chosen.changed.connect(self._show_whether_it_can_be_asked)
        composer.documents_chip_clicked.connect(
            lambda: self._offer(parts.recipe.documents_box, composer.documents_chip)
        )
        composer.files_chip_clicked.connect(lambda: self.asked_files.open(self.recipe, self._collections))
        composer.adapters_chip_clicked.connect(lambda: self._open_card(parts.recipe.adapters))
        composer.agent_chip_clicked.connect(lambda: self._open_card(parts.recipe.agent))
        parts.recipe.agent_form.tools_wanted.connect(lambda: self._shell.open_page("tool-list"))
        parts.recipe.agent_form.withdrawn.connect(self._on_withdrawn)
        self._session.opened.connect(self._show_allowed)
        parts.head.model_clicked.connect(self._on_model_clicked)
        self._bridge.status_changed.connect(self.show_context)

    def _on_models(self, found: ModelList) -> None:
        self._models = tuple(model for model in found.models if model.kind != "embedder" and not model.missing)
        self._known, self._default = True, found.default
        recipe = self.recipe
        if not recipe.model.name and self._models:
            first = next((model for model in self._models if model.kind == "chat"), self._models[0])
            recipe = with_model(recipe, found.default or first.name)
        self._parts.recipe.set_choices(self._models, self._collections, self._default)
        self.put(recipe)
        self.models_known.emit()

    def _on_collections(self, found: CollectionList) -> None:
        self._collections = found.collections
        self._parts.recipe.set_choices(self._models, self._collections, self._default)
        self._parts.conversation.set_collections(tuple(one.name for one in self._collections if one.documents))
        self.put(self._with_likely_documents(self.recipe))

    def _on_methods(self, found: MethodList) -> None:
        self._parts.recipe.set_methods(found.methods)
        self._parts.conversation.set_methods(self._parts.recipe.methods)

    def _on_adapters(self) -> None:
        self._parts.recipe.set_adapters(self.adapters.fitting)
        self._show()

    def _with_likely_documents(self, recipe: Recipe) -> Recipe:
        """Until a person chooses, a first chat asks the documents that were asked last, or the only ones there are."""
        if self._has_chosen or self._session.chat.id is not None or recipe.retrieval is not None:
            return recipe
        names = [collection.name for collection in self._collections]
        likely = self._last_asked if self._last_asked in names else names[0] if len(names) == 1 else ""
        if not likely:
            return recipe
        mode = self._last_mode if likely == self._last_asked else "automatic"
        return msgspec.structs.replace(recipe, retrieval=RetrievalPart(collection=likely, mode=mode))

    def _on_files(self) -> None:
        """Settings of how documents are used go with the last document."""
        recipe = self.recipe
        there_are = self._parts.files.there_are
        self._parts.recipe.set_attached(there_are)
        if recipe.retrieval is not None and not recipe.retrieval.collection and not there_are:
            recipe = msgspec.structs.replace(recipe, retrieval=None)
        self.put(recipe)

    # -- showing it ----------------------------------------------------------------------------------

    def _show(self) -> None:
        parts, recipe = self._parts, self.recipe
        model, uses = recipe.model.name, recipe.model.adapters
        documents, *more = collections_of(recipe)
        gone = self._is_gone(model)
        self.adapters.follow("" if gone else model)
        attached = parts.files.there_are
        none = recipe_texts.ATTACHED_FILES if attached else recipe_texts.NO_DOCUMENTS
        agent = recipe.agent
        asks = asks_documents(agent, parts.recipe.methods)
        names = (documents, *more) if documents else ()
        parts.composer.show_documents(names, self._files_in_words(), none, asked=asks)
        parts.composer.show_agent(describe_agent(agent, parts.recipe.methods) if agent is not None else "")
        self.tools.follow(recipe)
        parts.composer.show_adapters(describe_adapters(uses) if uses else "")
        asked, whole = describe_asked(recipe), describe_asked(recipe, most=100)
        parts.head.show_model(texts.REMOVED.format(name=asked) if gone else asked, whole, not gone)
        self._show_whether_it_can_be_asked()
        hints = {
            (True, True): texts.BASED_ON_BOTH,
            (True, False): texts.BASED_ON_DOCUMENTS,
            (False, True): texts.BASED_ON_FILES,
        }
        hint = hints.get((bool(documents), attached), texts.CHOOSE_DOCUMENTS)
        if documents and not asks:
            hint = texts.AGENT_WITHOUT_SEARCH
        if hint is texts.CHOOSE_DOCUMENTS and self._is_small(model):
            hint = texts.SMALL_ALONE.format(name=model, advice=hint)
        lacking = [words for one in self._collections if one.name in (documents, *more) and (words := lack_of(one))]
        words = hint.format(documents=", ".join((documents, *more)))
        parts.hint.setText("\n".join([f"{words} {texts.SHORT_WAYS}", *lacking]))
        self.show_context()

    def _files_in_words(self) -> str:
        """``8 files``, ``2 of 8 files``; "" where no collection is asked."""
        asked = [one for one in self._collections if one.name in collections_of(self.recipe)]
        chosen = self.recipe.retrieval.files if self.recipe.retrieval is not None else ()
        files = describe_count(sum(one.documents for one in asked), "file")
        return (texts.FILES_OF_ALL.format(chosen=len(chosen), files=files) if chosen else files) if asked else ""

    def _show_whether_it_can_be_asked(self) -> None:
        composer, model = self._parts.composer, self.recipe.model.name
        adapter, why = self.adapters.problem(self.recipe)
        self._parts.recipe.show_adapter_problem(adapter, why)
        if self._known and not self._models:
            composer.set_blocked(texts.NO_MODEL_YET, texts.GET_MODEL)
        elif self._is_gone(model):
            composer.set_blocked(texts.MODEL_REMOVED.format(name=model), texts.SELECT_MODEL)
        elif self._known and not model:
            composer.set_blocked(texts.CHOOSE_MODEL, texts.SELECT_MODEL)
        elif why:
            composer.set_blocked(why, recipe_texts.CONTINUE_WITHOUT)
        elif composer.chosen.chosen.images and not self.sees:
            composer.set_blocked(texts.CANNOT_SEE.format(name=model), texts.SELECT_MODEL)
        else:
            composer.set_blocked("")

    @property
    def sees(self) -> bool:
        """Whether the chosen model reads images."""
        return any(known.name == self.recipe.model.name and known.sees_images for known in self._models)

    def _is_small(self, model: str) -> bool:
        return any(known.name == model and is_small(known) for known in self._models)

    def _is_gone(self, model: str) -> bool:
        return self._known and bool(model) and model not in [known.name for known in self._models]

    def _model_context(self) -> int:
        """The context length of the chosen model: as it is loaded, else as far as the catalogue tells."""
        name, status = self.recipe.model.name, self._bridge.status
        if status is not None and status.model == name and status.context_tokens:
            return status.context_tokens
        return next((min(model.context_tokens, 8_192) for model in self._models if model.name == name), 0)

    # -- what the person does ------------------------------------------------------------------------

    def choose(self, recipe: Recipe) -> None:
        """Ask with a recipe that the person wants."""
        self._has_chosen = True
        self.put(recipe)

    def _on_remedy(self) -> None:
        model = self.recipe.model.name
        if self._known and not self._models:
            self._on_models_wanted()
        elif not model or self._is_gone(model) or not self.adapters.problem(self.recipe)[1]:
            self._offer(self._parts.recipe.model_box, self._parts.composer.remedy)
        else:
            self._parts.recipe.adapter_form.drop_problem()

    def _on_reset(self, before: Recipe) -> None:
        self._has_chosen = True
        self._show()
        undo = Action(texts.UNDO, lambda: self.put(before))
        self._shell.show_message(texts.RECIPE_WAS_RESET, "info", undo)

    def _on_model_clicked(self) -> None:
        chip = self._parts.head.model
        self.make_model_menu().popup(chip.mapToGlobal(QPoint(0, chip.height())))

    def make_model_menu(self) -> QMenu:
        """The models to choose from, and the chosen one to begin new chats with."""
        menu, model = self._parts.recipe.model_box.make_menu(self._page), self.recipe.model.name
        if model and model != self._default and not self._is_gone(model):
            menu.addSeparator()
            menu.addAction(without_keys(texts.MAKE_DEFAULT.format(name=model)), lambda: self._make_default(model))
        return menu

    def _make_default(self, name: str) -> None:
        self._bridge.call(SetDefaultModel(name=name), self._bridge.home.listing(ListModels()).put, owner=self)

    def _on_models_wanted(self) -> None:
        self._shell.open_page("models")

    def _open_card(self, card: RecipeCard) -> None:
        """A chip opens the card of its part."""
        self._parts.show_side(self._parts.recipe)
        card.open()
        card.head.setFocus()

    def _offer(self, box: ChoiceBox, chip: QWidget) -> None:
        """What a chip of the composer stands for, to choose from at once, above it."""
        menu = box.make_menu(self._page)
        menu.popup(chip.mapToGlobal(QPoint(0, -menu.sizeHint().height())))
