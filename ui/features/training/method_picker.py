"""Which weights learn: each method with what it does, what it makes and how that is used afterwards, in a sentence."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QRadioButton, QVBoxLayout, QWidget

from ui.components.basics import Chip, FoldButton, Text
from ui.components.layout import column_of, row_of
from ui.theme import tokens
from workbench.records.training import ARTIFACTS, ArtifactKind, WeightsMethod

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
    "vera": (
        "VeRA",
        "Matrices drawn at random stay; only how strongly their numbers count is learnt. Its file is large.",
    ),
    "miss": (
        "MiSS",
        "One matrix beside every layer instead of two, used for all parts of what the layer reads.",
    ),
    "loha": (
        "LoHa",
        "Two pairs of matrices, multiplied number by number: can say more than LoRA of the same size, and is slower.",
    ),
    "lokr": (
        "LoKr",
        "A small matrix, repeated through the layer at learnt strengths: moves less than LoRA, and is slower.",
    ),
    "oft": (
        "OFT",
        "What every layer reads is turned; its lengths and the angles within it stay as they were.",
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
        "A few learnt tokens before every text steer the model.",
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
GROUPS: tuple[tuple[str, str, tuple[WeightsMethod, ...]], ...] = (
    (
        "Like LoRA",
        "Something small learns beside every layer; the model's own weights stay.",
        ("rslora", "dora", "miss", "vera", "loha", "lokr"),
    ),
    ("Scaled or turned", "What layers compute is scaled or turned; the model's own weights stay.", ("ia3", "oft")),
    ("Some of the model's own weights", "Small parts of the model learn, all else stays.", ("biases", "norms")),
    (
        "Learnt tokens",
        "Something learnt stands before every text; the model stays. For a task or a manner, not for facts.",
        ("prompt", "p-tuning", "prefix"),
    ),
)
"""What is folded away: kindred methods together, with what they have in common."""
RECOMMENDED: WeightsMethod = "lora"
assert sorted(METHODS) == sorted([*FIRST, *(method for _, _, methods in GROUPS for method in methods)])

MADE: dict[ArtifactKind, str] = {
    "lora": "file, any strength",
    "merged": "new model",
    "soft-prompt": "tiny file, on or off",
    "prefix": "tiny file, on or off",
}
MAKES: dict[ArtifactKind, str] = {
    "lora": "Makes a file that a chat switches on and off, at any strength.",
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
        column = column_of(self, gap=tokens.SPACE_3)
        for method in FIRST:
            self._add(column, method, says_all=True)
        others = QWidget()
        self.more = FoldButton("More methods", others)
        column.addWidget(self.more)
        below = column_of(others, gap=tokens.SPACE_3)
        for title, common, methods in GROUPS:
            head = column_of(
                None, Text(title, "strong"), Text(common, "small"), gap=0, margins=(0, tokens.SPACE_3, 0, 0)
            )
            below.addLayout(head)
            for method in methods:
                self._add(below, method, says_all=False)
        column.addWidget(others)

    def show_method(self, method: WeightsMethod) -> None:
        """Mark a method as the chosen one."""
        if method not in FIRST:
            self.more.setChecked(True)
        self.buttons[method].setChecked(True)

    def _add(self, column: QVBoxLayout, method: WeightsMethod, says_all: bool) -> None:
        """A method with what it makes: in a sentence, or in a word or two, whose sentence is the tooltip."""
        title, words = METHODS[method]
        kind = ARTIFACTS[method]
        button = self.buttons[method] = QRadioButton(title)
        button.setAccessibleDescription(f"{words} {MAKES[kind]}")
        button.clicked.connect(lambda _=False: self.chosen.emit(method))
        self._group.addButton(button)
        line = row_of(None, button, gap=tokens.SPACE_2)
        if method == RECOMMENDED:
            line.addWidget(Chip("recommended", "accent"))
        if not says_all:
            made = Chip(MADE[kind])
            made.setToolTip(MAKES[kind])
            line.addWidget(made)
        line.addStretch(1)
        about = column_of(None, Text(words, "muted"), gap=0, margins=(tokens.SPACE_5 + 2, 0, 0, 0))
        if says_all:
            about.addWidget(Text(MAKES[kind], "small"))
        both = column_of(None, line, about, gap=0)
        column.addLayout(both)
