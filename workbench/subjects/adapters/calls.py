"""Values and calls of subjects."""

from __future__ import annotations

from typing import Annotated, Literal

from workbench.api.protocol import Call
from workbench.records.training import AdapterList, AdapterRecord, MergedType
from workbench.subjects.runs.calls import RunRecord


class ListAdapters(Call[AdapterList], frozen=True, kw_only=True, tag="adapters.list"):
    """Trained, merged and imported adapters, the latest first; with ``model`` only those that fit it, or may."""

    changed_by = ("adapter", "model")
    model: Annotated[str, "only those that fit this model"] = ""


class ImportAdapter(Call[AdapterRecord], frozen=True, kw_only=True, tag="adapters.import"):
    """Import a GGUF LoRA, or a PEFT folder, which is converted for ``model``."""

    path: Annotated[str, "a .gguf file, or a folder saved by PEFT"]
    model: Annotated[str, "its base model; a PEFT folder needs it"] = ""
    name: Annotated[str, "its name (default: chosen)"] = ""


class RenameAdapter(Call[AdapterRecord], frozen=True, kw_only=True, tag="adapters.rename"):
    adapter: str
    name: str


class RemoveAdapter(Call[AdapterList], frozen=True, kw_only=True, tag="adapters.remove"):
    """Move an adapter's folder to the trash. A merged model stays in the catalogue."""

    adapter: str


class MergeAdapter(Call[RunRecord], frozen=True, kw_only=True, tag="adapters.merge"):
    """Start a run that merges an adapter into its base as a new model of the catalogue, and verifies it: a model that
    lost the training is deleted and the run fails. ``type`` is the format of the changed tensors; ``quantization`` ("":
    none) requantises the whole afterwards. Its events: Progress, Artifact(kind="verification"); its result: ``{model,
    path, verification}``."""

    adapter: str
    model: Annotated[str, "the base model (default: the one it was trained on)"] = ""
    name: Annotated[str, "the name of the model (default: chosen)"] = ""
    type: Annotated[
        MergedType,
        "format of the changed tensors; same is that of the base, and a merge in 4 bits erases a small adapter: its "
        "change is smaller than the steps between 4-bit numbers",
    ] = "Q8_0"
    scale: Annotated[float, "adapter strength"] = 1.0
    quantization: Annotated[str, "quantise the whole model afterwards; 4 bits may lose the training"] = ""


class ExportAdapter(Call[RunRecord], frozen=True, kw_only=True, tag="adapters.export"):
    """Queue the export of an adapter to a new folder ``path``, with a model card: as a PEFT folder, a GGUF LoRA, or a
    merged GGUF, which is verified. The folder appears complete or not at all. Its events: Progress, and for a merged
    GGUF Artifact(kind="verification"); its result: ``{adapter, path, form}``."""

    adapter: str
    path: Annotated[str, "a new folder"]
    form: Annotated[Literal["peft", "gguf", "merged"], "format of the exported files"] = "gguf"


class QuantizeModel(Call[RunRecord], frozen=True, kw_only=True, tag="models.quantize"):
    """Start a run that quantises a GGUF model of the catalogue, as a new model."""

    model: str
    type: Annotated[str, "such as Q4_K_M, Q8_0 or F16"]
    name: Annotated[str, "the name of the new model (default: chosen)"] = ""
