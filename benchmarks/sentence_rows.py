"""Rows of ``fit_sentences``: questions compared with the sentences of their hits, and which of these hold an answer.

Documents are read, embedded and searched by the real worker (``kept_retrieval``). Of the answerable questions on
paragraphs there is a second row with the paragraph taken out of the hits, and a third with a name or a year of the
question swapped for another.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from answers import Without
from harness import HERE, read_lines
from kept_retrieval import KeptCollection, kept
from office_answers import MADE, PLAIN, UNSEEN, scorer
from trust import contains

from workbench.records.messages import Passage
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.sentence_features import HITS_SEARCHED, Comparison, Tabled, embed, tabulate
from workbench.techniques.retrieval.sentence_pick import pick_by

FITTED = tuple(office for office in MADE if office not in UNSEEN)
FOLDS = len(FITTED)
SWAPPED = ("xquad-en", "squad2")
"""In these sets names are told by their capitals."""

PARAGRAPHS = (("xquad/en", "en", 320), ("xquad/de", "de", 320), ("xquad/zh", "zh", 240), ("squad2", "en", 300),
              ("xquad/en", "de", 160), ("xquad/de", "en", 160))  # fmt: skip
"""Paragraphs, the language of the questions, and how many of these are drawn."""

_YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-2][0-9]\b")
_NAME = re.compile(r"(?<=[a-z,] )[A-ZÄÖÜ][a-zäöü]{3,}(?: [A-ZÄÖÜ][a-zäöü]{3,})*")


@dataclass
class Row:
    """A question compared with the sentences of its hits. ``group``: the office or the set; ``source``: the name of the
    collection. ``good`` says of each unit, by the rank of its passage and its number in it, whether it holds an
    accepted answer. ``compared`` is None until sentences were picked; ``compared_first`` has those that are embedded
    first, None where there are no others."""

    group: str
    fold: int
    kind: str
    answerable: bool
    question: str
    source: str
    tabled: Tabled
    good: dict[tuple[int, int], bool]
    compared: Comparison | None = None
    compared_first: Comparison | None = None

    @property
    def comparison(self) -> Comparison:
        assert self.compared is not None
        return self.compared

    @property
    def office(self) -> bool:
        return self.group in MADE + PLAIN

    @property
    def labels(self) -> np.ndarray:
        return np.array([self.good[unit.rank, unit.number] for unit in self.comparison.chosen], dtype=bool)

    @property
    def other(self) -> bool:
        """Whether the question is in another language than most of the sentences."""
        return bool(len(self.comparison.chosen)) and self.comparison.value(0, "other") > 0


def office_rows(
    made: Path, data: Path, keep: Path, embedder: str, offices: Sequence[str] = FITTED, share: float = 1.0
) -> Iterator[Row]:
    """Rows of the offices' questions, of which a ``share`` is drawn."""
    score = scorer(data)
    for fold, office in enumerate(offices):

        def write(folder: Path, office: str = office) -> Path:
            return made / office

        with kept(keep, office, embedder, write) as collection:
            questions = read_lines(HERE / "offices" / office / "questions.jsonl")
            for asked in random.Random(office).sample(questions, round(share * len(questions))):
                golds = asked.get("answers") or [one for group in asked.get("need") or () for one in group]
                sources = set(asked["sources"])

                def holds(passage: Passage, text: str, golds: list[str] = golds, sources: set[str] = sources) -> bool:
                    return Path(passage.path).name in sources and any(score.contains(text, gold) for gold in golds)

                answerable = asked["kind"] != "unanswerable"
                yield row_of(office, fold, asked["kind"], answerable, asked["question"], collection, holds)


