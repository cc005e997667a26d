"""The report on a data set: statistics, and examples as the model sees them."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored
from workbench.records.origins import Origins
from workbench.records.training.measured import Measured


class PreviewPiece(msgspec.Struct, frozen=True):
    """A stretch of an example as the model sees it, names of control tokens included; ``trained``: the loss counts
    it; ``rejected``: it is of the answer that was not preferred."""

    text: str
    trained: bool
    rejected: bool = False


class ColumnRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role of a column for an objective. ``several`` columns can be one of some roles."""

    name: str
    title: Shown
    several: bool = False


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """One example as the model will be shown it. ``tokens`` are those that are kept, ``whole_tokens`` all it has."""

    source: str
    pieces: tuple[PreviewPiece, ...]
    tokens: int
    whole_tokens: int
    trained_tokens: int
    side: Literal["train", "evaluation"] = "train"


class LengthBin(msgspec.Struct, frozen=True):
    """The number of examples with at least ``low`` and fewer than ``high`` tokens."""

    low: int
    high: int
    count: int


class SideReport(msgspec.Struct, frozen=True, kw_only=True):
    """The examples of one side in numbers; lengths in tokens, as they are before they are cut."""

    examples: int = 0
    tokens: int = 0
    trained_tokens: int = 0
    shortest: int = 0
    median: int = 0
    longest: int = 0
    truncated: int = 0
    duplicates: int = 0
    empty: int = 0
    lengths: tuple[LengthBin, ...] = ()

    def kept_tokens(self, limit: int) -> float:
        """The tokens after the examples were truncated at ``limit`` (0: not at all), from the histogram."""
        if not limit or not self.lengths or limit >= self.longest:
            return float(self.tokens)
        middles = [(min((one.low + one.high - 1) / 2, self.longest), one.count) for one in self.lengths]
        whole = sum(middle * count for middle, count in middles)
        cut = sum(min(middle, limit) * count for middle, count in middles)
        return self.tokens * cut / whole if whole else float(self.tokens)

    def ninetieth(self) -> int:
        """A length that nine of ten examples do not exceed, from the histogram: at most a bin too long."""
        seen = 0
        total = sum(one.count for one in self.lengths)
        for one in self.lengths:
            seen += one.count
            if seen >= 0.9 * total:
                return min(one.high - 1, self.longest)
        return self.longest


class DataReport(msgspec.Struct, frozen=True, kw_only=True):
    """The report on a set: its format and why it was recognised, statistics of each side, and examples as the model
    will see them. ``shape`` is "unknown" where it is not clear what an example is: then ``columns`` are to be mapped to
    ``roles`` by hand, all of one of the sets in ``role_sets``, and there is nothing else. ``suits`` names the objective
    that such data is for, "" where that is not clear. ``overlap`` counts evaluation examples that are also trained on,
    ``measured`` says what scores of a training with it are measured on.
    """

    path: str
    shape: str
    why: Shown = ""
    columns: tuple[str, ...] = ()
    left_out: tuple[Shown, ...] = ()
    train: SideReport = SideReport()
    evaluation: SideReport = SideReport()
    overlap: int = 0
    refused: tuple[Shown, ...] = ()
    notes: tuple[Shown, ...] = ()
    previews: tuple[Preview, ...] = ()
    max_length: int = 0
    roles: tuple[ColumnRole, ...] = ()
    role_sets: tuple[tuple[str, ...], ...] = ()
    suits: str = ""
    measured: Measured | None = None


class DataSet(msgspec.Struct, frozen=True, kw_only=True):
    """A set of examples in the home folder, ``datasets/<name>.jsonl``. ``origin`` says what it was built from,
    ``origins`` which private sources that was made from; ``unreadable`` why its card, which says so, cannot be read."""

    name: str
    path: str
    examples: int
    bytes: int
    created: float
    origin: str = ""
    unreadable: str = ""
    origins: Origins = None


DATA_SET = Stored("card of this set", DataSet)


class DataSetList(msgspec.Struct, frozen=True, kw_only=True):
    sets: tuple[DataSet, ...]
