"""What is chatted with after a training on a folder of safetensors, which the engine cannot run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from workbench.records.models import ModelRecord
from workbench.subjects.adapters.base_models import BaseModels
from workbench.subjects.trainings.service import Training

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.unit import tiny_models


class Catalogue:
    def __init__(self, *models: ModelRecord) -> None:
        self.models = models

    def list_models(self) -> tuple[ModelRecord, ...]:
        return self.models


def record(path: Path, architecture: str = "llama") -> ModelRecord:
    return ModelRecord(
        name=path.name,
        kind="chat",
        format="safetensors" if path.is_dir() else "gguf",
        path=str(path),
        architecture=architecture,
        parameters=1,
        quantization="F32",
        context_tokens=64,
        bytes=path.stat().st_size,
    )


def bases_of(*models: ModelRecord) -> BaseModels:
    nothing = cast(Any, None)
    return BaseModels(cast(Any, Catalogue(*models)), nothing, nothing)


def notes_of(bases: BaseModels, model: ModelRecord) -> list[str]:
    nothing = cast(Any, None)
    return Training(nothing, bases, nothing, nothing, nothing, nothing, nothing)._served_notes(model)


def test_a_folder_is_served_over_the_gguf_model_of_its_shapes(tmp_path: Path) -> None:
    model = tiny_models.build("llama")
    folder = tmp_path / "folder"
    model.save_pretrained(folder)
    trained_on = record(folder)
    same = record(tiny_models.write_gguf(model, "llama", tmp_path / "same.gguf"))
    other = record(tiny_models.write_gguf(tiny_models.build("qwen2"), "qwen2", tmp_path / "other.gguf"), "qwen2")
    bases = bases_of(trained_on, other, same)
    assert bases.served_over(trained_on) == same
    assert bases.served_over(same) == same
    assert notes_of(bases, same) == []
    [note] = notes_of(bases, trained_on)
    assert note.endswith("Adapters trained on it are used with same.gguf, and verified with it.")


def test_a_plan_says_beforehand_that_nothing_could_be_chatted_with(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    tiny_models.build("llama").save_pretrained(folder)
    trained_on = record(folder)
    bases = bases_of(trained_on)
    assert bases.served_over(trained_on) is None
    [note] = notes_of(bases, trained_on)
    assert "can be neither used in chats nor verified" in note
    assert "Import the same model as a GGUF file first." in note
