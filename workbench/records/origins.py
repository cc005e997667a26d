"""Origins: the private sources that a text was made from, kept with answers, questions and judgements.

An origin is the id or the name of a collection, or one of the words below. Origins are asked before a text leaves this
machine (``core/models/sending.py``), so a text whose origins were not stored counts as made from ``UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.base.catalogue import Shown

if TYPE_CHECKING:  # records of messages and of training refer to this module
    from workbench.records.messages import Passage
    from workbench.records.recipes import Recipe

ATTACHED = "*attached"
"""Files that are attached to chats."""

AGENT = "*agent"
"""Files of workspaces, results of tools and facts of the memory, which an agent has read."""

UNKNOWN = "*unknown"
"""It is not known what a text was made from: it was stored by an earlier version, or its collection was removed."""

TITLES: dict[str, Shown] = {ATTACHED: "attached files", AGENT: "what agents have read", UNKNOWN: "unknown origin"}

Origins = tuple[str, ...] | None
"""None: not stored, which counts as ``UNKNOWN``."""


def joined(*origins: Origins) -> tuple[str, ...]:
    """All of them, each once, in order."""
    return tuple(sorted({one for some in origins for one in ((UNKNOWN,) if some is None else some)}))


def origins_of_answer(
    recipe: Recipe | None, passages: Sequence[Passage], *, tainted: bool = True, whole_document: bool = False
) -> tuple[str, ...]:
    """The origins of an answer, beside the conversation before it. ``tainted`` False: its agent is known to have
    read nothing but the conversation and its memory."""
    found = {passage.collection for passage in passages}
    searched = origins_of_recipe(recipe)
    agent = recipe.agent if recipe is not None else None
    if whole_document or "" in found or (agent is not None and tainted):
        found.update(searched)
    if agent is not None:
        reads = tainted and bool(agent.tools or agent.options.get("specialists"))
        if reads or agent.memory != "off":
            found.add(AGENT)
    if recipe is None and (whole_document or passages):
        found.add(UNKNOWN)
    return tuple(sorted(found - {""}))


def origins_of_recipe(recipe: Recipe | None) -> tuple[str, ...]:
    """The collections that a recipe searches."""
    part = recipe.retrieval if recipe is not None else None
    if part is None:
        return ()
    return tuple(filter(None, (part.collection, *part.more, part.attachments)))
