"""The vocabularies of the small real models, without their weights, and a rendering process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.engine.library import llama, start_library
from workbench.engine.template import TemplateRenderer
from workbench.engine.vocabulary import Vocabulary


@contextmanager
def _vocabulary(path: Path) -> Iterator[tuple[Vocabulary, str]]:
    start_library()
    parameters = llama.llama_model_default_params()
    parameters.vocab_only = True
    model = llama.llama_model_load_from_file(str(path).encode(), parameters)
    raw = llama.llama_model_chat_template(model, None)
    yield Vocabulary(llama.llama_model_get_vocab(model)), raw.decode() if raw else ""
    llama.llama_model_free(model)


@pytest.fixture(scope="session")
def smollm(smollm_path: Path) -> Iterator[tuple[Vocabulary, str]]:
    """SmolLM2's vocabulary and chat template."""
    with _vocabulary(smollm_path) as found:
        yield found


@pytest.fixture(scope="session")
def gemma(gemma_path: Path) -> Iterator[tuple[Vocabulary, str]]:
    """gemma's vocabulary; it is a base model and has no template."""
    with _vocabulary(gemma_path) as found:
        yield found


@pytest.fixture(scope="module")
def renderer() -> Iterator[TemplateRenderer]:
    renderer = TemplateRenderer()
    yield renderer
    renderer.close()
