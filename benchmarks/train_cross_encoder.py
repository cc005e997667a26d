"""Train the cross-encoder of ``workbench/techniques/retrieval/cross_encoder.py``: a LoRA and a head, on a processor.

    python benchmarks/train_cross_encoder.py --made MADE --keep KEEP --out OUT.safetensors --epochs 1.2

The questions are those of benchmarks/offices (``--made``, as for ``fit_sentences.py``) but for ``UNSEEN``, with the
passages that would be read, of the small ones the share ``--small``; and ``--share`` of those of ``--data``: SQuAD 2.0,
and XQuAD in three languages, also asked in another one than the paragraphs', with their paragraph and others of its
article. Some of these lose what answers them. A quarter of the articles are left out. The loss is the cross-entropy of
the sentences of some passages and of "none of them", whose score is 0; with several that answer, of their sum
(listwise, Cao et al. 2007).

The weights derive in part from XQuAD and SQuAD 2.0 (CC BY-SA 4.0); the offices are our own (CC0).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from fit_second_look import EMBEDDER
from harness import DATA, HERE, arguments, read_lines
from lora_encoder import LoraEncoder, train
from office_answers import PLAIN, UNSEEN
from sentence_rows import article, office_rows
from torch import nn
from torch.nn import functional
from trust import contains

from workbench.records.messages import Passage
from workbench.techniques.retrieval.cross_encoder import Text, read_together
from workbench.techniques.retrieval.second_look import passages_to_read
from workbench.techniques.retrieval.sentence_pick import pick_features
from workbench.techniques.retrieval.sentence_pick import weights as pick_weights
from workbench.techniques.retrieval.sentence_units import Unit, split_units

PARAGRAPHS = (
    ("squad2", "en", 4052), ("xquad/en", "en", 1190), ("xquad/de", "de", 800), ("xquad/zh", "zh", 500),
    ("xquad/en", "de", 1190), ("xquad/de", "en", 600), ("xquad/en", "zh", 300), ("xquad/zh", "en", 300),
)  # fmt: skip
"""Paragraphs, the language of the questions, and how many of these are drawn."""

ARTICLE_FOLDS, LEFT_OUT_FROM = 12, 9
"""Articles of this fold and later ones are left out."""

REMOVED = 0.12
"""The share of questions that lose the passages that answer them."""

PASSAGES_DRAWN, PER_OFFICE_QUESTION, PER_PARAGRAPH_QUESTION = 8, 3, 2
"""Passages of an office from which those of a step are drawn; passages of a question in a step, one of which answers it
where one does."""

RANK, FIRST_LAYER = 12, 0
STEP_TOKENS, WARM_UP, OFFICE_WEIGHT = 5_000, 60, 2.0


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


class CrossEncoder(LoraEncoder):
    """The embedder with its LoRAs and a head."""

    def __init__(self, keep: Path) -> None:
        super().__init__(keep, RANK, FIRST_LAYER)
        self.head = nn.Linear(self.width, 1)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def weights(self) -> dict[str, nn.Parameter]:
        return {"head.weight": self.head.weight, "head.bias": self.head.bias, **super().weights()}

    def read(self, question: str, passage: Read) -> list[Text]:
        asked, context = (
            self.tokens.plain_ids(prompt + text)
            for prompt, text in ((self.query_prompt, question), (self.passage_prompt, passage.context))
        )
        return read_together(asked, context, [self.tokens.plain_ids(part) for part in passage.parts], self.around)

    def forward(self, rows: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Scores of the tokens, (tokens,) of each row; the score of a part is their mean."""
        states, _ = self.states(rows)
        scores = self.head(states).squeeze(-1)
        return [one[: len(row)] for one, row in zip(scores, rows, strict=True)]


def of_offices(made: Path, data: Path, keep: Path, small: float) -> Iterator[Asked]:
    """Questions of the offices; of the small ones this share."""
    plain = [office for office in PLAIN if office not in UNSEEN]
    for row in chain(office_rows(made, data, keep, EMBEDDER), office_rows(made, data, keep, EMBEDDER, plain, small)):
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
            if articles.index(article(paragraph)) % ARTICLE_FOLDS >= LEFT_OUT_FROM:
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


def train_on(model: CrossEncoder, questions: Sequence[Asked], epochs: float, rate: float, out: Path) -> None:
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
    made = [partial(loss_of_step, model, step) for step in steps if step]
    train(model, made, rate, WARM_UP, out)


def main() -> None:
    parser = arguments(
        __doc__, "keep", "out", data=DATA, made=HERE / "offices" / "made", epochs=1.2, rate=1e-3, begun="", share=0.4,
        small=1.0,
    )  # fmt: skip
    chosen = parser.parse_args()
    torch.manual_seed(5)
    questions = [
        *of_offices(chosen.made, chosen.data, chosen.keep, chosen.small),
        *of_paragraphs(chosen.data, chosen.share, random.Random(11)),
    ]
    print(f"{len(questions)} questions", flush=True)
    model = CrossEncoder(chosen.keep)
    if chosen.begun:
        model.begin(Path(chosen.begun))
    train_on(model, questions, chosen.epochs, chosen.rate, Path(chosen.out))


if __name__ == "__main__":
    main()
