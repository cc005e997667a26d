"""How far answers from documents can be trusted: quoted ones, and the marks on those in the model's own words.

    python benchmarks/trust.py

``--data`` (default ../shared/data) holds ``xquad``. The starter model answers with the program's defaults. Parts:

    shown     as shipped (the starter quotes): does the answer hold a gold answer, with how many sentences, does every
              quoted span stand in its passage, and does a highlighted sentence of a right answer hold it?
    own       in its own words: which answers are right, which of the wrong ones are not marked, AUC of the confidence,
              whether the cited sentence of a right answer holds the gold answer
    spans     quotes of whole sentences and of spans: do they hold a gold answer, how long are they, are they exact?
    time      what verification adds to an answer's time: with and without it in turn, median of five
    planted   sentences that hold a gold answer, untouched and with a number, date, name, unit or negation changed:
              how many of them are marked? No model is asked
    removed   questions whose paragraph is removed from the results, and unrelated ones: how many are declined?

The program *warns* of an answer when it is unsure of it; the answer is *marked* when it warns, or one of its statements
contradicts the passages or has nothing of them (``records/trust.py``). Intervals are 95 %.
"""

from __future__ import annotations

import json
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from answers import Bench, Without, opened
from harness import DATA, arguments, holds, interval, normalised, report

from workbench.records import trust
from workbench.records.answers import AskResult
from workbench.records.messages import Citation, Statement
from workbench.records.recipes import DecodingPart, Recipe, RetrievalPart
from workbench.records.recipes.parts import Mode, QuoteLength
from workbench.techniques import composition
from workbench.techniques.retrieval.abstention import measure_evidence
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.live_verification import LiveVerifier
from workbench.techniques.retrieval.verification import verify_answer
from workbench.text.sentences import split_sentences

PARTS = ("shown", "own", "spans", "time", "planted", "removed")
UNITS = {
    "months": "weeks", "years": "months", "year": "month", "miles": "metres", "percent": "per mille",
    "points": "goals", "million": "billion", "Jahre": "Monate", "Jahren": "Monaten", "Millionen": "Milliarden",
    "Prozent": "Promille", "Punkte": "Tore",
}  # fmt: skip
NEGATED = {
    "en": (r"\b(is|was|were|are|had|has|can|could|will) (?!not)", r"\1 not "),
    "de": (r"\b(ist|war|waren|sind|hat|hatte|wurde|wurden) ", r"\1 nicht "),
    "zh": (r"(?<!不)是", "不是"),
}
NAME = re.compile(r"(?<=[a-zäöüß,] )[A-ZÄÖÜ][a-zäöü]{4,}")


def contains(text: str, golds: list[str], language: str) -> bool:
    if language != "zh":
        return holds(text, golds)
    together = re.sub(r"\s", "", normalised(text))
    return any(re.sub(r"\s", "", normalised(gold)) in together for gold in golds)


def is_marked(result: AskResult) -> bool:
    return result.verification is None or trust.is_marked(result.verification)


def area_under_curve(values: list[tuple[float, bool]]) -> float:
    """The probability that a right answer has a higher confidence than a wrong one."""
    right, wrong = [v for v, good in values if good], [v for v, good in values if not good]
    won = sum((a > b) + (a == b) / 2 for a in right for b in wrong)
    return won / max(1, len(right) * len(wrong))


def recipe(mode: Mode, longest: int = 96, quote_length: QuoteLength = "sentence") -> Recipe:
    return Recipe(
        decoding=DecodingPart(max_tokens=longest, temperature=0.0),
        retrieval=RetrievalPart(collection="xquad", mode=mode, quote_length=quote_length),
    )


def quotes_of(result: AskResult) -> list[tuple[str, bool]]:
    """The quotes of an answer, each with whether it stands at its place in the passage, character by character."""
    found = []
    checked = result.verification
    for statement in checked.statements if checked is not None else ():
        if checked is not None and statement.end <= checked.quoted:
            passage = next(p for p in result.passages if p.n == statement.n)
            quoted = result.answer[statement.start : statement.end]
            start, end = statement.sentence_start, statement.sentence_end
            if statement.span_end:
                start, end = statement.span_start, statement.span_end
            found.append((quoted, passage.text[start - passage.start : end - passage.start] == quoted))
    return found


def highlighted(result: AskResult) -> list[str]:
    """The sentences that the citations of an answer highlight."""
    places = [(c, (c.sentence_start, c.sentence_end)) for c in result.citations if c.sentence_end]
    places += [(c, place) for c in result.citations for place in c.more_sentences]
    return [c.text[start - c.start : end - c.start] for c, (start, end) in places]


