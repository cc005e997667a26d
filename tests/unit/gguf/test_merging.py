"""Adapters merged into GGUF models: what they compute, what is changed and what is copied."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from tests.unit import tiny_models
from tests.unit.tiny_adapters import TinyAdapters, Trained
from tests.unit.tiny_models import Floats, llama_logits, read_tensors
from workbench.base.errors import UserError
from workbench.gguf import merging
from workbench.gguf.base_model import read_base
from workbench.gguf.lora import adapter_to_gguf
from workbench.gguf.merging import merge
from workbench.gguf.model import quantization_of
from workbench.gguf.reader import read_gguf, read_pieces
from workbench.gguf.weights import open_model

IA3 = {"ia3": True, "target_modules": ["k_proj", "v_proj", "down_proj"], "feedforward_modules": ["down_proj"]}
CLOSE = {"llama": 1e-5, "qwen2": 1e-5, "qwen3moe": 1e-5, "gemma3": 5e-3}


@pytest.mark.parametrize(
    ("family", "name", "options"),
    [
        ("llama", "llama-lora", {}),
        ("llama", "dora", {"use_dora": True}),
        ("llama", "llama-ia3", IA3),
        ("llama", "ends", {"target_modules": ["embed_tokens", "lm_head", "q_proj"]}),
        ("qwen2", "qwen2-lora", {}),
        ("qwen2", "qwen2-ia3", IA3),  # scales biases as well
        ("gemma3", "gemma3-lora", {}),
        ("gemma3", "gemma3-dora", {"use_dora": True}),
        ("qwen3moe", "moe", {"target_modules": "all-linear", "task_type": "CAUSAL_LM"}),
    ],
)
def test_a_merged_model_answers_as_torch_does(
    adapters: TinyAdapters, tmp_path: Path, family: str, name: str, options: dict[str, Any]
) -> None:
    trained = adapters.make(family, name, **options)
    merge(trained.base, trained.folder, tmp_path / "merged.gguf", "F32")
    assert np.abs(llama_logits(tmp_path / "merged.gguf") - trained.adapted).max() < CLOSE[family]
    assert np.abs(trained.plain - trained.adapted).max() > 20 * CLOSE[family]


def test_a_gguf_adapter_merges_to_the_same_as_its_peft_folder(adapters: TinyAdapters, tmp_path: Path) -> None:
    for name, options in (("patterns-True", {}), ("ends", {})):
        trained = adapters.make("llama", name, **_OPTIONS[name], **options)
        adapter_to_gguf(trained.folder, trained.base, tmp_path / "a.gguf")
        merge(trained.base, tmp_path / "a.gguf", tmp_path / "one.gguf", "F32")
        merge(trained.base, trained.folder, tmp_path / "two.gguf", "F32")
        one, two = read_tensors(tmp_path / "one.gguf"), read_tensors(tmp_path / "two.gguf")
        assert one.keys() == two.keys()
        assert max(np.abs(one[tensor] - two[tensor]).max() for tensor in one) < 1e-6


_OPTIONS: dict[str, dict[str, Any]] = {
    "patterns-True": {
        "use_rslora": True,
        "rank_pattern": {"q_proj": 8, "layers.1.mlp.up_proj": 2},
        "alpha_pattern": {"q_proj": 3, "o_proj": 20},
    },
    "ends": {"target_modules": ["embed_tokens", "lm_head", "q_proj"]},
}


def test_the_strength_is_that_of_the_adapter_in_llama_cpp(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    adapter_to_gguf(trained.folder, trained.base, tmp_path / "a.gguf")
    merge(trained.base, trained.folder, tmp_path / "half.gguf", "F32", scale=0.5)
    expected = llama_logits(trained.base, adapter=tmp_path / "a.gguf", scale=0.5)
    assert np.abs(llama_logits(tmp_path / "half.gguf") - expected).max() < 1e-5
    merge(trained.base, trained.folder, tmp_path / "none.gguf", "F32", scale=0.0)
    assert np.abs(llama_logits(tmp_path / "none.gguf") - trained.plain).max() < 1e-5


def packed_base(trained: Trained, path: Path, kind: str) -> Path:
    model = tiny_models.build(trained.family)
    return tiny_models.write_gguf(model, trained.family, path, lambda name: "F16" if name == "output" else kind)


@pytest.mark.parametrize(("small", "out"), [(500_000_000, "F16"), (1000, "Q8_0")])
def test_what_feels_rounding_most_stays_in_sixteen_bits(
    adapters: TinyAdapters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: int, out: str
) -> None:
    monkeypatch.setattr(merging, "SMALL_PARAMETERS", small)
    trained = adapters.make("llama", "qvog", target_modules=["q_proj", "v_proj", "o_proj", "gate_proj"])
    base = packed_base(trained, tmp_path / "base.gguf", "Q4_1")
    result = merge(base, trained.folder, tmp_path / "merged.gguf", "Q8_0")
    assert {name.split(".")[2]: kind for name, kind in result.changed.items()} == {
        "attn_q": "F16",
        "attn_v": "F16",
        "attn_output": out,
        "ffn_gate": "Q8_0",
    }


@pytest.mark.parametrize(
    ("targets", "kind", "called"),
    [
        ("all-linear", "Q8_0", "Q8_0"),  # though most of it is F16
        ("all-linear", "F16", "F16"),
        ("all-linear", "same", "Q4_1"),
        (["q_proj"], "Q8_0", "Q4_1"),  # the rest is as it was
    ],
)
def test_merge_is_called_what_it_is(
    adapters: TinyAdapters, tmp_path: Path, targets: str | list[str], kind: merging.ChangedType, called: str
) -> None:
    trained = adapters.make("llama", "-".join(targets), target_modules=targets)
    base = packed_base(trained, tmp_path / "base.gguf", "Q4_1")
    result = merge(base, trained.folder, tmp_path / "merged.gguf", kind)
    assert "F16" in result.changed.values() or kind == "same"
    assert quantization_of(read_pieces(tmp_path / "merged.gguf")) == called


def test_only_the_changed_tensors_are_packed_again(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "gu", target_modules=["gate_proj", "up_proj"])
    base = packed_base(trained, tmp_path / "base.gguf", "Q4_1")
    before = hashlib.sha256(base.read_bytes()).hexdigest()
    result = merge(base, trained.folder, tmp_path / "merged.gguf")
    changed = {f"blk.{layer}.{name}.weight": "Q8_0" for layer in (0, 1) for name in ("ffn_gate", "ffn_up")}
    assert result.changed == changed
    assert hashlib.sha256(base.read_bytes()).hexdigest() == before
    old, new = gguf.GGUFReader(base), gguf.GGUFReader(tmp_path / "merged.gguf")
    assert [t.name for t in new.tensors] == [t.name for t in old.tensors]
    for was, now in zip(old.tensors, new.tensors, strict=True):
        if was.name in changed:
            assert now.tensor_type == gguf.GGMLQuantizationType.Q8_0
        else:
            assert now.tensor_type == was.tensor_type
            assert np.array_equal(was.data, now.data)


def test_metadata_stay_and_tell_the_origin(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    result = merge(trained.base, trained.folder, tmp_path / "merged.gguf", "F16")
    old, new = gguf.GGUFReader(trained.base).fields, gguf.GGUFReader(tmp_path / "merged.gguf").fields
    for key in old:
        if not key.startswith(("GGUF.", "general.")):
            assert new[key].contents() == old[key].contents()
    said = {key: field.contents() for key, field in new.items() if key.startswith("general.")}
    assert said["general.name"] == "tiny llama + llama-lora"
    assert said["general.base_model.0.name"] == "tiny llama"
    assert said["general.merged.adapter_sha256"] == result.adapter_sha256
    assert (said["general.merged.method"], said["general.merged.type"]) == ("lora", "F16")
    assert said["general.merged.scale"] == 1.0
    assert said["general.file_type"] == 1  # mostly F16


def test_a_second_merge_tells_of_the_second_adapter(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    merge(trained.base, trained.folder, tmp_path / "once.gguf", "F32")
    merge(tmp_path / "once.gguf", adapters.make("llama", "llama-ia3", **IA3).folder, tmp_path / "twice.gguf", "F32")
    file = read_gguf(tmp_path / "twice.gguf")
    assert file.text("general.base_model.0.name") == "tiny llama + llama-lora"
    assert file.text("general.merged.method") == "ia3"


@pytest.mark.parametrize(("kind", "bound"), [("F16", 2e-3), ("Q8_0", 2e-2)])
def test_packed_changes_are_as_close_as_the_format_allows(
    adapters: TinyAdapters, tmp_path: Path, kind: merging.ChangedType, bound: float
) -> None:
    trained = adapters.make("llama", "llama-lora")
    result = merge(trained.base, trained.folder, tmp_path / "merged.gguf", kind)
    assert set(result.changed.values()) == {kind, "F16"}
    exact = merge(trained.base, trained.folder, tmp_path / "exact.gguf", "F32")
    near, true = read_tensors(result.path), read_tensors(exact.path)
    for name in result.changed:
        error = np.abs(near[name] - true[name]).max() / np.abs(true[name]).max()
        assert 0 < error < bound


def test_same_keeps_each_format_and_refuses_those_it_cannot_write(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "qv", target_modules=["q_proj", "v_proj"])
    base = packed_base(trained, tmp_path / "base.gguf", "Q5_0")
    result = merge(base, trained.folder, tmp_path / "merged.gguf", "same")
    assert set(result.changed.values()) == {"Q5_0"}
    with pytest.raises(UserError, match="cannot be written as Q4_K"):
        merge(base, trained.folder, tmp_path / "no.gguf", "Q4_K")  # type: ignore[arg-type]


def test_a_k_quant_is_merged_at_8_bits_and_refused_at_its_own(tmp_path: Path, gemma_path: Path) -> None:
    adapter = lora_on(gemma_path, tmp_path / "k.gguf", ["blk.3.ffn_down.weight"])
    with pytest.raises(UserError, match=r"is Q\d_K, which cannot be packed again"):
        merge(gemma_path, adapter, tmp_path / "merged.gguf", "same")
    adapter = lora_on(gemma_path, tmp_path / "a.gguf", ["blk.0.ffn_gate.weight", "blk.3.ffn_up.weight"])
    result = merge(gemma_path, adapter, tmp_path / "merged.gguf")
    assert result.changed == {"blk.0.ffn_gate.weight": "Q8_0", "blk.3.ffn_up.weight": "Q8_0"}
    for name in result.changed:
        halves, base = read_tensors(adapter), tensor_of(gemma_path, name)
        expected = base + 8 / 4 * halves[f"{name}.lora_b"] @ halves[f"{name}.lora_a"]
        step = np.abs(expected).reshape(-1, 32).max(axis=1) / 127  # of Q8_0, for each block of 32
        away = np.abs(tensor_of(result.path, name) - expected).reshape(-1, 32).max(axis=1)
        assert (away <= 0.6 * step).all()  # half a step, and the step itself is rounded to 16 bits
        assert np.abs(expected - base).max() > 10 * step.max()


def tensor_of(path: Path, name: str) -> Floats:
    """Read by the bridge: gguf's reader takes a quarter of a minute for this vocabulary."""
    stored = open_model(path).tensors[name]
    return stored.read(0, stored.tensor.shape[1])