def paragraph_rows(data: Path, keep: Path, embedder: str, share: float) -> Iterator[Row]:
    for name, language, count in PARAGRAPHS:
        source = data / name
        title = name.replace("/", "-")

        def write(folder: Path, source: Path = source) -> Path:
            return write_paragraphs(source, folder)

        questions = read_lines(source / "questions.jsonl")
        answers = {one["id"]: one["answers"] for one in questions}
        if name.startswith("xquad") and not name.endswith(language):
            questions = read_lines(data / "xquad" / language / "questions.jsonl")
        drawn = random.Random(3).sample(questions, min(int(share * count), len(questions)))
        group = title if name.endswith(language) or name == "squad2" else f"{title}, asked in {language}"
        articles = sorted({article(one["paragraph"]) for one in questions})
        with kept(keep, title, embedder, write) as collection:
            for asked in drawn:
                fold = articles.index(article(asked["paragraph"])) % FOLDS
                yield from _of_paragraph(group, fold, asked, answers[asked["id"]], drawn, collection)


def _of_paragraph(
    group: str,
    fold: int,
    asked: dict[str, Any],
    golds: list[str],
    drawn: list[dict[str, Any]],
    collection: KeptCollection,
) -> Iterator[Row]:
    paragraph, question = Path(paragraph_file(asked["paragraph"])).stem, asked["question"]
    answerable = asked.get("answerable", True)
    language = "zh" if "zh" in group else "en"

    def holds(passage: Passage, text: str) -> bool:
        return Path(passage.path).stem == paragraph and contains(text, golds, language)

    def never(passage: Passage, text: str) -> bool:
        return False

    yield row_of(group, fold, "answerable" if answerable else "near miss", answerable, question, collection, holds)
    removed: Retriever = Without(collection, {paragraph})
    yield row_of(group, fold, "removed", False, question, removed, never)
    swapped = ""
    if answerable and group in SWAPPED:
        swapped = swap(question, [one["question"] for one in drawn], asked["id"])
    if swapped:
        yield row_of(group, fold, "swapped", False, swapped, collection, never)


def swap(question: str, others: Sequence[str], seed: str) -> str:
    """The question with a year or a name of another question in the place of its own; "" where it has none."""
    chance = random.Random(seed)
    year = _YEAR.search(question)
    if year is not None:
        other = str(int(year.group()) + chance.choice((-37, -11, 13, 29)))
        return question[: year.start()] + other + question[year.end() :]
    name = _NAME.search(question)
    names = sorted({one.group() for text in others for one in _NAME.finditer(text)})
    if name is None or len(names) < 2:
        return ""
    other = chance.choice([one for one in names if one[:4] != name.group()[:4]])
    return question[: name.start()] + other + question[name.end() :]


def row_of(
    group: str,
    fold: int,
    kind: str,
    answerable: bool,
    question: str,
    retriever: Retriever,
    holds: Callable[[Passage, str], bool],
) -> Row:
    tabled = tabulate(question, retriever.search(question, HITS_SEARCHED).hits, retriever)
    good = {
        (unit.rank, unit.number): answerable and holds(unit.passage, unit.text)
        for units in tabled.units
        for unit in units
    }
    source = retriever.collection.name
    return Row(group, fold, kind, answerable, question, source, tabled, good)


def compare_picked(rows: Sequence[Row], keep: Path, embedder: str, picks: Sequence[np.ndarray]) -> None:
    """Compare each question with the sentences that the weights of its fold pick; they have not seen its office."""
    for source in dict.fromkeys(row.source for row in rows):
        with kept(keep, source, embedder, _read_already) as collection:
            for row in rows:
                if row.source == source:
                    picked = pick_by(picks[row.fold], row.tabled.features, row.tabled.candidates)
                    row.compared = embed(row.tabled, picked.first, collection)
                    if picked.further:
                        row.compared_first = row.compared
                        row.compared = embed(row.tabled, picked.further, collection, row.compared)


def _read_already(folder: Path) -> Path:
    raise SystemExit(f"The documents are not in {folder.parent} any more: begin with another --keep.")


def write_paragraphs(source: Path, folder: Path) -> Path:
    for one in read_lines(source / "paragraphs.jsonl"):
        (folder / paragraph_file(one["id"])).write_text(one["text"], "utf-8")
    return folder


def paragraph_file(id: str) -> str:
    return f"{id.replace('/', '_')}.txt"


def article(paragraph: str) -> str:
    return paragraph.rsplit("-", 1)[0]
