"""The entries of the roads. A road without one of its own goes the way of one place.

Their titles for people are in ``records/roads.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from importlib import import_module

from workbench.api.events import Event
from workbench.records.messages import Message
from workbench.records.outcomes import Road
from workbench.records.recipes import Recipe
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval.grounded import Grounding

Run = Callable[[Sequence[Message], Recipe, AnswerContext], Generator[Event, None, Grounding | None]]
"""Of a conversation, whose last message is the question: what its road has found. None: nothing to go on here."""

ENTRIES: dict[Road, str] = {
    "place": "workbench.techniques.retrieval.grounded:run",
    "places": "workbench.techniques.retrieval.roads.places:run",
    "whole": "workbench.techniques.retrieval.roads.whole:run",
    "compare": "workbench.techniques.retrieval.roads.compare:run",
    "table": "workbench.techniques.retrieval.table_answers.road:run",
    "other": "workbench.techniques.retrieval.roads.other:run",
}
"""``package.module:function`` of each road, a ``Run``."""


def load(road: Road) -> Run | None:
    """The function of a road; None for one without an entry."""
    if road not in ENTRIES:
        return None
    module, _, function = ENTRIES[road].partition(":")
    run: Run = getattr(import_module(module), function)
    return run
