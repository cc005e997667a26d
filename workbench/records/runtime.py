"""Values of runtime packs: what computes instead of the processor, what was tried, and what was chosen and why."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored

Backend = Literal["vulkan", "cuda", "rocm", "torch-cuda", "training", "engine"]
BACKENDS: dict[Backend, Shown] = {
    "vulkan": "Vulkan",
    "cuda": "CUDA",
    "rocm": "ROCm",
    "torch-cuda": "PyTorch with CUDA",
    "training": "training",
    "engine": "llama.cpp",
}


Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
PackName = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9.+_-]{0,80}$")]
FileName = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*$", max_length=300)
]


class PackFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``bytes`` is the size of the unpacked file."""

    name: FileName
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: Sha256


class PackManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A runtime pack: one backend for one base. ``base`` is the llama.cpp that it belongs to (``LibraryState.base``),
    the torch that it replaces, or the program and the Python that its packages of training go with; ``library`` is the
    file to load; ``minimum_driver`` is a version such as "535.54", "" for any. An engine has the backend "engine" and
    is its own base; ``source`` is what one without a signature was made from."""

    name: PackName
    backend: Backend
    base: str
    platform: str
    library: FileName
    files: Annotated[tuple[PackFile, ...], msgspec.Meta(min_length=1, max_length=60_000)]
    minimum_driver: Annotated[str, msgspec.Meta(pattern=r"^(\d+(\.\d+){0,3})?$")] = ""
    licences: tuple[str, ...] = ()
    source: str = ""


class PackFileOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that can be downloaded: its manifest's ``name``, ``backend``, ``base`` and ``platform``; ``url`` may be
    relative to that of the list, ``bytes`` and ``sha256`` are those of the file."""

    name: PackName
    backend: Backend
    base: str
    platform: str
    url: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
    bytes: Annotated[int, msgspec.Meta(gt=0, lt=1 << 40)]
    sha256: Sha256


class PackList(msgspec.Struct, frozen=True, kw_only=True):
    packs: Annotated[tuple[PackFileOffer, ...], msgspec.Meta(max_length=200)]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How a pack did in a process of its own, beside the processor alone. Speeds in tokens per second; ``layers`` is
    how many the model had on the GPU; ``same`` whether the text began as the processor's. ``problem`` says why the pack
    is not used, "" where it is."""

    tokens: int = 0
    speed: float = 0.0
    processor_speed: float = 0.0
    layers: int = 0
    device: str = ""
    same: bool = False
    driver: str = ""
    seconds: float = 0.0
    problem: Shown = ""


class RuntimeChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The choice of what computes the model. ``pack`` "": the processor. ``reason`` is a sentence; ``base`` is the
    llama.cpp that it was chosen for. ``torch`` is the pack that search and training compute with, "" for the program's
    own torch, and ``torch_reason`` a sentence, "" before any was tried. ``trials`` are those of the installed packs, by
    name."""

    pack: str = ""
    reason: Shown = ""
    torch: str = ""
    torch_reason: Shown = ""
    base: str = ""
    trials: dict[str, Trial] = {}


MANIFEST: Stored[PackManifest] = Stored("manifest of this runtime pack", PackManifest)
PACK_LIST: Stored[PackList] = Stored("list of runtime packs", PackList)
CHOICE: Stored[RuntimeChoice] = Stored("choice of what computes", RuntimeChoice)
