"""Saved recipes, one TOML file each: they are moved to the trash here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.base.errors import UserError
from workbench.core.streams import Handlers, unary
from workbench.subjects.recipes.calls import RemoveRecipe
from workbench.subjects.trash.calls import TrashEntry
from workbench.subjects.trash.places import TrashedPlaces

ENDING = ".toml"


@dataclass(frozen=True, eq=False)
class Recipes:
    _folder: Path
    _trashed: TrashedPlaces

    def handlers(self) -> Handlers:
        return {RemoveRecipe: unary(self.remove)}

    def remove(self, call: RemoveRecipe) -> TrashEntry:
        name = call.recipe.removesuffix(ENDING)
        file = self._folder / f"{name}{ENDING}"
        if not name or Path(name).name != name or name.startswith(".") or not file.is_file():
            known = ", ".join(sorted(one.stem for one in self._folder.glob(f"*{ENDING}")))
            raise UserError(f"There is no saved recipe {call.recipe!r}.", f"Saved: {known or 'none'}.")
        return self._trashed.put(file, name)
