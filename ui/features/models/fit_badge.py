"""Whether a model fits: a chip, a line with the memory it needs, and the memory on each device."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from ui.components.basics import Chip, Text, Tone
from ui.components.layout import column_of, row_of
from ui.components.wording import describe_bytes, describe_speed
from ui.features.models import hub_texts as texts
from ui.theme import tokens
from workbench.base.catalogue import translated
from workbench.records.fit import VERDICTS, Fit, Verdict

_TONES: dict[Verdict, Tone] = {
    "gpu": "success", "partly": "accent", "processor": "success", "too big": "danger", "unknown": "attention",
}  # fmt: skip


class FitBadge(QWidget):
    """Hidden until there is something to show."""

    def __init__(self) -> None:
        super().__init__()
        self.fit: Fit | None = None
        self.chip = Chip("", visible=False)
        self.line = Text("", "small")
        self.note = Text("", "attention", visible=False)
        self.parts = Text("", "small", visible=False)
        top = row_of(None, self.chip, (self.line, 1), gap=tokens.SPACE_2)
        column_of(self, top, self.note, self.parts, gap=tokens.SPACE_1)
        self.hide()

    @property
    def words(self) -> str:
        """Everything that is shown, for tests and screen readers."""
        return " ".join(part.text() for part in (self.chip, self.line, self.note, self.parts) if part.text())

    def show_waiting(self, words: str) -> None:
        self.fit = None
        self.chip.hide()
        for part in (self.note, self.parts):
            part.setText("")
            part.hide()
        self.line.setText(words)
        self.show()

    def show_fit(self, fit: Fit, details: bool = False) -> None:
        """``details`` shows the parts on each device as well; they are the chip's explanation otherwise."""
        self.fit = fit
        self.chip.setText(translated(VERDICTS[fit.verdict]))
        self.chip.set_tone("attention" if fit.problem else _TONES[fit.verdict])
        self.chip.show()
        said = (
            [texts.FIT_LINE.format(needed=describe_bytes(fit.needed), context=fit.context_tokens)] if fit.parts else []
        )
        if fit.tokens_per_s:
            said.append(texts.SPEED.format(speed=describe_speed(fit.tokens_per_s)))
        self.line.setText(" · ".join(said))
        self.line.setToolTip(texts.SPEED_HELP.format(bytes=describe_bytes(fit.token_bytes)) if fit.tokens_per_s else "")
        bad = fit.verdict in ("too big", "unknown")
        notes = [f"{fit.reason} {fit.hint}".strip()] if bad else []
        self.note.setText(" ".join([*notes, *([fit.kind] if bad and fit.kind else []), fit.problem]).strip())
        self.note.setVisible(bool(self.note.text()))
        parts = "\n".join(describe_parts(fit))
        self.chip.setToolTip(f"{fit.reason} {fit.hint}\n{parts}".strip())
        shown = [*([parts] if details else []), *([fit.kind] if fit.kind and not bad else [])]
        self.parts.setText("\n".join(shown))
        self.parts.setVisible(bool(shown))
        self.setAccessibleName(self.words)
        self.show()


def describe_parts(fit: Fit) -> list[str]:
    """A line for each device, and how it is known."""
    lines = [
        texts.PART.format(
            device=part.device or texts.PROCESSOR_MEMORY,
            weights=describe_bytes(part.weights),
            cache=describe_bytes(part.cache),
            computing=describe_bytes(part.computing),
            free=describe_bytes(part.free),
        )
        for part in fit.parts
    ]
    if fit.kept:
        lines.append(texts.KEPT.format(bytes=describe_bytes(fit.kept)))
    if fit.released:
        lines.append(texts.RELEASED.format(bytes=describe_bytes(fit.released)))
    if fit.source:
        lines.append(texts.BY_ENGINE if fit.source == "llama.cpp" else texts.BY_ESTIMATE)
    return lines
