"""Fit what makes a statement supported, and report what each kind of evidence adds.

    python benchmarks/fit_statements.py

Statements of four kinds, each verified against the passages found for its question in XQuAD:

    planted   a sentence that holds a gold answer (true), and with a number, date, name, unit or negation changed
    beside    another sentence of the same passage (true, but no answer)
    asked     the question with a gold answer in place of its interrogative (true), and with another answer of the same
              paragraph or of the article in its place: Demszky et al. 2018, "Transforming Question Answering Datasets
              Into Natural Language Inference Datasets" (arXiv:1809.02922)
    own       the statements of a model's own answers, from the rows of ``fit_confidence.py``: true when they hold a
              gold answer

Evidence of a statement: ``words``, the value by its words alone (``statements.py``), and ``value``, as the program
computes it; ``alike``, the cosine with the sentence that bears it, and ``most_alike``, with the nearest one, both from
the embedder's zero; ``agreement``, the share of its words beyond the question's that stand in the sentences that would
be quoted, and ``exact``, whether its figures and names do; ``lift``, by how much the passages raise the mean
log-probability of its words under the model (of the first ``--lift`` questions, as it takes longer than the answer).

For each combination a logistic regression is fitted on all articles but those of a fold and judged on that fold: the
area under the curve (AUC), with the standard deviation of its difference to ``words`` alone (bootstrap over articles).
Then the constants of the value are varied, and its thresholds: the one with the best mean of both rates is chosen on
the other folds. ``--rows`` keeps what was measured; a second run asks only what is not in it.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from answers import Bench, opened
from fit_confidence import add_row, fitted_model, kept_rows
from harness import DATA, arguments, read_lines
from sklearn.metrics import roc_auc_score
from trust import NAME, contains, plant

from workbench.api.protocol import RequestContext
from workbench.backends.backend import ModelBackend
from workbench.engine.inference_calls import Score
from workbench.records.messages import Message, Passage
from workbench.records.recipes import PromptingPart
from workbench.techniques.retrieval import statements as constants
from workbench.techniques.retrieval.abstention import Sentence, measure_evidence
from workbench.techniques.retrieval.prompting import grounded_messages
from workbench.techniques.retrieval.quoting import quote
from workbench.techniques.retrieval.sentence_features import BACKGROUND
from workbench.techniques.retrieval.statements import SUPPORTED, StatementVerifier
from workbench.text.sentences import split_sentences
from workbench.text.terms import Vocabulary

FOLDS = 8
SETS = (
    ("words",),
    ("words", "alike"),
    ("words", "most_alike"),
    ("words", "agreement"),
    ("words", "exact"),
    ("words", "lift"),
    ("value",),
    ("value", "alike"),
    ("value", "exact"),
    ("value", "lift"),
)
CONSTANTS = {"ECHO": (0.1, 0.25, 0.5, 1.0), "NEIGHBOUR": (0.25, 0.5, 0.75), "NEARLY": (0.75, 0.85, 0.95)}
CITATION = re.compile(r"\s*\[\d+\]")
INTERROGATIVES = {
    "en": r"\b(?:how many|how much|how long|in what|in which|what|which|who|whom|whose|where|when|why|how)\b",
    "de": r"\b(?:wie (?:viele?|lange)|was für|was|we[rnm]|wessen|welche[rsnm]?|wo(?:her|hin)?|wann|warum|wie)\b",
    "zh": r"(?:什么时候|什么|哪[里个些一年]*|谁|多少|何时|几|为什么|如何|怎么)",
}


def stated(question: str, answer: str, language: str) -> str | None:
    """The question as a statement, with an answer in place of its interrogative; None where it has none."""
    text, found = re.subn(INTERROGATIVES[language], lambda _: answer, question, count=1, flags=re.IGNORECASE)
    return text.rstrip("?？ ") + ("。" if language == "zh" else ".") if found else None


def planted(
    text: str, golds: list[str], language: str, names: list[str], rng: random.Random
) -> Iterator[tuple[Any, ...]]:
    """A sentence with a gold answer, untouched and changed, and one without: kind, text, whether true."""
    sentences = [text[start:end] for start, end in split_sentences(text)]
    held = [one for one in sentences if any(gold in one for gold in golds)]
    others = [one for one in sentences if one not in held and 20 < len(one) < 260]
    if others:
        yield "beside", rng.choice(others), True
    for sentence in (one for one in held if 20 < len(one) < 260):
        yield "planted", sentence, True
        for kind in ("number", "date", "name", "unit", "negation"):
            changed = plant(kind, sentence, language, names, rng)
            if changed is not None:
                yield "planted", changed, False
        return


def collect(chosen: argparse.Namespace, known: set[str]) -> list[dict[str, Any]]:
    """Rows of the questions that are not known yet, each with its passages and its statements."""
    rows: list[dict[str, Any]] = []
    language = chosen.language
    own = {r["question"]: r for r in read_lines(chosen.own)} if chosen.own is not None else {}
    with opened(chosen, language) as bench, bench.model() if chosen.lift else nullcontext() as model:
        of_paragraph: dict[str, list[list[str]]] = {}
        for asked in read_lines(chosen.data / "xquad" / language / "questions.jsonl"):
            of_paragraph.setdefault(asked["paragraph"], []).append(asked["answers"])
        names = sorted({name for text in bench.paragraphs.values() for name in NAME.findall(text)})
        for place, asked in enumerate(bench.questions):
            question, golds, paragraph = asked["question"], asked["answers"], asked["paragraph"]
            if question in known:
                continue
            rng = random.Random(question)
            hits = bench.collection.search(question, 10).hits
            sentences = measure_evidence(question, hits, bench.collection).sentences
            shown = [msgspec.structs.replace(hit, n=n) for n, hit in enumerate(hits[:1], 1)]
            found: list[tuple[Any, ...]] = []
            if Path(shown[0].path).stem == paragraph:
                found += planted(shown[0].text, golds, language, names, rng)
                others = [o for o in of_paragraph[paragraph] if not contains(o[0], golds, language)]
                article = [
                    o
                    for name, of in of_paragraph.items()
                    if name != paragraph and name.split("-")[0] == paragraph.split("-")[0]
                    for o in of
                ]
                answers = [(golds, True)] + [(rng.choice(o), False) for o in (others, article) if o]
                for options, true in answers:
                    if (text := stated(question, options[0], language)) is not None:
                        found.append(("asked", text, true))
            if question in own:
                answer = CITATION.sub("", own[question]["answer"])
                found += [
                    ("own", answer[a:b], contains(answer[a:b], golds, language)) for a, b in split_sentences(answer)
                ]
            began = time.perf_counter()
            alike = cosines([text for _, text, _ in found], shown, bench) if found else []
            seconds = [time.perf_counter() - began, 0.0]
            row: dict[str, Any] = {
                "article": paragraph.split("-")[0],
                "question": question,
                "passages": msgspec.to_builtins(shown),
                "sentences": msgspec.to_builtins(sentences),
                "statements": [
                    {"kind": kind, "text": text, "true": true, "cosines": one}
                    for (kind, text, true), one in zip(found, alike, strict=True)
                ],
                "seconds": seconds,
            }
            if model is not None and place < chosen.lift:
                scored = [one for one in row["statements"] if one["kind"] in ("asked", "own")]
                began = time.perf_counter()
                for one, value in zip(scored, lifts(question, shown, [s["text"] for s in scored], model), strict=True):
                    one["lift"] = value
                seconds[1] = time.perf_counter() - began
            rows.append(row)
            if chosen.rows is not None:
                add_row(chosen.rows, row)
    return rows


def cosines(texts: Sequence[str], passages: Sequence[Passage], bench: Bench) -> list[list[float]]:
    """Of each text with each sentence of the passages, from the embedder's zero."""
    spans = [p.text[a:b] for p in passages for a, b in split_sentences(p.text)]
    found = []
    for row in bench.collection.similarities(list(texts), [*spans, *BACKGROUND]):
        zero = sum(row[len(spans) :]) / len(BACKGROUND)
        found.append([round(max(0.0, (c - zero) / max(1e-6, 1 - zero)), 4) for c in row[: len(spans)]])
    return found


