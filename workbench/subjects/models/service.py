"""The catalogue of models, and the one that is loaded."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, drain, finish, with_progress
from workbench.backends.backend import ModelUse
from workbench.backends.llama_cpp import LOADING, LlamaCppBackend
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.preferences import Preferences
from workbench.core.streams import Handlers, unary
from workbench.engine.inference_calls import MeasureSpeed
from workbench.gguf.inspection import inspect_path
from workbench.gguf.names import unique_name
from workbench.gguf.projectors import describe_projector, makes_embeddings_of
from workbench.records.models import ModelDetails, ModelRecord
from workbench.subjects.models import calls
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.folders import ModelFolders
from workbench.subjects.models.importing import import_model
from workbench.subjects.models.local_sources import default_roots, find_local_models
from workbench.subjects.models.starter import find_starters, starter_hint
from workbench.subjects.models.store import ModelCatalogue, chat_model, is_missing, local_model
from workbench.subjects.models.trash import TrashedModels
from workbench.subjects.runs.queue import Runs

EXAM_ENDS_S = 30.0


@dataclass(frozen=True, eq=False)
class Models:
    _folders: ModelFolders
    _catalogue: ModelCatalogue
    _checksums: Checksums
    _backend: LlamaCppBackend
    _runs: Runs
    _changes: ChangeNotifier
    _preferences: Preferences
    _status: Callable[[], object]
    _trash: TrashedModels
    _trash_endpoint: Callable[[ModelRecord, bool], None] = lambda model, was_default: None
    _prepare: Callable[[ModelRecord], None] = lambda model: None

    def handlers(self) -> Handlers:
        return {
            calls.RegisterStarter: self.register_starter,
            calls.ListModels: unary(self.list_models),
            calls.ImportModel: self.import_model,
            calls.FindLocalModels: unary(self.find_local),
            calls.InspectModel: unary(self.inspect),
            calls.RemoveModel: unary(self.remove),
            calls.SetDefaultModel: unary(self.set_default),
            calls.SetProjector: unary(self.set_projector),
            calls.LoadModel: self.load,
            calls.BenchModel: self.bench,
            calls.UnloadModel: unary(self.unload),
        }

    def recover(self) -> None:
        """Delete incomplete copies of an earlier core."""
        self._folders.recover()

    def register_starter(self, call: calls.RegisterStarter, context: RequestContext) -> Iterator[Event]:
        found = yield from with_progress(
            lambda report: find_starters(self._folders.own, multilingual=True, context=context, report=report)
        )
        for model in found:
            known = self._catalogue.find(model.name)
            same = {"sha256": "", "thinking": model.thinking, "exam": None, "exam_problem": ""}
            if known is None or msgspec.structs.replace(known, **same) != model:
                self._catalogue.put(model)
                self._changes.publish("model", model.name)
        yield finish(calls.ModelList(models=found))

    def set_default(self, call: calls.SetDefaultModel) -> calls.ModelList:
        name = chat_model(call.name, self._catalogue).name if call.name else ""
        self._preferences.change({"general": {"model": name}})
        self._changes.publish("model", name)
        return self.list_models(calls.ListModels())

    def set_projector(self, call: calls.SetProjector) -> ModelRecord:
        model = local_model(call.name, self._catalogue)
        path = str(absolute_path(call.path)) if call.path else ""
        if path:
            describe_projector(Path(path))
            width = inspect_path(Path(model.path)).embedding_length
            if not makes_embeddings_of(Path(path), width):
                raise UserError(
                    f"The image encoder {Path(path).name} belongs to another model: it makes no embeddings of the "
                    f"width {width:,}, which {model.name} has.",
                    "Choose the projector (mmproj) file that was published with this model.",
                )
        model = msgspec.structs.replace(model, projector=path)
        self._catalogue.put(model)
        self._changes.publish("model", model.name)
        return model

    def list_models(self, call: calls.ListModels) -> calls.ModelList:
        default = self._catalogue.default()
        return calls.ModelList(
            default=default.name if default is not None else "",
            models=tuple(
                msgspec.structs.replace(model, missing=is_missing(model), thinking=_has_thinking_switch(model))
                for model in self._catalogue.list_models()
            ),
            starter_hint=starter_hint(),
        )

    def import_model(self, call: calls.ImportModel, context: RequestContext) -> Iterator[Event]:
        path = absolute_path(call.path)
        there = self._catalogue.list_models()
        if not call.copy:
            _check_new(path, there)
        taken = [model.name for model in there]
        folder = self._folders.use(self._folders.for_new()) if call.copy else self._folders.own

        def work(report: Callable[[Event], None]) -> ModelRecord:
            return import_model(
                path,
                folder,
                self._checksums,
                taken=taken,
                name=call.name,
                copy=call.copy,
                context=context,
                report=report,
            )

        model = yield from with_progress(work)
        if self._catalogue.find(model.name) is not None:  # taken during the copy
            names = [known.name for known in self._catalogue.list_models()]
            model = msgspec.structs.replace(model, name=unique_name(model.name, names, model.quantization))
        self._catalogue.put(model)
        self._changes.publish("model", model.name)
        self._prepare(model)
        yield finish(model)

    def find_local(self, call: calls.FindLocalModels) -> calls.LocalModels:
        known = {
            os.path.realpath(file): model.name
            for model in self._catalogue.list_models()
            for file in (model.path, *model.files)
        }
        return calls.LocalModels(
            models=tuple(
                msgspec.structs.replace(found, known=known.get(os.path.realpath(found.path), ""))
                for found in find_local_models(default_roots())
            )
        )

    def inspect(self, call: calls.InspectModel) -> ModelDetails:
        known = self._catalogue.find(call.name)
        if known is None and not Path(call.name).expanduser().is_absolute():
            known = self._catalogue.get(call.name)  # names the existing ones
        if known is not None and known.endpoint is not None:
            return ModelDetails(model=known)
        details = inspect_path(Path(known.path if known is not None else call.name).expanduser())
        return details if known is None else msgspec.structs.replace(details, model=known)

    def remove(self, call: calls.RemoveModel) -> ModelRecord:
        model = self._catalogue.get(call.name)
        for run in self._runs.list_open():
            if run.config.get("model") != model.name:
                continue
            if run.kind == "exam":
                self._runs.stop(run.id, EXAM_ENDS_S)
            else:
                raise UserError(f"The run {run.title!r} is using {model.name}.", "Stop it first, or wait for its end.")
        loaded = self._backend.loaded
        if loaded is not None and loaded[0] == model.name:
            self._backend.unload()
        default = self._catalogue.default()
        if default is not None and default.name == model.name:  # a later model of that name is another one
            self._preferences.change({"general": {"model": ""}})
        was_default = default is not None and default.name == model.name
        if model.endpoint is not None:
            self._trash_endpoint(model, was_default)
        elif model.unreadable:
            self._catalogue.remove(model.name)
        else:
            self._trash.put(model, was_default)
        self._changes.publish("model", model.name)
        return model

    def load(self, call: calls.LoadModel, context: RequestContext) -> Iterator[Event]:
        model = local_model(call.name, self._catalogue)
        if call.anyway:
            self._backend.allow_anyway(model.path)
        with self._backend.lease(model, ModelUse(), context) as loading:
            yield from loading
        yield finish(self._status())

    def bench(self, call: calls.BenchModel, context: RequestContext) -> Iterator[Event]:
        """Other answers wait: work beside a measurement would be measured too."""
        model = local_model(call.name, self._catalogue)
        measure = MeasureSpeed(
            prompt_tokens=call.prompt_tokens, new_tokens=call.new_tokens, sequences=call.sequences, rounds=call.rounds
        )

        def work(report: Callable[[Event], None]) -> calls.Benchmark:
            began = 0.0

            def note(event: Event) -> None:
                nonlocal began
                if isinstance(event, Progress) and event.stage == LOADING and not began:
                    began = time.perf_counter()
                report(event)

            with self._backend.lease(model, ModelUse(), context, alone=True) as loading:
                leased = drain(loading, note)
                load_seconds = time.perf_counter() - began
                speed = leased.measure_speed(measure, report)
                loaded = leased.loaded
            return calls.Benchmark(
                model=model.name,
                prompt=speed.prompt,
                alone=speed.alone,
                together=speed.together,
                sequences=speed.sequences,
                prompt_tokens=call.prompt_tokens,
                new_tokens=call.new_tokens,
                load_seconds=load_seconds,
                device=loaded.device,
                threads=loaded.threads,
                choice=loaded.choice,
                engine=loaded.engine,
            )

        yield finish((yield from with_progress(work)))

    def unload(self, call: calls.UnloadModel) -> object:
        self._backend.unload()
        return self._status()


def _check_new(path: Path, there: Sequence[ModelRecord]) -> None:
    """Raises UserError when a model of the catalogue has the same files."""
    real = os.path.realpath(path)
    for model in there:
        if model.endpoint is None and real in (os.path.realpath(file) for file in (model.path, *model.files)):
            raise UserError(
                f"{path} is in the catalogue already, as {model.name!r}.",
                "Use that one. For another name, remove it first, or import a copy.",
            )


def _has_thinking_switch(model: ModelRecord) -> bool:
    """False for a model that cannot be read: the error is shown when it is used."""
    try:
        return (
            model.kind == "chat"
            and model.endpoint is None
            and _thinking_of(model.path, os.stat(model.path).st_mtime_ns)
        )
    except (OSError, UserError):
        return False


@lru_cache(maxsize=256)
def _thinking_of(path: str, changed: int) -> bool:
    return inspect_path(Path(path)).model.thinking
