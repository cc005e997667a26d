"""Text that arrives in pieces: characters split over tokens, and stop strings split over pieces."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class CharacterDecoder:
    """Bytes in, whole characters out. Bytes that are no UTF-8 become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, piece: bytes) -> str:
        return self._decoder.decode(piece)

    # What is left at the end is the beginning of a character that was never finished: it is dropped.


class StopFinder:
    """Finds the first of some texts in a stream and keeps back what could be the beginning of one.

    The one that is complete first counts, the longer of two that are; so it does not matter how the stream is cut.
    Empty texts are ignored.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = {stop for stop in stops if stop}
        self._kept = ""

    def feed(self, text: str) -> tuple[str, bool]:
        """What may be shown now, and whether a stop text was found (nothing comes after it)."""
        if not self._stops:
            return text, False
        self._kept += text
        found = [(at + len(stop), at) for stop in self._stops if (at := self._kept.find(stop)) >= 0]
        if found:
            shown, self._kept = self._kept[: min(found)[1]], ""
            return shown, True
        keep = max(possible_start(self._kept, stop) for stop in self._stops)
        cut = len(self._kept) - keep
        shown, self._kept = self._kept[:cut], self._kept[cut:]
        return shown, False

    def finish(self) -> str:
        """What was kept back, when the stream ended otherwise."""
        kept, self._kept = self._kept, ""
        return kept


def possible_start(text: str, mark: str) -> int:
    """The length of the longest end of ``text`` that is a beginning, not the whole, of ``mark``."""
    for length in range(min(len(text), len(mark) - 1), 0, -1):
        if text.endswith(mark[:length]):
            return length
    return 0
