"""Fit which sentence is quoted: what the model's log-probabilities add to words and sentence vectors.

    python benchmarks/fit_quoting.py

Every question of XQuAD is held against the sentences that the program compares with it (``abstention.examine``). Of
each sentence these are known: the parts of its evidence; whether a heading; the starter's mean log-probability of the
question after the sentence (Ponte and Croft 1998; Sachan et al. 2022, arXiv:2204.07496), of the sentence as an answer
to the question, with the passages before it and without. A sentence is good when it holds a gold answer. A ranking (a
logistic regression on the differences of a good and another sentence of the same question; Joachims 2002, "Optimizing
Search Engines Using Clickthrough Data") is fitted on all articles but those of a fold and judged on that fold: how
often the best sentence, the two best, and those that would be quoted hold a gold answer, in how many sentences, with
the 95 % interval. ``--rows`` keeps what was measured: a second run asks only what is not in it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from answers import opened
from fit_confidence import add_row, kept_rows
from harness import DATA, arguments
from sklearn.linear_model import LogisticRegression
from trust import contains

from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Score
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, PromptingPart, RetrievalPart
from workbench.records.training.scores import interval
from workbench.techniques.retrieval.abstention import HITS_EXAMINED, examine
from workbench.techniques.retrieval.grounded import CANDIDATES, pack
from workbench.techniques.retrieval.prompting import grounded_messages
from workbench.techniques.retrieval.quoting import LEAST_LEAD, MOST_SENTENCES
from workbench.text.terms import Vocabulary

FOLDS = 8
ASK = "Write the question that this sentence answers."
PARTS = ("own_words", "words_around", "kin_around", "alike", "passage_alike")
MODEL = ("question", "answer", "answer_alone")
"""The mean log-probability of the question after the sentence; of the sentence after passages and question, and after
the question."""
COMBINED = (("question",), ("answer",), ("answer_alone",), MODEL)


def collect(chosen: argparse.Namespace, known: set[str]) -> list[dict[str, Any]]:
    """The questions that are not known yet, as rows, each with its sentences."""
    rows = []
    with opened(chosen, chosen.language) as bench, nullcontext() if chosen.words else bench.model() as model:
        for asked in bench.questions:
            question = asked["question"]
            if question in known:
                continue
            hits = bench.collection.search(question, CANDIDATES).hits[:HITS_EXAMINED]
            vocabulary = Vocabulary.of(h.text for h in hits)
            found = sorted(examine(question, hits, vocabulary, bench.collection), key=lambda s: -s.strength)
            if not found:
                continue
            row: dict[str, Any] = {
                "article": asked["paragraph"].split("-")[0],
                "question": question,
                "sentences": [
                    {
                        **{part: getattr(s, part) for part in PARTS},
                        "strength": s.strength,
                        "states": s.states,
                        "good": contains(s.text, asked["answers"], chosen.language),
                    }
                    for s in found
                ],
            }
            rows.append(row)
            if chosen.words:
                continue
            assert model is not None
            user = (Message("user", question),)
            shown = pack(hits, model, RetrievalPart(), DecodingPart())
            grounded = grounded_messages(shown, user, PromptingPart(), model)
            texts = tuple(s.text for s in found)
            began = time.perf_counter()
            asking = [
                Score(messages=(Message("user", f"{s.text}\n\n{ASK}"),), continuations=(question,)) for s in found
            ]
            of_question = model.score_many(asking, RequestContext())
            middle = time.perf_counter()
            (with_passages,) = model.score_many([Score(messages=grounded, continuations=texts)], RequestContext())
            later = time.perf_counter()
            (alone,) = model.score_many([Score(messages=user, continuations=texts)], RequestContext())
            last = time.perf_counter()
            scored = zip((one.values[0] for one in of_question), with_passages.values, alone.values, strict=True)
            row["seconds"] = [middle - began, later - middle, last - later]
            for one, values in zip(row["sentences"], scored, strict=True):
                one.update({n: v.logprob / max(1, v.tokens) for n, v in zip(MODEL, values, strict=True)})
            if chosen.rows is not None:
                add_row(chosen.rows, rows[-1])
    return rows


def features_of(sentence: dict[str, Any], names: Sequence[str]) -> list[float]:
    return [sentence[name] for name in names]


def fitted_weights(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> np.ndarray:
    """The weights of a ranking: of the differences between a good sentence and another one of its question."""
    pairs = [
        np.subtract(features_of(good, names), features_of(other, names))
        for row in rows
        for good in row["sentences"]
        for other in row["sentences"]
        if good["good"] and not other["good"]
    ]
    differences = np.array([*pairs, *(-pair for pair in pairs)])
    scale = differences.std(axis=0)
    model = LogisticRegression(C=0.3, fit_intercept=False, max_iter=1000)
    model.fit(differences / scale, np.array([1] * len(pairs) + [0] * len(pairs)))
    return np.asarray(model.coef_[0] / scale)


def ranked(row: dict[str, Any], names: Sequence[str], weights: np.ndarray) -> list[tuple[float, dict[str, Any]]]:
    stating = [s for s in row["sentences"] if s["states"]] or row["sentences"]
    scored = [(float(weights @ features_of(s, names)), s) for s in stating]
    return sorted(scored, key=lambda one: -one[0])


def leads(rows: Sequence[dict[str, Any]], names: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """By how much the best sentence leads, of each question that has two."""
    orders = [ranked(row, names, weights) for row in rows]
    return np.array([order[0][0] - order[1][0] for order in orders if len(order) > 1])


def judge(
    rows: Sequence[dict[str, Any]], names: Sequence[str], weights: np.ndarray, lead: float
) -> list[tuple[bool, bool, bool, int]]:
    """Of each question: whether the best, the two best and the quoted sentences hold gold, and how many are quoted."""
    found = []
    for row in rows:
        order = ranked(row, names, weights)
        quoted = order[:1] if len(order) == 1 or order[0][0] - order[1][0] >= lead else order[:MOST_SENTENCES]
        good = [[s["good"] for _, s in some] for some in (order[:1], order[:2], quoted)]
        found.append((any(good[0]), any(good[1]), any(good[2]), len(quoted)))
    return found


def report(rows: list[dict[str, Any]]) -> None:
    articles = sorted({row["article"] for row in rows})
    fold = [articles.index(row["article"]) % FOLDS for row in rows]
    possible = np.mean([any(s["good"] for s in row["sentences"]) for row in rows])
    print(f"n {len(rows)}, a gold answer in one of the sentences {possible:.3f}")
    combined: tuple[tuple[str, ...], ...] = ()
    if all("seconds" in row for row in rows):
        combined = COMBINED
        seconds = np.median([row["seconds"] for row in rows], axis=0)
        print("seconds per question " + ", ".join(f"{n} {s:.2f}" for n, s in zip(MODEL, seconds, strict=True)))
    shipped = judge(rows, ("strength",), np.ones(1), LEAST_LEAD)
    alone = np.mean([count == 1 for *_, count in shipped])
    print_rates("strength, as shipped", shipped, shipped)
    for names in (PARTS, *((*PARTS, *some) for some in combined), *(("strength", *some) for some in combined)):
        judged: list[Any] = [None] * len(rows)
        for number in range(FOLDS):
            train = [row for row, f in zip(rows, fold, strict=True) if f != number]
            places = [i for i, f in enumerate(fold) if f == number]
            weights = fitted_weights(train, names)
            lead = float(np.quantile(leads(train, names, weights), 1 - alone))  # as many alone as shipped
            for place, one in zip(places, judge([rows[i] for i in places], names, weights, lead), strict=True):
                judged[place] = one
        weights = fitted_weights(rows, names)
        lead = float(np.quantile(leads(rows, names, weights), 1 - alone))
        print_rates(" + ".join(names), judged, shipped)
        print(f"      on all: weights {np.round(weights, 3).tolist()}, lead {lead:.3f}")


def print_rates(name: str, judged: Sequence[Any], shipped: Sequence[Any]) -> None:
    best, two, quoted, count = np.mean(judged, axis=0)
    low, high = interval(float(quoted), len(judged))
    won = sum(new[2] and not old[2] for new, old in zip(judged, shipped, strict=True))
    lost = sum(old[2] and not new[2] for new, old in zip(judged, shipped, strict=True))
    print(
        f"{name}: best {best:.3f}, two best {two:.3f}, quoted {quoted:.3f} ({low:.3f} to {high:.3f}) "
        f"in {count:.2f} sentences; {won} won, {lost} lost"
    )


def main() -> None:
    parser = arguments(__doc__, "model", "rows", "keep", data=DATA, language="en", questions=320, seed=1)
    parser.add_argument("--words", action="store_true", help="without the model: words and sentence vectors only")
    chosen = parser.parse_args()
    rows = kept_rows(chosen, collect)
    report(rows)


if __name__ == "__main__":
    main()
