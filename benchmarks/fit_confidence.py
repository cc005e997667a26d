"""Fit the weights of ``workbench.techniques.retrieval.confidence`` and report how well they hold on other articles.

    python benchmarks/fit_confidence.py [DATA] [--language en] [--questions 640] [--folds 8]

The starter model answers the questions of XQuAD in its own words, at temperature 0, from the program's own retrieval.
An answer counts as right when it holds a gold answer. The logistic regression is fitted on all articles but those of a
fold and judged on that fold. Printed: AUC over all folds, the risk and coverage of some thresholds, and the weights
fitted on everything, in the order of ``confidence.measure``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from answers import HERE, Bench
from sklearn.linear_model import LogisticRegression
from trust import area_under_curve, contains, recipe

from workbench.techniques.retrieval.abstention import measure_evidence
from workbench.techniques.retrieval.confidence import measure


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--language", default="en")
    parser.add_argument("--questions", type=int, default=640)
    parser.add_argument("--folds", type=int, default=8)
    chosen = parser.parse_args()
    rows, right, articles = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        unrelated = HERE / "unrelated.txt"
        bench = Bench(chosen.data, Path(folder), chosen.questions, 0, 0, unrelated, chosen.language)
        try:
            for question in bench.questions:
                result = bench.ask(question["question"], bench.collection, recipe("own-words"))
                if result.declined:
                    continue
                hits = bench.collection.search(question["question"], 10).hits
                sentences = measure_evidence(question["question"], hits, bench.collection).sentences
                logprob = result.sequences[0].score if result.sequences else None
                rows.append(measure(question["question"], result.answer, sentences, logprob))
                right.append(contains(result.answer, question["answers"], chosen.language))
                articles.append(question["paragraph"].split("-")[0])
        finally:
            bench.close()
    features, labels = np.array(rows), np.array(right)
    names = sorted(set(articles))
    fold = np.array([names.index(article) % chosen.folds for article in articles])
    estimates = np.zeros(len(labels))
    for number in range(chosen.folds):
        train, test = fold != number, fold == number
        if test.any():
            model = LogisticRegression(C=0.3, max_iter=1000).fit(features[train], labels[train])
            estimates[test] = model.predict_proba(features[test])[:, 1]
    pairs = list(zip(estimates.tolist(), labels.tolist(), strict=True))
    print(f"n {len(labels)}, right {labels.mean():.3f}, AUC {area_under_curve(pairs):.3f}")
    for threshold in (0.2, 0.3, 0.4, 0.43, 0.5):
        kept = estimates >= threshold
        wrong, held = (kept & ~labels).mean(), (kept & labels).sum() / max(1, labels.sum())
        print(f"threshold {threshold:.2f}: wrong and not marked {wrong:.3f}, right and not marked {held:.3f}")
    whole = LogisticRegression(C=0.3, max_iter=1000).fit(features, labels)
    print(
        "weights", [round(float(weight), 3) for weight in whole.coef_[0]], "bias", round(float(whole.intercept_[0]), 3)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
