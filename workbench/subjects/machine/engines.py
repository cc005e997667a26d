"""The engines of a home: which one models are computed with, tested before it is used, and given up when it fails.

An engine is used only while its last self-test passed and still holds: for these files, this program, this processor.
Otherwise the bundled one computes, and the reason is kept and shown.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import msgspec

from workbench import __version__
from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.base.errors import UserError, WorkerDied, exit_reason, was_crash
from workbench.base.installation import base_release, has_image_library
from workbench.base.paths import Home
from workbench.base.stored import Unreadable
from workbench.core.streams import Handlers, unary
from workbench.engine.machine import read_machine
from workbench.processes.host import State
from workbench.processes.process import ENGINE_VARIABLE
from workbench.records.engines import BUNDLED, EngineChoice, EngineRecord, EngineState, EngineTest
from workbench.records.runtime import PackManifest
from workbench.subjects.machine import calls
from workbench.subjects.machine.engine_store import EngineStore
from workbench.subjects.machine.engine_trial import Report, try_engine
from workbench.subjects.machine.signatures import OWN_KEYS, trusted_keys
from workbench.subjects.machine.trial import MakeHost

_BUNDLED_USED = "Models are computed by the engine that the program came with."
_NOT_TESTED = "it has not been tested with this version of the program on this processor"
_log = logging.getLogger(__name__)


class Engines:
    """``make_host`` makes an inference worker with more environment, ``find_model`` gives the path of a small model for
    text generation or "", ``restart`` ends the present worker once it is not in use; ``changed`` is called after every
    change."""

    def __init__(
        self,
        home: Home,
        make_host: MakeHost,
        find_model: Callable[[], str],
        restart: Callable[[], None],
        changed: Callable[[], None],
        *,
        program: str = "",
        processor: str = "",
    ) -> None:
        self.store = EngineStore(home.engines, lambda: trusted_keys("packs", OWN_KEYS, home.trusted_keys))
        self._make_host, self._find_model = make_host, find_model
        self._restart, self._changed = restart, changed
        self._program = program or describe_program()
        self._processor = processor or read_machine(home.root).processor
        self._lock = threading.RLock()
        self._trying = threading.Lock()
        self._active = ""  # the engine that the present inference worker was started with
        known = self.store.choice()
        self._unread = known.reason if isinstance(known, Unreadable) else ""
        self._choice = known if isinstance(known, EngineChoice) else EngineChoice()

    def handlers(self) -> Handlers:
        return {
            calls.GetEngines: unary(lambda call: self.state()),
            calls.UseEngine: self.use,
            calls.TryEngine: self.test,
            calls.RemoveEngine: unary(self.remove),
            calls.DismissEngineNotice: unary(self.dismiss),
        }

    def state(self) -> EngineState:
        with self._lock:
            used, reason = self._judge()
            return EngineState(
                engines=tuple(map(self._record, self.store.list_engines())),
                chosen=self._choice.engine,
                used=used,
                reason=reason,
                notice=self._choice.notice,
                bundled=base_release(),
                bundled_images=has_image_library(),
            )

    def base(self) -> str:
        """The llama.cpp that a runtime pack must be of to be used now."""
        with self._lock:
            used, _ = self._judge()
            return base_release() if used == BUNDLED else self.store.find(used).base

    def environment(self) -> dict[str, str]:
        """What a worker that starts now imports llama.cpp from; {} for the bundled one."""
        with self._lock:
            used, _ = self._judge()
            return {} if used == BUNDLED else {ENGINE_VARIABLE: str(self.store.place(used))}

    def inference_environment(self) -> dict[str, str]:
        """As ``environment``, for the process that ``on_state`` follows."""
        with self._lock:
            found = self.environment()
            self._active = self._choice.engine if found else ""
            if not found and not self._choice.stopped and (problem := self._problem()):
                self._give_up(problem)
            return found

    def on_state(self, state: State, death: WorkerDied | None) -> None:
        """Follows the inference worker: when it crashes with an engine, the next one starts with the bundled one."""
        with self._lock:
            if state != "dead" or not self._active or self._active != self._choice.engine:
                return
            name, self._active = self._active, ""
            if death is None or not was_crash(death.exit_code):  # killed, for want of memory or by somebody
                return
            crashed = f"The model process crashed with the engine {name} ({exit_reason(death.exit_code)})."
            self._give_up(f"{crashed} The bundled engine computes now.")

    def watch(self, context: RequestContext) -> None:
        """When the core starts: repeat the test of a chosen engine that no longer holds. The bundled engine computes
        meanwhile."""
        name = self._choice.engine
        if name == BUNDLED or self._choice.stopped:
            return
        if problem := self._problem():
            self._give_up(problem)
        elif not self._holds(name):
            self._settle(name, self.try_out(self.store.find(name), lambda step: None, context))

    # -- calls ---------------------------------------------------------------------------------------

    def use(self, call: calls.UseEngine, context: RequestContext) -> Iterator[Event]:
        if call.name != BUNDLED:
            manifest = self.store.find(call.name)
            self.store.check_usable(manifest)
            failed_since = self._choice.engine == manifest.name and self._choice.stopped
            if failed_since or not self._holds(manifest.name):
                test = yield from self._streamed(manifest, context)
                if test.problem:
                    raise UserError(f"The engine {manifest.name} is not used. {test.problem}", _TEST_HINT)
        self.choose(call.name)
        yield finish(self.state())

    def test(self, call: calls.TryEngine, context: RequestContext) -> Iterator[Event]:
        manifest = self.store.find(call.name)
        self._settle(manifest.name, (yield from self._streamed(manifest, context)))
        yield finish(self.state())

    def remove(self, call: calls.RemoveEngine) -> EngineState:
        manifest = self.store.find(call.name)
        if self._choice.engine == manifest.name:
            self.choose(BUNDLED)
        self.store.remove(manifest.name)
        self._changed()
        return self.state()

    def dismiss(self, call: calls.DismissEngineNotice) -> None:
        with self._lock:
            if self._choice.notice:
                self._save(msgspec.structs.replace(self._choice, notice=""))

    # -- what runs use -------------------------------------------------------------------------------

    def choose(self, name: str) -> None:
        """Use an engine that has passed, or the bundled one, from the next start of a worker on."""
        with self._lock:
            self._save(EngineChoice(engine=name))
        self._restart()

    def try_out(self, manifest: PackManifest, report: Report, context: RequestContext) -> EngineTest:
        """Test an engine and keep the result with it. Raises UserError while another one is tested, and Cancelled."""
        if not self._trying.acquire(blocking=False):
            raise UserError("An engine is being tested already.", "Wait for its end.")
        try:
            try:
                self.store.check_unchanged(manifest)
                test = try_engine(
                    self._make_host, self.store.place(manifest.name), self._find_model(), report=report, context=context
                )
            except UserError as error:
                test = EngineTest(problem=error.message)
            test = msgspec.structs.replace(
                test, engine=self.store.digest(manifest.name), program=self._program, processor=self._processor
            )
            try:
                self.store.save_test(manifest.name, test)
            except OSError as error:
                raise UserError(f"The result of the test cannot be written: {error.strerror or error}.") from error
        finally:
            self._trying.release()
        self._changed()
        return test

    def _settle(self, name: str, test: EngineTest) -> None:
        """Use the chosen engine that was tested, or give it up."""
        if self._choice.engine != name:
            return
        if test.problem:
            self._give_up(_failed(name, test))
            self._restart()
        else:
            self.choose(name)

    def _streamed(self, manifest: PackManifest, context: RequestContext) -> Generator[Event, None, EngineTest]:
        def work(report: Callable[[Event], None]) -> EngineTest:
            return self.try_out(manifest, lambda step: report(Progress(stage=step)), context)

        return (yield from with_progress(work))

    # -- the choice ----------------------------------------------------------------------------------

    def _judge(self) -> tuple[str, str]:
        """The engine that is used now, and why, as a sentence."""
        name, stopped = self._choice.engine, self._choice.stopped
        if name == BUNDLED:
            return BUNDLED, f"{self._unread} {_BUNDLED_USED}".strip()
        if stopped:
            return BUNDLED, stopped
        if problem := self._problem():
            return BUNDLED, problem
        if not self._holds(name):
            return BUNDLED, f"The engine {name} is not used yet: {_NOT_TESTED}. The bundled engine computes meanwhile."
        return name, f"Models are computed by the engine {name} ({self.store.find(name).base})."

    def _problem(self) -> str:
        """Why the chosen engine cannot be used, "" where nothing speaks against it yet."""
        name = self._choice.engine
        if name == BUNDLED:
            return ""
        try:
            self.store.check_usable(self.store.find(name))
        except UserError as error:
            return f"{error.message} The bundled engine computes instead."
        test = self.store.test_of(name)
        return _failed(name, test) if test is not None and test.problem and self._is_current(name, test) else ""

    def _holds(self, name: str) -> bool:
        """Whether an engine has passed, and the result still holds."""
        test = self.store.test_of(name)
        return test is not None and not test.problem and self._is_current(name, test)

    def _is_current(self, name: str, test: EngineTest) -> bool:
        wanted = (self.store.digest(name), self._program, self._processor)
        return (test.engine, test.program, test.processor) == wanted

    def _record(self, manifest: PackManifest) -> EngineRecord:
        test = self.store.test_of(manifest.name)
        return EngineRecord(
            name=manifest.name,
            version=manifest.base,
            source=manifest.source,
            signed=self.store.is_signed(manifest.name),
            bytes=sum(file.bytes for file in manifest.files),
            test=test,
            outdated=test is not None and not self._is_current(manifest.name, test),
        )

    def _give_up(self, reason: str) -> None:
        _log.warning("%s", reason)
        with self._lock:
            self._save(msgspec.structs.replace(self._choice, stopped=reason, notice=reason))

    def _save(self, choice: EngineChoice) -> None:
        self._choice, self._unread = choice, ""
        try:
            self.store.save_choice(choice)
        except OSError as error:  # it holds for this process all the same
            _log.warning("The choice of the engine cannot be written: %s", error)
        self._changed()


def describe_program() -> str:
    """What a test holds for: the version of the program, the bundled engine, and the source that calls an engine."""
    digest = hashlib.sha256()
    for file in sorted((Path(__file__).parents[2] / "engine").glob("*.py")):
        digest.update(file.read_bytes())
    return f"{__version__}, {base_release()}, {digest.hexdigest()[:12]}"


_TEST_HINT = "The engine that was used before goes on."


def _failed(name: str, test: EngineTest) -> str:
    return f"The engine {name} did not pass its test, so the bundled engine computes: {test.problem}"
