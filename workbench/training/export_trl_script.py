"""TRL's trainers on the examples of an exported folder, which are tokens already: no template is applied again.

This file belongs to an exported folder, beside ``train.py``, and knows nothing of the program that wrote it. It skips
the preparation of data in TRL, which is no public interface: requirements.txt names the versions that it is for.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import peft
import torch
import trl
from datasets import Dataset
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

Row = dict[str, Any]


def make_trainer(
    model: Any, path: Path, settings: dict[str, Any], shared: dict[str, Any], train: list[Row], evaluation: list[Row]
) -> Any:
    """The trainer of ``settings["trainer"]`` for ``model``, the causal language model of the file or folder ``path``.
    ``shared`` are the arguments of any training, ``train`` the examples of all steps in their order."""
    chosen = settings["trainer"]
    tokenizer = _load_tokenizer(path)
    form, adapter = chosen["form"], Path(__file__).with_name("adapter")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = peft.PeftConfig.from_pretrained(str(adapter))
    if chosen["scores"]:
        model = _with_score(model)
        config.task_type, config.modules_to_save = "SEQ_CLS", ["score"]
    if form != "prompts":
        _use_pad_token(tokenizer, model, [*train, *evaluation])
    if form == "judged":
        train = _mixed(train, shared["per_device_train_batch_size"])
        evaluation = _mixed(evaluation, shared["per_device_eval_batch_size"])
    further: dict[str, Any] = {}
    if form == "prompts":
        known = {tokenizer.decode(row["prompt_ids"]): row["prompt_ids"] for row in train}
        for row in train:
            row["prompt"] = tokenizer.decode(row["prompt_ids"])
        further["reward_funcs"] = _rewards(tokenizer, chosen)
    kind = _of_tokens(getattr(trl, chosen["trainer"]), known if form == "prompts" else {})
    arguments = getattr(trl, chosen["trainer"].replace("Trainer", "Config"))(**{**shared, **chosen["arguments"]})
    return kind(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(train),
        eval_dataset=Dataset.from_list(evaluation) if evaluation else None,
        processing_class=tokenizer,
        peft_config=config,
        **further,
    )


def _of_tokens(trainer: Any, prompts: dict[str, Sequence[int]]) -> Any:
    """``trainer`` for data that is tokens; ``prompts`` are the tokens of each prompt, for one that samples."""

    class OfTokens(trainer):  # type: ignore[misc]  # TRL is not followed
        def _prepare_dataset(self, dataset: Any, *rest: Any, **options: Any) -> Any:
            return dataset

        def _tokenize_prompts(self, asked: Sequence[str]) -> Any:
            return [list(prompts[one]) for one in asked], None, {}

    return OfTokens


def _load_tokenizer(path: Path) -> Any:
    if path.is_dir():
        return AutoTokenizer.from_pretrained(path)
    return AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def _use_pad_token(tokenizer: Any, model: Any, rows: list[Row]) -> None:
    """A token that no example has: a score is that of the last token which is no padding."""
    seen = {token for row in rows for name, tokens in row.items() if name.endswith("_ids") for token in tokens}
    tokens = tokenizer.get_vocab()
    tokenizer.pad_token = next(name for name in sorted(tokens, key=tokens.__getitem__) if tokens[name] not in seen)
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id


def _with_score(model: Any) -> Any:
    """The blocks of a language model under a head of one score, which starts at 0."""
    config = model.config
    config.num_labels = 1
    with torch.device("meta"):
        scored = AutoModelForSequenceClassification.from_config(config)
    setattr(scored, scored.base_model_prefix, getattr(model, model.base_model_prefix))
    scored.score = nn.Linear(config.get_text_config().hidden_size, 1, bias=False)
    nn.init.zeros_(scored.score.weight)
    return scored


def _mixed(rows: list[Row], count: int) -> list[Row]:
    """Every prompt with the answer of the next row as well, within ``count`` rows: they give the divergence."""
    found: list[Row] = []
    for start in range(0, len(rows), count):
        batch = rows[start : start + count]
        for row, other in zip(batch, [*batch[1:], batch[0]], strict=True):
            found.append({**row, "KL_completion_ids": other["completion_ids"]})
    return found


def _rewards(tokenizer: Any, chosen: dict[str, Any]) -> Any:
    """The weighted sum of ``chosen["rewards"]``, with -1 for an answer that does not end where that is asked for."""
    from workbench.rewards import values  # it lies in this folder

    def reward(completions: Sequence[str], completion_ids: Sequence[Sequence[int]], **columns: Any) -> list[float]:
        expected = columns.get("expected") or [[]] * len(completions)
        found = []
        for answer, tokens, accepted in zip(completions, completion_ids, expected, strict=True):
            parts = [
                one["weight"] * (getattr(values, one["function"])(answer.strip(), accepted, **one["options"]) or 0.0)
                for one in chosen["rewards"]
            ]
            ended = bool(len(tokens)) and tokens[-1] == tokenizer.eos_token_id
            found.append(sum(parts) if ended or not chosen["penalises"] else -1.0)
        return found

    return reward
