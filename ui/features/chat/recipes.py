"""What a chat is asked with: recipes as they are restored and changed, tasks as they are worded."""

from __future__ import annotations

from pathlib import PurePath

import msgspec

from workbench.api.calls import DocumentTask
from workbench.records.recipes import Recipe


def question_of(task: DocumentTask) -> str:
    """What a task on a whole document looks like in the conversation."""
    name = PurePath(task.document).name
    if task.task == "translate":
        return f"Translate {name} into {task.language or 'English'}."
    if task.task == "extract":
        return f"Extract a table from {name}: {', '.join(task.columns)}."
    return f"Summarise {name}."


def with_model(recipe: Recipe, name: str) -> Recipe:
    """The recipe with this model; adapters stay with the model that they are for."""
    adapters = recipe.model.adapters if name == recipe.model.name else ()
    return msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, name=name, adapters=adapters))
