"""Runtime packs of a home: installed, tried, chosen, and given up when they fail, each time with the reason."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError, WorkerDied
from workbench.base.installation import base_release
from workbench.base.paths import Home, absolute_path
from workbench.base.stored import Unreadable
from workbench.core.streams import Handlers, unary
from workbench.processes.host import State
from workbench.processes.process import PACK_VARIABLE, TORCH_VARIABLE
from workbench.records.runtime import BACKENDS, CHOICE, PackManifest, RuntimeChoice, Trial
from workbench.subjects.machine import calls
from workbench.subjects.machine.packs import (
    check_fits,
    check_installed,
    check_whole,
    driver_version,
    find_pack,
    install_pack,
    list_packs,
    missing_driver,
    remove_pack,
)
from workbench.subjects.machine.signatures import OWN_KEYS, trusted_keys
from workbench.subjects.machine.torch_trial import try_torch
from workbench.subjects.machine.trial import MakeHost, try_library
from workbench.subjects.models.starter import find_starters
from workbench.subjects.models.store import ModelCatalogue, is_missing

PROCESSOR = "No runtime pack is installed, so the processor computes."
_TORCH_PROCESSOR = "You chose the processor for search and training."
_log = logging.getLogger(__name__)


class RuntimePacks:
    """``make_host`` makes an inference worker with more environment; ``restart`` ends the present one once it is not in
    use; ``changed`` is called after every change."""

    def __init__(
        self,
        home: Home,
        catalogue: ModelCatalogue,
        make_host: MakeHost,
        restart: Callable[[], None],
        changed: Callable[[], None],
        base: Callable[[], str] = base_release,
    ) -> None:
        self._home, self._catalogue = home, catalogue
        self._make_host, self._restart, self._changed = make_host, restart, changed
        self.base = base
        self._lock = threading.RLock()
        self._trying = threading.Lock()
        self._active = ""  # the pack that the present process was started with
        known = CHOICE.load(home.runtime)
        unread = isinstance(known, Unreadable)
        self._choice = known if isinstance(known, RuntimeChoice) else RuntimeChoice(reason=PROCESSOR)
        if unread:
            self._choice = RuntimeChoice(reason=f"{known.reason} The processor computes.")  # type: ignore[union-attr]

    def handlers(self) -> Handlers:
        return {
            calls.GetRuntime: unary(lambda call: self.state()),
            calls.InstallPack: self.install,
            calls.TryPack: self.try_again,
            calls.UseProcessor: unary(self.use_processor),
            calls.RemovePack: unary(self.remove),
        }

    def state(self) -> calls.RuntimeState:
        packs, choice = tuple(list_packs(self._home.packs)), self._choice
        base = self.base()
        for pack in packs:
            if pack.name == choice.pack and pack.base != base:
                reason = (
                    f"The runtime pack {pack.name} belongs to {pack.base}; the engine in use is {base}. The "
                    "processor computes instead."
                )
                choice = msgspec.structs.replace(choice, pack="", reason=reason)
        return calls.RuntimeState(packs=packs, choice=choice)

    def environment(self) -> dict[str, str]:
        """What an inference worker that starts now is given: the library of the chosen pack, where it is still whole.
        Else the choice becomes the processor, with the reason. A pack of another llama.cpp than that of the engine in
        use waits for its own."""
        with self._lock:
            self._active = ""
            name = self._choice.pack
            if not name:
                return {}
            try:
                manifest = find_pack(self._home.packs, name)
                if manifest.base != self.base():
                    return {}
                check_fits(manifest, self.base(), self._home.training)
                check_installed(self._home.packs, manifest, self._keys())
            except UserError as error:
                self._give_up(f"{error.message} The processor computes instead.")
                return {}
            self._active = name
            return {PACK_VARIABLE: str(self._home.packs / name / manifest.library)}

    def torch_environment(self) -> dict[str, str]:
        """What a worker that starts now computes with: the chosen pack's torch, where it is still whole and replaces
        the program's. Else the choice becomes the program's own, with the reason."""
        with self._lock:
            if not (name := self._choice.torch):
                return {}
            try:
                manifest = find_pack(self._home.packs, name)
                check_fits(manifest, self.base(), self._home.training)
                check_whole(self._home.packs, manifest)
            except UserError as error:
                reason = f"{error.message} Search and training compute on the processor instead."
                self._save(msgspec.structs.replace(self._choice, torch="", torch_reason=reason))
                return {}
            return {TORCH_VARIABLE: str(self._home.packs / name)}

    def on_state(self, state: State, death: WorkerDied | None) -> None:
        """Follows the inference worker: after a crash with a pack, the next one starts without it."""
        with self._lock:
            if state != "dead" or not self._active or self._active != self._choice.pack:
                return
            name, self._active = self._active, ""
            code = f" (exit code {death.exit_code})" if death is not None and death.exit_code is not None else ""
            self._give_up(
                f"The model process crashed{code} while it used the runtime pack {name}; now the processor computes. "
                f"Check its driver, then try the pack again."
            )

    # -- calls ---------------------------------------------------------------------------------------

    def install(self, call: calls.InstallPack, context: RequestContext) -> Iterator[Event]:
        path = absolute_path(call.path)
        yield Progress(stage="checking the pack")
        manifest = install_pack(path, self._home.packs, self._keys(), self.base(), self._home.training)
        yield from self._try(manifest, context)

    def try_again(self, call: calls.TryPack, context: RequestContext) -> Iterator[Event]:
        manifest = find_pack(self._home.packs, call.name)
        yield from self._try(manifest, context)

    def use_processor(self, call: calls.UseProcessor) -> calls.RuntimeState:
        with self._lock:
            torch_reason = _TORCH_PROCESSOR if self._choice.torch else self._choice.torch_reason
            self._choose(
                msgspec.structs.replace(
                    self._choice, pack="", torch="", reason="You chose the processor.", torch_reason=torch_reason
                )
            )
        return self.state()

    def remove(self, call: calls.RemovePack) -> calls.RuntimeState:
        manifest = find_pack(self._home.packs, call.name)
        with self._lock:
            trials = {name: trial for name, trial in self._choice.trials.items() if name != manifest.name}
            if self._choice.torch == manifest.name:
                reason = f"The pack {manifest.name} was removed; search and training compute on the processor."
                self._save(msgspec.structs.replace(self._choice, torch="", torch_reason=reason, trials=trials))
            elif self._choice.pack == manifest.name:
                reason = f"The runtime pack {manifest.name} was removed; the processor computes."
                self._choose(msgspec.structs.replace(self._choice, pack="", reason=reason, trials=trials))
            else:
                self._save(msgspec.structs.replace(self._choice, trials=trials))
        remove_pack(self._home.packs, manifest.name)
        return self.state()

    def _try(self, manifest: PackManifest, context: RequestContext) -> Iterator[Event]:
        if not self._trying.acquire(blocking=False):
            raise UserError("A runtime pack is being tried already.", "Wait for its end.")
        try:
            yield Progress(stage=f"trying {BACKENDS[manifest.backend]}")
            trial = self._trial(manifest, context)
        finally:
            self._trying.release()
        name = BACKENDS[manifest.backend]
        with self._lock:
            trials = {**self._choice.trials, manifest.name: trial}
            if manifest.backend == "torch-cuda":
                self._choose_torch(manifest.name, trial, trials)
            elif trial.problem and self._choice.pack not in ("", manifest.name):
                self._save(msgspec.structs.replace(self._choice, trials=trials))  # the one in use stays
            elif trial.problem:
                reason = f"The {name} pack is not used, and the processor computes: {trial.problem}"
                self._choose(self._chosen(pack="", reason=reason, trials=trials))
            else:
                reason = (
                    f"{name} on {trial.device} computes: {trial.speed:.1f} tokens per second, the processor "
                    f"{trial.processor_speed:.1f}."
                )
                self._choose(self._chosen(pack=manifest.name, reason=reason, trials=trials))
        yield finish(self.state())

    def _trial(self, manifest: PackManifest, context: RequestContext) -> Trial:
        try:
            check_fits(manifest, self.base(), self._home.training)
            check_installed(self._home.packs, manifest, self._keys())
            driver = driver_version(manifest.backend)
            if problem := missing_driver(manifest, driver):
                return Trial(driver=driver, problem=problem)
            if manifest.backend == "torch-cuda":
                return try_torch(self._home.packs / manifest.name, driver=driver, context=context)
            library = str(self._home.packs / manifest.name / manifest.library)
            return try_library(self._make_host, library, self._model(), driver=driver, context=context)
        except UserError as error:
            return Trial(problem=str(error))

    def _model(self) -> str:
        """Raises UserError where there is no chat model."""
        found = smallest_model(self._home, self._catalogue)
        if not found:
            raise UserError("There is no chat model to try the runtime pack with.", "Add a model, then try it again.")
        return found

    # -- the choice ----------------------------------------------------------------------------------

    def _keys(self) -> dict[str, bytes]:
        return trusted_keys("packs", OWN_KEYS, self._home.trusted_keys)

    def _chosen(self, **changes: object) -> RuntimeChoice:
        return msgspec.structs.replace(self._choice, base=self.base(), **changes)

    def _choose_torch(self, name: str, trial: Trial, trials: dict[str, Trial]) -> None:
        """Workers that run go on with what they started with."""
        used = "" if trial.problem else name
        reason = f"Search and training compute on {trial.device} from their next start on."
        if trial.problem:
            reason = f"The pack {name} is not used; search and training compute on the processor: {trial.problem}"
        if trial.problem and self._choice.torch not in ("", name):  # the one in use stays
            used, reason = self._choice.torch, self._choice.torch_reason
        self._save(msgspec.structs.replace(self._choice, torch=used, torch_reason=reason, trials=trials))

    def _choose(self, choice: RuntimeChoice) -> None:
        before = self._choice.pack
        self._save(choice)
        if choice.pack != before or choice.pack:
            self._restart()

    def _give_up(self, reason: str) -> None:
        _log.warning("%s", reason)
        self._save(msgspec.structs.replace(self._choice, pack="", reason=reason))

    def _save(self, choice: RuntimeChoice) -> None:
        self._choice = choice
        try:
            CHOICE.save(self._home.runtime, choice)
        except OSError as error:  # it holds for this process all the same
            _log.warning("%s cannot be written: %s", self._home.runtime, error)
        self._changed()


def smallest_model(home: Home, catalogue: ModelCatalogue) -> str:
    """The path of the smallest chat model that is there as GGUF, or of a starter; "" where there is none."""
    known = [one for one in catalogue.list_models() if one.kind == "chat" and not is_missing(one)]
    known = [one for one in known if Path(one.path).suffix == ".gguf"]
    if not known:
        try:
            known = [one for one in find_starters(home.models) if one.kind == "chat"]
        except UserError:
            known = []
    return min(known, key=lambda one: one.bytes).path if known else ""
