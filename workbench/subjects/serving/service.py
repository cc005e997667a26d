"""Everything that other programs may use: answers, vectors and tokens as calls, and the server of the local API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext
from workbench.base.paths import Home
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.preferences import Preferences
from workbench.core.streams import Handlers
from workbench.processes.host import WorkerHost
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.serving.answers import ServedAnswers, ServedTexts
from workbench.subjects.serving.models import ServedRecipes
from workbench.subjects.serving.server import ApiService


class Serving:
    """``handle`` answers the calls that requests become; ``inference`` is the worker that computes GGUF models."""

    def __init__(
        self,
        home: Home,
        handle: Callable[[Call[Any], RequestContext], Iterator[Event]],
        services: HomeServices,
        catalogue: ModelCatalogue,
        embedding: Embedding,
        inference: WorkerHost,
        preferences: Preferences,
        changes: ChangeNotifier,
    ) -> None:
        self._answers = ServedAnswers(services, ServedRecipes(home.recipes, catalogue))
        self._texts = ServedTexts(catalogue, embedding, inference)
        self.server = ApiService(home, handle, lambda: preferences.current.server, changes)
        self._preferences = preferences
        preferences.when_changed(self.server.follow_settings)

    def handlers(self) -> Handlers:
        return {**self._answers.handlers(), **self._texts.handlers(), **self.server.handlers()}

    def start(self, context: RequestContext) -> None:
        """Serve where the settings say so."""
        if self._preferences.current.server.enabled:
            self.server.follow_settings()
