"""The library of prompts and reasoning presets.

A person's task library: programs with tools that are shown as examples for similar questions.
"""

from __future__ import annotations

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.records.demonstrations import Demonstration
from workbench.records.prompts import PromptRecord, PromptVersion
from workbench.records.recipes import PromptingPart, PromptKind


class PromptList(msgspec.Struct, frozen=True, kw_only=True):
    prompts: tuple[PromptRecord, ...]


class PromptDetails(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with its versions, the latest first."""

    prompt: PromptRecord
    versions: tuple[PromptVersion, ...]


class SavedPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """An entry after a version was saved; ``added`` is False where its latest version has that content already."""

    prompt: PromptRecord
    added: bool


class ListPrompts(Call[PromptList], frozen=True, kw_only=True, tag="prompts.list"):
    """The entries of the library by their names, each with its latest version."""

    changed_by = ("prompts",)


class GetPrompt(Call[PromptDetails], frozen=True, kw_only=True, tag="prompts.get"):
    """An entry, by its name or id, with all its versions."""

    prompt: str


class SavePrompt(Call[SavedPrompt], frozen=True, kw_only=True, tag="prompts.save"):
    """Save what ``kind`` names of a recipe's prompting part: a version of the entry ``name``, which is made where there
    is none. Without ``tags`` the entry keeps its own."""

    name: str
    part: PromptingPart
    kind: PromptKind = "prompt"
    note: str = ""
    tags: tuple[str, ...] | None = None


class RestorePrompt(Call[SavedPrompt], frozen=True, kw_only=True, tag="prompts.restore"):
    """Save an earlier version, by its number or the beginning of its hash, as the latest one."""

    prompt: str
    version: str


class RenamePrompt(Call[PromptList], frozen=True, kw_only=True, tag="prompts.rename"):
    """Give an entry another name; its versions stay as they are. Raises UserError when the name is empty, too long or
    taken."""

    prompt: str
    name: str


class RemovePrompt(Call[PromptList], frozen=True, kw_only=True, tag="prompts.remove"):
    """Move an entry to the trash, with all its versions. Answers keep the texts that made them."""

    prompt: str


class ExportPrompt(Call[str], frozen=True, kw_only=True, tag="prompts.export"):
    """Write entries, by their names or ids, with all their versions to the JSON file ``path``, which is returned; the
    whole library for ()."""

    prompts: tuple[str, ...]
    path: str


class ImportPrompt(Call[PromptList], frozen=True, kw_only=True, tag="prompts.import"):
    """Add the entries of a file that ``ExportPrompt`` wrote, all or none, and return them. One whose name is taken gets
    a number; nothing is overwritten."""

    path: str


class DemonstrationList(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest first. ``unreadable`` says why the file cannot be read."""

    demonstrations: tuple[Demonstration, ...]
    unreadable: Shown = ""


class ListDemonstrations(Call[DemonstrationList], frozen=True, kw_only=True, tag="demonstrations.list"):
    """The demonstrations of the home."""

    changed_by = ("demonstrations",)


class SaveDemonstration(Call[Demonstration], frozen=True, kw_only=True, tag="demonstrations.save"):
    """Save the program of the answer ``message``, in place of an earlier one of it. Raises UserError for an answer that
    was not made by a program with tools, or whose program failed."""

    message: str


class RemoveDemonstration(Call[DemonstrationList], frozen=True, kw_only=True, tag="demonstrations.remove"):
    """Remove a demonstration, by its id."""

    demonstration: str
