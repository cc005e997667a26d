"""Train the question encoder of ``workbench/techniques/retrieval/question_encoder.py``: a LoRA, on a processor.

    python benchmarks/train_question_encoder.py --made MADE --keep KEEP --out OUT.safetensors

The questions are those of benchmarks/offices (``--made``, as for ``fit_sentences.py``) but for ``UNSEEN``, and of XQuAD
and SQuAD 2.0 (``--data``) but for a quarter of the articles. The vectors of the passages stay as they are. The loss of
a question is the cross-entropy of its office's passages by their cosine, divided by ``TEMPERATURE``; with several that
answer, of their sum. Paragraphs of XQuAD are each drawn in one of three languages, so that questions find them in any.

At the end it tells how many of the questions of ``UNSEEN`` and of the articles that were left out have a passage that
answers them among the first, by the embedder's own vectors and by those that a search takes. Five minutes on two cores
with AMX. The weights derive in part from XQuAD and SQuAD 2.0 (CC BY-SA 4.0); the offices are our own (CC0).
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from fit_second_look import EMBEDDER
from harness import DATA, HERE, arguments, read_lines
from kept_retrieval import kept
from lora_encoder import LoraEncoder, train
from office_answers import MADE, PLAIN, UNSEEN, scorer
from sentence_rows import article, paragraph_file, write_paragraphs
from torch.nn import functional
from train_cross_encoder import ARTICLE_FOLDS, LEFT_OUT_FROM

from workbench.techniques.retrieval.question_encoder import mixed

ONE_PLACE = ("fact", "crosslang", "version", "two")
TEMPERATURE, QUESTIONS, WARM_UP = 0.02, 24, 30
"""A step is of so many questions of one office, or of one set of paragraphs."""

PARAGRAPH_STEPS = 1 / 3
"""Steps of paragraphs to one of offices."""
SETS = ("xquad/en", "xquad/en", "xquad/de", "xquad/zh", "squad2", "squad2")
"""Whose questions are drawn."""
PARAGRAPHS_DRAWN, LONGEST = 90, 64


@dataclass
class Office:
    """``vectors`` (passages, width), the ``questions`` with their kinds, and which passages hold an answer, ``good``
    (questions, passages)."""

    vectors: torch.Tensor
    questions: list[str]
    kinds: list[str]
    good: torch.Tensor


@dataclass
class Paragraphs:
    """``vectors`` (passages, width), of each the id of its paragraph, the questions with the id of theirs, and the
    articles that are ``left_out``."""

    vectors: np.ndarray
    ids: list[str]
    questions: list[tuple[str, str]]
    left_out: set[str]


def read_office(office: str, made: Path, data: Path, keep: Path) -> Office:
    score = scorer(data)

    def write(folder: Path) -> Path:
        return made / office

    with kept(keep, office, EMBEDDER, write) as collection:
        passages, vectors = collection.passages()
    questions, kinds, good = [], [], []
    for asked in read_lines(HERE / "offices" / office / "questions.jsonl"):
        golds = asked.get("answers") or [one for group in asked.get("need") or () for one in group]
        sources = set(asked["sources"])
        holds = [path.name in sources and any(score.contains(text, gold) for gold in golds) for path, text in passages]
        if asked["kind"] in ONE_PLACE and any(holds):
            questions.append(asked["question"])
            kinds.append(asked["kind"])
            good.append(holds)
    return Office(torch.from_numpy(vectors), questions, kinds, torch.tensor(good))


def read_paragraphs(name: str, data: Path, keep: Path) -> Paragraphs:
    known = {paragraph_file(one["id"]): one["id"] for one in read_lines(data / name / "paragraphs.jsonl")}

    def write(folder: Path) -> Path:
        return write_paragraphs(data / name, folder)

    with kept(keep, name.replace("/", "-"), EMBEDDER, write) as collection:
        passages, vectors = collection.passages()
    ids = [known[path.name] for path, _ in passages]
    asked = read_lines(data / name / "questions.jsonl")
    questions = [(one["question"], one["paragraph"]) for one in asked if one.get("answerable", True)]
    articles = sorted(set(map(article, ids)))
    return Paragraphs(
        vectors, ids, questions, {one for n, one in enumerate(articles) if n % ARTICLE_FOLDS >= LEFT_OUT_FROM}
    )


class QuestionEncoder(LoraEncoder):
    def encode(self, questions: Sequence[str]) -> torch.Tensor:
        """Vectors of questions, (n, width), of length 1."""
        first, last = self.around
        rows = [[first, *self.tokens.plain_ids(self.query_prompt + one)[:LONGEST], last] for one in questions]
        states, mask = self.states(rows)
        means = (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return functional.normalize(means, dim=1)

    def encode_all(self, questions: Sequence[str]) -> np.ndarray:
        with torch.no_grad():
            found = [self.encode(questions[at : at + 64]) for at in range(0, len(questions), 64)]
        return np.asarray(torch.cat(found).numpy())


Step = tuple[torch.Tensor, list[str], torch.Tensor]
"""The vectors of passages, (passages, width), questions, and which passages answer them, (questions, passages)."""


def step_of_office(office: Office, some: Sequence[int]) -> Step:
    return office.vectors, [office.questions[number] for number in some], office.good[some]


def step_of_paragraphs(sets: dict[str, Paragraphs], name: str, chance: random.Random) -> Step:
    own = sets[name]
    asked = chance.sample([one for one in own.questions if article(one[1]) not in own.left_out], QUESTIONS)
    versions = [one for one in sets if one.partition("/")[0] == name.partition("/")[0]]
    needed = {paragraph for _, paragraph in asked}
    ids = sorted(set(own.ids))
    ids = sorted(needed | set(chance.sample(ids, min(len(ids), PARAGRAPHS_DRAWN))))
    vectors, of = [], []
    for id in ids:
        places = {one: [at for at, other in enumerate(sets[one].ids) if other == id] for one in versions}
        version = chance.choice([one for one in versions if places[one]])
        vectors += [sets[version].vectors[at] for at in places[version]]
        of += [id] * len(places[version])
    good = torch.tensor([[id == paragraph for id in of] for _, paragraph in asked])
    return torch.from_numpy(np.stack(vectors)), [question for question, _ in asked], good


def steps_of(
    offices: Sequence[Office], sets: dict[str, Paragraphs], epochs: int, chance: random.Random
) -> Iterator[Callable[[], Step]]:
    for _ in range(epochs):
        made: list[Callable[[], Step]] = []
        for office in offices:
            order = chance.sample(range(len(office.questions)), len(office.questions))
            for at in range(0, len(order), QUESTIONS):
                made.append(partial(step_of_office, office, order[at : at + QUESTIONS]))
        for _ in range(round(PARAGRAPH_STEPS * len(made))):
            made.append(partial(step_of_paragraphs, sets, chance.choice(SETS), chance))
        yield from chance.sample(made, len(made))


def loss_of(model: QuestionEncoder, make: Callable[[], Step]) -> torch.Tensor:
    vectors, questions, good = make()
    shares = functional.log_softmax(model.encode(questions) @ vectors.T / TEMPERATURE, dim=1)
    return -torch.logsumexp(shares.masked_fill(~good, -torch.inf), dim=1).mean()


def tell(model: QuestionEncoder, plain: QuestionEncoder, unseen: Sequence[Office], sets: dict[str, Paragraphs]) -> None:
    found: dict[str, Counter[str]] = defaultdict(Counter)

    def count(kinds: Sequence[str], questions: Sequence[str], vectors: np.ndarray, good: np.ndarray) -> None:
        before = plain.encode_all(questions)
        both = mixed(before, model.encode_all(questions))
        for way, asked in (("own", before), ("search", both)):
            order = np.argsort(-(asked @ vectors.T), axis=1)
            ranks = np.take_along_axis(good, order, axis=1).argmax(axis=1)
            for kind, rank in zip(kinds, ranks, strict=True):
                found[kind].update(f"{way} {most}" for most in (1, 3, 5, 10) if rank < most)
        for kind in kinds:
            found[kind]["of"] += 1

    for office in unseen:
        count(office.kinds, office.questions, office.vectors.numpy(), office.good.numpy())
    for name, read in (*((name, name) for name in sets), ("xquad/de", "xquad/en"), ("xquad/en", "xquad/de")):
        asked = [one for one in sets[name].questions if article(one[1]) in sets[name].left_out]
        good = np.array([[id == paragraph for id in sets[read].ids] for _, paragraph in asked])
        count([f"{name} in {read}"] * len(asked), [question for question, _ in asked], sets[read].vectors, good)
    for kind, counts in found.items():
        ways = [
            f"{way} {'/'.join(str(counts[f'{way} {most}']) for most in (1, 3, 5, 10))}" for way in ("own", "search")
        ]
        print(f"{kind}: first 1/3/5/10 of {counts['of']}: {', '.join(ways)}")


def main() -> None:
    parser = arguments(__doc__, "keep", "out", data=DATA, made=HERE / "offices" / "made", epochs=3, rate=5e-4)
    chosen = parser.parse_args()
    torch.manual_seed(3)
    chance = random.Random(5)

    def read(office: str) -> Office:
        return read_office(office, chosen.made, chosen.data, chosen.keep)

    offices = [read(office) for office in MADE + PLAIN if office not in UNSEEN]
    sets = {name: read_paragraphs(name, chosen.data, chosen.keep) for name in dict.fromkeys(SETS)}
    plain, model = QuestionEncoder(chosen.keep), QuestionEncoder(chosen.keep)
    steps = [partial(loss_of, model, make) for make in steps_of(offices, sets, chosen.epochs, chance)]
    train(model, steps, chosen.rate, WARM_UP, Path(chosen.out))
    tell(model, plain, [read(office) for office in UNSEEN], sets)


if __name__ == "__main__":
    main()
