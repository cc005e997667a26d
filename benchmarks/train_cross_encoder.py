"""Train the cross-encoder of ``workbench/techniques/retrieval/cross_encoder.py``: a LoRA and a head, on a processor.

    python benchmarks/train_cross_encoder.py --made MADE --keep KEEP --out OUT.safetensors --epochs 1.2

The questions are those of benchmarks/offices (``--made``, as for ``fit_sentences.py``) but for ``UNSEEN``, with the
passages that would be read; and ``--share`` of those of ``--data``: SQuAD 2.0, and XQuAD in three languages, also asked
in another one than the paragraphs', with their paragraph and others of its article. Some of these lose what answers
them. A quarter of the articles are left out. The loss is the cross-entropy of the sentences of some passages and of
"none of them", whose score is 0; with several that answer, of their sum (listwise, Cao et al. 2007).

It is computed in bfloat16 with weights in float32, 1,600 tokens a second on two cores with AMX. The LoRA is on the last
eight layers, rank 8. The weights derive in part from XQuAD and SQuAD 2.0 (CC BY-SA 4.0); the offices are our own (CC0).
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
from office_answers import MADE, PLAIN
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
from workbench.techniques.retrieval.cross_encoder import RANK, Text, read_together
from workbench.techniques.retrieval.json_tokens import JsonTokens, read_tokenizer
from workbench.techniques.retrieval.second_look import passages_to_read
from workbench.techniques.retrieval.sentence_pick import pick_features
from workbench.techniques.retrieval.sentence_pick import weights as pick_weights
from workbench.techniques.retrieval.sentence_units import Unit, split_units

FIRST_LAYER, SCALE = 4, 2.0
PARAGRAPHS = (
    ("squad2", "en", 4052), ("xquad/en", "en", 1190), ("xquad/de", "de", 800), ("xquad/zh", "zh", 500),
    ("xquad/en", "de", 1190), ("xquad/de", "en", 600), ("xquad/en", "zh", 300), ("xquad/zh", "en", 300),
)  # fmt: skip
"""Paragraphs, the language of the questions, and how many of these are drawn."""

LEFT_OUT_FROM = 9
"""Articles of this fold and later ones are left out."""

REMOVED = 0.12
"""The share of questions that lose the passages that answer them."""

PASSAGES_DRAWN, PER_OFFICE_QUESTION, PER_PARAGRAPH_QUESTION = 8, 3, 2
"""Passages of an office from which those of a step are drawn; passages of a question in a step, one of which answers it
where one does."""

STEP_TOKENS, WARM_UP, OFFICE_WEIGHT = 5_000, 60, 2.0
PLACES = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "attention": "attention.output.dense", "up": "intermediate.dense", "down": "output.dense",
}  # fmt: skip


@dataclass(frozen=True)
class Read:
    """A passage as it is read: what stands above it, its parts, which of them can be an answer, and which are one."""

    context: str
    parts: tuple[str, ...]
    stating: tuple[bool, ...]
    good: tuple[bool, ...]


@dataclass(frozen=True)
class Asked:
    """A question with its ``passages``, the most probable first."""

    office: bool
    question: str
    passages: tuple[Read, ...]


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

    def read(self, question: str, passage: Read) -> list[Text]:
        asked, context = (
            self._tokens.plain_ids(prompt + text)
            for prompt, text in zip(self._prompts, (question, passage.context), strict=True)
        )
        return read_together(asked, context, [self._tokens.plain_ids(part) for part in passage.parts], self._around)

    def forward(self, rows: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Scores of the tokens, (tokens,) of each row; the score of a part is their mean."""
        longest = max(map(len, rows))
        ids, mask = torch.ones((len(rows), longest), dtype=torch.long), torch.zeros((len(rows), longest))
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
            mask[number, : len(row)] = 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        scores = self.head(states.float()).squeeze(-1)
        return [one[: len(row)] for one, row in zip(scores, rows, strict=True)]

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
    offices = [office for office in MADE + PLAIN if office not in UNSEEN]
    for row in office_rows(made, data, keep, EMBEDDER, offices):
        scores = pick_features(row.tabled.features, row.tabled.candidates) @ pick_weights()
        passages = []
        for rank in passages_to_read(row.tabled, scores, PASSAGES_DRAWN):
            units = row.tabled.units[rank]
            passages.append(read_units(units, [row.good[unit.rank, unit.number] for unit in units]))
        if passages and (not row.answerable or any(any(one.good) for one in passages)):
            yield Asked(True, row.question, tuple(passages))


def read_units(units: Sequence[Unit], good: Sequence[bool]) -> Read:
    parts, stating = tuple(unit.text for unit in units), tuple(unit.states for unit in units)
    return Read(units[0].passage.context, parts, stating, tuple(good))


