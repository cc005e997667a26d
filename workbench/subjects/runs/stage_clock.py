"""Progress over all stages of a run: one share that only grows, and the remaining time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from workbench.api.events import Progress
from workbench.records.training import StageTime

_STAGES = {
    "checking the model": "loading",
    "reading the examples": "loading",
    "loading the model": "loading",
    "evaluating": "training",
    "quantising": "verification",
    "merging": "verification",
    "loading": "verification",
    "checking": "verification",
}
"""What the worker reports, and the stage of the plan that it belongs to. Others have the plan's name, or are pauses
within the stage that is under way, such as an objective's rollouts."""
_PRIOR = 0.1
"""So large a share of the whole counts as if it had taken what was planned: the first seconds say little."""


_ALMOST = 0.99
"""The share of the whole while the run has not ended, though all that was planned is done."""


class StageClock:
    """Times the stages of a training against its plan. The plan's estimates are weights: how long all takes is
    corrected by how long the stages took so far. Without a plan a Progress stays as it is."""

    def __init__(self, stages: Sequence[StageTime], clock: Callable[[], float] = time.monotonic) -> None:
        self._names = [stage.name for stage in stages]
        self._seconds = [stage.seconds for stage in stages]
        self._clock = clock
        self._began = clock()
        self._stage = 0
        self._within = 0.0  # share of the stage that is done
        self._skipped = 0.0  # planned seconds of what an earlier start of the run has done
        self._overall = 0.0

    def timed(self, progress: Progress) -> Progress:
        """The progress with its share of the whole, and the seconds that are left of the whole."""
        total = sum(self._seconds)
        name = _STAGES.get(progress.stage, progress.stage)
        if not total or (name not in self._names and not progress.total):
            return progress
        pause = name not in self._names or progress.stage == "evaluating"  # between two steps
        stage = self._names.index(name) if name in self._names else self._stage
        share = min(1.0, progress.done / progress.total) if progress.total else 0.0
        if stage > self._stage:
            self._skipped += sum(self._seconds[self._stage + 1 : stage])
            if name == "training":  # resumed
                self._skipped += share * self._seconds[stage] if progress.stage == "training" and share < 1 else 0.0
            self._stage, self._within = stage, 0.0
        if stage == self._stage and not pause:
            self._within = max(self._within, share)
        planned = sum(self._seconds[: self._stage]) + self._within * self._seconds[self._stage]
        took = self._clock() - self._began
        done = planned - self._skipped
        pace = (took + _PRIOR * total) / (done + _PRIOR * total)
        self._overall = max(self._overall, min(planned / total, _ALMOST))
        left = pace * (total - planned) if planned < total else None  # what is still done was not planned
        return msgspec.structs.replace(progress, overall=self._overall, seconds_left=left)
