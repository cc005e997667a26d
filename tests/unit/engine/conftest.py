"""The first layers of real models, loaded in this process on one thread: on a busy machine two threads wait for each
other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Load
from workbench.engine.loading import Model, inspect_model, load_model
from workbench.engine.loop import Engine


def _load(path: Path, context_tokens: int = 2048, **settings: Any) -> Model:
    call = Load(path=str(path), context_tokens=context_tokens, threads=1, **settings)
    steps = load_model(call, inspect_model(str(path)), RequestContext())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            model: Model = end.value
            return model


@pytest.fixture
def load_now() -> Callable[..., Model]:
    """Load a model and wait for it."""
    return _load


@pytest.fixture(scope="module")
def smollm(smollm_file: Path) -> Iterator[Engine]:
    engine = Engine(_load(smollm_file))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def projector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny image encoder for the starter."""
    from tests.projectors import write_projector

    return write_projector(tmp_path_factory.mktemp("projector") / "mmproj.gguf", 576)


@pytest.fixture(scope="module")
def seeing(smollm_file: Path, projector: Path) -> Iterator[Engine]:
    """One that reads images."""
    engine = Engine(_load(smollm_file, projector=str(projector)))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def small(smollm_file: Path) -> Iterator[Engine]:
    """One whose context is soon full."""
    engine = Engine(_load(smollm_file, 512))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def gemma(gemma_file: Path) -> Iterator[Engine]:
    engine = Engine(_load(gemma_file, 4096))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def narrow(gemma_file: Path) -> Iterator[Engine]:
    """One that keeps short sliding windows and shares nothing."""
    engine = Engine(_load(gemma_file, 4096, sequences=2))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def exact(smollm_file: Path) -> Iterator[Engine]:
    """One that answers the same every time."""
    engine = Engine(_load(smollm_file, deterministic=True))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def exact_gemma(gemma_file: Path) -> Iterator[Engine]:
    engine = Engine(_load(gemma_file, deterministic=True))
    yield engine
    engine.close()


@pytest.fixture(params=["smollm", "gemma"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Both architectures: full attention, and a sliding window."""
    found: Engine = request.getfixturevalue(request.param)
    return found
