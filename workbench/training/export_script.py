"""Train again what LLM Workbench trained, with peft and transformers' own Trainer, or one of TRL.

    python train.py                                       one process, on the GPU if there is one
    torchrun --nproc_per_node 2 train.py --processes 2    two processes, on GPUs or a CPU

``settings.json`` holds the settings with nothing left open, ``data/*.jsonl`` the examples as tokens,
``data/order.json`` their order. Steps, batches and loss are the Workbench's; the last bits of the numbers may differ.
This file belongs to an exported folder and knows nothing of the program that wrote it.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import warnings
from pathlib import Path
from typing import Any

# each kernel is for one shape and every batch has another: kept by the thousand, as usual, they fill the memory
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
os.environ.setdefault("LRU_CACHE_CAPACITY", "16")

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments, set_seed

HERE = Path(__file__).resolve().parent
ADAPTER = HERE / "adapter"
IGNORED = -100

Example = dict[str, list[int]]
"""``input_ids`` and, of the same length, ``labels``: IGNORED where nothing is trained. ``starts``, where there are
several texts, are the places at which another one begins."""


def main() -> None:
    options = read_options()
    settings: dict[str, Any] = json.loads((HERE / "settings.json").read_text("utf-8"))
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if options.processes and options.processes != processes:
        raise SystemExit(f"There are {processes} processes, not {options.processes}: start them with torchrun.")
    batch, steps = settings["batch_size"], options.steps or settings["arguments"]["max_steps"]
    steps = min(steps, settings["arguments"]["max_steps"])
    if batch % processes:
        raise SystemExit(f"The batch of {batch} examples cannot be shared by {processes} processes equally.")
    set_seed(settings["arguments"]["seed"])
    path = base_path(options.base, settings)
    model = load_base(path)
    chosen = settings.get("trainer")  # of TRL, which adds an adapter itself
    if not chosen or not ADAPTER.is_dir():
        model = prepare(model, settings)
    if settings["gradient_checkpointing"] and not chosen:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        new = hasattr(base, "activation_checkpointing_enable")  # its name in newer transformers
        name = "activation_checkpointing" if new else "gradient_checkpointing"
        getattr(base, f"{name}_enable")(**{f"{name}_kwargs": {"use_reentrant": False}})
    train, evaluation = read_examples("train"), read_examples("evaluation")
    if chosen and chosen["form"] == "prompts":
        evaluation = []
    order = json.loads((HERE / "data" / "order.json").read_text("utf-8"))[: steps * batch]
    on_gpu = torch.cuda.is_available()
    arguments = {
        **trainer_arguments(settings, processes, steps),
        "output_dir": str(options.output / "checkpoints"),
        "bf16": options.bf16 or on_gpu or settings["bf16"],
        "use_cpu": not on_gpu,
        "eval_strategy": "steps" if evaluation else "no",
    }
    collator = Collator(takes_positions(model), bool(chosen))
    trainer: Any
    if chosen:
        arguments["gradient_checkpointing"] = settings["gradient_checkpointing"]
        trainers = importlib.import_module("trl_trainers")  # it lies beside this file
        trainer = trainers.exported_trainer(model, path, settings, arguments, train, order, evaluation, collator)
        model = trainer.model
    else:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(**arguments),
            train_dataset=[train[place] for place in order],
            eval_dataset=evaluation or None,
            data_collator=collator,
            compute_loss_func=token_loss,
        )
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    if trainer.is_world_process_zero():
        print(f"{trainable:,} trainable weights, {processes} process(es)")
    trainer.train()
    if trainer.is_world_process_zero():
        save(model, settings, options.output)
        trainer.state.save_to_json(str(options.output / "trainer_state.json"))
        print(f"saved in {options.output}")


def trainer_arguments(settings: dict[str, Any], processes: int, steps: int) -> dict[str, Any]:
    """The arguments of transformers' trainers for ``steps`` steps shared by so many processes, but for those that say
    on what is computed."""
    chosen = settings.get("trainer")
    share, micro = settings["batch_size"] // processes, settings["micro_batch_examples"]
    if share % micro:
        micro = 1
    updates = 1
    if chosen:
        if chosen["whole_step"]:
            micro = share
        share *= chosen["answers"]
        updates = chosen["updates"]
    return {
        "per_device_train_batch_size": micro,
        "per_device_eval_batch_size": micro if chosen else 1,
        "gradient_accumulation_steps": share // micro,
        "train_sampling_strategy": "sequential",
        "ddp_find_unused_parameters": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
        "remove_unused_columns": False,
        "dataloader_pin_memory": False,
        **settings["arguments"],
        "max_steps": steps * updates,
    }


class Options(argparse.Namespace):
    """The command-line options."""

    base: Path | None
    output: Path
    steps: int
    processes: int
    bf16: bool


def read_options() -> Options:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, help="the model that is trained: a .gguf file or a folder (see README.md)")
    parser.add_argument("--output", type=Path, default=HERE / "output", help="where the result is saved")
    parser.add_argument("--steps", type=int, default=0, help="train only this many steps")
    parser.add_argument("--processes", type=int, default=0, help="stop unless this many processes run")
    parser.add_argument("--bf16", action="store_true", help="compute in 16 bits")
    return parser.parse_args(namespace=Options())


# -- the model ------------------------------------------------------------------------------------


def base_path(given: Path | None, settings: dict[str, Any]) -> Path:
    """``given``, else in ``base/``, else where it was when this was exported."""
    there = HERE / "base" / settings["base"]["name"]
    path = given or (there if there.exists() else Path(settings["base"]["path"]))
    if not path.exists():
        raise SystemExit(f"{path} is not there. README.md says where to get it; give it with --base.")
    return path


def load_base(path: Path) -> Any:
    """The base in float32."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if path.is_dir():
            model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
        else:
            model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
            model.is_quantized = False  # it is unpacked: what transformers 5.24 refuses to train is a packed one
    model.config.use_cache = False
    return model