def measure_shown(bench: Bench, language: str) -> dict[str, Any]:
    right = declined = spans = exact = answered = points = pointed = 0
    for question in bench.questions:
        result = bench.ask(question["question"], bench.collection, recipe("automatic"))
        declined += result.declined
        good = not result.declined and contains(result.answer, question["answers"], language)
        right += good
        if good and (cited := highlighted(result)):
            points += 1
            pointed += any(contains(sentence, question["answers"], language) for sentence in cited)
        if result.declined or result.verification is None or not result.verification.quoted:
            continue
        answered += 1
        quotes = quotes_of(result)
        spans += len(quotes)
        exact += sum(good for _, good in quotes)
    n = len(bench.questions)
    return {
        "n": n,
        "contains_gold": round(right / n, 4),
        "declined": round(declined / n, 4),
        "interval": interval(right / n, n),
        "sentences_per_answer": round(spans / max(1, answered), 3),
        "spans": spans,
        "spans_exact": exact,
        "highlighted_sentence_holds_gold": f"{pointed} of {points}",
        "highlighted_interval": interval(pointed / max(1, points), points),
    }


def measure_own(bench: Bench, language: str) -> dict[str, Any]:
    right = marked_right = wrong_unmarked = sure_right = sure_wrong = points = pointed = answered = 0
    values: list[tuple[float, bool]] = []
    for question in bench.questions:
        result = bench.ask(question["question"], bench.collection, recipe("own-words"))
        if result.declined:
            continue
        answered += 1
        good = contains(result.answer, question["answers"], language)
        right += good
        marked_right += good and is_marked(result)
        wrong_unmarked += not good and not is_marked(result)
        sure = result.verification is not None and not result.verification.unsure
        sure_right += good and sure
        sure_wrong += not good and sure
        if result.verification is not None and result.verification.confidence is not None:
            values.append((result.verification.confidence, good))
        if good and (cited := highlighted(result)):
            points += 1
            pointed += contains(" ".join(cited), question["answers"], language)
    return {
        "n": answered,
        "right": round(right / max(1, answered), 4),
        "interval": interval(right / max(1, answered), answered),
        "wrong_and_not_warned_of": round(sure_wrong / max(1, answered), 4),
        "right_and_not_warned_of": round(sure_right / max(1, right), 4),
        "wrong_and_not_marked": round(wrong_unmarked / max(1, answered), 4),
        "right_and_not_marked": round(1 - marked_right / max(1, right), 4),
        "auc": round(area_under_curve(values), 4),
        "cited_sentence_holds_gold": f"{pointed} of {points}",
    }


def measure_spans(bench: Bench, language: str, together: int) -> dict[str, Any]:
    report: dict[str, Any] = {}
    lengths: tuple[QuoteLength, ...] = ("sentence", "span")
    for length in lengths:
        quoted = recipe("quoted", quote_length=length)
        began = time.perf_counter()
        ask = partial(bench.ask, retriever=bench.collection, recipe=quoted)
        with ThreadPoolExecutor(together) as pool:
            results = list(pool.map(ask, [q["question"] for q in bench.questions]))
        seconds = time.perf_counter() - began
        told = [
            (q, quotes_of(result)) for q, result in zip(bench.questions, results, strict=True) if not result.declined
        ]
        right = sum(contains(" ".join(text for text, _ in of), q["answers"], language) for q, of in told)
        answered = max(1, len(told))
        report[length] = {
            "n": len(told),
            "contains_gold": round(right / answered, 4),
            "interval": interval(right / answered, answered),
            "characters": round(sum(len(text) for _, of in told for text, _ in of) / answered, 1),
            "quotes": sum(len(of) for _, of in told),
            "exact": sum(good for _, of in told for _, good in of),
            "seconds_per_answer": round(seconds / answered, 2),
        }
    return report


class Unverified(LiveVerifier):
    """Passes an answer on without verifying it."""

    def feed(self, piece: str) -> tuple[Sequence[Statement], Sequence[Citation]]:
        return (), ()


def measure_time(bench: Bench, language: str) -> dict[str, Any]:
    shares = []
    techniques: Any = composition  # what is replaced is not among its exports
    for question in bench.questions[:12]:
        spent: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(11):  # the first one reads the prompt
            verified = turn % 2 == 0
            techniques.verify_answer = verify_answer if verified else (lambda *given: None)
            techniques.LiveVerifier = LiveVerifier if verified else Unverified
            began = time.perf_counter()
            result = bench.ask(question["question"], bench.collection, recipe("own-words"))
            if turn and not result.declined:
                spent[verified].append(time.perf_counter() - began)
        techniques.verify_answer, techniques.LiveVerifier = verify_answer, LiveVerifier
        if spent[True]:
            shares.append(statistics.median(spent[True]) / statistics.median(spent[False]) - 1)
    return {"n": len(shares), "added_share_of_time": round(statistics.median(shares), 4)}


