"""Text in pieces: characters split over tokens, and stop strings split over pieces."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class CharacterDecoder:
    """Bytes in, whole characters out. Bytes that are no UTF-8 become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, piece: bytes) -> str:
        return self._decoder.decode(piece)

    # The rest at the end is the beginning of an incomplete character and is dropped.


class StopFinder:
    """Finds the first of several texts in a stream and holds back what may be the beginning of one.

    The first complete one counts, the longer of two that end together, so the cuts of the stream do not matter. Empty
    texts are ignored.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = {stop for stop in stops if stop}
        self._kept = ""

    def feed(self, text: str) -> tuple[str, bool]:
        """The text that may be shown now, and whether a stop string was found (nothing follows it)."""
        if not self._stops:
            return text, False
        self._kept += text
        found = [(at + len(stop), at) for stop in self._stops if (at := self._kept.find(stop)) >= 0]
        if found:
            shown, self._kept = self._kept[: min(found)[1]], ""
            return shown, True
        keep = max(partial_match_length(self._kept, stop) for stop in self._stops)
        cut = len(self._kept) - keep
        shown, self._kept = self._kept[:cut], self._kept[cut:]
        return shown, False

    def finish(self) -> str:
        """The text held back, when the stream ended otherwise."""
        kept, self._kept = self._kept, ""
        return kept


def partial_match_length(text: str, mark: str) -> int:
    """The length of the longest suffix of ``text`` that is a proper prefix of ``mark``."""
    for length in range(min(len(text), len(mark) - 1), 0, -1):
        if text.endswith(mark[:length]):
            return length
    return 0
