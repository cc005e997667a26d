"""The base model and data paths of a training: names of the home, resolved for the training worker."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.gguf.reader import Tensor
from workbench.records.models import ModelRecord
from workbench.records.training import DataSet, TrainingConfig
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.folders import missing_files
from workbench.subjects.models.store import ModelCatalogue, is_missing
from workbench.training.protocol import BaseModel


class SetSource(Protocol):
    """The data sets of the home."""

    def find(self, name: str, /) -> DataSet | None: ...

    def list_sets(self) -> Sequence[DataSet]: ...


class BaseModels:
    """Looks up what a ``TrainingConfig`` names."""

    def __init__(self, catalogue: ModelCatalogue, checksums: Checksums, sets: SetSource) -> None:
        self._catalogue = catalogue
        self._checksums = checksums
        self._sets = sets

    def model(self, name: str) -> ModelRecord:
        """The model of that name; without a name the only one that could be trained. Raises UserError."""
        if not name:
            able = [m for m in self._catalogue.list_models() if m.kind != "embedder" and not is_missing(m)]
            if len(able) != 1:
                said = "There is no model to train." if not able else "Several models can be trained."
                known = ", ".join(model.name for model in able)
                raise UserError(said, f"Choose one: {known}." if known else "Add the starter model, or import one.")
            return able[0]
        model = self._catalogue.get(name)
        if model.kind == "embedder":
            raise UserError(f"{model.name} is an embedding model and cannot be trained here.")
        if is_missing(model):
            raise missing_files(model)
        return model

    def worker_model(self, model: ModelRecord) -> BaseModel:
        """As the worker takes it, with its checksum where that is known already."""
        sha256 = self._checksums.known(model.files) or model.sha256
        return BaseModel(name=model.name, path=model.path, sha256=sha256, licence=model.licence)

    def checked_model(self, model: ModelRecord, context: RequestContext) -> BaseModel:
        """As ``worker_model``, with the checksum computed now where it has to be."""
        sha256 = self._checksums.compute(model.files, context)
        return BaseModel(name=model.name, path=model.path, sha256=sha256, licence=model.licence)

    def served_over(self, model: ModelRecord) -> ModelRecord | None:
        """The model that the engine is given with what was trained on ``model``: that itself, or for a folder of
        safetensors the GGUF model of the same names and shapes, of several the one that was rounded least. None where
        there is none, or the folder's architecture is not known here."""
        from workbench.gguf.base_model import read_base

        if model.format == "gguf":
            return model
        try:
            base = read_base(Path(model.path))
        except UserError:
            return None
        able = [m for m in self._catalogue.list_models() if m.format == "gguf" and m.architecture == base.architecture]
        for one in sorted(able, key=lambda m: -m.bytes):
            with contextlib.suppress(UserError):  # it is missing or not sound
                tensors = read_base(Path(one.path)).tensors
                if base.tensors and tensors and _are_in(base.tensors, tensors):
                    return one
        return None

    def with_paths(self, config: TrainingConfig) -> TrainingConfig:
        """The config with paths in place of the names of the home's sets. Raises UserError where there is neither."""
        if not config.data.path:
            raise UserError("There are no examples to train on.", "Choose a file, a folder or a set.")
        evaluation = config.data.evaluation_path
        data = msgspec.structs.replace(
            config.data,
            path=self._path_of(config.data.path),
            evaluation_path=self._path_of(evaluation) if evaluation else "",
        )
        return msgspec.structs.replace(config, data=data)

    def _path_of(self, given: str) -> str:
        found = self._sets.find(given)
        if found is not None:
            return found.path
        path = Path(given).expanduser()
        if not path.is_absolute():
            known = ", ".join(one.name for one in self._sets.list_sets())
            hint = "Check the name; a file can be given with its whole path."
            raise UserError(f"There is no set or file {given!r}.", f"{hint} Sets: {known}." if known else hint)
        if not path.exists():
            raise UserError(f"There is no file or folder {path}.", "Check the path.")
        return str(path)


def _are_in(some: Mapping[str, Tensor], all: Mapping[str, Tensor]) -> bool:
    return all.keys() >= some.keys() and {key: all[key].shape for key in some} == {k: t.shape for k, t in some.items()}
