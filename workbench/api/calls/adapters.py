"""What was trained or imported, and what is made of it."""

from __future__ import annotations

from typing import Literal

from workbench.api.calls.runs import RunRecord
from workbench.api.protocol import Call
from workbench.records.training import AdapterList, AdapterRecord, MergedType


class ListAdapters(Call[AdapterList], frozen=True, kw_only=True, tag="adapters.list"):
    """What was trained, merged or imported, the latest first; with ``model`` only what fits that one, or may."""

    model: str = ""


class ImportAdapter(Call[AdapterRecord], frozen=True, kw_only=True, tag="adapters.import"):
    """Take in a GGUF LoRA, or a PEFT folder, which is converted for ``model``."""

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
    """Start a run that merges an adapter into its base as a new model of the catalogue, and checks it: a model that
    lost what was learnt is deleted and the run fails. ``type`` is the format of the changed tensors; ``quantization``
    ("": none) requantises the whole afterwards. Its events: Progress, Artifact(kind="parity"); its result:
    ``{model, path, parity}``."""

    adapter: str
    model: str = ""
    name: str = ""
    type: MergedType = "Q8_0"
    scale: float = 1.0
    quantization: str = ""


class ExportAdapter(Call[RunRecord], frozen=True, kw_only=True, tag="adapters.export"):
    """Queue writing an adapter to a new folder ``path``, with a model card: as a PEFT folder, a GGUF LoRA, or a merged
    GGUF, which is checked. The folder is there complete or not at all. Its events: Progress, and of what is merged
    Artifact(kind="parity"); its result: ``{adapter, path, form}``."""

    adapter: str
    path: str
    form: Literal["peft", "gguf", "merged"] = "gguf"
