"""A training as a folder that runs on any machine with torch, transformers, peft and accelerate, and with TRL where its
objective has a loss of its own.

Written beside its place and moved there whole. The scripts in it are ``export_script.py`` and, for TRL,
``export_trl_script.py`` as they are.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections import abc
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

import workbench
from workbench.base.durability import folder_beside
from workbench.gguf.base_model import read_base
from workbench.gguf.merging import write_merged
from workbench.gguf.reader import read_pieces, whole_name
from workbench.records.methods import Method, Methods
from workbench.records.training import TrainingConfig, dump_config
from workbench.training.methods.weights_method import method_of
from workbench.training.objectives.objective import objective_of
from workbench.training.protocol import BaseModel
from workbench.training.sequences import TokenSequence
from workbench.training.trainer_settings import order_of, trainer_settings
from workbench.training.trl_trainer import TrlTrainer, row_of

_TRL = "trl>=1.16,<1.17"
COPIED_BYTES = 1_000_000_000
"""Up to this size the base model is put into the folder; a larger one is named, with its checksum."""

_SCORED_BY = ("text/metrics.py", "text/normalisation", "text/numbers.py", "rewards/values.py")
"""What of this package computes the rewards of an exported folder: modules, and packages as a whole."""
_REQUIRED = ("torch", "transformers", "peft", "accelerate", "safetensors", "gguf")
PLAIN = TrlTrainer(trainer="", form="texts")
"""The examples of transformers' own trainer."""
_WEIGHTS = (".json", ".safetensors", ".model", ".txt", ".jinja")


def export_training(
    config: TrainingConfig,
    model: BaseModel,
    methods: Methods[Method],
    out: Path,
    train: Iterable[TokenSequence],
    evaluation: Iterable[TokenSequence],
    details: Mapping[str, Any] | None = None,
    expected: Mapping[tuple[int, ...], abc.Sequence[str]] | None = None,
) -> Path:
    """Write the training of a resolved ``config`` to the new folder ``out``; returns it.

    ``train`` and ``evaluation`` are the examples as they are trained on. ``details`` are listed in the README where
    they are plain; ``expected`` are the accepted answers to the prompts of ``train``, where answers are sampled. Raises
    UserError where the folder is there already or cannot be written, and for an objective that neither transformers
    nor TRL trains. With ``trainer = "trl"`` TRL trains what transformers' own trainer would, too.
    """
    from workbench.training.weights.loading import describe_model

    objective = objective_of(config, methods)
    exported = objective.exported() if config.trainer == "trl" or objective.has_own_loss else None
    with folder_beside(out) as beside:
        (beside / "data").mkdir()
        written_as = exported or PLAIN
        lengths = {
            side: _write_examples(beside / "data" / f"{side}.jsonl", examples, written_as, expected or {})
            for side, examples in (("train", train), ("evaluation", evaluation))
        }
        counts = {side: len(found) for side, found in lengths.items()}
        order = order_of(counts["train"], config.optimiser)
        (beside / "data" / "order.json").write_text(json.dumps(order), "utf-8")
        base = Path(model.path)
        name = whole_name(base) if base.is_file() else base.name
        copied = _copy_base(base, beside / "base" / name)
        method = method_of(config.weights, methods)
        settings = trainer_settings(config, method, exported, lengths["train"])
        settings |= method.export(describe_model(base), read_base(base).architecture, beside / "adapter")
        if exported is not None:
            _copy_scripts(beside, bool(exported.rewards))
        settings["base"] = {"name": name, "path": str(base.absolute()), "sha256": model.sha256}
        (beside / "settings.json").write_text(json.dumps(settings, indent=2), "utf-8")
        (beside / "workbench.toml").write_text(dump_config(config), "utf-8")
        (beside / "requirements.txt").write_text("".join(f"{line}\n" for line in _requirements(exported)), "utf-8")
        (beside / "README.md").write_text(
            _readme(
                config,
                model,
                methods.find(config.weights.method, "weights"),
                settings,
                name,
                counts,
                copied,
                details or {},
                exported,
            ),
            "utf-8",
        )
        shutil.copyfile(Path(__file__).with_name("export_script.py"), beside / "train.py")
    return out


