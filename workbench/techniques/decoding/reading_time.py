"""How long the rest of a prompt takes to read.

A token costs more the more tokens stand before it, since it attends to each of them: ``n`` tokens take ``a n + b n²``
seconds. Both are fitted to what was read so far, by least squares and not below 0.
"""

from __future__ import annotations


class ReadingTime:
    """The estimate for one prompt, by what was read of it so far."""

    def __init__(self) -> None:
        self._began: tuple[float, int] | None = None
        self._xx = self._xy = self._yy = self._xt = self._yt = 0.0

    def left(self, now: float, computed: int, total: int) -> float | None:
        """The seconds that the tokens after the first ``computed`` of ``total`` take; None before any was computed.
        ``now`` in seconds; called once for each part that was read."""
        if self._began is None:
            self._began = now, computed
        began, first = self._began
        x, y, taken = float(computed - first), float(computed**2 - first**2), now - began
        if x <= 0:
            return None
        self._xx, self._xy, self._yy = self._xx + x * x, self._xy + x * y, self._yy + y * y
        self._xt, self._yt = self._xt + x * taken, self._yt + y * taken
        one, two = self._fitted()
        return one * (total - computed) + two * (total**2 - computed**2)

    def _fitted(self) -> tuple[float, float]:
        """The seconds of a token, and what each token before it adds, halved."""
        independent = self._xx * self._yy - self._xy**2
        if independent > 1e-9 * self._xx * self._yy:  # 0 after a single part
            one = (self._xt * self._yy - self._yt * self._xy) / independent
            two = (self._yt * self._xx - self._xt * self._xy) / independent
            if one >= 0 and two >= 0:
                return one, two
            if one < 0:
                return 0.0, self._yt / self._yy
        return self._xt / self._xx, 0.0
