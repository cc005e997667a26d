"""What can be loaded, in which form it is held, and what is refused."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.unit.tiny_models import torch_logits
from tests.unit.training.weights import tiny_families
from workbench.base.errors import UserError
from workbench.gguf.weights import open_model
from workbench.records.training import BaseForm
from workbench.training.weights import dtype_selection as choosing
from workbench.training.weights import frozen_linear
from workbench.training.weights.dtype_selection import Speeds
from workbench.training.weights.loading import load_base


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("llama") / "m.gguf"
    return tiny_families.write_gguf(tiny_families.build("llama"), "llama", path, "Q8_0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("folder") / "tiny llama"
    tiny_families.build("llama").save_pretrained(path)
    return path


@pytest.fixture(params=[1.0, 0.001], ids=["fast bfloat16", "slow bfloat16"])
def speeds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Speeds:
    """What the machine is measured to do."""
    measured = Speeds(f32=0.5, bf16=request.param)
    monkeypatch.setattr("workbench.training.weights.loading.measure_speeds", lambda: measured)
    return measured


@pytest.mark.parametrize("form", ["f32", "bf16", "packed", "auto"])
def test_the_form_is_as_asked_and_the_type_as_is_fast(model_path: Path, form: BaseForm, speeds: Speeds) -> None:
    torch = pytest.importorskip("torch")
    loaded = load_base(model_path, form)
    fast = torch.bfloat16 if speeds.bf16 > speeds.f32 else torch.float32
    assert loaded.form == (form if form != "auto" else "bf16" if fast == torch.bfloat16 else "f32")
    assert loaded.dtype == (torch.float32 if form == "f32" else fast)
    exact = torch_logits(load_base(model_path, "f32").model)
    found = torch_logits(loaded.model)
    apart = np.abs(found - exact).max() / np.abs(exact).max()
    assert apart < (1e-5 if loaded.form in ("f32", "packed") and fast == torch.float32 else 0.05)
    assert loaded.model(input_ids=torch.tensor([[1, 2]])).logits.dtype == loaded.dtype
    items = {"f32": 4.0, "bf16": 2.0, "packed": 34 / 32}
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    assert loaded.weights_bytes == pytest.approx(parameters * items[loaded.form], rel=0.03)
    assert loaded.why.endswith(".")


@pytest.mark.parametrize("form", ["f32", "bf16", "auto"])
def test_a_folder_is_loaded_in_the_same_forms(folder: Path, form: BaseForm, speeds: Speeds) -> None:
    torch = pytest.importorskip("torch")
    loaded = load_base(folder, form)
    fast = torch.bfloat16 if speeds.bf16 > speeds.f32 else torch.float32
    assert loaded.dtype == (torch.float32 if form == "f32" else fast)
    exact = torch_logits(tiny_families.build("llama"))
    apart = np.abs(torch_logits(loaded.model) - exact).max() / np.abs(exact).max()
    assert apart < (1e-6 if loaded.form == "f32" else 0.05)
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert loaded.base.architecture == "llama"
    with pytest.raises(UserError, match="cannot stay packed"):
        load_base(folder, "packed")


def test_what_is_read_is_reported(model_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    load_base(model_path, "f32", report=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {seen[-1][0]}


def test_four_bits_need_a_gpu(model_path: Path, folder: Path) -> None:
    for path in (model_path, folder):
        with pytest.raises(UserError, match="need an NVIDIA GPU"):
            load_base(path, "4bit")


def test_loading_the_starter_holds_no_second_copy(smollm_path: Path) -> None:
    """In a process of its own: what it takes at its peak, above what its libraries take, is the weights' size."""
    program = """
        import sys, psutil
        from pathlib import Path
        import transformers, torch
        from accelerate import init_empty_weights
        from transformers import LlamaForCausalLM
        from workbench.training.weights.loading import load_base
        before = psutil.Process().memory_info().rss
        loaded = load_base(Path(sys.argv[1]), "f32")
        from workbench.training.memory_use import peak_memory_bytes
        print(peak_memory_bytes("cpu") - before, loaded.weights_bytes)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(smollm_path)]
    peak, weights = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert weights == 134_515_008 * 4
    assert peak < 1.25 * weights


def test_gemma_s_weights_are_those_that_transformers_reads(gemma_path: Path) -> None:
    """One tensor of each kind, K-quants among them, against gguf's own unpacking; norms are stored as one more."""
    torch = pytest.importorskip("torch")
    loaded = load_base(gemma_path, "packed")
    tensors = open_model(gemma_path).tensors
    names = {
        "model.layers.3.input_layernorm.weight": "blk.3.attn_norm.weight",
        "model.layers.3.post_attention_layernorm.weight": "blk.3.post_attention_norm.weight",
        "model.layers.3.pre_feedforward_layernorm.weight": "blk.3.ffn_norm.weight",
        "model.layers.3.self_attn.q_norm.weight": "blk.3.attn_q_norm.weight",
        "model.layers.3.self_attn.v_proj.weight": "blk.3.attn_v.weight",
        "model.layers.17.mlp.down_proj.weight": "blk.17.ffn_down.weight",
        "model.embed_tokens.weight": "token_embd.weight",
    }
    for name, stored in names.items():
        parameter = loaded.model.get_parameter(name)
        if parameter.ndim == 1:
            expected = torch.from_numpy(tensors[stored].read(0, 1)[0] - 1)
            assert torch.equal(parameter, expected.to(parameter.dtype)), name  # bf16 on some processors
        else:
            found = parameter.blocks.rows(torch.arange(100, 200), torch.float32).numpy()
            assert np.array_equal(found, tensors[stored].read(100, 100)), name
    assert loaded.model.config.sliding_window == 512
    assert loaded.model.config.layer_types.count("full_attention") == 3


