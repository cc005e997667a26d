"""DPO by our trainer's loss against TRL's DPOTrainer: CPU time and peak memory on the same pairs, model and adapter.

    python benchmarks/dpo_trl.py

Pairs are of hh-rlhf (``../shared/data/hh-rlhf/train.jsonl``), cut to ``--longest`` tokens. Each side takes one step of
the optimiser on all pairs, in a process of its own that reports the CPU seconds of the step and the peak of its memory,
in turn, ``--rounds`` times. TRL computes all pairs in a batch, or pair by pair; neither side uses checkpointing. Loss
and gradient norm are reported to show that they compute the same.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from harness import DATA, arguments, read_lines, starter_model

SIDES = ("ours", "trl", "trl, pair by pair")
BETA = 0.1


def read_pairs(path: Path, count: int) -> list[dict[str, str]]:
    """Prompt, chosen and rejected, split at the last turn of the assistant."""
    found = []
    for row in read_lines(path):
        chosen, rejected = (re.split(r"(?<=\n\nAssistant:)", row[name]) for name in ("chosen", "rejected"))
        if chosen[:-1] == rejected[:-1] and chosen[-1] != rejected[-1]:
            found.append({"prompt": "".join(chosen[:-1]), "chosen": chosen[-1], "rejected": rejected[-1]})
        if len(found) == count:
            break
    return found


def load() -> tuple[Any, Any]:
    """The starter with a LoRA of rank 16 on all linear layers, and its tokenizer."""
    import torch
    from transformers import AutoTokenizer

    from workbench.records.training import WeightsPart
    from workbench.techniques.registry import METHODS
    from workbench.training.methods.weights_method import method_of
    from workbench.training.weights.loading import load_base

    torch.manual_seed(0)
    path = starter_model()
    loaded = load_base(path, "f32")
    model = method_of(WeightsPart(base="f32", rank=16), METHODS).apply(loaded)
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def ours(model: Any, rows: list[dict[str, Any]]) -> dict[str, float]:
    import torch

    from workbench.training.answer_losses import PairLoss
    from workbench.training.batching import make_micro_batches
    from workbench.training.objectives.dpo import Dpo, DpoOptions
    from workbench.training.peft_models import trainable_parameters
    from workbench.training.sequences import TokenSequence

    texts = []
    for row in rows:
        prompt, chosen, rejected = row["prompt"], row["chosen"], row["rejected"]
        tokens = (*prompt, *chosen, *rejected)
        trained = (False,) * len(prompt) + (True,) * (len(chosen) + len(rejected))
        texts.append(TokenSequence(tokens, trained, (len(prompt) + len(chosen),)))
    parameters = list(trainable_parameters(model).values())
    optimiser = torch.optim.AdamW(parameters, lr=1e-4)
    loss_of = PairLoss(model, Dpo(DpoOptions(beta=BETA)), texts[0].tokens, torch.float32)
    began, total = time.process_time(), 0.0
    lengths = [len(text.tokens) for text in texts]
    for rows_at_once in make_micro_batches(lengths, max(lengths)):
        loss = loss_of(model, [texts[row] for row in rows_at_once]).total / len(texts)
        loss.backward()
        total += loss.item()
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, 1e9))
    optimiser.step()
    return {"cpu_s": time.process_time() - began, "loss": total, "norm": norm}


def theirs(model: Any, tokenizer: Any, rows: list[dict[str, Any]], each: int, folder: Path) -> dict[str, float]:
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import DPOConfig, DPOTrainer

    spent: dict[str, float] = {}

    class Timer(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            spent["began"] = time.process_time()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            spent["cpu_s"] = time.process_time() - spent["began"]

    arguments = DPOConfig(
        output_dir=str(folder), per_device_train_batch_size=each, gradient_accumulation_steps=len(rows) // each,
        max_steps=1, learning_rate=1e-4, beta=BETA, logging_steps=1, report_to=[], use_cpu=True, disable_tqdm=True,
        save_strategy="no", max_grad_norm=1e9, gradient_checkpointing=False, bf16=False, max_length=None,
        dataloader_pin_memory=False,
    )  # fmt: skip
    texts = [{name: tokenizer.decode(row[name]) for name in ("prompt", "chosen", "rejected")} for row in rows]
    trainer = DPOTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_list(texts), processing_class=tokenizer
    )
    trainer.add_callback(Timer())
    trainer.train()
    logged = next(one for one in trainer.state.log_history if "loss" in one)
    return {"cpu_s": spent["cpu_s"], "loss": logged["loss"], "norm": float(logged["grad_norm"])}


def one_side(given: argparse.Namespace) -> dict[str, float]:
    import torch

    from workbench.workers.training import keep_freed_memory

    torch.set_num_threads(1)
    if given.side == "ours":  # as the training worker does
        keep_freed_memory()
    model, tokenizer = load()
    rows: list[dict[str, Any]] = []
    for pair in read_pairs(given.data, given.pairs):
        prompt = tokenizer(pair["prompt"]).input_ids[-given.longest // 2 :]
        room = given.longest - len(prompt) - 1
        answers = {name: tokenizer(pair[name]).input_ids[:room] for name in ("chosen", "rejected")}
        rows.append({"prompt": prompt, **answers})
    if given.side == "ours":  # TRL adds the end token itself
        rows = [{**row, **{n: [*row[n], tokenizer.eos_token_id] for n in ("chosen", "rejected")}} for row in rows]
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        if given.side == "ours":
            found = ours(model, rows)
        else:
            found = theirs(model, tokenizer, rows, len(rows) if given.side == "trl" else 1, Path(folder))
    return {**found, "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9}


def main() -> None:
    data = DATA / "hh-rlhf" / "train.jsonl"
    parser = arguments(__doc__, "json", data=data, pairs=6, longest=256, rounds=2)
    parser.add_argument("--sides", choices=SIDES, nargs="+", default=SIDES)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(one_side(given)))
        return
    found: dict[str, list[dict[str, float]]] = {side: [] for side in given.sides}
    for _ in range(given.rounds):
        for side in given.sides:
            command = [sys.executable, __file__, *sys.argv[1:], "--side", side]
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            if ended.returncode:
                raise SystemExit(ended.stderr[-2000:])
            found[side].append(json.loads(ended.stdout.splitlines()[-1]))
            print(side, found[side][-1], flush=True)
            if given.json:
                given.json.write_text(json.dumps(found, indent=1))
    for side, runs in found.items():
        print(side, {name: round(statistics.median(run[name] for run in runs), 4) for name in runs[0]})


if __name__ == "__main__":
    main()
