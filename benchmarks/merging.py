"""What a merge keeps: a trained LoRA merged as F16, Q8_0 and in the base's own 4 bits, each through verification.

    python benchmarks/merging.py                       # trains 64 invented facts on the starter model first
    python benchmarks/merging.py --trained FOLDER      # a PEFT folder with the questions.jsonl of its training

Prints for each merge top-1 agreement and KL over all positions of the prompts against the float32 merge, the facts
still answered (each token of the answer the likeliest after those before it), and the verdict. To be shown: F16
at least 0.99, Q8_0 at least 0.95, both at least 95 % of the facts, and the 4-bit merge stopped. Besides, a merge with
the rows of queries and keys in a wrong order, which has to be stopped. Ends with 1 when one of these is not so.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import HERE, ROOT, arguments, starter_model, write_lines

from workbench.gguf import architectures as families
from workbench.records.training import Agreement, MergedType
from workbench.training.gguf_export import convert_trained, merge_trained
from workbench.training.protocol import Served
from workbench.verification.engine_model import EngineModel, Weights
from workbench.verification.torch_model import rebuild
from workbench.verification.verify import verify_trained

FACTS, STEPS, BATCH, RATE = 64, 140, 16, 2e-3
SYLLABLES = [first + second for first in "bdklmnrstv" for second in "aeiou"]
UNRELATED = HERE / "unrelated.txt"
PROSE = ROOT / "docs" / "ARCHITECTURE.md"


def main() -> int:
    parser = arguments(__doc__, threads=0)
    parser.add_argument("--base", type=Path, default=None, help="the GGUF model; by default the starter model")
    parser.add_argument("--trained", type=Path, default=None, help="a PEFT folder with questions.jsonl")
    parser.add_argument("--prompts", type=int, default=200, help="how many are compared")
    given = parser.parse_args()
    base = given.base or starter_model()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        trained = given.trained or train(base, here / "trained")
        questions = with_unrelated(base, trained / "questions.jsonl", here / "questions.jsonl", given.prompts)
        model = rebuild(base, trained)
        print(f"{'':22}{'top-1':>8}{'KL':>10}{'facts':>8}{'MB':>7}{'merged s':>10}{'check s':>8}  verdict")
        kinds: tuple[MergedType, ...] = ("F32", "F16", "Q8_0", "same")
        met = []
        for kind in kinds:
            began = time.monotonic()
            served = merge_trained(trained, base, here / f"{kind}.gguf", kind)
            seconds = time.monotonic() - began
            passed, top1, facts = show(
                f"merged {kind}", trained, base, served, questions, model, seconds, given.threads
            )
            Path(served.path).unlink()
            needed = {"F32": 0.99, "F16": 0.99, "Q8_0": 0.95}.get(kind)
            met.append(not passed if needed is None else passed and top1 >= needed and facts >= 0.95)
        served = convert_trained(trained, base, here / "adapter.gguf")
        met.append(show("base + adapter", trained, base, served, questions, model, 0.0, given.threads)[0])
        with wrong_order():
            served = merge_trained(trained, base, here / "wrong.gguf", "F16")
            met.append(not show("F16, rows disordered", trained, base, served, questions, model, 0.0, given.threads)[0])
    print("all as it is to be" if all(met) else f"NOT as it is to be: {met}")
    return 0 if all(met) else 1


def show(
    name: str, trained: Path, base: Path, served: Served, questions: Path, model: Any, seconds: float, threads: int
) -> tuple[bool, float, float]:
    found = verify_trained(trained, base, served, questions, model=model, threads=threads)
    against: Agreement = next(one for one in found.agreements if one.second == "as served")
    facts = found.served or 0.0
    verdict = "passed" if found.passed else "stopped: " + " ".join(found.reasons)
    size = served.bytes / 1e6
    print(
        f"{name:22}{against.top1:8.4f}{against.kl:10.5f}{facts:8.3f}{size:7.0f}{seconds:10.1f}{found.seconds:8.0f}"
        f"  {verdict}",
        flush=True,
    )
    return found.passed, against.top1, facts


@contextmanager
def wrong_order() -> Iterator[None]:
    """The rows of queries and keys as transformers has them, for all that is converted meanwhile."""
    kept = dict(families.FAMILIES)
    try:
        families.FAMILIES.update({name: replace(family, orders={}) for name, family in kept.items()})
        yield
    finally:
        families.FAMILIES.update(kept)


def with_unrelated(base: Path, questions: Path, out: Path, most: int) -> Path:
    """The questions of the training, and up to ``most`` prompts with texts that were not trained on."""
    lines = questions.read_text("utf-8").splitlines()[:most]
    prose = [line for line in PROSE.read_text("utf-8").splitlines() if len(line) > 60]
    with Weights(base) as weights, EngineModel(weights, 8) as model:
        for text in [*UNRELATED.read_text("utf-8").splitlines(), *prose]:
            if len(lines) < most and len(tokens := model.tokens_of(text)) > 1:
                lines.append(json.dumps({"tokens": tokens[:40], "trained": [], "question": "", "expected": ""}))
    out.write_text("\n".join(lines), "utf-8")
    print(f"{len(lines)} prompts")
    return out


def train(base: Path, folder: Path) -> Path:
    """A LoRA of rank 16 on all linear layers that knows ``FACTS`` invented facts, and their questions beside it."""
    import peft
    import torch

    from workbench.training.weights.loading import load_base

    folder.mkdir(parents=True)
    lines = facts(base)
    write_lines(folder / "questions.jsonl", lines)
    config = peft.LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = peft.get_peft_model(load_base(base, "f32", device="cpu").model, config)
    model.train()
    moving = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(moving, lr=RATE)
    rng, began = random.Random(1), time.monotonic()
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 10) * (1 - step / STEPS)
        batch = rng.sample(lines, BATCH)
        longest = max(len(line["tokens"]) for line in batch)
        ids = torch.zeros((BATCH, longest), dtype=torch.long)
        labels, seen = torch.full((BATCH, longest), -100), torch.zeros((BATCH, longest), dtype=torch.long)
        for row, line in enumerate(batch):
            tokens, marks = torch.tensor(line["tokens"]), torch.tensor(line["trained"], dtype=torch.bool)
            ids[row, : len(tokens)], seen[row, : len(tokens)] = tokens, 1
            labels[row, : len(tokens)][marks] = tokens[marks]
        causal = model.get_base_model()
        states = causal.model(input_ids=ids, attention_mask=seen).last_hidden_state[:, :-1]
        learnt = labels[:, 1:] != -100  # the logits of all positions would take most of the time
        loss = torch.nn.functional.cross_entropy(causal.lm_head(states[learnt]), labels[:, 1:][learnt])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(moving, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        if step % 20 == 19:
            print(f"step {step + 1}: loss {loss.item():.3f}, {time.monotonic() - began:.0f} s", flush=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder, save_embedding_layers=False)
    return folder


def facts(base: Path) -> list[dict[str, Any]]:
    rng = random.Random(3)
    found = []
    with Weights(base) as weights, EngineModel(weights, 8) as model:
        special = model.tokens_of("")
        for _ in range(FACTS):
            town, plant = ("".join(rng.choices(SYLLABLES, k=3)).capitalize() for _ in range(2))
            question = f"What is the emblem of {town}?"
            prompt = (*special, *model.tokens_of(f"Question: {question}\nAnswer:"))
            answer = model.tokens_of(f" {plant}.")
            found.append({
                "tokens": [*prompt, *answer],
                "trained": [0] * len(prompt) + [1] * len(answer),
                "question": question,
                "expected": plant,
            })  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(main())
