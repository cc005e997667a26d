"""Verification while an answer is written: each statement as soon as the next one begins, each citation with the
sentence that it points to.

A sentence is complete once something follows it, since what follows decides whether a full stop ends it ("31. August").
So nothing that was said of a statement is taken back; the last statement, the confidence and the check of the language
come with the answer's end (``verification.py``).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import TypeVar

from workbench.api import events
from workbench.api.events import Event
from workbench.records.messages import Citation, Statement
from workbench.techniques.retrieval.citations import CitationEditor, citations_of
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.verification import point_to_sentences, verifier_of
from workbench.text.sentences import split_sentences

R = TypeVar("R")


class LiveVerifier:
    """Verifies the first sequence of an answer from ``grounding``, whose text begins ``shift`` characters after that of
    the answer. ``editor`` is given to ``streaming.edit``, ``watch`` gets what that yields."""

    def __init__(self, grounding: Grounding, shift: int = 0) -> None:
        self._grounding = grounding
        self._editors: list[CitationEditor] = []
        self._text = ""
        self._verified_to = 0
        self._shift = shift
        self._statements: list[Statement] = list(grounding.quotes.statements) if grounding.quotes is not None else []
        self._citations: tuple[Citation, ...] = ()

    def editor(self) -> CitationEditor:
        """The editor of the next sequence."""
        self._editors.append(self._grounding.editor())
        return self._editors[-1]

    def watch(self, edited: Generator[Event, None, R]) -> Generator[Event, None, R]:
        """Pass on what is edited, with a ``Verified`` after the text that completes a statement or cites a passage."""
        with closing(edited):
            while True:
                try:
                    event = next(edited)
                except StopIteration as end:
                    result: R = end.value
                    return result
                yield event
                if isinstance(event, events.TextDelta) and not event.step and not event.sequence:
                    statements, citations = self.feed(event.text)
                    if statements or citations:
                        yield events.Verified(statements=tuple(statements), citations=tuple(citations))

    def feed(self, piece: str) -> tuple[Sequence[Statement], Sequence[Citation]]:
        """The statements that a piece of the text completes, and the citations that are new or point elsewhere now."""
        self._text += piece
        rest = self._text[self._verified_to :]
        complete = split_sentences(rest)[:-1]
        statements: list[Statement] = []
        # made for the first complete statement: a quoted answer has none, and making it takes longer than quoting
        if complete and (verifier := verifier_of(self._grounding)).can_judge(self._text):
            end = complete[-1][1]
            statements += verifier.verify(rest[:end], offset=self._shift + self._verified_to)
            self._verified_to += end
            self._statements += statements
        known = {citation.n: citation for citation in self._citations}
        if self._editors:
            found = citations_of(self._editors[0], self._grounding.passages)
            self._citations = point_to_sentences(found, self._statements)
        return statements, [one for one in self._citations if known.get(one.n) != one]
