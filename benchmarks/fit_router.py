"""Fit the classifier of roads (``workbench.techniques.retrieval.roads.classifier``), and judge it.

    python benchmarks/fit_router.py --keep FOLDER [--lists] [--made MADE]    # write the weights
    python benchmarks/fit_router.py --keep FOLDER --folds      # penalties and scales, by folds over ideas
    python benchmarks/fit_router.py --keep FOLDER --judge      # the requests that it was not fitted on
    python benchmarks/fit_router.py --compare                  # the lists, by what they are made of

Fitted on five lists of written requests (the split *fit* of router_requests.jsonl, 600; router_requests_more.jsonl,
797; the split *fit* of router_requests_third.jsonl, 242; router_requests_fifth.jsonl, 516;
router_requests_seventh.jsonl, 2,992, whose ideas are domains, and pairs at the borders of roads), with the weight
``PHRASES`` on requests made of the phrases in router_phrases.txt, and with ``OFFICES`` and ``SMALL_OFFICES`` on the
questions of the larger and the smaller offices in benchmarks/offices. The kind of each question gives its road; nine of
ten need one place.
Judged on the split *judge* of the first list (200) and of the third (240), on the fourth (200), on the sixth and on the
eighth (200 each, each an idea of its own; three and five have a second road, ``also``); in the third and the fourth an
idea in another language is on the same side. The conversation has begun and there are other collections, so that all
roads can be taken.
``--lists`` asks each written list of a classifier that was fitted without that list: what the figure of a new list may
be. For each embedding model with weights of its own, and for none.

``--made`` is the folder of the offices' documents (benchmarks/offices/make.py): what their tables answer is weighed
against the road of each question, by classifiers that were fitted without its office. Without it the weights of the
tables stay as they are.
"""

from __future__ import annotations

import re
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from harness import HERE, arguments, interval, read_lines
from numpy.typing import NDArray
from office_answers import MADE, PLAIN
from router_phrases import made_requests
from scipy.sparse import csr_matrix, hstack, vstack
from sklearn.linear_model import LogisticRegression
from table_questions import read_tables

from workbench.records.outcomes import Road
from workbench.records.roads import ROADS
from workbench.subjects.models.starter import find_starters
from workbench.techniques.retrieval.embedder_loading import EmbedderLoading
from workbench.techniques.retrieval.roads.classifier import (
    CUE_SCALE,
    FILE,
    FITTED,
    TABLES,
    Fitted,
    Weights,
    likelihoods,
    log_odds,
    pairs_of,
)
from workbench.techniques.retrieval.roads.cues import cues_of, names
from workbench.techniques.retrieval.roads.grams import ROWS, form_grams_of, grams_of, tokens_of
from workbench.techniques.retrieval.roads.route import ASKED, decide
from workbench.techniques.retrieval.table_answers.choice import choose
from workbench.techniques.retrieval.table_answers.question import Question

Floats = NDArray[np.float64]
Request = dict[str, Any]

INVERSE_PENALTY = {"": 10.0, "all-MiniLM-L6-v2": 10.0, "multilingual-e5-small": 1.0}
"""Of the squared weights, as scikit-learn has it, of ``PENALTIES`` by folds for each embedding model. By those of
multilingual-e5-small 1 is as good as 10, and its likelihoods are less often wrong where they are high."""
PHRASES = 0.3
OFFICES, SMALL_OFFICES = 0.6, 0.2
"""A question of an office counts like so many written requests. The smaller ones ask for one place only."""
SCALE_OF_TABLE = {"parts": 1.5, "words": 1.5, "forms": 2.0, "pairs": 0.4}
"""How much the parts of words, words and pairs of them, forms, and pairs of cues count against the cues while
fitting."""
LEAST_IDEAS = 8
"""Ideas of the written lists that have a word which a form keeps."""
VECTOR_SCALE = {"multilingual-e5-small": 3.0, "all-MiniLM-L6-v2": 1.5}
"""The same of the vectors, the best of ``SCALES`` by folds."""
PENALTIES, SCALES, FOLDS = (0.3, 1.0, 10.0), (1.5, 3.0, 5.0), 3
LEAST_LIKELY = (0.5, 0.7, 0.8, 0.9)
"""Likelihoods of the road taken, from which on its share of right ones is reported."""
TOGETHER = 1000
"""Requests that are embedded before the vectors are written to the folder."""
LANGUAGES = {"all-MiniLM-L6-v2": ("en",)}
"""Of an embedding model that knows no other language: it is fitted and used for these requests alone."""
TABLES_WITH = "multilingual-e5-small"
"""The embedding model with whose classifier the tables' answers are weighed."""
ROAD_OF_KIND: dict[str, Road] = {
    "fact": "place", "crosslang": "place", "version": "place", "table": "table", "two": "places", "whole": "whole",
    "compare": "compare",
}  # fmt: skip
JUDGED = ("judge of the first", "judge of the third", "the fourth", "the sixth", "the eighth")
WRITTEN = ("fit", "more", "third", "fifth", "seventh")
ORDER: tuple[Road, ...] = tuple(ROADS)