# -- what is refused -------------------------------------------------------------------------------


def test_a_file_that_is_cut_short_or_no_model_is_refused(model_path: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(model_path.read_bytes()[:-1000])
    with pytest.raises(UserError, match="cut short"):
        load_base(cut, "f32")
    cut.write_bytes(b"PK\x03\x04 a zip")
    with pytest.raises(UserError, match="pickle"):
        load_base(cut, "f32")


@pytest.mark.parametrize(
    ("family", "changes", "words"),
    [
        ("qwen3", {"blk.0.attn_q.weight": np.zeros((96, 64), np.float32)}, "its metadata asks for 128 x 64"),
        ("qwen3", {"token_embd.weight": np.zeros((96, 32), np.float32)}, "its metadata asks for 96 x 64"),
    ],
)
def test_weights_that_do_not_fit_the_metadata_are_refused(
    tmp_path: Path, family: str, changes: dict[str, np.ndarray], words: str
) -> None:
    path = tiny_families.write_gguf(tiny_families.build(family), family, tmp_path / "m.gguf", but=changes)
    with pytest.raises(UserError, match=words):
        load_base(path, "f32")


def test_weights_that_are_missing_or_too_many_are_refused(tmp_path: Path) -> None:
    model = tiny_families.build("llama with biases")
    path = tiny_families.write_gguf(model, "llama with biases", tmp_path / "m.gguf")
    raw = path.read_bytes()
    assert raw.count(b"blk.0.attn_q.bias") == 1
    path.write_bytes(raw.replace(b"blk.0.attn_q.bias", b"blk.0.attn_q.bios"))
    with pytest.raises(UserError, match=r"holds weights .* does not have: blk\.\d\.\w+\.bias"):
        load_base(path, "f32")
    path.write_bytes(raw.replace(b"blk.1.attn_q.bias", b"blk.1.attn_q.bios"))
    with pytest.raises(UserError, match=r"has no 'blk\.1\.attn_q\.bias'"):
        load_base(path, "f32")


def test_metadata_that_lacks_something_is_refused(model_path: Path, tmp_path: Path) -> None:
    raw = model_path.read_bytes()
    for key, words in (
        (b"llama.attention.layer_norm_rms_epsilon", "does not declare llama.attention.layer_norm_rms_epsilon"),
        (b"llama.embedding_length", "does not declare llama.embedding_length"),
    ):
        path = tmp_path / "m.gguf"
        path.write_bytes(raw.replace(key, key[:-1] + b"_"))
        with pytest.raises(UserError, match=words):
            load_base(path, "f32")


def test_numbers_that_transformers_does_not_accept_are_refused(model_path: Path, tmp_path: Path) -> None:
    raw, key = model_path.read_bytes(), b"llama.embedding_length"
    place = raw.index(key) + len(key) + 4
    path = tmp_path / "m.gguf"
    path.write_bytes(raw[:place] + struct.pack("<I", 63) + raw[place + 4 :])
    with pytest.raises(UserError, match="does not accept what"):
        load_base(path, "f32")


def test_pickles_adapters_and_half_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "adapter_config.json").write_text("{}")
    with pytest.raises(UserError, match="holds an adapter"):
        load_base(other, "f32")
    (other / "adapter_config.json").unlink()
    weights = (other / "model.safetensors").read_bytes()
    (other / "model.safetensors").write_bytes(weights[:-100])
    with pytest.raises(UserError):
        load_base(other, "f32")
    (other / "model.safetensors").unlink()
    (other / "pytorch_model.bin").write_bytes(b"\x80\x02")
    with pytest.raises(UserError, match="pickles"):
        load_base(other, "f32")
    (other / "pytorch_model.bin").unlink()
    with pytest.raises(UserError, match="holds no safetensors"):
        load_base(other, "f32")


