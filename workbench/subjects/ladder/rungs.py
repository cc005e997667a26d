"""All rungs, in the order of the course: prompting, decoding, documents, agents, fine-tuning, preferences."""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.subjects.ladder.rung import Reward, Rung


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rungs: tuple[Rung, ...]
    rewards: dict[str, Reward]
    tools: dict[str, tuple[str, ...]]


_TABLE = msgspec.toml.decode(Path(__file__).with_suffix(".toml").read_bytes(), type=_Table)
RUNGS = _TABLE.rungs
BY_NAME = {rung.name: rung for rung in RUNGS}
REWARDS = _TABLE.rewards
"""By the names of scorers: the reward that measures what a scorer measures."""


def tools_for(*, documents: bool) -> tuple[str, ...]:
    """The tools of an agent that checks its answers."""
    return _TABLE.tools["documents" if documents else "alone"]


def rung_named(name: str) -> Rung:
    """Raises UserError that lists the names."""
    if name not in BY_NAME:
        raise UserError(f"There is no rung {name!r}.", f"The rungs are {', '.join(BY_NAME)}.")
    return BY_NAME[name]
