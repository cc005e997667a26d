"""The chat model that a name means: in the catalogue, there, and able to answer."""

from __future__ import annotations

from workbench.api.calls import ModelRecord
from workbench.errors import UserError
from workbench.models.inspection import is_missing
from workbench.storage.models import ModelCatalogue

IMPORT_HINT = "Add the starter model, or import a GGUF file."


def chat_model(name: str, catalogue: ModelCatalogue) -> ModelRecord:
    """The model of that name; without a name the default one, else the chat model that was added first. Raises
    UserError."""
    if not name and (default := catalogue.default()) is not None:
        name = default.name
    if name:
        model = catalogue.get(name)
        if model.kind == "embedder":
            raise UserError(f"{model.name} is an embedding model and cannot answer.", IMPORT_HINT)
    else:
        able = [m for m in catalogue.list_models() if m.kind == "chat" and m.format == "gguf" and not is_missing(m)]
        if not able:
            raise UserError("There is no chat model.", IMPORT_HINT)
        model = able[0]
    if model.unreadable:
        raise UserError(model.unreadable)
    if model.format == "endpoint":
        return model
    if model.format != "gguf":
        raise UserError(f"{model.name} is a safetensors model; answering needs a GGUF file.", IMPORT_HINT)
    if is_missing(model):
        raise UserError(f"The files of {model.name} are no longer at {model.path}.", "Put them back or remove it.")
    return model


def local_model(name: str, catalogue: ModelCatalogue) -> ModelRecord:
    """As ``chat_model``, of those that this machine computes."""
    model = chat_model(name, catalogue)
    if model.endpoint is not None:
        raise UserError(f"{model.name} is computed by {model.endpoint.host}, not here.", IMPORT_HINT)
    return model
