"""Workbench: the one object that owns a home folder: its storage, its workers, its runs. It joins the subjects, each of
which wires itself. The core process (``python -m workbench.app``) holds it, and tests do.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench import calls, methods
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, failure_of
from workbench.api.service import CoreProgram, run_core
from workbench.base.paths import Home
from workbench.core.foundation import Foundation
from workbench.core.streams import ended
from workbench.subjects.adapters.wiring import AdapterParts
from workbench.subjects.agents.wiring import AgentParts
from workbench.subjects.answering.wiring import open_services
from workbench.subjects.backup.restoring import put_in_place
from workbench.subjects.backup.service import Backups
from workbench.subjects.chats import wiring as chats
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.costs import wiring as costs
from workbench.subjects.datasets import wiring as datasets
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.documents import wiring as documents
from workbench.subjects.endpoints import wiring as endpoints
from workbench.subjects.evaluation import wiring as evaluation
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.formulas import service as formulas
from workbench.subjects.images import service as images
from workbench.subjects.judgements import wiring as judgements
from workbench.subjects.ladder import wiring as ladder
from workbench.subjects.machine import wiring as machine
from workbench.subjects.machine.computing import Computing
from workbench.subjects.machine.status import Program
from workbench.subjects.models import wiring as models
from workbench.subjects.models.store import open_catalogue
from workbench.subjects.network_log.service import NetworkRequests
from workbench.subjects.prompts import wiring as prompts
from workbench.subjects.runs.queue import Runs
from workbench.subjects.runs.store import RunStore
from workbench.subjects.serving import wiring as serving
from workbench.subjects.subject import Subject, Subjects
from workbench.subjects.trainings import wiring as trainings
from workbench.subjects.trash.service import Trash


class Workbench:
    """Everything of one home. At most one may exist per home, which the service's lock ensures.

    ``commands`` replaces the command line of a worker, for tests. Raises UserError when its database cannot be read.
    """

    def __init__(self, home: Home, *, commands: Mapping[str, Sequence[str]] | None = None) -> None:
        self.home = home
        base = self._base = Foundation(home, commands or {})
        trash = self._trash = Trash(base.database, base.changes)
        runs = self._runs = Runs(home, RunStore(base.database), base.changes)
        catalogue, checksums = open_catalogue(base)
        computing = self._computing = Computing(base, catalogue)
        llama_cpp = computing.llama_cpp
        read = documents.wire(base, catalogue, runs, computing.host_maker("embedding"), trash.store)
        remote = endpoints.wire(base, catalogue, read.registry, trash.store)
        history, sets, questions = ChatStore(base.database), DatasetStore(home.datasets), QuestionStore(base.database)
        self._adapters = adapters = AdapterParts(base, catalogue, checksums, computing.training, llama_cpp, sets)
        agents = AgentParts(base, read.embedding, history.title_of)
        library, examples, of_prompts = prompts.wire(base, history, trash.store)
        services = open_services(base, catalogue, checksums, read, remote, llama_cpp, agents.tools, questions, examples)
        self._answers, of_chats = chats.wire(base, history, read, services, runs, trash.store)
        judged = judgements.wire(base, history, sets, questions, catalogue, read, services, runs)
        program = Program(
            home, base.preferences, llama_cpp, read.embedding, computing.training, runs, base.changes, methods.describe
        )
        self._models, of_models = models.wire(
            base, catalogue, checksums, llama_cpp, runs, computing.fitting_host(),
            status=program.status, machine=program.machine, trash_endpoint=remote.trashed.put,
            prepare_embedder=read.embedding.prepare, discard_prepared=read.embedding.discard, trash=trash.store,
        )  # fmt: skip
        self._data_sets, of_sets = datasets.wire(
            base, sets, history, catalogue, read.registry, read.embedding, remote.sending, services, runs
        )
        measured = evaluation.wire(
            base, questions, services, runs, catalogue=catalogue, checksums=checksums, documents=read.service,
            registry=read.registry, embedding=read.embedding, chats=history, answers=self._answers, sets=sets,
            prompts=library, trained=adapters.trained,
        )  # fmt: skip
        trained, self._backups = trainings.wire(base, adapters, services, runs), Backups(home, catalogue, base.database)
        self._subjects = Subjects(
            base,
            Subject(handlers=runs.handlers(), is_busy=lambda: runs.busy, stop=runs.close),
            Subject(handlers=NetworkRequests(base.requests).handlers()),
            formulas.wire(base), images.wire(base),
            Subject(handlers=trash.handlers(), watches={"trash": trash.purge}),
            of_models,
            read.subject, remote.subject,
            adapters.wire(runs, trash.store),
            agents.wire(services),
            of_prompts,
            of_chats,
            of_sets,
            measured.subject,
            judged.subject,
            trained.subject,
            ladder.wire(base, measured, trained.service, sets, read.registry, adapters, services, runs),
            costs.wire(services, questions, judged.service, read.registry, remote.store, judged.prompts),
            machine.wire(base, computing, read.embedding, program, runs),
            serving.wire(base, self.handle, services, catalogue, read.embedding, llama_cpp.host),
            self._backups.wire(runs),
        )  # fmt: skip
        runs.register(self._subjects.kinds)
        trash.register(self._subjects.trash)

    def start(self) -> None:
        """Resume the work that an earlier core left, in this order, and begin what goes on beside the calls."""
        self._trash.settle()
        self._answers.recover()
        self._models.recover()
        self._data_sets.recover()
        interrupted = self._runs.recover()
        self._adapters.exports.remove_unfinished(interrupted)
        self._backups.remove_unfinished(interrupted)
        self._adapters.artifacts.recover(self._runs.is_open, self._runs.folder)
        self._subjects.start()

    def handle(self, call: Call[Any], context: RequestContext | None = None) -> Iterator[Event]:
        """Answer any call of ``workbench.calls``: events that end in exactly one terminal event; raises nothing.

        A ``Subscribe`` has begun when this returns; other calls begin with the first event requested. Closing the
        iterator early cancels the call.
        """
        context = context or RequestContext()
        try:
            stream = self._subjects.handlers[type(call)](call, context)
        except Exception as error:  # noqa: BLE001 - whatever is raised is how the call ended
            stream = iter((failure_of(error, traceback.format_exc()),))
        return ended(stream, context)

    @property
    def busy(self) -> bool:
        """Whether work goes on that no client has to watch."""
        return self._subjects.busy

    def close(self) -> None:
        """Interrupt the running work, let the workers leave, close the database."""
        self._subjects.close()
        self._base.background.close()
        self._base.database.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the core process of a home; see ``run_core``."""
    return run_core(CoreProgram(calls.ALL, Workbench, put_in_place), arguments)


if __name__ == "__main__":
    sys.exit(main())
