"""A core that can train, with the fake worker, and a tiny model that it trains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.training_core import TENSORS, call, opened
from tests.unit.subjects.models.conftest import TINY_METADATA, gguf_bytes
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.subjects.models.calls import ImportModel


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def trainer(home: Home, tmp_path: Path) -> Iterator[Workbench]:
    trainer = opened(home)
    base = tmp_path / "base.gguf"
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    base.write_bytes(gguf_bytes({**TINY_METADATA, "tokenizer.chat_template": template}, TENSORS))
    call(trainer, ImportModel(path=str(base), name="Base"))
    yield trainer
    trainer.close()
