"""Projector files: what they say, and which one belongs to a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projectors import write_projector
from workbench.base.errors import UserError
from workbench.engine.trial_models import WIDTH, write_generator
from workbench.gguf.model import describe_gguf
from workbench.gguf.projectors import choose_projector, describe_projector, find_projector


def found(folder: Path, model: str = "tiny-chat-Q4_0.gguf") -> str:
    path = write_generator(folder / model)
    return Path(find_projector(describe_gguf(path))).name


def test_a_projector_is_described(tmp_path: Path) -> None:
    path = write_projector(tmp_path / "mmproj.gguf", WIDTH)
    described = describe_projector(path)
    assert (described.path, described.kind, described.bytes) == (str(path), "mlp", path.stat().st_size)
    with pytest.raises(UserError, match="not a projector"):
        describe_projector(write_generator(tmp_path / "model.gguf"))


def test_the_only_one_beside_a_model_belongs_to_it(tmp_path: Path) -> None:
    assert found(tmp_path) == ""
    write_projector(tmp_path / "mmproj-F16.gguf", WIDTH)
    assert found(tmp_path) == "mmproj-F16.gguf"


def test_of_several_the_usual_number_format_is_taken(tmp_path: Path) -> None:
    for form in ("F32", "BF16", "F16"):
        write_projector(tmp_path / f"mmproj-tiny-chat-{form}.gguf", WIDTH)
    assert found(tmp_path) == "mmproj-tiny-chat-F16.gguf"


def test_one_of_another_width_or_another_model_is_not_taken(tmp_path: Path) -> None:
    write_projector(tmp_path / "mmproj-tiny-chat-f16.gguf", WIDTH * 2)
    assert found(tmp_path) == ""
    write_generator(tmp_path / "another-model.gguf")
    write_projector(tmp_path / "mmproj-another-model-f16.gguf", WIDTH)
    assert found(tmp_path) == ""
    write_projector(tmp_path / "mmproj-Tiny-f16.gguf", WIDTH)
    assert found(tmp_path) == "mmproj-Tiny-f16.gguf"


def test_a_damaged_one_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "mmproj-tiny-chat.gguf").write_bytes(b"GGUF" + bytes(100))
    assert found(tmp_path) == ""


def test_the_projector_of_a_repository_is_chosen_by_name() -> None:
    names = ["Sees-4B-Q4_K_M.gguf", "mmproj-Sees-4B-bf16.gguf", "mmproj-Sees-4B-f16.gguf", "README.md"]
    assert choose_projector(names, "Sees-4B-Q4_K_M.gguf") == "mmproj-Sees-4B-f16.gguf"
    assert choose_projector(["Sees-4B-Q4_K_M.gguf"], "Sees-4B-Q4_K_M.gguf") == ""
