"""Many sequences of tokens held one after the other, in five bytes a token; as tuples of numbers and marks they take
some forty. A sequence is made a tuple when it is asked for, for as long as somebody looks at it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from operator import eq
from typing import overload

from workbench.training.data.examples import Source
from workbench.training.data.tokenization import WrittenExample


class PackedTokens:
    """The tokens of sequences, and whether each is trained."""

    def __init__(self) -> None:
        self._tokens = array("i")
        self._trained = bytearray()
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, tokens: Sequence[int], trained: Sequence[bool]) -> None:
        self._tokens.extend(tokens)
        self._trained.extend(trained)
        self._ends.append(len(self._tokens))

    def __getitem__(self, place: int) -> tuple[tuple[int, ...], tuple[bool, ...]]:
        start, end = self._ends[place], self._ends[place + 1]
        return tuple(self._tokens[start:end]), tuple(map(bool, self._trained[start:end]))

    def lengths(self) -> array[int]:
        """The number of tokens of each."""
        return array("i", (self._ends[place + 1] - self._ends[place] for place in range(len(self))))

    def trained(self, skipped: int = 0) -> array[int]:
        """The number of trained tokens of each, without the first ``skipped``."""
        ends = self._ends
        return array("i", (self._trained.count(1, ends[n] + skipped, ends[n + 1]) for n in range(len(self))))


class WrittenExamples(Sequence[WrittenExample]):
    """Written examples, held packed."""

    def __init__(self) -> None:
        self.packed = PackedTokens()
        self._whole = array("q")
        self._sources: list[Source] = []
        self._starts: dict[int, tuple[int, ...]] = {}
        self._undesirable: set[int] = set()
        self._notes: list[tuple[str, ...]] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WrittenExamples) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]  # it grows

    def append(self, one: WrittenExample) -> None:
        if one.starts:
            self._starts[len(self)] = one.starts
        if one.undesirable:
            self._undesirable.add(len(self))
        self.packed.append(one.tokens, one.trained)
        self._whole.append(one.whole_tokens)
        self._sources.append(one.source)
        self._notes.append(one.notes)

    def __len__(self) -> int:
        return len(self.packed)

    @overload
    def __getitem__(self, place: int) -> WrittenExample: ...
    @overload
    def __getitem__(self, place: slice) -> list[WrittenExample]: ...
    def __getitem__(self, place: int | slice) -> WrittenExample | list[WrittenExample]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        tokens, trained = self.packed[place]
        return WrittenExample(
            tokens=tokens,
            trained=trained,
            whole_tokens=self._whole[place],
            source=self._sources[place],
            notes=self._notes[place],
            starts=self._starts.get(place, ()),
            undesirable=place in self._undesirable,
        )

    def notes(self) -> Iterator[str]:
        """Those of all examples."""
        return (note for notes in self._notes for note in notes)

    def learnable(self) -> WrittenExamples:
        """Those with trained tokens."""
        counts = self.packed.trained()
        if all(counts):
            return self
        kept = WrittenExamples()
        for place, count in enumerate(counts):
            if count:
                kept.append(self[place])
        return kept
