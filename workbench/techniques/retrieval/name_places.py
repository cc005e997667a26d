"""The names of a collection: listed, with the passages of one, what connects two, and those that a text mentions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from workbench.records.documents import NameList, NamePlaces
from workbench.records.messages import Passage
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.name_index import Connection
from workbench.techniques.retrieval.passages import passages_of_chunks
from workbench.techniques.retrieval.snapshot import FoundChunk


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


def find_named(
    index: CollectionIndex, collection: str, text: str, limit: int, paths: Sequence[str] | None = None
) -> tuple[tuple[str, ...], tuple[Passage, ...]]:
    """The names of a collection that a text mentions, and at most ``limit`` passages that mention them, with ``paths``
    of these documents only; of each document one before a second one of any."""
    with index.reading() as snapshot:
        graph = snapshot.names()
        numbers = graph.find_in(text)
        chunks = snapshot.chunks(graph.chunks_of_all(numbers))
    wanted = None if paths is None else frozenset(paths)
    taken: Counter[str] = Counter()
    turns: list[tuple[int, FoundChunk]] = []
    for chunk in chunks:
        if wanted is None or chunk.path in wanted:
            turns.append((taken[chunk.path], chunk))
            taken[chunk.path] += 1
    kept = [chunk for _, chunk in sorted(turns, key=lambda turn: turn[0])][:limit]
    return tuple(graph.shown(number) for number in numbers), tuple(passages_of_chunks(kept, collection))
