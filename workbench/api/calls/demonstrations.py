"""A person's task library: programs with tools that are shown as examples for similar questions."""

from __future__ import annotations

import msgspec

from workbench.api.protocol import Call
from workbench.records.demonstrations import Demonstration


class DemonstrationList(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest first. ``unreadable`` says why the file cannot be read."""

    demonstrations: tuple[Demonstration, ...]
    unreadable: str = ""


class ListDemonstrations(Call[DemonstrationList], frozen=True, kw_only=True, tag="demonstrations.list"):
    """The demonstrations of the home."""


class SaveDemonstration(Call[Demonstration], frozen=True, kw_only=True, tag="demonstrations.save"):
    """Save the program of the answer ``message``, in place of an earlier one of it. Raises UserError for an answer that
    was not made by a program with tools, or whose program failed."""

    message: str


class RemoveDemonstration(Call[DemonstrationList], frozen=True, kw_only=True, tag="demonstrations.remove"):
    """Remove a demonstration, by its id."""

    demonstration: str
