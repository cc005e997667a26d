"""Fit the classifier of roads (``workbench.techniques.retrieval.roads.classifier``), and judge it.

    python benchmarks/fit_router.py --keep FOLDER [--folds]    # write the weights; report folds of the requests before
    python benchmarks/fit_router.py --keep FOLDER --judge      # the requests that it was not fitted on

Fitted on the 600 requests of router_requests.jsonl with the split *fit*, on router_requests_more.jsonl (written after
them, without a look at the texts of the other split), and with the weight ``OFFICES`` on the questions of
benchmarks/offices, whose kinds name the road. Judged on the 200 of the split *judge*, in a conversation that has begun
and a home with other collections, so that all roads can be taken. For each embedding model with weights of its own, and
for none.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from harness import HERE, arguments, interval, read_lines
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from workbench.records.outcomes import Road
from workbench.records.roads import ROADS
from workbench.subjects.models.starter import find_starters
from workbench.techniques.retrieval.embedder_loading import EmbedderLoading
from workbench.techniques.retrieval.roads.classifier import CUE_SCALE, FILE, FITTED, Fitted, Weights, likelihoods
from workbench.techniques.retrieval.roads.cues import NAMES, cues_of
from workbench.techniques.retrieval.roads.route import decide

Floats = NDArray[np.float64]

FOLDS = 5
INVERSE_PENALTY = 10.0
"""Of the squared weights, as scikit-learn has it."""
OFFICES = 0.2
VECTOR_SCALE = {"multilingual-e5-small": 1.5, "all-MiniLM-L6-v2": 0.25}
"""How much the vectors count against the cues while fitting: those of a model that knows English alone count less."""
ROAD_OF_KIND: dict[str, Road] = {
    "fact": "place", "crosslang": "place", "version": "place", "table": "table", "two": "places", "whole": "whole",
    "compare": "compare",
}  # fmt: skip
ORDER: tuple[Road, ...] = tuple(ROADS)


def main() -> int:
    parser = arguments(__doc__, "keep", judge=False, folds=False)
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp())
    requests = read_lines(HERE / "router_requests.jsonl")
    judged = [one for one in requests if one["split"] == "judge"]
    fit = [one for one in requests if one["split"] == "fit"]
    known = {_plain(one["text"]) for one in judged}
    more = [one for one in read_lines(HERE / "router_requests_more.jsonl") if _plain(one["text"]) not in known]
    offices = [
        {"text": one["question"], "road": ROAD_OF_KIND[one["kind"]], "language": one["language"]}
        for file in sorted((HERE / "offices").glob("*/questions.jsonl"))
        for one in read_lines(file)
        if one["kind"] in ROAD_OF_KIND
    ]
    print(
        f"{len(fit)} requests to fit on, {len(more)} more, {len(offices)} questions of offices; {len(judged)} to judge"
    )
    models: list[Weights] = []
    for name, fingerprint, vectors in _embedders(folder, [*fit, *more, *offices, *judged]):
        print(f"\n== {name or 'without vectors'}")
        own, others, last = vectors[: len(fit)], vectors[len(fit) : -len(judged)], vectors[-len(judged) :]
        if given.judge:
            taken = [
                decide(one["text"], likelihoods(one["text"], vector, fingerprint), begun=True, others=True)
                for one, vector in zip(judged, last.tolist(), strict=True)
            ]
            _report(judged, taken)
            continue
        mean = own.mean(0) if name else own[0]
        scale = VECTOR_SCALE.get(name, 1.0)
        extra = [*more, *offices]
        ours, theirs = _features(fit, own, mean, scale), _features(extra, others, mean, scale)
        weights = np.concatenate([np.ones(len(fit) + len(more)), np.full(len(offices), OFFICES)])
        if given.folds:
            _report(fit, _by_folds(fit, extra, ours, theirs, weights))
        found = _fitted(np.vstack([ours, theirs]), [*fit, *extra], weights)
        cues = len(NAMES)
        coefficients = found.coef_.T
        models.append(
            Weights(
                embedder=name,
                fingerprint=fingerprint,
                cues=_bytes(coefficients[:cues]),
                vector=_bytes(coefficients[cues:] * scale),
                mean=_bytes(mean) if name else b"",
                bias=_bytes(found.intercept_),
            )
        )
    if models:
        FITTED.save(FILE, Fitted(roads=ORDER, cues=NAMES, models=tuple(models)))
        print(f"\n{FILE.name}: {FILE.stat().st_size / 1000:.0f} kB")
    return 0


def _plain(text: str) -> str:
    return text.casefold().strip(" ?.!¿")


def _embedders(folder: Path, requests: Sequence[dict[str, Any]]) -> Any:
    """Of no embedder and of each starter: its name, its fingerprint, and the vectors of the requests."""
    texts = [one["text"] for one in requests]
    yield "", "", np.zeros((len(texts), 0))
    for one in find_starters(folder / "models", multilingual=True):
        if one.kind != "embedder":
            continue
        embedder = EmbedderLoading(folder / "embedders").load(Path(one.path))
        cache = folder / f"{one.name}.json"
        made: dict[str, list[float]] = json.loads(cache.read_text("utf-8")) if cache.is_file() else {}
        missing = [text for text in dict.fromkeys(texts) if text not in made]
        made |= dict(zip(missing, embedder.embed_queries(missing).tolist(), strict=True)) if missing else {}
        cache.write_text(json.dumps(made), "utf-8")
        yield one.name, embedder.fingerprint, np.array([made[text] for text in texts])
        embedder.close()


def _features(requests: Sequence[dict[str, Any]], vectors: Floats, mean: Floats, scale: float) -> Floats:
    cues = np.array([cues_of(one["text"]) for one in requests]) * CUE_SCALE
    if not vectors.shape[1]:
        return cues
    centred = vectors - mean
    return np.hstack([cues, centred / np.linalg.norm(centred, axis=1, keepdims=True) * scale])


def _fitted(features: Floats, requests: Sequence[dict[str, Any]], weights: Floats) -> Any:
    roads = np.array([ORDER.index(one["road"]) for one in requests])
    return LogisticRegression(C=INVERSE_PENALTY, max_iter=300).fit(features, roads, weights)


def _by_folds(
    fit: Sequence[dict[str, Any]], extra: Sequence[dict[str, Any]], own: Floats, others: Floats, weights: Floats
) -> list[Road]:
    """The road of each request by a classifier that was not fitted on it."""
    folds = np.random.default_rng(0).integers(0, FOLDS, len(fit))
    taken: list[Road] = ["place"] * len(fit)
    for fold in range(FOLDS):
        kept = folds != fold
        rows = [one for one, keep in zip(fit, kept, strict=True) if keep]
        at = np.concatenate([weights[: kept.sum()], weights[len(fit) :]])
        model = _fitted(np.vstack([own[kept], others]), [*rows, *extra], at)
        for row in np.flatnonzero(~kept):
            shares = model.predict_proba(own[row : row + 1])[0]
            found = {ORDER[road]: float(share) for road, share in zip(model.classes_, shares, strict=True)}
            taken[row] = decide(fit[int(row)]["text"], found, begun=True, others=True)
    return taken


def _report(requests: Sequence[dict[str, Any]], taken: Sequence[Road]) -> None:
    """Right roads in all, by language, of the hard cases; the confusion by language."""
    rows = list(zip(requests, taken, strict=True))
    groups = {"all": rows}
    groups |= {language: [r for r in rows if r[0]["language"] == language] for language in ("en", "de", "fr", "es")}
    groups["hard"] = [r for r in rows if r[0].get("hard")]
    for name, group in groups.items():
        if not group:
            continue
        right = sum(one["road"] == road for one, road in group)
        low, high = interval(right / len(group), len(group))
        print(f"{name:5} {right:4} of {len(group):4} = {right / len(group):.3f} ({low:.3f}-{high:.3f})")
    print("asked".ljust(9) + "".join(road.rjust(9) for road in ORDER))
    for road in ORDER:
        counts = Counter(found for one, found in rows if one["road"] == road)
        print(road.ljust(9) + "".join(str(counts[found] or "").rjust(9) for found in ORDER))
    for language in ("en", "de", "fr", "es"):
        wrong = Counter(
            f"{one['road']} > {road}" for one, road in rows if one["road"] != road and one["language"] == language
        )
        print(f"wrong in {language}: {', '.join(f'{name} {count}' for name, count in wrong.most_common()) or 'none'}")


def _bytes(numbers: Floats) -> bytes:
    return np.ascontiguousarray(numbers, "<f4").tobytes()


if __name__ == "__main__":
    sys.exit(main())
