"""Adapters in the core: listed, taken in, renamed, merged, exported; with a worker that stands in for torch."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.adapters import write_adapter
from tests.e2e.training_core import TENSORS, call, card_of, is_step, opened, started, until
from tests.unit.subjects.models.conftest import TINY_METADATA, gguf_bytes
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call
from workbench.app import Workbench
from workbench.base.errors import Cancelled, UserError
from workbench.base.paths import Home
from workbench.records.recipes import AdapterUse, ModelPart, Recipe
from workbench.records.training import AdapterRecord, ScoresPair, VerificationReport, WeightsPart
from workbench.storage.database import open_home
from workbench.subjects.adapters import export_run as adapter_export
from workbench.subjects.adapters.calls import (
    ExportAdapter,
    ImportAdapter,
    ListAdapters,
    MergeAdapter,
    QuantizeModel,
    RemoveAdapter,
    RenameAdapter,
)
from workbench.subjects.adapters.store import AdapterStore
from workbench.subjects.chats.calls import Ask
from workbench.subjects.models.calls import ImportModel, ListModels
from workbench.subjects.runs.calls import FollowRun, GetRun, ListRuns, ResumeRun, StopRun
from workbench.subjects.runs.kinds import OpenRun
from workbench.subjects.runs.store import RunStore


def trained(trainer: Workbench, home: Home, folder: Path, name: str = "Facts", file: str = "facts") -> AdapterRecord:
    run = started(trainer, folder, file, name=name)
    call(trainer, FollowRun(run=run.id))
    return card_of(home, run.id)


def names(trainer: Workbench, model: str = "") -> list[str]:
    return sorted(one.name for one in call(trainer, ListAdapters(model=model)).adapters)


def base_file(tmp_path: Path) -> Path:
    return tmp_path / "base.gguf"


def other_model(trainer: Workbench, tmp_path: Path) -> None:
    """A model of another architecture."""
    metadata = {key.replace("llama", "qwen2"): value for key, value in TINY_METADATA.items()}
    metadata["general.architecture"] = "qwen2"
    path = tmp_path / "other.gguf"
    path.write_bytes(gguf_bytes(metadata, TENSORS))
    call(trainer, ImportModel(path=str(path), name="Other"))


def test_adapters_are_listed_with_those_that_have_no_card_and_by_what_fits(
    trainer: Workbench, home: Home, tmp_path: Path
) -> None:
    trained(trainer, home, tmp_path)
    write_adapter(base_file(tmp_path), home.adapters / "loose.gguf")
    (home.adapters / "broken").mkdir()
    (home.adapters / "broken" / "adapter.gguf").write_bytes(b"no")
    assert names(trainer) == ["broken", "facts", "loose"]
    cards = {one.name: one for one in call(trainer, ListAdapters()).adapters}
    assert (cards["loose"].origin, cards["loose"].architecture, cards["loose"].can_merge) == ("imported", "llama", True)
    assert cards["broken"].state == "failed"
    other_model(trainer, tmp_path)
    assert names(trainer, "Base") == ["facts", "loose"]
    assert names(trainer, "Other") == []


def test_a_gguf_adapter_is_copied_after_a_look_at_it(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    file = write_adapter(base_file(tmp_path), tmp_path / "style.gguf")
    before = file.read_bytes()
    record = call(trainer, ImportAdapter(path=str(file)))
    assert (record.name, record.origin, record.base, record.state) == ("style", "imported", "Base", "ready")
    file.write_bytes(b"changed")
    assert Path(record.file).read_bytes() == before
    other_model(trainer, tmp_path)
    file.write_bytes(before)
    with pytest.raises(UserError, match="architecture"):
        call(trainer, ImportAdapter(path=str(file), model="Other"))
    with pytest.raises(UserError):
        call(trainer, ImportAdapter(path=str(base_file(tmp_path))))
    assert names(trainer) == ["style"]


def test_a_peft_folder_is_converted_and_kept_without_pickles(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "peft-style"
    folder.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors", "training_args.bin"):
        (folder / name).write_bytes(b"{}")
    record = call(trainer, ImportAdapter(path=str(folder), model="Base", name="Style of mine"))
    assert (record.name, record.base, bool(record.base_sha256)) == ("style-of-mine", "Base", True)
    kept = sorted(p.name for p in (home.adapters / record.name / "trained").iterdir())
    assert kept == ["adapter_config.json", "adapter_model.safetensors"]
    assert not list(home.adapters.glob(".unfinished-*"))


def test_names_are_changed_and_what_is_used_stays(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    trained(trainer, home, tmp_path)
    trained(trainer, home, tmp_path, "Others")
    with pytest.raises(UserError, match="already an adapter"):
        call(trainer, RenameAdapter(adapter="facts", name="Others"))
    assert call(trainer, RenameAdapter(adapter="facts", name="My facts")).name == "my-facts"
    assert names(trainer) == ["my-facts", "others"]
    waiting = started(trainer, tmp_path, "slow")
    until(trainer, waiting.id, is_step)
    merge = call(trainer, MergeAdapter(adapter="others"))
    with pytest.raises(UserError, match="is using others"):
        call(trainer, RemoveAdapter(adapter="others"))
    call(trainer, StopRun(run=merge.id))
    left = call(trainer, RemoveAdapter(adapter="others"))
    assert [one.name for one in left.adapters] == ["my-facts"]
    assert not (home.adapters / "others").exists()
    call(trainer, StopRun(run=waiting.id))
    with pytest.raises(UserError, match="no adapter"):
        call(trainer, RemoveAdapter(adapter="others"))


def test_an_adapter_that_an_answer_is_made_with_stays(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    trained(trainer, home, tmp_path)
    recipe = Recipe(model=ModelPart(name="Base", adapters=(AdapterUse(name="facts"),)))
    answer = trainer.handle(Ask(question="slow please", recipe=recipe))
    while not isinstance(next(answer), events.TextDelta):
        pass
    for request in (RemoveAdapter(adapter="facts"), RenameAdapter(adapter="facts", name="other")):
        with pytest.raises(UserError, match="answer is using"):
            call(trainer, request)
    answer.close()  # type: ignore[attr-defined]
    assert names(trainer) == ["facts"]


def test_a_merge_is_checked_and_then_a_model_of_the_catalogue(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    adapter = trained(trainer, home, tmp_path)
    run = call(trainer, MergeAdapter(adapter="facts", name="Base with facts", type="F16"))
    seen: list[Event] = []
    result = call(trainer, FollowRun(run=run.id), seen.append)
    assert [e.kind for e in seen if isinstance(e, events.Artifact)] == ["verification"]
    assert result["model"] == "Base with facts"
    assert msgspec.convert(result["verification"], VerificationReport).passed
    models = {m.name: m for m in call(trainer, ListModels()).models}
    assert (models["Base with facts"].licence, models["Base with facts"].owned) == ("Apache-2.0", True)
    card = card_of(home, run.id)
    assert (card.kind, card.origin, card.model, card.base) == ("merged", "merged", "Base with facts", "Base")
    assert (card.data, card.examples, card.can_merge) == (adapter.data, 3, False)
    assert "F16" in card.note
    assert card.scores == adapter.scores != ScoresPair()


def test_a_merge_at_another_strength_claims_no_scores(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    trained(trainer, home, tmp_path)
    run = call(trainer, MergeAdapter(adapter="facts", scale=0.5))
    call(trainer, FollowRun(run=run.id))
    card = card_of(home, run.id)
    assert (card.scores, card.forgetting) == (ScoresPair(), ScoresPair())
    assert "strength 0.5" in card.note


def test_one_whose_kind_cannot_be_converted_any_more_is_merged_as_the_gguf_lora_that_was_made_of_it(
    trainer: Workbench, home: Home, tmp_path: Path
) -> None:
    trained(trainer, home, tmp_path)
    (home.adapters / "facts" / "trained" / "adapter_config.json").write_text('{"peft_type": "VERA"}')
    run = call(trainer, MergeAdapter(adapter="facts", name="Merged"))
    seen: list[Event] = []
    call(trainer, FollowRun(run=run.id), seen.append)
    assert {one.detail for one in seen if isinstance(one, events.Progress)} >= {"adapter.gguf"}
    assert {model.name for model in call(trainer, ListModels()).models} == {"Base", "Merged"}


def test_one_that_names_no_base_is_merged_into_the_model_that_it_fits(
    trainer: Workbench, home: Home, tmp_path: Path
) -> None:
    home.adapters.mkdir(exist_ok=True)
    write_adapter(base_file(tmp_path), home.adapters / "loose.gguf")
    other_model(trainer, tmp_path)
    run = call(trainer, MergeAdapter(adapter="loose"))
    assert run.config["model"] == "Base"
    assert call(trainer, FollowRun(run=run.id))["model"] == "Base loose merged"


def test_a_merge_that_loses_what_was_learnt_is_deleted(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    trained(trainer, home, tmp_path)
    run = call(trainer, MergeAdapter(adapter="facts", name="Lost", scale=2.0))  # the fake gate refuses more than 1
    with pytest.raises(UserError, match="lost what was learnt"):
        call(trainer, FollowRun(run=run.id))
    record = call(trainer, GetRun(run=run.id))
    assert (record.state, record.resumable) == ("failed", False)
    assert [m.name for m in call(trainer, ListModels()).models] == ["Base"]
    assert [p for p in home.models.iterdir() if p.is_dir()] == []
    assert AdapterStore(home.adapters).of_run(run.id) is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (MergeAdapter(adapter="facts", quantization="Q4"), "Q4 is unknown"),
        (MergeAdapter(adapter="facts", scale=0.0), "cannot be 0"),
        (MergeAdapter(adapter="facts", scale=float("nan")), "cannot be nan"),
        (QuantizeModel(model="Base", type="IQ2_XS"), "importance matrix"),
    ],
)
def test_what_could_not_be_written_is_refused_before_it_is_queued(
    trainer: Workbench, home: Home, tmp_path: Path, asked: Call[Any], said: str
) -> None:
    trained(trainer, home, tmp_path)
    with pytest.raises(UserError, match=said):
        call(trainer, asked)
    assert [run.kind for run in call(trainer, ListRuns()).runs] == ["train"]


def test_what_is_no_change_of_weights_is_not_merged(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    adapter = trained(trainer, home, tmp_path)
    store = AdapterStore(home.adapters)
    store.put(msgspec.structs.replace(adapter, kind="soft-prompt", can_merge=False))
    with pytest.raises(UserError, match="changes no weights"):
        call(trainer, MergeAdapter(adapter="facts"))
    store.put(msgspec.structs.replace(adapter, kind="merged", can_merge=False))
    with pytest.raises(UserError, match="a model, not an adapter"):
        call(trainer, MergeAdapter(adapter="facts"))


def test_an_adapter_that_did_not_pass_is_not_answered_with(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    trained(trainer, home, tmp_path, file="lost")
    recipe = Recipe(model=ModelPart(name="Base", adapters=(AdapterUse(name="facts"),)))
    with pytest.raises(UserError, match="It lost what was learnt"):
        call(trainer, Ask(question="What?", recipe=recipe))
    with pytest.raises(UserError, match="It lost what was learnt"):
        call(trainer, MergeAdapter(adapter="facts"))


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("gguf", ["README.md", "facts.gguf"]),
        ("peft", ["README.md", "adapter_config.json"]),
        ("merged", ["README.md", "base-facts.gguf"]),
    ],
)
def test_an_adapter_is_exported_with_its_card(
    trainer: Workbench, home: Home, tmp_path: Path, form: str, files: list[str]
) -> None:
    trained(trainer, home, tmp_path)
    out = tmp_path / "out"
    run = call(trainer, ExportAdapter(adapter="facts", path=str(out), form=form))  # type: ignore[arg-type]
    assert call(trainer, FollowRun(run=run.id)) == {"adapter": "facts", "path": str(out), "form": form}
    assert sorted(p.name for p in out.iterdir()) == files
    card = (out / "README.md").read_text()
    for said in (
        "license: apache-2.0",
        "Apache-2.0",
        "Base",
        "facts.jsonl",
        "LoRA",
        "0.500",
        "answers as the trained model does",
    ):
        assert said in card
    with pytest.raises(UserError, match="exists already"):
        call(trainer, ExportAdapter(adapter="facts", path=str(out)))


def test_a_model_that_was_trained_as_a_whole_is_exported_as_one(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(trainer, tmp_path, "facts", name="Whole", weights=WeightsPart(method="full"))
    call(trainer, FollowRun(run=run.id))
    out = tmp_path / "out"
    call(trainer, FollowRun(run=call(trainer, ExportAdapter(adapter="whole", path=str(out), form="merged")).id))
    assert sorted(p.name for p in out.iterdir()) == ["README.md", "whole.gguf"]
    assert names(trainer, "Base") == []


def test_an_export_that_is_stopped_leaves_nothing(
    trainer: Workbench, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(trainer, home, tmp_path)
    copy = adapter_export._copy

    def copy_slowly(files: list[tuple[Path, str]], folder: Path, run: OpenRun) -> None:
        copy(files, folder, run)
        run.emit(events.Progress(stage="copied"))
        run.context.wait_cancelled()

    monkeypatch.setattr(adapter_export, "_copy", copy_slowly)
    run = call(trainer, ExportAdapter(adapter="facts", path=str(tmp_path / "there" / "out")))
    told: list[Event] = []

    def copied(event: Event) -> bool:
        told.append(event)
        return isinstance(event, events.Progress) and event.stage == "copied"

    until(trainer, run.id, copied)
    assert next((one.stage, one.unit) for one in told if isinstance(one, events.Progress)) == ("copying", "bytes")
    with pytest.raises(UserError, match="is using facts"):
        call(trainer, RemoveAdapter(adapter="facts"))
    call(trainer, StopRun(run=run.id))
    with pytest.raises(Cancelled):
        call(trainer, FollowRun(run=run.id))
    assert list((tmp_path / "there").iterdir()) == []
    assert call(trainer, GetRun(run=run.id)).state == "cancelled"


def test_an_export_deletes_nothing_that_is_not_its_own(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    trained(trainer, home, tmp_path)
    for name in (".out.unfinished", ".unfinished-0", "out.unfinished"):
        (tmp_path / "there" / name).mkdir(parents=True)
        (tmp_path / "there" / name / "precious.txt").write_text("kept")
    asked = ExportAdapter(adapter="facts", path=str(tmp_path / "there" / "out"))
    call(trainer, FollowRun(run=call(trainer, asked).id))
    assert len(list((tmp_path / "there").glob("*/precious.txt"))) == 3


def test_of_two_exports_to_one_place_one_is_complete_and_the_other_is_told(
    trainer: Workbench, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(trainer, home, tmp_path)
    copy, both = adapter_export._copy, threading.Barrier(2, timeout=30)

    def copy_together(files: list[tuple[Path, str]], folder: Path, run: OpenRun) -> None:
        copy(files, folder, run)
        both.wait()

    monkeypatch.setattr(adapter_export, "_copy", copy_together)
    monkeypatch.setattr(adapter_export.ExportRuns, "concurrency_group", lambda runs, run: run.id)
    asked = ExportAdapter(adapter="facts", path=str(tmp_path / "there" / "out"))
    ended = [[*trainer.handle(FollowRun(run=run.id))][-1] for run in [call(trainer, asked) for _ in range(2)]]
    assert sorted(type(end).__name__ for end in ended) == ["Failed", "Finished"]
    assert "exists already" in next(end.message for end in ended if isinstance(end, events.Failed))
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["out"]
    assert sorted(path.name for path in (tmp_path / "there" / "out").iterdir()) == ["README.md", "facts.gguf"]


def test_what_a_killed_export_left_goes_when_the_next_core_starts(
    trainer: Workbench, home: Home, tmp_path: Path
) -> None:
    trained(trainer, home, tmp_path)
    trainer.close()
    database = open_home(home)
    config = {"adapter": "facts", "path": str(tmp_path / "out"), "form": "gguf"}
    run = RunStore(database).add("export", "Write facts", config)
    RunStore(database).update(run.id, state="running")
    database.close()
    left = tmp_path / f".unfinished-{run.id}"
    left.mkdir()
    (left / "half.gguf").write_bytes(b"half")
    workbench = opened(home)
    try:
        assert not left.exists()
        assert call(workbench, GetRun(run=run.id)).state == "interrupted"
        call(workbench, ResumeRun(run=run.id))
        call(workbench, FollowRun(run=run.id))
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["README.md", "facts.gguf"]
    finally:
        workbench.close()


def test_all_files_of_a_split_model_are_exported(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    parts = []
    for number, tensor in enumerate(TENSORS):
        metadata = {**TINY_METADATA, "split.no": number, "split.count": 3, "split.tensors.count": 3}
        parts.append(tmp_path / f"big-{number + 1:05}-of-00003.gguf")
        parts[-1].write_bytes(gguf_bytes(metadata, (tensor,)))
    call(trainer, ImportModel(path=str(parts[0]), name="Big"))
    AdapterStore(home.adapters).publish(AdapterRecord(name="big", kind="merged", model="Big"), lambda folder: None)
    out = tmp_path / "out"
    call(trainer, FollowRun(run=call(trainer, ExportAdapter(adapter="big", path=str(out), form="merged")).id))
    assert sorted(p.name for p in out.glob("*.gguf")) == [p.name for p in parts]
    assert all((out / part.name).read_bytes() == part.read_bytes() for part in parts)


def test_a_model_is_written_in_another_quantisation(trainer: Workbench) -> None:
    run = call(trainer, QuantizeModel(model="Base", type="Q4_K_M"))
    result = call(trainer, FollowRun(run=run.id))
    assert result["model"] == "Base Q4_K_M"
    [made] = [m for m in call(trainer, ListModels()).models if m.name == "Base Q4_K_M"]
    assert (made.path, made.licence, made.owned) == (result["path"], "Apache-2.0", True)
