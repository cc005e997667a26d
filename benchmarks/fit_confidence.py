"""Fit the weights of ``workbench.techniques.retrieval.confidence`` and report how well they hold on other articles.

    python benchmarks/fit_confidence.py [DATA] [--language en] [--questions 320] [--seed 1] [--model FILE.gguf]
        [--together 6] [--rows FILE] [--keep FOLDER]

The starter model (or ``--model``) answers questions of XQuAD in its own words, at temperature 0, from the program's own
retrieval. An answer counts as right when it holds a gold answer. The logistic regression is fitted on all articles but
those of a fold and judged on that fold. Printed for the mean log-probability alone, for the program as shipped, for
fitted weights and for equal ones (Dawes 1979, "The robust beauty of improper linear models"): AUC, the area under the
curve of risk against coverage (Geifman and El-Yaniv 2017, arXiv:1705.08500; lower is better, the share of wrong answers
is that of a random order), points of the curve, and the weights fitted on everything, in the order of
``confidence.measure``. ``--rows`` keeps the answers: a second run asks only what is not in it.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import msgspec
import numpy as np
from answers import HERE, opened, read_lines
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from trust import area_under_curve, contains, recipe

from workbench.techniques.retrieval.abstention import Sentence, measure_evidence
from workbench.techniques.retrieval.confidence import UNSURE, estimate, measure

FOLDS = 8


def collect(chosen: argparse.Namespace, known: set[str]) -> list[dict[str, Any]]:
    """The answers to questions that are not known yet, as rows: article, gold answers, passages shown, sentences that
    match the question, right, log-probability, marked by a statement. Several are made at once."""
    with opened(chosen, chosen.language) as bench, ThreadPoolExecutor(chosen.together) as pool:

        def ask(asked: dict[str, Any]) -> dict[str, Any] | None:
            question = asked["question"]
            result = bench.ask(question, bench.collection, recipe("own-words"))
            if result.declined or result.verification is None:
                return None
            hits = bench.collection.search(question, 10).hits
            sentences = measure_evidence(question, hits, bench.collection).sentences
            return {
                "article": asked["paragraph"].split("-")[0],
                "question": question,
                "gold": asked["answers"],
                "answer": result.answer,
                "passages": msgspec.to_builtins(result.passages),
                "sentences": msgspec.to_builtins(sentences),
                "cited": [c.n for c in result.citations],
                "right": contains(result.answer, asked["answers"], chosen.language),
                "logprob": result.sequences[0].score,
                "statement_marked": any(s.verdict != "supported" for s in result.verification.statements),
            }

        rows = []
        for row in pool.map(ask, [q for q in bench.questions if q["question"] not in known]):
            if row is not None:
                rows.append(row)
                if chosen.rows is not None:
                    add_row(chosen.rows, row)
        return rows


def add_row(path: Path, row: dict[str, Any]) -> None:
    """Add a row to a file of rows: what was measured is not lost when the script is stopped."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


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
                ((values >= t) & right).sum() / max(1, right.sum())
                for t in values
                if ((values >= t) & ~right).mean() <= most
            ),
            default=0.0,
        )
        print(
            f"  where {most:.2f} of all answers are wrong and not marked, {held:.3f} of the right ones are not marked"
        )
    if name != "log-probability":
        for what, kept in (("alone", values >= UNSURE), ("with the statements", (values >= UNSURE) & ~marked)):
            wrong, held = (kept & ~right).mean(), (kept & right).sum() / max(1, right.sum())
            print(f"  at {UNSURE} {what}: wrong and not marked {wrong:.3f}, right and not marked {held:.3f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--language", default="en")
    parser.add_argument("--questions", type=int, default=320)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--wrong", type=float, default=0.095, help="share of answers that may be wrong and not marked")
    parser.add_argument("--together", type=int, default=6, help="answers that are made at once")
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--keep", type=Path, help="folder in which the indexes are kept for the next run")
    chosen = parser.parse_args()
    rows = read_lines(chosen.rows) if chosen.rows is not None and chosen.rows.is_file() else []
    if len(rows) < chosen.questions:
        rows += collect(chosen, {row["question"] for row in rows})
    measured = [
        (r["question"], r["answer"], msgspec.convert(r["sentences"], tuple[Sentence, ...]), r["logprob"]) for r in rows
    ]
    features, right = np.array([measure(*one) for one in measured]), np.array([row["right"] for row in rows])
    marked = np.array([row["statement_marked"] for row in rows])
    names = sorted({row["article"] for row in rows})
    fold = np.array([names.index(row["article"]) % FOLDS for row in rows])
    print(f"n {len(rows)}, right {right.mean():.3f}")
    report("log-probability", np.array([row["logprob"] for row in rows]), right, marked)
    report("as shipped", np.array([estimate(*one) or 0.0 for one in measured]), right, marked)
    for name, columns in (("weights fitted", features), ("equal weights", features.sum(axis=1, keepdims=True))):
        values = np.zeros(len(rows))
        wrong = held = 0.0
        for number in range(FOLDS):
            train, test = fold != number, fold == number
            model = fitted_model(columns[train], right[train])
            values[test] = model.predict_proba(columns[test])[:, 1]
            known = model.predict_proba(columns[train])[:, 1]
            least = min(t for t in known if ((known >= t) & ~right[train]).mean() <= chosen.wrong)
            wrong += ((values >= least) & test & ~right).sum() / len(rows)
            held += ((values >= least) & test & right).sum() / right.sum()
        report(f"{name}, folds by article", values, right, marked)
        print(
            f"  threshold chosen on the other folds: wrong and not marked {wrong:.3f}, right and not marked {held:.3f}"
        )
        scaler, regression = model = fitted_model(columns, right)
        weights = regression.coef_[0] / scaler.scale_
        known = model.predict_proba(columns)[:, 1]
        least = min(t for t in known if ((known >= t) & ~right).mean() <= chosen.wrong)
        bias = float(regression.intercept_[0] - weights @ scaler.mean_)
        print(f"  on all: weights {np.round(weights, 3).tolist()}, bias {bias:.3f}, threshold {least:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
