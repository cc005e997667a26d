"""The finished sections of typed requests about whole documents, kept until their answer is complete.

A request that is pressed is a run, which keeps its sections in its own folder (``runs/journal.py``). One that is typed
becomes a task only once its road is known, so its sections are kept by chat and model: a request that was stopped, or
whose core was killed, goes on from them when it is asked again.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import msgspec

from workbench.engine.inference_calls import Generated
from workbench.records.recipes import Recipe
from workbench.subjects.runs.journal import TaskSections

KEPT_DAYS = 30


class SectionsOnDemand:
    """``TaskSections`` of a folder that is read only where the request turns out to be a task."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _sections(self) -> TaskSections:
        return TaskSections(self._folder)

    def find(self, key: str) -> Generated | None:
        return self._sections.find(key)

    def add(self, key: str, made: Generated) -> None:
        self._sections.add(key, made)


@dataclass(frozen=True)
class UnfinishedSections:
    """Sections below ``folder``, which is made with the first one: a folder for each chat, and in it one for each
    model."""

    folder: Path

    def of(self, chat: str, recipe: Recipe) -> SectionsOnDemand:
        """Those that a chat has of the model of a resolved recipe."""
        return SectionsOnDemand(self._place(chat, recipe))

    def complete(self, chat: str, recipe: Recipe) -> None:
        """Delete what a complete answer was made of."""
        shutil.rmtree(self._place(chat, recipe), ignore_errors=True)

    def forget(self, chat: str) -> None:
        """Delete the sections of a chat."""
        shutil.rmtree(self.folder / chat, ignore_errors=True)

    def remove_old(self) -> None:
        """Delete what nobody asked for again in ``KEPT_DAYS`` days."""
        oldest = time.time() - KEPT_DAYS * 86_400
        for place in self.folder.glob("*/*"):
            if place.stat().st_mtime < oldest:
                shutil.rmtree(place, ignore_errors=True)

    def _place(self, chat: str, recipe: Recipe) -> Path:
        return self.folder / chat / blake2b(msgspec.json.encode(recipe.model), digest_size=8).hexdigest()
