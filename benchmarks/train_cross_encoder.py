"""Train the cross-encoder of ``workbench/techniques/retrieval/cross_encoder.py``: a LoRA and a head, on a processor.

    python benchmarks/train_cross_encoder.py --made MADE --keep KEEP --out OUT.safetensors --epochs 1.6

The questions are those of benchmarks/offices (``--made``, as for ``fit_sentences.py``) but for ``UNSEEN``, with the 24
sentences that are picked of their hits; and those of ``--data``: SQuAD 2.0, and XQuAD in three languages, also asked in
another one than the paragraphs', with the sentences of their paragraph and some of others of its article. Some of these
lose their paragraph. A quarter of the articles are left out. The loss is the cross-entropy of the sentences of a
question and of "none of them", whose score is 0; with several that answer, of their sum (listwise, Cao et al. 2007).

An epoch takes about 25 minutes on two cores with AMX; computed in bfloat16 with weights in float32. The LoRA is on the
last eight layers, rank 8. The weights derive in part from XQuAD and SQuAD 2.0 (CC BY-SA 4.0); the offices are our own
(CC0).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fit_second_look import EMBEDDER, UNSEEN
from harness import DATA, HERE, arguments, read_lines
from office_answers import MADE
from safetensors.torch import load_file, save_file
from sentence_rows import FOLDS, article, office_rows
from torch import nn
from torch.nn import functional
from transformers import AutoModel, BertConfig
from trust import contains

from workbench.gguf.folder_weights import FolderWeights
from workbench.gguf.sentence_folder import read_sentence_folder
from workbench.records.messages import Passage
from workbench.subjects.models.starter import find_starters
from workbench.techniques.retrieval.cross_encoder import RANK, read_together
from workbench.techniques.retrieval.json_tokens import JsonTokens, read_tokenizer
from workbench.techniques.retrieval.sentence_features import in_context
from workbench.techniques.retrieval.sentence_pick import MOST_EMBEDDED, pick_by
from workbench.techniques.retrieval.sentence_pick import weights as pick_weights
from workbench.techniques.retrieval.sentence_units import split_units

FIRST_LAYER, SCALE = 4, 2.0
PARAGRAPHS = (
    ("squad2", "en", 4052), ("xquad/en", "en", 1190), ("xquad/de", "de", 800), ("xquad/zh", "zh", 500),
    ("xquad/en", "de", 1190), ("xquad/de", "en", 600), ("xquad/en", "zh", 300), ("xquad/zh", "en", 300),
)  # fmt: skip
"""Paragraphs, the language of the questions, and how many of these are drawn."""

LEFT_OUT_FROM = 9
"""Articles of this fold and later ones are left out."""

OTHERS, REMOVED = 4, 0.12
"""Sentences of other paragraphs beside those of a question's own; the share of questions that lose their own."""

PER_OFFICE_QUESTION, PER_PARAGRAPH_QUESTION, GOOD = 8, 6, 2
"""Sentences of a question in a step, and the most that answer among them."""