def prepare(model: Any, settings: dict[str, Any], adapter: Path = ADAPTER) -> Any:
    """The model of which exactly the chosen parameters are trained, or the PEFT model of the config in ``adapter``."""
    model.requires_grad_(False)
    if not adapter.is_dir():
        for name in settings["new_biases"]:  # layers that have none get zeros where llama.cpp reads them
            layer = model.get_submodule(name)
            layer.bias = nn.Parameter(torch.zeros(layer.out_features, device=layer.weight.device))
        for name in settings["trainable"]:
            model.get_parameter(name).requires_grad_(True)
        return model
    import peft

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peft.get_peft_model(model, peft.PeftConfig.from_pretrained(str(adapter)))


def takes_positions(model: Any) -> bool:
    """Whether texts in one sequence can be kept apart by their positions; virtual tokens forbid it."""
    if getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False):
        return False
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "position_ids" in inspect.signature(base.forward).parameters


def save(model: Any, settings: dict[str, Any], folder: Path) -> None:
    """As a PEFT folder, or the new values of the parameters that were trained by their names in transformers."""
    folder.mkdir(parents=True, exist_ok=True)
    if hasattr(model, "peft_config"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save_pretrained(folder, save_embedding_layers=False)
        return
    from safetensors.torch import save_file

    changed = {name: p.detach().cpu().contiguous() for name, p in model.named_parameters() if p.requires_grad}
    save_file(changed, folder / "changed.safetensors")
    (folder / "changed.json").write_text(json.dumps({"method": settings["method"]}), "utf-8")


# -- the data and the loss ------------------------------------------------------------------------


def read_examples(side: str) -> list[Example]:
    path = HERE / "data" / f"{side}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


class Collator:
    """Examples padded to the right, where nothing that is trained sees the padding. ``positions``: the model keeps
    texts apart by them; ``masks``: the padding is marked where positions are not given, as TRL asks."""

    def __init__(self, positions: bool, masks: bool = False) -> None:
        self.positions, self.masks = positions, masks

    def __call__(self, rows: list[Example]) -> dict[str, Any]:
        longest = max(len(row["input_ids"]) for row in rows)
        tokens = torch.zeros((len(rows), longest), dtype=torch.long)
        labels = torch.full((len(rows), longest), IGNORED, dtype=torch.long)
        positions = torch.arange(longest).repeat(len(rows), 1)
        for place, row in enumerate(rows):
            tokens[place, : len(row["input_ids"])] = torch.tensor(row["input_ids"])
            labels[place, : len(row["labels"])] = torch.tensor(row["labels"])
            for start in row.get("starts", ()):  # counted anew, so that no text sees the others
                positions[place, start:] = torch.arange(longest - start)
        labels[:, 0] = IGNORED  # nothing predicts the first token
        batch = {"input_ids": tokens, "labels": labels}
        if self.positions and any(row.get("starts") for row in rows):
            return {**batch, "position_ids": positions}
        if self.masks:
            lengths = torch.tensor([len(row["input_ids"]) for row in rows])
            return {**batch, "attention_mask": (torch.arange(longest) < lengths[:, None]).long()}
        return batch


def token_loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
    """The cross-entropy of the trained tokens over their number in the whole step (in an evaluation: in the batch)."""
    logits = outputs.logits[:, -labels.shape[1] :][:, :-1].float()  # virtual tokens stand before
    targets = labels[:, 1:]
    reduction = "mean" if num_items_in_batch is None else "sum"
    loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction=reduction)
    return loss if num_items_in_batch is None else loss / num_items_in_batch


if __name__ == "__main__":
    main()
