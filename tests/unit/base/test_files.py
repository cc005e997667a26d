"""Named pipes, sockets and devices where a stranger's file should be: refused with the name, never waited for."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.subjects.models.conftest import TINY_CONFIG, safetensors_bytes
from workbench.api.ownership import read_key, read_owner
from workbench.base.errors import UserError
from workbench.base.files import is_nested_deeper, open_regular
from workbench.base.paths import Home
from workbench.base.settings import load_settings
from workbench.gguf.adapter_files import check_adapter
from workbench.gguf.base_model import read_base
from workbench.gguf.inspection import inspect_path
from workbench.gguf.peft_folder import read_peft_folder
from workbench.records.recipes import load_recipe
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.models.checksums import Checksums
from workbench.training.data.reading import read_rows
from workbench.training.data.vocabularies import FolderVocabulary

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files"),
    pytest.mark.timeout(20),  # a pipe that is opened waits for ever
]


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
    (link := tmp_path / "link").symlink_to(os.devnull)
    for path, kind in ((pipe, "a named pipe"), (tmp_path / "socket", "a socket"), (link, "a device")):
        with pytest.raises(UserError, match=f"^{path} is {kind}, not a file"):
            open_regular(path)
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "nothing")
    (tmp_path / "file").write_bytes(b"x")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"x"


MODEL_FILES = (
    "config.json", "model.safetensors", "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json",
    "chat_template.jinja", "README.md", "LICENSE", "generation_config.json", "model.gguf", "extra.safetensors",
)  # fmt: skip


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_pipe_in_a_model_folder_is_refused(make_model: Callable[[], Path], name: str) -> None:
    folder = make_model()
    if name == "extra.safetensors":
        (folder / "model.safetensors").unlink()
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(UserError, match=name):
        inspect_path(folder)


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[[], Path]:
    def make() -> Path:
        folder = tmp_path / "model"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(TINY_CONFIG))
        (folder / "tokenizer.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(safetensors_bytes())
        return folder

    return make


def test_a_link_that_leads_nowhere_is_let_be(make_model: Callable[[], Path]) -> None:
    folder = make_model()
    (folder / "notes.md").symlink_to("gone")
    assert inspect_path(folder).model.parameters == 32


OPENED: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "a model": ("x.gguf", lambda path: inspect_path(path.parent)),
    "an adapter as GGUF": ("x.gguf", lambda path: check_adapter(path, path)),
    "an adapter's config": ("adapter_config.json", lambda path: read_peft_folder(path.parent)),
    "a base's config": ("config.json", lambda path: read_base(path.parent)),
    "a tokenizer": ("tokenizer.json", lambda path: FolderVocabulary(path.parent)),
    "a recipe": ("recipe.toml", load_recipe),
    "the home's key": ("core.key", lambda path: read_key(Home(path.parent))),
    "the home's lock": ("core.lock", lambda path: read_owner(Home(path.parent))),
    "what is hashed": ("file", lambda path: Checksums(path.with_name("sums")).compute([str(path)])),
    **{
        f"rows of {suffix}": (f"x.{suffix}", lambda path: list(read_rows(path)))
        for suffix in ("jsonl", "json", "csv", "parquet", "arrow", "txt")
    },
}


@pytest.mark.parametrize("what", OPENED)
def test_a_pipe_is_refused_with_its_name(tmp_path: Path, what: str) -> None:
    name, opened = OPENED[what]
    os.mkfifo(tmp_path / name)
    with pytest.raises(UserError, match=f"{name} is a named pipe"):
        opened(tmp_path / name)


def test_an_adapters_weights_cannot_be_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    os.mkfifo(tmp_path / "adapter_model.safetensors")
    with pytest.raises(UserError, match=r"adapter_model.safetensors is a named pipe"):
        read_peft_folder(tmp_path)


def test_settings_and_sets_that_are_pipes_are_told_of(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "settings.toml")
    assert "named pipe" in load_settings(tmp_path / "settings.toml").problems[0]
    os.mkfifo(tmp_path / "x.jsonl")
    (one,) = DatasetStore(tmp_path).list_sets()
    assert "named pipe" in one.unreadable


@pytest.mark.parametrize(
    ("value", "levels"), [(1, 0), ([], 1), ({"a": 1}, 1), ([[], 1], 2), ({"a": [{"b": []}]}, 4), ([[[1]], []], 3)]
)
def test_levels_of_lists_and_objects_are_counted(value: Any, levels: int) -> None:
    assert not is_nested_deeper(value, levels)
    assert levels == 0 or is_nested_deeper(value, levels - 1)


def test_what_is_nested_too_deeply_does_not_depend_on_the_recursion_limit(tmp_path: Path) -> None:
    deep = "[" * 450 + "]" * 450
    (tmp_path / "x.jsonl").write_text(f'{{"text": "a", "more": {deep}}}')
    limit = sys.getrecursionlimit()
    try:
        for changed in (1500, 8000):
            sys.setrecursionlimit(changed)
            with pytest.raises(UserError, match="nested too deeply"):
                list(read_rows(tmp_path / "x.jsonl"))
    finally:
        sys.setrecursionlimit(limit)
