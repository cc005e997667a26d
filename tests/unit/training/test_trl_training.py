"""Trainings whose steps TRL computes: losses, events, stop and resume are those of this program's own trainer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from tests.unit.rewards.fake_rewards import FakeRewardContext  # noqa: E402
from tests.unit.training import test_policy_training as policies  # noqa: E402
from tests.unit.training.test_preference_training import JUDGED, PAIRS  # noqa: E402
from tests.unit.training.tiny_training import metrics, run, save_folder  # noqa: E402
from workbench.api import events  # noqa: E402
from workbench.base.errors import Cancelled, UserError  # noqa: E402
from workbench.gguf.reward_head import read_reward_model  # noqa: E402
from workbench.records.training import (  # noqa: E402
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    WeightsPart,
)
from workbench.techniques.registry import METHODS  # noqa: E402
from workbench.training.control import Switch  # noqa: E402
from workbench.training.protocol import BaseModel, TrainModel  # noqa: E402
from workbench.training.run import train  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

QUESTIONS = [
    {"prompt": "What is " + "so " * (n % 5) + f"{n}?", "completion": "It is" + f" {n}" * (n % 4 + 1)} for n in range(24)
]
TEXTS = [{"text": f"Text {n} goes on and on, " * (n % 3 + 1)} for n in range(40)]
ROWS = {"sft": QUESTIONS, "domain": TEXTS, "dpo": PAIRS, "ipo": PAIRS, "kto": JUDGED, "reward": PAIRS}
STEPS = 6


def often(*cases: Any) -> list[Any]:
    """Cases that repeat for other rows what the first ones prove."""
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.nightly) for case in cases]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return BaseModel(name="tiny", path=str(save_folder(tmp_path_factory.mktemp("base") / "tiny")))


def call_of(
    folder: Path, base: BaseModel, name: str, trainer: str = "trl", tokens: int = 192, **weights: Any
) -> TrainModel:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "set.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in ROWS[name]))
    config = TrainingConfig(
        objective=ObjectivePart(name=name),
        data=DataPart(path=str(path), evaluation_share=0.3, max_length=96 if name == "domain" else 0),
        weights=WeightsPart(**({"base": "f32", "rank": 8} | weights)),
        optimiser=OptimiserPart(
            max_steps=STEPS, batch_size=6, micro_batch_tokens=tokens, learning_rate=1e-2, gradient_checkpointing="off"
        ),
        evaluation=EvaluationPart(interval=3, sample_answers=2, max_new_tokens=4, forgetting=False),
        trainer=trainer,  # type: ignore[arg-type]
    )
    return TrainModel(config=config, model=base, folder=str(folder / "run"), threads=1)


def weights(call: TrainModel) -> bytes:
    return (Path(call.folder) / "trained" / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize("name", ["sft", "dpo", *often("domain", "ipo", "kto", "reward")])
def test_steps_and_scores_are_those_of_this_programs_trainer(name: str, base: BaseModel, tmp_path: Path) -> None:
    ours, emitted_by_ours = run(call_of(tmp_path / "ours", base, name, "workbench"))
    live, emitted = run(call_of(tmp_path / "trl", base, name))
    losses = metrics(emitted, "loss")
    assert len(losses) == STEPS
    assert losses == pytest.approx(metrics(emitted_by_ours, "loss"), abs=1e-4)
    assert abs(losses[-1] - losses[0]) > 1e-3
    row = METHODS.find(name, "objective")
    for measured in row.load()(row.config()).trl().metrics.values():
        expected = metrics(emitted_by_ours, measured)
        if name == "kto":
            expected = [max(0.0, one) for one in expected]  # TRL logs the divergence as its loss takes it
        assert metrics(emitted, measured) == pytest.approx(expected, abs=1e-4)
    assert metrics(emitted, "tokens_per_second")
    assert metrics(emitted, "memory_bytes")
    assert metrics(emitted, "learning_rate") == pytest.approx(metrics(emitted_by_ours, "learning_rate"))
    kinds = [one.kind for one in emitted if isinstance(one, events.Artifact)]
    assert kinds == [one.kind for one in emitted_by_ours if isinstance(one, events.Artifact)]
    assert live.trained.scores.after.loss == pytest.approx(ours.trained.scores.after.loss, abs=1e-3)
    assert (live.trained.form, live.trained.kind) == (ours.trained.form, ours.trained.kind)
    made = {path.name for path in (tmp_path / "trl" / "run" / "trained").iterdir()}
    assert made == {path.name for path in (tmp_path / "ours" / "run" / "trained").iterdir()}
    if name == "reward":
        assert read_reward_model(tmp_path / "trl" / "run" / "trained") is not None


class StopsWithin(Switch):
    """Stops the training once it was asked so many times, after the step ``step`` was logged, whether it waits."""

    def __init__(self, step: int, after: int) -> None:
        super().__init__()
        self.emitted: list[events.Event] = []
        self._step, self._left = step, after

    def wait_while_paused(self) -> None:
        if torch.is_grad_enabled() and len(metrics(self.emitted, "loss")) >= self._step:
            self._left -= 1
            if self._left < 0:
                self.stop()


def policy_of(folder: Path, name: str, **options: Any) -> TrainModel:
    call = policies.call_of(folder, name, **options)
    return msgspec.structs.replace(call, config=msgspec.structs.replace(call.config, trainer="trl"))


@pytest.mark.parametrize(("name", "after"), [("sft", 1), *often(("dpo", 1), ("kto", 0), ("reward", 0))])
def test_a_stopped_training_resumes_to_the_same_weights(name: str, after: int, base: BaseModel, tmp_path: Path) -> None:
    whole = call_of(tmp_path / "whole", base, name, tokens=64, dropout=0.1)
    _, emitted = run(whole)
    cut = call_of(tmp_path / "cut", base, name, tokens=64, dropout=0.1)
    first = stopped(cut, StopsWithin(2, after))
    assert len(metrics(first, "loss")) == 2
    assert not (tmp_path / "cut" / "run" / "trained").exists()
    _, rest = run(cut)
    assert metrics(first, "loss") + metrics(rest, "loss") == metrics(emitted, "loss")
    assert weights(cut) == weights(whole)


def stopped(call: TrainModel, control: StopsWithin) -> list[events.Event]:
    with pytest.raises(Cancelled):
        train(call, METHODS, control, control.emitted.append, rewards=FakeRewardContext())
    return control.emitted


@pytest.mark.parametrize("name", ["grpo", *often("dr_grpo", "rloo")])
def test_a_policy_is_trained_by_the_rewards_of_this_program(name: str, tmp_path: Path) -> None:
    _, emitted = run(policy_of(tmp_path, name, steps=4))
    assert len(metrics(emitted, "loss")) == 4  # each step has two updates
    assert len(metrics(emitted, "reward")) == len(metrics(emitted, "answer_tokens")) == 4
    assert metrics(emitted, "evaluation_reward")
    assert metrics(emitted, "evaluation_kl")[-1] > 0.01
    lines = (tmp_path / "run" / "rollouts" / "000001.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    assert len(answers) == 32
    assert {one["by"] for one in answers} == {"trl"}
    assert sum(one["reward"] for one in answers) / 32 == pytest.approx(metrics(emitted, "reward")[0], abs=1e-4)


def test_a_policy_that_was_stopped_resumes_to_the_same_weights(tmp_path: Path) -> None:
    whole = policy_of(tmp_path / "whole", "grpo", steps=3)
    _, emitted = run(whole)
    cut = policy_of(tmp_path / "cut", "grpo", steps=3)
    first = stopped(cut, StopsWithin(1, 0))
    assert len(metrics(first, "loss")) == 1
    _, rest = run(cut)
    assert metrics(first, "reward") + metrics(rest, "reward") == metrics(emitted, "reward")
    assert weights(cut) == weights(whole)


def test_it_waits_while_paused(base: BaseModel, tmp_path: Path) -> None:
    import threading

    switch = Switch()
    switch.pause(True)
    emitted: list[events.Event] = []
    call = call_of(tmp_path, base, "dpo")
    thread = threading.Thread(target=train, args=(call, METHODS, switch, emitted.append))
    thread.start()
    thread.join(0.5)
    assert metrics(emitted, "loss") == []
    switch.pause(False)
    thread.join(120)
    assert len(metrics(emitted, "loss")) == STEPS


def test_a_diverging_training_says_what_to_lower(base: BaseModel, tmp_path: Path) -> None:
    call = call_of(tmp_path, base, "sft")
    part = msgspec.structs.replace(call.config.optimiser, learning_rate=1e30, gradient_clipping=0.0, optimiser="sgd")
    call = msgspec.structs.replace(call, config=msgspec.structs.replace(call.config, optimiser=part))
    with pytest.raises(UserError, match="diverged"):
        run(call)


def test_the_model_has_its_own_forward_pass_again(base: BaseModel, tmp_path: Path) -> None:
    live, _ = run(call_of(tmp_path, base, "dpo"))
    assert "forward" not in vars(live.model.get_base_model())
    assert set(live.model.peft_config) == {"default"}
    assert {one.dtype for one in live.model.parameters() if one.requires_grad} == {torch.float32}
