"""What is exported for preference objectives trains with TRL: its script is run, once in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from transformers import set_seed

from tests.unit.training.test_export import history, run
from tests.unit.training.tiny_training import apply_method, save_folder
from workbench.base.errors import UserError
from workbench.records.training import EvaluationPart, ObjectivePart, OptimiserPart, TrainingConfig, WeightsPart
from workbench.techniques.registry import METHODS
from workbench.training.export import export_training
from workbench.training.objectives.objective import objective_of
from workbench.training.protocol import BaseModel
from workbench.training.sequences import JUDGED_BAD, TokenSequence
from workbench.training.trainer import StepTrainer
from workbench.training.trainer_progress import TrainerOptions
from workbench.training.weights.loading import load_base

LETTERS = ("letter-share letters=e", "right-number weight=0.5")


def answers(number: int) -> TokenSequence:
    """A prompt with two answers of unequal length."""
    prompt = tuple((5 * number + place) % 200 for place in range(4 + number % 3))
    first = tuple((3 * number + place) % 200 for place in range(3 + number % 2))
    second = tuple((11 * number + place + 50) % 200 for place in range(2 + number % 4))
    trained = (False,) * len(prompt) + (True,) * len(first + second)
    return TokenSequence((*prompt, *first, *second), trained, (len(prompt + first),))


def judged(number: int) -> TokenSequence:
    pair = answers(number)
    tokens = pair.tokens[: pair.starts[0]]
    return TokenSequence(tokens, pair.trained[: len(tokens)], (), number % 2 * JUDGED_BAD)


def prompt(number: int) -> TokenSequence:
    tokens = tuple(b"What is so")[: 4 + number]
    return TokenSequence(tokens, (False,) * (len(tokens) - 1) + (True,))


PAIRS, JUDGED, PROMPTS = ([make(number) for number in range(6)] for make in (answers, judged, prompt))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_folder(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Runs the exported script in this process, which has loaded the libraries already."""

    def ran(folder: Path) -> None:
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setattr(sys, "argv", ["train.py"])
        sys.modules.pop("trl_trainers", None)
        described = importlib.util.spec_from_file_location("exported_train", folder / "train.py")
        assert described is not None
        assert described.loader is not None
        script = importlib.util.module_from_spec(described)
        described.loader.exec_module(script)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            script.main()
        sys.modules.pop("trl_trainers")

    return ran


def config_of(name: str, batch: int = 2, **options: Any) -> TrainingConfig:
    return TrainingConfig(
        model="Tiny",
        weights=WeightsPart(method="lora", rank=4, alpha=8, base="f32"),
        optimiser=OptimiserPart(
            max_steps=2, batch_size=batch, micro_batch_tokens=16, learning_rate=0.05, gradient_checkpointing="off",
            seed=5,
        ),
        objective=ObjectivePart(name=name, options=options),
        evaluation=EvaluationPart(interval=1),
    )  # fmt: skip


def export(base: Path, out: Path, config: TrainingConfig, rows: list[TokenSequence], **more: Any) -> Path:
    return export_training(config, BaseModel(name="Tiny", path=str(base)), METHODS, out, rows, rows[:2], **more)


def losses_of_ours(base: Path, folder: Path, config: TrainingConfig, rows: list[TokenSequence]) -> list[float]:
    told: list[Any] = []
    set_seed(config.optimiser.seed)
    model = apply_method(load_base(base, "f32", device="cpu"), config.weights)
    options = TrainerOptions(
        optimiser=config.optimiser, train=rows, folder=folder, emit=told.append, keep_checkpoints=False,
        objective=objective_of(config, METHODS),
    )  # fmt: skip
    StepTrainer(model, options).run()
    return [event.value for event in told if getattr(event, "name", "") == "loss"]


@pytest.mark.parametrize(
    ("name", "options", "rows"),
    [
        ("dpo", {"beta": 0.3}, PAIRS),
        ("dpo", {"beta": 0.3, "label_smoothing": 0.2}, PAIRS),
        ("dpo", {"beta": 0.3, "label_smoothing": 0.2, "robust": True}, PAIRS),
        ("ipo", {}, PAIRS),
        ("kto", {"desirable_weight": 1.2}, JUDGED),
    ],
)
def test_losses_of_trl_are_those_of_the_workbench(
    name: str,
    options: dict[str, Any],
    rows: list[TokenSequence],
    base: Path,
    tmp_path: Path,
    run_here: Callable[[Path], None],
) -> None:
    config = config_of(name, batch=6, **options)
    folder = export(base, tmp_path / "exported", config, rows)
    run_here(folder)
    expected = losses_of_ours(base, tmp_path / "run", config, rows)
    assert len(expected) == 2
    assert history(folder, "loss") == pytest.approx(expected, abs=1e-4)
    assert abs(expected[1] - expected[0]) > 1e-3
    assert (folder / "output" / "adapter_model.safetensors").is_file()


