"""The dialog for what the new chats of a folder begin with: a recipe, documents and instructions."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QPlainTextEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import Text
from ui.components.call_dialog import CallDialog
from ui.components.dialog import LabelledField
from ui.components.layout import column_of
from ui.features.chat import texts
from ui.theme import tokens
from workbench.records.projects import ChatProject
from workbench.records.recipes import Recipe, without_attachments
from workbench.subjects.chats.calls import ChangeChatFolder, ChatFolder
from workbench.subjects.documents.calls import CollectionList, ListCollections


class FolderSettings(CallDialog):
    """``recipe`` is the one that is on now. ``saved`` sends the folder's name."""

    saved = Signal(str)

    def __init__(self, bridge: Bridge, folder: ChatFolder, recipe: Recipe, parent: QWidget | None = None) -> None:
        explanation = texts.FOLDER_SETTINGS_HELP.format(name=folder.name)
        super().__init__(bridge, texts.FOLDER_SETTINGS, explanation, texts.FOLDER_GO, parent)
        self._folder = folder
        self.instructions = QPlainTextEdit(folder.project.instructions, tabChangesFocus=True)
        self.instructions.setPlaceholderText(texts.FOLDER_INSTRUCTIONS_EXAMPLE)
        self.instructions.setFixedHeight(96)
        self.recipe = QComboBox()
        self.recipe.addItem(texts.USUAL_RECIPE, None)
        if (known := folder.project.recipe) is not None:
            self.recipe.addItem(texts.SAME_RECIPE.format(name=_name(known)), known)
            self.recipe.setCurrentIndex(1)
        now = without_attachments(recipe)
        self.recipe.addItem(texts.PRESENT_RECIPE.format(name=_name(now)), now)
        self.boxes: list[QCheckBox] = []
        self._none = Text(texts.NO_COLLECTIONS_YET, "muted")
        self._documents = column_of(None, self._none, gap=tokens.SPACE_1)
        for field in (
            LabelledField(texts.FOLDER_INSTRUCTIONS, texts.FOLDER_INSTRUCTIONS_HELP, self.instructions),
            LabelledField(texts.FOLDER_DOCUMENTS, texts.FOLDER_DOCUMENTS_HELP, self._documents),
            LabelledField(texts.FOLDER_RECIPE, texts.FOLDER_RECIPE_HELP, self.recipe),
        ):
            self.inside.addWidget(field)
        bridge.home.listing(ListCollections()).once(self._on_collections, self)
        self._show_state()

    def _on_collections(self, found: CollectionList) -> None:
        names = [collection.name for collection in found.collections]
        gone = [name for name in self._folder.project.collections if name not in names]
        for name in (*gone, *names):
            box = QCheckBox(name.replace("&", "&&"))
            box.setProperty("collection", name)
            box.setChecked(name in self._folder.project.collections)
            self._documents.addWidget(box, 0, Qt.AlignmentFlag.AlignLeft)
            self.boxes.append(box)
        self._none.setVisible(not self.boxes)

    def make_call(self) -> ChangeChatFolder:
        return ChangeChatFolder(
            folder=self._folder.name,
            project=ChatProject(
                recipe=self.recipe.currentData(),
                collections=tuple(str(box.property("collection")) for box in self.boxes if box.isChecked()),
                instructions=self.instructions.toPlainText().strip(),
            ),
        )

    def take_result(self, result: ChatFolder) -> None:
        self.saved.emit(result.name)
        self.accept()


def _name(recipe: Recipe) -> str:
    return recipe.name or recipe.model.name
