"""What is exported trains elsewhere: its script is run, in a process of its own that knows no workbench."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("torch")

from safetensors.numpy import load_file
from transformers import set_seed

from tests import toy_objective
from tests.unit import tiny_models
from tests.unit.training.tiny_training import WEIGHTS_METHODS, apply_method
from workbench.base.errors import UserError
from workbench.records.methods import Methods
from workbench.records.training import (
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    WeightsPart,
    load_config,
)
from workbench.techniques.registry import METHODS
from workbench.training import export as exporting
from workbench.training.artifacts import load_trained, write_trained
from workbench.training.batching import Schedule
from workbench.training.export import export_training
from workbench.training.peft_models import trainable_parameters
from workbench.training.protocol import BaseModel
from workbench.training.sequences import TokenSequence
from workbench.training.trainer import StepTrainer
from workbench.training.trainer_progress import TrainerOptions
from workbench.training.weights.loading import load_base

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


def history(folder: Path, name: str) -> list[float]:
    """A number of each step, as transformers logged it."""
    state = json.loads((folder / "output" / "trainer_state.json").read_text())
    return [entry[name] for entry in state["log_history"] if name in entry]


@pytest.mark.parametrize("method", ["lora", pytest.param("norms", marks=pytest.mark.nightly)])
def test_its_result_in_one_process_or_two_is_that_of_the_workbench(method: str, tmp_path: Path) -> None:
    """Loss and gradient norm of each step, and the weights at the end: of padded batches and of packed texts."""
    base = tiny_models.write_gguf(tiny_models.build("qwen2"), "qwen2", tmp_path / "tiny.gguf", tokenizer="gpt2")
    config = config_of(method, steps=6)
    folder = export(base, tmp_path / "exported", config)
    assert (folder / "base" / "tiny.gguf").read_bytes() == base.read_bytes()
    told: list[Any] = []
    set_seed(config.optimiser.seed)
    model = apply_method(load_base(base, "f32", device="cpu"), config.weights)
    options = TrainerOptions(
        optimiser=config.optimiser, train=EXAMPLES, folder=tmp_path / "run", emit=told.append, keep_checkpoints=False
    )
    StepTrainer(model, options).run()
    base.unlink()
    assert "1 process(es)" in run(folder)
    for name, ours in (("loss", "loss"), ("grad_norm", "gradient_norm"), ("learning_rate", "learning_rate")):
        expected = [event.value for event in told if getattr(event, "name", "") == ours]
        assert len(expected) == 6
        assert history(folder, name) == pytest.approx(expected, rel=1e-3), name
    assert len(history(folder, "eval_loss")) == 6
    write_trained(model, method, tmp_path / "ours")
    [ours_file, theirs] = [next(place.glob("*.safetensors")) for place in (tmp_path / "ours", folder / "output")]
    mine, alone = load_file(ours_file), load_file(theirs)
    assert mine.keys() == alone.keys()
    assert all(abs(mine[name] - alone[name]).max() < 1e-4 for name in mine)

    losses = history(folder, "loss")
    arguments = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "train.py", "--processes", "2")
    assert "2 process(es)" in run(folder, "torchrun", *arguments)
    assert history(folder, "loss") == pytest.approx(losses, rel=1e-3)
    together = load_file(theirs)
    assert all(abs(together[name] - alone[name]).max() < 1e-4 for name in alone)


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
    from workbench.training import export_script as script

    model = tiny_models.build("llama")
    model.config.use_cache = False
    texts = [[3, 5, 7, 9], [11, 13, 15]]
    together = {"input_ids": [*texts[0], *texts[1]], "labels": [-100, 5, 7, 9, -100, 13, 15], "starts": [4]}
    apart = [{"input_ids": text, "labels": [-100, *text[1:]]} for text in texts]

    def loss(rows: list[Any]) -> float:
        batch = script.Collator(True)(rows)
        labels = batch.pop("labels")
        return float(script.token_loss(model(**batch), labels, 5).detach())

    assert loss([together]) == pytest.approx(loss(apart), rel=1e-5)


@pytest.mark.parametrize("method", WEIGHTS_METHODS)
def test_script_trains_what_the_workbench_trains(method: str, base: Path, tmp_path: Path) -> None:
    from workbench.training import export_script as script

    folder = export(base, tmp_path / "exported", config_of(method))
    settings = json.loads((folder / "settings.json").read_text())
    theirs = script.prepare(tiny_models.build("llama"), settings, folder / "adapter")
    ours = apply_method(load_base(base, "f32", device="cpu"), config_of(method).weights)
    shapes = [{name: p.shape for name, p in trainable_parameters(model).items()} for model in (ours, theirs)]
    assert shapes[0] == shapes[1]
    script.save(theirs, settings, tmp_path / "saved")
    load_trained(tiny_models.build("llama"), tmp_path / "saved")


def test_script_takes_the_examples_that_the_workbench_takes(base: Path, tmp_path: Path) -> None:
    folder = export(base, tmp_path / "exported", config_of(steps=8))
    order = json.loads((folder / "data" / "order.json").read_text())
    schedule = Schedule(10, 4, 5)
    assert [tuple(order[4 * step :][:4]) for step in range(8)] == [schedule.step(step) for step in range(8)]


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


def test_an_objective_with_a_loss_of_its_own_is_not_exported(base: Path, tmp_path: Path) -> None:
    config = msgspec.structs.replace(config_of(), objective=ObjectivePart(name=toy_objective.ROW.name))
    methods = Methods([*METHODS, toy_objective.ROW])
    with pytest.raises(UserError, match="a loss of its own"):
        export_training(config, BaseModel(name="Tiny", path=str(base)), methods, tmp_path / "out", EXAMPLES, ())
    assert not (tmp_path / "out").exists()
