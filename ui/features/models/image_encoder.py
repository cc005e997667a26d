"""The image encoder of a model, chosen by hand: a projector file (mmproj) that does not lie beside it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMenu

from ui.bridge import Bridge
from ui.components.wording import in_words
from ui.features.models import texts
from ui.features.models.model_card import ModelCard
from workbench.subjects.models.calls import SetProjector


def add_image_encoder(menu: QMenu, card: ModelCard, bridge: Bridge) -> None:
    """Add to a model's menu that its image encoder is chosen, or taken away where it has one."""
    if card.model.kind == "embedder":
        return
    if not card.model.projector:
        menu.addAction(texts.IMAGE_ENCODER, lambda: ask_image_encoder(card, bridge))
        return
    name = Path(card.model.projector).name
    of_model = menu.addMenu(texts.IMAGE_ENCODER_MENU)
    of_model.addAction(name).setEnabled(False)
    of_model.addSeparator()
    of_model.addAction(texts.ANOTHER_ENCODER, lambda: ask_image_encoder(card, bridge))
    of_model.addAction(texts.NO_ENCODER, lambda: set_image_encoder(card, bridge, ""))


def ask_image_encoder(card: ModelCard, bridge: Bridge) -> None:
    """Ask for the file."""
    dialog = QFileDialog(card, texts.CHOOSE_ENCODER)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([texts.FILTER_ENCODERS, texts.FILTER_MODELS, texts.FILTER_ALL])
    dialog.setDirectory(str(Path(card.model.path).parent))
    dialog.fileSelected.connect(lambda path: set_image_encoder(card, bridge, path))
    dialog.open()


def set_image_encoder(card: ModelCard, bridge: Bridge, path: str) -> None:
    """Give the model a projector, "" for none. The card says why one is refused."""
    call = SetProjector(name=card.model.name, path=path)
    bridge.call(call, lambda model: card.hide_problem(), lambda error: card.show_problem(in_words(error)), card)