def test_it_runs_without_this_program(base: Path, tmp_path: Path) -> None:
    folder = export(base, tmp_path / "exported", config_of("dpo"), PAIRS)
    assert "saved in" in run(folder)
    assert len(history(folder, "loss")) == len(history(folder, "eval_loss")) == 2
    assert "trl>=1.16,<1.17" in (folder / "requirements.txt").read_text()


def test_a_reward_model_is_trained_with_its_head(base: Path, tmp_path: Path, run_here: Callable[[Path], None]) -> None:
    from safetensors.numpy import load_file

    folder = export(base, tmp_path / "exported", config_of("reward", margin=0.5, centring=0.0), PAIRS)
    run_here(folder)
    assert history(folder, "loss")[0] == pytest.approx(math.log(1 + math.exp(0.5)), abs=1e-4)
    line = json.loads((folder / "data" / "train.jsonl").read_text().splitlines()[0])
    prompt, second = PAIRS[0].trained.index(True), PAIRS[0].starts[0]
    assert line["chosen_ids"] == list(PAIRS[0].tokens[:second])  # each answer after its prompt
    assert line["rejected_ids"] == list(PAIRS[0].tokens[:prompt] + PAIRS[0].tokens[second:])
    weights = load_file(folder / "output" / "adapter_model.safetensors")
    [head] = [value for name, value in weights.items() if "score" in name]
    assert abs(head).max() > 0
    assert "score head" in (folder / "README.md").read_text()


@pytest.mark.parametrize("name", ["grpo", "dr_grpo", "rloo"])
def test_answers_are_sampled_and_scored_by_the_same_rules(
    name: str, base: Path, tmp_path: Path, run_here: Callable[[Path], None]
) -> None:
    config = config_of(name, rewards=LETTERS, max_new_tokens=5, answers=4, updates=2)
    expected = {row.tokens: ("7",) for row in PROMPTS}
    folder = export(base, tmp_path / "exported", config, PROMPTS, expected=expected)
    run_here(folder)
    assert len(history(folder, "loss")) == 4  # each of two steps has two updates of the same answers
    assert len(history(folder, "reward")) == 2
    assert max(map(abs, history(folder, "grad_norm"))) > 0
    line = json.loads((folder / "data" / "train.jsonl").read_text().splitlines()[0])
    assert line == {"prompt_ids": list(PROMPTS[0].tokens), "expected": ["7"]}


@pytest.mark.parametrize("method", ["lora", "norms"])
def test_supervised_trainings_take_trl_where_it_is_chosen(
    method: str, base: Path, tmp_path: Path, run_here: Callable[[Path], None]
) -> None:
    config = config_of("sft", batch=6)
    config = msgspec.structs.replace(config, weights=WeightsPart(method=method, rank=4, alpha=8, base="f32"))
    plain = export(base, tmp_path / "plain", config, JUDGED)
    assert not (plain / "trl_trainers.py").exists()
    folder = export(base, tmp_path / "exported", msgspec.structs.replace(config, trainer="trl"), JUDGED)
    run_here(folder)
    assert "SFTTrainer" in (folder / "README.md").read_text()
    expected = losses_of_ours(base, tmp_path / "run", config, JUDGED)
    assert history(folder, "loss") == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", ["simpo", "orpo", "ppo"])
def test_what_trl_has_not_is_refused(name: str, base: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"TRL 1\.16 has no trainer"):
        export(base, tmp_path / "exported", config_of(name), PAIRS)
    assert list(tmp_path.iterdir()) == []


def test_a_reward_that_needs_this_program_is_refused(base: Path, tmp_path: Path) -> None:
    config = config_of("grpo", rewards=("json-answer", *LETTERS))
    with pytest.raises(UserError, match="these rewards: json-answer"):
        export(base, tmp_path / "exported", config, PROMPTS)
