"""TRL's trainers on examples that are tokens already: no template is applied again.

This file is copied into an exported folder, beside ``train.py``, and knows nothing of the program that wrote it, which
uses ``make_trainer`` itself. It skips the preparation of data in TRL, which is no public interface: requirements.txt
names the versions that it is for.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
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
    model: Any,
    tokenizer: Any,
    settings: dict[str, Any],
    shared: dict[str, Any],
    train: list[Row],
    order: Sequence[int],
    evaluation: Sequence[Row] = (),
    *,
    reward: Callable[..., list[float]] | None = None,
    extended: Callable[[Any], Any] = lambda trainer: trainer,
    **more: Any,
) -> Any:
    """The trainer of ``settings["trainer"]`` for ``model``. ``shared`` are the arguments of any training, ``order``
    the places of the examples ``train`` of all steps, ``reward`` a function as TRL asks for, where answers are sampled,
    ``more`` what the trainer is given besides. ``extended`` makes a subclass of it."""
    chosen = settings["trainer"]
    form = chosen["form"]
    if form != "prompts":
        _use_pad_token(tokenizer, model, [*train, *evaluation])
    if form == "judged":
        train = _mixed([train[place] for place in order], shared["per_device_train_batch_size"])
        order = range(len(train))
        evaluation = _mixed(evaluation, shared["per_device_eval_batch_size"])
    known: dict[str, Sequence[int]] = {}
    if form == "prompts":
        known = {tokenizer.decode(row["prompt_ids"]): row["prompt_ids"] for row in train}
        train = [{**row, "prompt": tokenizer.decode(row["prompt_ids"])} for row in train]
        more["reward_funcs"] = reward
    kind = extended(_of_tokens(getattr(trl, chosen["trainer"]), known))
    arguments = getattr(trl, chosen["trainer"].replace("Trainer", "Config"))(**{**shared, **chosen["arguments"]})
    arguments._n_gpu = min(1, arguments.n_gpu)  # several GPUs are several processes
    return kind(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(train).select(order),
        eval_dataset=Dataset.from_list(list(evaluation)) if evaluation else None,
        processing_class=tokenizer,
        **more,
    )


def exported_trainer(
    model: Any,
    path: Path,
    settings: dict[str, Any],
    shared: dict[str, Any],
    train: list[Row],
    order: list[int],
    evaluation: list[Row],
    collator: Any,
) -> Any:
    """The same in an exported folder: ``path`` is the file or folder of the causal language model ``model``, the
    adapter's config lies beside this file where there is one, and rewards are the rules of the settings."""
    chosen = settings["trainer"]
    tokenizer = _load_tokenizer(path)
    adapter = Path(__file__).with_name("adapter")
    more: dict[str, Any] = {}
    if adapter.is_dir():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            more["peft_config"] = peft.PeftConfig.from_pretrained(str(adapter))
    if chosen["scores"]:
        model = _with_score(model)
        more["peft_config"].task_type, more["peft_config"].modules_to_save = "SEQ_CLS", ["score"]
    if chosen["form"] == "texts":
        more["data_collator"] = collator
    reward = _reward(tokenizer, chosen) if chosen["form"] == "prompts" else None
    return make_trainer(model, tokenizer, settings, shared, train, order, evaluation, reward=reward, **more)


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


def _use_pad_token(tokenizer: Any, model: Any, rows: Sequence[Row]) -> None:
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


def _mixed(rows: Sequence[Row], count: int) -> list[Row]:
    """Every prompt with the answer of the next row as well, within ``count`` rows: they give the divergence."""
    found: list[Row] = []
    for start in range(0, len(rows), count):
        batch = rows[start : start + count]
        for row, other in zip(batch, [*batch[1:], batch[0]], strict=True):
            found.append({**row, "KL_completion_ids": other["completion_ids"]})
    return found


def _reward(tokenizer: Any, chosen: dict[str, Any]) -> Callable[..., list[float]]:
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
