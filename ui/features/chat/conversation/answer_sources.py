"""The sources of an answer: the citations as links under its text, and the source that a number in it stands for.

It holds the passages that the model was shown, too: a number that is not cited leads to its passage. What a source
looks like when it is opened is not its matter; the one that was clicked is signalled.
"""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import LinkButton
from ui.components.layout import FlowLayout, empty_layout
from ui.components.wording import describe_place, within
from ui.features.chat import texts
from ui.theme import tokens
from workbench.base.catalogue import translated
from workbench.records.messages import Citation, Passage
from workbench.records.places import describe_position
from workbench.records.visible import visible_name

_LONGEST, _SHORTEST = 68, 18  # characters of a link, and of the file's name in it
_NARROWEST = 120  # px of a link, whose words end in an ellipsis where there is less room than for all of them
_GLIMPSE = 300  # characters of the cited text in its tooltip


class AnswerSources(QWidget):
    """The links to what an answer cites, beside each other as far as there is room, those to one document together."""

    source_wanted = Signal(object)
    """A link was clicked: its Citation."""
    side_by_side_wanted = Signal(object)
    """The two documents that an answer compares are to be shown side by side: a Citation of each."""

    def __init__(self) -> None:
        super().__init__()
        self.citations: tuple[Citation, ...] = ()
        self.passages: tuple[Passage, ...] = ()
        self.offers_comparison = False
        self._changed: frozenset[str] = frozenset()
        self._shown: object = None
        self._links = FlowLayout(self, tokens.SPACE_1)

    def show_sources(self, citations: tuple[Citation, ...], passages: tuple[Passage, ...]) -> None:
        """Show the links to ``citations``; those that are there already stay untouched."""
        shown = citations, passages, self.offers_comparison, self._changed
        if shown == self._shown:
            return
        self._shown = shown
        self.citations, self.passages = citations, passages
        empty_layout(self._links)
        before: Citation | None = None
        paths = list(dict.fromkeys(citation.path for citation in citations))
        for citation in sorted(citations, key=lambda one: paths.index(one.path)):
            words = f"[{citation.n}] {describe_place(citation)}"
            place = translated(describe_position(citation))
            room = max(_SHORTEST, _LONGEST - len(place) - 6)
            name = within(visible_name(citation.path) or citation.title, room)
            brief = f"[{citation.n}] {name}, {place}" if place else f"[{citation.n}] {name}"
            brief = brief if before is None or before.path != citation.path else _briefly(citation)
            if citation.path in self._changed:
                words, brief = (texts.SOURCE_CHANGED.format(source=shown) for shown in (words, brief))
            button = LinkButton(
                brief,
                accessibleName=texts.SOURCE.format(source=words),
                toolTip=citation.text[:_GLIMPSE],
                minimumWidth=_NARROWEST,
                clicked=lambda _=False, c=citation: self.source_wanted.emit(c),
            )
            self._links.addWidget(button)
            before = citation
        if self.offers_comparison and len(paths) == 2:
            pair = tuple(next(one for one in citations if one.path == path) for path in paths)
            compare = LinkButton(texts.SIDE_BY_SIDE, "evaluate", clicked=lambda: self.side_by_side_wanted.emit(pair))
            compare.setToolTip(texts.SIDE_BY_SIDE_HELP)
            self._links.addWidget(compare)
        self.setVisible(bool(citations))

    def show_changed(self, paths: Collection[str]) -> None:
        """Say of the links to these files that they have changed since they were read."""
        changed = frozenset(paths) & {citation.path for citation in self.citations}
        if changed != self._changed:
            self._changed = changed
            self.show_sources(self.citations, self.passages)

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
    position = translated(describe_position(citation))
    return f"[{citation.n}] {position}" if position else f"[{citation.n}]"
