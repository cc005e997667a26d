"""The catalogue: which models a home knows, and where their files lie.

The chat model that a name means: in the catalogue, there, and able to answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.stored import Unreadable, explained
from workbench.core.background import Background
from workbench.core.foundation import Foundation
from workbench.records.endpoints import ENDPOINT
from workbench.records.exam import EXAM, ExamResult
from workbench.records.models import ModelRecord
from workbench.storage.database import Database, Row
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.folders import missing_files

_COLUMNS = (
    "name",
    "kind",
    "format",
    "path",
    "architecture",
    "parameters",
    "quantization",
    "context_tokens",
    "bytes",
    "licence",
    "files",
    "sha256",
    "owned",
    "endpoint",
    "projector",
)
_MODEL = ", ".join(_COLUMNS)


class ModelCatalogue:
    """The models of a home by name; upper and lower case are the same name.

    Paths below ``folder``, the home's own models, are kept relative to it: a home can be moved. ``default`` tells the
    name of the default model, "" where none is chosen; ``checksum`` that of a model's files, "" while it is not known:
    an exam of other files than those there now is not the model's.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        default: Callable[[], str] = lambda: "",
        checksum: Callable[[Sequence[str]], str] = lambda files: "",
    ) -> None:
        self._database = database
        self._folder = folder
        self._default = default
        self._checksum = checksum

    def list_models(self) -> tuple[ModelRecord, ...]:
        """In the order in which they were added."""
        rows = self._database.execute(f"select {_MODEL}, exam from models where trashed is null order by added, name")
        return tuple(self._record(row) for row in rows)

    def find(self, name: str) -> ModelRecord | None:
        row = self._database.row(f"select {_MODEL}, exam from models where name = ? and trashed is null", (name,))
        return None if row is None else self._record(row)

    def default(self) -> ModelRecord | None:
        """The default model that a person has chosen; None when none is, or it is gone."""
        name = self._default()
        return self.find(name) if name else None

    def get(self, name: str) -> ModelRecord:
        """Raises UserError that names the models there are."""
        found = self.find(name)
        if found is None:
            known = ", ".join(model.name for model in self.list_models())
            raise UserError(
                f"There is no model {name!r}: it was removed, or never added.",
                f"Choose one of the catalogue: {known}." if known else "The catalogue is empty: import a model first.",
            )
        return found

    def put(self, model: ModelRecord) -> None:
        """Add a model, or replace the one of the same name; its place in the list and its exam stay."""
        updates = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
        self._database.execute(
            f"""insert into models ({_MODEL}, added) values ({", ".join("?" * (len(_COLUMNS) + 1))})
                on conflict (name) do update set {updates}""",
            (*(self._value(model, column) for column in _COLUMNS), time.time()),
        )

    def remove(self, name: str) -> ModelRecord:
        """Forget a model; returns what it was. Raises UserError when there is none of that name."""
        with self._database.transaction():
            record = self.get(name)
            self._database.execute("delete from models where name = ?", (name,))
        return record

    def trash(self, name: str, entry: str) -> None:
        """Hide a model everywhere; ``entry`` is its entry in the trash. Its name becomes free."""
        self._database.execute("update models set trashed = ?, name = ? where name = ?", (entry, entry, name))

    def trashed(self, entry: str) -> ModelRecord | None:
        """The model of an entry of the trash; its name is the entry's id."""
        row = self._database.row(f"select {_MODEL}, exam from models where trashed = ?", (entry,))
        return None if row is None else self._record(row)

    def restore(self, model: ModelRecord, entry: str) -> None:
        """Show the model of an entry again, with the name and the files of ``model``."""
        files = self._value(model, "files")
        self._database.execute(
            "update models set trashed = null, name = ?, path = ?, files = ?, projector = ? where trashed = ?",
            (model.name, self._value(model, "path"), files, self._value(model, "projector"), entry),
        )

    def delete_trashed(self, entry: str) -> None:
        self._database.execute("delete from models where trashed = ?", (entry,))

    def rename(self, name: str, new: str) -> None:
        """Give a model another name, which no other one has."""
        self._database.execute("update models set name = ? where name = ?", (new, name))

    def put_exam(self, name: str, exam: ExamResult) -> None:
        """Store a model's exam; nothing where the model was removed."""
        self._database.execute("update models set exam = ? where name = ?", (EXAM.encode(exam).decode(), name))

    def _value(self, model: ModelRecord, column: str) -> Any:
        value = getattr(model, column)
        if column == "endpoint":
            return ENDPOINT.encode(value).decode() if value is not None else None
        if column == "path" and model.endpoint is None:
            return self._inside(value)
        if column == "projector":
            return self._inside(value) if value else ""
        if column == "files":
            return msgspec.json.encode([self._inside(file) for file in value]).decode()
        return value

    def _record(self, row: Row) -> ModelRecord:
        values = dict(zip((*_COLUMNS, "exam"), row, strict=True))
        try:
            read = ENDPOINT.decode(values["endpoint"]) if values["endpoint"] else None
            if isinstance(read, Unreadable):
                return _unreadable(str(values["name"]), read.reason)
            values["endpoint"] = msgspec.to_builtins(read)
            values["path"] = self._outside(values["path"]) if read is None else read.address
            files = msgspec.json.decode(values["files"], type=list[str])
            values["files"] = [self._outside(file) for file in files]
            values["projector"] = self._outside(values["projector"]) if values["projector"] else ""
            values["owned"] = bool(values["owned"])
            stored = values.pop("exam")
            record = msgspec.convert(values, ModelRecord)
        except msgspec.DecodeError as error:
            why = explained(error) if isinstance(error, msgspec.ValidationError) else "it is damaged"
            return _unreadable(str(values["name"]), why)
        exam = EXAM.decode(stored) if stored else None
        if isinstance(exam, Unreadable):
            return msgspec.structs.replace(record, exam_problem=exam.reason)
        mine = exam is not None and exam.sha256 == self._checksum(record.files)
        return msgspec.structs.replace(record, exam=exam if mine else None)

    def _inside(self, path: str) -> str:
        try:
            return Path(path).relative_to(self._folder).as_posix()
        except ValueError:
            return path

    def _outside(self, path: str) -> str:
        return str(self._folder / path)  # an absolute path stays as it is


