"""Policies on a tiny model: rewards rise, a killed step is computed again from its file, the bound ends a training."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import msgspec
import pytest

torch = pytest.importorskip("torch")

from tests.unit.rewards.fake_rewards import FakeRewardContext  # noqa: E402
from tests.unit.training.tiny_training import metrics, run, save_folder  # noqa: E402
from workbench.api import events  # noqa: E402
from workbench.base.errors import Cancelled, UserError  # noqa: E402
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
from workbench.training.experience.hints import REPETITIVE, distinct_pairs, find_hints, repetition  # noqa: E402
from workbench.training.experience.policy_loss import PolicyLoss  # noqa: E402
from workbench.training.experience.rollouts import Ask, TorchRollouts  # noqa: E402
from workbench.training.objectives.policy import Policy  # noqa: E402
from workbench.training.protocol import BaseModel, TrainModel  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

POLICIES = ["ppo", "grpo", "dr_grpo", "rloo"]
REWARDS = ("letter-share letters=aeiou prefer=many scale=4",)


def call_of(
    folder: Path,
    name: str = "ppo",
    steps: int = 4,
    rewards: Any = REWARDS,
    learning_rate: float = 1.5e-2,
    **options: Any,
) -> TrainModel:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "prompts.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"Question {n}?"}) + "\n" for n in range(60)))
    answers = 1 if name == "ppo" else 4
    chosen = {"rewards": rewards, "answers": answers, "max_new_tokens": 8, "target_kl": 0.0, "beta": 0.01} | options
    config = TrainingConfig(
        objective=ObjectivePart(name=name, options=chosen),
        data=DataPart(path=str(path), evaluation_share=0.3),
        weights=WeightsPart(base="f32", rank=8, adapted_layers=1),
        optimiser=OptimiserPart(
            max_steps=steps, batch_size=32 // answers, micro_batch_tokens=512, learning_rate=learning_rate,
            schedule="constant", warmup_ratio=0, gradient_checkpointing="off",
        ),
        evaluation=EvaluationPart(interval=2, sample_answers=1, max_new_tokens=2, forgetting=False),
    )  # fmt: skip
    model = folder / "tiny"
    if not model.exists():
        save_decided(model)
    base = BaseModel(name="tiny", path=str(model))
    return TrainModel(config=config, model=base, folder=str(folder / "run"), threads=1)


def save_decided(folder: Path) -> None:
    """The tiny model with an output layer so large that its distribution can be moved."""
    from safetensors.torch import load_file, save_file

    save_folder(folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = 15 * tensors["lm_head.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def notices(emitted: list[Any]) -> list[str]:
    return [one.text for one in emitted if isinstance(one, events.Log)]


def weights(folder: Path) -> bytes:
    return (folder / "run" / "trained" / "adapter_model.safetensors").read_bytes()


class StopsWithin(Switch):
    """Stops the training in the middle of a step's updates, after so many micro-batches."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def wait_while_paused(self) -> None:
        if torch.is_grad_enabled():
            self._left -= 1
            if self._left < 0:
                self.stop()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in ("ppo", "grpo") else pytest.mark.nightly) for name in POLICIES]
)
def test_the_reward_of_held_out_answers_rises(name: str, tmp_path: Path) -> None:
    live, emitted = run(call_of(tmp_path, name, 10))
    before, after = live.trained.scores.before.metrics, live.trained.scores.after.metrics
    assert after["reward"] > before["reward"] + 0.3
    assert before["kl"] == pytest.approx(0.0, abs=1e-4)
    assert after["kl"] > 0.1
    objective = METHODS.find(name, "objective").load()()
    measured = {one.name for one in emitted if isinstance(one, events.Metric)}
    assert {"reward", "kl", "entropy", "clip_fraction", "mismatch", "repetition", "evaluation_reward"} <= measured
    assert {one.name for one in objective.metrics} >= measured - {
        "exact_match", "rouge_l", "evaluation_loss", "evaluation_perplexity", "evaluation_token_accuracy"
    }  # fmt: skip
    assert len(list((tmp_path / "run" / "rollouts").glob("0*.jsonl"))) == 10


