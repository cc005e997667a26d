"""How a training computes: what was measured or chosen at its beginning, which a resumed training takes over.

Computed in another number format, by other versions of the libraries or on another processor, a step has other last
bits. The format is written into the run and read back; what else differs cannot be taken over, and is said.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import msgspec
import torch

from workbench import __version__
from workbench.base.stored import Stored
from workbench.records.training import BaseForm
from workbench.training.weights.dtype_selection import DTypeName
from workbench.training.weights.loading import LoadedBase

_FILE = "computing.json"


class Computing(msgspec.Struct, frozen=True, kw_only=True):
    """``form`` is how the base's weights are held, ``dtype`` the type that is computed in, ``by`` the versions of what
    computes."""

    form: BaseForm
    dtype: DTypeName
    by: dict[str, str]


_COMPUTING = Stored("way of computing of this training", Computing)


def find_computing(folder: Path, say: Callable[[str], None]) -> Computing | None:
    """That of the training in ``folder``, None before its model was loaded. ``say`` gets a sentence where something
    else computes now."""
    known = _COMPUTING.load(folder / _FILE)
    if not isinstance(known, Computing):
        return None
    now = _computed_by()
    others = [f"{name} {was} (now {now.get(name, 'absent')})" for name, was in known.by.items() if now.get(name) != was]
    if others:
        say(
            f"This training was begun with {', '.join(others)}: its weights will not be, bit for bit, those of a "
            "training that was never stopped."
        )
    return known


def note_computing(folder: Path, loaded: LoadedBase) -> None:
    """Write down how the base that was loaded computes."""
    dtype: DTypeName = "bfloat16" if loaded.dtype == torch.bfloat16 else "float32"
    folder.mkdir(parents=True, exist_ok=True)
    _COMPUTING.save(folder / _FILE, Computing(form=loaded.form, dtype=dtype, by=_computed_by()))


def _computed_by() -> dict[str, str]:
    found = {"LLM Workbench": __version__, "torch": str(torch.__version__)}
    for title, package in (("transformers", "transformers"), ("llama-cpp-python", "llama-cpp-python")):
        try:
            found[title] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    capability = torch.backends.cpu.get_cpu_capability()
    return {**found, "the processor": f"{platform.machine()} {capability}"}
