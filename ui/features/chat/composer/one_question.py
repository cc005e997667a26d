"""What a single question is asked with in place of what the chat's recipe says, and the chips above the field that
show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import msgspec
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import ChipButton
from ui.components.layout import FlowLayout, column_of, empty_layout
from ui.components.recipe.recipes import with_model
from ui.components.shown_images import ImageRow
from ui.components.wording import within
from ui.features.chat import texts
from ui.theme import tokens
from ui.theme.theme import set_icon
from workbench.records.messages import ImagePart
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.records.visible import visible_name
from workbench.subjects.images.calls import MOST_IMAGES

_NAME = 36  # characters
_THUMBNAIL = QSize(120, 72)  # px
_MOST_NAMED = 3  # files


@dataclass(frozen=True)
class AskedFile:
    """A document that is asked. ``collection`` is the name of its collection; "": it is attached to the chat."""

    collection: str
    path: str


@dataclass(frozen=True)
class OneQuestion:
    """Documents that are asked alone, images that are shown, and a saved recipe with its name. Without any it is
    false."""

    files: tuple[AskedFile, ...] = ()
    images: tuple[ImagePart, ...] = ()
    recipe: Recipe | None = None
    name: str = ""

    def __bool__(self) -> bool:
        return bool(self.files or self.images) or self.recipe is not None

    def applied(self, usual: Recipe) -> Recipe:
        """The recipe of the question, where without this it would be ``usual``. The model stays the usual one where the
        saved recipe names none."""
        recipe = self.recipe or usual
        if not recipe.model.name:
            recipe = with_model(recipe, usual.model.name)
        if not self.files:
            return recipe
        first, *more = (*dict.fromkeys(file.collection for file in self.files if file.collection), "")
        part = msgspec.structs.replace(
            recipe.retrieval or usual.retrieval or RetrievalPart(),
            collection=first,
            more=tuple(filter(None, more)),
            files=tuple(file.path for file in self.files),
            revision=0,
        )
        return msgspec.structs.replace(recipe, retrieval=part)

    def described(self) -> str:
        """In words, for the question in the conversation and in the queue."""
        files = _describe_files([file.path for file in self.files])
        recipe = texts.BY_RECIPE.format(name=self.name) if self.recipe is not None else ""
        images = ", ".join(image.name for image in self.images)
        return " · ".join(filter(None, (images, files, recipe)))


NOTHING = OneQuestion()


def describe_only(only: OneQuestion, made: Recipe | None) -> str:
    """What a question was asked of alone, in words: as it was asked here, else as the recipe of its answer says."""
    if only:
        return replace(only, images=()).described()  # the images themselves are seen
    return _describe_files(made.retrieval.files) if made is not None and made.retrieval is not None else ""


def _describe_files(paths: Sequence[str]) -> str:
    names = [visible_name(path) for path in paths]
    if not names:
        return ""
    if len(names) > _MOST_NAMED:
        return texts.ONLY_MANY_FILES.format(files=", ".join(names[:_MOST_NAMED]), rest=len(names) - _MOST_NAMED)
    return texts.ONLY_FILES.format(files=", ".join(names))


class ChosenChips(QWidget):
    """A chip for each document and recipe of the next question, by chat; each is removed by pressing it. Hidden while
    there are none."""

    changed = Signal()
    left = Signal()
    """A chip was removed: the keyboard goes back to the field."""

    def __init__(self) -> None:
        super().__init__()
        self._by_chat: dict[str | None, OneQuestion] = {}
        self._chat: str | None = None
        self.thumbnails = ImageRow(_THUMBNAIL)
        holder = QWidget()
        self._flow = FlowLayout(holder, tokens.SPACE_1)
        column_of(self, self.thumbnails, holder, gap=tokens.SPACE_1)
        self.chips: list[ChipButton] = []
        self._show()

    @property
    def chosen(self) -> OneQuestion:
        return self._by_chat.get(self._chat, NOTHING)

    @property
    def by_chat(self) -> dict[str | None, OneQuestion]:
        """What is chosen in each chat, as a new dictionary."""
        return {chat: chosen for chat, chosen in self._by_chat.items() if chosen}

    def take_back(self, kept: Mapping[str | None, OneQuestion]) -> None:
        """Choose what was chosen when the window was closed, but for chats in which something is chosen now."""
        self._by_chat = {**kept, **self.by_chat}
        self._show()
        self.changed.emit()

    def show_chat(self, chat: str | None) -> None:
        self._chat = chat
        self._show()

    def identify(self, chat: str) -> None:
        """The new chat that is shown has been stored."""
        if None in self._by_chat and chat != self._chat:
            self._by_chat[chat] = self._by_chat.pop(None)
        self.show_chat(chat)

    def forget(self, chat: str | None) -> None:
        self._by_chat.pop(chat, None)
        self._show()

    def add_file(self, file: AskedFile) -> None:
        files = tuple(dict.fromkeys((*self.chosen.files, file)))
        self.choose(replace(self.chosen, files=files))

    def add_image(self, image: ImagePart) -> None:
        if len(self.chosen.images) < MOST_IMAGES:
            images = {one.sha256: one for one in (*self.chosen.images, image)}
            self.choose(replace(self.chosen, images=tuple(images.values())))

    def choose_recipe(self, recipe: Recipe, name: str) -> None:
        self.choose(replace(self.chosen, recipe=recipe, name=name))

    def remove_last(self) -> None:
        if self.chips:
            self.chips[-1].click()

    def choose(self, chosen: OneQuestion) -> None:
        """Ask the next question of the shown chat with this."""
        self._by_chat[self._chat] = chosen
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        chosen = self.chosen
        self.thumbnails.show_images(chosen.images)
        empty_layout(self._flow)
        self.chips = []
        for image in chosen.images:
            others = tuple(one for one in chosen.images if one != image)
            self._add(image.name, "plain", texts.REMOVE_IMAGE, replace(chosen, images=others), "")
        for file in chosen.files:
            rest = tuple(one for one in chosen.files if one != file)
            self._add(visible_name(file.path), "retrieval", texts.REMOVE_FILE, replace(chosen, files=rest), file.path)
        if chosen.recipe is not None:
            self._add(chosen.name, "accent", texts.REMOVE_RECIPE, replace(chosen, recipe=None, name=""), "")
        self.setVisible(bool(self.chips))

    def _add(self, name: str, tone: str, remove: str, without: OneQuestion, path: str) -> None:
        chip = ChipButton(within(name, _NAME), tone)  # type: ignore[arg-type]
        chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # its cross stands behind the name
        set_icon(chip, "close", "muted", 14)
        chip.setAccessibleName(remove.format(name=name))
        chip.setToolTip("\n".join(filter(None, (remove.format(name=name), path))))
        chip.clicked.connect(partial(self._on_removed, without))
        self._flow.addWidget(chip)
        self.chips.append(chip)

    def _on_removed(self, without: OneQuestion, checked: bool = False) -> None:
        self.choose(without)
        self.left.emit()