def measure_planted(bench: Bench, language: str) -> dict[str, Any]:
    rng = random.Random(0)
    rows: list[tuple[Grounding, str]] = []
    for question in bench.questions:
        hits = bench.collection.search(question["question"], 10).hits
        shown = tuple(msgspec.structs.replace(hit, n=n) for n, hit in enumerate(hits[:2], 1))
        evidence = measure_evidence(question["question"], hits, bench.collection)
        asked = question["question"]
        grounding = Grounding(asked, shown, asked, sentences=evidence.sentences)
        for passage in shown:
            spans = split_sentences(passage.text) if Path(passage.path).stem == question["paragraph"] else []
            for sentence in (passage.text[start:end] for start, end in spans):
                if 20 < len(sentence) < 260 and any(gold in sentence for gold in question["answers"]):
                    rows.append((grounding, sentence))
                    break
    names = sorted({name for _, sentence in rows for name in NAME.findall(sentence)})
    planted, found, untouched = Counter[str](), Counter[str](), 0
    for grounding, sentence in rows:
        untouched += marks(sentence, grounding)
        for kind in ("number", "date", "name", "unit", "negation"):
            changed = plant(kind, sentence, language, names, rng)
            if changed is not None:
                planted[kind] += 1
                found[kind] += marks(changed, grounding)
    return {
        "untouched": len(rows),
        "untouched_marked": untouched,
        "planted": sum(planted.values()),
        "planted_marked": sum(found.values()),
        "by_kind": {kind: f"{found[kind]} of {planted[kind]}" for kind in planted},
    }


def marks(text: str, grounding: Grounding) -> bool:
    """Whether an answer in these words would be marked."""
    verified = verify_answer(text, grounding, None)
    return verified is None or trust.is_marked(verified)


def plant(kind: str, sentence: str, language: str, names: list[str], rng: random.Random) -> str | None:
    """The sentence with one thing changed, None where it has nothing of that kind."""
    if kind == "unit":
        for unit, other in UNITS.items():
            match = re.search(rf"(\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten) {unit}\b", sentence)
            if match:
                return sentence[: match.end() - len(unit)] + other + sentence[match.end() :]
        return None
    if kind == "negation":
        pattern, put = NEGATED[language]
        return re.sub(pattern, put, sentence, count=1) if re.search(pattern, sentence) else None
    pattern = {"number": r"\d+", "date": r"\b1\d{3}\b|\b20\d\d\b", "name": NAME.pattern}[kind]
    places = list(re.finditer(pattern, sentence))
    if not places:
        return None
    match = rng.choice(places)
    if kind == "name":
        put = rng.choice([name for name in names if name not in sentence])
    else:
        put = str(int(match.group()) + rng.choice([1, 2, 7, 13] if kind == "number" else [-3, -10, -24]))
    return sentence[: match.start()] + put + sentence[match.end() :]


def measure_removed(bench: Bench, language: str) -> dict[str, Any]:
    asked = bench.questions[:100]
    results = [
        bench.ask(q["question"], Without(bench.collection, {q["paragraph"]}), recipe("automatic", 1)) for q in asked
    ]
    others = [bench.ask(q, bench.collection, recipe("automatic", 1)) for q in bench.unrelated_questions()]
    return {
        "n": len(asked),
        "declined": round(sum(r.declined for r in results) / len(asked), 4),
        "unrelated": len(others),
        "unrelated_declined": round(sum(r.declined for r in others) / len(others), 4),
    }


MEASURES = {
    "shown": measure_shown,
    "own": measure_own,
    "time": measure_time,
    "planted": measure_planted,
    "removed": measure_removed,
}


def main() -> None:
    parser = arguments(__doc__, "model", "keep", "json", data=DATA, questions=200, seed=0, only=PARTS)
    parser.add_argument("--language", nargs="+", choices=tuple(NEGATED), default=["en"])
    parser.add_argument("--together", type=int, default=1, help="answers of the part spans that are made at once")
    chosen = parser.parse_args()
    found: dict[str, Any] = {"questions": chosen.questions, "seed": chosen.seed}
    for language in chosen.language:
        with opened(chosen, language) as bench:
            for part in chosen.only:
                measure = partial(measure_spans, together=chosen.together) if part == "spans" else MEASURES[part]
                found[f"{language} {part}"] = measure(bench, language)
                print(language, part, json.dumps(found[f"{language} {part}"]), flush=True)
    report(found, chosen.json)


if __name__ == "__main__":
    main()