STEP_TOKENS, WARM_UP, OFFICE_WEIGHT = 5_000, 60, 2.0
PLACES = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "attention": "attention.output.dense", "up": "intermediate.dense", "down": "output.dense",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A question with its ``sentences``, the most probable first, and which of them answer it."""

    office: bool
    question: str
    sentences: tuple[str, ...]
    good: tuple[bool, ...]


class Lora(nn.Module):  # type: ignore[misc]
    def __init__(self, of: nn.Linear) -> None:
        super().__init__()
        self.of = of
        self.a = nn.Parameter(torch.randn(RANK, of.in_features) / math.sqrt(of.in_features))
        self.b = nn.Parameter(torch.zeros(of.out_features, RANK))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.of(states) + SCALE * functional.linear(functional.linear(states, self.a), self.b)


class CrossEncoder(nn.Module):  # type: ignore[misc]
    """The embedder in ``folder`` with its LoRAs and head; ``begun``: a file of an earlier training to go on with."""

    def __init__(self, folder: Path, begun: Path | None) -> None:
        super().__init__()
        sentence = read_sentence_folder(folder)
        weights = FolderWeights(sentence.main, sentence.config)
        known = {name: value for name, value in sentence.config.items() if name != "quantization_config"}
        config = BertConfig(**known, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        config._attn_implementation = "eager"  # as fast again as the fused one, whose heads of 32 are slow backwards
        self.bert: Any = AutoModel.from_config(config, add_pooling_layer=False)
        found = {name: torch.from_numpy(np.ascontiguousarray(weights.read(name))) for name in weights.names()}
        self.bert.load_state_dict(found, strict=False)
        self.bert.requires_grad_(False)
        self.head = nn.Linear(config.hidden_size, 1)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.loras: dict[str, Lora] = {}
        for number in range(FIRST_LAYER, config.num_hidden_layers):
            layer = self.bert.encoder.layer[number]
            for name, place in PLACES.items():
                lora = Lora(layer.get_submodule(place))
                layer.set_submodule(place, lora)
                self.loras[f"{number}.{name}"] = lora
        if begun is not None:
            self._begin(begun)
        tokenizer = JsonTokens(read_tokenizer(sentence.main / "tokenizer.json", sentence.lower_case))
        self._tokens, self._prompts = tokenizer, (sentence.query_prompt, sentence.passage_prompt)
        self._around = tokenizer.ids("", tokenizer.special)

    def read(self, question: str, sentence: str) -> list[int]:
        asked, told = (
            self._tokens.plain_ids(prompt + text)
            for prompt, text in zip(self._prompts, (question, sentence), strict=True)
        )
        return read_together(asked, told, self._around)

    def forward(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Scores, (rows,)."""
        longest = max(map(len, rows))
        ids, mask = torch.ones((len(rows), longest), dtype=torch.long), torch.zeros((len(rows), longest))
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
            mask[number, : len(row)] = 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        mean = (states.float() * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return self.head(mean).squeeze(-1)

    def trained(self) -> list[nn.Parameter]:
        return [one for lora in self.loras.values() for one in (lora.a, lora.b)] + list(self.head.parameters())

    def save(self, out: Path) -> None:
        found = {"head.weight": self.head.weight, "head.bias": self.head.bias}
        for name, lora in self.loras.items():
            found |= {f"{name}.a": lora.a, f"{name}.b": lora.b}
        save_file({name: value.detach().half().contiguous() for name, value in found.items()}, out)

    def _begin(self, file: Path) -> None:
        read = load_file(file)
        with torch.no_grad():
            self.head.weight.copy_(read["head.weight"])
            self.head.bias.copy_(read["head.bias"])
            for name, lora in self.loras.items():
                lora.a.copy_(read[f"{name}.a"])
                lora.b.copy_(read[f"{name}.b"])


def of_offices(made: Path, data: Path, keep: Path) -> Iterator[Asked]:
    offices = [office for office in MADE if office not in UNSEEN]
    for row in office_rows(made, data, keep, EMBEDDER, offices):
        picked = pick_by(pick_weights(), row.tabled.features, row.tabled.candidates)
        units = [row.tabled.candidates[number] for number in [*picked.first, *picked.further][:MOST_EMBEDDED]]
        good = tuple(row.good[unit.rank, unit.number] for unit in units)
        if units and (any(good) or not row.answerable):
            yield Asked(True, row.question, tuple(map(in_context, units)), good)


def of_paragraphs(data: Path, chance: random.Random) -> Iterator[Asked]:
    for name, language, count in PARAGRAPHS:
        source = data / name
        texts = {one["id"]: one["text"] for one in read_lines(source / "paragraphs.jsonl")}
        passages = [
            Passage(
                collection="", document=id, document_hash="", path=id, title="", text=text, start=0, end=len(text)
            )
            for id, text in texts.items()
        ]  # fmt: skip
        units = {
            passage.path: [unit.text for unit in its if unit.states]
            for passage, its in zip(passages, split_units(passages), strict=True)
        }
        questions = read_lines(source / "questions.jsonl")
        answers = {one["id"]: one["answers"] for one in questions}
        if name.startswith("xquad") and not name.endswith(language):
            questions = read_lines(data / "xquad" / language / "questions.jsonl")
        articles = sorted(set(map(article, texts)))
        for asked in chance.sample(questions, min(count, len(questions))):
            paragraph = asked["paragraph"]
            if articles.index(article(paragraph)) % FOLDS >= LEFT_OUT_FROM:
                continue
            own = units[paragraph]
            answerable = asked.get("answerable", True)
            script = "zh" if "zh" in name else "en"
            good = [answerable and contains(text, answers[asked["id"]], script) for text in own]
            near = [one for one in texts if one != paragraph and article(one) == article(paragraph)]
            rest = [text for one in near for text in units[one]]
            if answerable and chance.random() < REMOVED:
                own, good, answerable = [], [], False
            others = chance.sample(rest, min(2 * OTHERS if not own else OTHERS, len(rest)))
            if answerable and not any(good):
                continue
            yield Asked(False, asked["question"], (*own, *others), (*good, *[False] * len(others)))


def drawn(asked: Asked, chance: random.Random) -> tuple[list[int], list[int]]:
    """The numbers of the sentences of a step: some that answer, and others, near ones more often."""
    good = [number for number, one in enumerate(asked.good) if one]
    chance.shuffle(good)
    good = good[:GOOD]
    rest = [number for number, one in enumerate(asked.good) if not one]
    rest.sort(key=lambda number: -(chance.random() ** (1 + 0.15 * number)))
    return good, rest[: (PER_OFFICE_QUESTION if asked.office else PER_PARAGRAPH_QUESTION) - len(good)]


def loss_of(scores: torch.Tensor, good: int) -> torch.Tensor:
    """The cross-entropy; the first ``good`` of the ``scores`` are of sentences that answer."""
    shares = functional.log_softmax(torch.cat([torch.zeros(1), scores]), dim=0)
    return -(torch.logsumexp(shares[1 : 1 + good], dim=0) if good else shares[0])


def train(model: CrossEncoder, questions: Sequence[Asked], epochs: float, rate: float, out: Path) -> None:
    chance = random.Random(5)
    order = [one for _ in range(math.ceil(epochs)) for one in chance.sample(questions, len(questions))]
    steps: list[list[tuple[Asked, int, list[list[int]]]]] = [[]]
    tokens = 0
    for asked in order[: round(epochs * len(questions))]:
        good, rest = drawn(asked, chance)
        rows = [model.read(asked.question, asked.sentences[number]) for number in (*good, *rest)]
        steps[-1].append((asked, len(good), rows))
        tokens += sum(map(len, rows))
        if tokens > STEP_TOKENS:
            steps.append([])
            tokens = 0
    optimiser = torch.optim.AdamW(model.trained(), lr=rate, weight_decay=0.01)
    losses: list[float] = []
    for number, step in enumerate(filter(None, steps)):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (number + 1) / WARM_UP) * max(0.02, 1 - number / len(steps))
        flat = [row for _, _, rows in step for row in rows]
        by_length = sorted(range(len(flat)), key=lambda at: len(flat[at]))
        parts = [list(part) for part in np.array_split(by_length, 3) if len(part)]  # so that little is padded
        found = torch.cat([model([flat[at] for at in part]) for part in parts])
        scores = found[torch.argsort(torch.tensor([at for part in parts for at in part]))]
        total, weights, at = torch.zeros(()), 0.0, 0
        for asked, answering, rows in step:
            weight = OFFICE_WEIGHT if asked.office else 1.0
            total = total + weight * loss_of(scores[at : at + len(rows)], answering)
            weights, at = weights + weight, at + len(rows)
        optimiser.zero_grad()
        (total / weights).backward()
        nn.utils.clip_grad_norm_(model.trained(), 1.0)
        optimiser.step()
        losses.append(total.item() / weights)
        if number % 50 == 49:
            print(f"step {number + 1} of {len(steps)}: loss {np.mean(losses[-50:]):.3f}", flush=True)
            model.save(out)
    model.save(out)


def main() -> None:
    parser = arguments(
        __doc__, "keep", "out", data=DATA, made=HERE / "offices" / "made", epochs=1.6, rate=1e-3, begun=""
    )
    chosen = parser.parse_args()
    torch.manual_seed(5)
    models = find_starters(chosen.keep / "models", multilingual=True)
    folder = Path(next(one.path for one in models if one.name == EMBEDDER))
    questions = [*of_offices(chosen.made, chosen.data, chosen.keep), *of_paragraphs(chosen.data, random.Random(11))]
    print(f"{len(questions)} questions", flush=True)
    model = CrossEncoder(folder, Path(chosen.begun) if chosen.begun else None)
    train(model, questions, chosen.epochs, chosen.rate, Path(chosen.out))


if __name__ == "__main__":
    main()