def _unreadable(name: str, why: str) -> ModelRecord:
    return ModelRecord(
        name=name,
        kind="base",
        format="gguf",
        path="",
        architecture="",
        parameters=0,
        quantization="",
        context_tokens=0,
        bytes=0,
        unreadable=f"The catalogue's entry of {name} cannot be read: {why}. Remove it and import the model again.",
    )


def is_missing(model: ModelRecord) -> bool:
    """Whether a file of a model is missing, or it is not known which ones it has."""
    if model.endpoint is not None:  # whether it answers is known once it is asked
        return False
    return bool(model.unreadable) or not all(Path(file).is_file() for file in model.files or (model.path,))


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
        raise missing_files(model)
    return model


def local_model(name: str, catalogue: ModelCatalogue) -> ModelRecord:
    """As ``chat_model``, of those that this machine computes."""
    model = chat_model(name, catalogue)
    if model.endpoint is not None:
        raise UserError(f"{model.name} is computed by {model.endpoint.host}, not here.", IMPORT_HINT)
    return model


def open_catalogue(base: Foundation) -> tuple[ModelCatalogue, Checksums]:
    """The catalogue of a home, and the checksums of its models."""
    checksums = Checksums(base.home.models / "checksums.json")
    catalogue = ModelCatalogue(base.database, base.home.models, lambda: base.settings.general.model, checksums.known)
    return catalogue, checksums


def record_checksum(
    model: ModelRecord, catalogue: ModelCatalogue, checksums: Checksums, background: Background
) -> None:
    """Compute the checksum of a model in the background: for a large one it takes longer than the first answer, which
    then goes without."""

    def compute(context: RequestContext) -> None:
        sha256 = checksums.compute(model.files, context)
        current = catalogue.find(model.name)
        if current is not None and current.files == model.files:
            catalogue.put(msgspec.structs.replace(current, sha256=sha256))

    background.start("checksum", compute)
