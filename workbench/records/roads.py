"""The roads of a question over documents, worded once for window, terminal and API."""

from __future__ import annotations

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.outcomes import Road


class RoadText(msgspec.Struct, frozen=True, kw_only=True):
    """``title`` is the road's name for a person, ``summary`` a sentence on what it does, ``icon`` the name of a
    picture."""

    title: Shown
    summary: Shown
    icon: str


ROADS: dict[Road, RoadText] = {
    "place": RoadText(
        title="One place", summary="The answer is looked up at one place of the documents.", icon="search"
    ),
    "places": RoadText(
        title="Several places",
        summary="The answer is put together from several places of the documents.",
        icon="branch",
    ),
    "table": RoadText(
        title="Tables", summary="Rows of a table are counted, added up, compared or looked up.", icon="table"
    ),
    "whole": RoadText(
        title="Whole document", summary="A document is read from its beginning to its end.", icon="summary"
    ),
    "compare": RoadText(title="Compare", summary="Two documents or versions are compared.", icon="evaluate"),
    "other": RoadText(title="Other collections", summary="All other collections are searched.", icon="folder"),
    "chat": RoadText(
        title="Conversation",
        summary="The answer comes from the conversation alone. No documents are searched.",
        icon="chat",
    ),
}
"""In the order in which they are offered."""
