"""The memory of a home: facts, found by meaning with the embedding model, and forgotten there too."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError, WorkerDied
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.agents import FROM_PERSON, Fact
from workbench.subjects.agents.store import FactStore
from workbench.subjects.documents.embedder import Embedding
from workbench.techniques.embedding_calls import Forget, Similarities

LONGEST_FACT = 500
"""Characters."""


@dataclass(frozen=True, eq=False)
class Memory:
    """``title_of`` is the title of a chat by its id, "" where it has gone."""

    _store: FactStore
    _embedding: Embedding
    _changes: ChangeNotifier
    _title_of: Callable[[str], str]

    def all(self) -> tuple[Fact, ...]:
        """The latest changed first."""
        return self._store.list_facts()

    def nearest(self, query: str, limit: int, context: RequestContext) -> tuple[Fact, ...]:
        """The facts, those nearest to a query in meaning first; the latest first where they cannot be compared, without
        an embedding model or when its process has died."""
        facts = self._store.list_facts()
        if not facts or not query.strip():
            return facts[:limit]
        try:
            call = Similarities(
                embedder=self._embedding.embedder(context),
                texts=(query,),
                others=tuple(fact.text for fact in facts),
            )
            (values,) = self._embedding.host.call(call, context=context)
        except (UserError, WorkerDied):
            return facts[:limit]
        ranked = sorted(zip(values, facts, strict=True), key=lambda one: -one[0])
        return tuple(fact for _, fact in ranked[:limit])

    def add(self, text: str) -> Fact:
        """Remember a text as the person's own. Raises UserError for an empty or long one, and when memory is full."""
        return self._published(self._store.add(checked(text), FROM_PERSON))

    def add_by_agent(self, text: str, chat: str) -> Fact:
        """As ``add``, of an agent, which taints the contexts that it is read into: a person may not have seen it."""
        title = self._title_of(chat) if chat else ""
        source = f"an agent in “{title}”" if title else "an agent"
        return self._published(self._store.add(checked(text), source, chat))

    def edit(self, fact: str, text: str) -> Fact:
        """Replace the text of a fact, which is the person's from then on."""
        before, after = self._store.get(fact), self._store.edit(fact, checked(text), FROM_PERSON)
        self._forget_vectors([before.text])
        return self._published(after)

    def forget(self, fact: str) -> Fact:
        forgotten = self._store.forget(fact)
        self._forget_vectors([forgotten.text])
        return self._published(forgotten)

    def _forget_vectors(self, texts: Sequence[str]) -> None:
        """The vectors of texts are in the memory of the embedding process only, where it runs."""
        kept = {fact.text for fact in self._store.list_facts()}
        gone = tuple(text for text in texts if text not in kept)
        if gone and self._embedding.host.state in ("starting", "ready"):
            self._embedding.host.call(Forget(texts=gone))

    def _published(self, fact: Fact) -> Fact:
        self._changes.publish("facts", fact.id)
        return fact


def checked(text: str) -> str:
    """A fact as it is stored: one line of printable characters. Raises UserError for an empty or a long one."""
    shown = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    line = " ".join(shown.split())
    if not line:
        raise UserError("There is nothing to remember: the text is empty.", "Write one sentence.")
    if len(line) > LONGEST_FACT:
        raise UserError(
            f"A fact has at most {LONGEST_FACT} characters, this text has {len(line):,}.",
            "Write a sentence, or add the text to your documents.",
        )
    return line
