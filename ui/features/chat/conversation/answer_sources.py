"""The sources of an answer: the citations as links under its text, and the source that a number in it stands for.

It holds the passages that the model was shown, too: a number that is not cited leads to its passage. What a source
looks like when it is opened is not its matter; the one that was clicked is signalled.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import LinkButton
from ui.components.layout import FlowLayout, empty_layout
from ui.components.wording import describe_place, within
from ui.features.chat import texts
from ui.theme import tokens
from workbench.records.messages import Citation, Passage

_LONGEST = 44  # characters of a link
_GLIMPSE = 300  # characters of the cited text in its tooltip


class AnswerSources(QWidget):
    """The links to what an answer cites, beside each other as far as there is room, those to one document together."""

    source_wanted = Signal(object)
    """A link was clicked: its Citation."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.citations: tuple[Citation, ...] = ()
        self.passages: tuple[Passage, ...] = ()
        self._links = FlowLayout(self, tokens.SPACE_1)

    def show_sources(self, citations: tuple[Citation, ...], passages: tuple[Passage, ...]) -> None:
        """Show the links to ``citations``; those that are there already stay untouched."""
        if (citations, passages) == (self.citations, self.passages):
            return
        self.citations, self.passages = citations, passages
        empty_layout(self._links)
        before: Citation | None = None
        paths = list(dict.fromkeys(citation.path for citation in citations))
        for citation in sorted(citations, key=lambda one: paths.index(one.path)):
            words = f"[{citation.n}] {describe_place(citation)}"
            button = LinkButton(
                within(words if before is None or before.path != citation.path else _briefly(citation), _LONGEST),
                accessibleName=texts.SOURCE.format(source=words),
                toolTip=citation.text[:_GLIMPSE],
                clicked=lambda _=False, c=citation: self.source_wanted.emit(c),
            )
            self._links.addWidget(button)
            before = citation
        self.setVisible(bool(citations))

    @property
    def buttons(self) -> list[LinkButton]:
        items = (self._links.itemAt(i) for i in range(self._links.count()))
        return [w for item in items if item is not None and isinstance(w := item.widget(), LinkButton)]

    def source_of(self, number: int) -> Citation | Passage | None:
        """What ``[number]`` in the answer stands for, a citation before a passage; None: nothing."""
        sources: tuple[Citation | Passage, ...] = (*self.citations, *self.passages)
        return next((source for source in sources if source.n == number), None)


def _briefly(citation: Citation) -> str:
    """The link to a place in the document that the link before names."""
    return f"[{citation.n}] p.{citation.page}" if citation.page else f"[{citation.n}]"
