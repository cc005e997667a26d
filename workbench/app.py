"""Workbench: the one object that owns a home folder: its storage, its workers, its runs.

The core process holds it (``python -m workbench.app``), and tests directly. Each service answers its own calls; this
module only wires them.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench import calls, methods
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, failure_of
from workbench.api.service import CoreProgram, run_core
from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.backends.openai_compatible import NAME as REMOTE
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.core.background import Background
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.preferences import Preferences
from workbench.core.streams import Handler
from workbench.network.gate import Gate
from workbench.network.request_log import RequestLog
from workbench.network.secrets import Secrets
from workbench.processes.host import State, WorkerHost
from workbench.storage.database import open_home
from workbench.subjects.adapters.artifact_registry import ArtifactRegistry
from workbench.subjects.adapters.base_models import BaseModels
from workbench.subjects.adapters.export_run import ExportRuns
from workbench.subjects.adapters.runs import MergeRuns, QuantizeRuns
from workbench.subjects.adapters.service import Adapters
from workbench.subjects.adapters.store import AdapterStore
from workbench.subjects.adapters.trained_data import TrainedData
from workbench.subjects.agents.mcp import McpHub
from workbench.subjects.agents.memory import Memory
from workbench.subjects.agents.service import Agents
from workbench.subjects.agents.store import FactStore
from workbench.subjects.agents.tables import TableFiles
from workbench.subjects.agents.tools import AgentTools
from workbench.subjects.answering.resolver import HomeServices, Resolver
from workbench.subjects.backup.restoring import put_in_place
from workbench.subjects.backup.service import Backups
from workbench.subjects.chats.answers import Answers, TaskConfig
from workbench.subjects.chats.inspection import Inspecting
from workbench.subjects.chats.runs import TaskRuns
from workbench.subjects.chats.service import Chats
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.costs.service import Costs
from workbench.subjects.datasets.runs import DataRuns
from workbench.subjects.datasets.service import DataSets
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.documents.calls import AddDocuments
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.folder_watcher import Watching, changed_since
from workbench.subjects.documents.runs import Ingesting, Passwords
from workbench.subjects.documents.service import Documents
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.endpoints.sending import SendingGate
from workbench.subjects.endpoints.service import Endpoints
from workbench.subjects.endpoints.store import EndpointStore
from workbench.subjects.evaluation.benchmark_service import BenchmarkFiles, BenchmarkRuns
from workbench.subjects.evaluation.exam import Examiner
from workbench.subjects.evaluation.exam_run import ExamRuns
from workbench.subjects.evaluation.optimise_run import OptimiseRuns
from workbench.subjects.evaluation.optimising import Optimising
from workbench.subjects.evaluation.question_sets import QuestionSets
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.runs import EvaluateRuns
from workbench.subjects.evaluation.service import Evaluations
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.judgements.file_service import JudgementFiles
from workbench.subjects.judgements.judging.runs import JudgingRuns
from workbench.subjects.judgements.judging.service import JudgingService
from workbench.subjects.judgements.labelling import Labelling
from workbench.subjects.judgements.prompt_source import PromptSource
from workbench.subjects.judgements.runs import CandidateRuns
from workbench.subjects.judgements.service import ChatJudgements, Judgements
from workbench.subjects.judgements.store import JudgementStore, QueueStore
from workbench.subjects.machine.diagnosis import Diagnosing
from workbench.subjects.machine.pack_downloads import release_handlers
from workbench.subjects.machine.service import RuntimePacks
from workbench.subjects.machine.status import Program
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.fitting import Fitting
from workbench.subjects.models.hub import Hub
from workbench.subjects.models.hub_service import TOKEN, HubService
from workbench.subjects.models.runs import DownloadRuns
from workbench.subjects.models.service import Models
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.models.suggesting import Suggesting
from workbench.subjects.network_log.service import NetworkRequests
from workbench.subjects.prompts.service import Demonstrations, Prompts
from workbench.subjects.prompts.store import DemonstrationStore, PromptStore
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import RunKind
from workbench.subjects.runs.queue import Runs
from workbench.subjects.runs.store import RunStore
from workbench.subjects.serving.service import Serving
from workbench.subjects.trainings.judges import TrainingJudges
from workbench.subjects.trainings.runs import TrainingRuns
from workbench.subjects.trainings.service import Training
from workbench.techniques.tools.sandbox_host import Sandbox
from workbench.training.worker_host import HostMaker, TrainingWorkers

__all__ = ["Workbench"]

IDLE_CHECK_S, MINUTE_S = 15.0, 60.0
_log = logging.getLogger(__name__)


class Workbench:
    """Everything of one home. At most one may exist per home, which the service's lock ensures.

    ``commands`` replaces the command line of a worker (``inference``, ``embedding``, ``training``), for tests. Raises
    UserError when the home's database cannot be read.
    """

    def __init__(self, home: Home, *, commands: Mapping[str, Sequence[str]] | None = None) -> None:
        home.create()
        self.home = home
        self._commands = commands or {}
        self._changes = ChangeNotifier()
        self._preferences = Preferences(home, self._changes)
        self._database = open_home(home)
        self._registry = CollectionRegistry(self._database)
        checksums = Checksums(home.models / "checksums.json")
        catalogue = ModelCatalogue(
            self._database, home.models, lambda: self._preferences.current.general.model, checksums.known
        )
        self._packs = RuntimePacks(
            home, catalogue, self._make_trial_host, self._restart_inference, lambda: self._changes.publish("worker")
        )
        self._llama_cpp = LlamaCppBackend(
            self._make_inference_host,
            lambda: self._changes.publish("worker"),
            lambda: self._preferences.current.engine,
        )
        self._background = Background()
        self._embedding = Embedding(
            home, catalogue, self._host_maker("embedding"), self._background, self._changes.publish
        )
        self._training_workers = TrainingWorkers(self._host_maker("training"), lambda: self._changes.publish("worker"))
        chats = ChatStore(self._database)
        adapter_store, sets = AdapterStore(home.adapters), DatasetStore(home.datasets)
        evaluations, questions = EvaluationStore(self._database), QuestionStore(self._database)
        memory = Memory(FactStore(self._database), self._embedding, self._changes, chats.title_of)
        self._sandbox = Sandbox(log=home.logs / "sandbox.log", command=self._commands.get("sandbox"))
        self._tables = TableFiles(lambda: self._preferences.current.documents, home.logs / "tables.log")
        requests, secrets = RequestLog(home.logs / "network.jsonl"), Secrets()
        gate = Gate(self._preferences.allows, log=requests)
        self._servers = McpHub(
            home.root / "mcp.json", gate, self._changes, secrets,
            log=home.logs / "mcp.log", command=self._commands.get("mcp"),
        )  # fmt: skip
        agent_tools = AgentTools(
            memory, self._embedding, self._sandbox, self._tables, self._servers,
            lambda: self._preferences.current.general.offline,
        )  # fmt: skip
        demonstrations = DemonstrationStore(home.demonstrations)
        sent = EndpointStore(self._database)
        sending = SendingGate(self._registry, sent)
        endpoints = Endpoints(catalogue, sending, sent, secrets, gate, self._changes)
        services = HomeServices(
            Resolver(catalogue, self._registry, home.adapters, checksums),
            sending,
            {"llama.cpp": self._llama_cpp, REMOTE: endpoints.make_backend()},
            self._embedding, catalogue, checksums, self._background, questions, agent_tools, home.recipes,
            demonstrations,
        )  # fmt: skip
        bases, judges = BaseModels(catalogue, checksums, sets), TrainingJudges(services)
        self._artifacts = ArtifactRegistry(
            adapter_store, catalogue, home.models, checksums, self._llama_cpp, self._changes
        )
        self._exports = ExportRuns(bases, self._training_workers, adapter_store)
        self._backups = Backups(home, catalogue, self._database)
        self._answers = Answers(chats, services, self._changes, self._background, self._add_task)
        prompts = Prompts(PromptStore(self._database), self._changes)
        trained = TrainedData(adapter_store, bases, self._training_workers)
        evaluating = EvaluateRuns(evaluations, services, checksums, self._changes, trained)
        passwords = Passwords()

        def hub() -> Hub:
            return Hub(gate, lambda: secrets.get(TOKEN), self._preferences.current.network.hub_address)

        judged = JudgementStore(self._database)
        queues = QueueStore(self._database, judged)
        judgements = Judgements(judged, ChatJudgements(chats, judged), sets, self._changes)
        prompt_source = PromptSource(home, chats, questions, catalogue, self._registry, self._embedding, services)
        kinds: dict[str, RunKind] = {
            "ingest": Ingesting(
                self._registry, self._embedding, self._changes, lambda: self._preferences.current.documents, passwords
            ),
            "train": TrainingRuns(home, bases, self._training_workers, adapter_store, self._artifacts, judges, trained),
            "merge": MergeRuns(bases, self._training_workers, adapter_store, self._artifacts),
            "data": DataRuns(home, sets, chats, catalogue, self._registry, self._embedding, services, self._changes),
            "export": self._exports,
            "quantize": QuantizeRuns(bases, self._training_workers, self._artifacts),
            "task": TaskRuns(self._answers, home.run),
            "exam": ExamRuns(home, catalogue, checksums, self._embedding, services, self._changes),
            "evaluate": evaluating,
            "download": DownloadRuns(home, catalogue, checksums, gate, hub, self._changes),
            "candidates": CandidateRuns(home, judged, queues, prompt_source, services, self._changes),
            "judging": JudgingRuns(home, judgements, judged, queues, services, self._changes),
            **self._backups.kinds,
            "optimise": OptimiseRuns(home, evaluating, evaluations, questions, prompts, services, self._changes),
        }
        store = RunStore(self._database, {name: (kind.config, kind.result) for name, kind in kinds.items()})
        self._runs = Runs(home, store, self._changes, kinds, self._artifacts.detach_run)
        self._watching = Watching(self._on_folder_changed, home.root)
        program = Program(
            home,
            self._preferences,
            self._llama_cpp,
            self._embedding,
            self._training_workers,
            self._runs,
            self._changes,
            methods.describe,
        )
        self._models = Models(
            home,
            catalogue,
            checksums,
            self._llama_cpp,
            self._runs,
            self._changes,
            self._preferences,
            program.status,
            endpoints.forget,
        )
        self._fitting = Fitting(catalogue, self._llama_cpp, hub, gate, self._make_fitting_host())
        self._examiner = Examiner(catalogue, checksums, self._runs, self._answers, self._changes, self._preferences)
        documents = Documents(self._registry, self._embedding, self._runs, self._watching, self._changes, passwords)
        adapters = Adapters(
            adapter_store, catalogue, bases, self._training_workers, self._artifacts, self._llama_cpp, self._runs,
            self._exports, self._changes,
        )  # fmt: skip
        measuring = Evaluations(evaluations, questions, services, self._runs, self._changes)
        self._data_sets = DataSets(sets, chats, catalogue, self._registry, sending, self._runs, self._changes)
        inference = self._llama_cpp.host
        self._serving = Serving(
            home, self.handle, services, catalogue, self._embedding, inference, self._preferences, self._changes
        )
        self._handlers: dict[type[Call[Any]], Handler] = {
            **program.handlers(),
            **self._models.handlers(),
            **endpoints.handlers(),
            **self._examiner.handlers(),
            **self._packs.handlers(),
            **Diagnosing(
                home, self._preferences, self._llama_cpp, self._embedding, self._training_workers, self._packs
            ).handlers(),
            **release_handlers(home, gate, self._packs),
            **self._fitting.handlers(),
            **Suggesting(hub, self._fitting, program.machine).handlers(),
            **HubService(hub, secrets, self._runs).handlers(),
            **NetworkRequests(requests).handlers(),
            **Costs(services, questions, judgements, self._registry, sent, prompt_source).handlers(),
            **documents.handlers(),
            **Chats(chats, self._answers, documents, self._changes).handlers(),
            **self._answers.handlers(),
            **Agents(memory, services, self._servers).handlers(),
            **self._servers.handlers(),
            **Inspecting(chats, services, self._changes).handlers(),
            **self._runs.handlers(),
            **adapters.handlers(),
            **self._data_sets.handlers(),
            **QuestionSets(questions, chats, sets, self._changes).handlers(),
            **prompts.handlers(),
            **Demonstrations(demonstrations, chats, self._changes).handlers(),
            **measuring.handlers(),
            **BenchmarkFiles(home, gate, hub).handlers(),
            **BenchmarkRuns(evaluations, questions, catalogue, measuring.start, measuring.report).handlers(),
            **Optimising(measuring, evaluations, questions, services, self._runs, self._changes).handlers(),
            **judgements.handlers(),
            **JudgementFiles(judgements).handlers(),
            **Labelling(judged, queues, prompt_source, services, self._runs, self._changes).handlers(),
            **JudgingService(judged, queues, services, self._runs).handlers(),
            **self._serving.handlers(),
            **self._backups.handlers(self._runs),
            **Training(home, bases, self._training_workers, self._runs, adapter_store, judges, trained).handlers(),
        }

    def start(self) -> None:
        """Resume the work that an earlier core left, and start watching folders."""
        self._answers.recover()
        self._models.recover()
        self._data_sets.recover()
        interrupted = self._runs.recover()
        self._exports.remove_unfinished(interrupted)
        self._backups.remove_unfinished(interrupted)
        self._artifacts.recover(self._runs.is_open, self._runs.folder)
        self._background.start("watch", self._watch)
        self._background.start("exams", self._examiner.watch)
        self._background.start("idle", self._stop_idle)
        self._background.start("api", self._serving.start)

    def handle(self, call: Call[Any], context: RequestContext | None = None) -> Iterator[Event]:
        """Answer any call of ``workbench.calls``: events that end in exactly one terminal event; raises nothing.

        A ``Subscribe`` has begun when this returns; other calls begin with the first event requested. Closing the
        iterator early cancels the call.
        """
        context = context or RequestContext()
        try:
            stream = self._handlers[type(call)](call, context)
        except Exception as error:  # noqa: BLE001 - whatever is raised is how the call ended
            stream = iter((failure_of(error, traceback.format_exc()),))
        return _ended(stream, context)

    @property
    def busy(self) -> bool:
        """Whether work goes on that no client has to watch."""
        return self._answers.busy or self._runs.busy or self._serving.server.busy

    def close(self) -> None:
        """Interrupt the running work, let the workers leave, close the database."""
        self._serving.server.close()
        self._watching.close()
        self._answers.close()
        self._runs.close()
        leaving = [
            threading.Thread(target=close, name=f"close-{name}")
            for name, close in (
                ("inference", self._llama_cpp.host.close),
                ("fitting", self._fitting.close),
                ("embedding", self._embedding.host.close),
                ("training", self._training_workers.close),
                ("sandbox", self._sandbox.close),
                ("mcp", self._servers.close),
                ("tables", self._tables.close),
            )
        ]
        for thread in leaving:
            thread.start()
        for thread in leaving:
            thread.join()
        self._background.close()
        self._database.close()

    def _add_task(self, title: str, config: TaskConfig) -> tuple[RunRecord, Path]:
        run = self._runs.add("task", title, config)
        return run, self._runs.folder(run.id)

    def _host_maker(self, worker: str) -> HostMaker:
        def make(
            on_state: Callable[[State], None], *, cancel_grace_s: float = 20.0, stop_grace_s: float = 8.0
        ) -> WorkerHost:
            return WorkerHost(
                worker,
                command=self._commands.get(worker),
                log=self.home.logs / f"{worker}.log",
                on_state=on_state,
                cancel_grace_s=cancel_grace_s,
                stop_grace_s=stop_grace_s,
                environment=self._packs.torch_environment,
            )

        return make

    def _make_fitting_host(self) -> WorkerHost:
        """It sees the devices that the inference worker sees."""
        return WorkerHost(
            "fitting",
            command=self._commands.get("fitting"),
            log=self.home.logs / "fitting.log",
            environment=self._packs.environment,
        )

    def _make_inference_host(self, on_state: Callable[[State], None]) -> WorkerHost:
        def changed(state: State) -> None:
            self._packs.on_state(state, host.death)
            on_state(state)

        host = WorkerHost(
            "inference",
            command=self._commands.get("inference"),
            log=self.home.logs / "inference.log",
            on_state=changed,
            environment=self._packs.environment,
        )
        return host

    def _make_trial_host(self, environment: Mapping[str, str]) -> WorkerHost:
        log = self.home.logs / "runtime.log"
        return WorkerHost("inference", command=self._commands.get("trial"), log=log, environment=environment)

    def _restart_inference(self) -> None:
        """Let the inference worker go, unless it is in use: then the choice holds from its next start on."""
        with contextlib.suppress(UserError):
            self._llama_cpp.unload()
            self._llama_cpp.host.stop()

    def _stop_idle(self, context: RequestContext) -> None:
        """Give back the memory of workers that nobody has asked anything for as long as the settings say."""
        leaving = threading.Event()
        context.when_cancelled(leaving.set)
        while not leaving.wait(IDLE_CHECK_S):
            minutes = self._preferences.current.engine.unload_minutes
            hosts = (
                self._llama_cpp.host,
                self._embedding.host,
                self._sandbox.host,
                self._servers.host,
                self._fitting.host,
            )
            for host in hosts if minutes else ():
                if host.stop_if_idle(MINUTE_S * minutes):
                    _log.info("The %s worker was stopped after %d idle minutes.", host.worker, minutes)

    def _watch(self, context: RequestContext) -> None:
        for root in self._registry.list_watched():
            context.raise_if_cancelled()
            self._watching.watch(root.collection, root.path)
            if root.read_at is None or changed_since(root.path, root.read_at):
                self._on_folder_changed(root.collection, root.path)

    def _on_folder_changed(self, collection: str, path: str) -> None:
        with contextlib.suppress(UserError):  # the collection was removed meanwhile
            known = self._registry.get(collection)
            self._runs.add("ingest", known.name, AddDocuments(collection=known.id, paths=(path,)), once=True)


def _ended(stream: Iterator[Event], context: RequestContext) -> Iterator[Event]:
    """The stream, numbered, with exactly one terminal event."""
    seq = 0
    try:
        for event in stream:
            seq += 1
            yield event if event.seq else events.stamped(event, seq, time.time())
            if isinstance(event, events.TERMINAL):
                return
        last: Event = events.Finished()
    except Exception as error:  # noqa: BLE001 - whatever a handler raises becomes its terminal event
        last = failure_of(error, traceback.format_exc())
    except GeneratorExit:
        context.cancel()
        raise
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
    yield events.stamped(last, seq + 1, time.time())


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the core process of a home; see ``run_core``."""
    return run_core(CoreProgram(calls.ALL, Workbench, put_in_place), arguments)


if __name__ == "__main__":
    sys.exit(main())
