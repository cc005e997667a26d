"""A core that is killed at any moment leaves each thing either where it was or in the trash, whole."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.test_core import call, ingest
from tests.fake_endpoint import FakeEndpoint, serving
from tests.killed_trash import ADAPTER, COLLECTION, COMMANDS, ENDPOINT, MODEL, OTHER, PROMPT, RECIPE, deletions
from tests.unit.subjects.models.conftest import gguf_bytes
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.calls import (
    AddEndpoint,
    Ask,
    CreateCollection,
    GetChat,
    GetDocumentText,
    GetPrompt,
    ImportModel,
    ListAdapters,
    ListChats,
    ListCollections,
    ListDocuments,
    ListModels,
    ListPrompts,
    ListTrash,
    RestoreDeleted,
    SavePrompt,
)
from workbench.records.recipes import PromptingPart, Recipe, load_recipe, save_recipe
from workbench.records.training import AdapterRecord
from workbench.subjects.adapters.store import AdapterStore

POINTS = 96
"""So many points are passed by a core that is not killed, at least."""


def opened(home: Home) -> Workbench:
    workbench = Workbench(home, commands=COMMANDS)
    workbench.start()
    return workbench


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory, smollm_path: Path, minilm_path: Path) -> Path:
    """A folder with a home and its files, to be copied."""
    folder = tmp_path_factory.mktemp("furnished")
    papers = folder / "papers"
    papers.mkdir()
    for name in ("bridge", "river"):
        (papers / f"{name}.txt").write_text(f"All about the {name}.")
    (folder / "tiny.gguf").write_bytes(gguf_bytes())
    workbench = opened(Home(folder / "home"))
    for path in (smollm_path, minilm_path):
        call(workbench, ImportModel(path=str(path), name=path.name[:6]))
    call(workbench, ImportModel(path=str(folder / "tiny.gguf"), name=MODEL, copy=True))
    for name in (COLLECTION, OTHER):
        call(workbench, CreateCollection(name=name))
        ingest(workbench, name, papers)
    call(workbench, Ask(question="What about the river?"))
    with serving(FakeEndpoint()) as service:
        call(workbench, AddEndpoint(address=service.address, model="big", name=ENDPOINT))
    for words in ("Be brief.", "Be very brief."):
        call(workbench, SavePrompt(name=PROMPT, part=PromptingPart(instructions=words)))
    workbench.close()
    home = Home(folder / "home")
    home.recipes.mkdir(exist_ok=True)
    save_recipe(home.recipes / f"{RECIPE}.toml", Recipe(name=RECIPE))
    AdapterStore(home.adapters).publish(
        AdapterRecord(name=ADAPTER, kind="lora", created=1.0, file="adapter.gguf", state="ready"),
        lambda place: (place / "adapter.gguf").write_bytes(b"GGUF"),
    )
    return folder


def play(furnished: Path, tmp_path: Path, kill_at: int) -> tuple[Home, list[str]]:
    """The home after a core was killed in it, and what that core had begun to delete for good. The files of the
    collections stay where they were read."""
    shutil.copytree(furnished / "home", tmp_path / "home")
    shutil.copytree(furnished / "papers", tmp_path / "papers")
    for file in (tmp_path / "home" / "collections").glob("*.sqlite"):  # the fake worker's files name the documents
        file.write_text(file.read_text().replace(str(furnished / "papers"), str(tmp_path / "papers")))
    ended = subprocess.run(
        [sys.executable, "-m", "tests.killed_trash", str(tmp_path / "home"), str(kill_at)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == (-9 if kill_at else 0), ended.stderr
    return Home(tmp_path / "home"), ended.stdout.split("\n")


def check_whole(home: Home, perhaps_gone: list[str], river: str) -> None:
    workbench = opened(home)
    try:
        live = {one.id for one in call(workbench, ListChats()).chats}
        live |= {one.name for one in call(workbench, ListCollections()).collections} - {COLLECTION}
        live |= {one.name for one in call(workbench, ListModels()).models if one.name == MODEL}
        live |= {one.name for one in call(workbench, ListModels()).models if one.name == ENDPOINT}
        live |= {one.name for one in call(workbench, ListAdapters()).adapters}
        live |= {one.name for one in call(workbench, ListPrompts()).prompts}
        live |= {one.stem for one in home.recipes.glob("*.toml")}
        live |= {one.path for one in call(workbench, ListDocuments(collection=COLLECTION)).documents} & {river}
        entries = call(workbench, ListTrash()).entries
        trashed = {one.item for one in entries} | {one.title for one in entries}
        assert not live & trashed
        for entry in entries:
            call(workbench, RestoreDeleted(item=entry.id))
        assert call(workbench, ListTrash()).entries == ()
        chats = call(workbench, ListChats()).chats
        assert len(chats) == 1 or perhaps_gone
        for chat in chats:
            assert [one.role for one in call(workbench, GetChat(chat=chat.id)).messages] == ["user", "assistant"]
        for model in call(workbench, ListModels()).models:
            assert not model.missing, model
        assert MODEL in [one.name for one in call(workbench, ListModels()).models] or MODEL in perhaps_gone
        collections = [one.name for one in call(workbench, ListCollections()).collections]
        assert OTHER in collections or OTHER in perhaps_gone
        if OTHER in collections:
            assert len(call(workbench, ListDocuments(collection=OTHER)).documents) == 2
        read = [one.path for one in call(workbench, ListDocuments(collection=COLLECTION)).documents]
        assert river in read or river in perhaps_gone
        if river in read:
            text = call(workbench, GetDocumentText(collection=COLLECTION, document=river)).text
            assert text == "All about the river."
        left = {path.name for folder in (home.models, home.adapters, home.recipes) for path in folder.iterdir()}
        assert not [name for name in left if name.startswith(".trash")]
        check_rest(home, workbench, perhaps_gone)
    finally:
        workbench.close()


def check_rest(home: Home, workbench: Workbench, perhaps_gone: list[str]) -> None:
    """Endpoint, adapter, recipe and prompt are whole, or were being deleted for good."""
    assert ENDPOINT in [one.name for one in call(workbench, ListModels()).models] or ENDPOINT in perhaps_gone
    adapters = call(workbench, ListAdapters()).adapters
    assert [(one.name, Path(one.file).read_bytes()) for one in adapters] == [(ADAPTER, b"GGUF")] or (
        not adapters and ADAPTER in perhaps_gone
    )
    recipes = list(home.recipes.glob("*.toml"))
    assert [load_recipe(file) for file in recipes] == [Recipe(name=RECIPE)] or (not recipes and RECIPE in perhaps_gone)
    prompts = call(workbench, ListPrompts()).prompts
    assert prompts or PROMPT in perhaps_gone
    for prompt in prompts:
        versions = call(workbench, GetPrompt(prompt=prompt.name)).versions
        assert [one.content.instructions for one in versions] == ["Be very brief.", "Be brief."]


def test_a_core_that_is_not_killed_leaves_nothing(furnished: Path, tmp_path: Path) -> None:
    home, lines = play(furnished, tmp_path, 0)
    assert int(lines[-2]) >= POINTS
    workbench = opened(home)
    assert deletions.__doc__
    assert call(workbench, ListChats()).chats == ()
    assert call(workbench, ListTrash()).entries == ()
    workbench.close()


@pytest.mark.parametrize("kill_at", sorted(random.Random(27).sample(range(1, POINTS), 6)))
def test_a_killed_core_leaves_each_thing_whole(furnished: Path, tmp_path: Path, kill_at: int) -> None:
    home, perhaps_gone = play(furnished, tmp_path, kill_at)
    check_whole(home, perhaps_gone, str(tmp_path / "papers" / "river.txt"))


@pytest.mark.nightly
@pytest.mark.parametrize("kill_at", range(1, POINTS))
def test_a_killed_core_leaves_each_thing_whole_at_every_point(furnished: Path, tmp_path: Path, kill_at: int) -> None:
    home, perhaps_gone = play(furnished, tmp_path, kill_at)
    check_whole(home, perhaps_gone, str(tmp_path / "papers" / "river.txt"))
