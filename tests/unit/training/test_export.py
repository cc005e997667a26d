"""What is exported trains elsewhere: its script is run, in a process of its own that knows no workbench."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit import tiny_models
from tests.unit.training.tiny_training import WEIGHTS_METHODS
from workbench.errors import UserError
from workbench.gguf.architectures import new_biases
from workbench.gguf.base_model import read_base
from workbench.records.training import (
    EvaluationPart,
    OptimiserPart,
    TrainingConfig,
    WeightsPart,
    layers_of,
    load_config,
)
from workbench.techniques.registry import METHODS
from workbench.training import export as exporting
from workbench.training.batching import Schedule
from workbench.training.export import export_training
from workbench.training.protocol import BaseModel
from workbench.training.sequences import TokenSequence

EXAMPLES = [
    TokenSequence(
        tokens=tuple((7 * n + place) % 90 + 2 for place in range(6 + n % 4)),
        trained=tuple(place > 2 for place in range(6 + n % 4)),
        starts=(2,) if n == 3 else (),
    )
    for n in range(10)
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("base") / "tiny"
    tiny_models.build("llama").save_pretrained(folder)
    return folder


def config_of(method: str = "lora", steps: int = 2) -> TrainingConfig:
    return TrainingConfig(
        model="Tiny",
        name="ten",
        weights=WeightsPart(method=method, rank=4, alpha=8, last_layers=1, virtual_tokens=3, base="f32"),
        optimiser=OptimiserPart(
            max_steps=steps,
            batch_size=4,
            micro_batch_tokens=16,
            learning_rate=0.01,
            gradient_checkpointing="off",
            seed=5,
        ),
        evaluation=EvaluationPart(interval=1),
    )


def export(base: Path, out: Path, config: TrainingConfig | None = None) -> Path:
    model = BaseModel(name="Tiny", path=str(base), sha256="abc123", licence="MIT")
    return export_training(
        config or config_of(), model, METHODS, out, EXAMPLES, EXAMPLES[:2], {"run": "r1", "result": {}}
    )


def run(folder: Path, *argv: str) -> str:
    """Run the exported script away from the checkout; returns what it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    script = [str(folder / "train.py"), *argv]
    done = subprocess.run(
        [sys.executable, *script] if not argv or argv[0] != "torchrun" else [sys.executable, *argv[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def losses(out: str, kind: str = "  loss") -> list[float]:
    return [float(number) for number in re.findall(rf"{kind} ([0-9.]+)", out)]


def test_exported_training_runs_elsewhere_in_one_process_or_two(tmp_path: Path) -> None:
    path = tiny_models.write_gguf(tiny_models.build("qwen2"), "qwen2", tmp_path / "tiny.gguf", tokenizer="gpt2")
    folder = export(path, tmp_path / "exported")
    assert (folder / "base" / "tiny.gguf").read_bytes() == path.read_bytes()
    path.unlink()
    alone = run(folder)
    assert len(losses(alone)) == 2
    assert len(losses(alone, "evaluation loss")) == 2
    assert (folder / "output" / "adapter_config.json").is_file()
    assert (folder / "output" / "adapter_model.safetensors").is_file()
    arguments = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "train.py", "--processes", "2")
    together = run(folder, "torchrun", *arguments)
    assert "2 process(es)" in together
    assert losses(together) == pytest.approx(losses(alone), rel=1e-3)


def test_a_split_model_becomes_one_file_that_transformers_reads(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    path = tiny_models.write_gguf(tiny_models.build("qwen2"), "qwen2", tmp_path / "tiny.gguf", tokenizer="gpt2")
    first, _ = tiny_models.write_split(path, tmp_path, "big")
    folder = export(first, tmp_path / "exported")
    [base] = (folder / "base").iterdir()
    assert base.name == "big.gguf"
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["base"]["name"] == "big.gguf"
    assert "It lies in `base/big.gguf`." in (folder / "README.md").read_text()
    one, two = (
        AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name).state_dict() for file in (path, base)
    )
    assert one.keys() == two.keys()
    assert all(bool((one[name] == two[name]).all()) for name in one)


def test_a_large_split_model_says_that_its_files_have_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tiny_models.write_gguf(tiny_models.build("llama"), "llama", tmp_path / "tiny.gguf")
    first, _ = tiny_models.write_split(path, tmp_path, "big")
    monkeypatch.setattr(exporting, "COPIED_BYTES", 10)
    readme = (export(first, tmp_path / "exported") / "README.md").read_text()
    assert "`llama-gguf-split --merge big-00001-of-00002.gguf big.gguf`" in readme


def test_texts_in_one_example_do_not_see_each_other() -> None:
    from workbench.training import export_script as standalone

    model = tiny_models.build("llama")
    texts = [[3, 5, 7, 9], [11, 13, 15]]
    together = {"input_ids": [*texts[0], *texts[1]], "labels": [-100, 5, 7, 9, -100, 13, 15], "starts": [4]}
    apart = [{"input_ids": text, "labels": [-100, *text[1:]]} for text in texts]
    alone = sum(float(standalone.loss_of(model, [one], "cpu")[0].detach()) for one in apart)
    found, count = standalone.loss_of(model, [together], "cpu")
    assert float(found.detach()) == pytest.approx(alone, rel=1e-5)
    assert count == 5


def test_what_moved_of_the_model_itself_is_saved(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from workbench.training import export_script as standalone

    model = tiny_models.build("llama").requires_grad_(False)
    model.model.norm.weight.requires_grad_(True)
    standalone.save(model, "norms", tmp_path)
    assert set(load_file(tmp_path / "changed.safetensors")) == {"model.norm.weight"}
    assert json.loads((tmp_path / "changed.json").read_text()) == {"method": "norms"}


@pytest.mark.parametrize("method", WEIGHTS_METHODS)
def test_script_moves_what_the_workbench_moves(method: str, base: Path) -> None:
    import torch

    from workbench.training import export_script as standalone
    from workbench.training import methods
    from workbench.training.weights.loading import LoadedBase

    part = msgspec.structs.replace(config_of(method).weights, layers="0" if method == "layers" else "")
    settings: dict[str, Any] = {name: getattr(part, name) for name in part.__struct_fields__}
    settings["new_biases"] = new_biases("llama")
    settings["chosen_layers"] = layers_of(part, 2)
    loaded = LoadedBase(tiny_models.build("llama"), read_base(base), "f32", torch.float32, "cpu", 0)
    ours = methods.trainable_parameters(methods.apply_method(loaded, part))
    theirs = methods.trainable_parameters(standalone.apply_method(tiny_models.build("llama"), settings))
    assert {name: p.shape for name, p in theirs.items()} == {name: p.shape for name, p in ours.items()}


def test_script_takes_the_examples_that_the_workbench_takes() -> None:
    from workbench.training import export_script as standalone

    schedule = Schedule(10, 4, 5)
    numbered = [{"input_ids": [n], "labels": [n]} for n in range(10)]
    for step in range(8):
        taken = standalone.examples_of_step(numbered, 4, 5, step)
        assert tuple(one["input_ids"][0] for one in taken) == schedule.step(step)


def test_folder_says_all_of_the_training(base: Path, tmp_path: Path) -> None:
    folder = export(base, tmp_path / "exported")
    lines = [json.loads(line) for line in (folder / "data" / "train.jsonl").read_text().splitlines()]
    assert [tuple(one["input_ids"]) for one in lines] == [one.tokens for one in EXAMPLES]
    assert lines[0]["labels"][:4] == [-100, -100, -100, lines[0]["input_ids"][3]]
    readme = (folder / "README.md").read_text()
    for said in ("abc123", "MIT", "10 examples to train on, 2 to evaluate on", "torchrun", "run: r1", "arXiv"):
        assert said in readme
    assert load_config(folder / "workbench.toml") == config_of()
    assert "peft>=" in (folder / "requirements.txt").read_text()


def test_large_base_is_named_not_copied(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "COPIED_BYTES", 10)
    folder = export(base, tmp_path / "exported")
    assert not (folder / "base").exists()
    assert "--base" in (folder / "README.md").read_text()


def test_folder_that_is_there_is_left_alone(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="exists already"):
        export(base, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_where_it_fails(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        export(tmp_path / "missing", tmp_path / "exported")
    assert list(tmp_path.iterdir()) == []
