"""The plan and the results of a training: adapter card, final scores, verification."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored, Upgrade
from workbench.records.training.config import TRAINING, TrainingConfig
from workbench.records.training.metrics import LANGUAGE_MODEL_CHARTS, LANGUAGE_MODEL_METRICS, ChartSpec, MetricSpec
from workbench.records.training.rewards import RewardReport
from workbench.records.training.scores import ScoresPair
from workbench.records.training.weights import ArtifactKind


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """The agreement of two ways to compute the same model, over ``positions`` positions: ``top1`` is the share at which
    the likeliest token is the same, ``kl`` the mean of KL(first || second) in nats. ``needed`` is the top1 that is
    enough (0: nothing is asked of it); a ``kl`` of at most ``near`` is as well (0: none is). ``why`` says all that in
    words.
    """

    first: str
    second: str
    top1: float
    kl: float
    positions: int
    needed: float = 0.0
    near: float = 0.0
    passed: bool = True
    why: Shown = ""


class VerificationReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a verification: whether the served model behaves as trained. ``metric`` is the objective's:
    in torch as trained, in the engine as served, and of the base, as shares of ``counted`` answers or tokens, of which
    at least ``needed`` had to be right as served (None: nothing to hold it to). ``verdict`` says in words whether it
    passed and why, ``reasons`` why it did not."""

    passed: bool
    agreements: tuple[Agreement, ...] = ()
    metric: str = ""
    trained: float | None = None
    served: float | None = None
    base: float | None = None
    counted: int = 0
    needed: int | None = None
    verdict: Shown = ""
    reasons: tuple[Shown, ...] = ()
    notes: tuple[Shown, ...] = ()
    seconds: float = 0.0


AdapterState = Literal["checking", "ready", "failed", "unreadable"]


_WORD = re.compile(r"[^\W_]+(?:\.[^\W_]+)*")
_MOST_OF_BASE, _MOST_OF_NAME = 40, 30


class AdapterRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was trained, as ``adapters/<name>/card.json`` keeps it.

    ``file`` is the GGUF that the engine is given, ``model`` the merged model's name in the catalogue where it is one.
    ``base`` names the model it was trained on, with the SHA-256 of its file. ``origin`` "imported" has no training.
    ``state``: while it is verified it can be used already; a failed one is not offered, nor one whose card cannot
    be read: ``note`` says why, and the rest is what can be known without it. ``reward`` is how well a reward model
    agrees with the judgements, None of anything else.
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
    origin: Literal["trained", "imported", "merged", "unknown"] = "trained"
    run: str = ""
    config: TrainingConfig | None = None
    data: str = ""
    examples: int = 0
    steps: int = 0
    seconds: float = 0.0
    scores: ScoresPair = ScoresPair()
    forgetting: ScoresPair = ScoresPair()
    verification: VerificationReport | None = None
    can_merge: bool = False
    reward: RewardReport | None = None
    note: Shown = ""

    @property
    def usable(self) -> bool:
        return self.state in ("checking", "ready")

    def merged_name(self, base: str = "") -> str:
        """The default name of the merged model: the base's name, then what the adapter's name adds."""
        base = base or self.base
        said = set(_WORD.findall(base.casefold()))
        added = " ".join(word for word in _WORD.findall(self.name) if word.casefold() not in said)
        parts = (base[:_MOST_OF_BASE].strip(), added[:_MOST_OF_NAME].strip(), "merged")
        return " ".join(part for part in parts if part)


def _renamed(old: str, new: str) -> Upgrade:
    """The upgrade to a format in which a field has another name."""
    return lambda plain: {(new if name == old else name): value for name, value in plain.items()}


def _measured(plain: dict[str, Any]) -> dict[str, Any]:
    """The examples that were scored. A file without an evaluation split was scored on what was trained; of others
    nobody has looked whether they share questions with it."""
    data = (plain.get("config") or {}).get("data", {})
    path = str(data.get("path", ""))
    whole = data.get("evaluation_share", 0.1) == 0 and not data.get("evaluation_path") and "." in path
    if whole and plain.get("scores"):
        plain["scores"] = {**plain["scores"], "measured": {"on": "trained", "examples": 0}}
    return plain


CARD = Stored(
    "card of this adapter",
    AdapterRecord,
    upgrades={1: _renamed("parity", "verification"), 2: _measured},
    parts={"config": TRAINING},
)


class AdapterList(msgspec.Struct, frozen=True, kw_only=True):
    adapters: tuple[AdapterRecord, ...]


class TrainResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a training: its adapter's name, the scores as flat numbers, its verification."""

    run: str
    adapter: str
    kind: ArtifactKind
    steps: int
    metrics: dict[str, float] = {}
    scores: ScoresPair = ScoresPair()
    forgetting: ScoresPair = ScoresPair()
    verification: VerificationReport | None = None
    reward: RewardReport | None = None


TRAIN_RESULT = Stored("result of this training", TrainResult, upgrades={1: _renamed("parity", "verification")})


class MemoryPart(msgspec.Struct, frozen=True):
    """One share of the memory that a training takes: what it is, in bytes."""

    name: str
    bytes: int


class StageTime(msgspec.Struct, frozen=True):
    """The estimated time of a stage of a training."""

    name: Literal["loading", "scoring before", "training", "scoring after", "verification"]
    seconds: float


class TrainingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of a training: ``config`` with everything filled in, how many weights are trainable, what it makes and
    how that is served, memory and time, and what the objective measures and draws. ``title`` is that of the weights
    method. ``seconds`` is an estimate from this machine's measured speed, the sum of its ``stages``, None where none is
    known. ``problem`` says
    why it cannot be begun ("": it can), ``hint`` what to change. ``not_by_trl`` says why TRL cannot train it ("": it
    can). ``verified_tokens`` of its examples are compared by the verification at most; 0: not limited by the plan.
    Without ``verified`` what is trained is not verified, since that would not fit into memory."""

    config: TrainingConfig
    artifact: ArtifactKind
    served: Shown
    summary: Shown
    source: str
    trainable: int
    parameters: int
    steps: int
    tokens: int
    memory: tuple[MemoryPart, ...]
    memory_bytes: int
    memory_free_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    seconds: float | None = None
    stages: tuple[StageTime, ...] = ()
    problem: Shown = ""
    hint: Shown = ""
    notes: tuple[Shown, ...] = ()
    title: Shown = ""
    metrics: tuple[MetricSpec, ...] = LANGUAGE_MODEL_METRICS
    charts: tuple[ChartSpec, ...] = LANGUAGE_MODEL_CHARTS
    not_by_trl: Shown = ""
    verified_tokens: int = 0
    verified: bool = True


def _evaluated(plain: dict[str, Any]) -> dict[str, Any]:
    """The names of measures do not say any more what they are measured on: that is known with the scores."""
    for metric in plain.get("metrics", ()):
        for field in ("title", "label", "help"):
            words = str(metric.get(field, "")).replace(", held out", ", evaluation")
            metric[field] = words.replace("held-out", "evaluation")
    return plain


PLAN = Stored(
    "plan of this training",
    TrainingPlan,
    upgrades={1: _renamed("moving", "trainable"), 2: _evaluated},
    parts={"config": TRAINING},
)
