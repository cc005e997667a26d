"""The names of a collection for people: listed, with the passages of one, and what connects two."""

from __future__ import annotations

from workbench.records.documents import NameList, NamePlaces
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.name_index import Connection
from workbench.techniques.retrieval.passages import passages_of_chunks


def list_names(index: CollectionIndex) -> NameList:
    """The names of a collection, those in the most documents first."""
    with index.reading() as snapshot:
        entries, total = snapshot.names().entries()
    return NameList(names=tuple(entries), total=total)


def find_places(index: CollectionIndex, collection: str, name: str, other: str, limit: int) -> NamePlaces:
    """The passages of a name, or between two. Raises UserError for a name that the documents do not have."""
    with index.reading() as snapshot:
        graph = snapshot.names()
        first = graph.find(name)
        second = graph.find(other) if other.strip() else first
        between = graph.connection(first, second) if first != second else Connection(graph.chunks_of(first))
        chunks = snapshot.chunks(between.chunks[:limit])
    return NamePlaces(
        name=graph.shown(first),
        other=graph.shown(second) if second != first else "",
        passages=tuple(passages_of_chunks(chunks, collection)),
        joined_by=between.joined_by,
        total=len(between.chunks),
    )
