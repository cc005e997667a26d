"""The starter model's vocabulary, without its weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.engine.library import llama, start_library
from workbench.engine.vocabulary import Vocabulary


@pytest.fixture(scope="session")
def vocabulary(smollm_path: Path) -> Iterator[Vocabulary]:
    start_library()
    parameters = llama.llama_model_default_params()
    parameters.vocab_only = True
    model = llama.llama_model_load_from_file(str(smollm_path).encode(), parameters)
    yield Vocabulary(llama.llama_model_get_vocab(model))
    llama.llama_model_free(model)
