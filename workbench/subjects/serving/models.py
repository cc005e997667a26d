"""The names that other programs may ask for: saved recipes, and the models of the catalogue by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.base.errors import UserError
from workbench.records.models import ModelRecord
from workbench.records.recipes import DecodingPart, ModelPart, Recipe, load_recipe, without_attachments
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.models.folders import missing_files
from workbench.subjects.models.store import ModelCatalogue, is_missing
from workbench.subjects.serving.calls import ServedModel

PLAIN = DecodingPart(temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0)
"""The decoding of a model that is asked without a recipe: the model's own distribution, as OpenAI's API has it."""


@dataclass(frozen=True, eq=False)
class ServedRecipes:
    """``folder`` holds the saved recipes."""

    _folder: Path
    _catalogue: ModelCatalogue

    def list_all(self) -> tuple[ServedModel, ...]:
        recipes = tuple(self._recipes())
        taken = {one.id for one in recipes}
        return (*recipes, *(one for one in self._models() if one.id not in taken))

    def find(self, name: str) -> Recipe:
        """The recipe of a name; "" is the default model. Raises UserError for an unknown one."""
        path = self._folder / f"{name}.toml"
        if name and Path(name).name == name and path.is_file():
            return without_attachments(load_recipe(path))
        if name and self._catalogue.find(name) is None:
            known = ", ".join(one.id for one in self.list_all() if one.kind != "embedder")
            raise UserError(f"There is no model {name!r} here.", f"There are: {known or 'none'}.")
        return Recipe(model=ModelPart(name=name), decoding=PLAIN)

    def _recipes(self) -> Iterator[ServedModel]:
        for path in sorted(self._folder.glob("*.toml")):
            changed = int(path.stat().st_mtime)
            try:
                recipe = load_recipe(path)
            except UserError as error:
                yield ServedModel(id=path.stem, kind="recipe", created=changed, problem=error.message)
                continue
            yield ServedModel(id=path.stem, kind="recipe", created=changed, description=_describe(recipe))

    def _models(self) -> Iterator[ServedModel]:
        for model in self._catalogue.list_models():
            if model.unreadable or is_missing(model) or not _serves(model):
                continue
            path = Path(model.path)
            changed = int(path.stat().st_mtime) if model.path and path.exists() else 0
            about = " ".join(filter(None, (model.architecture, model.quantization)))
            kind: Literal["embedder", "chat"] = "embedder" if model.kind == "embedder" else "chat"
            yield ServedModel(id=model.name, kind=kind, created=changed, description=about)


def embedding_model(name: str, catalogue: ModelCatalogue, embedding: Embedding) -> ModelRecord:
    """A model that embeds or ranks texts; "" is the default one. Raises UserError."""
    if not name:
        return embedding.model()
    model = catalogue.get(name)
    if is_missing(model):
        raise missing_files(model)
    return model


def _serves(model: ModelRecord) -> bool:
    return model.kind == "embedder" or model.format != "safetensors"


def _describe(recipe: Recipe) -> str:
    """The parts of a recipe in a few words."""
    parts = [recipe.model.name or "default model"]
    parts += [f"adapter {one.name}" for one in recipe.model.adapters]
    parts += [f"documents {recipe.retrieval.collection}"] if recipe.retrieval is not None else []
    parts += [f"agent {recipe.agent.method}"] if recipe.agent is not None else []
    return " · ".join(parts)
