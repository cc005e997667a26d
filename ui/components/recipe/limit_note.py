"""Why some choices are greyed."""

from __future__ import annotations

from ui.components.basics import Text
from ui.theme.theme import set_property


class LimitNote(Text):
    """Hidden while there is no reason."""

    def __init__(self) -> None:
        super().__init__("", "small", visible=False)

    def show_reason(self, reason: str, in_use: bool = False) -> None:
        """``in_use``: what cannot be had is chosen, so that a question will be refused."""
        set_property(self, "role", "attention" if in_use else "small")
        self.setText(reason)
        self.setVisible(bool(reason))
