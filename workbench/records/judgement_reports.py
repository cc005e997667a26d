"""Reports on a set of judgements: statistics with intervals, what can be learnt from it, and reports of files."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.judgements import JudgementSource

ExampleKind = Literal["pairs", "rated"]
"""Pairs of a chosen and a rejected answer, or answers that were rated one by one."""


class ShareEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """A share of ``n`` judgements with its 95 % interval (Wilson); [0, 1] for none."""

    value: float = 0.0
    low: float = 0.0
    high: float = 1.0
    n: int = 0

    @property
    def is_shown(self) -> bool:
        """Whether the interval excludes one half."""
        return self.n > 0 and not self.low <= 0.5 <= self.high


class MeanEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """A mean of ``n`` values with its 95 % interval."""

    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    n: int = 0


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Judgements of one prompt that cannot all be right: ``ids``. ``prompt`` is its last message, ``answers`` are the
    texts in question: the same two in both orders, or of a cycle each preferred to the next, the last to the first."""

    prompt: str
    answers: tuple[str, ...]
    ids: tuple[str, ...]


class ColumnShare(msgspec.Struct, frozen=True, kw_only=True):
    """How often the answers of a recipe or model won; a tie counts one half."""

    name: str
    won: int
    lost: int
    tied: int
    share: ShareEstimate


class JudgementStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Judgements in numbers. ``prompts`` counts different prompts.

    ``duplicates`` counts judgements that repeat an earlier verdict of the same kind of judge on the same answers;
    ``duplicate_ids`` are they. ``contradictions`` are verdicts on the same two answers that differ, ``cycles`` chains
    of preferences that return to their beginning. ``longer_preferred``: of decided pairs whose answers differ in
    length, how often the longer won; ``length_difference`` is how many characters longer the preferred answer is.
    ``first_preferred``: of decided pairs with a known order, how often the answer shown first won. Judge models and
    people have a position bias apart: ``first_preferred_by``.
    """

    judgements: int = 0
    prompts: int = 0
    verdicts: dict[str, int] = {}
    sources: dict[str, int] = {}
    judges: dict[str, int] = {}
    edited: int = 0
    waiting: int = 0
    duplicates: int = 0
    duplicate_ids: tuple[str, ...] = ()
    contradictions: tuple[Conflict, ...] = ()
    cycles: tuple[Conflict, ...] = ()
    longer_preferred: ShareEstimate = ShareEstimate()
    length_difference: MeanEstimate = MeanEstimate()
    first_preferred: ShareEstimate = ShareEstimate()
    first_preferred_by: dict[str, ShareEstimate] = {}
    columns: tuple[ColumnShare, ...] = ()
    unreadable: int = 0


class ObjectiveFit(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the judgements suit an objective. ``usable`` examples of it there are, of the kind ``examples``, of which
    about ``held_out`` are kept for measuring; ``half_width`` is that of the 95 % interval which they would give (of a
    share about 0.65). ``fits`` says that it can be trained, ``advised`` that it is a good choice, ``reason`` why, or
    why not."""

    objective: str
    title: Shown
    usable: int
    held_out: int
    half_width: float
    fits: bool
    examples: ExampleKind = "pairs"
    advised: bool = False
    reason: Shown = ""


class JudgementFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that objectives need of judgements: usable ``pairs`` of how many ``prompts``, ``rated`` answers
    (``good`` of them good), the share of judgements that contradict another, and whether the longer answer is preferred
    more often than not."""

    pairs: int
    rated: int
    good: int
    conflicting: float
    longer_wins: bool
    prompts: int = 0


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """The advice of an objective on judgements: ``usable`` examples it would have, ``fits`` whether they suffice,
    ``rank`` the order among those that do, lower first. ``examples`` is the kind of set that it learns from, ``reason``
    a sentence."""

    usable: int
    fits: bool
    rank: int
    reason: Shown
    examples: ExampleKind = "pairs"


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` judgements that give no example, and why."""

    reason: Shown
    count: int


class Learnable(msgspec.Struct, frozen=True, kw_only=True):
    """The examples that judgements give. ``pairs`` of a chosen and a rejected answer, ``rated`` single answers
    (``good`` of them good), over ``prompts``. ``objectives`` are in the order in which they are advised. ``warnings``
    are sentences about biases and conflicts that would be learnt as well."""

    judgements: int
    prompts: int
    pairs: int
    rated: int
    good: int
    left_out: tuple[LeftOut, ...] = ()
    objectives: tuple[ObjectiveFit, ...] = ()
    warnings: tuple[Shown, ...] = ()


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an import: ``added`` judgements of ``rows`` rows. ``form`` is the format that was read, ``why`` it
    was recognised. ``refused`` rows are named with line or row and reason; ``more_refused`` are not named.
    ``duplicates`` were there before. ``ids`` are those of the first judgements that were added."""

    path: str
    form: str
    why: Shown
    rows: int
    added: int
    duplicates: int = 0
    refused: tuple[Shown, ...] = ()
    more_refused: int = 0
    notes: tuple[Shown, ...] = ()
    ids: tuple[str, ...] = ()


class ExportReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an export. ``left_out`` are judgements that the format cannot say."""

    path: str
    form: str
    rows: int
    left_out: tuple[LeftOut, ...] = ()


class UndoneAction(msgspec.Struct, frozen=True, kw_only=True):
    """An action on judgements that was undone: what it was, and the judgements that changed; ``queue`` is that of a
    verdict in a labelling queue, whose pair waits again."""

    title: Shown
    ids: tuple[str, ...]
    queue: str = ""


SOURCE_TITLES: dict[JudgementSource, str] = {
    "chat": "Chat",
    "compare": "Comparison",
    "label": "Labelling",
    "verdict": "Blind test",
    "judge": "Judge",
    "import": "Import",
}