def lifts(question: str, passages: Sequence[Passage], texts: Sequence[str], model: ModelBackend) -> list[float]:
    """By how much the passages raise the mean log-probability of each text as an answer."""
    asked = (Message("user", question),)
    scored = []
    for shown in (passages, ()):
        messages = grounded_messages(shown, asked, PromptingPart(), model)
        (scores,) = model.score_many([Score(messages=messages, continuations=tuple(texts))], RequestContext())
        scored.append([one.logprob / max(1, one.tokens) for one in scores.values])
    return [a - b for a, b in zip(*scored, strict=True)]


def statements_of(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The statements with their evidence, by the constants of ``statements.py`` as they are now."""
    found = []
    for row in rows:
        passages = msgspec.convert(row["passages"], list[Passage])
        quoted = quote(msgspec.convert(row["sentences"], tuple[Sentence, ...]))
        text = " ".join(s.text for s in quoted.sentences) if quoted is not None else ""
        vocabulary = Vocabulary.of(p.text for p in passages)
        asked, held = set(vocabulary.content_terms(row["question"])), set(vocabulary.stems(text))
        known = set(vocabulary.stems(f"{text} {row['question']}"))
        places = [(p.n, p.start + a) for p in passages for a, _ in split_sentences(p.text)]
        answering = [s.text for s in quoted.sentences] if quoted is not None else []
        words = StatementVerifier(passages, row["question"])
        verifier = StatementVerifier(passages, row["question"], answering)
        for one in row["statements"]:
            verified = verifier.verify(one["text"])
            if not verified:
                continue
            worst = min(verified, key=lambda s: s.value)
            added = [term for term in vocabulary.content_terms(one["text"]) if term not in asked]
            named = {vocabulary.stem(name) for name in vocabulary.names(f"x {one['text']}")}
            bearer = (worst.n, worst.sentence_start)
            found.append(
                {
                    **one,
                    "article": row["article"],
                    "words": min(s.value for s in words.verify(one["text"])),
                    "value": worst.value,
                    "conflict": any(s.conflicts for s in verified),
                    "alike": one["cosines"][places.index(bearer)] if bearer in places else 0.0,
                    "most_alike": max(one["cosines"], default=0.0),
                    "agreement": sum(term in held for term in added) / len(added) if added else 0.0,
                    "exact": float(vocabulary.numbers(one["text"]) | named <= known),
                }
            )
    return found


def auc(values: np.ndarray, true: np.ndarray) -> float:
    return float(roc_auc_score(true, values))


def fold_predictions(features: np.ndarray, true: np.ndarray, fold: np.ndarray) -> np.ndarray:
    values = np.zeros(len(true))
    for number in range(FOLDS):
        train, test = fold != number, fold == number
        if test.any():
            values[test] = fitted_model(features[train], true[train]).predict_proba(features[test])[:, 1]
    return values


def difference_spread(values: np.ndarray, base: np.ndarray, true: np.ndarray, article: np.ndarray) -> float:
    """The standard deviation of the difference of two AUCs, over articles drawn with replacement."""
    rng, names = np.random.default_rng(0), np.unique(article)
    places = {name: np.flatnonzero(article == name) for name in names}
    found = []
    for _ in range(200):
        drawn = np.concatenate([places[name] for name in rng.choice(names, len(names))])
        if true[drawn].any() and not true[drawn].all():
            found.append(auc(values[drawn], true[drawn]) - auc(base[drawn], true[drawn]))
    return float(np.std(found))


def report_evidence(everything: Sequence[dict[str, Any]], articles: Sequence[str]) -> None:
    for kinds in (("asked",), ("own",), ("asked", "own")):
        for names in SETS:
            found = [s for s in everything if s["kind"] in kinds and all(name in s for name in names)]
            true = np.array([s["true"] for s in found])
            if len(found) < 20:
                continue
            fold = np.array([articles.index(s["article"]) % FOLDS for s in found])
            base = fold_predictions(np.array([[s["words"]] for s in found]), true, fold)
            values = fold_predictions(np.array([[float(s[name]) for name in names] for s in found]), true, fold)
            spread = difference_spread(values, base, true, np.array([s["article"] for s in found]))
            area, gained = auc(values, true), auc(values, true) - auc(base, true)
            print(
                f"{' and '.join(kinds)} (n {len(found)}, true {true.mean():.3f}), {' + '.join(names)}: "
                f"AUC {area:.3f} ({gained:+.3f}, sd {spread:.3f})"
            )


def report_constants(rows: Sequence[dict[str, Any]]) -> None:
    """AUC of the value for other constants, and how many untouched sentences are marked."""
    shipped = {name: getattr(constants, name) for name in CONSTANTS}
    for values in itertools.product(*CONSTANTS.values()):
        varied = dict(zip(CONSTANTS, values, strict=True))
        if sum(varied[name] != shipped[name] for name in varied) > 2:
            continue
        for name, value in varied.items():
            setattr(constants, name, value)
        found = statements_of(rows)
        areas = []
        for kind in ("asked", "own", "planted"):
            of = [s for s in found if s["kind"] == kind]
            if of:
                areas.append(f"{kind} {auc(np.array([s['value'] for s in of]), np.array([s['true'] for s in of])):.3f}")
        print(f"{varied}: AUC {', '.join(areas)}")
    for name, value in shipped.items():
        setattr(constants, name, value)


def report_thresholds(everything: Sequence[dict[str, Any]], articles: Sequence[str]) -> None:
    def supported(found: Sequence[dict[str, Any]], least: float) -> np.ndarray:
        return np.array([s["value"] >= least and not s["conflict"] for s in found])

    for kind in ("planted", "beside", "asked", "own"):
        found = [s for s in everything if s["kind"] == kind]
        true = np.array([s["true"] for s in found], bool)
        for least in (0.4, 0.5, 0.6, SUPPORTED, 0.72, 0.78, 0.84):
            over = supported(found, least)
            rates = [
                f"{over[of].mean():.3f} of the {of.sum()} {name}"
                for name, of in (("true", true), ("false", ~true))
                if of.any()
            ]
            print(f"{kind}, supported from {least:.2f}: {', '.join(rates)}")
    found = [s for s in everything if s["kind"] in ("asked", "own", "planted")]
    true, fold = np.array([s["true"] for s in found]), np.array([articles.index(s["article"]) % FOLDS for s in found])
    chosen, over = [], np.zeros(len(found), bool)
    grid = np.arange(0.1, 0.96, 0.02)
    reached = {least: supported(found, float(least)) for least in grid}
    for number in range(FOLDS):
        train = fold != number
        best = max(grid, key=lambda least: reached[least][train & true].mean() - reached[least][train & ~true].mean())
        chosen.append(round(float(best), 2))
        over |= reached[best] & (fold == number)
    print(f"all, chosen in folds {chosen}: {over[true].mean():.3f} of the true, {over[~true].mean():.3f} of the false")
    own = sorted((s["value"], s["true"]) for s in everything if s["kind"] == "own")
    if own:
        share = np.cumsum([good for _, good in own]) / np.arange(1, len(own) + 1)
        low = np.flatnonzero(share <= 0.1)
        print(f"own: of the statements up to {own[low[-1]][0] if len(low) else 0.0:.2f} a tenth is true")


def main() -> None:
    parser = arguments(__doc__, "model", "rows", "keep", data=DATA, language="en", questions=320, seed=1)
    parser.add_argument("--lift", type=int, default=0, help="questions of which the lift is measured as well")
    parser.add_argument("--own", type=Path, help="rows of fit_confidence.py, whose answers are judged as well")
    chosen = parser.parse_args()
    rows = kept_rows(chosen, collect)
    everything = statements_of(rows)
    articles = sorted({s["article"] for s in everything})
    print(f"{len(rows)} questions, {len(everything)} statements")
    times = np.array([row["seconds"] for row in rows])
    print(f"seconds per question: cosines {np.median(times[:, 0]):.2f}", end="")
    print(f", lift {np.median(times[times[:, 1] > 0, 1]):.2f}" if (times[:, 1] > 0).any() else "")
    report_evidence(everything, articles)
    report_thresholds(everything, articles)
    report_constants(rows)


if __name__ == "__main__":
    main()
