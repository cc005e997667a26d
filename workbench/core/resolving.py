"""From the recipe that was asked with to the one that can be made again: names looked up, seed drawn."""

from __future__ import annotations

import secrets

import msgspec

from workbench.calls import Collection, ModelRecord
from workbench.engine.protocol import LoadedModel
from workbench.errors import UserError
from workbench.models.inspection import is_missing
from workbench.recipes import Recipe
from workbench.storage.collections import CollectionRegistry
from workbench.storage.models import ModelCatalogue

LARGEST_SEED = 4_294_967_294
IMPORT_HINT = "Add the starter model, or import a GGUF file."


class Resolved(msgspec.Struct, frozen=True):
    """A recipe with what its names mean."""

    recipe: Recipe
    model: ModelRecord
    collection: Collection | None


def resolve(recipe: Recipe, catalogue: ModelCatalogue, registry: CollectionRegistry) -> Resolved:
    """Look up the recipe's model and collection, and draw its seed where it has none.

    Raises UserError when a name is unknown, or missing and not the only one.
    """
    model = chat_model(recipe.model.name, catalogue)
    replaced = {
        "model": msgspec.structs.replace(recipe.model, name=model.name),
        "decoding": recipe.decoding,
        "retrieval": recipe.retrieval,
    }
    if recipe.decoding.seed < 0:
        seed = secrets.randbelow(LARGEST_SEED + 1)
        replaced["decoding"] = msgspec.structs.replace(recipe.decoding, seed=seed)
    collection = None
    if recipe.retrieval is not None:
        collection = registry.get(recipe.retrieval.collection)
        replaced["retrieval"] = msgspec.structs.replace(
            recipe.retrieval, collection=collection.name, revision=collection.revision
        )
    return Resolved(msgspec.structs.replace(recipe, **replaced), model, collection)


def with_engine(recipe: Recipe, loaded: LoadedModel, sha256: str) -> Recipe:
    """The recipe with what is known once its model is loaded. ``sha256`` may be empty: not known yet."""
    model = msgspec.structs.replace(
        recipe.model, context_tokens=loaded.context_tokens, engine=loaded.engine, sha256=sha256
    )
    return msgspec.structs.replace(recipe, model=model)


def chat_model(name: str, catalogue: ModelCatalogue) -> ModelRecord:
    """The model of that name; without a name the only one that can chat. Raises UserError."""
    if name:
        model = catalogue.get(name)
        if model.kind == "embedder":
            raise UserError(f"{model.name} finds passages and cannot answer.", IMPORT_HINT)
    else:
        able = [m for m in catalogue.list_models() if m.kind == "chat" and m.format == "gguf" and not is_missing(m)]
        if not able:
            raise UserError("There is no chat model.", IMPORT_HINT)
        if len(able) > 1:
            raise UserError("There are several chat models.", f"Choose one: {', '.join(m.name for m in able)}.")
        model = able[0]
    if model.format != "gguf":
        raise UserError(f"{model.name} is a safetensors model; answering needs a GGUF file.", IMPORT_HINT)
    if is_missing(model):
        raise UserError(f"The files of {model.name} are no longer at {model.path}.", "Put them back or remove it.")
    return model
