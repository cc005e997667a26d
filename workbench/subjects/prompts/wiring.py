"""Makes the parts of the library of prompts and of saved recipes and joins them."""

from __future__ import annotations

from workbench.core.foundation import Foundation
from workbench.subjects.prompts.service import AnswerSource, Demonstrations, Prompts
from workbench.subjects.prompts.store import DemonstrationStore, PromptStore
from workbench.subjects.prompts.trash import TrashedPrompts
from workbench.subjects.recipes.service import Recipes
from workbench.subjects.subject import Subject
from workbench.subjects.trash.places import TrashedPlaces
from workbench.subjects.trash.store import TrashStore


def wire(base: Foundation, answers: AnswerSource, trash: TrashStore) -> tuple[Prompts, DemonstrationStore, Subject]:
    store = PromptStore(base.database)
    trashed = TrashedPrompts(store, trash, base.changes)
    prompts = Prompts(store, base.changes, trashed)
    demonstrations = DemonstrationStore(base.home.demonstrations)
    library = Demonstrations(demonstrations, answers, base.changes)
    trashed_recipes = TrashedPlaces("recipe", base.home.recipes, trash, base.changes)
    recipes = Recipes(base.home.recipes, trashed_recipes)
    subject = Subject(
        handlers={**prompts.handlers(), **library.handlers(), **recipes.handlers()},
        trash={"prompt": trashed, "recipe": trashed_recipes},
    )
    return prompts, demonstrations, subject