def of_paragraphs(data: Path, share: float, chance: random.Random) -> Iterator[Asked]:
    for name, language, count in PARAGRAPHS:
        source = data / name
        texts = {one["id"]: one["text"] for one in read_lines(source / "paragraphs.jsonl")}
        passages = [
            Passage(
                collection="", document=id, document_hash="", path=id, title="", text=text, start=0, end=len(text)
            )
            for id, text in texts.items()
        ]  # fmt: skip
        units = {passage.path: its for passage, its in zip(passages, split_units(passages), strict=True)}
        questions = read_lines(source / "questions.jsonl")
        answers = {one["id"]: one["answers"] for one in questions}
        if name.startswith("xquad") and not name.endswith(language):
            questions = read_lines(data / "xquad" / language / "questions.jsonl")
        articles = sorted(set(map(article, texts)))
        for asked in chance.sample(questions, min(round(share * count), len(questions))):
            paragraph = asked["paragraph"]
            if articles.index(article(paragraph)) % FOLDS >= LEFT_OUT_FROM:
                continue
            answerable = asked.get("answerable", True)
            script, golds = "zh" if "zh" in name else "en", answers[asked["id"]]

            its = units[paragraph]
            own = read_units(its, [answerable and contains(unit.text, golds, script) for unit in its])
            near = [one for one in texts if one != paragraph and article(one) == article(paragraph)]
            some = chance.sample(near, min(len(near), PER_PARAGRAPH_QUESTION))
            others = [read_units(units[one], [False] * len(units[one])) for one in some]
            if any(own.good) or not answerable:
                yield Asked(False, asked["question"], (own, *others))


def drawn(asked: Asked, chance: random.Random) -> list[Read]:
    """The passages of a step: one that answers, and others, near ones more often."""
    good = [one for one in asked.passages if any(one.good)]
    rest = [one for one in asked.passages if not any(one.good)]
    order = sorted(range(len(rest)), key=lambda number: -(chance.random() ** (1 + 0.4 * number)))
    count = PER_OFFICE_QUESTION if asked.office else PER_PARAGRAPH_QUESTION
    kept = [chance.choice(good)] if good and (not rest or chance.random() >= REMOVED) else []
    return kept + [rest[number] for number in order[: count - len(kept)]]


def loss_of(scores: torch.Tensor, good: torch.Tensor) -> torch.Tensor:
    """The cross-entropy of the ``scores`` (n,) of sentences, of which those that are ``good`` (n,) answer."""
    shares = functional.log_softmax(torch.cat([torch.zeros(1), scores]), dim=0)
    return -(torch.logsumexp(shares[1:][good], dim=0) if good.any() else shares[0])


@dataclass(frozen=True)
class Drawn:
    """A question in a step: its texts, and of each part of them that can be an answer the text's number, the tokens'
    places, and whether it is one."""

    office: bool
    texts: list[Text]
    parts: list[tuple[int, int, int, bool]]


def of_step(model: CrossEncoder, asked: Asked, chance: random.Random) -> Drawn:
    texts: list[Text] = []
    parts: list[tuple[int, int, int, bool]] = []
    for passage in drawn(asked, chance):
        for text in model.read(asked.question, passage):
            stating = [one for one in text.parts if passage.stating[one[0]]]
            parts += [(len(texts), start, end, passage.good[number]) for number, start, end in stating]
            texts.append(text)
    return Drawn(asked.office, texts, parts)


def loss_of_step(model: CrossEncoder, step: Sequence[Drawn]) -> torch.Tensor:
    flat = [text.ids for one in step for text in one.texts]
    by_length = sorted(range(len(flat)), key=lambda at: len(flat[at]))
    parts = [list(part) for part in np.array_split(by_length, 3) if len(part)]  # so that little is padded
    found = [one for part in parts for one in model([flat[at] for at in part])]
    scores = dict(zip([at for part in parts for at in part], found, strict=True))
    total, weights, first = torch.zeros(()), 0.0, 0
    for one in step:
        if one.parts:
            weight = OFFICE_WEIGHT if one.office else 1.0
            of_parts = torch.stack([scores[first + text][start:end].mean() for text, start, end, _ in one.parts])
            total = total + weight * loss_of(of_parts, torch.tensor([good for *_, good in one.parts]))
            weights += weight
        first += len(one.texts)
    return total / max(1.0, weights)


def train(model: CrossEncoder, questions: Sequence[Asked], epochs: float, rate: float, out: Path) -> None:
    chance = random.Random(5)
    order = [one for _ in range(math.ceil(epochs)) for one in chance.sample(questions, len(questions))]
    steps: list[list[Drawn]] = [[]]
    tokens = 0
    for asked in order[: round(epochs * len(questions))]:
        steps[-1].append(of_step(model, asked, chance))
        tokens += sum(len(text.ids) for text in steps[-1][-1].texts)
        if tokens > STEP_TOKENS:
            steps.append([])
            tokens = 0
    optimiser = torch.optim.AdamW(model.trained(), lr=rate, weight_decay=0.01)
    losses: list[float] = []
    for number, step in enumerate(filter(None, steps)):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (number + 1) / WARM_UP) * max(0.02, 1 - number / len(steps))
        loss = loss_of_step(model, step)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.trained(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        if number % 50 == 49:
            print(f"step {number + 1} of {len(steps)}: loss {np.mean(losses[-50:]):.3f}", flush=True)
            model.save(out)
    model.save(out)


def main() -> None:
    parser = arguments(
        __doc__, "keep", "out", data=DATA, made=HERE / "offices" / "made", epochs=1.2, rate=1e-3, begun="", share=0.4
    )
    chosen = parser.parse_args()
    torch.manual_seed(5)
    models = find_starters(chosen.keep / "models", multilingual=True)
    folder = Path(next(one.path for one in models if one.name == EMBEDDER))
    questions = [
        *of_offices(chosen.made, chosen.data, chosen.keep),
        *of_paragraphs(chosen.data, chosen.share, random.Random(11)),
    ]
    print(f"{len(questions)} questions", flush=True)
    model = CrossEncoder(folder, Path(chosen.begun) if chosen.begun else None)
    train(model, questions, chosen.epochs, chosen.rate, Path(chosen.out))


if __name__ == "__main__":
    main()
