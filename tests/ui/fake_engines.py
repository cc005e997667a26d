"""The engines of the fake core: those whose names say so do not pass their test."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from tests.ui.fake_home import FakeHome
from workbench import calls as c
from workbench.api import events
from workbench.base.errors import UserError
from workbench.records.engines import BUNDLED, EngineOffer, EngineRecord, EngineState, EngineTest

PASSED = EngineTest(
    build="llama.cpp 0.6.0 (llama-cpp-python 0.3.37)", tokens=64, same_tokens=64, speed=33.1, bundled_speed=31.8,
    seconds=14.2,
)  # fmt: skip
CRASHED = EngineTest(
    problem="It crashed while loading a model (signal 4: the processor lacks an instruction that it uses).",
    step="loading a model",
)
OFFERS = (
    EngineOffer(version="0.3.38", wheel=True, bytes=24_200_000),
    EngineOffer(version="0.3.37", wheel=False, bytes=76_600_000),
    EngineOffer(version="0.3.36", wheel=False, bytes=76_600_000),
)
BUNDLED_REASON = "Models are computed by the engine that the program came with."


def engine(version: str, test: EngineTest | None = PASSED, **more: Any) -> EngineRecord:
    source = f"llama_cpp_python-{version}-py3-none-linux_x86_64.whl"
    return EngineRecord(
        name=version, version=f"llama-cpp-python {version}", source=source, bytes=24_700_000, test=test, **more
    )


def do(home: FakeHome, call: Any) -> tuple[Any, list[tuple[str, str]]] | None:
    """The result of a call, and what it changed; None for calls of others."""
    match call:
        case c.GetEngines():
            return home.engines, []
        case c.FindEngines():
            if not home.settings.network.packages:
                raise UserError("The network is switched off for packages of the program.", "Switch it on.")
            return c.EngineOffers(engines=OFFERS), []
        case c.AddEngine():
            return _added(home, call)
        case c.UseEngine():
            return _used(home, call.name), [("worker", "")]
        case c.TryEngine():
            return _tested(home, call.name), [("worker", "")]
        case c.RemoveEngine():
            left = tuple(one for one in home.engines.engines if one.name != call.name)
            home.engines = msgspec.structs.replace(home.engines, engines=left)
            if home.engines.used == call.name:
                _used(home, BUNDLED)
            return home.engines, [("worker", "")]
        case c.DismissEngineNotice():
            home.engines = msgspec.structs.replace(home.engines, notice="")
            return None, []
    return None


def _added(home: FakeHome, call: c.AddEngine) -> tuple[c.RunRecord, list[tuple[str, str]]]:
    """A run that is at its end at once. A file with "broken" in its name does not pass."""
    test = CRASHED if "broken" in call.path else PASSED
    version = call.version or "0.3.37"
    engines = {one.name: one for one in home.engines.engines} | {version: engine(version, test)}
    home.engines = msgspec.structs.replace(home.engines, engines=tuple(engines.values()))
    if not test.problem:
        _used(home, version)
    plain = msgspec.to_builtins({"name": version, "test": test, "used": not test.problem})
    run = c.RunRecord(
        id=f"r{next(home.numbers)}", kind="engine", title=f"Engine {Path(call.path).name or version}",
        state="finished", created=time.time(), ended=time.time(), result=plain,
    )  # fmt: skip
    told = (events.Progress(stage="compiling", done=12, total=194), events.Finished(result=plain))
    home.runs[run.id] = run
    home.run_events[run.id] = [events.stamped(event, n, time.time()) for n, event in enumerate(told, 1)]
    return run, [("run", run.id), ("worker", "")]


def _used(home: FakeHome, name: str) -> EngineState:
    reason = BUNDLED_REASON if name == BUNDLED else f"Models are computed by the engine {name}."
    home.engines = msgspec.structs.replace(home.engines, chosen=name, used=name, reason=reason)
    return home.engines


def _tested(home: FakeHome, name: str) -> EngineState:
    engines = tuple(
        msgspec.structs.replace(one, test=PASSED, outdated=False) if one.name == name else one
        for one in home.engines.engines
    )
    home.engines = msgspec.structs.replace(home.engines, engines=engines)
    return home.engines