def test_before_the_first_update_the_ratio_is_one_and_nothing_is_clipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[tuple[int, float, float]] = []
    updates_on = PolicyLoss.updates_on

    def seen(self: PolicyLoss, update: int) -> bool:
        passes.append((update, self._sums["change"], self._sums["clipped"]))
        return updates_on(self, update)

    monkeypatch.setattr(PolicyLoss, "updates_on", seen)
    _, emitted = run(call_of(tmp_path, "ppo", 2))
    assert [(change, clipped) for update, change, clipped in passes if not update] == [(0.0, 0.0)] * 2
    assert all(change > 0 for update, change, _ in passes if update)
    assert all(value == pytest.approx(1.0, abs=1e-3) for value in metrics(emitted, "importance"))


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("ppo", 11),
        pytest.param("ppo", 0, marks=pytest.mark.nightly),
        pytest.param("grpo", 5, marks=pytest.mark.nightly),
    ],
)
def test_a_training_that_is_stopped_within_a_step_goes_on_to_the_same_weights(
    name: str, where: int, tmp_path: Path
) -> None:
    whole = call_of(tmp_path / "whole", name, 6)
    run(whole)
    broken = call_of(tmp_path / "broken", name, 6)
    with pytest.raises(Cancelled):
        run(broken, StopsWithin(where))
    run(broken)
    assert weights(tmp_path / "broken") == weights(tmp_path / "whole")


def test_a_killed_step_is_computed_again_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(call_of(tmp_path / "whole", "ppo", 5))
    broken = call_of(tmp_path / "broken", "ppo", 5)
    seeds = iter(range(1000))
    sample, updates_on = TorchRollouts.sample, PolicyLoss.updates_on

    def killed(self: PolicyLoss, update: int) -> bool:
        if self._step == 4:
            raise KeyboardInterrupt
        return updates_on(self, update)

    with monkeypatch.context() as patch:
        patch.setattr(PolicyLoss, "updates_on", killed)
        with pytest.raises(KeyboardInterrupt):
            run(broken)

    def other(self: Any, asks: Any, *rest: Any) -> Any:
        """As if the engine drew otherwise: what is on the disk already must not be sampled again."""
        kept = [Ask(ask.prompt, ask.seed if ask.seed[1] in (5, 1 << 30) else (next(seeds),)) for ask in asks]
        return sample(self, kept, *rest)

    monkeypatch.setattr(TorchRollouts, "sample", other)
    run(broken)
    assert weights(tmp_path / "broken") == weights(tmp_path / "whole")


def test_a_policy_that_leaves_its_bound_is_stopped_and_the_best_within_is_taken(tmp_path: Path) -> None:
    call = call_of(tmp_path, "rloo", 12, target_kl=0.5, beta=0.0, learning_rate=3e-2)
    live, emitted = run(call)
    assert any("nats per answer, and the bound is 1" in text for text in notices(emitted))
    steps = metrics(emitted, "kl")
    assert len(steps) < 12
    assert steps[-1] > 1.0
    assert metrics(emitted, "updates")[-1] == 0
    assert live.trained.scores.after.metrics["kl"] <= 1.0 or live.trained.steps == len(steps)
    again, _ = run(msgspec.structs.replace(call, folder=call.folder))
    assert again.trained.steps == live.trained.steps  # it is not gone on with


def test_a_run_off_its_leash_repeats_itself_and_is_caught(tmp_path: Path) -> None:
    """At far too high a learning rate: without a bound "e" over and over, which a hint names; with one it stops."""
    options = {"beta": 0.0, "learning_rate": 3e-2, "updates": 3, "largest_change": 10.0}
    free, bound = (
        run(call_of(tmp_path / name, "rloo", 20, target_kl=target, **options))
        for name, target in (("free", 0.0), ("bound", 0.5))
    )
    assert len(metrics(free[1], "kl")) == 20
    assert metrics(free[1], "kl")[-1] > 20
    assert metrics(free[1], "repetition")[-1] > 0.3
    assert any("of the answers repeat themselves (0% before)" in text for text in notices(free[1]))
    lines = (tmp_path / "free" / "run" / "rollouts" / "000020.jsonl").read_text().splitlines()
    assert any(distinct_pairs(json.loads(line)["tokens"]) < REPETITIVE for line in lines)
    assert len(metrics(bound[1], "kl")) < 5
    assert any("and the bound is 1" in text for text in notices(bound[1]))


def test_an_answer_of_one_word_over_and_over_repeats_itself() -> None:
    rain, is_, a, cultural, country, of, clouds = range(7)
    assert distinct_pairs([rain, is_, a, *[cultural] * 9]) == pytest.approx(4 / 11)
    assert distinct_pairs([rain, is_, a, cultural, country, of, clouds]) == 1.0
    answers = [[rain, is_, a, *[cultural] * 9]] + [[rain, is_, a, cultural, country, of, clouds]] * 2
    now = {"answer_tokens": 9.0, "repetition": repetition(answers), "diversity": 0.9}
    assert list(find_hints(now, {"answer_tokens": 9.0, "repetition": 0.1, "diversity": 0.9})) == ["repetition"]
    assert not find_hints({**now, "repetition": 0.2}, {"answer_tokens": 9.0, "repetition": 0.1, "diversity": 0.9})


