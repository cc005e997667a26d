"""The check of question-answer pairs against false ones planted among XQuAD's.

    python benchmarks/checked_pairs.py

The rule was made on the articles of the half "dev"; "test" are the others. False are: the answer of a question to
another paragraph, a changed number, a changed name. Answers are tested as they stand, and as the whole sentence that
holds them, where only one does. Beyond what is asked: the answer to another question on the same paragraph.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from harness import DATA, arguments, read_lines

from workbench.records.messages import Passage
from workbench.subjects.datasets.runs import verified
from workbench.text.sentences import split_sentences
from workbench.training.data.examples import Source
from workbench.training.data.groundedness import PassageCheck, Verdict
from workbench.training.data.pairs import MadePair

NAME = re.compile(r"\b[A-Z][a-zé]{3,}\b")
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
WORDS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


class Pair(NamedTuple):
    question: str
    answer: str
    passage: str
    kind: str  # "" for a good one


class Questions:
    def __init__(self, data: Path, language: str, half: str, whole_sentences: bool) -> None:
        folder = data / "xquad" / language
        self.passages = {p["id"]: p["text"] for p in read_lines(folder / "paragraphs.jsonl")}
        questions = read_lines(folder / "questions.jsonl")
        wanted = {"dev": (0,), "test": (1,), "all": (0, 1)}[half]
        questions = [q for q in questions if int(q["paragraph"].split("-")[0]) // 2 % 2 in wanted]
        self.good: list[tuple[str, str, str]] = []
        for q in questions:
            answer = q["answers"][0]
            if whole_sentences:
                passage = self.passages[q["paragraph"]]
                holding = [passage[a:b] for a, b in split_sentences(passage) if answer in passage[a:b]]
                if len(holding) != 1:  # which of several sentences answers the question is not told
                    continue
                answer = holding[0]
            self.good.append((q["question"], answer, q["paragraph"]))
        self.names = sorted({n for text in self.passages.values() for n in NAME.findall(text)})


def elsewhere(pair: tuple[str, str, str], questions: Questions, random: random.Random) -> str:
    return random.choice([a for _, a, paragraph in questions.good if paragraph != pair[2] and a != pair[1]])


def same_article(pair: tuple[str, str, str], questions: Questions, random: random.Random) -> str:
    article = pair[2].split("-")[0]
    others = [a for _, a, p in questions.good if p.split("-")[0] == article and p != pair[2] and a != pair[1]]
    return random.choice(others) if others else ""


def same_paragraph(pair: tuple[str, str, str], questions: Questions, random: random.Random) -> str:
    others = [a for q, a, p in questions.good if p == pair[2] and a not in pair[1] and pair[1] not in a]
    return random.choice(others) if others else ""


def changed_number(pair: tuple[str, str, str], questions: Questions, random: random.Random) -> str:
    answer = pair[1]
    if found := list(NUMBER.finditer(answer)):
        match = random.choice(found)
        digits = [i for i in range(*match.span()) if answer[i].isdigit()]
        at = random.choice(digits)
        return answer[:at] + random.choice([d for d in "123456789" if d != answer[at]]) + answer[at + 1 :]
    spelled = [w for w in answer.split() if w.lower() in WORDS]
    if not spelled:
        return ""
    return answer.replace(spelled[0], random.choice([w for w in WORDS if w != spelled[0].lower()]), 1)


def changed_name(pair: tuple[str, str, str], questions: Questions, random: random.Random) -> str:
    found = NAME.findall(pair[1])
    if not found:
        return ""
    return pair[1].replace(random.choice(found), random.choice([n for n in questions.names if n not in found]), 1)


ASKED: dict[str, Callable[..., str]] = {
    "other paragraph": elsewhere,
    "changed number": changed_number,
    "changed name": changed_name,
}
BEYOND: dict[str, Callable[..., str]] = {"same article": same_article, "same paragraph": same_paragraph}


def plant(questions: Questions, pairs: int, false: int, seed: int, kinds: dict[str, Callable[..., str]]) -> list[Pair]:
    """``pairs`` of them, of which ``false`` are false, the kinds in turn."""
    chooser = random.Random(seed)
    order = chooser.sample(questions.good, len(questions.good))
    planted: list[Pair] = []
    names = list(kinds)
    for pair in list(order):
        if len(planted) == false:
            break
        kind = names[len(planted) % len(names)]
        answer = kinds[kind](pair, questions, chooser)
        if answer:
            planted.append(Pair(pair[0], answer, questions.passages[pair[2]], kind))
            order.remove(pair)
    good = [Pair(q, a, questions.passages[p], "") for q, a, p in order[: pairs - false]]
    return good + planted


def check(pair: Pair) -> Verdict:
    """What the building of a data set does: the passage's check, and then that of statements."""
    verdict = PassageCheck(pair.passage).check(pair.question, pair.answer)
    made = MadePair(question=pair.question, answer=pair.answer, source=Source(), reason=verdict.reason)
    passage = Passage(
        collection="", document="", document_hash="", path="", title="", start=0, end=len(pair.passage),
        text=pair.passage,
    )  # fmt: skip
    reason = verified(made, passage).reason
    return msgspec.structs.replace(verdict, supported=not reason, reason=reason)


def main() -> int:
    parser = arguments(__doc__, data=DATA, pairs=200, false=50, seeds=5, language="en", show=False)
    parser.add_argument("--half", choices=["dev", "test", "all"], default="test")
    chosen = parser.parse_args()
    failed = False
    for form, whole in (("as they stand", False), ("whole sentences", True)):
        questions = Questions(chosen.data, chosen.language, chosen.half, whole)
        for name, kinds in (("asked", ASKED), ("beyond", BEYOND)):
            removed: Counter[str] = Counter()
            total: Counter[str] = Counter()
            reasons: Counter[str] = Counter()
            begun = time.perf_counter()
            for seed in range(1, chosen.seeds + 1):
                for pair in plant(questions, chosen.pairs, chosen.false, seed, kinds):
                    verdict = check(pair)
                    total[pair.kind] += 1
                    removed[pair.kind] += not verdict.supported
                    if bool(pair.kind) == verdict.supported:
                        reasons[verdict.reason.split(" not ")[-1][:40] if not pair.kind else pair.kind] += 1
                        if chosen.show and seed == 1:
                            print(f"  {pair.kind or 'good'}: {pair.question} => {pair.answer} ({verdict.reason})")
            taken = (time.perf_counter() - begun) / total.total() * 1000
            false = sum(n for kind, n in removed.items() if kind) / sum(n for kind, n in total.items() if kind)
            good = removed[""] / total[""]
            parts = ", ".join(f"{kind} {removed[kind] / total[kind]:.3f}" for kind in kinds)
            print(f"{form}, {name}: removed of the false {false:.3f} ({parts}), of the good {good:.3f}; {taken:.1f} ms")
            if reasons and chosen.show:
                print(f"  wrongly: {dict(reasons.most_common())}")
            failed |= name == "asked" and (false < 0.9 or good > 0.1)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
