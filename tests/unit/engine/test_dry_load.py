"""A load without memory counts what the real one takes, and the planner's formulas are near it, never below."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from pathlib import Path

import gguf
import msgspec
import pytest

from tests.synthetic_models import FAMILIES, write_synthetic
from workbench.base.errors import UserError
from workbench.engine.dry_load import MOST_TWICE, DryModel, choose_load_mode
from workbench.engine.fitting import released_bytes
from workbench.engine.inference_calls import Load
from workbench.engine.library import llama, start_library
from workbench.engine.memory_breakdown import can_count, count_memory
from workbench.engine.memory_formulas import cache_bytes, computing_bytes
from workbench.engine.memory_planner import Plan
from workbench.engine.parameters import context_parameters, is_recurrent, model_parameters
from workbench.gguf.model import describe_gguf
from workbench.records.fit import MemoryPart

pytestmark = pytest.mark.skipif(not can_count(), reason="this build of llama.cpp does not tell what it takes")


def plan(context: int = 2048, sequences: int = 32) -> Plan:
    return Plan(context, 0, 2, "auto", "f16", "", "", sequences=sequences)


def load_really(path: Path, how: Plan) -> MemoryPart:
    pointer = llama.llama_model_load_from_file(str(path).encode(), model_parameters(str(path), how))
    context = llama.llama_init_from_model(pointer, context_parameters(how, is_recurrent(pointer)))
    (part,) = count_memory(context)
    part = msgspec.structs.replace(part, mapped=how.mapped)
    llama.llama_free(context)
    llama.llama_model_free(pointer)
    return part


@pytest.mark.parametrize("family", FAMILIES)
def test_the_count_without_memory_is_that_of_the_real_load(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.engine.dry_load.SMALL_FILE", 0)
    path = write_synthetic(tmp_path / "model.gguf", family, layers=2, vocabulary=2_000, context=2_048)
    with contextlib.closing(DryModel(str(path), plan(), start_library())) as model:
        how = model.choose_load_mode(plan(), path.stat().st_size)
        (dry,) = model.count(how)
    real = load_really(path, how)
    # where few weights of a mapped file are repacked, llama.cpp may not count their pages in the file
    most = MOST_TWICE * real.weights if how.mapped else 0
    assert real.weights <= dry.weights <= real.weights + most
    assert msgspec.structs.replace(dry, weights=real.weights) == real
    details = describe_gguf(path)
    sequences = 1 if family == "mamba2" else 32
    assert dry.cache == cache_bytes(details, 2048, "f16", sequences)
    estimated = computing_bytes(details, 2048, Load(path=""), sequences)
    assert dry.computing <= estimated <= 1.6 * dry.computing + (40 << 20)


def test_a_sliding_window_is_counted_short_and_whole(tmp_path: Path) -> None:
    path = write_synthetic(tmp_path / "model.gguf", "gemma3", layers=6, vocabulary=500)
    model = DryModel(str(path), plan(), start_library())
    for sequences in (2, 32):
        (part,) = model.count(plan(8192, sequences))
        assert part.cache == cache_bytes(describe_gguf(path), 8192, "f16", sequences)
    model.close()


def test_several_contexts_take_several_caches_and_the_weights_once(tmp_path: Path) -> None:
    path = write_synthetic(tmp_path / "model.gguf", "llama", layers=2, vocabulary=500)
    model = DryModel(str(path), plan(), start_library())
    (one,), (two,) = model.count(plan()), model.count(plan(), contexts=2)
    model.close()
    assert (two.weights, two.cache, two.computing) == (one.weights, 2 * one.cache, 2 * one.computing)


def test_what_llama_cpp_refuses_has_its_reason(tmp_path: Path) -> None:
    path = write_synthetic(tmp_path / "model.gguf", "llama", layers=2, vocabulary=500)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"llama.attention.head_count_kv", b"llama.attention.head_count_kx"))
    path.write_bytes(path.read_bytes().replace(b"blk.1.ffn_up.weight", b"blk.1.ffn_uq.weight"))
    with pytest.raises(UserError, match="cannot load this model"):
        DryModel(str(path), dataclasses.replace(plan()), start_library())


@pytest.mark.parametrize(("matrices", "repacked"), [("Q4_0", True), ("Q5_1", False)])
def test_weights_that_the_processor_repacks_are_in_memory_once(
    matrices: str, repacked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.engine.dry_load.SMALL_FILE", 0)
    kind = gguf.GGMLQuantizationType[matrices]
    path = write_synthetic(tmp_path / "model.gguf", "llama", layers=2, vocabulary=2_000, matrices=kind)
    log = start_library()
    with contextlib.closing(DryModel(str(path), plan(), log)) as model:
        (mapped,) = model.count(plan())
        chosen = model.choose_load_mode(plan(), path.stat().st_size)
        if repacked and chosen.mapped:
            pytest.skip("this processor repacks no Q4_0")
        (counted,) = model.count(chosen)
    assert chosen.mapped is not repacked
    assert chosen == choose_load_mode(describe_gguf(path).model, plan(), log)
    assert counted == load_really(path, chosen)
    size = path.stat().st_size
    assert counted.weights <= size
    assert mapped.weights > 1.8 * size if repacked else mapped.weights == counted.weights
    assert released_bytes(counted) == counted.cache + counted.computing + (counted.weights if repacked else 0)


@pytest.mark.parametrize(("family", "repacks"), [("llama", True), ("deepseek2", False)])
def test_weights_that_are_multiplied_by_views_are_not_repacked_for_amx(
    family: str, repacks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_synthetic(tmp_path / "model.gguf", family, layers=2, vocabulary=500)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr("workbench.engine.library.describe_features", lambda: "AVX512 = 1 | AMX_INT8 = 1 |")
    assert model_parameters(str(path), plan()).use_extra_bufts is repacks
    monkeypatch.setattr("workbench.engine.library.describe_features", lambda: "AVX512 = 1 |")
    assert model_parameters(str(path), plan()).use_extra_bufts


def test_nothing_is_repacked_for_amx_beside_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_synthetic(tmp_path / "model.gguf", "llama", layers=2, vocabulary=500)
    monkeypatch.setitem(sys.modules, "torch", sys)
    monkeypatch.setattr("workbench.engine.library.describe_features", lambda: "AVX512 = 1 | AMX_INT8 = 1 |")
    assert not model_parameters(str(path), plan()).use_extra_bufts
    monkeypatch.setattr("workbench.engine.library.describe_features", lambda: "AVX512 = 1 |")
    assert model_parameters(str(path), plan()).use_extra_bufts


@pytest.mark.parametrize("huge", [False, True])
def test_a_small_file_is_read_into_huge_pages_and_mapped_where_there_are_none(
    huge: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.engine.dry_load.has_huge_pages", lambda: huge)
    monkeypatch.setattr("workbench.engine.dry_load.count_memory", None)  # it is not counted
    kind = gguf.GGMLQuantizationType.Q4_0
    path = write_synthetic(tmp_path / "model.gguf", "llama", layers=2, vocabulary=500, matrices=kind)
    assert choose_load_mode(describe_gguf(path).model, plan(), start_library()).mapped is not huge