def lora_on(base: Path, path: Path, targets: list[str]) -> Path:
    shapes = {tensor.name: tensor.shape for tensor in read_gguf(base).tensors}
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, read_gguf(base).text("general.architecture"))
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 8.0)
    for name in targets:
        into, out = shapes[name]
        writer.add_tensor(f"{name}.lora_a", rng.normal(size=(4, into), scale=0.05).astype(np.float32))
        writer.add_tensor(f"{name}.lora_b", rng.normal(size=(out, 4), scale=0.05).astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_chunks_change_nothing(adapters: TinyAdapters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = adapters.make("llama", "dora", use_dora=True)
    merge(trained.base, trained.folder, tmp_path / "whole.gguf", "Q8_0")
    monkeypatch.setattr(merging, "CHUNK_ELEMENTS", 7 * 64)
    merge(trained.base, trained.folder, tmp_path / "chunks.gguf", "Q8_0")
    whole, chunks = read_tensors(tmp_path / "whole.gguf"), read_tensors(tmp_path / "chunks.gguf")
    for name in whole:
        assert np.abs(whole[name] - chunks[name]).max() <= 1e-2 * np.abs(whole[name]).max()  # one step of rounding


def test_experts_are_changed_each_by_its_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(3, 40, 32)).astype(np.float32)
    a, b = rng.normal(size=(3, 4, 32)).astype(np.float32), rng.normal(size=(3, 40, 4)).astype(np.float32)
    for name, tensors in (
        ("base.gguf", {"blk.0.ffn_up_exps.weight": weights, "output.weight": weights[0]}),
        ("a.gguf", {"blk.0.ffn_up_exps.weight.lora_a": a, "blk.0.ffn_up_exps.weight.lora_b": b}),
    ):
        writer = gguf.GGUFWriter(tmp_path / name, "llama")
        if name == "a.gguf":
            writer.add_type("adapter")
            writer.add_string("adapter.type", "lora")
            writer.add_float32("adapter.lora.alpha", 2.0)
        else:
            writer.add_block_count(1)
            writer.add_head_count(4)
        for tensor, values in tensors.items():
            writer.add_tensor(tensor, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    merge(tmp_path / "base.gguf", tmp_path / "a.gguf", tmp_path / "merged.gguf", "F32")
    merged = read_tensors(tmp_path / "merged.gguf")["blk.0.ffn_up_exps.weight"]
    for expert in range(3):
        assert np.allclose(merged[expert], weights[expert] + 0.5 * b[expert] @ a[expert], atol=1e-5)


def test_a_split_model_is_merged_into_one_file(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    tiny_models.write_split(trained.base, tmp_path, "m")
    merge(tmp_path / "m-00002-of-00002.gguf", trained.folder, tmp_path / "merged.gguf", "F32")
    merge(trained.base, trained.folder, tmp_path / "whole.gguf", "F32")
    one, two = read_tensors(tmp_path / "merged.gguf"), read_tensors(tmp_path / "whole.gguf")
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert len(read_pieces(tmp_path / "merged.gguf")) == 1


def test_what_cannot_be_merged_leaves_nothing(adapters: TinyAdapters, tmp_path: Path, smollm_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    with pytest.raises(UserError, match="does not fit"):
        merge(smollm_path, trained.folder, tmp_path / "no.gguf")
    with pytest.raises(UserError, match="is the model itself"):
        merge(trained.base, trained.folder, trained.base)
    with pytest.raises(UserError, match="numbers that F16 cannot"):
        merge(trained.base, trained.folder, tmp_path / "no.gguf", "F16", scale=1e6)
    assert list(tmp_path.iterdir()) == []
    assert read_gguf(trained.base).tensors


def test_a_merged_model_may_be_named(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    merge(trained.base, trained.folder, tmp_path / "merged.gguf", name="mine")
    assert read_gguf(tmp_path / "merged.gguf").text("general.name") == "mine"
    assert adapter_to_gguf(trained.folder, trained.base, tmp_path / "a.gguf", name="of mine").name == "of mine"


def test_heads_of_each_layer_are_read_also_of_many_layers(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "deep.gguf", "deci")
    writer.add_block_count(80)
    writer.add_head_count([8] * 80)
    writer.add_head_count_kv([2 + layer % 2 for layer in range(80)])
    writer.add_tensor("output.weight", np.zeros((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    base = read_base(tmp_path / "deep.gguf")
    assert (len(base.heads), base.heads[79], base.kv_heads[78:]) == (80, 8, (2, 3))
    assert not base.tied


SLOW_MERGE = """
import sys
from pathlib import Path
from workbench.gguf import merging

write = merging._write_changed
def slowly(*given):
    write(*given)
    print("wrote", flush=True)
    sys.stdin.readline()
merging._write_changed = slowly
merging.merge(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
"""


def test_a_killed_merge_leaves_no_model_and_the_next_one_cleans_up(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    before = hashlib.sha256(trained.base.read_bytes()).hexdigest()
    out = tmp_path / "merged.gguf"
    rng = random.Random(5)
    for _ in range(3):
        command = [sys.executable, "-c", SLOW_MERGE, str(trained.base), str(trained.folder), str(out)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            for step in range(rng.randint(1, 12)):
                if step:
                    child.stdin.write(b"\n")
                assert child.stdout.readline() == b"wrote\n"
            child.kill()
        assert not out.exists()
        assert list(tmp_path.glob(".*.part"))
    merge(trained.base, trained.folder, out)
    assert read_gguf(out).tensors
    assert list(tmp_path.iterdir()) == [out]
    assert hashlib.sha256(trained.base.read_bytes()).hexdigest() == before
