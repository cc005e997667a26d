"""Fit the weights of ``workbench.techniques.retrieval.confidence`` and report how well they hold on other articles.

    python benchmarks/fit_confidence.py

The starter model (or ``--model``) answers questions of XQuAD in its own words, at temperature 0, from the program's own
retrieval. An answer counts as right when it holds a gold answer. The logistic regression is fitted on all articles but
those of a fold and judged on that fold. Printed for the mean log-probability alone, for the program as shipped, for
fitted weights and for equal ones (Dawes 1979, "The robust beauty of improper linear models"): AUC, the area under the
curve of risk against coverage (Geifman and El-Yaniv 2017, arXiv:1705.08500; lower is better, the share of wrong answers
is that of a random order), points of the curve, and the weights fitted on everything, in the order of
``confidence.measure``. A wrong answer counts as marked, too, when one of its statements is marked however sure the
program is of the answer (``records/trust.py``). ``--rows`` keeps the answers: a second run asks only what is not in it.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from answers import opened
from harness import DATA, arguments, read_lines
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from trust import area_under_curve, contains, recipe

from workbench.records.exam import ExamResult
from workbench.records.messages import Passage, Verification
from workbench.records.trust import is_marked
from workbench.techniques import composition
from workbench.techniques.retrieval.abstention import Sentence, measure_evidence
from workbench.techniques.retrieval.confidence import UNSURE, Spelled, estimate, measure
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.verification import verifier_of, verify_answer

FOLDS = 8


class Recorder:
    """Keeps the tokens of an answer, which are not part of its result, for the thread that asked for it."""

    def __init__(self) -> None:
        self._local = threading.local()
        techniques: Any = composition  # what is replaced is not among its exports
        techniques.verify_answer = self._verify

    def _verify(
        self, text: str, grounding: Grounding, logprob: float | None, exam: ExamResult | None, spelled: Spelled
    ) -> Verification | None:
        self._local.spelled = spelled
        return verify_answer(text, grounding, logprob, exam, spelled)

    @property
    def spelled(self) -> Spelled:
        found: Spelled = self._local.spelled
        return found


def collect(chosen: argparse.Namespace, known: set[str]) -> list[dict[str, Any]]:
    """The answers to questions that are not known yet, as rows: article, gold answers, passages shown, sentences that
    match the question, right, log-probabilities. Several are made at once."""
    recorder = Recorder()
    with opened(chosen, chosen.language) as bench, ThreadPoolExecutor(chosen.together) as pool:

        def ask(asked: dict[str, Any]) -> dict[str, Any] | None:
            question = asked["question"]
            result = bench.ask(question, bench.collection, recipe("own-words"))
            if result.declined or result.verification is None:
                return None
            spelled = recorder.spelled
            hits = bench.collection.search(question, 10).hits
            sentences = measure_evidence(question, hits, bench.collection).sentences
            return {
                "article": asked["paragraph"].split("-")[0],
                "question": question,
                "gold": asked["answers"],
                "answer": result.answer,
                "passages": msgspec.to_builtins(result.passages),
                "sentences": msgspec.to_builtins(sentences),
                "right": contains(result.answer, asked["answers"], chosen.language),
                "logprob": result.sequences[0].score,
                "spelled": msgspec.to_builtins(spelled),
            }

        rows = []
        for row in pool.map(ask, [q for q in bench.questions if q["question"] not in known]):
            if row is not None:
                rows.append(row)
                if chosen.rows is not None:
                    add_row(chosen.rows, row)
        return rows


def has_marked_statement(row: dict[str, Any]) -> bool:
    """Whether a statement of the answer is marked however sure the program is of it."""
    passages, sentences = (
        msgspec.convert(row["passages"], tuple[Passage, ...]),
        msgspec.convert(row["sentences"], tuple[Sentence, ...]),
    )
    grounding = Grounding(row["question"], passages, row["question"], sentences=sentences)
    statements = verifier_of(grounding).verify(row["answer"])
    return is_marked(Verification(statements=statements, confidence=1.0))


def add_row(path: Path, row: dict[str, Any]) -> None:
    """Add a row to a file of rows: what was measured is not lost when the script is stopped."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def kept_rows(
    chosen: argparse.Namespace, collect: Callable[[argparse.Namespace, set[str]], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The rows that ``--rows`` kept, and those of further questions up to ``--questions``."""
    rows = read_lines(chosen.rows) if chosen.rows is not None and chosen.rows.is_file() else []
    if len(rows) < chosen.questions:
        rows += collect(chosen, {row["question"] for row in rows})
    return rows


def area_of_risk(values: np.ndarray, right: np.ndarray) -> float:
    """Mean risk over all coverages, when the answers with the highest values are kept first."""
    wrong = ~right[np.argsort(-values, kind="stable")]
    return float((np.cumsum(wrong) / np.arange(1, len(wrong) + 1)).mean())


def fitted_model(features: np.ndarray, right: np.ndarray) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000)).fit(features, right)


def report(name: str, values: np.ndarray, right: np.ndarray, marked: np.ndarray) -> None:
    pairs = list(zip(values.tolist(), right.tolist(), strict=True))
    area = area_of_risk(values, right)
    print(f"{name}: AUC {area_under_curve(pairs):.3f}, area of risk over coverage {area:.3f}")
    order = np.argsort(-values, kind="stable")
    curve = ((c, (~right[order[: max(1, round(c * len(order)))]]).mean()) for c in (0.1, 0.2, 0.3, 0.5, 0.7, 1.0))
    print("  risk at coverage " + ", ".join(f"{c:.1f}: {risk:.3f}" for c, risk in curve))
    for most in (0.05, 0.10, 0.15):
        held = max(
            (
                ((values >= t) & right & ~marked).sum() / max(1, right.sum())
                for t in values
                if ((values >= t) & ~right & ~marked).mean() <= most
            ),
            default=0.0,
        )
        print(
            f"  where {most:.2f} of all answers are wrong and not marked, {held:.3f} of the right ones are not marked"
        )
    if name == "as shipped":
        for what, kept in (("warned of", values >= UNSURE), ("marked", (values >= UNSURE) & ~marked)):
            wrong, held = (kept & ~right).mean(), (kept & right).sum() / max(1, right.sum())
            print(f"  at {UNSURE}: wrong and not {what} {wrong:.3f}, right and not {what} {held:.3f}")


def main() -> None:
    parser = arguments(__doc__, "model", "rows", "keep", data=DATA, language="en", questions=320, seed=1)
    parser.add_argument("--wrong", type=float, default=0.07, help="share of answers that may be wrong and not marked")
    parser.add_argument("--together", type=int, default=6, help="answers that are made at once")
    chosen = parser.parse_args()
    rows = kept_rows(chosen, collect)
    rows = [row for row in rows if row["sentences"]]
    measured = [
        (r["question"], r["answer"], msgspec.convert(r["sentences"], tuple[Sentence, ...]), r["logprob"], r["spelled"])
        for r in rows
    ]
    features, right = np.array([measure(*one) for one in measured]), np.array([row["right"] for row in rows])
    marked = np.array([has_marked_statement(row) for row in rows])
    names = sorted({row["article"] for row in rows})
    fold = np.array([names.index(row["article"]) % FOLDS for row in rows])
    print(f"n {len(rows)}, right {right.mean():.3f}; a statement marked in any case: ", end="")
    print(f"{marked[right].mean():.3f} of the right, {marked[~right].mean():.3f} of the wrong ones")
    report("log-probability", np.array([row["logprob"] for row in rows]), right, marked)
    report("as shipped", np.array([estimate(*one) or 0.0 for one in measured]), right, marked)
    for name, columns in (
        ("weights fitted", features),
        ("equal weights", features.sum(axis=1, keepdims=True)),
        ("equal weights of the first six", features[:, :6].sum(axis=1, keepdims=True)),
    ):
        values = np.zeros(len(rows))
        wrong = held = 0.0
        for number in range(FOLDS):
            train, test = fold != number, fold == number
            model = fitted_model(columns[train], right[train])
            values[test] = model.predict_proba(columns[test])[:, 1]
            known = model.predict_proba(columns[train])[:, 1]
            least = min(t for t in known if ((known >= t) & ~(right | marked)[train]).mean() <= chosen.wrong)
            wrong += ((values >= least) & test & ~(right | marked)).sum() / len(rows)
            held += ((values >= least) & test & right & ~marked).sum() / right.sum()
        report(f"{name}, folds by article", values, right, marked)
        print(
            f"  threshold chosen on the other folds: wrong and not marked {wrong:.3f}, right and not marked {held:.3f}"
        )
        scaler, regression = model = fitted_model(columns, right)
        weights = regression.coef_[0] / scaler.scale_
        known = model.predict_proba(columns)[:, 1]
        least = min(t for t in known if ((known >= t) & ~(right | marked)).mean() <= chosen.wrong)
        bias = float(regression.intercept_[0] - weights @ scaler.mean_)
        print(f"  on all: weights {np.round(weights, 3).tolist()}, bias {bias:.3f}, threshold {least:.3f}")


if __name__ == "__main__":
    main()
