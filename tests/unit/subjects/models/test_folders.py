"""A folder for models on another drive: new models go there, older ones stay, and nothing is forgotten without it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.subjects.models.conftest import gguf_bytes
from tests.unit.subjects.models.test_hub_downloads import NAME, core, fake  # noqa: F401 - fixtures
from workbench import calls
from workbench.api import events
from workbench.api.protocol import Call, error_of
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.models import ModelRecord
from workbench.subjects.models.folders import MARKER, ModelFolders, missing_files

pytestmark = pytest.mark.process


def ask(core: Workbench, call: Call[Any]) -> Any:  # noqa: F811
    *_, last = core.handle(call)
    if isinstance(last, events.Failed):
        raise error_of(last)
    assert isinstance(last, events.Finished)
    return last.result


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Workbench]:
    workbench = Workbench(Home(tmp_path / "home"))
    yield workbench
    workbench.close()


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    drive = tmp_path / "media" / "drive"
    drive.mkdir(parents=True)
    return drive


def choose(core: Workbench, folder: str) -> None:  # noqa: F811
    ask(core, calls.ChangeSettings(values={"general": {"model_folder": folder}}))


def add(core: Workbench, tmp_path: Path, name: str) -> dict[str, Any]:  # noqa: F811
    path = tmp_path / f"{name}.gguf"
    path.write_bytes(gguf_bytes())
    made: dict[str, Any] = ask(core, calls.ImportModel(path=str(path), name=name, copy=True))
    return made


def test_copies_go_to_the_chosen_folder_and_each_is_deleted_where_it_is(
    plain: Workbench, drive: Path, tmp_path: Path
) -> None:
    before = add(plain, tmp_path, "Before")
    choose(plain, str(drive))
    there = add(plain, tmp_path, "There")
    other = tmp_path / "other"
    other.mkdir()
    choose(plain, str(other))
    assert Path(before["path"]).is_relative_to(tmp_path / "home")
    assert Path(there["path"]).is_relative_to(drive)
    assert [model["missing"] for model in ask(plain, calls.ListModels())["models"]] == [False, False]
    (drive / "mine.txt").write_text("of the person")
    for name in ("There", "Before"):
        ask(plain, calls.RemoveModel(name=name))
    assert not Path(before["path"]).exists()
    ask(plain, calls.RestoreDeleted(item="There"))
    assert Path(there["path"]).is_file()
    ask(plain, calls.RemoveModel(name="There"))
    ask(plain, calls.EmptyTrash())
    assert sorted(one.name for one in drive.iterdir()) == [MARKER, "mine.txt"]
    assert [one.name for one in Path(before["path"]).parents[1].iterdir() if one.is_dir()] == []


def test_a_drive_that_is_not_there_is_named_and_nothing_is_forgotten(
    plain: Workbench, drive: Path, tmp_path: Path
) -> None:
    choose(plain, str(drive))
    made = add(plain, tmp_path, "There")
    away = drive.parent.with_name("away")
    drive.parent.rename(away)
    with pytest.raises(
        UserError, match=r"are in .*/media, which is not there: its drive may not be connected"
    ) as asked:
        ask(plain, calls.LoadModel(name="There"))
    assert "stays in the catalogue" in asked.value.hint
    with pytest.raises(UserError, match="is not there: its drive may not be connected"):
        add(plain, tmp_path, "Another")
    with pytest.raises(UserError, match="is not there"):
        choose(plain, str(drive))
    (found,) = ask(plain, calls.ListModels())["models"]
    assert (found["name"], found["missing"]) == ("There", True)
    away.rename(drive.parent)
    (found,) = ask(plain, calls.ListModels())["models"]
    assert (found["path"], found["missing"]) == (made["path"], False)


def test_a_download_goes_there_and_on_there_though_another_folder_is_chosen(
    core: Workbench,  # noqa: F811
    drive: Path,
    tmp_path: Path,
) -> None:
    choose(core, str(drive))
    run = ask(core, calls.DownloadModel(repository="owner/model-GGUF", file=NAME))
    *_, last = core.handle(calls.FollowRun(run=run["id"]))
    assert isinstance(last, events.Finished), last
    assert Path(last.result["path"]).is_relative_to(drive)
    ask(core, calls.RemoveModel(name=last.result["model"]))
    ask(core, calls.EmptyTrash())
    assert [one.name for one in drive.iterdir()] == [MARKER]
    shutil.rmtree(drive)
    with pytest.raises(UserError, match="is not there"):
        ask(core, calls.DownloadModel(repository="owner/model-GGUF", file=NAME))


@pytest.mark.parametrize(("folder", "problem"), [("models", "not an absolute path"), ("/nowhere/at/all", "not there")])
def test_a_folder_that_cannot_be_used_is_refused(plain: Workbench, folder: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        choose(plain, folder)
    assert ask(plain, calls.GetSettings())["general"]["model_folder"] == ""


def test_a_file_is_no_folder(plain: Workbench, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        choose(plain, str(tmp_path / "file"))


def test_only_what_is_below_a_marked_folder_is_deleted(tmp_path: Path) -> None:
    folders = ModelFolders(tmp_path / "own")
    model = ModelRecord(
        name="Mine", kind="chat", format="gguf", path=str(tmp_path / "elsewhere" / "mine" / "m.gguf"), owned=True,
        architecture="", parameters=0, quantization="", context_tokens=0, bytes=0,
    )  # fmt: skip
    Path(model.path).parent.mkdir(parents=True)
    Path(model.path).touch()
    folders.delete(model)
    assert Path(model.path).exists()
    folders.use(tmp_path / "elsewhere")
    folders.delete(msgspec.structs.replace(model, owned=False))
    assert Path(model.path).exists()
    folders.delete(model)
    assert not Path(model.path).exists()


def test_files_that_were_moved_by_hand_are_said_as_before(tmp_path: Path) -> None:
    model = ModelRecord(
        name="Mine", kind="chat", format="gguf", path=str(tmp_path / "gone.gguf"), architecture="", parameters=0,
        quantization="", context_tokens=0, bytes=0,
    )  # fmt: skip
    assert "no longer at" in missing_files(model).message
