"""``workbench train``: plans a training, starts it, and follows it to its end."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from workbench.api.events import Artifact, Log
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, FieldHelp, absolute, add_repeated
from workbench.cli.models import default_model
from workbench.cli.output import TextOutput
from workbench.cli.run_lines import RunLines, show_plan, show_scores, show_verification
from workbench.cli.runs import follow
from workbench.cli.session import Events, Session, Stopped
from workbench.methods import METHODS
from workbench.records.training import (
    PARTS,
    ObjectivePart,
    TrainerName,
    TrainingConfig,
    TrainResult,
    load_config,
    set_value,
)
from workbench.subjects.trainings.calls import PlanTraining, Train

R = TypeVar("R")

STOPPING = "Stopping: saving a checkpoint. Press Ctrl+C again to leave without waiting."


def add_commands(commands: Commands) -> None:
    group = commands.group("train", "train a model on examples")
    for objective in METHODS.of("objective"):
        parts = {**PARTS, "objective": objective.config}
        parser = group.command(
            objective.name,
            objective.summary.rstrip(".").lower(),
            train,
            show_training,
            on_event=RunLines,
            names={"model": "model"},
        )
        parser.set_defaults(objective=objective.name)
        parser.add_argument("--model", metavar="M", help="the model (default: the default model)")
        parser.add_argument("--data", metavar="FILE", help="a file, a folder, or the name of a set of `workbench data`")
        parser.add_argument(
            "--method",
            metavar="W",
            choices=[method.name for method in METHODS.of("weights")],
            help="which weights are trained [the first]: %(choices)s",
        )
        parser.add_argument("--name", metavar="N", help="name of the adapter (default: chosen)")
        parser.add_argument("--config", metavar="FILE", help="a config as TOML; the options change parts of it")
        add_repeated(parser, "--set", "PART.FIELD=VALUE", "set a field of the config", "assignments")
        FieldHelp.add(parser, parts)
        parser.add_argument(
            "--trainer",
            choices=[*get_args(TrainerName)],
            help="what computes the steps: this program, or TRL's trainers for CUDA and several GPUs [workbench]",
        )
        parser.add_argument("--processes", metavar="N", type=int, help="number of processes that train in parallel [1]")
        parser.add_argument("--plan", action="store_true", help="show the plan without starting the training")


def train(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    config = yield from read_config(session, arguments, arguments.objective)
    if arguments.plan:
        return (yield from session.call(PlanTraining(config=config)))
    run = yield from session.call(Train(config=config))
    yield Log(text=f"Run {run.id}. Ctrl+C stops it and keeps a checkpoint.", level="notice")
    kept = _Kept()
    try:
        done = yield from kept.noting(follow(session, run.id, stop_on_interrupt=True, stopping=STOPPING))
    except (Stopped, KeyboardInterrupt):
        yield Log(text=kept.tell(session.command(f"runs resume {run.id}")), level="notice")
        raise
    result: dict[str, Any] = msgspec.to_builtins(msgspec.convert(done, TrainResult))
    return result


class _Kept:
    """The checkpoint or adapter of a stopped training, from its events."""

    def __init__(self) -> None:
        self._step: int | None = None
        self._adapter = ""

    def noting(self, events: Events[R]) -> Events[R]:
        """The same events, looked at."""
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                value: R = end.value
                return value
            if isinstance(event, Artifact) and event.kind == "checkpoint":
                self._step = int(event.result.get("step", 0))
            elif isinstance(event, Artifact) and event.kind == "adapter":
                self._adapter = event.id
            yield event

    def tell(self, resume: str) -> str:
        if self._adapter:
            return f"{self._adapter} is trained and can be used; {resume} continues with its verification."
        if self._step is not None:
            return f"Its checkpoint after step {self._step:,} is kept; {resume} continues from there."
        return f"There is no checkpoint yet; {resume} starts from the beginning."


def read_config(session: Session, arguments: argparse.Namespace, objective: str) -> Events[TrainingConfig]:
    """The config that the arguments ask for: a file's, changed by the options. Raises UserError."""
    config = load_config(Path(arguments.config)) if arguments.config is not None else TrainingConfig()
    row = METHODS.find(objective, "objective")
    if config.objective.name != objective:
        config = msgspec.structs.replace(config, objective=ObjectivePart(name=objective))
    if arguments.model is not None:
        config = msgspec.structs.replace(config, model=arguments.model)
    if arguments.data is not None:
        config = msgspec.structs.replace(config, data=msgspec.structs.replace(config.data, path=arguments.data))
    if getattr(arguments, "name", None) is not None:
        config = msgspec.structs.replace(config, name=arguments.name)
    if getattr(arguments, "method", None) is not None:
        config = set_value(config, "weights.method", arguments.method)
    for name in ("trainer", "processes"):
        if getattr(arguments, name, None) is not None:
            config = set_value(config, name, str(getattr(arguments, name)))
    for assignment in arguments.assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise UserError(f"{assignment!r} is not of the form PART.FIELD=VALUE.", "For example weights.rank=8.")
        config = set_value(config, name.strip(), value, row.config)
    data = config.data
    if not data.path:
        raise UserError("No training data was given.", "Give --data FILE, or the name of a set.")
    data = msgspec.structs.replace(
        data, path=_place(data.path), evaluation_path=_place(data.evaluation_path) if data.evaluation_path else ""
    )
    config = msgspec.structs.replace(config, data=data)
    if not config.model:
        config = msgspec.structs.replace(config, model=(yield from default_model(session, "train")))
    return config


def _place(data: str) -> str:
    """A file from the root; what is no file here is the name of a set."""
    expanded = os.path.expanduser(data)
    return absolute(data) if os.path.exists(expanded) or os.path.basename(data) != data else data


def show_training(result: dict[str, Any], output: TextOutput) -> None:
    if "memory_free_bytes" in result:  # only the plan was asked for
        show_plan(result, output)
        if result["problem"]:
            output.line(f"It cannot start: {result['problem']} {result['hint']}".rstrip())
        return
    output.line()
    show_scores(result, output)
    output.line()
    if result["kind"] == "reward":
        use = f"--technique best-of-n --set technique.reward_model={result['adapter']}"
        output.line(f"{result['adapter']} was created, a reward model: workbench ask {use} ...")
    elif result["kind"] == "merged":
        output.line(f"{result['adapter']} was created as a model: workbench ask --model {result['adapter']!r} ...")
    else:
        output.line(f"{result['adapter']} was created: workbench ask --adapter {result['adapter']} ...")
    output.pairs([("run", result["run"]), ("steps", result["steps"])])
    if result["verification"] is not None:
        show_verification(result["verification"], output)
