"""Training, as values: which weights of a model learn what from which examples, what was planned and what came of it.

``weights`` and ``config`` are what is asked for, ``data`` and ``plan`` what is told before it begins, ``results`` and
``scores`` what comes of it. Window, terminal, core and worker share them; no heavy library is imported here.
"""

from __future__ import annotations

from workbench.records.training.config import (
    PARTS,
    TRAINING,
    DataPart,
    EvaluationPart,
    Objective,
    OptimiserPart,
    TrainingConfig,
    dump_config,
    load_config,
    set_value,
)
from workbench.records.training.data import (
    DATA_SET,
    DataReport,
    DataSet,
    DataSetList,
    LengthBin,
    Preview,
    PreviewPiece,
    SideReport,
)
from workbench.records.training.plan import (
    PLAN,
    MemoryPart,
    TrainingPlan,
)
from workbench.records.training.results import (
    CARD,
    TRAIN_RESULT,
    AdapterList,
    AdapterRecord,
    AdapterState,
    Agreement,
    Parity,
    TrainResult,
)
from workbench.records.training.scores import (
    SampleAnswer,
    Scores,
    ScoresPair,
    flat,
    gain,
    interval,
)
from workbench.records.training.weights import (
    ALPHAS,
    ARTIFACTS,
    KRONECKER_FACTOR,
    RANKS,
    ArtifactKind,
    BaseForm,
    MergedType,
    WeightsMethod,
    WeightsPart,
    layers_of,
    rank_of,
)

__all__ = [
    "ALPHAS",
    "ARTIFACTS",
    "CARD",
    "DATA_SET",
    "KRONECKER_FACTOR",
    "PARTS",
    "PLAN",
    "RANKS",
    "TRAINING",
    "TRAIN_RESULT",
    "AdapterList",
    "AdapterRecord",
    "AdapterState",
    "Agreement",
    "ArtifactKind",
    "BaseForm",
    "DataPart",
    "DataReport",
    "DataSet",
    "DataSetList",
    "EvaluationPart",
    "LengthBin",
    "MemoryPart",
    "MergedType",
    "Objective",
    "OptimiserPart",
    "Parity",
    "Preview",
    "PreviewPiece",
    "SampleAnswer",
    "Scores",
    "ScoresPair",
    "SideReport",
    "TrainResult",
    "TrainingConfig",
    "TrainingPlan",
    "WeightsMethod",
    "WeightsPart",
    "dump_config",
    "flat",
    "gain",
    "interval",
    "layers_of",
    "load_config",
    "rank_of",
    "set_value",
]
