"""What the tests of the training share: a tiny model to train and tokens to train it on."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit import tiny_models
from tests.unit.rewards.fake_rewards import FakeRewardContext
from tests.unit.tiny_models import VOCABULARY
from workbench.api import events
from workbench.records.training import WeightsPart
from workbench.techniques.registry import METHODS
from workbench.training.control import Switch
from workbench.training.methods.weights_method import WeightsMethod, method_of
from workbench.training.protocol import TrainModel
from workbench.training.run import train
from workbench.training.sequences import TokenSequence

WEIGHTS_METHODS = [row.name for row in METHODS.of("weights")]


def weights_method(part: WeightsPart) -> WeightsMethod:
    return method_of(part, METHODS)


def apply_method(loaded: Any, part: WeightsPart) -> Any:
    return weights_method(part).apply(loaded)


@dataclass(frozen=True)
class FakeBase:
    architecture: str


@dataclass(frozen=True)
class FakeLoaded:
    """As much of a LoadedBase as methods look at."""

    model: Any
    base: FakeBase


def loaded(family: str = "llama", seed: int = 0) -> Any:
    return FakeLoaded(tiny_models.build(family, seed=seed), FakeBase(family))


def sequences(count: int, seed: int = 0, longest: int = 24) -> tuple[TokenSequence, ...]:
    """Texts of unequal length whose last third is learnt."""
    numbers = random.Random(seed)
    made = []
    for _ in range(count):
        length = numbers.randint(6, longest)
        tokens = tuple(numbers.randrange(VOCABULARY) for _ in range(length))
        made.append(TokenSequence(tokens, tuple(place >= length * 2 // 3 for place in range(length))))
    return tuple(made)


TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def save_folder(folder: Path, *, seed: int = 0, width: int = 32) -> Path:
    """A tiny llama of random weights with a vocabulary of bytes and a chat template, as transformers saves it."""
    import torch
    import transformers
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in special])
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    described = {"eos_token": "<|end|>", "chat_template": TEMPLATE, "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(described))
    torch.manual_seed(seed)
    end = tokenizer.token_to_id("<|end|>")
    model = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=width,
            intermediate_size=2 * width,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=256,
            bos_token_id=None,
            eos_token_id=end,
            pad_token_id=end,
        )
    )
    model.save_pretrained(folder)
    return folder


def write_rows(path: Path, count: int = 12) -> Path:
    """Questions and answers of unequal length."""
    numbers = random.Random(1)
    rows = [
        {"prompt": "What is " + "so " * numbers.randint(0, 6) + f"{n}?", "completion": "It is" + f" {n}" * (n % 4 + 1)}
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(call: TrainModel, control: Any = None) -> tuple[Any, list[events.Event]]:
    """A whole training, with scripted rewards: what it leaves, and its events."""
    emitted: list[events.Event] = []
    live = train(call, METHODS, control or Switch(), emitted.append, rewards=FakeRewardContext())
    assert live is not None
    return live, emitted


def metrics(emitted: list[events.Event], name: str) -> list[float]:
    """The values of a metric, in their order."""
    return [one.value for one in emitted if isinstance(one, events.Metric) and one.name == name]
