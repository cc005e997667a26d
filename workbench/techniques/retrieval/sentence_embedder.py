"""The embedder that sentence-transformers computes with torch: for models that llama.cpp cannot compute.

The only module of the techniques that imports them.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from workbench.base.errors import UserError
from workbench.base.files import refuse_special_files
from workbench.base.training_environment import require_packages
from workbench.techniques.retrieval.cross_encoder import Reader
from workbench.techniques.retrieval.embedding import ThreadChoice, Vectors
from workbench.techniques.retrieval.json_tokens import JsonTokens
from workbench.techniques.retrieval.preparation import fingerprint, unrelated_cosine
from workbench.techniques.retrieval.sentence_features import BACKGROUND

PACKAGES = ("torch", "transformers", "sentence_transformers")


class SentenceEmbedder:
    """A sentence-transformers model, from a folder; never from the network.

    It computes on a GPU where torch finds one. Raises UserError when the folder holds no such model, and where packages
    are missing: then with ``why`` it is needed.
    """

    def __init__(self, folder: Path, why: str) -> None:
        require_packages(f"The embedder in {folder}, which llama.cpp cannot compute since {why},", packages=PACKAGES)
        from sentence_transformers import SentenceTransformer  # 7 s, torch with it

        for place in (folder, *folder.glob("*/")):
            refuse_special_files(place)
        try:
            self._model: Any = SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False)
            tokenizer = Tokenizer.from_str(self._model.tokenizer.backend_tokenizer.to_str())
        except Exception as error:  # whatever is wrong with the files, dozens of libraries may say it
            raise UserError(
                f"The embedder in {folder} cannot be loaded: {_first_line(error)}", "Import it again."
            ) from error
        self.tokens = JsonTokens(tokenizer)
        self.max_tokens: int = int(self._model.max_seq_length or 512) - self.tokens.special
        self.fingerprint = fingerprint(folder)
        self._torch: Any = importlib.import_module("torch")
        self._threads = ThreadChoice(int(self._torch.get_num_threads()))
        background = self._vectors(self._model.encode_document, BACKGROUND)
        self.unrelated = unrelated_cosine(background)
        self.dimensions: int = background.shape[1]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        threads = self._threads.choose()
        self._torch.set_num_threads(threads)
        began = time.perf_counter()
        vectors = self._vectors(self._model.encode_document, texts)
        self._threads.note(threads, sum(map(len, texts)) / (time.perf_counter() - began))
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self._torch.set_num_threads(self._threads.fewest)
        return self._vectors(self._model.encode_query, texts)

    @property
    def has_loras(self) -> bool:
        return False

    def embed_searches(self, texts: Sequence[str], plain: Vectors) -> Vectors:
        return plain

    def cross_encode(
        self, question: str, passages: Sequence[Sequence[str]], reader: Reader = "sentences"
    ) -> tuple[tuple[float, ...], ...]:
        return ()

    def close(self) -> None:
        self._model = None

    def _vectors(self, encode: Callable[..., Any], texts: Sequence[str]) -> Vectors:
        found = encode(list(texts), batch_size=max(1, len(texts)), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
