"""Which weights learn: each method with what it does, what it makes and how that is used afterwards, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QRadioButton, QSizePolicy, QVBoxLayout, QWidget

from ui.theme import tokens
from ui.theme.theme import set_icon
from ui.widgets.basics import Chip, LinkButton, Text
from workbench.training import ARTIFACTS, ArtifactKind, WeightsMethod

METHODS: dict[WeightsMethod, tuple[str, str]] = {
    "lora": (
        "LoRA",
        "Small matrices beside every layer learn, the model's own weights stay. Learns well, needs little memory.",
    ),
    "layers": (
        "Last layers",
        "The last few layers learn, those before them stay as they are. Good for a manner of answering.",
    ),
    "full": (
        "All weights",
        "Everything learns. Learns the most, needs by far the most memory and forgets the most.",
    ),
    "rslora": (
        "rsLoRA",
        "LoRA with another scale, which makes better use of high ranks (32 and more).",
    ),
    "dora": (
        "DoRA",
        "LoRA that learns direction and size of each weight apart: often a little better, and slower.",
    ),
    "ia3": (
        "IA3",
        "Learns only how strongly each signal counts. A few thousand numbers: for small changes.",
    ),
    "biases": (
        "Biases",
        "Only the constant added in each layer learns. Very little memory, small changes.",
    ),
    "norms": (
        "Norms",
        "Only the scales between the layers learn. Very little memory, small changes.",
    ),
    "prompt": (
        "Soft prompt",
        "The model stays; a few learnt tokens before every text steer it. For a task, not for facts.",
    ),
    "p-tuning": (
        "P-tuning",
        "A soft prompt whose tokens are made by a small network while learning, which steadies it.",
    ),
    "prefix": (
        "Prefix",
        "Learnt memory before every text, in each layer: steers more strongly than a soft prompt.",
    ),
}
FIRST: tuple[WeightsMethod, ...] = ("lora", "layers", "full")
RECOMMENDED: WeightsMethod = "lora"

MAKES: dict[ArtifactKind, str] = {
    "lora": "Makes a small file that a chat switches on and off, at any strength.",
    "merged": "Makes a new model, as large as this one, that is chosen like any other. Its strength cannot be changed.",
    "soft-prompt": "Makes a tiny file that a chat switches on or off. It has no strength, takes some of the context, "
    "and cannot be merged.",
    "prefix": "Makes a tiny file that a chat switches on or off by putting it into the model's memory. It has no "
    "strength, takes some of the context, cannot be merged, and models with sliding windows cannot take it.",
}


class MethodPicker(QWidget):
    """``chosen`` sends the name of a method. It shows what it is told by ``show_method``."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QRadioButton] = {}
        self._group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.SPACE_3)
        self._add(column, FIRST)
        self.more = LinkButton("More methods")
        set_icon(self.more, "chevron-right", "accent", 16)
        self.more.setCheckable(True)
        self.more.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.more.toggled.connect(self._on_more)
        column.addWidget(self.more)
        self._others = QWidget()
        below = QVBoxLayout(self._others)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(tokens.SPACE_3)
        self._add(below, [method for method in METHODS if method not in FIRST])
        self._others.hide()
        column.addWidget(self._others)

    def show_method(self, method: WeightsMethod) -> None:
        """Mark a method as the chosen one."""
        if method not in FIRST:
            self.more.setChecked(True)
        self.buttons[method].setChecked(True)

    def _add(self, column: QVBoxLayout, methods: Sequence[WeightsMethod]) -> None:
        for method in methods:
            title, words = METHODS[method]
            makes = MAKES[ARTIFACTS[method]]
            button = self.buttons[method] = QRadioButton(title)
            button.setAccessibleDescription(f"{words} {makes}")
            button.clicked.connect(lambda _=False, method=method: self.chosen.emit(method))
            self._group.addButton(button)
            line = QHBoxLayout()
            line.setSpacing(tokens.SPACE_2)
            line.addWidget(button)
            if method == RECOMMENDED:
                line.addWidget(Chip("recommended", "accent"))
            line.addStretch(1)
            about = QVBoxLayout()
            about.setContentsMargins(tokens.SPACE_5 + 2, 0, 0, 0)
            about.setSpacing(0)
            about.addWidget(Text(words, "muted"))
            about.addWidget(Text(makes, "small"))
            both = QVBoxLayout()
            both.setSpacing(0)
            both.addLayout(line)
            both.addLayout(about)
            column.addLayout(both)

    def _on_more(self, open: bool) -> None:
        self._others.setVisible(open)
        set_icon(self.more, "chevron-down" if open else "chevron-right", "accent", 16)
