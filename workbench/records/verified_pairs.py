"""How well the verification of statements tells supported texts from others, on pairs that people have judged.

A pair is a document and a text about it, which is supported by the document or not. *Marking* a text is right where it
is not supported. Rates have Wilson's interval; the mean of rates has one that is put together from theirs (Donner and
Zou 2012, doi:10.1177/0962280210370698).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from workbench.records.exam import Rate


class Share(msgspec.Struct, frozen=True):
    """A share in [0, 1] with its interval of 95 %."""

    value: float
    low: float
    high: float


class VerifiedSet(msgspec.Struct, frozen=True, kw_only=True):
    """A data set. ``supported``: texts that the document supports, right where they are not marked; ``unsupported``:
    the others, right where they are marked."""

    name: str
    supported: Rate
    unsupported: Rate

    @property
    def pairs(self) -> int:
        return self.supported.count + self.unsupported.count

    @property
    def recall(self) -> Rate:
        """Marked ones of the texts that are not supported."""
        return self.unsupported

    @property
    def precision(self) -> Rate:
        """Texts that are not supported, of the marked ones."""
        marked = self.unsupported.right + self.supported.count - self.supported.right
        return Rate(self.unsupported.right, marked)

    @property
    def balanced_accuracy(self) -> Share | None:
        """The mean of both rates (Brodersen et al. 2010); None where one of them has no texts."""
        if not (self.supported.count and self.unsupported.count):
            return None
        return mean_of([share_of(self.supported), share_of(self.unsupported)])


class VerificationResult(msgspec.Struct, frozen=True, kw_only=True):
    """``pairs`` of the file or folder ``path`` were verified, ``of_all`` are in it; the data sets are in their order.
    ``left_out`` rows were none, ``first_left_out`` says why. ``ended`` is a time in seconds since the epoch,
    ``seconds`` the time that was spent."""

    title: str
    path: str
    pairs: int
    of_all: int
    sets: tuple[VerifiedSet, ...]
    ended: float
    seconds: float
    seed: int = 0
    left_out: int = 0
    first_left_out: str = ""

    @property
    def mean(self) -> Share | None:
        """The mean of the balanced accuracies, as LLM-AggreFact's leaderboard ranks by; None without any."""
        known = [one for each in self.sets if (one := each.balanced_accuracy) is not None]
        return mean_of(known) if known else None


def share_of(rate: Rate) -> Share:
    return Share(rate.share, *rate.interval)


def mean_of(shares: Sequence[Share]) -> Share:
    """The mean of shares that were measured on different texts."""
    count = len(shares)
    value = sum(one.value for one in shares) / count
    below = math.sqrt(sum((one.value - one.low) ** 2 for one in shares)) / count
    above = math.sqrt(sum((one.high - one.value) ** 2 for one in shares)) / count
    return Share(value, max(0.0, value - below), min(1.0, value + above))


def describe_share(share: Share | None) -> str:
    """``71.4 % (68.0–74.5)``; "" for none."""
    if share is None:
        return ""
    return f"{share.value * 100:.1f} % ({share.low * 100:.1f}–{share.high * 100:.1f})"


def table_of(result: VerificationResult) -> list[tuple[str, ...]]:
    """A row for each data set, and one for their mean where several have one, in words: its name, pairs, balanced
    accuracy, precision, recall."""
    rows = [
        (
            one.name,
            f"{one.pairs:,}",
            describe_share(one.balanced_accuracy),
            *(describe_share(share_of(rate)) if rate.count else "" for rate in (one.precision, one.recall)),
        )
        for one in result.sets
    ]
    if sum(one.balanced_accuracy is not None for one in result.sets) > 1:
        rows.append(("Mean", f"{result.pairs:,}", describe_share(result.mean), "", ""))
    return rows


TABLE = ("Data set", "Pairs", "Balanced accuracy", "Precision", "Recall")
"""The titles of these columns."""
