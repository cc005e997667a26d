"""Steps in passes are one padded batch; a training that is stopped or killed goes on exactly."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.unit.training.tiny_training import apply_method, loaded, sequences  # noqa: E402
from workbench.api import events  # noqa: E402
from workbench.base.errors import Cancelled, UserError  # noqa: E402
from workbench.records.training import OptimiserPart, WeightsPart  # noqa: E402
from workbench.training.control import Switch  # noqa: E402
from workbench.training.losses import on_sequences, own_loss, tensors_of  # noqa: E402
from workbench.training.peft_models import trainable_parameters  # noqa: E402
from workbench.training.trainer import StepTrainer, warmup_steps  # noqa: E402
from workbench.training.trainer_progress import Stopped, TrainerOptions  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

TRAIN = sequences(20)


def make(folder: Path, events_: list[Any], *, method: str = "lora", **options: Any) -> StepTrainer:
    torch.manual_seed(0)
    model = apply_method(loaded(), WeightsPart(method=method, rank=4, dropout=0.1))
    part = options.pop(
        "optimiser", OptimiserPart(max_steps=10, batch_size=6, micro_batch_tokens=60, learning_rate=5e-3)
    )
    return StepTrainer(
        model, TrainerOptions(optimiser=part, train=TRAIN, folder=folder, emit=events_.append, every=4, **options)
    )


def losses(told: list[Any]) -> dict[int, float]:
    return {e.step: e.value for e in told if isinstance(e, events.Metric) and e.name == "loss"}


def weights(trainer: StepTrainer) -> dict[str, Any]:
    return {name: value.detach().clone() for name, value in trainable_parameters(trainer.model).items()}


def test_the_loss_falls_and_is_told(tmp_path: Path) -> None:
    told: list[Any] = []
    reached = make(tmp_path, told, optimiser=OptimiserPart(max_steps=30, batch_size=20, learning_rate=1e-2)).run()
    curve = losses(told)
    assert reached.step == 30
    assert sorted(curve) == list(range(1, 31))
    assert curve[30] < 0.8 * curve[1]
    names = {e.name for e in told if isinstance(e, events.Metric) and e.step == 7}
    assert names == {"loss", "learning_rate", "gradient_norm", "tokens_per_second", "memory_bytes"}
    progress = [e for e in told if isinstance(e, events.Progress)]
    assert (progress[-1].done, progress[-1].total) == (30, 30)
    assert progress[-1].seconds_left == 0


def test_passes_give_the_gradient_of_one_padded_batch(tmp_path: Path) -> None:
    trainer = make(
        tmp_path, [], optimiser=OptimiserPart(max_steps=1, batch_size=6, micro_batch_tokens=40, learning_rate=1e-3)
    )
    for module in trainer.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    step = trainer.steps[0]
    trainer._compute_loss = on_sequences(own_loss)
    loss = trainer.training_step(trainer.model, step)
    ours = {name: p.grad.clone() for name, p in trainable_parameters(trainer.model).items()}
    trainer.model.zero_grad()
    tokens, labels = tensors_of([TRAIN[place] for place in step.places], "cpu")
    whole = own_loss(trainer.model, tokens, labels)
    (whole.total / whole.tokens).backward()
    assert whole.tokens == step.weight
    assert float(loss) == pytest.approx(float(whole.total.detach() / whole.tokens), rel=1e-5)
    for name, parameter in trainable_parameters(trainer.model).items():
        torch.testing.assert_close(ours[name], parameter.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("optimiser", "method"),
    [
        ("adafactor", "lora"),
        ("adamw", "dora"),
        pytest.param("adamw", "lora", marks=pytest.mark.nightly),
        pytest.param("sgd", "lora", marks=pytest.mark.nightly),
    ],
)
def test_a_killed_training_goes_on_bit_for_bit(tmp_path: Path, optimiser: Any, method: str) -> None:
    part = OptimiserPart(
        max_steps=10, batch_size=6, micro_batch_tokens=60, learning_rate=5e-3, optimiser=optimiser, weight_decay=0.01
    )
    whole: list[Any] = []
    uninterrupted = make(tmp_path / "whole", whole, optimiser=part, method=method)
    uninterrupted.run()

    class Killed(BaseException):
        pass

    def dies(event: Any) -> None:
        cut.append(event)
        if isinstance(event, events.Metric) and event.name == "loss" and event.step == 7:
            raise Killed

    cut: list[Any] = []
    first = make(tmp_path / "cut", cut, optimiser=part, method=method)
    first.progress.options = dataclasses.replace(first.options, emit=dies)
    with pytest.raises(Killed):
        first.run()
    torch.manual_seed(12345)  # a new process has other random states
    resumed: list[Any] = []
    second = make(tmp_path / "cut", resumed, optimiser=part, method=method)
    second.run()
    assert sorted(losses(resumed)) == [5, 6, 7, 8, 9, 10]  # from the checkpoint after step 4
    assert losses(resumed) == {step: loss for step, loss in losses(whole).items() if step > 4}
    for name, value in weights(uninterrupted).items():
        assert torch.equal(value, weights(second)[name]), name


def test_a_stopped_training_leaves_between_passes_and_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole: list[Any] = []
    uninterrupted = make(tmp_path / "whole", whole)
    uninterrupted.run()
    for passes in (0, 1, 5, 8):  # before the first pass, within a step, at its beginning
        folder = tmp_path / f"after {passes}"
        switch = Switch()
        counted = 0

        def count(switch: Switch = switch, passes: int = passes) -> None:
            nonlocal counted
            counted += 1
            if counted > passes:
                switch.stop()

        told: list[Any] = []
        stopped = make(folder, told, control=switch, pace=count)
        with pytest.raises(Stopped):
            stopped.run()
        again: list[Any] = []
        resumed = make(folder, again)
        resumed.run()
        assert losses(told) | losses(again) == losses(whole)
        for name, value in weights(uninterrupted).items():
            assert torch.equal(value, weights(resumed)[name]), name


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    whole: list[Any] = []
    trainer = make(tmp_path, whole)
    trainer.run()
    steps = trainer.checkpoints.steps()
    assert steps == [8, 10]
    damaged = trainer.checkpoints.path(10) / "weights.safetensors"
    raw = bytearray(damaged.read_bytes())
    raw[-1] ^= 1
    damaged.write_bytes(raw)
    again: list[Any] = []
    make(tmp_path, again).run()
    assert losses(again) == {step: loss for step, loss in losses(whole).items() if step > 8}


def test_a_finished_training_is_not_trained_again(tmp_path: Path) -> None:
    first = make(tmp_path, [])
    first.run()
    told: list[Any] = []
    second = make(tmp_path, told)
    assert second.run().step == 10
    assert losses(told) == {}
    for name, value in weights(first).items():
        assert torch.equal(value, weights(second)[name])


def test_no_step_is_lost_to_a_rise_of_one_step(tmp_path: Path) -> None:
    told: list[Any] = []
    part = OptimiserPart(max_steps=4, batch_size=6, learning_rate=5e-3, warmup_ratio=0.25)
    make(tmp_path, told, optimiser=part).run()
    rates = [one.value for one in told if isinstance(one, events.Metric) and one.name == "learning_rate"]
    assert rates[0] == 5e-3
    assert [warmup_steps(0.05, steps) for steps in (5, 20, 40, 100)] == [0, 0, 2, 5]


def test_a_diverging_training_says_what_to_lower(tmp_path: Path) -> None:
    part = OptimiserPart(
        max_steps=40, batch_size=6, learning_rate=1e18, optimiser="sgd", gradient_clipping=0.0, warmup_ratio=0.0
    )
    with pytest.raises(UserError, match="diverged") as raised:
        make(tmp_path, [], method="full", optimiser=part).run()
    assert "learning rate" in raised.value.hint


def test_it_ends_early_without_a_better_loss_and_keeps_the_best_checkpoint(tmp_path: Path) -> None:
    values = iter([3.0, 2.0, 2.5, 2.5, 2.5, 2.5])
    part = OptimiserPart(max_steps=60, batch_size=4, learning_rate=1e-3)
    trainer = make(tmp_path, [], optimiser=part, evaluate=lambda step: next(values), patience=3)
    reached = trainer.run()
    assert (reached.step, reached.best_step, reached.best_loss) == (20, 8, 2.0)
    assert trainer.checkpoints.steps() == [8, 16, 20]


def test_a_paused_training_waits(tmp_path: Path) -> None:
    import threading

    switch = Switch()
    switch.pause(True)
    told: list[Any] = []
    trainer = make(tmp_path, told, control=switch)
    thread = threading.Thread(target=trainer.run)
    thread.start()
    thread.join(0.5)
    assert losses(told) == {}
    switch.pause(False)
    thread.join(60)
    assert len(losses(told)) == 10


def test_gradient_checkpointing_changes_nothing_but_memory(tmp_path: Path) -> None:
    plain: list[Any] = []
    make(tmp_path / "plain", plain).run()
    checkpointed: list[Any] = []
    make(tmp_path / "checkpointed", checkpointed, checkpointing=True).run()
    for step, loss in losses(plain).items():
        assert losses(checkpointed)[step] == pytest.approx(loss, rel=1e-5)


def test_an_evaluation_that_was_stopped_is_made_up_for(tmp_path: Path) -> None:
    scores = {4: 3.0, 8: 1.0, 10: 2.0}
    whole = make(tmp_path / "whole", [], evaluate=scores.__getitem__).run()
    for stopped_at in scores:
        switch = Switch()

        def stop_within(step: int, switch: Switch = switch, stopped_at: int = stopped_at) -> float:
            if step == stopped_at:
                switch.stop()
                raise Cancelled
            return scores[step]

        folder = tmp_path / f"stopped at {stopped_at}"
        first = make(folder, [], control=switch, evaluate=stop_within)
        if stopped_at < 10:
            with pytest.raises(Stopped):
                first.run()
        else:
            first.run()
        evaluated: list[int] = []
        resumed = make(folder, [], evaluate=lambda step, seen=evaluated: seen.append(step) or scores[step]).run()
        assert evaluated == [step for step in scores if step >= stopped_at]
        assert (resumed.best_step, resumed.best_loss, resumed.worse) == (whole.best_step, whole.best_loss, whole.worse)


def test_a_training_that_ended_early_is_not_trained_further(tmp_path: Path) -> None:
    part = OptimiserPart(max_steps=60, batch_size=4, learning_rate=1e-3)
    ended = make(tmp_path, [], optimiser=part, evaluate=lambda step: float(step), patience=2)
    ended.run()
    told: list[Any] = []
    again = make(tmp_path, told, optimiser=part, evaluate=lambda step: float(step), patience=2)
    assert again.run().step == ended.reached.step == 12
    assert losses(told) == {}
    for name, value in weights(ended).items():
        assert torch.equal(value, weights(again)[name])


def test_no_checkpoint_is_written_of_weights_that_are_no_numbers(tmp_path: Path) -> None:
    told: list[Any] = []
    trainer = make(tmp_path, told)
    one = next(iter(trainable_parameters(trainer.model).values()))
    one.register_hook(lambda gradient: gradient * float("nan") if trainer.state.global_step == 7 else gradient)
    with pytest.raises(UserError, match="The gradient became nan in step 8"):
        trainer.run()
    assert trainer.checkpoints.steps() == [4]
    assert make(tmp_path, told).run().step == 10


@pytest.mark.parametrize(
    "method",
    ["full", "layers", "biases", "norms", "lora", "ia3", "prompt"],
)
def test_what_moves_is_float32_beside_a_base_that_computes_in_bfloat16(tmp_path: Path, method: str) -> None:
    """As on every GPU, and on processors with instructions for it."""
    torch.manual_seed(0)
    base = loaded()
    base.model.to(torch.bfloat16)
    model = apply_method(base, WeightsPart(method=method, rank=4, last_layers=1, virtual_tokens=5))
    told: list[Any] = []
    part = OptimiserPart(max_steps=3, batch_size=6, micro_batch_tokens=60, learning_rate=1e-3)
    options = TrainerOptions(
        optimiser=part, train=TRAIN, folder=tmp_path, emit=told.append, dtype=torch.bfloat16, checkpointing=True
    )
    StepTrainer(model, options).run()
    assert len(losses(told)) == 3
    assert all(value.dtype == torch.float32 for value in trainable_parameters(model).values())


def test_what_a_killed_training_left_half_is_removed(tmp_path: Path) -> None:
    halves = [tmp_path / "checkpoints" / name for name in (".step-000004.1.part", ".step-000004.1.before")]
    for half in halves:
        half.mkdir(parents=True)
    trainer = make(tmp_path, [])
    trainer.run()
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-000008", "step-000010"]
