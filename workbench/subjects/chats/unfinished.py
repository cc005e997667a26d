"""The finished sections of typed requests about whole documents, kept until their answer is complete.

A request that is pressed is a run, which keeps its sections in its own folder (``runs/journal.py``). One that is typed
becomes a task only once its road is known, so its sections are kept by chat and model: a request that was stopped, or
whose core was killed, goes on from them when it is asked again.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import msgspec

from workbench.records.recipes import Recipe
from workbench.subjects.runs.journal import TaskSections

KEPT_DAYS = 30


@dataclass(frozen=True)
class UnfinishedSections:
    """Sections below ``folder``, which is made with the first one: a folder for each chat, and in it one for each
    model."""

    folder: Path

    def of(self, chat: str, recipe: Recipe) -> TaskSections:
        """Those that a chat has of the model of a resolved recipe."""
        return TaskSections(self._place(chat, recipe))

    def complete(self, chat: str, recipe: Recipe) -> None:
        """Delete what a complete answer was made of."""
        shutil.rmtree(self._place(chat, recipe), ignore_errors=True)

    def forget(self, chat: str) -> None:
        """Delete what is kept of a chat."""
        shutil.rmtree(self.folder / chat, ignore_errors=True)

    def remove_old(self) -> None:
        """Delete what nobody asked for again in ``KEPT_DAYS`` days."""
        oldest = time.time() - KEPT_DAYS * 86_400
        for place in self.folder.glob("*/*"):
            if place.stat().st_mtime < oldest:
                shutil.rmtree(place, ignore_errors=True)

    def _place(self, chat: str, recipe: Recipe) -> Path:
        return self.folder / chat / blake2b(msgspec.json.encode(recipe.model), digest_size=8).hexdigest()