def main() -> int:
    parser = arguments(__doc__, "keep", "made", judge=False, lists=False, folds=False, compare=False)
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp())
    lists = read_lists()
    judged = {name: lists.pop(name) for name in JUDGED}
    print({name: len(requests) for name, requests in (lists | judged).items()})
    if given.compare:
        _compare(lists | judged)
        return 0
    tables = _kept_tables()
    models: list[Weights] = []
    for name, fingerprint, vectors in _embedders(folder, judged if given.judge else lists):
        print(f"\n== {name or 'without vectors'}")
        if given.judge:
            for title, requests in judged.items():
                print(f"\n{title}")
                found = [likelihoods(one["text"], vectors(one["text"]).tolist(), fingerprint) for one in requests]
                taken = [_taken(one["text"], by) for one, by in zip(requests, found, strict=True)]
                _report(requests, taken)
                _report_likelihoods(requests, found, taken)
            continue
        spoken = LANGUAGES.get(name, ())
        own = {
            title: [one for one in requests if not spoken or one["language"] in spoken]
            for title, requests in lists.items()
        }
        mean = np.mean([vectors(one["text"]) for one in own["fit"]], axis=0) if name else np.zeros(0)
        scale = VECTOR_SCALE.get(name, 1.0)
        if given.folds:
            _by_folds(own, vectors, mean)
            continue
        features = {title: _features(requests, vectors, mean, scale) for title, requests in own.items()}
        if given.lists:
            _without_each(own, features, INVERSE_PENALTY[name])
        found = _fitted(own, features, list(own), INVERSE_PENALTY[name])
        if given.made is not None and name == TABLES_WITH:
            tables = _tables(own, features, given.made)
        models.append(_weights(found.coef_.T, found.intercept_, mean, scale, name, fingerprint, spoken))
    if models:
        words = tuple(sorted(_known_words()))
        FITTED.save(FILE, Fitted(roads=ORDER, cues=names(), words=words, tables=tables, models=tuple(models)))
        print(f"\n{FILE.name}: {FILE.stat().st_size / 1000:.0f} kB")
    return 0


def read_lists() -> dict[str, list[Request]]:
    """The requests to fit on and those to judge by; none of the latter is among the former."""
    first, third = read_lines(HERE / "router_requests.jsonl"), read_lines(HERE / "router_requests_third.jsonl")
    judged = {
        "judge of the first": [one for one in first if one["split"] == "judge"],
        "judge of the third": [one for one in third if one["split"] == "judge"],
        "the fourth": read_lines(HERE / "router_requests_fourth.jsonl"),
        "the sixth": read_lines(HERE / "router_requests_sixth.jsonl"),
        "the eighth": read_lines(HERE / "router_requests_eighth.jsonl"),
    }
    lists = {
        "fit": [one for one in first if one["split"] == "fit"],
        "more": read_lines(HERE / "router_requests_more.jsonl"),
        "third": [one for one in third if one["split"] == "fit"],
        "fifth": read_lines(HERE / "router_requests_fifth.jsonl"),
        "seventh": read_lines(HERE / "router_requests_seventh.jsonl"),
        "phrases": made_requests(),
        "offices": _questions_of(MADE),
        "small offices": _questions_of(PLAIN),
    }
    known = {_plain(one["text"]) for requests in judged.values() for one in requests}
    return {
        title: [one for one in requests if _plain(one["text"]) not in known] for title, requests in lists.items()
    } | judged


def _questions_of(offices: Sequence[str]) -> list[Request]:
    return [
        {"text": one["question"], "road": ROAD_OF_KIND[one["kind"]], "language": one["language"], "office": office}
        for office in sorted(offices)
        for one in read_lines(HERE / "offices" / office / "questions.jsonl")
        if one["kind"] in ROAD_OF_KIND
    ]


def _plain(text: str) -> str:
    return text.casefold().strip(" ?.!¿")


def _taken(text: str, found: Mapping[Road, float]) -> Road:
    return decide(text, found, begun=True, others=True)


