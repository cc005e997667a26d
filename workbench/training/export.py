"""A training as a folder that runs on any machine with torch, transformers, peft and accelerate.

Written beside its place and moved there whole. The script in it is ``standalone.py`` as it stands.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from workbench.durability import folder_beside
from workbench.gguf.architectures import new_biases
from workbench.gguf.base_model import read_base
from workbench.gguf.merging import write_merged
from workbench.gguf.reader import read_pieces, whole_name
from workbench.records.methods import Method, Methods
from workbench.records.training import TrainingConfig, dump_config, layers_of
from workbench.training.protocol import BaseModel

COPIED_BYTES = 1_000_000_000
"""Up to this size the base model is put into the folder; a larger one is named, with its checksum."""

_REQUIRED = ("torch", "transformers", "peft", "accelerate", "safetensors", "gguf")
_IGNORED = -100
_WEIGHTS = (".json", ".safetensors", ".model", ".txt", ".jinja")


class Sequence(Protocol):
    """What is trained on: an example, or a window of raw text."""

    @property
    def tokens(self) -> tuple[int, ...]: ...

    @property
    def trained(self) -> tuple[bool, ...]: ...

    @property
    def starts(self) -> tuple[int, ...]: ...


def export_training(
    config: TrainingConfig,
    model: BaseModel,
    methods: Methods[Method],
    out: Path,
    train: Iterable[Sequence],
    evaluation: Iterable[Sequence],
    details: Mapping[str, Any] | None = None,
) -> Path:
    """Write the training of a resolved ``config`` to the new folder ``out``; returns it.

    ``train`` and ``evaluation`` are the examples as they are trained on. ``details`` are told in the README where
    they are plain. Raises UserError where the folder is there already or cannot be written.
    """
    with folder_beside(out) as beside:
        (beside / "data").mkdir()
        counts = {
            side: _write_examples(beside / "data" / f"{side}.jsonl", examples)
            for side, examples in (("train", train), ("evaluation", evaluation))
        }
        base = Path(model.path)
        name = whole_name(base) if base.is_file() else base.name
        copied = _copy_base(base, beside / "base" / name)
        settings = msgspec.to_builtins(config)
        described = read_base(base)
        settings["weights"]["new_biases"] = new_biases(described.architecture)
        settings["weights"]["chosen_layers"] = layers_of(config.weights, len(described.heads))
        settings["base"] = {"name": name, "path": str(base.absolute()), "sha256": model.sha256}
        (beside / "settings.json").write_text(json.dumps(settings, indent=2), "utf-8")
        (beside / "workbench.toml").write_text(dump_config(config), "utf-8")
        (beside / "requirements.txt").write_text("".join(f"{line}\n" for line in _requirements()), "utf-8")
        (beside / "README.md").write_text(_readme(config, model, methods, name, counts, copied, details or {}), "utf-8")
        shutil.copyfile(Path(__file__).with_name("export_script.py"), beside / "train.py")
    return out


def _write_examples(path: Path, examples: Iterable[Sequence]) -> int:
    """One object a line, ``input_ids``, ``labels`` and ``starts``; nothing where there are none. Returns how many."""
    count = 0
    with path.open("wb") as file:
        for one in examples:
            count += 1
            labels = [token if learnt else _IGNORED for token, learnt in zip(one.tokens, one.trained, strict=True)]
            line = {"input_ids": one.tokens, "labels": labels} | ({"starts": one.starts} if one.starts else {})
            file.write(msgspec.json.encode(line) + b"\n")
    if not count:
        path.unlink()
    return count


def _copy_base(base: Path, target: Path) -> bool:
    """Whether it was small enough to be put at ``target``. A model that is split over several files becomes one there:
    transformers 5.24 reads one GGUF file."""
    pieces = [piece.path for piece in read_pieces(base)] if base.is_file() else []
    files = pieces or [one for one in sorted(base.iterdir()) if one.suffix in _WEIGHTS]
    if sum(one.stat().st_size for one in files) > COPIED_BYTES:
        return False
    target.parent.mkdir(parents=True)
    if len(pieces) > 1:
        write_merged(base, None, target, target, "same")
    elif pieces:
        shutil.copyfile(base, target)
    else:
        target.mkdir()
        for one in files:
            shutil.copyfile(one, target / one.name)
    return True


def _requirements() -> list[str]:
    """The libraries of the script, at least in the versions that the training ran with."""
    found = []
    for name in _REQUIRED:
        version = importlib.metadata.version(name).partition("+")[0]  # torch tells what it was built for, too
        found.append(f"{name}>={version}")
    return found


def _readme(
    config: TrainingConfig,
    model: BaseModel,
    methods: Methods[Method],
    name: str,
    counts: Mapping[str, int],
    copied: bool,
    details: Mapping[str, Any],
) -> str:
    row = methods.find(config.weights.method, "weights")
    optimiser = config.optimiser
    where = (
        f"It lies in `base/{name}`."
        if copied
        else f"It is too large to be put in here: get `{Path(model.path).name}` and give it with `--base`, or put it "
        "into `base/`."
    )
    if not copied and name != Path(model.path).name:
        where += f" Its files have to be one first: `llama-gguf-split --merge {Path(model.path).name} {name}`."
    checksum = f" Its SHA-256 is `{model.sha256}`." if model.sha256 else ""
    licence = f" Its licence: {model.licence}." if model.licence else ""
    if config.weights.method in ("full", "layers", "biases", "norms"):
        made = "`output/changed.safetensors`, the new values of what moved, by their names in transformers"
        back = ""
    else:
        made = "`output/`, a folder that `peft.PeftModel.from_pretrained` reads"
        back = (
            f"\n\nBack in LLM Workbench: `workbench adapters import output --model {json.dumps(config.model)}`, or in "
            "the window on the page Adapters."
        )
    plain = "".join(f"- {name}: {value}\n" for name, value in details.items() if isinstance(value, (str, int, float)))
    return f"""# {config.name or "A training"} on {config.model or model.name}

{row.summary} ({row.source})

- method: {config.weights.method}, objective: {config.objective.name}
- {counts["train"]:,} examples to train on, {counts["evaluation"]:,} to evaluate on, as tokens in `data/`
- {optimiser.max_steps:,} steps of {optimiser.batch_size} examples, learning rate {optimiser.learning_rate:g}
{plain}
## The model that is trained

{model.name}.{licence} {where}{checksum} A GGUF file is unpacked by transformers (`gguf_file=`) when it is loaded.

## Run it

```
python -m venv env
env/bin/pip install -r requirements.txt
env/bin/python train.py
```

It uses a GPU where torch finds one. Several processes, on GPUs or on a CPU:

```
env/bin/torchrun --nproc_per_node 2 train.py --processes 2
```

or, on GPUs, `env/bin/accelerate launch --num_processes 2 train.py --processes 2`. On several machines `torchrun` needs
`--nnodes`, `--node_rank`, `--master_addr` and `--master_port` as well. The examples of a step are shared out and the
gradients added up, so that the result is that of one process.

What is made: {made}.{back}

`settings.json` holds all settings, `workbench.toml` the same for `workbench train --config`. `data/*.jsonl` are the
examples: `input_ids`, `labels` with -100 where nothing is learnt, and `starts` where another text begins in one.
"""
