"""Three optimiser steps of DPO are those of TRL's trainer on the same model and tokens."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from tests.unit.training.tiny_training import FakeBase, FakeLoaded, apply_method, save_folder  # noqa: E402
from workbench.records.training import WeightsPart  # noqa: E402
from workbench.training.answer_losses import PairLoss  # noqa: E402
from workbench.training.objectives.dpo import Dpo, DpoOptions  # noqa: E402
from workbench.training.peft_models import trainable_parameters  # noqa: E402
from workbench.training.sequences import TokenSequence  # noqa: E402

ROWS = [{"prompt": f"Question {n}?", "chosen": f" Yes {n}", "rejected": f" No{n * n}, never"} for n in range(4)]
RATE, STEPS, BETA = 1e-2, 3, 0.3


def losses_of_trl(model: Any, tokenizer: Any, folder: Path) -> list[float]:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    arguments = DPOConfig(
        output_dir=str(folder), per_device_train_batch_size=len(ROWS), max_steps=STEPS, learning_rate=RATE,
        lr_scheduler_type="constant", beta=BETA, logging_steps=1, report_to=[], use_cpu=True, disable_tqdm=True,
        save_strategy="no", max_grad_norm=0.0, weight_decay=0.0, gradient_checkpointing=False, bf16=False,
        disable_dropout=True, dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = DPOTrainer(model=model, args=arguments, train_dataset=Dataset.from_list(ROWS), processing_class=tokenizer)
    trainer.train()
    return [one["loss"] for one in trainer.state.log_history if "loss" in one]


def our_losses(model: Any, tokenizer: Any) -> list[float]:
    rows = []
    for one in ROWS:
        prompt, *answers = (tokenizer(one[name]).input_ids for name in ("prompt", "chosen", "rejected"))
        chosen, rejected = ([*answer, tokenizer.eos_token_id] for answer in answers)
        tokens = (*prompt, *chosen, *rejected)
        trained = (False,) * len(prompt) + (True,) * (len(chosen) + len(rejected))
        rows.append(TokenSequence(tokens, trained, (len(prompt) + len(chosen),)))
    loss_of = PairLoss(model, Dpo(DpoOptions(beta=BETA)), rows[0].tokens, torch.float32)
    parameters = list(trainable_parameters(model).values())
    optimiser = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.0)
    found = []
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = loss_of(model, rows).total / len(rows)
        loss.backward()
        optimiser.step()
        found.append(loss.item())
    return found


def test_three_steps_are_those_of_trl(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = save_folder(tmp_path / "tiny")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.eos_token
    base = AutoModelForCausalLM.from_pretrained(folder)
    model = apply_method(FakeLoaded(base, FakeBase("llama")), WeightsPart(method="lora", rank=4))
    ours = our_losses(copy.deepcopy(model), tokenizer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = losses_of_trl(model, tokenizer, tmp_path / "out")
    assert len(ours) == len(theirs) == STEPS
    assert ours == pytest.approx(theirs, abs=1e-4)
    assert ours[-1] < ours[0] - 1e-3