def _copy_scripts(folder: Path, rewarded: bool) -> None:
    shutil.copyfile(Path(__file__).with_name("export_trl_script.py"), folder / "trl_trainers.py")
    if not rewarded:
        return
    package = Path(workbench.__file__).parent
    for name in _SCORED_BY:
        for source in sorted((package / name).glob("*.py")) or [package / name]:
            target = folder / "workbench" / source.relative_to(package)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for part in ("workbench", "workbench/rewards", "workbench/text"):
        (folder / part / "__init__.py").write_text("", "utf-8")


def _write_examples(
    path: Path,
    examples: Iterable[TokenSequence],
    form: TrlTrainer,
    expected: Mapping[tuple[int, ...], abc.Sequence[str]],
) -> list[int]:
    """One object a line; nothing where there are none. Returns their lengths."""
    lengths: list[int] = []
    with path.open("wb") as file:
        for one in examples:
            lengths.append(len(one.tokens))
            accepted = {"expected": expected[one.tokens]} if one.tokens in expected else {}
            file.write(msgspec.json.encode({**row_of(form, one), **accepted}) + b"\n")
    if not lengths:
        path.unlink()
    return lengths


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


def _requirements(exported: TrlTrainer | None) -> list[str]:
    """The libraries of the script, at least in the versions that the training ran with. Of TRL what is not public is
    used, so that another minor version is another interface."""
    found = []
    for name in _REQUIRED:
        version = importlib.metadata.version(name).partition("+")[0]  # torch tells what it was built for, too
        found.append(f"{name}>={version}")
    if exported is not None:
        found += [f"datasets>={importlib.metadata.version('datasets')}", _TRL]
    return found


def _readme(
    config: TrainingConfig,
    model: BaseModel,
    row: Method,
    settings: Mapping[str, Any],
    name: str,
    counts: Mapping[str, int],
    copied: bool,
    details: Mapping[str, Any],
    exported: TrlTrainer | None,
) -> str:
    optimiser = config.optimiser
    where = (
        f"It lies in `base/{name}`."
        if copied
        else (
            f"It is too large to be included: get `{Path(model.path).name}` and give it with `--base`, or put it "
            "into `base/`."
        )
    )
    if not copied and name != Path(model.path).name:
        where += f" Merge its files first: `llama-gguf-split --merge {Path(model.path).name} {name}`."
    checksum = f" Its SHA-256 is `{model.sha256}`." if model.sha256 else ""
    licence = f" Its licence: {model.licence}." if model.licence else ""
    if exported is not None and exported.scores:
        made, back = "`output/`, a PEFT folder of the model with a score head", ""
    elif "trainable" in settings:
        made = "`output/changed.safetensors`, the new values of the trained weights, by their names in transformers"
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

{_trained_by(exported)}`settings.json` holds all settings, `workbench.toml` the same for `workbench train --config`.
`data/*.jsonl` are the examples as tokens: {_FORM_TEXTS[(exported or PLAIN).form]}.
"""


_FORM_TEXTS = {
    "texts": (
        "`input_ids`, `labels` with -100 where the loss counts nothing, and `starts` where another text begins in one"
    ),
    "scored": "the chosen and the rejected answer, each after its prompt",
    "pairs": "the prompt, the chosen and the rejected answer",
    "judged": "the prompt, the answer, and whether it was judged good",
    "prompts": "the prompt, and the accepted answers where there are some",
}


def _trained_by(exported: TrlTrainer | None) -> str:
    """What trains, and how that differs from this program."""
    if exported is None:
        return ""
    notes = "".join(f"- {note}\n" for note in (*exported.notes, *exported.exported_notes))
    differs = f" What differs from LLM Workbench:\n\n{notes}" if notes else "\n"
    return f"It is trained by TRL's `{exported.trainer}` on the same tokens.{differs}\n"
