"""How the rule that declines was fitted: weights of the evidence and the least of it that is enough.

    python benchmarks/fit_decline.py [DATA] [--questions 320] [--seed 1] [--keep FOLDER] [--false 0.035]

Every question of XQuAD-en is held against what the real embedding worker finds, with its paragraph (answerable) and
without (removed), and so are the unrelated questions. For each weighting, the threshold that declines ``--false`` of
the answerable questions is chosen on five sixths of the articles, and its rates are counted on the sixth left out.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import tempfile
from pathlib import Path

import numpy as np
from answers import HERE, Bench, Without

from workbench.techniques.retrieval.abstention import HITS_EXAMINED, LEAST_EVIDENCE, Sentence, examine
from workbench.techniques.retrieval.embedding_calls import Retriever
from workbench.techniques.retrieval.grounded import CANDIDATES
from workbench.text.terms import Vocabulary

FOLDS = 6
SHIPPED = (0.5, 0.5, 0.5, 0.5)
Sentences = list[Sentence]


def sentences_for(question: str, retriever: Retriever) -> Sentences:
    hits = retriever.search(question, CANDIDATES).hits[:HITS_EXAMINED]
    return examine(question, hits, Vocabulary.of(h.text for h in hits), retriever)


def strengths(examined: list[Sentences], weights: tuple[float, ...]) -> np.ndarray:
    def strongest(sentences: Sentences) -> float:
        parts = [(s.own_words, s.words_around, s.alike, s.passage_alike) for s in sentences]
        return max((float(np.dot(weights, p)) for p in parts), default=0.0)

    return np.array([strongest(sentences) for sentences in examined])


def rates(
    answerable: np.ndarray, removed: np.ndarray, unrelated: np.ndarray, fold: np.ndarray, wanted_false: float
) -> tuple[float, float, float]:
    """Shares declined on articles that the threshold was not chosen on: answerable, removed, unrelated."""
    counts = np.zeros(3)
    for out in range(FOLDS):
        least = np.quantile(answerable[fold != out], wanted_false)
        counts += [
            (answerable[fold == out] < least).sum() / len(answerable),
            (removed[fold == out] < least).sum() / len(removed),
            (unrelated < least).mean() / FOLDS,
        ]
    return tuple(counts)  # type: ignore[return-value]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--questions", type=int, default=320)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--false", type=float, default=0.035)
    parser.add_argument("--unrelated", type=Path, default=HERE / "unrelated.txt")
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = chosen.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(chosen.data, folder, chosen.questions, chosen.seed, 0, chosen.unrelated)
        stack.callback(bench.close)
        articles = sorted({q["paragraph"].split("-")[0] for q in bench.questions})
        fold = np.array([articles.index(q["paragraph"].split("-")[0]) % FOLDS for q in bench.questions])
        answerable = [sentences_for(q["question"], bench.collection) for q in bench.questions]
        removed = [sentences_for(q["question"], Without(bench.collection, {q["paragraph"]})) for q in bench.questions]
        unrelated = [sentences_for(q, bench.collection) for q in bench.unrelated_questions()]
    print("own words, words around, sentence, passage: declined answerable / removed / unrelated")
    found = []
    for weights in itertools.product((0.0, 0.25, 0.5, 0.75), repeat=4):
        if sum(weights) > 0:
            found.append(
                (
                    rates(
                        strengths(answerable, weights),
                        strengths(removed, weights),
                        strengths(unrelated, weights),
                        fold,
                        chosen.false,
                    ),
                    weights,
                )
            )
    found.sort(key=lambda one: -(one[0][1] + one[0][2] - 2 * one[0][0]))
    for (false, gone, other), weights in [*found[:8], *(one for one in found if one[1] == SHIPPED)]:
        print(f"{weights}: {false:.3f} / {gone:.3f} / {other:.3f}{'  (shipped)' if weights == SHIPPED else ''}")
    shipped = strengths(answerable, SHIPPED)
    print(
        f"threshold for {chosen.false:.3f} on all: {np.quantile(shipped, chosen.false):.3f}, shipped {LEAST_EVIDENCE}"
    )
    for name, examined in (("answerable", answerable), ("removed", removed), ("unrelated", unrelated)):
        print(f"declined as shipped, {name}: {(strengths(examined, SHIPPED) < LEAST_EVIDENCE).mean():.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
