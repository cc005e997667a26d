"""The kind of run that measures the verification of statements on pairs, and the call that starts one.

Each text is verified as an answer is, against its document as the only passage. It counts as marked where the program
would warn of it: a statement of it is not supported, or it could not be judged. No model takes part.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.base.stored import Stored
from workbench.core.streams import Handlers, unary
from workbench.records.exam import Rate
from workbench.records.messages import Passage
from workbench.records.trust import is_marked
from workbench.records.verified_pairs import VerificationResult, VerifiedSet
from workbench.subjects.evaluation.calls import MeasureVerification
from workbench.subjects.evaluation.verification_data import TITLES, Pair, read_pairs, recognise_pairs
from workbench.subjects.runs.calls import ListRuns, RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.subjects.runs.queue import Runs
from workbench.techniques.retrieval.verification import verify_statements

KIND = "verification"
MOST_PAIRS = 100_000
MOST_RUNS = 1_000
"""Runs among which results are looked for."""


@dataclass(frozen=True, eq=False)
class VerificationRuns(RunKind):
    config = Stored("config of this run", MeasureVerification)
    result = Stored("result of this run", VerificationResult)

    def concurrency_group(self, run: RunRecord) -> str:
        """It waits for no training."""
        return KIND

    def work(self, run: OpenRun) -> events.Event:
        call = msgspec.convert(run.record.config, MeasureVerification)
        path, began, refused = Path(call.path), time.monotonic(), list[str]()
        pairs, of_all = _drawn(read_pairs(path, refused), call, run)
        if not pairs:
            raise UserError(f"{path.name} holds no pairs: {refused[0] if refused else 'it is empty.'}")
        found: dict[str, list[tuple[bool, bool]]] = {}
        started = time.monotonic()
        for number, pair in enumerate(pairs):
            run.context.raise_if_cancelled()
            if number % max(1, len(pairs) // 100) == 0:
                left = (time.monotonic() - started) / number * (len(pairs) - number) if number else None
                run.emit(
                    events.Progress(stage="verifying", done=number, total=len(pairs), unit="pairs", seconds_left=left)
                )
            found.setdefault(pair.dataset, []).append((pair.supported, marks(pair)))
        result = VerificationResult(
            title=TITLES[recognise_pairs(path)],
            path=call.path,
            pairs=len(pairs),
            of_all=of_all,
            sets=tuple(_counted(name, judged) for name, judged in sorted(found.items())),
            ended=time.time(),
            seconds=time.monotonic() - began,
            seed=call.seed,
            left_out=len(refused),
            first_left_out=refused[0] if refused else "",
        )
        return finish(result)


@dataclass(frozen=True, eq=False)
class Verifications:
    _runs: Runs

    def handlers(self) -> Handlers:
        return {MeasureVerification: unary(self.start)}

    def results(self) -> tuple[VerificationResult, ...]:
        """The latest results, one for each file and number of pairs, the latest first."""
        found: dict[tuple[str, int], VerificationResult] = {}
        for run in self._runs.list_runs(ListRuns(limit=MOST_RUNS)).runs:
            if run.kind == KIND and run.state == "finished" and not run.unreadable:
                result = msgspec.convert(run.result, VerificationResult)
                found.setdefault((result.path, result.pairs), result)
        return tuple(found.values())

    def start(self, call: MeasureVerification) -> RunRecord:
        """What holds no pairs is refused before anything is queued."""
        if not call.path:
            raise UserError("No file is named.", "Choose a file or a folder.")
        path = absolute_path(call.path)
        next(iter(read_pairs(path, [])), None)
        title = TITLES[recognise_pairs(path)]
        config = msgspec.structs.replace(call, path=str(path))
        return self._runs.add(KIND, f"Verification on {title}", config)


def marks(pair: Pair) -> bool:
    """Whether the program would warn of a text about a document."""
    passage = Passage(
        n=1, collection="", document="", document_hash="", path="", title="", start=0, end=len(pair.document),
        text=pair.document, score=0.0,
    )  # fmt: skip
    return is_marked(verify_statements(pair.text, (passage,), pair.question))


def _drawn(pairs: Iterable[Pair], call: MeasureVerification, run: OpenRun) -> tuple[list[Pair], int]:
    """So many pairs, drawn with the seed, in their order; and how many there are."""
    generator, kept, count = random.Random(call.seed), list[tuple[int, Pair]](), 0
    for count, pair in enumerate(pairs, 1):
        if count % 500 == 1:
            run.context.raise_if_cancelled()
            run.emit(events.Progress(stage="reading", done=count - 1, unit="pairs"))
        if not call.limit and count > MOST_PAIRS:
            raise UserError(f"{Path(call.path).name} holds more than {MOST_PAIRS:,} pairs.", "Set a limit.")
        if not call.limit or len(kept) < call.limit:
            kept.append((count, pair))
        elif (place := generator.randrange(count)) < call.limit:
            kept[place] = (count, pair)
    return [pair for _, pair in sorted(kept, key=lambda one: one[0])], count


def _counted(name: str, judged: list[tuple[bool, bool]]) -> VerifiedSet:
    """``judged`` are pairs: whether a text is supported, and whether it was marked."""
    supported = [marked for is_supported, marked in judged if is_supported]
    others = [marked for is_supported, marked in judged if not is_supported]
    return VerifiedSet(
        name=name,
        supported=Rate(supported.count(False), len(supported)),
        unsupported=Rate(others.count(True), len(others)),
    )
