"""Data sets, trainings, and trained or imported adapters."""

from __future__ import annotations

from typing import Literal

from workbench.api.calls.runs import RunRecord
from workbench.api.protocol import Call
from workbench.records.training import (
    AdapterList,
    AdapterRecord,
    DataReport,
    DataSetList,
    MergedType,
    TrainingConfig,
    TrainingPlan,
)


class InspectData(Call[DataReport], frozen=True, kw_only=True, tag="data.inspect"):
    """The content of a data set, and the examples as the config's model will see them. ``previews`` examples are
    included, beginning with number ``first``. The weights are not loaded."""

    config: TrainingConfig
    previews: int = 20
    first: int = 0


class ListDataSets(Call[DataSetList], frozen=True, kw_only=True, tag="data.list"):
    """The data sets in the home folder."""


class BuildData(Call[RunRecord], frozen=True, kw_only=True, tag="data.build"):
    """Start a run that builds a data set in the home folder. ``source``:

    ``chats``: answers that were rated as good, edited or chosen, of ``chats`` (ids; (): of all). ``pairs``: the model
    ``model`` makes question-answer pairs from the documents of ``collection``; pairs that are not grounded in their
    passage are left out. At most ``limit`` passages (0: all), ``questions`` pairs each. ``text``: the raw text of the
    documents of ``collection``.

    Streams each pair as ``Artifact(kind="pair")``; the result is a ``DataSet``.
    """

    name: str
    source: Literal["chats", "pairs", "text"]
    chats: tuple[str, ...] = ()
    collection: str = ""
    model: str = ""
    questions: int = 2
    limit: int = 0


class RemoveDataSet(Call[DataSetList], frozen=True, kw_only=True, tag="data.remove"):
    """Delete a data set of the home folder."""

    name: str


class PlanTraining(Call[TrainingPlan], frozen=True, kw_only=True, tag="train.plan"):
    """The plan of a training: memory, time, and whether it can start here. Raises UserError for invalid data, with row
    and reason."""

    config: TrainingConfig


class Train(Call[RunRecord], frozen=True, kw_only=True, tag="train"):
    """Queue a training; follow it with ``FollowRun``. Raises UserError where ``PlanTraining`` says that it cannot be.

    Its events: ``Progress``; ``Metric`` of each logged step (loss, learning_rate, gradient_norm, tokens_per_second,
    memory_bytes) and evaluation (evaluation_loss, evaluation_perplexity, evaluation_token_accuracy, exact_match,
    rouge_l, general_loss, general_exact_match), with ``step``; ``Artifact`` of the kinds plan (``TrainingPlan``),
    sample (``SampleAnswer``), checkpoint, scores (``ScoresPair``), forgetting (``ScoresPair``), adapter
    (``AdapterRecord``) and verification (``VerificationReport``). Its result is a ``TrainResult``.
    """

    config: TrainingConfig


class ListAdapters(Call[AdapterList], frozen=True, kw_only=True, tag="adapters.list"):
    """Trained, merged and imported adapters, the latest first; with ``model`` only those that fit it, or may."""

    model: str = ""


class ImportAdapter(Call[AdapterRecord], frozen=True, kw_only=True, tag="adapters.import"):
    """Import a GGUF LoRA, or a PEFT folder, which is converted for ``model``."""

    path: str
    model: str = ""
    name: str = ""


class RenameAdapter(Call[AdapterRecord], frozen=True, kw_only=True, tag="adapters.rename"):
    adapter: str
    name: str


class RemoveAdapter(Call[AdapterList], frozen=True, kw_only=True, tag="adapters.remove"):
    """Delete an adapter's folder. A merged model stays in the catalogue."""

    adapter: str


class MergeAdapter(Call[RunRecord], frozen=True, kw_only=True, tag="adapters.merge"):
    """Start a run that merges an adapter into its base as a new model of the catalogue, and verifies it: a model that
    lost the training is deleted and the run fails. ``type`` is the format of the changed tensors; ``quantization`` ("":
    none) requantises the whole afterwards. Its events: Progress, Artifact(kind="verification"); its result: ``{model,
    path, verification}``."""

    adapter: str
    model: str = ""
    name: str = ""
    type: MergedType = "Q8_0"
    scale: float = 1.0
    quantization: str = ""


class ExportAdapter(Call[RunRecord], frozen=True, kw_only=True, tag="adapters.export"):
    """Queue the export of an adapter to a new folder ``path``, with a model card: as a PEFT folder, a GGUF LoRA, or a
    merged GGUF, which is verified. The folder appears complete or not at all. Its events: Progress, and for a merged
    GGUF Artifact(kind="verification"); its result: ``{adapter, path, form}``."""

    adapter: str
    path: str
    form: Literal["peft", "gguf", "merged"] = "gguf"
