"""Projects: what the new chats of a folder begin with."""

from __future__ import annotations

import msgspec

from workbench.base.stored import Stored
from workbench.records.recipes import CHAT_RECIPE, Recipe, RetrievalPart


class ChatProject(msgspec.Struct, frozen=True, kw_only=True):
    """``recipe`` None: the usual settings. ``collections`` are asked in place of the recipe's, where there are some;
    ``instructions`` follow those of the recipe."""

    recipe: Recipe | None = None
    collections: tuple[str, ...] = ()
    instructions: str = ""


PROJECT = Stored("project of this folder", ChatProject, parts={"recipe": CHAT_RECIPE})


def inherited(project: ChatProject, usual: Recipe) -> Recipe:
    """The recipe of a new chat of a project, where without one it would be ``usual``. The model stays the usual one
    where the project's recipe names none."""
    recipe = project.recipe or usual
    if not recipe.model.name:
        recipe = msgspec.structs.replace(recipe, model=usual.model)
    if project.collections:
        first, *more = project.collections
        part = recipe.retrieval or usual.retrieval or RetrievalPart()
        part = msgspec.structs.replace(part, collection=first, more=tuple(more), files=(), attachments="", revision=0)
        recipe = msgspec.structs.replace(recipe, retrieval=part)
    if project.instructions.strip():
        parts = (recipe.prompting.instructions.strip(), project.instructions.strip())
        prompting = msgspec.structs.replace(recipe.prompting, instructions="\n\n".join(filter(None, parts)))
        recipe = msgspec.structs.replace(recipe, prompting=prompting)
    return recipe
