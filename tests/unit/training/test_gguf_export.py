"""What a training left, carried over to llama.cpp: whole tensors, new biases, soft prompts, prefixes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit import tiny_models
from tests.unit.tiny_adapters import TinyAdapters
from tests.unit.tiny_models import TOKENS, Floats, llama_logits, read_tensors, torch_logits, write_gguf
from workbench.base.errors import UserError
from workbench.gguf.architectures import new_biases
from workbench.gguf.merging import merge, unpack
from workbench.gguf.reader import read_gguf
from workbench.training.gguf_export import convert_trained, default_type, kind_of, merge_trained
from workbench.training.protocol import BaseModel

CLOSE = {"llama": 1e-5, "qwen2": 1e-5, "qwen3moe": 1e-5, "gemma": 1e-2, "gemma3": 5e-3, "gpt2": 5e-3}
FAMILIES = list(CLOSE)


def base_of(family: str, folder: Path) -> tuple[Any, Path]:
    model = tiny_models.build(family)
    return model, write_gguf(model, family, folder / f"{family}.gguf")


def save_changed(model: Any, folder: Path, method: str, names: Any) -> Path:
    """As a training leaves it: the tensors whose names ``names`` accepts."""
    safetensors = pytest.importorskip("safetensors.numpy")
    folder.mkdir()
    moved = {name: p.detach().numpy().copy() for name, p in model.named_parameters() if names(name)}
    assert moved
    safetensors.save_file(moved, folder / "changed.safetensors")
    (folder / "changed.json").write_text(json.dumps({"method": method}), "utf-8")
    return folder


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", ["full", "norms"])
def test_whole_tensors_answer_as_torch_does(family: str, method: str, tmp_path: Path) -> None:
    plain, base = base_of(family, tmp_path)
    before = torch_logits(plain)
    other = tiny_models.build(family, seed=3)
    if method == "norms":
        moved = {n: p for n, p in other.named_parameters() if "norm" in n or "ln_" in n}
        plain.load_state_dict(moved, strict=False)
        other = plain
    trained = save_changed(other, tmp_path / "trained", method, lambda n: method == "full" or "norm" in n or "ln_" in n)
    result = merge(base, trained, tmp_path / "merged.gguf", "F32")
    assert len(result.changed) >= (2 if method == "norms" else 10)
    after = torch_logits(other)
    assert np.abs(llama_logits(tmp_path / "merged.gguf") - after).max() < CLOSE[family]
    assert np.abs(before - after).max() > 20 * CLOSE[family]
    assert read_gguf(tmp_path / "merged.gguf").text("general.merged.method") == method


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3moe", "gemma", "gemma3"])
def test_biases_that_the_model_came_without_are_added(family: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model, base = base_of(family, tmp_path)
    before = torch_logits(model)
    torch.manual_seed(1)
    for name, layer in model.named_modules():
        if name.rpartition(".")[2] in new_biases(family) and isinstance(layer, torch.nn.Linear):
            layer.bias = torch.nn.Parameter(0.3 * torch.randn(layer.out_features))
    trained = save_changed(model, tmp_path / "trained", "biases", lambda name: name.endswith(".bias"))
    had = len(read_gguf(base).tensors)
    result = merge(base, trained, tmp_path / "merged.gguf", "F16")
    assert set(result.changed.values()) == {"F32"}
    assert len(read_gguf(tmp_path / "merged.gguf").tensors) == had + (0 if family == "qwen2" else len(result.changed))
    after = torch_logits(model)
    assert np.abs(llama_logits(tmp_path / "merged.gguf") - after).max() < CLOSE[family]
    assert np.abs(before - after).max() > 20 * CLOSE[family]


def test_half_the_strength_is_half_the_way(tmp_path: Path) -> None:
    _plain, base = base_of("llama", tmp_path)
    other = tiny_models.build("llama", seed=3)
    trained = save_changed(other, tmp_path / "trained", "full", lambda name: True)
    merge(base, trained, tmp_path / "half.gguf", "F32", scale=0.5)
    merge(base, trained, tmp_path / "all.gguf", "F32")
    old, new, half = (read_tensors(path) for path in (base, tmp_path / "all.gguf", tmp_path / "half.gguf"))
    assert max(np.abs((old[name] + new[name]) / 2 - half[name]).max() for name in old) < 1e-6


def test_a_bias_where_llama_cpp_has_no_place_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model, base = base_of("gemma3", tmp_path)
    layer = model.model.layers[0].mlp.up_proj
    layer.bias = torch.nn.Parameter(torch.ones(layer.out_features))
    trained = save_changed(model, tmp_path / "trained", "biases", lambda name: name.endswith(".bias"))
    with pytest.raises(UserError, match="has no place for it"):
        merge(base, trained, tmp_path / "merged.gguf")
    assert not (tmp_path / "merged.gguf").exists()


def test_what_does_not_fit_or_is_not_sound_is_refused(tmp_path: Path) -> None:
    _model, base = base_of("llama", tmp_path)
    _other, qwen = base_of("qwen3moe", tmp_path)
    trained = save_changed(tiny_models.build("llama"), tmp_path / "trained", "full", lambda name: True)
    with pytest.raises(UserError, match=r"does not fit|does not have|has no name"):
        convert_trained(trained, qwen, tmp_path / "out.gguf")
    (trained / "changed.json").write_text('{"base": "x"}', "utf-8")
    with pytest.raises(UserError, match="does not say by which method"):
        convert_trained(trained, base, tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()


def with_virtual_tokens(model: Any, kind: str, folder: Path, seed: int = 5) -> Floats:
    """Train nothing, but make the virtual tokens count; saves them and gives torch's logits of ``TOKENS``."""
    torch = pytest.importorskip("torch")
    peft = pytest.importorskip("peft")
    options: dict[str, Any] = {"task_type": "CAUSAL_LM", "num_virtual_tokens": 5}
    config = {
        "prompt": peft.PromptTuningConfig,
        "p-tuning": peft.PromptEncoderConfig,
        "prefix": peft.PrefixTuningConfig,
    }[kind](**options | ({"encoder_hidden_size": 32} if kind == "p-tuning" else {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted = peft.get_peft_model(model, config)
        torch.manual_seed(seed)
        with torch.no_grad():
            for name, parameter in adapted.named_parameters():
                if "prompt_encoder" in name:
                    parameter.copy_(torch.randn_like(parameter) * (0.6 if parameter.ndim > 1 else 0.1))
        adapted.eval()
        adapted.save_pretrained(folder)
        with torch.no_grad():
            logits = adapted(input_ids=torch.tensor([list(TOKENS)])).logits[0].float().numpy()
    found: Floats = logits[-len(TOKENS) :]
    return found


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma", "gemma3", "gpt2"])
@pytest.mark.parametrize("kind", ["prompt", "p-tuning"])
def test_a_soft_prompt_answers_as_torch_does(family: str, kind: str, tmp_path: Path) -> None:
    model, base = base_of(family, tmp_path)
    before = torch_logits(model)
    after = with_virtual_tokens(model, kind, tmp_path / "trained")
    served = convert_trained(tmp_path / "trained", base, tmp_path / "a.gguf", "mine")
    assert (served.kind, served.can_merge) == ("soft-prompt", False)
    assert np.abs(llama_logits(base, prompt=tmp_path / "a.gguf") - after).max() < CLOSE[family]
    assert np.abs(before - after).max() > 20 * CLOSE[family]
    file = read_gguf(tmp_path / "a.gguf")
    assert (file.text("adapter.type"), file.text("general.name")) == ("soft-prompt", "mine")
    with pytest.raises(UserError, match="does not change weights"):
        merge_trained(tmp_path / "trained", base, tmp_path / "merged.gguf")


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma", "gpt2"])
def test_a_prefix_answers_as_torch_does(family: str, tmp_path: Path) -> None:
    model, base = base_of(family, tmp_path)
    before = torch_logits(model)
    after = with_virtual_tokens(model, "prefix", tmp_path / "trained")
    served = convert_trained(tmp_path / "trained", base, tmp_path / "a.gguf")
    assert served.kind == kind_of(tmp_path / "trained") == "prefix"
    assert np.abs(llama_logits(base, prompt=tmp_path / "a.gguf") - after).max() < CLOSE[family]
    assert np.abs(before - after).max() > 20 * CLOSE[family]


def test_virtual_tokens_of_another_model_are_refused(tmp_path: Path, smollm_path: Path) -> None:
    model, _base = base_of("llama", tmp_path)
    with_virtual_tokens(model, "prompt", tmp_path / "prompt")
    model, _base = base_of("llama", tmp_path)
    with_virtual_tokens(model, "prefix", tmp_path / "prefix")
    with pytest.raises(UserError, match="64 numbers wide"):
        convert_trained(tmp_path / "prompt", smollm_path, tmp_path / "a.gguf")
    with pytest.raises(UserError, match="not the keys and values"):
        convert_trained(tmp_path / "prefix", smollm_path, tmp_path / "a.gguf")
    config = json.loads((tmp_path / "prompt" / "adapter_config.json").read_text("utf-8"))
    for change, reason in (({"num_virtual_tokens": 6}, "its weights 5"), ({"magic": True}, "uses magic")):
        (tmp_path / "prompt" / "adapter_config.json").write_text(json.dumps(config | change), "utf-8")
        with pytest.raises(UserError, match=reason):
            convert_trained(tmp_path / "prompt", tmp_path / "llama.gguf", tmp_path / "a.gguf")
    assert not (tmp_path / "a.gguf").exists()


def test_each_folder_becomes_what_the_engine_is_given(adapters: TinyAdapters, tmp_path: Path) -> None:
    lora = adapters.make("llama", "llama-lora")
    base = BaseModel(name="tiny", path=str(lora.base))
    stages: list[str] = []
    served = convert_trained(lora.folder, base, tmp_path / "a.gguf", report=lambda stage, done, total: None)
    assert (served.kind, served.can_merge) == ("lora", True)
    assert served.sha256 == hashlib.sha256((tmp_path / "a.gguf").read_bytes()).hexdigest()
    dora = adapters.make("llama", "dora", use_dora=True)
    served = convert_trained(
        dora.folder, base, tmp_path / "d.gguf", "mine", report=lambda stage, done, total: stages.append(stage)
    )
    assert (served.kind, default_type(dora.base), set(stages)) == ("merged", "F16", {"merging"})
    assert read_gguf(tmp_path / "d.gguf").text("general.name") == "mine"
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(UserError, match="folder of safetensors"):
        convert_trained(dora.folder, folder, tmp_path / "no.gguf")


@pytest.mark.parametrize(("rank", "kind"), [(24, "F32"), (128, "F16")])
def test_a_high_rank_is_written_in_16_bits(rank: int, kind: str, adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", f"rank-{rank}", r=rank)
    served = convert_trained(trained.folder, trained.base, tmp_path / "a.gguf")
    assert (served.kind, served.can_merge) == ("lora", True)
    assert {tensor.type for tensor in read_gguf(tmp_path / "a.gguf").tensors} == {kind}
    away = np.abs(llama_logits(trained.base, adapter=tmp_path / "a.gguf") - trained.adapted).max()
    assert away < (1e-5 if kind == "F32" else 1e-2 * np.abs(trained.plain - trained.adapted).max())


def test_a_whole_model_is_quantised_after_the_merge_and_nothing_is_left_beside(
    adapters: TinyAdapters, tmp_path: Path
) -> None:
    lora = adapters.make("llama", "llama-lora")
    base = write_gguf(tiny_models.build("llama"), "llama", tmp_path / "base.gguf", tokenizer="gpt2")
    out = tmp_path / "made" / "small.gguf"
    served = merge_trained(lora.folder, base, out, quantization="Q8_0", name="small")
    assert list(out.parent.iterdir()) == [out]
    assert served.bytes == out.stat().st_size < base.stat().st_size
    near = np.abs(llama_logits(out) - lora.adapted).max()
    assert near < 0.1 * np.abs(lora.plain - lora.adapted).max()
    with pytest.raises(UserError, match="is unknown"):
        merge_trained(lora.folder, base, out, quantization="Q9")


KILLED = """
import sys
from pathlib import Path
from workbench.training import gguf_export

def slowly(stage, done, total):
    print(stage, flush=True)
    sys.stdin.readline()
paths = [Path(given) for given in sys.argv[1:4]]
gguf_export.merge_trained(*paths, quantization=sys.argv[4], report=slowly)
"""


@pytest.mark.parametrize(("quantization", "steps"), [("", 3), ("Q8_0", 5)])
def test_killed_on_the_way_leaves_nothing_that_looks_whole(tmp_path: Path, quantization: str, steps: int) -> None:
    base = write_gguf(tiny_models.build("llama"), "llama", tmp_path / "base.gguf", tokenizer="gpt2")
    trained = save_changed(tiny_models.build("llama", seed=3), tmp_path / "trained", "full", lambda name: True)
    out = tmp_path / "out" / "merged.gguf"
    command = [sys.executable, "-c", KILLED, str(trained), str(base), str(out), quantization]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for step in range(steps):
            if step:
                child.stdin.write(b"\n")
            assert child.stdout.readline() == b"merging\n"
        child.kill()
    assert not out.exists()
    assert list(out.parent.glob(".*.part"))
    merge_trained(trained, base, out, quantization=quantization)
    assert list(out.parent.iterdir()) == [out]


def test_a_model_is_unpacked_whole(adapters: TinyAdapters, tmp_path: Path) -> None:
    packed = write_gguf(tiny_models.build("llama"), "llama", tmp_path / "packed.gguf", lambda name: "Q8_0")
    unpack(packed, tmp_path / "whole.gguf")
    assert {tensor.type for tensor in read_gguf(tmp_path / "whole.gguf").tensors} == {"F32"}
    old, new = read_tensors(packed), read_tensors(tmp_path / "whole.gguf")
    assert all(np.array_equal(old[name], new[name]) for name in old)
