"""Training on answers of unequal and of equal length: ours against TRL's SFTTrainer as it comes.

    python benchmarks/training.py

Both train the same LoRA (rank 16, all linear layers, the same random start) over the same float32 weights, on the same
tokens in the same order, 8 examples a step, with the same learning rate; of both the loss on the answers only. TRL has
its defaults (gradient checkpointing on, batches padded to their longest, its loss in chunks) but for float32 and the
order of the examples. Each run has a process of its own, the two in turns. Measured are useful tokens (padding apart)
a second over the training itself, the loss on the examples afterwards (by one function for both) and the peak of
resident memory of the whole process. To be met with unequal lengths, the worst case of padding: 1.5 times the tokens,
within 2 % of the loss, 0.7 of the memory; with equal ones, where nothing is padded, no fewer tokens.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import arguments, report, starter_model

BATCH = 8
RATE = 5e-4
EXAMPLES = 96
WORDS = "the river old mill green stone bridge keeper walks slowly past each winter morning and counts boats".split()  # noqa: SIM905


def write_examples(path: Path, lengths: str) -> None:
    """Unequal: answers of 2 to 260 words, most short and a few very long. Equal: of 48 words each."""
    numbers = random.Random(11)
    with path.open("w") as file:
        for number in range(EXAMPLES):
            long = number % 8 == 0
            count = numbers.randint(140, 260) if long else numbers.randint(2, 40)
            count = 48 if lengths == "equal" else count
            start = numbers.randrange(len(WORDS))
            answer = " ".join(WORDS[(start + n * (1 + number % 3)) % len(WORDS)] for n in range(count))
            row = {"prompt": f"Tell story number {number} in {count} words.", "completion": answer}
            file.write(json.dumps(row) + "\n")


def main() -> None:
    parser = arguments(__doc__, "model", "data", "json", steps=24, rounds=3, threads=0)
    parser.add_argument("--checkpointing", choices=("on", "off"), default="on", help="ours; TRL has it on")
    parser.add_argument("--pass-tokens", type=int, default=512, help="ours")
    parser.add_argument("--lengths", choices=("unequal", "equal"), help="only these; default: both")
    parser.add_argument("--only", choices=("ours", "trl"))
    options = parser.parse_args()
    if options.data:
        print(json.dumps(measure(options)))
        return
    rows: list[dict[str, Any]] = []
    kinds = [options.lengths] if options.lengths else ["unequal", "equal"]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "answers.jsonl"
        for lengths in kinds:
            write_examples(data, lengths)
            for round_ in range(options.rounds):
                for which in ("ours", "trl") if round_ % 2 == 0 else ("trl", "ours"):
                    if options.only in (None, which):
                        rows.append(run_apart(which, data, options) | {"lengths": lengths})
                        print(json.dumps(rows[-1]), flush=True)
    report(rows, options.json)
    for lengths in kinds if options.only is None else ():
        print(f"\n{lengths} lengths", end="")
        summarise([row for row in rows if row["lengths"] == lengths])


def run_apart(which: str, data: Path, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--only", which, "--data", str(data), "--steps", str(options.steps)]
    command += ["--threads", str(options.threads), "--checkpointing", options.checkpointing]
    command += ["--pass-tokens", str(options.pass_tokens)]
    if options.model:
        command += ["--model", str(options.model)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def summarise(rows: Sequence[dict[str, Any]]) -> None:
    def middle(which: str, name: str) -> float:
        return float(statistics.median(row[name] for row in rows if row["which"] == which))

    print(f"\n{'':22}{'ours':>12}{'TRL':>12}{'ratio':>9}")
    for name in ("tokens_per_second", "cpu_tokens_per_second", "loss", "peak_bytes"):
        ours, trl = middle("ours", name), middle("trl", name)
        print(f"{name:22}{ours:12.5g}{trl:12.5g}{ours / trl:9.3f}")


# -- one run, in a process of its own -----------------------------------------------------------------------------


def measure(options: argparse.Namespace) -> dict[str, Any]:
    import torch
    from transformers import set_seed

    from workbench.records.training import DataPart, TrainingConfig, WeightsPart
    from workbench.techniques.registry import METHODS
    from workbench.training.batching import Schedule
    from workbench.training.evaluation import score_texts
    from workbench.training.losses import chunked_loss, on_sequences
    from workbench.training.methods.weights_method import method_of
    from workbench.training.objectives.objective import objective_of
    from workbench.training.protocol import BaseModel
    from workbench.training.sets import open_writing, ready_set
    from workbench.training.weights.loading import load_base

    if options.threads:
        torch.set_num_threads(options.threads)
    path: Path = options.model or starter_model()
    with open_writing(BaseModel(name=path.stem, path=str(path))) as writing:
        config = TrainingConfig(data=DataPart(path=str(options.data), evaluation_share=0.0))
        examples = ready_set(config, objective_of(config, METHODS), writing).train
    loaded = load_base(path, "f32", device="cpu")
    set_seed(0)
    model = method_of(WeightsPart(rank=16), METHODS).apply(loaded)
    schedule = Schedule(len(examples), BATCH)
    steps = [schedule.step(number) for number in range(options.steps)]
    useful = sum(len(examples[place].tokens) for step in steps for place in step)
    train = ours if options.only == "ours" else trl
    began, cpu = time.perf_counter(), time.process_time()
    train(model, examples, steps, options)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    model.eval()
    return {
        "which": options.only,
        "tokens_per_second": useful / seconds,
        "cpu_tokens_per_second": useful / cpu,
        "seconds": seconds,
        "loss": score_texts(model, on_sequences(chunked_loss), examples).loss,
        "peak_bytes": peak,
        "useful_tokens": useful,
        "padded_tokens": sum(BATCH * max(len(examples[place].tokens) for place in step) for step in steps),
    }


def ours(model: Any, examples: Sequence[Any], steps: Sequence[Any], options: argparse.Namespace) -> None:
    from workbench.records.training import OptimiserPart
    from workbench.training.trainer import StepTrainer
    from workbench.training.trainer_progress import TrainerOptions

    part = OptimiserPart(
        max_steps=len(steps),
        batch_size=BATCH,
        micro_batch_tokens=options.pass_tokens,
        learning_rate=RATE,
        schedule="linear",
        warmup_ratio=0.0,
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = StepTrainer(
            model,
            TrainerOptions(
                optimiser=part,
                train=examples,
                folder=Path(folder),
                checkpointing=options.checkpointing == "on",
                keep_checkpoints=False,
            ),
        )
        trainer.run()


def trl(model: Any, examples: Sequence[Any], steps: Sequence[Any], options: argparse.Namespace) -> None:
    from datasets import Dataset
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast
    from trl import SFTConfig, SFTTrainer

    order = [examples[place] for step in steps for place in step]
    rows = Dataset.from_list(
        [{"input_ids": list(one.tokens), "completion_mask": [int(t) for t in one.trained]} for one in order]
    )
    # the examples are tokens already; the trainer wants to know what to pad with
    vocabulary = Tokenizer(WordLevel({"<pad>": 0, "<end>": 2}, unk_token="<pad>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=vocabulary, pad_token="<pad>", eos_token="<end>")
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            max_steps=len(steps),
            per_device_train_batch_size=BATCH,
            learning_rate=RATE,
            bf16=False,
            use_cpu=True,
            save_strategy="no",
            report_to=[],
            logging_steps=1,
            disable_tqdm=True,
            train_sampling_strategy="sequential",
            completion_only_loss=True,
        )
        SFTTrainer(model=model, args=config, train_dataset=rows, processing_class=tokenizer).train()


if __name__ == "__main__":
    main()
