"""The calls of the training worker. Light: importing this loads no torch.

A worker is started for each training and leaves with it; another one, which holds no model for long, looks into data,
plans, merges and checks.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from workbench.api.protocol import Call
from workbench.base.stored import Stored
from workbench.engine.inference_calls import LoraUse
from workbench.records.recipes import Thinking
from workbench.records.training import (
    ArtifactKind,
    DataReport,
    MergedType,
    QuestionFingerprints,
    Scores,
    ScoresPair,
    TrainingConfig,
    TrainingPlan,
    VerificationReport,
)


class BaseModel(msgspec.Struct, frozen=True, kw_only=True):
    """The model that is trained: ``path`` is a GGUF file (of a split model the first) or a safetensors folder.
    ``earlier`` are the fingerprints of what was trained into it before, files by the names of the adapters, "" for one
    without."""

    name: str
    path: str
    sha256: str = ""
    licence: str = ""
    earlier: dict[str, str] = {}


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """The trained weights in the run's folder ``trained/``.

    ``form`` "peft": a PEFT folder. "changed": ``changed.safetensors`` with the new values of every trained tensor,
    by its name in transformers, and ``changed.json`` with the method.
    """

    folder: str
    form: Literal["peft", "changed"]
    kind: ArtifactKind
    steps: int
    seconds: float
    scores: ScoresPair = ScoresPair()
    forgetting: ScoresPair = ScoresPair()
    peak_memory_bytes: int = 0


TRAINED_RECORD = Stored("record of what was trained", Trained)


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """The file that the engine is given: an adapter's GGUF, or a merged model."""

    kind: ArtifactKind
    path: str
    bytes: int
    sha256: str = ""
    can_merge: bool = False


class InspectSet(Call[DataReport], frozen=True, kw_only=True, tag="inspect-set"):
    """See ``calls.InspectData``. ``config.data.path`` is a path here, not a name."""

    config: TrainingConfig
    model: BaseModel
    previews: int = 20
    first: int = 0


class FingerprintSet(Call[QuestionFingerprints], frozen=True, kw_only=True, tag="fingerprint-set"):
    """The fingerprints of the questions that a training of ``config`` was on, of which there were ``examples``. Raises
    UserError where the data is not what it was then. ``config.data.path`` is a path here, not a name."""

    config: TrainingConfig
    model: BaseModel
    examples: int


class Plan(Call[TrainingPlan], frozen=True, kw_only=True, tag="plan"):
    """See ``calls.PlanTraining``. ``runs`` is the folder whose disk the checkpoints go to, ``other_bytes`` the memory
    that a judge will take beside the training. ``measure``: the speed of this machine is measured now, for some
    seconds, and counts more than that of earlier trainings."""

    config: TrainingConfig
    model: BaseModel
    runs: str
    memory_free_bytes: int
    other_bytes: int = 0
    speeds: tuple[MeasuredSpeed, ...] = ()
    measure: bool = False


class MeasuredSpeed(msgspec.Struct, frozen=True, kw_only=True):
    """The measured speed of a training here, in tokens (without padding) per second, to estimate another one's time."""

    model: str
    method: str
    base: str
    tokens_per_second: float


class JudgeUse(msgspec.Struct, frozen=True, kw_only=True):
    """A judge that grades within a training: a GGUF model with adapters. ``instructions`` go before each prompt;
    ``name`` is shown."""

    name: str
    path: str
    adapters: tuple[LoraUse, ...] = ()
    instructions: str = ""
    thinking: Thinking = "automatic"


class TrainModel(Call[Trained], frozen=True, kw_only=True, tag="train-model"):
    """Train. ``config`` is resolved. ``folder`` is the run's: checkpoints are written to and resumed from its
    ``checkpoints/``, what comes of it lies in ``trained/``. Streams what ``calls.Train`` says, but for adapter and
    verification. Cancelling saves a checkpoint and ends in Cancelled; so does the parent's end. ``threads`` 0 chooses.
    ``serve``: where the artefact is written as soon as it is trained; then the call continues with ``Artifact(kind=
    "served", result=Served)`` and, unless ``check`` is False, ``Artifact(kind="verification",
    result=VerificationReport)``. ``over`` is the GGUF model that it is served over where ``model`` is a folder of
    safetensors; None: there is none. ``reward_models`` are the files of the reward models that the objective's rewards
    name, ``judges`` the judges, by the names of their recipes. ``verified_tokens`` are compared at most, as the plan
    says; 0: as many as the model's size allows.
    """

    config: TrainingConfig
    model: BaseModel
    folder: str
    verified_tokens: int = 0
    serve: str = ""
    serve_name: str = ""
    over: BaseModel | None = None
    check: bool = True
    threads: int = 0
    reward_models: dict[str, str] = {}
    judges: dict[str, JudgeUse] = {}


class SetPaused(Call[None], frozen=True, kw_only=True, tag="set-paused"):
    """Let the training of this worker wait, or go on."""

    paused: bool


class ConvertTrained(Call[Served], frozen=True, kw_only=True, tag="convert"):
    """Make of a PEFT folder, or of what a training left, the file that the engine is given."""

    trained: str
    model: BaseModel
    out: str
    name: str = ""


class MergeTrained(Call[Served], frozen=True, kw_only=True, tag="merge"):
    """Merge ``adapter`` (a PEFT folder, what a training left, or a GGUF LoRA) into the model; streams Progress.
    ``quantization`` "": the whole is not requantised."""

    adapter: str
    model: BaseModel
    out: str
    type: MergedType = "Q8_0"
    scale: float = 1.0
    quantization: str = ""
    name: str = ""


class VerifyTrained(Call[VerificationReport], frozen=True, kw_only=True, tag="verify-trained"):
    """Verification: does ``served`` say what ``trained`` (a PEFT folder, or what a training left) says? ``questions``
    is a JSON Lines file of ``{tokens, trained, question, expected}`` that the training wrote: the prompts that are
    compared. ``scale`` is the strength that was merged with, ``over`` and ``verified_tokens`` as in TrainModel.
    ``packed``: torch holds the base packed, as the training did."""

    trained: str
    model: BaseModel
    served: Served
    questions: str
    metric: str = "exact_match"
    scale: float = 1.0
    scores: Scores | None = None
    over: BaseModel | None = None
    verified_tokens: int = 0
    packed: bool = False


class Requantize(Call[Served], frozen=True, kw_only=True, tag="requantize"):
    """Write a GGUF model in another quantisation."""

    model: BaseModel
    out: str
    type: str


class ExportTraining(Call[str], frozen=True, kw_only=True, tag="export-training"):
    """Write a training as a folder that runs with the open-source stack alone."""

    config: TrainingConfig
    model: BaseModel
    folder: str
    out: str
    details: dict[str, Any] = {}


TrainingCall = (
    InspectSet | FingerprintSet | Plan | TrainModel | SetPaused | ConvertTrained | MergeTrained | VerifyTrained
    | Requantize | ExportTraining
)  # fmt: skip