def test_the_answers_by_the_best_weights_are_filed_under_their_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([1.0, 2.0])  # of the evaluations after steps 2 and 4
    monkeypatch.setattr(Policy, "selected_by", lambda self, scores: next(losses))
    live, emitted = run(call_of(tmp_path, "ppo", 4))
    assert live.trained.steps == 2
    rewards = {}
    for step in (0, 2, 4):
        lines = (tmp_path / "run" / "rollouts" / f"held-out-{step:06}.jsonl").read_text().splitlines()
        rewards[step] = statistics.mean(json.loads(line)["reward"] for line in lines)
    evaluated = {one.step: one.value for one in emitted if getattr(one, "name", "") == "evaluation_reward"}
    assert rewards == pytest.approx(evaluated)
    assert rewards[2] == pytest.approx(live.trained.scores.after.metrics["reward"])
    assert rewards[4] != pytest.approx(rewards[2])


def test_updates_end_where_the_policy_changes_too_much(tmp_path: Path) -> None:
    _, emitted = run(call_of(tmp_path, "grpo", 2, updates=6, largest_change=1e-6))
    assert metrics(emitted, "updates") == [1.0, 1.0]


@pytest.mark.parametrize("name", ["ppo", "rloo"])
def test_a_reward_that_tells_no_answers_apart_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="All 64 sampled answers have the same reward, 0"):
        run(call_of(tmp_path, name, rewards=("expression-match pattern=qqqqqqqqq",)))


def test_a_text_that_is_too_long_for_a_reward_is_found_before_anything_is_sampled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short_sighted(self: Any, adapter: str, samples: Any) -> Any:
        longest = max(len(one.prompt_tokens) + len(one.answer_tokens) for one in samples)
        raise UserError(f"It has {longest} tokens.") if longest > 12 else AssertionError(longest)

    monkeypatch.setattr(FakeRewardContext, "model_scores", short_sighted)
    monkeypatch.setattr(TorchRollouts, "sample", lambda *given: pytest.fail("sampled"))
    with pytest.raises(UserError, match=r"It has \d+ tokens"):
        run(call_of(tmp_path, "ppo", rewards=("reward-model adapter=taste",)))


def test_unfinished_answers_are_penalised_or_left_out(tmp_path: Path) -> None:
    run(call_of(tmp_path / "a", "ppo", 1, unfinished="penalise"))
    lines = (tmp_path / "a" / "run" / "rollouts" / "000001.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    assert {one["reward"] for one in answers if not one["finished"]} == {-1.0}
    assert all(one["kl"] is not None for one in answers)
    assert all(len(one["tokens"]) == len(one["logprobs"]) for one in answers)


def test_parts_of_a_sum_are_measured(tmp_path: Path) -> None:
    lines = (*REWARDS, "length-range minimum=1 maximum=3 weight=0.5")
    _, emitted = run(call_of(tmp_path, "ppo", 1, rewards=lines))
    whole, first, second = (metrics(emitted, name)[0] for name in ("reward", "reward_1", "reward_2"))
    assert whole == pytest.approx(first + 0.5 * second, abs=1e-5)


def test_sets_with_answers_are_taken_for_their_prompts(tmp_path: Path) -> None:
    call = call_of(tmp_path, "ppo", 1, rewards=("right-number", "letter-share"))
    rows = [{"prompt": f"What is {n % 9} and 1?", "completion": str(n % 9 + 1)} for n in range(18)]
    path = tmp_path / "sums.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = msgspec.structs.replace(call.config, data=DataPart(path=str(path), evaluation_share=0.3))
    _, emitted = run(msgspec.structs.replace(call, config=config))
    [data] = [one for one in emitted if isinstance(one, events.Artifact) and one.kind == "data"]
    assert data.result["train"]["examples"] + data.result["evaluation"]["examples"] == 9
    lines = (tmp_path / "run" / "rollouts" / "000001.jsonl").read_text().splitlines()
    assert all("Number" in json.loads(line)["parts"] for line in lines)


def test_what_was_opened_to_be_measured_is_closed_when_the_measurement_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    monkeypatch.setattr(TorchRollouts, "close", lambda self: closed.append(self))

    def failing(self: Any, *rest: Any) -> Any:
        raise UserError("no room")

    monkeypatch.setattr(TorchRollouts, "sample", failing)
    with pytest.raises(UserError, match="no room"):
        run(call_of(tmp_path, "grpo"))
    assert len(closed) == 1