def test_code_in_a_folder_is_not_run(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    config = json.loads((other / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    (other / "config.json").write_text(json.dumps(config))
    (other / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    load_base(other, "f32")
    assert not (tmp_path / "ran").exists()


def test_weights_that_are_missing_from_a_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    weights = safetensors.load_file(other / "model.safetensors")
    weights.pop("model.layers.1.mlp.up_proj.weight")
    safetensors.save_file(weights, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"lacks weights of its model: model\.layers\.1\.mlp\.up_proj\.weight"):
        load_base(other, "f32")


# -- choosing --------------------------------------------------------------------------------------

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("parameters", "packed", "free", "fast", "chosen"),
    [
        (135_000_000, 100_000_000, 8 * GB, 0.1, "f32"),
        (135_000_000, 100_000_000, 8 * GB, 3.0, "bf16"),
        (7 * GB, 4 * GB, 16 * GB, 0.1, "packed"),
        (7 * GB, 4 * GB, 16 * GB, 3.0, "packed"),
        (7 * GB, 4 * GB, 32 * GB, 3.0, "bf16"),
        (7 * GB, None, 32 * GB, 0.1, "bf16"),
        (7 * GB, 14 * GB, 24 * GB, 0.1, "bf16"),
    ],
)
def test_the_form_is_chosen_by_memory_and_speed(
    parameters: int, packed: int | None, free: int, fast: float, chosen: str
) -> None:
    choice = choosing.choose_form(parameters, packed, memory_free_bytes=free, speeds=Speeds(1.0, fast))
    assert choice.form == chosen
    assert choice.dtype == ("bfloat16" if fast > 1.1 else "float32")
    assert "GB" in choice.why


def test_speeds_are_measured() -> None:
    found = choosing.measure_speeds()
    assert found.f32 > 1e6
    assert found.bf16 > 0


def test_rounds_that_other_programs_slow_down_do_not_choose_the_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """bfloat16 takes half the time, but most of its rounds are slowed down threefold."""
    torch = pytest.importorskip("torch")
    now, products = 0.0, 0

    def product(a: Any, weight: Any) -> None:
        nonlocal now, products
        products += 1
        seconds = len(a) * (1.0 if a.dtype == torch.float32 else 0.5)
        slowed = a.dtype == torch.bfloat16 and len(a) % 64
        now += 3 * seconds if slowed else seconds

    monkeypatch.setattr(frozen_linear, "product", product)
    monkeypatch.setattr(choosing, "time", SimpleNamespace(perf_counter=lambda: now))
    found = choosing.measure_speeds.__wrapped__()
    assert products
    assert found.bf16 == pytest.approx(2 * found.f32)
    assert choosing.computing_dtype(found) == "bfloat16"
