"""Makes the parts of the machine and joins them."""

from __future__ import annotations

from workbench.base.settings import Settings
from workbench.core.foundation import Foundation
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.machine.computing import Computing
from workbench.subjects.machine.diagnosis import Diagnosing
from workbench.subjects.machine.engine_runs import KIND as ENGINE_KIND
from workbench.subjects.machine.engine_runs import AddingEngines, EngineRuns
from workbench.subjects.machine.pack_downloads import release_handlers
from workbench.subjects.machine.status import Program
from workbench.subjects.machine.training_folder import recover
from workbench.subjects.machine.training_setup import KIND, TrainingSetup
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject


def wire(base: Foundation, computing: Computing, embedding: Embedding, program: Program, runs: Runs) -> Subject:
    def settings() -> Settings:
        return base.settings

    recover(base.home)
    computing.engines.store.clean()
    setup = TrainingSetup(base, runs, computing.training)
    diagnosing = Diagnosing(
        base.home, base.preferences, computing.llama_cpp, embedding, computing.training, computing.packs,
        computing.engines,
    )  # fmt: skip
    return Subject(
        handlers={
            **program.handlers(),
            **computing.packs.handlers(),
            **computing.engines.handlers(),
            **AddingEngines(runs, base.gate, settings).handlers(),
            **diagnosing.handlers(),
            **setup.handlers(),
            **release_handlers(base.home, base.gate, computing.packs),
        },
        kinds={KIND: setup, ENGINE_KIND: EngineRuns(base.home, computing.engines, base.gate, settings)},
        watches={"engines": computing.engines.watch},
        hosts=(computing.llama_cpp.host,),
        close=(computing.llama_cpp.host.close, computing.forget_training),
    )
