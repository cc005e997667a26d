"""The training config: a TOML file that describes a training completely, as a recipe does an answer.

A field that is 0 or "auto" takes what is right for the method and the model's size; a run keeps its config *resolved*,
with all of them filled in, so that it can be made again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w

from workbench.base.errors import UserError
from workbench.base.fields import about, fields_of, parse_value
from workbench.base.stored import Stored, Upgrade, read_toml
from workbench.records.training.weights import WeightsPart

DEFAULT_OBJECTIVE = "sft"
TrainerName = Literal["workbench", "trl"]

RENAMED = {
    "optimiser.steps": "optimiser.max_steps",
    "optimiser.batch": "optimiser.batch_size",
    "optimiser.tokens_per_pass": "optimiser.micro_batch_tokens",
    "optimiser.warmup": "optimiser.warmup_ratio",
    "optimiser.clip": "optimiser.gradient_clipping",
    "optimiser.checkpointing": "optimiser.gradient_checkpointing",
    "evaluation.every": "evaluation.interval",
    "evaluation.answers": "evaluation.sample_answers",
    "evaluation.answer_tokens": "evaluation.max_new_tokens",
    "data.longest_tokens": "data.max_length",
    "data.loss_on": "objective.loss_on",
    "data.turns": "data.columns.messages",
    "data.question": "data.columns.prompt",
    "data.answer": "data.columns.completion",
    "data.system": "data.columns.system",
    "data.text": "data.columns.text",
}
"""Fields of format 1 by their names since; the terminal takes both."""


class ObjectivePart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The objective: ``name`` is an objective of the registry, ``options`` are fields of its own
    configuration."""

    name: str = DEFAULT_OBJECTIVE
    options: dict[str, Any] = {}


class DataPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The examples. ``path`` is a file or folder, or the name of a set in the home folder.

    ``columns``: for data whose format is not recognised, the columns of each role of the objective ("prompt": ("title",
    "body")); "text", "messages" and the like.
    """

    path: str = ""
    max_length: Annotated[
        int,
        about("Maximum length", ge=0, le=131072, unit="tokens", auto="the data and the model decide"),
        "Examples with more tokens are truncated.",
    ] = 0
    evaluation_path: Annotated[
        str,
        about("Evaluation examples", advanced=True),
        "The training is evaluated on the examples of this set or file. Otherwise some of the training examples are "
        "held out, as the evaluation split says.",
    ] = ""
    evaluation_share: Annotated[
        Annotated[float, msgspec.Meta(ge=0, le=0.5)] | None,
        about("Evaluation split"),
        "This share of the examples is kept out of the training and evaluated on. At 0, the training examples are "
        "evaluated on. Left empty, the size of the set decides.",
    ] = None
    columns: dict[str, tuple[str, ...]] = {}


class OptimiserPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The optimiser's settings. ``batch_size`` examples make a step, computed in micro-batches of about
    ``micro_batch_tokens`` tokens: their size changes memory and speed, never the result."""

    epochs: Annotated[
        float,
        about("Epochs", ge=0, le=10000, auto="the number and the length of the answers decide"),
        "The training passes over the data this many times.",
    ] = 0.0
    max_steps: Annotated[
        int, about("Steps", ge=0, advanced=True, auto="the epochs decide"), "The training takes this number of steps."
    ] = 0
    batch_size: Annotated[
        int,
        about("Batch size", ge=0, le=4096, unit="examples", auto="the size of the set decides"),
        "Each step learns from this number of examples together, and changes the weights once.",
    ] = 0
    micro_batch_tokens: Annotated[
        int,
        about("Micro-batch tokens", ge=0, unit="tokens", advanced=True, auto="the program chooses"),
        "This number of tokens of a step is computed at once. Fewer need less memory.",
    ] = 0
    learning_rate: Annotated[
        float,
        about("Learning rate", ge=0, le=10, auto="the method and the size of the model decide"),
        "A higher rate changes the weights more in each step.",
    ] = 0.0
    schedule: Annotated[
        Literal["cosine", "linear", "constant"],
        about("Learning rate schedule", advanced=True),
        "The learning rate falls towards the end along a cosine or a line, or stays constant.",
    ] = "cosine"
    warmup_ratio: Annotated[
        float,
        about("Warm-up ratio", ge=0, le=0.5, advanced=True),
        "The learning rate rises from 0 during this share of the steps.",
    ] = 0.05
    optimiser: Annotated[
        Literal["adamw", "adafactor", "sgd"],
        about("Optimiser", advanced=True),
        "The optimiser is the rule by which a step changes the weights. AdamW learns fastest; Adafactor takes less "
        "memory when all weights are trainable.",
    ] = "adamw"
    weight_decay: Annotated[
        float,
        about("Weight decay", ge=0, le=1, advanced=True),
        "The trainable weights are pulled towards zero more strongly at a higher value.",
    ] = 0.0
    gradient_clipping: Annotated[
        float,
        about("Gradient clipping", ge=0, advanced=True),
        "Gradients with a larger norm are scaled down to it. At 0, they are left as they are.",
    ] = 1.0
    gradient_checkpointing: Annotated[
        Literal["auto", "on", "off"],
        about("Gradient checkpointing", advanced=True),
        "Activations are computed twice instead of being stored, which needs less memory and takes a third longer.",
    ] = "auto"
    seed: Annotated[int, about("Seed", ge=0, advanced=True), "The same seed gives the same run."] = 0


class EvaluationPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The evaluations during the training."""

    interval: Annotated[
        int,
        about("Evaluation interval", ge=0, unit="steps", auto="that is a tenth of the run, at least 5"),
        "The training is evaluated and a checkpoint is written after this number of steps.",
    ] = 0
    sample_answers: Annotated[
        int,
        about("Sample answers", ge=0, le=1000),
        "This number of evaluation questions is answered before the training, at its end and, up to four of them, at "
        "every evaluation.",
    ] = 16
    max_new_tokens: Annotated[
        int,
        about("Maximum new tokens", ge=1, le=4096, unit="tokens", advanced=True),
        "A sample answer has at most this number of tokens.",
    ] = 64
    patience: Annotated[
        int,
        about("Early stopping", ge=0, unit="evaluations", auto="it never stops early", blank="off"),
        "The training stops after this number of evaluations in a row without a lower loss, before it learns the "
        "examples by heart.",
    ] = 0
    forgetting: Annotated[
        bool,
        about("Measure forgetting"),
        "General texts and questions are scored before and after the training, which shows whether general abilities "
        "were lost.",
    ] = True


def _from_1(plain: dict[str, Any]) -> dict[str, Any]:
    """The objective becomes a part with options of its own, columns are by role, fields take the field's names."""
    name = plain.get("objective", DEFAULT_OBJECTIVE)
    found: dict[str, Any] = {**plain, "objective": {"name": name, "options": {}}}
    for part in ("data", "optimiser", "evaluation"):
        found[part] = {}
        for field, value in dict(plain.get(part, {})).items():
            section, _, renamed = RENAMED.get(f"{part}.{field}", f"{part}.{field}").partition(".")
            if renamed.startswith("columns."):
                if value:
                    names = [value] if isinstance(value, str) else value
                    found[part].setdefault("columns", {})[renamed.partition(".")[2]] = names
            elif section != "objective":
                found[part][renamed] = value
            elif name == DEFAULT_OBJECTIVE:  # plain text has no answers that could be told from the rest
                found["objective"]["options"][renamed] = value
    return found


def _from_2(plain: dict[str, Any]) -> dict[str, Any]:
    """Which layers are adapted can be set."""
    return plain


def _from_3(plain: dict[str, Any]) -> dict[str, Any]:
    """The trainer can be set."""
    return plain


def _from_4(plain: dict[str, Any]) -> dict[str, Any]:
    """Epochs and the evaluation split can be left to the program; what did not name them had these."""
    return {
        **plain,
        "data": {"evaluation_share": 0.1, **dict(plain.get("data", {}))},
        "optimiser": {"epochs": 3.0, **dict(plain.get("optimiser", {}))},
    }


UPGRADES: dict[int, Upgrade] = {1: _from_1, 2: _from_2, 3: _from_3, 4: _from_4}
SCHEMA = len(UPGRADES) + 1


class TrainingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a training. ``model`` is a name in the catalogue; ``name`` what the adapter is called ("": chosen)."""

    schema: int = SCHEMA
    objective: ObjectivePart = ObjectivePart()
    model: str = ""
    name: str = ""
    data: DataPart = DataPart()
    weights: WeightsPart = WeightsPart()
    optimiser: OptimiserPart = OptimiserPart()
    evaluation: EvaluationPart = EvaluationPart()
    trainer: Annotated[
        TrainerName,
        about("Trainer", advanced=True),
        "The steps are computed by this program, for one machine, or by the trainers of TRL, for CUDA and several "
        "GPUs.",
    ] = "workbench"
    processes: Annotated[
        int, about("Processes", ge=1, le=64, advanced=True), "This number of processes trains in parallel."
    ] = 1


TRAINING = Stored("training config", TrainingConfig, upgrades=UPGRADES, key="schema")

PARTS: dict[str, type[msgspec.Struct]] = {
    "data": DataPart,
    "weights": WeightsPart,
    "optimiser": OptimiserPart,
    "evaluation": EvaluationPart,
}

_COLUMNS = "columns."
_OF_THE_RUN = ("trainer", "processes")


def set_value(
    config: TrainingConfig, name: str, text: str, options: type[msgspec.Struct] = msgspec.Struct
) -> TrainingConfig:
    """The config with ``part.field`` (or ``trainer``, ``processes``) set to what a person typed. ``options`` is the
    configuration type of its objective; ``data.columns.ROLE`` takes names of columns. Raises UserError that names the
    field."""
    if name in _OF_THE_RUN:
        return msgspec.structs.replace(config, **{name: parse_value(TrainingConfig, name, text)})
    part, _, field = RENAMED.get(name, name).partition(".")
    if part == "data" and field.startswith(_COLUMNS):
        names = tuple(column.strip() for column in text.split(",") if column.strip())
        columns = {**config.data.columns, field.removeprefix(_COLUMNS): names}
        return msgspec.structs.replace(config, data=msgspec.structs.replace(config.data, columns=columns))
    if part == "objective" and field:
        chosen = {**config.objective.options, field: parse_value(options, field, text)}
        return msgspec.structs.replace(config, objective=msgspec.structs.replace(config.objective, options=chosen))
    if part not in PARTS or not field:
        parts = {**PARTS, "objective": options}
        known = [f"{part}.{f.name}" for part, kind in parts.items() for f in fields_of(kind)]
        raise UserError(f"There is no setting {name!r}.", f"Known settings: {', '.join([*known, *_OF_THE_RUN])}.")
    value = parse_value(PARTS[part], field, text)
    changed = msgspec.structs.replace(getattr(config, part), **{field: value})
    return msgspec.structs.replace(config, **{part: changed})


def load_config(path: Path) -> TrainingConfig:
    """Read a TOML file. Raises UserError that names the file and what is wrong."""
    return read_toml(path, TRAINING)


def dump_config(config: TrainingConfig) -> str:
    """The config as TOML, which has no word for a value that is left open."""
    return tomli_w.dumps(_stated(TRAINING.plain(config)))


def _stated(plain: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _stated(value) if isinstance(value, dict) else value for name, value in plain.items() if value is not None
    }
