"""Training, as values: which weights of a model learn what from which examples, what was planned and what came of it.

A ``TrainingConfig`` is to a training what a recipe is to an answer: a TOML file (``schema = 1``) that says all of it.
A field that is 0 or "auto" takes what is right for the method and the model's size; a run keeps its config *resolved*,
with all of them filled in, so that it can be made again.
"""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
import tomli_w
from msgspec import Meta

from workbench.errors import UserError
from workbench.fields import fields_of, parse_value

SCHEMA = 1

Objective = Literal["sft", "domain"]
"""Supervised fine-tuning on conversations, or continued pre-training on plain text."""

WeightsMethod = Literal[
    "full", "layers", "biases", "norms", "lora", "rslora", "dora", "ia3", "prompt", "p-tuning", "prefix"
]
ArtifactKind = Literal["lora", "merged", "soft-prompt", "prefix"]
"""How the engine serves what was trained: a GGUF LoRA and a soft prompt are switched on over the base model, a prefix
is put into its memory, and a merged GGUF is a model of its own."""

ARTIFACTS: dict[WeightsMethod, ArtifactKind] = {
    "full": "merged", "layers": "merged", "biases": "merged", "norms": "merged",
    "lora": "lora", "rslora": "lora", "dora": "merged", "ia3": "merged",
    "prompt": "soft-prompt", "p-tuning": "soft-prompt", "prefix": "prefix",
}  # fmt: skip

BaseForm = Literal["auto", "f32", "bf16", "packed", "4bit"]
AdapterState = Literal["checking", "ready", "failed"]
MergedType = Literal["Q8_0", "F16", "F32", "same"]


# -- what is asked for ----------------------------------------------------------------------------


class DataPart(msgspec.Struct, frozen=True, kw_only=True):
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


class WeightsPart(msgspec.Struct, frozen=True, kw_only=True):
    """Which weights move."""

    method: Annotated[
        WeightsMethod,
        Meta(title="Method", description="Which weights learn: small ones beside the model's, some of them, or all."),
    ] = "lora"
    base: Annotated[
        BaseForm,
        Meta(
            title="Base weights",
            description="How the weights that do not move are held: auto takes what this machine computes fastest "
            "and has memory for; packed keeps them as small as in the GGUF file.",
            extra={"advanced": True},
        ),
    ] = "auto"
    rank: Annotated[
        int,
        Meta(
            ge=1,
            le=512,
            title="Rank",
            description="How much a low-rank change can say; more learns more and takes more memory.",
            extra={"group": "low-rank"},
        ),
    ] = 16
    alpha: Annotated[
        float,
        Meta(
            ge=0,
            le=1024,
            title="Alpha",
            description="How strongly a low-rank change counts, over its rank; 0 takes twice the rank.",
            extra={"group": "low-rank"},
        ),
    ] = 0.0
    dropout: Annotated[
        float,
        Meta(
            ge=0,
            le=0.9,
            title="Dropout",
            description="The share of a low-rank change that is left out at random at each step, against "
            "learning by heart.",
            extra={"group": "low-rank", "advanced": True},
        ),
    ] = 0.0
    targets: Annotated[
        Literal["all", "attention", "feed-forward"],
        Meta(
            title="Targets",
            description="Which linear layers get a low-rank change.",
            extra={"group": "low-rank", "advanced": True},
        ),
    ] = "all"
    last_layers: Annotated[
        int,
        Meta(
            ge=1,
            le=512,
            title="Layers",
            description="How many of the last layers move, for the method layers.",
            extra={"group": "selection"},
        ),
    ] = 4
    layers: Annotated[
        str,
        Meta(
            title="Chosen layers",
            description="Which layers move instead of the last ones, counted from 0: 0-3, 28.",
            extra={"group": "selection", "advanced": True},
        ),
    ] = ""
    virtual_tokens: Annotated[
        int,
        Meta(
            ge=1,
            le=1024,
            title="Virtual tokens",
            description="How many learnt tokens stand before every text, for prompt, p-tuning and prefix.",
            extra={"group": "soft prompts", "unit": "tokens"},
        ),
    ] = 20


class OptimiserPart(msgspec.Struct, frozen=True, kw_only=True):
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


class EvaluationPart(msgspec.Struct, frozen=True, kw_only=True):
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


PARTS: dict[str, type[msgspec.Struct]] = {
    "data": DataPart,
    "weights": WeightsPart,
    "optimiser": OptimiserPart,
    "evaluation": EvaluationPart,
}


