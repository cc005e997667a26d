"""The calls about saved recipes. Window and terminal read and write the files themselves."""

from __future__ import annotations

from workbench.api.protocol import Call
from workbench.subjects.trash.calls import TrashEntry


class RemoveRecipe(Call[TrashEntry], frozen=True, kw_only=True, tag="recipes.remove"):
    """Move a recipe of the home's folder of recipes to the trash. Raises UserError when there is none of that name."""

    recipe: str