def _embedders(folder: Path, lists: dict[str, list[Request]]) -> Iterator[tuple[str, str, Any]]:
    """Of no embedder and of each starter: its name, its fingerprint, and a function from texts to vectors."""
    yield "", "", lambda _: np.zeros(0)
    for one in find_starters(folder / "models", multilingual=True):
        if one.kind != "embedder":
            continue
        embedder = EmbedderLoading(folder / "embedders").load(Path(one.path))
        cache = folder / f"{one.name}.npz"
        made: dict[str, Floats] = {}
        if cache.is_file():
            with np.load(cache) as kept:
                made = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))
        spoken = LANGUAGES.get(one.name, ())
        texts = [
            row["text"] for requests in lists.values() for row in requests if not spoken or row["language"] in spoken
        ]
        missing = [text for text in dict.fromkeys(texts) if text not in made]
        for begin in range(0, len(missing), TOGETHER):
            some = missing[begin : begin + TOGETHER]
            made |= dict(zip(some, np.asarray(embedder.embed_queries(some), np.float32), strict=True))
            np.savez(cache, texts=np.array(list(made)), vectors=np.array(list(made.values())))
        yield one.name, embedder.fingerprint, lambda text, made=made: made.get(text, np.zeros(0))
        embedder.close()


def _features(requests: Sequence[Request], vectors: Any, mean: Floats, scale: float) -> Any:
    """A row for each request: its cues, the rows of the classifier's tables that it has, and its vector."""
    return _with_vectors(_pieces(requests), requests, vectors, mean, scale)


