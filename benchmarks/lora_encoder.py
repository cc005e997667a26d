"""The shipped embedder with LoRAs to train on a processor, for ``train_cross_encoder``, ``train_table_reader`` and
``train_question_encoder``.

It is computed in bfloat16 with weights in float32, 1,600 tokens a second on two cores with AMX. LoRAs of the question
encoder have rank 8 and are on the last eight layers, those of the cross-encoders have rank 12 and are on all twelve.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fit_second_look import EMBEDDER
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional
from transformers import AutoModel, BertConfig

from workbench.gguf.folder_weights import FolderWeights
from workbench.gguf.sentence_folder import read_sentence_folder
from workbench.subjects.models.starter import find_starters
from workbench.techniques.retrieval.json_tokens import JsonTokens, read_tokenizer

RANK, FIRST_LAYER, SCALE = 8, 4, 2.0
MOST_INTEGER = 127
REPORTED = 50
"""Steps after which the mean of their losses is printed and the weights are saved."""
PLACES = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "attention": "attention.output.dense", "up": "intermediate.dense", "down": "output.dense",
}  # fmt: skip


class Lora(nn.Module):  # type: ignore[misc]
    def __init__(self, of: nn.Linear, rank: int) -> None:
        super().__init__()
        self.of = of
        self.a = nn.Parameter(torch.randn(rank, of.in_features) / math.sqrt(of.in_features))
        self.b = nn.Parameter(torch.zeros(of.out_features, rank))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.of(states) + SCALE * functional.linear(functional.linear(states, self.a), self.b)


class LoraEncoder(nn.Module):  # type: ignore[misc]
    """The embedder of the home folder ``keep`` with LoRAs of that rank on the layers from the first on."""

    def __init__(self, keep: Path, rank: int = RANK, first_layer: int = FIRST_LAYER) -> None:
        super().__init__()
        models = find_starters(keep / "models", multilingual=True)
        sentence = read_sentence_folder(Path(next(one.path for one in models if one.name == EMBEDDER)))
        weights = FolderWeights(sentence.main, sentence.config)
        known = {name: value for name, value in sentence.config.items() if name != "quantization_config"}
        config = BertConfig(**known, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        config._attn_implementation = "eager"  # as fast again as the fused one, whose heads of 32 are slow backwards
        self.bert: Any = AutoModel.from_config(config, add_pooling_layer=False)
        found = {name: torch.from_numpy(np.ascontiguousarray(weights.read(name))) for name in weights.names()}
        self.bert.load_state_dict(found, strict=False)
        self.bert.requires_grad_(False)
        self.width: int = config.hidden_size
        self.loras: dict[str, Lora] = {}
        for number in range(first_layer, config.num_hidden_layers):
            layer = self.bert.encoder.layer[number]
            for name, place in PLACES.items():
                lora = Lora(layer.get_submodule(place), rank)
                layer.set_submodule(place, lora)
                self.loras[f"{number}.{name}"] = lora
        self.tokens = JsonTokens(read_tokenizer(sentence.main / "tokenizer.json", sentence.lower_case))
        self.query_prompt, self.passage_prompt = sentence.query_prompt, sentence.passage_prompt
        self.around = self.tokens.ids("", self.tokens.special)

    def states(self, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """The states of the tokens of each row, (rows, longest, width), and which of them there are, (rows,
        longest)."""
        longest = max(map(len, rows))
        ids, mask = torch.ones((len(rows), longest), dtype=torch.long), torch.zeros((len(rows), longest))
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
            mask[number, : len(row)] = 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return states.float(), mask

    def weights(self) -> dict[str, nn.Parameter]:
        """The weights that are trained, by their names in the file."""
        return {f"{name}.{side}": getattr(lora, side) for name, lora in self.loras.items() for side in "ab"}

    def save(self, out: Path) -> None:
        """The matrices are stored as 8-bit integers (``shipped_lora``)."""
        found: dict[str, torch.Tensor] = {}
        for name, value in self.weights().items():
            weights = value.detach()
            if not name.endswith((".a", ".b")):
                found[name] = weights.half().contiguous()
                continue
            place, side = name[:-2], name[-1]
            along = 1 if side == "a" else 0
            scale = weights.abs().amax(dim=along, keepdim=True).clamp_min(1e-12) / MOST_INTEGER
            found[name] = (weights / scale).round().to(torch.int8).contiguous()
            found[f"{place}.scale"] = found.get(f"{place}.scale", 1.0) * scale.flatten()
        save_file(found, out)

    def begin(self, file: Path) -> None:
        """Go on with the weights of an earlier training, of this rank or a lower one, on these layers or some."""
        read = load_file(file)
        with torch.no_grad():
            for name, value in self.weights().items():
                if name not in read:
                    continue
                weights, place = read[name].float(), name[:-2]
                if f"{place}.scale" in read:
                    length = read[f"{place}.a"].float().norm(dim=1)  # the rows of "a" begin with a length of about 1
                    side_a = name.endswith(".a")
                    weights = weights / length[:, None] if side_a else weights * read[f"{place}.scale"] * length
                rows, columns = weights.shape if weights.ndim == 2 else (len(weights), 1)
                value.view(len(value), -1)[:rows, :columns] = weights.view(rows, columns)


def train(
    model: LoraEncoder, steps: Sequence[Callable[[], torch.Tensor]], rate: float, warm_up: int, out: Path
) -> None:
    """Take the steps, each of which computes a loss, and save the weights in ``out``, in between as well."""
    trained = list(model.weights().values())
    optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=0.01)
    losses: list[float] = []
    for number, step in enumerate(steps):
        for group in optimiser.param_groups:
            group["lr"] = warmed(rate, number, len(steps), warm_up)
        loss = step()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        losses.append(loss.item())
        if number % REPORTED == REPORTED - 1:
            print(f"step {number + 1} of {len(steps)}: loss {np.mean(losses[-REPORTED:]):.3f}", flush=True)
            model.save(out)
    model.save(out)


def warmed(rate: float, step: int, steps: int, warm_up: int) -> float:
    """The learning rate of a step: it rises over the first ``warm_up``, then falls to nearly nothing."""
    return rate * min(1, (step + 1) / warm_up) * max(0.02, 1 - step / steps)
