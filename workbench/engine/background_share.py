"""How much background work is computed while a person waits for an answer.

What a background token costs beside a person's depends on the machine: three quarters of the person's own on two cores,
little where a batch takes as long as one token. So it is measured. Steps with background work spend time that steps
without it earn; a person's answer is written at ``PERSON_SHARE`` of its speed at least, on average over some dozens of
tokens.
"""

from __future__ import annotations

PERSON_SHARE = 0.65
"""Of the time while a person waits, so much at least goes into their answer."""

MEASURE_EVERY = 32
"""After so many steps with background work one without is measured again."""

LARGEST_EXTRA = 16.0
"""Of one step so many times a person's step count at most: another program may have had the processor meanwhile."""

EXACT_PEOPLE, LARGEST_STEP = 16, 512
"""Steps with more of people's tokens than the first are measured by the next power of two, up to a whole batch: texts
that are scored have thousands of lengths."""

_SMOOTHING = 0.2
_SAVED_STEPS = 4
"""What so many steps earn can be saved."""
_FIRST_ROWS = 2


class BackgroundShare:
    """Steps are counted in seconds, ``people`` is the number of people's tokens in one."""

    def __init__(self) -> None:
        self._own: dict[int, float] = {}
        self._credit = 0.0
        self._mixed = 0
        self._rows = _FIRST_ROWS

    def rows(self, people: int) -> int:
        """Tokens of background jobs that the next step may generate beside so many of people's; 0: it should have no
        background work at all."""
        own = self._own.get(_size(people))
        return 0 if own is None or self._credit < 0 or self._mixed >= MEASURE_EVERY else self._rows

    def alone(self, people: int, seconds: float) -> None:
        """A step without background work has been computed."""
        size = _size(people)
        before = self._own.get(size, seconds)
        own = self._own[size] = before + _SMOOTHING * (seconds - before)
        self._earn(own)
        self._mixed = 0

    def beside(self, people: int, seconds: float) -> None:
        """A step with background work has been computed. It counts once one without has been measured."""
        own = self._own.get(_size(people))
        if own is None:
            return
        self._earn(own)
        self.spend(people, seconds - own)
        self._mixed += 1
        # more tokens at once as long as they cost little, fewer where a step takes long
        self._rows = self._rows + 1 if self._credit >= 0 else max(1, self._rows - 1)

    def spend(self, people: int, seconds: float) -> None:
        """Background work took so long while people waited for their next ``people`` tokens."""
        own = self._own.get(_size(people))
        if own is not None:
            self._credit -= min(max(0.0, seconds), LARGEST_EXTRA * own)

    def _earn(self, own: float) -> None:
        earned = own * (1 / PERSON_SHARE - 1)
        self._credit = min(self._credit + earned, _SAVED_STEPS * earned)


def _size(people: int) -> int:
    """The size of a step by which it is measured."""
    return people if people <= EXACT_PEOPLE else min(1 << (people - 1).bit_length(), LARGEST_STEP)
