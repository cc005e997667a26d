"""What is asked of a training: a TOML file (``schema = 1``) that says all of it, as a recipe does of an answer.

A field that is 0 or "auto" takes what is right for the method and the model's size; a run keeps its config *resolved*,
with all of them filled in, so that it can be made again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import tomli_w
from msgspec import Meta

from workbench.errors import UserError
from workbench.fields import fields_of, parse_value
from workbench.records.stored import Stored, Upgrade, read_toml
from workbench.records.training.weights import WeightsPart

UPGRADES: dict[int, Upgrade] = {}
SCHEMA = len(UPGRADES) + 1

Objective = Literal["sft", "domain"]
"""Supervised fine-tuning on conversations, or continued pre-training on plain text."""


class DataPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The examples. ``path`` is a file or folder, or the name of a set in the home folder."""

    path: str = ""
    loss_on: Annotated[
        Literal["answers", "all"],
        Meta(title="Learn", description="Only what the assistant says, or questions and instructions as well."),
    ] = "answers"
    longest_tokens: Annotated[
        int,
        Meta(
            ge=0,
            le=131072,
            title="Longest example",
            description="Longer examples are cut at this length; 0 chooses from the data and the model.",
            extra={"unit": "tokens"},
        ),
    ] = 0
    evaluation_path: Annotated[
        str,
        Meta(
            title="Evaluation file",
            description="A file of examples to evaluate on; empty sets some of the training examples aside.",
            extra={"advanced": True},
        ),
    ] = ""
    evaluation_share: Annotated[
        float,
        Meta(
            ge=0,
            le=0.5,
            title="Held out",
            description="The share of the examples that is kept for evaluation and never trained on; "
            "0 evaluates on the training examples.",
        ),
    ] = 0.1
    turns: Annotated[
        str,
        Meta(
            title="Column of turns",
            description="For data that is not recognised: the column that holds the conversation.",
            extra={"advanced": True, "group": "columns"},
        ),
    ] = ""
    question: Annotated[
        tuple[str, ...],
        Meta(
            title="Columns of the question",
            description="For data that is not recognised: the columns that make the question.",
            extra={"advanced": True, "group": "columns", "separator": ","},
        ),
    ] = ()
    answer: Annotated[
        str,
        Meta(
            title="Column of the answer",
            description="For data that is not recognised: the column that holds the answer.",
            extra={"advanced": True, "group": "columns"},
        ),
    ] = ""
    system: Annotated[
        str,
        Meta(
            title="Column of instructions",
            description="For data that is not recognised: the column that holds the instructions.",
            extra={"advanced": True, "group": "columns"},
        ),
    ] = ""
    text: Annotated[
        str,
        Meta(
            title="Column of text",
            description="For data that is not recognised: the column that holds plain text.",
            extra={"advanced": True, "group": "columns"},
        ),
    ] = ""


class OptimiserPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How they move. ``batch`` examples make a step, computed in passes of about ``tokens_per_pass`` tokens: the
    size of a pass changes memory and speed, never the result."""

    epochs: Annotated[
        float,
        Meta(gt=0, le=10000, title="Epochs", description="How often every example is seen; some tens for facts."),
    ] = 3.0
    steps: Annotated[
        int, Meta(ge=0, title="Steps", description="How many steps; 0 takes the epochs.", extra={"advanced": True})
    ] = 0
    batch: Annotated[
        int,
        Meta(
            ge=0,
            le=4096,
            title="Examples a step",
            description="How many examples make one step; 0 chooses from their number.",
        ),
    ] = 0
    tokens_per_pass: Annotated[
        int,
        Meta(
            ge=0,
            title="Tokens a pass",
            description="How many tokens are computed at once within a step; fewer take less memory. 0 chooses.",
            extra={"advanced": True, "unit": "tokens"},
        ),
    ] = 0
    learning_rate: Annotated[
        float,
        Meta(
            ge=0,
            le=10,
            title="Learning rate",
            description="How far each step goes; 0 takes what suits the method and the model's size.",
        ),
    ] = 0.0
    schedule: Annotated[
        Literal["cosine", "linear", "constant"],
        Meta(
            title="Schedule",
            description="How the learning rate falls towards the end.",
            extra={"advanced": True},
        ),
    ] = "cosine"
    warmup: Annotated[
        float,
        Meta(
            ge=0,
            le=0.5,
            title="Warm-up",
            description="The share of the steps in which the learning rate rises.",
            extra={"advanced": True},
        ),
    ] = 0.05
    optimiser: Annotated[
        Literal["adamw", "adafactor", "sgd"],
        Meta(
            title="Optimiser",
            description="AdamW learns fastest; adafactor takes less memory when all weights move.",
            extra={"advanced": True},
        ),
    ] = "adamw"
    weight_decay: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Weight decay",
            description="How strongly moving weights are pulled towards zero.",
            extra={"advanced": True},
        ),
    ] = 0.0
    clip: Annotated[
        float,
        Meta(
            ge=0,
            title="Clipping",
            description="Longer gradients are shortened to this length; 0 leaves them.",
            extra={"advanced": True},
        ),
    ] = 1.0
    checkpointing: Annotated[
        Literal["auto", "on", "off"],
        Meta(
            title="Gradient checkpointing",
            description="Computes activations twice instead of keeping them: less memory, a third slower.",
            extra={"advanced": True},
        ),
    ] = "auto"
    seed: Annotated[
        int, Meta(ge=0, title="Seed", description="The same seed gives the same run.", extra={"advanced": True})
    ] = 0


class EvaluationPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked at on the way."""

    every: Annotated[
        int,
        Meta(
            ge=0,
            title="Evaluate every",
            description="Steps between evaluations and checkpoints; 0 takes a tenth of the run, at least 5.",
            extra={"unit": "steps"},
        ),
    ] = 0
    answers: Annotated[
        int,
        Meta(
            ge=0,
            le=1000,
            title="Sample answers",
            description="How many held-out questions are answered before, at the end and, up to four, at every "
            "evaluation.",
        ),
    ] = 16
    answer_tokens: Annotated[
        int,
        Meta(
            ge=1,
            le=4096,
            title="Answer length",
            description="The most tokens of a sample answer.",
            extra={"unit": "tokens", "advanced": True},
        ),
    ] = 64
    patience: Annotated[
        int,
        Meta(
            ge=0,
            title="Early stopping",
            description="Stop after so many evaluations without a better loss; 0 never does.",
        ),
    ] = 0
    forgetting: Annotated[
        bool,
        Meta(
            title="Measure forgetting",
            description="Score a fixed set of general texts and questions before and after.",
        ),
    ] = True


class TrainingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a training. ``model`` is a name in the catalogue; ``name`` what the adapter is called ("": chosen)."""

    schema: int = SCHEMA
    objective: Objective = "sft"
    model: str = ""
    name: str = ""
    data: DataPart = DataPart()
    weights: WeightsPart = WeightsPart()
    optimiser: OptimiserPart = OptimiserPart()
    evaluation: EvaluationPart = EvaluationPart()
    processes: Annotated[
        int,
        Meta(ge=1, le=64, title="Processes", description="How many train together.", extra={"advanced": True}),
    ] = 1


TRAINING = Stored("training config", TrainingConfig, upgrades=UPGRADES, key="schema")

PARTS: dict[str, type[msgspec.Struct]] = {
    "data": DataPart,
    "weights": WeightsPart,
    "optimiser": OptimiserPart,
    "evaluation": EvaluationPart,
}


def set_value(config: TrainingConfig, name: str, text: str) -> TrainingConfig:
    """The config with ``part.field`` (or ``processes``) set to what a person typed. Raises UserError that names it."""
    if name == "processes":
        return msgspec.structs.replace(config, processes=parse_value(TrainingConfig, name, text))
    part, _, field = name.partition(".")
    if part not in PARTS or not field:
        known = [f"{part}.{f.name}" for part, kind in PARTS.items() for f in fields_of(kind)]
        raise UserError(f"There is no setting {name!r}.", f"Known settings: {', '.join(known)}, processes.")
    value = parse_value(PARTS[part], field, text)
    changed = msgspec.structs.replace(getattr(config, part), **{field: value})
    return msgspec.structs.replace(config, **{part: changed})


def load_config(path: Path) -> TrainingConfig:
    """Read a TOML file. Raises UserError that names the file and what is wrong."""
    return read_toml(path, TRAINING)


def dump_config(config: TrainingConfig) -> str:
    """The config as TOML."""
    return tomli_w.dumps(TRAINING.plain(config))
