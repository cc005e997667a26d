"""Continued pre-training on raw text (Gururangan et al. 2020, Don't Stop Pretraining, arXiv:2004.10964): packed windows
of one length, all of whose tokens are trained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import msgspec

from workbench.records.methods import Method
from workbench.records.training import ColumnRole, SideReport
from workbench.training.data.documents import Window, pack, take_apart
from workbench.training.data.packed_tokens import WrittenExamples
from workbench.training.data.preparation import LoadedSet, TrainingSet
from workbench.training.data.tokenization import ExampleWriter
from workbench.training.objectives.objective import FROM_EXAMPLES, NoOptions, Objective
from workbench.training.sequences import TokenSequence, TokenSequences

if TYPE_CHECKING:
    from workbench.training.defaults import Facts
    from workbench.training.sets import Writing

WINDOW_TOKENS = 512
"""The window where the config leaves it open."""
WINDOWS = (128, 2048)
"""Tokens: the shortest and the longest window that is recommended."""


def windows_of(tokens: int, length: int) -> int:
    """The number of windows of ``length`` tokens that so many tokens fill."""
    return max(1, math.ceil(tokens / length))


class Domain(Objective):
    """Texts one after the other, cut into windows: no token is padding, and no text sees the one before it."""

    roles: ClassVar[tuple[ColumnRole, ...]] = (ColumnRole(name="text", title="Text"),)
    role_sets: ClassVar[tuple[tuple[str, ...], ...]] = (("text",),)

    def loaded(self, loaded: LoadedSet) -> LoadedSet:
        if len(loaded.examples) == 1 and not loaded.evaluation:
            return msgspec.structs.replace(loaded, examples=tuple(take_apart(loaded.examples[0])))
        return loaded

    def limit(self, asked: int, context_tokens: int) -> int:
        return min(asked or WINDOW_TOKENS, context_tokens or max(asked, WINDOW_TOKENS))

    def writer(self, writing: Writing, limit: int) -> ExampleWriter:
        return writing.writer(loss_on="all")  # texts are cut by the windows

    def longest(self, prepared: TrainingSet, limit: int) -> int:
        return limit

    def sequences(self, written: WrittenExamples, limit: int) -> TokenSequences:
        found = TokenSequences()
        for window in pack(written, limit):
            found.append(_apart(window))
        return found

    def recommended_length(self, facts: Facts, room: int) -> int:
        shortest, longest = WINDOWS
        wished = 1 << round(math.log2(max(shortest, facts.tokens / 64)))
        return min(longest if facts.device == "cuda" else longest // 4, wished, room)

    def count(self, facts: Facts, max_length: int) -> int:
        return windows_of(facts.tokens, max_length)

    def typical_length(self, facts: Facts, max_length: int) -> int:
        return max_length

    def passed_length(self, train: SideReport, max_length: int) -> float:
        return min(float(max_length), train.tokens / windows_of(train.tokens, max_length)) if train.tokens else 0.0

    def notes(self, data: SideReport, max_length: int) -> list[str]:
        return []


def _apart(window: Window) -> TokenSequence:
    """A window whose texts are kept apart: what one begins with cannot be predicted from the one before."""
    starts = tuple(start for start in window.starts if start)
    trained = tuple(one and place not in starts for place, one in enumerate(window.trained))
    return TokenSequence(window.tokens, trained, starts)


ROW = Method(
    name="domain",
    kind="objective",
    technique="finetuning",
    title="Raw text",
    family=FROM_EXAMPLES,
    summary="Pre-training is continued on raw text, so that the model learns the vocabulary and the style of a field.",
    source="Gururangan et al. 2020, Don't Stop Pretraining, arXiv:2004.10964",
    config=NoOptions,
    entry=f"{__name__}:Domain",
    served="The method of the weights decides what the result is.",
    cost="The method of the weights and the length of the texts decide the cost.",
)
