"""Train again what LLM Workbench trained, with torch, transformers, peft and accelerate alone.

    python train.py                                       one process, on the GPU if there is one
    torchrun --nproc_per_node 2 train.py --processes 2    two processes, on GPUs or a CPU
    accelerate launch --num_processes 2 train.py --processes 2

``settings.json`` holds the settings with nothing left open, ``data/*.jsonl`` the examples as tokens. The order of the
examples, the steps and the loss are the Workbench's; the last bits of the numbers may differ. This file belongs to an
exported folder and knows nothing of the program that wrote it.
"""

from __future__ import annotations

import argparse
import inspect
import json
import math
import os
import random
import time
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# each kernel is for one shape and every pass has another: kept by the thousand, as usual, they fill the memory
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
os.environ.setdefault("LRU_CACHE_CAPACITY", "16")

import torch
from accelerate import Accelerator
from torch import nn
from torch.nn import functional
from transformers import AutoModelForCausalLM, get_scheduler
from transformers.optimization import Adafactor
from transformers.pytorch_utils import Conv1D

HERE = Path(__file__).resolve().parent
IGNORED = -100
SELECTIONS = ("full", "layers", "biases", "norms")

Example = dict[str, list[int]]
"""``input_ids`` and, of the same length, ``labels``: IGNORED where nothing is learnt. ``starts``, where there are
several texts, are the places at which another one begins."""