def _pieces(requests: Sequence[Request]) -> Any:
    found = [cues_of(one["text"]) for one in requests]
    cues = csr_matrix(np.array(found) * CUE_SCALE)
    grams = _sparse([grams_of(one["text"]) for one in requests], 2 * ROWS)
    forms = _sparse([form_grams_of(one["text"], _known_words()) for one in requests], ROWS)
    pairs = _sparse([dict.fromkeys(pairs_of(one), 1.0) for one in found], len(names()) * (len(names()) - 1) // 2)
    tables = dict(zip(TABLES, (grams[:, :ROWS], grams[:, ROWS:], forms, pairs), strict=True))
    return hstack([cues, *(table * SCALE_OF_TABLE[name] for name, table in tables.items())]).tocsr()


def _with_vectors(pieces: Any, requests: Sequence[Request], vectors: Any, mean: Floats, scale: float) -> Any:
    if not len(mean):
        return pieces
    centred = np.array([vectors(one["text"]) for one in requests]) - mean
    return hstack([pieces, csr_matrix(centred / np.linalg.norm(centred, axis=1, keepdims=True) * scale)]).tocsr()


def _sparse(rows: Sequence[Mapping[int, float]], width: int) -> Any:
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.array([column for row in rows for column in row], int)
    values = np.array([value for row in rows for value in row.values()])
    return csr_matrix((values, columns, ends), shape=(len(rows), width))


@cache
def _known_words() -> frozenset[str]:
    """The words that a form keeps: words that occur in many ideas say what kind of request it is, not its subject."""
    lists = read_lists()
    ideas = {
        (title, one.get("idea", one["text"]), word)
        for title in WRITTEN
        for one in lists[title]
        for word in tokens_of(one["text"])
    }
    counts = Counter(word for _, _, word in ideas)
    return frozenset(word for word, count in counts.items() if count >= LEAST_IDEAS)


def _by_folds(lists: dict[str, list[Request]], vectors: Any, mean: Floats) -> None:
    """The share of right roads of the written lists for each penalty and scale of the vectors, by folds over ideas."""
    folds = {
        title: np.array([zlib.crc32(f"{title} {one.get('idea', one['text'])}".encode()) % FOLDS for one in requests])
        for title, requests in lists.items()
        if title in WRITTEN
    }
    pieces = {title: _pieces(requests) for title, requests in lists.items()}
    for penalty, scale in product(PENALTIES, SCALES if len(mean) else (1.0,)):
        features = {title: _with_vectors(pieces[title], some, vectors, mean, scale) for title, some in lists.items()}
        right: dict[str, list[bool]] = {title: [] for title in folds}
        for fold in range(FOLDS):
            kept = {title: np.flatnonzero(of != fold) for title, of in folds.items()}
            some = lists | {title: [lists[title][row] for row in rows] for title, rows in kept.items()}
            rest = features | {title: features[title][rows] for title, rows in kept.items()}
            found = _fitted(some, rest, list(some), penalty)
            for title, of in folds.items():
                for row, shares in zip(
                    np.flatnonzero(of == fold), found.predict_proba(features[title][of == fold]), strict=True
                ):
                    one = lists[title][row]
                    by = dict(zip(ORDER, shares.tolist(), strict=True))
                    right[title].append(_is_right(one, _taken(one["text"], by)))
        each = ", ".join(f"{title} {np.mean(some):.3f}" for title, some in right.items())
        every = np.concatenate(list(right.values()))
        low, high = interval(float(every.mean()), len(every))
        print(f"penalty {penalty:g}, scale {scale:g}: {every.mean():.3f} ({low:.3f}-{high:.3f}); {each}", flush=True)


def _fitted(
    lists: dict[str, list[Request]],
    features: dict[str, Any],
    titles: Sequence[str],
    inverse_penalty: float = INVERSE_PENALTY[TABLES_WITH],
) -> Any:
    roads = [ORDER.index(one["road"]) for title in titles for one in lists[title]]
    weight = {"phrases": PHRASES, "offices": OFFICES, "small offices": SMALL_OFFICES}
    weights = np.concatenate([np.full(len(lists[title]), weight.get(title, 1.0)) for title in titles])
    rows = vstack([features[title] for title in titles]).tocsr()
    return LogisticRegression(C=inverse_penalty, max_iter=300, tol=1e-3).fit(rows, roads, weights)


def _without_each(lists: dict[str, list[Request]], features: dict[str, Any], inverse_penalty: float) -> None:
    for left in WRITTEN:
        found = _fitted(lists, features, [title for title in lists if title != left], inverse_penalty)
        shares = found.predict_proba(features[left])
        taken = [
            _taken(one["text"], dict(zip(ORDER, row.tolist(), strict=True)))
            for one, row in zip(lists[left], shares, strict=True)
        ]
        print(f"\n{left}, fitted without it")
        _report(lists[left], taken)


def _kept_tables() -> tuple[float, float, float, float]:
    known = FITTED.load(FILE)
    return known.tables if isinstance(known, Fitted) else (0.0, 1.0, 0.0, 0.0)


def _tables(lists: dict[str, list[Request]], features: dict[str, Any], made: Path) -> tuple[float, float, float, float]:
    """What ``with_tables`` adds up; prints how many roads are right before and after it, each office by the others."""
    asked = lists["offices"]
    offices = np.array([one["office"] for one in asked])
    found: list[dict[Road, float]] = [{} for _ in asked]
    sure: list[float | None] = [None] * len(asked)
    for office in sorted(set(offices)):
        others = {**lists, "offices": [one for one in asked if one["office"] != office]}
        without = {**features, "offices": features["offices"][offices != office]}
        model = _fitted(others, without, list(others))
        loaded = read_tables(made / office)
        for row in np.flatnonzero(offices == office):
            shares = model.predict_proba(features["offices"][row])[0]
            found[row] = dict(zip(ORDER, shares.tolist(), strict=True))
            answered = choose(Question(asked[row]["text"]), loaded)
            sure[row] = answered[0].sure if answered is not None else None
    rows = np.array(
        [[log_odds(one["table"]), float(by is not None), by or 0.0] for one, by in zip(found, sure, strict=True)]
    )
    right = np.array([one["road"] == "table" for one in asked])
    print("\noffices, each fitted without it")
    _report(asked, [decide(one["text"], by, begun=False, others=True) for one, by in zip(asked, found, strict=True)])
    likely = np.zeros(len(asked))
    for office in sorted(set(offices)):
        of = offices == office
        likely[of] = LogisticRegression(C=3).fit(rows[~of], right[~of]).predict_proba(rows[of])[:, 1]
    taken = []
    for one, by, table in zip(asked, found, likely.tolist(), strict=True):
        rest = (1 - table) / max(1 - by["table"], 1e-6)
        shares = {road: share * rest for road, share in by.items()} | {"table": table} if by["table"] >= ASKED else by
        taken.append(decide(one["text"], shares, begun=False, others=True))
    print("\noffices, each fitted without it, with their tables")
    _report(asked, taken)
    fitted = LogisticRegression(C=3).fit(rows, right)
    by_odds, by_answer, by_sure = fitted.coef_[0].tolist()
    return float(fitted.intercept_[0]), by_odds, by_answer, by_sure


def _weights(
    rows: Floats, bias: Floats, mean: Floats, scale: float, name: str, fingerprint: str, spoken: tuple[str, ...]
) -> Weights:
    ends = np.cumsum([len(names()), ROWS, ROWS, ROWS, len(names()) * (len(names()) - 1) // 2])
    tables, scales = [], []
    for table, first, last in zip(TABLES, ends[:-1], ends[1:], strict=True):
        values = rows[first:last] * SCALE_OF_TABLE[table]
        scales.append(np.abs(values).max(0) / 127)
        tables.append(np.round(values / scales[-1]))
    return Weights(
        embedder=name,
        fingerprint=fingerprint,
        languages=spoken,
        cues=_bytes(rows[: ends[0]]),
        tables=_bytes(np.vstack(tables), "<i1"),
        scales=_bytes(np.array(scales)),
        vector=_bytes(rows[ends[-1] :] * scale),
        mean=_bytes(mean),
        bias=_bytes(bias),
    )


def _compare(lists: dict[str, list[Request]]) -> None:
    """What lists are made of: lengths, questions, orders, cues, and words that no list to fit on has."""
    known = {
        title: {word for one in requests for word in re.findall(r"\w+", one["text"].casefold())}
        for title, requests in lists.items()
    }
    fit = [title for title in lists if not title.startswith("judge")]
    print("list                 words 10/50/90 %   ? marks  question  order  cues each  new words")
    for title, requests in lists.items():
        words = [re.findall(r"\w+", one["text"].casefold()) for one in requests]
        low, middle, high = np.percentile([len(one) for one in words], [10, 50, 90])
        cues = np.array([cues_of(one["text"]) for one in requests])
        seen = set().union(*(known[other] for other in fit if other != title))
        new = np.mean([word not in seen for one in words for word in one])
        shares = [float(np.mean(["?" in one["text"] for one in requests]))]
        shares += [float(cues[:, names().index(cue)].mean()) for cue in ("begins_question", "begins_with_verb")]
        kinds = cues[:, : names().index("question_words")].sum(1).mean()
        print(
            f"{title:20} {low:5.0f} {middle:4.0f} {high:4.0f}      {shares[0]:7.2f}  {shares[1]:8.2f} {shares[2]:6.2f}"
            f"  {kinds:9.2f}  {new:9.2f}"
        )


def _report(requests: Sequence[dict[str, Any]], taken: Sequence[Road]) -> None:
    """Right roads in all, by language, of the hard cases; the confusion by language."""
    rows = list(zip(requests, taken, strict=True))
    groups = {"all": rows}
    groups |= {language: [r for r in rows if r[0]["language"] == language] for language in ("en", "de", "fr", "es")}
    groups["hard"] = [r for r in rows if r[0].get("hard")]
    for name, group in groups.items():
        if not group:
            continue
        right = sum(_is_right(one, road) for one, road in group)
        low, high = interval(right / len(group), len(group))
        print(f"{name:5} {right:4} of {len(group):4} = {right / len(group):.3f} ({low:.3f}-{high:.3f})")
    print("asked".ljust(9) + "".join(road.rjust(9) for road in ORDER))
    for road in ORDER:
        counts = Counter(found for one, found in rows if one["road"] == road)
        print(road.ljust(9) + "".join(str(counts[found] or "").rjust(9) for found in ORDER))
    for language in ("en", "de", "fr", "es"):
        wrong = Counter(
            f"{one['road']} > {road}" for one, road in rows if not _is_right(one, road) and one["language"] == language
        )
        print(f"wrong in {language}: {', '.join(f'{name} {count}' for name, count in wrong.most_common()) or 'none'}")


def _report_likelihoods(
    requests: Sequence[Request], found: Sequence[Mapping[Road, float]], taken: Sequence[Road]
) -> None:
    """How often the road taken or the first ones offered beside it are right, and the road where it is likely."""
    right = np.array([_is_right(one, road) for one, road in zip(requests, taken, strict=True)])
    orders = [
        [road, *(other for other in sorted(ORDER, key=lambda one: -by[one]) if other != road)]
        for by, road in zip(found, taken, strict=True)
    ]
    for first in (2, 3):
        share = np.mean(
            [any(_is_right(one, road) for road in order[:first]) for one, order in zip(requests, orders, strict=True)]
        )
        low, high = interval(float(share), len(requests))
        print(f"right among the first {first} offered: {share:.3f} ({low:.3f}-{high:.3f})")
    likely = np.array([by[road] for by, road in zip(found, taken, strict=True)])
    for least in LEAST_LIKELY:
        of = likely >= least
        print(f"where its likelihood is at least {least:.1f}: {right[of].mean():.3f} of {of.sum()} ({of.mean():.0%})")


def _is_right(request: Request, road: Road) -> bool:
    return road == request["road"] or road in request.get("also", ())


def _bytes(numbers: Floats, kind: str = "<f4") -> bytes:
    return np.ascontiguousarray(numbers, kind).tobytes()


if __name__ == "__main__":
    sys.exit(main())
