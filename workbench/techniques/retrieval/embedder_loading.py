"""Which way an embedder is computed: by llama.cpp where it can, else by sentence-transformers in the training
environment."""

from __future__ import annotations

import threading
from pathlib import Path

from workbench.base.paths import prepared_place
from workbench.gguf.sentence_folder import NotForEngineError
from workbench.techniques.retrieval.embedding import Embedder
from workbench.techniques.retrieval.engine_embedder import EngineEmbedder
from workbench.techniques.retrieval.preparation import prepare


class EmbedderLoading:
    """Loads embedders; ``embedders`` is the home's folder for what is prepared of them. Thread-safe."""

    def __init__(self, embedders: Path) -> None:
        self._embedders = embedders
        self._preparing = threading.Lock()

    def prepare(self, folder: Path) -> None:
        """Make ahead what the first use needs. Nothing for a model that llama.cpp cannot compute. Raises UserError."""
        with self._preparing:
            try:
                prepare(folder, prepared_place(self._embedders, folder))
            except NotForEngineError:
                return

    def load(self, folder: Path) -> Embedder:
        """Raises UserError when the folder holds no embedder, or one that needs packages that are not there."""
        with self._preparing:
            try:
                return EngineEmbedder(folder, prepared_place(self._embedders, folder))
            except NotForEngineError as error:
                why = str(error)
        from workbench.techniques.retrieval.sentence_embedder import SentenceEmbedder

        return SentenceEmbedder(folder, why)