def layers_of(weights: WeightsPart, count: int) -> tuple[int, ...]:
    """Which of a model's ``count`` layers the method layers moves, ascending from 0.

    Raises UserError for numbers that the model does not have and for what are no numbers.
    """
    if not weights.layers.strip():
        return tuple(range(count)[-weights.last_layers :])
    chosen: set[int] = set()
    for part in weights.layers.split(","):
        first, dash, last = (side.strip() for side in part.partition("-"))
        if not (first.isdecimal() and (last.isdecimal() if dash else True)) or len(first) > 6 or len(last) > 6:
            raise UserError(f"{part.strip()!r} are no layers.", "Write numbers and ranges, as in 0-3, 28.")
        low, high = int(first), int(last or first)
        if low > high or high >= count:
            raise UserError(f"The model has no layers {part.strip()}.", f"Its layers are 0 to {count - 1}.")
        chosen.update(range(low, high + 1))
    return tuple(sorted(chosen))


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
    try:
        plain = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}.", "Choose the config of a training.") from error
    if plain.get("schema", SCHEMA) != SCHEMA:
        raise UserError(f"{path} is written in schema {plain['schema']}; this program reads {SCHEMA}.", "Update it.")
    try:
        return msgspec.convert(plain, TrainingConfig)
    except msgspec.ValidationError as error:
        raise UserError(f"{path}: {error}.", "Mend it, or make a new one.") from error


def dump_config(config: TrainingConfig) -> str:
    """The config as TOML."""
    return tomli_w.dumps(msgspec.to_builtins(config))


# -- what is told before it begins ----------------------------------------------------------------


class PreviewPiece(msgspec.Struct, frozen=True):
    """A stretch of an example as the model sees it, names of control tokens included; ``trained``: it is learnt."""

    text: str
    trained: bool


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """One example as the model will be shown it. ``tokens`` are those that are kept, ``whole_tokens`` all it has."""

    source: str
    pieces: tuple[PreviewPiece, ...]
    tokens: int
    whole_tokens: int
    trained_tokens: int
    side: Literal["train", "evaluation"] = "train"


class LengthBin(msgspec.Struct, frozen=True):
    """How many examples have at least ``low`` and fewer than ``high`` tokens."""

    low: int
    high: int
    count: int


class SideReport(msgspec.Struct, frozen=True, kw_only=True):
    """The examples of one side in numbers; lengths in tokens, as they are before they are cut."""

    examples: int = 0
    tokens: int = 0
    trained_tokens: int = 0
    shortest: int = 0
    median: int = 0
    longest: int = 0
    truncated: int = 0
    duplicates: int = 0
    empty: int = 0
    lengths: tuple[LengthBin, ...] = ()


class DataReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a set: its shape and why it was taken for that, each side in numbers, some examples as the model will
    see them. ``shape`` is "unknown" where it is not clear what an example is: then ``columns`` are to be mapped by
    hand and there is nothing else. ``overlap`` counts evaluation examples that are also trained on."""

    path: str
    shape: str
    why: str = ""
    columns: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    train: SideReport = SideReport()
    evaluation: SideReport = SideReport()
    overlap: int = 0
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    previews: tuple[Preview, ...] = ()
    longest_tokens: int = 0


class MemoryPart(msgspec.Struct, frozen=True):
    """One share of the memory that a training takes: what it is, in bytes."""

    name: str
    bytes: int


class TrainingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a training would be: ``config`` with everything filled in, what moves, what it makes and how that is served,
    memory and time. ``seconds`` is an estimate from this machine's measured speed, None where none is known.
    ``problem`` says why it cannot be begun ("": it can), ``hint`` what to change."""

    config: TrainingConfig
    artifact: ArtifactKind
    served: str
    summary: str
    source: str
    moving: int
    parameters: int
    steps: int
    tokens: int
    memory: tuple[MemoryPart, ...]
    memory_bytes: int
    memory_free_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    seconds: float | None = None
    problem: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()


# -- what comes of it -----------------------------------------------------------------------------


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """How well a model does on examples. ``loss`` is the mean negative log-probability (natural log) of a learnt token,
    ``token_accuracy`` the share of them that were the likeliest; ``exact_match`` and ``rouge_l`` (F1) are those of
    ``answers`` generated answers, in [0, 1], None where none were generated."""

    loss: float
    perplexity: float
    token_accuracy: float
    tokens: int
    exact_match: float | None = None
    rouge_l: float | None = None
    answers: int = 0


class SampleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A generated answer to a question of the evaluation side, at ``step`` (0: before the training)."""

    step: int
    question: str
    expected: str
    answer: str
    exact: bool = False


class ScoresPair(msgspec.Struct, frozen=True, kw_only=True):
    """The same measured before and after."""

    before: Scores | None = None
    after: Scores | None = None


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How two ways of computing the same model agree, over ``positions`` positions: ``top1`` is the share at which the
    likeliest token is the same, ``kl`` the mean of KL(first || second) in nats. ``needed`` is the top1 it has to reach.
    """

    first: str
    second: str
    top1: float
    kl: float
    positions: int
    needed: float = 0.0
    passed: bool = True


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate found: whether what is served says what was trained. ``metric`` is that which was trained for:
    in torch as trained, in the engine as served, and of the base. ``reasons`` say why it did not pass."""

    passed: bool
    agreements: tuple[Agreement, ...] = ()
    metric: str = ""
    trained: float | None = None
    served: float | None = None
    base: float | None = None
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


class AdapterRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was trained, as ``adapters/<name>/card.json`` keeps it.

    ``file`` is the GGUF that the engine is given, ``model`` the merged model's name in the catalogue where it is one.
    ``base`` names the model it was trained on, with the SHA-256 of its file. ``origin`` "imported" has no training.
    ``state``: while the gate checks it, it can be used already; a failed one is not offered.
    """

    name: str
    kind: ArtifactKind
    state: AdapterState = "ready"
    file: str = ""
    bytes: int = 0
    model: str = ""
    base: str = ""
    base_sha256: str = ""
    architecture: str = ""
    licence: str = ""
    created: float = 0.0
    origin: Literal["trained", "imported", "merged"] = "trained"
    run: str = ""
    config: TrainingConfig | None = None
    data: str = ""
    examples: int = 0
    steps: int = 0
    seconds: float = 0.0
    scores: ScoresPair = ScoresPair()
    forgetting: ScoresPair = ScoresPair()
    parity: Parity | None = None
    can_merge: bool = False
    note: str = ""


class AdapterList(msgspec.Struct, frozen=True, kw_only=True):
    adapters: tuple[AdapterRecord, ...]


class TrainResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a training ended: its adapter's name, the scores as flat numbers, what the gate found."""

    run: str
    adapter: str
    kind: ArtifactKind
    steps: int
    metrics: dict[str, float] = {}
    scores: ScoresPair = ScoresPair()
    forgetting: ScoresPair = ScoresPair()
    parity: Parity | None = None


class DataSet(msgspec.Struct, frozen=True, kw_only=True):
    """A set of examples in the home folder, ``datasets/<name>.jsonl``. ``origin`` says what it was built from."""

    name: str
    path: str
    examples: int
    bytes: int
    created: float
    origin: str = ""


class DataSetList(msgspec.Struct, frozen=True, kw_only=True):
    sets: tuple[DataSet, ...]


assert set(ARTIFACTS) == set(get_args(WeightsMethod))


def flat(scores: ScoresPair, prefix: str = "") -> dict[str, float]:
    """Scores as flat numbers, ``before_loss``, ``after_exact_match`` and so on: what a terminal prints."""
    found: dict[str, float] = {}
    for side in ("before", "after"):
        one: Any = getattr(scores, side)
        if one is not None:
            plain = {name: getattr(one, name) for name in one.__struct_fields__ if name not in ("tokens", "answers")}
            found |= {f"{prefix}{side}_{name}": value for name, value in plain.items() if value is not None}
    return found


def interval(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``count`` answers, in [0, 1] (Wilson 1927, Probable Inference, JASA 22)."""
    if count <= 0:
        return 0.0, 1.0
    z = 1.959964
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def gain(before: float, after: float, count: int) -> tuple[float, float]:
    """The 95 % interval of ``after - before``, two shares of ``count`` answers each (Newcombe 1998, Statistics in
    Medicine 17, method 10). Both answer the same questions, so that the true interval is narrower: what is outside of
    this one is certainly a change. It is a change when 0 is not inside."""
    (low_before, high_before), (low_after, high_after) = interval(before, count), interval(after, count)
    down = math.hypot(after - low_after, high_before - before)
    up = math.hypot(high_after - after, before - low_before)
    return after - before - down, after - before + up
