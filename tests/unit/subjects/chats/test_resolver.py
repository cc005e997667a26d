"""What a recipe's adapters are refused for before a model is loaded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.virtual_tokens import write_soft_prompt
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.gguf.model import describe_gguf
from workbench.records.recipes import AdapterUse, ModelPart, Recipe
from workbench.storage.database import open_home
from workbench.subjects.answering.resolver import Resolver
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.store import ModelCatalogue, chat_model


@pytest.fixture
def resolver(smollm_path: Path, tmp_path: Path) -> Resolver:
    model = describe_gguf(smollm_path).model
    catalogue: Any = SimpleNamespace(get=lambda name: model)
    registry: Any = None
    for name in ("calm", "brisk"):
        (tmp_path / name).mkdir()
        write_soft_prompt(tmp_path / name / "adapter.gguf", np.full((4, 576), 0.1, np.float32))
    return Resolver(catalogue, registry, tmp_path, Checksums(tmp_path / "checksums"))


def test_model_that_is_not_named_is_the_default_else_the_first(smollm_path: Path, tmp_path: Path) -> None:
    chosen = ""
    home = Home(tmp_path / "home")
    home.create()
    catalogue = ModelCatalogue(open_home(home), home.models, lambda: chosen)
    with pytest.raises(UserError, match="There is no chat model"):
        chat_model("", catalogue)
    model = describe_gguf(smollm_path).model
    for name in ("First", "Second", "Gone"):
        gone = {"path": "/nowhere.gguf", "files": ("/nowhere.gguf",)} if name == "Gone" else {}
        catalogue.put(msgspec.structs.replace(model, name=name, **gone))
    assert chat_model("", catalogue).name == "First"
    chosen = "Second"
    assert chat_model("", catalogue).name == "Second"
    assert chat_model("First", catalogue).name == "First"
    chosen = "Not there"
    assert chat_model("", catalogue).name == "First"
    chosen = "Gone"
    with pytest.raises(UserError, match="no longer at /nowhere"):
        chat_model("", catalogue)


def recipe(**scales: float) -> Recipe:
    adapters = tuple(AdapterUse(name=name, scale=scale) for name, scale in scales.items())
    return Recipe(model=ModelPart(name="small", adapters=adapters))


def test_a_soft_prompt_is_used_at_full_strength_or_not_at_all(resolver: Resolver) -> None:
    for scale in (1.0, 0.0):
        assert [one.scale for one in resolver.resolve(recipe(calm=scale)).use.adapters] == [scale]
    for scale in (0.5, -1.0, float("nan")):
        with pytest.raises(UserError, match="calm consists of virtual tokens"):
            resolver.resolve(recipe(calm=scale))


def test_one_soft_prompt_at_a_time(resolver: Resolver) -> None:
    with pytest.raises(UserError, match="calm and brisk both consist of virtual tokens"):
        resolver.resolve(recipe(calm=1.0, brisk=1.0))
    assert len(resolver.resolve(recipe(calm=1.0, brisk=0.0)).use.adapters) == 2