def main() -> None:
    options = read_options()
    settings: dict[str, Any] = json.loads((HERE / "settings.json").read_text("utf-8"))
    optimiser = settings["optimiser"]
    accelerator = Accelerator(cpu=not torch.cuda.is_available())
    if options.processes and accelerator.num_processes != options.processes:
        raise SystemExit(
            f"There are {accelerator.num_processes} processes, not {options.processes}: accelerate launch --cpu starts "
            "one whatever it is told; take torchrun there."
        )
    torch.manual_seed(optimiser["seed"])
    model = apply_method(load_base(options.base, settings, accelerator.device), settings["weights"])
    if optimiser["gradient_checkpointing"] == "on":
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    moving = [parameter for parameter in model.parameters() if parameter.requires_grad]
    accelerator.print(f"{sum(p.numel() for p in moving):,} weights move, {accelerator.num_processes} process(es)")
    train, evaluation = read_examples("train"), read_examples("evaluation")
    steps = options.steps or optimiser["max_steps"]
    optimizer = make_optimizer(moving, optimiser)
    warmup = round(optimiser["warmup_ratio"] * steps)
    schedule = get_scheduler(
        {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}[optimiser["schedule"]],
        optimizer,
        num_warmup_steps=warmup if warmup > 1 else 0,  # it begins at 0: a rise of one step would only lose it
        num_training_steps=steps,
    )
    mixed = torch.autocast(accelerator.device.type, torch.bfloat16, enabled=options.dtype(settings) == torch.bfloat16)
    began = time.monotonic()
    for step in range(steps):
        model.train()
        chosen = examples_of_step(train, min(optimiser["batch_size"], len(train)), optimiser["seed"], step)
        learnt = sum(label != IGNORED for one in chosen for label in one["labels"][1:])
        mine = chosen[accelerator.process_index :: accelerator.num_processes]
        loss = torch.zeros((), device=accelerator.device)
        for rows in passes(mine, optimiser["micro_batch_tokens"]):
            with mixed:
                part = loss_of(model, rows, accelerator.device)[0] / max(1, learnt)
            part.backward()
            loss += part.detach()
        add_up(accelerator, loss, moving)
        if optimiser["gradient_clipping"]:
            nn.utils.clip_grad_norm_(moving, optimiser["gradient_clipping"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        accelerator.print(f"step {step + 1}/{steps}  loss {float(loss):.4f}  {time.monotonic() - began:.1f} s")
        if (step + 1) % settings["evaluation"]["interval"] == 0 or step + 1 == steps:
            with mixed:
                told = evaluate(model, evaluation or train[:256], accelerator.device, optimiser["micro_batch_tokens"])
            accelerator.print(f"step {step + 1}/{steps}  evaluation loss {told:.4f}")
    if accelerator.is_main_process:
        save(model, settings["weights"]["method"], options.output)
        accelerator.print(f"saved in {options.output}")
    accelerator.end_training()


class Options(argparse.Namespace):
    """What was given on the command line."""

    base: Path | None
    output: Path
    steps: int
    processes: int
    bf16: bool

    def dtype(self, settings: dict[str, Any]) -> torch.dtype:
        """What is computed in: 16 bits where asked for, or where it was so and a GPU is there."""
        wished = self.bf16 or settings["weights"]["base"] in ("bf16", "4bit")
        return torch.bfloat16 if wished or torch.cuda.is_available() else torch.float32


def read_options() -> Options:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, help="the model that is trained: a .gguf file or a folder (see README.md)")
    parser.add_argument("--output", type=Path, default=HERE / "output", help="where the result is saved")
    parser.add_argument("--steps", type=int, default=0, help="train so many steps instead")
    parser.add_argument("--processes", type=int, default=0, help="refuse to run in another number of processes")
    parser.add_argument("--bf16", action="store_true", help="compute in 16 bits")
    return parser.parse_args(namespace=Options())


# -- the model ------------------------------------------------------------------------------------


def load_base(given: Path | None, settings: dict[str, Any], device: Any) -> Any:
    """The base in float32. Its file is ``given``, else in ``base/``, else where it was when this was exported."""
    there = HERE / "base" / settings["base"]["name"]
    path = given or (there if there.exists() else Path(settings["base"]["path"]))
    if not path.exists():
        raise SystemExit(f"{path} is not there. README.md says where to get it; give it with --base.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if path.is_dir():
            model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
        else:
            model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    model.config.use_cache = False
    return model.to(device)


def apply_method(model: Any, weights: dict[str, Any]) -> Any:
    """The model of which exactly that moves which the method says."""
    model.requires_grad_(False)
    method = weights["method"]
    if method in SELECTIONS:
        for parameter in selected(model, method, weights["chosen_layers"], weights["new_biases"]):
            parameter.requires_grad_(True)
        return model
    import peft

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted = peft.get_peft_model(model, peft_config(model, weights))
    if method == "prompt":  # begin with the embeddings of some tokens
        table = model.get_input_embeddings().weight
        prompt = adapted.prompt_encoder[adapted.active_adapter].embedding
        rows = torch.randint(0, len(table), (len(prompt.weight),), device=table.device)
        prompt.weight.data = table.data[rows].clone()
    return adapted


def selected(model: Any, method: str, chosen: Sequence[int], new_biases: Sequence[str]) -> list[Any]:
    if method == "full":
        return list(model.parameters())
    blocks = blocks_of(model)
    if method == "layers":
        return [parameter for number in chosen for parameter in list(blocks)[number].parameters()]
    if method == "norms":
        norms = [module for module in model.modules() if type(module).__name__.lower().endswith("norm")]
        return [module.weight for module in norms if getattr(module, "weight", None) is not None]
    for name, layer in linear_layers(blocks).items():  # those that have none get zeros where llama.cpp reads them
        if name.rpartition(".")[2] in new_biases and layer.bias is None:
            layer.bias = nn.Parameter(torch.zeros(layer.out_features, device=layer.weight.device))
    return [parameter for name, parameter in model.named_parameters() if name.endswith(".bias")]


def peft_config(model: Any, weights: dict[str, Any]) -> Any:
    import peft

    method = weights["method"]
    task: dict[str, Any] = {"task_type": "CAUSAL_LM"}
    turned = any(isinstance(module, Conv1D) for module in model.modules())
    names = list(dict.fromkeys(name for block in blocks_of(model) for name in linear_layers(block)))
    wanted = [
        name
        for name in names
        if not name.endswith(("router", "gate"))
        and (weights["targets"] == "all" or (weights["targets"] == "attention") == ("att" in name.lower()))
    ]
    if method in ("loha", "lokr"):
        task |= {"target_modules": wanted, "r": weights["rank"], "alpha": weights["alpha"]}
        task["rank_dropout"] = weights["dropout"]
        if method == "loha":
            return peft.LoHaConfig(**task)
        return peft.LoKrConfig(decompose_factor=8, rank_dropout_scale=True, **task)
    if method == "vera":
        return peft.VeraConfig(
            r=weights["rank"], vera_dropout=weights["dropout"], target_modules=wanted, fan_in_fan_out=turned, **task
        )
    if method == "miss":
        return peft.MissConfig(r=weights["rank"], miss_dropout=weights["dropout"], target_modules=wanted, **task)
    if method == "oft":
        size = weights["block_size"]
        return peft.OFTConfig(oft_block_size=size, use_cayley_neumann=False, target_modules=wanted, **task)
    if method in ("lora", "rslora", "dora"):
        return peft.LoraConfig(
            r=weights["rank"],
            lora_alpha=weights["alpha"],
            lora_dropout=weights["dropout"],
            target_modules=wanted,
            use_rslora=method == "rslora",
            use_dora=method == "dora",
            fan_in_fan_out=turned,
            **task,
        )
    if method == "ia3":
        inner = [name for name in names if name.endswith(("down_proj", "fc2", "dense_4h_to_h", "mlp.c_proj"))]
        keys = ("k_proj", "v_proj", "query_key_value", "qkv_proj", "c_attn")
        both = [*inner, *(name for name in names if name.endswith(keys))]
        return peft.IA3Config(target_modules=both, feedforward_modules=inner, fan_in_fan_out=turned, **task)
    count = {"num_virtual_tokens": weights["virtual_tokens"]}
    if method == "prompt":
        return peft.PromptTuningConfig(**count, **task)
    if method == "p-tuning":
        width = model.get_input_embeddings().weight.shape[1]
        return peft.PromptEncoderConfig(**count, encoder_hidden_size=width, **task)
    return peft.PrefixTuningConfig(**count, **task)


def blocks_of(model: Any) -> Any:
    count = model.config.get_text_config().num_hidden_layers
    return next(m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == count)


def linear_layers(module: Any) -> dict[str, Any]:
    return {name: layer for name, layer in module.named_modules() if isinstance(layer, nn.Linear | Conv1D)}


def save(model: Any, method: str, folder: Path) -> None:
    """As a PEFT folder, or what moved of the model itself by its name in transformers."""
    folder.mkdir(parents=True, exist_ok=True)
    if method not in SELECTIONS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save_pretrained(folder, save_embedding_layers=False)
        return
    from safetensors.torch import save_file

    changed = {name: p.detach().cpu().contiguous() for name, p in model.named_parameters() if p.requires_grad}
    save_file(changed, folder / "changed.safetensors")
    (folder / "changed.json").write_text(json.dumps({"method": method}), "utf-8")


# -- the data -------------------------------------------------------------------------------------


def read_examples(side: str) -> list[Example]:
    path = HERE / "data" / f"{side}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def examples_of_step(examples: Sequence[Example], batch: int, seed: int, step: int) -> list[Example]:
    """A step's examples: epoch after epoch, each in an order of its own, drawn without putting back."""
    taken: list[Example] = []
    place = step * batch
    while len(taken) < batch:
        epoch, within = divmod(place, len(examples))
        order = list(range(len(examples)))
        random.Random(f"{seed}/{epoch}").shuffle(order)
        piece = order[within : within + batch - len(taken)]
        taken += [examples[number] for number in piece]
        place += len(piece)
    return taken


def passes(examples: Iterable[Example], micro_batch_tokens: int) -> list[list[Example]]:
    """Examples of similar length together, about so many tokens, padding included."""
    made: list[list[Example]] = []
    for one in sorted(examples, key=lambda one: -len(one["input_ids"])):
        if made and (len(made[-1]) + 1) * len(made[-1][0]["input_ids"]) <= micro_batch_tokens:
            made[-1].append(one)
        else:
            made.append([one])
    return made


# -- learning -------------------------------------------------------------------------------------


def loss_of(model: Any, rows: Sequence[Example], device: Any) -> tuple[Any, int]:
    """The summed negative log-probability of the learnt tokens, and their number."""
    longest = max(len(row["input_ids"]) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), longest), IGNORED, dtype=torch.long)
    for place, row in enumerate(rows):
        tokens[place, : len(row["input_ids"])] = torch.tensor(row["input_ids"])
        labels[place, : len(row["labels"])] = torch.tensor(row["labels"])
    # padding stands to the right, where nothing that is learnt sees it; virtual tokens stand before
    placed = {}
    takes = model.get_base_model().forward if hasattr(model, "get_base_model") else model.forward
    if any("starts" in row for row in rows) and "position_ids" in inspect.signature(takes).parameters:
        placed = {"position_ids": positions_of(rows, longest).to(device)}
    logits = model(input_ids=tokens.to(device), use_cache=False, **placed).logits[:, -longest:]
    targets = labels[:, 1:].to(device)
    chosen = targets != IGNORED
    total = functional.cross_entropy(logits[:, :-1][chosen].float(), targets[chosen], reduction="sum")
    return total, int(chosen.sum())


