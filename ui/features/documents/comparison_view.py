"""Two documents side by side, the older one left, with the statements in which they differ marked."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSplitter, QWidget

from ui.components.basics import ElidedLabel, IconButton, InlineMessage, QuietButton, Text
from ui.components.layout import column_of, row_of
from ui.components.source.view import Place, SourceView
from ui.features.documents import texts
from ui.theme import tokens
from workbench.records.document_blocks import DocumentBlocks
from workbench.records.documents import DocumentComparison, DocumentDifference
from workbench.records.visible import visible_name
from workbench.text.word_diff import compare_words

Marks = list[tuple[Place, str]]


class ComparisonView(QWidget):
    """``show_comparison`` shows what a comparison has found; *previous* and *next difference* go through it in both
    documents at once. ``close_wanted`` is its way back."""

    close_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._differences: tuple[DocumentDifference, ...] = ()
        self._names = ("", "")
        self.current = -1
        self.back = QuietButton(texts.BACK_TO_FILES, "chevron-left", small=True, clicked=self.close_wanted)
        self.title = ElidedLabel("", "heading")
        self.summary = Text("", "muted")
        self.before = IconButton("chevron-up", texts.DIFFERENCE_BEFORE, clicked=lambda: self.step(-1))
        self.after = IconButton("chevron-down", texts.DIFFERENCE_AFTER, clicked=lambda: self.step(1))
        self.place = Text("", "small", wordWrap=False)
        self.note = InlineMessage(closable=False)
        self.views = SourceView(), SourceView()
        self.heads = ElidedLabel("", "strong"), ElidedLabel("", "strong")
        split = QSplitter(Qt.Orientation.Horizontal)
        for head, view in zip(self.heads, self.views, strict=True):
            side = QWidget()
            column_of(side, head, (view, 1), gap=tokens.SPACE_1, margins=(tokens.SPACE_2, 0))
            split.addWidget(side)
        split.setSizes([500, 500])
        steps = row_of(None, self.place, self.before, self.after, gap=tokens.SPACE_1)
        column_of(
            self,
            row_of(None, self.back, None),
            row_of(None, (self.title, 1), steps, gap=tokens.SPACE_3),
            self.summary,
            self.note,
            (split, 1),
            gap=tokens.SPACE_2,
            margins=(tokens.SPACE_5, tokens.SPACE_3),
        )

    def wait(self) -> None:
        """A comparison has been asked for."""
        self._show_differences(())
        self.title.set_full_text(texts.COMPARING)
        self.summary.setText("")
        for head, view in zip(self.heads, self.views, strict=True):
            head.set_full_text("")
            view.show_blocks(DocumentBlocks("", "text"))
        self.note.hide()
        self.back.setFocus()

    def complain(self, words: str) -> None:
        self.title.set_full_text("")
        self.note.show_message(words, "danger")

    def show_comparison(self, found: DocumentComparison) -> None:
        documents = found.first, found.second
        self._names = visible_name(found.first.document.path), visible_name(found.second.document.path)
        self.title.set_full_text(texts.COMPARED.format(first=self._names[0], second=self._names[1]))
        for head, view, document, name in zip(self.heads, self.views, documents, self._names, strict=True):
            head.set_full_text(name)
            view.show_blocks(DocumentBlocks.of(document))
            view.setAccessibleName(name)
        both = sum(bool(one.first[1] and one.second[1]) for one in found.differences)
        only = [sum(not one.second[1] for one in found.differences), sum(not one.first[1] for one in found.differences)]
        said = [texts.CHANGED_BOTH.format(count=both)] if both else []
        said += [texts.ONLY_IN.format(count=n, name=name) for n, name in zip(only, self._names, strict=True) if n]
        self.summary.setText(" · ".join(said) or texts.NO_DIFFERENCES)
        self._show_differences(found.differences)

    def step(self, by: int) -> None:
        """Show the next or the previous difference in both documents."""
        at = self.current + by
        if not 0 <= at < len(self._differences):
            return
        self.current = at
        one = self._differences[at]
        for view, place in zip(self.views, (one.first, one.second), strict=True):
            if place[1] > place[0]:
                view.bring_into_sight(*place)
        self._mark()
        self._show_place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_F7, Qt.Key.Key_F8):
            self.step(1 if event.key() == Qt.Key.Key_F8 else -1)
        else:
            super().keyPressEvent(event)

    def _show_differences(self, differences: tuple[DocumentDifference, ...]) -> None:
        self._differences, self.current = differences, -1
        self._mark()
        self._show_place()
        self.step(1)

    def _show_place(self) -> None:
        count = len(self._differences)
        words = texts.DIFFERENCE_OF.format(number=self.current + 1, count=count) if self.current >= 0 else ""
        if self.current >= 0:
            one = self._differences[self.current]
            if not (one.first[1] and one.second[1]):
                alone = texts.ONLY_HERE.format(name=self._names[0 if one.first[1] else 1])
                words = f"{words} · {alone}"
        self.place.setText(words)
        self.before.setEnabled(self.current > 0)
        self.after.setEnabled(self.current < count - 1)

    def _mark(self) -> None:
        """All differences, and the current one as a passage is marked."""
        marks: tuple[Marks, Marks] = ([], [])
        for number, one in enumerate(self._differences):
            first, second = self._changed_words(one)
            for side, place, changed, name in zip(
                marks, (one.first, one.second), (first, second), ("removed", "added"), strict=True
            ):
                is_current, is_alone = number == self.current, changed == [place]
                if place[1] > place[0]:
                    side += [(place, "mark")] if is_current else []
                    side += [(words, name) for words in changed] if not (is_current and is_alone) else []
        for view, places in zip(self.views, marks, strict=True):
            view.mark_places(places)

    def _changed_words(self, one: DocumentDifference) -> tuple[list[Place], list[Place]]:
        """The words of a difference that only the one or the other document has; all of them where it stands alone."""
        if not one.first[1]:
            return [], [one.second]
        if not one.second[1]:
            return [one.first], []
        texts_of = [
            view.blocks.text[place[0] : place[1]]
            for view, place in zip(self.views, (one.first, one.second), strict=True)
        ]
        at = [one.first[0], one.second[0]]
        found: tuple[list[Place], list[Place]] = ([], [])
        for change, words in compare_words(*texts_of):
            sides = {"same": (0, 1), "removed": (0,), "added": (1,)}[change]
            for side in sides:
                if change != "same":
                    found[side].append((at[side], at[side] + len(words.rstrip())))
                at[side] += len(words)
        return found
