"""Checkpoints: the complete state for an exact resume, complete or absent, and loadable without pickle.

``checkpoints/step-000123/`` holds the trainable weights, the optimiser's state and the random states as safetensors,
the rest as JSON, and a manifest with the size and SHA-256 of each file. It is written beside its place, flushed and
renamed. What does not agree with its manifest is passed over for the one before.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from safetensors.torch import load_file, save_file

from workbench.base.errors import UserError
from workbench.base.stored import Stored
from workbench.training.artifacts import replace_folder

KEPT = 2
"""How many of the latest are kept, besides the best."""

_NAME = re.compile(r"^step-(\d{6,})$")
_MANIFEST = "manifest.json"
_SCALARS = (int, float, bool, str, type(None))


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a training: ``step`` steps are done. ``best_loss`` is the lowest evaluation loss, at
    ``best_step``; ``worse`` evaluations in a row since were not lower; ``evaluated`` is the step of the latest.
    ``seconds`` and ``tokens`` (padding apart) were spent."""

    step: int
    best_loss: float | None = None
    best_step: int = 0
    worse: int = 0
    evaluated: int = 0
    seconds: float = 0.0
    tokens: int = 0


_REACHED = Stored("state of this checkpoint", Reached)


class RandomStates(msgspec.Struct, frozen=True):
    """The states of torch's, CUDA's, numpy's and Python's random generators in a process at one moment, as these
    give them."""

    torch: Any
    cuda: tuple[Any, ...]
    numpy: Any
    python: Any


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def steps(self) -> list[int]:
        """Of those that are there, ascending."""
        if not self.folder.is_dir():
            return []
        found = (_NAME.match(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def path(self, step: int) -> Path:
        return self.folder / f"step-{step:06}"

    def latest(self) -> Path | None:
        """The latest sound one."""
        return next((path for path in map(self.path, reversed(self.steps())) if is_sound(path)), None)

    def write(
        self,
        reached: Reached,
        *,
        weights: Mapping[str, Any],
        optimiser: Any,
        scheduler: Any,
        randoms: Sequence[RandomStates],
        state: Mapping[str, Any],
        fingerprint: str,
        objective: Mapping[str, Any] | None = None,
    ) -> Path:
        """Write one and remove those that are no longer kept. ``randoms`` are those of each process. ``fingerprint``
        tells which run it belongs to, ``objective`` is what the loss keeps. Raises UserError when there is no room."""
        path = self.path(reached.step)
        beside = self.folder / f".{path.name}.{os.getpid()}.part"
        try:
            self._remove_parts()
            beside.mkdir(parents=True)
            save_file({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}, beside / _WEIGHTS)
            tensors, plain = _flatten(optimiser)
            save_file(tensors, beside / _OPTIMISER)
            _write_json(
                beside / _STATE,
                {
                    "reached": _REACHED.plain(reached),
                    "optimiser": plain,
                    "scheduler": scheduler,
                    "random": [_plain_random(states) for states in randoms],
                    "fingerprint": fingerprint,
                    "objective": dict(objective or {}),
                },
            )
            save_file(_random_tensors(randoms), beside / _RANDOM)
            _write_json(beside / "trainer_state.json", state)
            files = sorted(p.name for p in beside.iterdir())
            _write_json(beside / _MANIFEST, {name: _sum_of(beside / name) for name in files})
            replace_folder(beside, path)
        except OSError as error:
            raise UserError(
                f"The checkpoint {path} cannot be written: {error.strerror or error}.", "Free some space and resume."
            ) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        for step in self.steps()[:-KEPT]:
            if step != reached.best_step:
                shutil.rmtree(self.path(step), ignore_errors=True)
        return path

    def _remove_parts(self) -> None:
        if self.folder.is_dir():
            for left in [*self.folder.glob(".*.part"), *self.folder.glob(".*.before")]:
                shutil.rmtree(left, ignore_errors=True)  # a run has one writer: these are a killed one's


_WEIGHTS, _OPTIMISER, _RANDOM, _STATE = "weights.safetensors", "optimiser.safetensors", "random.safetensors", "run.json"


def is_sound(path: Path) -> bool:
    """Whether every file is as its manifest says."""
    try:
        manifest = json.loads((path / _MANIFEST).read_bytes())
        return {_WEIGHTS, _OPTIMISER, _RANDOM, _STATE} <= set(manifest) and all(
            _sum_of(path / name) == state for name, state in manifest.items()
        )
    except (OSError, ValueError, AttributeError):
        return False


def read_reached(path: Path) -> Reached:
    """Raises UserError where a newer program wrote it."""
    return _REACHED.get(_read_json(path / _STATE)["reached"])


def read_fingerprint(path: Path) -> str:
    return str(_read_json(path / _STATE)["fingerprint"])


def read_objective(path: Path) -> dict[str, Any]:
    """What the loss kept."""
    found: dict[str, Any] = _read_json(path / _STATE).get("objective", {})
    return found


def read_weights(path: Path) -> dict[str, Any]:
    """The trainable weights, by name."""
    found: dict[str, Any] = load_file(path / _WEIGHTS)
    return found


def read_optimiser(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state dicts of the optimiser and of the schedule."""
    state = _read_json(path / _STATE)
    return _unflatten(load_file(path / _OPTIMISER), state["optimiser"]), state["scheduler"]


# -- random states ------------------------------------------------------------------------------------


def capture_random() -> RandomStates:
    """This process's random states now."""
    return RandomStates(
        torch=torch.get_rng_state(),
        cuda=tuple(torch.cuda.get_rng_state_all()) if torch.cuda.is_available() else (),
        numpy=np.random.get_state(legacy=True),
        python=random.getstate(),
    )


def restore_random(states: RandomStates) -> None:
    """Set this process's random states."""
    torch.set_rng_state(states.torch)
    if states.cuda and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(list(states.cuda)[: torch.cuda.device_count()])
    np.random.set_state(states.numpy)
    random.setstate(states.python)


def read_random(path: Path, process: int = 0) -> RandomStates | None:
    """The random states of a process, None when fewer took part."""
    state = _read_json(path / _STATE)["random"]
    if process >= len(state):
        return None
    tensors = load_file(path / _RANDOM)
    plain = state[process]
    return RandomStates(
        torch=tensors[f"{process}.torch"],
        cuda=tuple(tensors[f"{process}.cuda.{number}"] for number in range(plain["cuda"])),
        numpy=(plain["numpy"][0], np.array(plain["numpy"][1], dtype=np.uint32), *plain["numpy"][2:]),
        python=(plain["python"][0], tuple(plain["python"][1]), plain["python"][2]),
    )


def _plain_random(states: RandomStates) -> dict[str, Any]:
    kind, keys, *rest = states.numpy
    return {"cuda": len(states.cuda), "numpy": [kind, [int(key) for key in keys], *rest], "python": states.python}


def _random_tensors(randoms: Sequence[RandomStates]) -> dict[str, Any]:
    tensors: dict[str, Any] = {}
    for process, states in enumerate(randoms):
        tensors[f"{process}.torch"] = states.torch
        tensors |= {f"{process}.cuda.{number}": state for number, state in enumerate(states.cuda)}
    return tensors


# -- the optimiser's state ----------------------------------------------------------------------------


def _flatten(state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors by ``parameter.name``, and what is plain; raises TypeError for anything else."""
    tensors: dict[str, Any] = {}
    plain: dict[str, Any] = {"state": {}, "param_groups": []}
    for parameter, values in state["state"].items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{parameter}.{name}"] = value.detach().cpu().contiguous()
            elif isinstance(value, _SCALARS):
                plain["state"].setdefault(str(parameter), {})[name] = value
            else:
                raise TypeError(f"the optimiser keeps a {type(value).__name__} ({name})")
    for group in state["param_groups"]:
        plain["param_groups"].append({k: v.item() if isinstance(v, torch.Tensor) else v for k, v in group.items()})
    return tensors, plain


def _unflatten(tensors: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {int(p): dict(values) for p, values in plain["state"].items()}
    for key, tensor in tensors.items():
        parameter, _, name = key.partition(".")
        state.setdefault(int(parameter), {})[name] = tensor
    groups = [{k: tuple(v) if k == "betas" else v for k, v in group.items()} for group in plain["param_groups"]]
    return {"state": state, "param_groups": groups}


# -- files --------------------------------------------------------------------------------------------


def _sum_of(path: Path) -> list[Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
        return [file.tell(), digest.hexdigest()]


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), "utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