def positions_of(rows: Sequence[Example], longest: int) -> Any:
    """Counted anew where another text begins: transformers lets none see the others then."""
    positions = torch.arange(longest).repeat(len(rows), 1)
    for place, row in enumerate(rows):
        for start in row.get("starts", ()):
            positions[place, start:] = torch.arange(longest - start)
    return positions


def evaluate(model: Any, examples: Sequence[Example], device: Any, micro_batch_tokens: int) -> float:
    """The mean negative log-probability of a learnt token."""
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for rows in passes(examples, micro_batch_tokens):
            part, learnt = loss_of(model, rows, device)
            total += float(part)
            count += learnt
    return total / count if count else math.nan


def make_optimizer(moving: list[Any], part: dict[str, Any]) -> Any:
    rate, decay = part["learning_rate"], part["weight_decay"]
    if part["optimiser"] == "adafactor":
        return Adafactor(moving, lr=rate, weight_decay=decay, scale_parameter=False, relative_step=False)
    if part["optimiser"] == "sgd":
        return torch.optim.SGD(moving, lr=rate, weight_decay=decay)
    return torch.optim.AdamW(moving, lr=rate, weight_decay=decay)


def add_up(accelerator: Accelerator, loss: Any, moving: Sequence[Any]) -> None:
    """Sum the loss and the gradients over all processes."""
    if accelerator.num_processes == 1:
        return
    loss.copy_(accelerator.reduce(loss, reduction="sum"))
    for parameter in moving:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        parameter.grad.copy_(accelerator.reduce(parameter.grad, reduction="sum"))


if __name__ == "__main__":
    main()
