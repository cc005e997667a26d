"""Other settings for a first training, by the trainer alone: what is learnt and what is lost, along the way.

    python benchmarks/first_training_trials.py SETTINGS...

SETTINGS is a list such as ``optimiser.learning_rate=3e-4,optimiser.epochs=15``; a single ``-`` is the proposal of the
program. The data are those of ``first_training.py``. At every evaluation (each so many epochs) the model in training
answers the trained questions, those in other words and the general questions of *Measure forgetting*, greedily: so one
run shows what stopping there would give at that point of its schedule. At the end it answers them at lower strengths of
a LoRA as well (Wortsman et al. 2022, arXiv:2109.01903). Computes with one thread.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path

import msgspec
import psutil
from harness import arguments, base_model, starter_model, write_lines

from workbench.api import events
from workbench.records.messages import Message
from workbench.records.training import DataPart, EvaluationPart, OptimiserPart, ScoresPair, TrainingConfig, set_value
from workbench.techniques.registry import METHODS
from workbench.text.metrics import contains_answer
from workbench.training import planning
from workbench.training import run as training_run
from workbench.training.control import Switch
from workbench.training.data.examples import Example
from workbench.training.objectives.objective import objective_of
from workbench.training.protocol import TrainModel
from workbench.training.scoring import Before, Scorer
from workbench.training.sequences import Question, question_of
from workbench.training.sets import inspect_set, open_writing


class CurveScorer(Scorer):
    """Asks all questions at every evaluation, and at the end at every strength of the adapter."""

    other: tuple[Question, ...] = ()
    epoch_steps = 1
    strengths: tuple[float, ...] = ()

    def during(self, step: int) -> float | None:
        self._tell_all(step, 1.0)
        return None

    def after(self, before: Before, steps: int) -> tuple[ScoresPair, ScoresPair]:
        layers = [one for one in self._model.modules() if isinstance(getattr(one, "scaling", None), dict)]
        usual = [dict(layer.scaling) for layer in layers]
        for strength in self.strengths if layers else ():
            for layer, scaling in zip(layers, usual, strict=True):
                layer.scaling.update({name: strength * scale for name, scale in scaling.items()})
            self._tell_all(steps, strength)
        for layer, scaling in zip(layers, usual, strict=True):
            layer.scaling.update(scaling)
        return ScoresPair(before=before.scores), ScoresPair(before=before.general)  # the last evaluation asked them

    def _tell_all(self, step: int, strength: float) -> None:
        advance = self._advance("evaluating", self.other)
        with self._computing():
            exact = self._answers(self._questions, step, advance)[0]
            said = self._ask(self.other, 32, advance)
        general = self._general(step, advance)
        assert general is not None
        assert general.exact_match is not None
        found = {
            "epoch": round(step / self.epoch_steps, 1),
            "strength": strength,
            "trained": round(exact * len(self._questions)),
            "other": sum(contains_answer(a, q.expected) for a, q in zip(said, self.other, strict=True)),
            "general": round(general.exact_match * general.answers),
            "general_loss": round(general.loss, 2),
        }
        print("   ", json.dumps(found), flush=True)


def trial(name: str, seed: int, settings: str, every: float, before: Path) -> None:
    facts = json.loads(Path(__file__).with_name("first_training.json").read_text("utf-8"))[name]["facts"]
    path = starter_model()
    model = base_model(path)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        data = root / "facts.jsonl"
        write_lines(data, ({"prompt": q, "completion": a} for q, a, *_ in facts))
        config = TrainingConfig(
            model=path.stem,
            name="facts",
            data=DataPart(path=str(data)),
            optimiser=OptimiserPart(seed=seed, micro_batch_tokens=1024),  # more answers at once
            evaluation=EvaluationPart(sample_answers=40, max_new_tokens=32),
        )
        for pair in settings.split(",") if settings != "-" else ():
            key, _, value = pair.partition("=")
            config = set_value(config, key, value)
        with open_writing(model) as writing:
            report = inspect_set(config, objective_of(config, METHODS), writing)
            writer = writing.writer()
            asked = []
            for _, answer, *more in facts:
                example = Example(messages=(Message("user", more[0]), Message("assistant", answer)))
                asked.append(question_of(example, writer.write(example), writer, writing.tokenizer))
        free = psutil.virtual_memory().available
        plan = planning.plan(config, model, report, METHODS, runs=root, memory_free_bytes=free)
        optimiser = plan.config.optimiser
        CurveScorer.epoch_steps = max(1, round(len(facts) / optimiser.batch_size))
        CurveScorer.other = tuple(one for one in asked if one is not None)
        steps = max(1, round(every * CurveScorer.epoch_steps))
        evaluation = msgspec.structs.replace(plan.config.evaluation, interval=steps)
        resolved = msgspec.structs.replace(plan.config, evaluation=evaluation)
        head = f"{name} seed {seed} {settings}: batch {optimiser.batch_size}, {optimiser.max_steps} steps"
        print(f"{head}, rate {optimiser.learning_rate:g}", flush=True)
        run = root / "run"
        run.mkdir()
        if before.exists():
            shutil.copy(before, run / "before.json")
        began = time.monotonic()
        call = TrainModel(config=resolved, model=model, folder=str(run), threads=1)
        live = training_run.train(call, METHODS, Switch(), _ignore)
        assert live is not None
        shutil.copy(run / "before.json", before)
        general = live.trained.forgetting.before
        assert general is not None
        right = round((general.exact_match or 0) * general.answers)
        print(f"    general before {right} of {general.answers}, {time.monotonic() - began:.0f} s", flush=True)


def _ignore(event: events.Event) -> None:
    """The figures are taken by the scorer."""


def main() -> None:
    parser = arguments(__doc__, set="town", seeds="0")
    parser.add_argument("settings", nargs="+")
    parser.add_argument("--every", type=float, default=2.0, help="epochs between evaluations [%(default)s]")
    parser.add_argument("--strengths", default="0.4,0.6,0.8", help="of the adapter, at the end [%(default)s]")
    parser.add_argument("--before", type=Path, help="a file that keeps the scores of the base from call to call")
    options = parser.parse_args()
    CurveScorer.strengths = tuple(map(float, options.strengths.split(",")))
    training_run.Scorer = CurveScorer  # type: ignore[attr-defined]  # the scorer of this process
    with tempfile.TemporaryDirectory() as folder:
        for seed in map(int, options.seeds.split(",")):
            for settings in options.settings:
                before = options.before or Path(folder) / "before.json"
                trial(options.set, seed, settings, options.every, before)


if __name__ == "__main__":
    main()
