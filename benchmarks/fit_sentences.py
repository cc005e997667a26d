"""Fit which sentences are shown and whether they hold the answer: the weights of ``sentence_choice`` and ``doubt``.

    python benchmarks/fit_sentences.py --made MADE --keep KEEP

The questions are those of benchmarks/offices but for ``UNSEEN``, whose documents ``benchmarks/offices/make.py`` has
written to ``--made``/NAME, and of ``--data``: XQuAD in three languages, also asked in another language than the
paragraphs', and SQuAD 2.0 with its near misses. Of the answerable ones there is a second row with the paragraph taken
out of the hits, and a third with a name or a year of the question swapped for another. Documents are read, embedded and
searched by the real worker; searches and vectors are kept in ``--keep``, so that a second run takes minutes.

In as many folds as there are offices, by offices and by articles, a ranking and a logistic regression are fitted on the
other folds; every row is judged by weights that have not seen its office or article. The thresholds of each family of
embedders are chosen on these held-out probabilities. In offices as many answers as possible are *found*, of all at most
``--wrong`` wrong and unmarked; and as many as possible of the others are declined, with at most ``--declined`` of the
answerable ones declined. In prose, for each language, as many of the others as possible are marked or declined, with
``--marked`` of the right ones marked and ``--lost`` of the answerable ones declined. ``--share`` of the paragraphs'
questions are taken. Then all rows together give the weights that are written beside the modules (``--write``), and the
table of the held-out figures is printed with intervals of 95 %.

The weights derive in part from XQuAD and SQuAD 2.0 (CC BY-SA 4.0); the offices are our own (CC0).
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from harness import DATA, HERE, arguments, interval
from sentence_rows import FITTED, FOLDS, Row, compare_picked, office_rows, paragraph_rows
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from workbench.techniques.retrieval import sentence_pick, sentence_weights
from workbench.techniques.retrieval.doubt import (
    ALWAYS_MARKS,
    DOUBT_NAMES,
    MARKS,
    doubt_features,
    is_prose,
    marks_of,
    missing_terms,
    probability,
)
from workbench.techniques.retrieval.sentence_choice import Choice, choose, completed
from workbench.techniques.retrieval.sentence_columns import COLUMN, NAMES
from workbench.techniques.retrieval.sentence_features import Comparison
from workbench.techniques.retrieval.sentence_pick import FILE as PICK_FILE
from workbench.techniques.retrieval.sentence_pick import FORMAT as PICK_FORMAT
from workbench.techniques.retrieval.sentence_pick import PICK_NAMES, PickFile, pick_features
from workbench.techniques.retrieval.sentence_weights import (
    FILE,
    FORMAT,
    NARROW_FROM,
    Bounds,
    Family,
    Logistic,
    WeightsFile,
)

ONE_PLACE = ("fact", "crosslang", "version", "unanswerable")
"""Kinds of office questions that go the road of one place: on these the thresholds are chosen."""

LANGUAGES = ("de", "en", "zh")
"""Of the paragraphs."""

EMBEDDERS = ("all-MiniLM-L6-v2", "multilingual-e5-small")

OFFICE_WEIGHT = 2.0
"""A row of an office counts like so many of the others in the choice."""

ONE_PLACE_DOUBT, OTHER_KINDS_DOUBT, PROSE_DOUBT = 4.0, 0.3, 0.5
"""How much rows count in the doubt of offices: their questions of one place; their other ones, which take other roads
and are seldom answered by one sentence; and paragraphs. In the doubt of prose every row counts the same."""

OTHER_WEIGHT = 3.0
"""A question in another language than the sentence counts like so many others where sentences are picked."""

PICK_STRENGTH, CHOICE_STRENGTH, DOUBT_STRENGTH = 0.001, 0.01, 0.005
"""Inverse regularisation of the fits."""

SENTENCES_SHOWN = 1.7
"""Mean number over the answerable questions of XQuAD, which gives how sure a choice has to be."""

FITTED_ON = "benchmarks/offices (CC0), XQuAD and SQuAD 2.0 (CC BY-SA 4.0)"

STEPS = np.arange(0.02, 0.95, 0.005)
UNANSWERABLE = 1 / 6
"""Of the questions that people ask; of ours more are, and count less where a threshold is chosen."""

LEAST_RATIO = 3.0
"""A mark counts where it holds so many times as often of wrong answers."""

PREMISES = ("names", "figures")
"""Marks of prose that always count: a name or a year of the question that no passage has. Few questions have such a
year, too few to fit."""

PROSE_KINDS = ("answerable", "removed", "swapped")


@dataclass
class Looked:
    """A row under given weights: the features of the doubt, and whether the shown sentences hold the answer."""

    row: Row
    features: np.ndarray
    first: bool
    right: bool
    shown: int
    characters: int
    marks: tuple[str, ...]
    other: bool
    prose: bool
    p: float = 0.0
    at_first: Looked | None = None
    """The same with the sentences that are embedded first, where further ones follow."""

    def marked(self, marks: Sequence[str]) -> bool:
        """Whether one of the ``marks`` that count holds, or of those that always do."""
        return not {*marks, *ALWAYS_MARKS}.isdisjoint(self.marks)


# -- fitting -------------------------------------------------------------------------------------


def fit_pick(rows: Sequence[Row]) -> np.ndarray:
    """The weights by which sentences are picked to be embedded."""
    compared = []
    for row in rows:
        if not row.answerable or row.kind not in (*ONE_PLACE, "answerable") or not any(row.good.values()):
            continue
        tabled = row.tabled
        labels = np.array([row.good[unit.rank, unit.number] for unit in tabled.candidates], dtype=bool)
        other = bool(len(labels)) and tabled.features[labels, COLUMN["other"]].any()
        weight = OTHER_WEIGHT if other else 1.0
        compared.append((pick_features(tabled.features, tabled.candidates), labels, weight))
    return _fit_ranking(compared, PICK_STRENGTH)


def fit_choice(rows: Sequence[Row]) -> np.ndarray:
    """The weights by which the compared sentences are ordered."""
    return _fit_ranking([(row.comparison.features, row.labels, _weight(row)) for row in rows], CHOICE_STRENGTH)


def _fit_ranking(compared: Sequence[tuple[np.ndarray, np.ndarray, float]], strength: float) -> np.ndarray:
    """The weights of a ranking: of the differences between a good sentence and another one of its question.
    ``compared``: of each question the features (n, k), which are good (n,), and how much it counts."""
    pairs, weights = [], []
    for features, labels, weight in compared:
        good, other = np.flatnonzero(labels), np.flatnonzero(~labels)
        if len(good) and len(other):
            between = (features[good][:, None] - features[other][None]).reshape(-1, features.shape[1])
            pairs.append(between)
            weights.append(np.full(len(between), weight / len(between)))
    differences, each = np.vstack(pairs), np.concatenate(weights)
    each /= each.mean()
    scale = np.maximum(differences.std(axis=0), 0.1)
    model = LogisticRegression(C=strength, fit_intercept=False, solver="newton-cholesky")
    # a difference and its opposite tell the same: each stands for both, every other one turned round
    turned = np.where(np.arange(len(differences)) % 2, -1.0, 1.0)
    model.fit(differences * turned[:, None] / scale, turned > 0, sample_weight=2 * each)
    return np.asarray(model.coef_[0] / scale)


def fit_mass(rows: Sequence[Row], weights: np.ndarray) -> float:
    """The share of probability with which ``SENTENCES_SHOWN`` sentences are shown on average."""
    asked = [row for row in rows if row.answerable and row.group.startswith("xquad") and "asked" not in row.group]
    masses = np.arange(0.5, 0.95, 0.01)

    def shown(mass: float) -> float:
        return float(np.mean([choose(row.comparison, weights, mass).shown for row in asked]))

    # the more mass, the more are shown
    place = bisect_left(masses, SENTENCES_SHOWN, key=shown)
    near = [float(masses[at]) for at in (place - 1, place) if 0 <= at < len(masses)]
    return min(near, key=lambda mass: abs(shown(mass) - SENTENCES_SHOWN))


def fit_doubt(looked: Sequence[Looked], weigh: Callable[[Row], float]) -> tuple[np.ndarray, float]:
    first = [one.at_first for one in looked if one.at_first is not None]
    features = np.array([one.features for one in (*looked, *first)])
    scale, middle = np.maximum(features.std(axis=0), 0.1), features.mean(axis=0)
    model = LogisticRegression(C=DOUBT_STRENGTH, solver="newton-cholesky")
    each = [weigh(one.row) / (1 if one.at_first is None else 2) for one in looked]
    each += [weigh(one.row) / 2 for one in first]
    model.fit((features - middle) / scale, [one.right for one in (*looked, *first)], sample_weight=each)
    weights = model.coef_[0] / scale
    return weights, float(model.intercept_[0] - middle @ weights)


def _weight(row: Row) -> float:
    return OFFICE_WEIGHT if row.office else 1.0


def _office_doubt_weight(row: Row) -> float:
    if not row.office:
        return PROSE_DOUBT
    return ONE_PLACE_DOUBT if row.kind in ONE_PLACE else OTHER_KINDS_DOUBT


def _prose_doubt_weight(row: Row) -> float:
    return 1.0


def look(row: Row, weights: np.ndarray, mass: float) -> Looked:
    looked = _look(row, row.comparison, weights, mass)
    if row.compared_first is not None:
        looked.at_first = _look(row, row.compared_first, weights, mass)
    return looked


def _look(row: Row, comparison: Comparison, weights: np.ndarray, mass: float) -> Looked:
    return judge(row, comparison, choose(comparison, weights, mass))


def judge(row: Row, comparison: Comparison, choice: Choice) -> Looked:
    """Whether the sentences that a choice shows hold an answer."""
    names, figures = missing_terms(row.question, comparison, choice)
    found, characters = [], 0
    for number in choice.order[: choice.shown]:
        unit = comparison.chosen[number]
        units = next(units for units in comparison.units if units and units[0].rank == unit.rank)
        start, end = completed(unit, units)
        characters += end - start
        before = start < unit.start and row.good[unit.rank, unit.number - 1]
        found.append(row.good[unit.rank, unit.number] or before)
    return Looked(
        row=row,
        features=doubt_features(comparison, choice, names, figures),
        first=bool(found and found[0]),
        right=any(found),
        shown=choice.shown,
        characters=characters,
        marks=marks_of(row.question, comparison, choice, names, figures),
        other=bool(choice.order) and comparison.value(choice.order[0], "other") > 0,
        prose=is_prose(comparison),
    )


def held_out(rows: Sequence[Row]) -> list[Looked]:
    """Every row with the probability by weights that were fitted on the other folds."""
    found: list[Looked] = []
    for fold in range(FOLDS):
        train = [row for row in rows if row.fold != fold]
        weights = fit_choice(train)
        mass = fit_mass(train, weights)
        looked = [look(row, weights, mass) for row in train]
        in_offices, in_prose = fit_doubt(looked, _office_doubt_weight), fit_doubt(looked, _prose_doubt_weight)
        for row in rows:
            if row.fold == fold:
                one = look(row, weights, mass)
                for seen in filter(None, (one, one.at_first)):
                    seen.p = probability(seen.features, *(in_prose if seen.prose and not seen.other else in_offices))
                found.append(one)
    return found


@dataclass(frozen=True)
class Limits:
    """Shares that the thresholds may not exceed: ``wrong`` and unmarked of all, ``declined`` of the answerable in
    offices; in prose ``marked`` of the right and ``lost``, declined of the answerable."""

    wrong: float
    declined: float
    marked: float
    lost: float


def choose_thresholds(looked: Sequence[Looked], limits: Limits) -> Thresholds:
    """From which probability an answer is found, and from which it is shown: by offices, and of prose by paragraphs in
    each language, and in all for a language without any."""
    same = [one for one in looked if one.row.office and one.row.kind in ONE_PLACE and not one.other]
    other = [one for one in looked if one.other and one.row.kind in (*ONE_PLACE, *PROSE_KINDS)]
    prose = [one for one in looked if one.prose and not one.other and one.row.group.startswith("xquad")]
    prose = [one for one in prose if one.row.kind in PROSE_KINDS]
    languages = ("", *sorted({one.row.comparison.asked for one in prose} & set(LANGUAGES)))
    return Thresholds(
        of_offices(same, limits),
        of_offices(other, limits),
        {
            language: _of_prose([one for one in prose if language in ("", one.row.comparison.asked)], limits)
            for language in languages
        },
    )


def worthwhile(looked: Sequence[Looked], always: Sequence[str] = ()) -> tuple[str, ...]:
    """The marks that hold at least ``LEAST_RATIO`` times as often of wrong as of right answers, and ``always``."""
    right, wrong = ([one for one in looked if one.right == value] for value in (True, False))
    return tuple(mark for mark in MARKS if mark in always or _share(wrong, mark) >= LEAST_RATIO * _share(right, mark))


def _share(looked: Sequence[Looked], mark: str) -> float:
    return (sum(mark in one.marks for one in looked) + 0.5) / (len(looked) + 1)


def of_offices(looked: Sequence[Looked], limits: Limits) -> Bounds:
    marks = worthwhile(looked)
    answerable = [one.p for one in looked if one.row.answerable]
    rest = UNANSWERABLE * len(answerable) / (1 - UNANSWERABLE) / max(1, len(looked) - len(answerable))
    counts = np.array([1.0 if one.row.answerable else rest for one in looked])
    wrong = np.array([one.p if not one.right and not one.marked(marks) else 0.0 for one in looked])
    found = next((float(at) for at in STEPS if counts[wrong >= at].sum() <= limits.wrong * counts.sum()), STEPS[-1])
    shown = np.quantile(answerable, limits.declined)
    return Bounds(found=round(float(found), 3), shown=round(min(float(shown), found), 3), marks=marks)


def _of_prose(looked: Sequence[Looked], limits: Limits) -> Bounds:
    marks = worthwhile(looked, PREMISES)
    shown = float(np.quantile([one.p for one in looked if one.row.answerable], limits.lost))
    right = [one for one in looked if one.right and one.p >= shown]
    free = sorted(one.p for one in right if not one.marked(marks))
    left = int(limits.marked * len(right)) - (len(right) - len(free))
    return Bounds(found=round(free[max(0, left)], 3), shown=round(shown, 3), marks=marks)


# -- figures -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thresholds:
    """See ``Family``."""

    same: Bounds
    other: Bounds
    prose: dict[str, Bounds]

    def of(self, one: Looked) -> Bounds:
        if one.other or not one.prose:
            return self.other if one.other else self.same
        return self.prose.get(one.row.comparison.asked, self.prose[""])

    def outcome(self, one: Looked) -> str:
        bounds = self.of(one)
        if one.p < bounds.shown:
            return "not_found"
        return "perhaps" if one.marked(bounds.marks) or one.p < bounds.found else "found"

    def settle(self, looked: Sequence[Looked]) -> list[Looked]:
        """Each row as the program ends: with the sentences that are embedded first where these are *found*."""
        return [
            one.at_first if one.at_first is not None and self.outcome(one.at_first) == "found" else one
            for one in looked
        ]


def figures(looked: Sequence[Looked], thresholds: Thresholds) -> dict[str, Any]:
    ends = [(one, thresholds.outcome(one)) for one in looked]
    answerable = [(one, end) for one, end in ends if one.row.answerable]
    rest = [(one, end) for one, end in ends if not one.row.answerable]
    right = [(one, end) for one, end in answerable if one.right]
    report: dict[str, Any] = {"n": len(ends), "answerable": len(answerable)}

    def share(name: str, some: Sequence[bool]) -> None:
        if len(some):
            rate = float(np.mean(some))
            report[name] = [round(rate, 3), *interval(rate, len(some))]

    share("first sentence holds it", [one.first for one, _ in answerable])
    share("shown sentences hold it", [one.right for one, _ in answerable])
    share("right", [one.right and end != "not_found" for one, end in answerable])
    share("right and found", [one.right and end == "found" for one, end in answerable])
    share("wrong and found, of all", [not one.right and end == "found" for one, end in ends])
    share("declined, of the answerable", [end == "not_found" for _, end in answerable])
    share("declined, of the others", [end == "not_found" for _, end in rest])
    share("declined or marked, of the others", [end != "found" for _, end in rest])
    share("marked, of the right", [end == "perhaps" for _, end in right])
    share("right, of the perhaps to answerable", [one.right for one, end in answerable if end == "perhaps"])
    if answerable:
        report["sentences"] = round(float(np.mean([one.shown for one, _ in answerable])), 2)
        report["characters"] = round(float(np.mean([one.characters for one, _ in answerable])))
    kinds = {one.right for one, _ in ends}
    if len(kinds) == 2:
        report["AUC"] = round(float(roc_auc_score([one.right for one, _ in ends], [one.p for one, _ in ends])), 3)
    return report


def curve(looked: Sequence[Looked]) -> Iterator[str]:
    """Of offices: what a threshold of *found*, and of *shown*, would do."""
    office = [one for one in looked if one.row.office]
    answerable = [one for one in office if one.row.answerable]
    rest = [one for one in office if not one.row.answerable]
    for at in np.arange(0.1, 0.8, 0.05):
        above = [one for one in office if one.p >= at]
        yield (
            f"  {at:.2f}: right above {sum(one.right for one in above) / len(answerable):.3f} of the answerable, "
            f"wrong above {sum(not one.right for one in above) / len(office):.3f} of all; below are "
            f"{np.mean([one.p < at for one in answerable]):.3f} of the answerable, "
            f"{np.mean([one.p < at for one in rest]):.3f} of the others"
        )


def fit_family(rows: Sequence[Row], limits: Limits) -> Family:
    looked = held_out(rows)
    chosen = choose_thresholds(looked, limits)
    chosen = choose_thresholds(chosen.settle(looked), limits)
    print(chosen)
    settled = chosen.settle(looked)
    print(f"found with the first sentences: {np.mean([a is not b for a, b in zip(looked, settled, strict=True)]):.3f}")
    looked = settled
    for name, some in groups(looked):
        print(f"{name}: {json.dumps(figures(some, chosen), ensure_ascii=False)}")
    print("\n".join(curve(looked)), flush=True)
    weights = fit_choice(rows)
    mass = fit_mass(rows, weights)
    seen = [look(row, weights, mass) for row in rows]
    return Family(
        choice={name: round(float(value), 4) for name, value in zip(NAMES, weights, strict=True)},
        mass=round(mass, 2),
        doubt=_logistic(*fit_doubt(seen, _office_doubt_weight)),
        doubt_in_prose=_logistic(*fit_doubt(seen, _prose_doubt_weight)),
        same=chosen.same,
        other=chosen.other,
        prose=chosen.prose,
    )


def _logistic(weights: np.ndarray, bias: float) -> Logistic:
    known = {name: round(float(value), 4) for name, value in zip(DOUBT_NAMES, weights, strict=True)}
    return Logistic(weights=known, bias=round(bias, 4))


def groups(looked: Sequence[Looked]) -> Iterator[tuple[str, list[Looked]]]:
    yield "offices", [one for one in looked if one.row.office]
    one_place = [one for one in looked if one.row.office and one.row.kind in ONE_PLACE]
    yield "offices, one place", one_place
    for office in FITTED:
        yield f"{office}, one place", [one for one in one_place if one.row.group == office]
    for kind in dict.fromkeys(one.row.kind for one in looked if one.row.office):
        yield f"offices, {kind}", [one for one in looked if one.row.office and one.row.kind == kind]
    for name in dict.fromkeys(one.row.group for one in looked if not one.row.office):
        its = [one for one in looked if one.row.group == name]
        for kinds in (("answerable", "removed"), ("answerable", "near miss"), ("answerable", "swapped")):
            some = [one for one in its if one.row.kind in kinds]
            if any(one.row.kind == kinds[1] for one in some):
                yield f"{name}, {' and '.join(kinds)}", some


def main() -> None:
    parser = arguments(
        __doc__, "keep", data=DATA, made=HERE / "offices" / "made", wrong=0.07, declined=0.09, marked=0.09, lost=0.045,
        share=0.45,
    )  # fmt: skip
    parser.add_argument("--embedder", nargs="+", default=EMBEDDERS)
    parser.add_argument("--write", action="store_true", help="write the weights beside the modules")
    chosen = parser.parse_args()
    by_embedder: dict[str, list[Row]] = {}
    for embedder in chosen.embedder:
        by_embedder[embedder] = [
            *office_rows(chosen.made, chosen.data, chosen.keep, embedder),
            *paragraph_rows(chosen.data, chosen.keep, embedder, chosen.share),
        ]
        print(f"{embedder}: {len(by_embedder[embedder])} rows", flush=True)
    every = [row for rows in by_embedder.values() for row in rows]
    picks = [fit_pick([row for row in every if row.fold != fold]) for fold in range(FOLDS)]
    if chosen.write:
        write_pick(fit_pick(every))
    for embedder, rows in by_embedder.items():
        compare_picked(rows, chosen.keep, embedder, picks)
        print(f"{embedder}: {' '.join(picked_shares(rows))}", flush=True)
        zero = float(np.median([row.comparison.zero for row in rows]))
        print(f"{embedder}: unrelated texts {zero:.2f}", flush=True)
        family = fit_family(rows, Limits(chosen.wrong, chosen.declined, chosen.marked, chosen.lost))
        if chosen.write:
            write("narrow" if zero >= NARROW_FROM else "wide", family)


def picked_shares(rows: Sequence[Row]) -> Iterator[str]:
    """Of each kind: in how many of the questions of which a hit holds the answer it is among those picked."""
    for kind in (*ONE_PLACE, "answerable"):
        some = [row for row in rows if row.kind == kind and any(row.good.values())]
        if some:
            sentences = float(np.mean([len(row.comparison.chosen) for row in some]))
            yield f"{kind} {sum(bool(row.labels.any()) for row in some)} of {len(some)} ({sentences:.1f} sentences)"


def write_pick(weights: np.ndarray) -> None:
    """Put the weights of the pick beside the modules."""
    known = {name: round(float(value), 4) for name, value in zip(PICK_NAMES, weights, strict=True) if value}
    file = PickFile(format=PICK_FORMAT, fitted=FITTED_ON, weights=known)
    place = Path(sentence_pick.__file__).with_name(PICK_FILE)
    place.write_bytes(msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n")


def write(name: str, family: Family) -> None:
    """Put a family into the file beside the modules, whose other families stay."""
    place = Path(sentence_weights.__file__).with_name(FILE)
    families: dict[str, Family] = {}
    if place.exists() and msgspec.json.decode(place.read_bytes())["format"] == FORMAT:
        families = msgspec.json.decode(place.read_bytes(), type=WeightsFile).families
    file = WeightsFile(format=FORMAT, fitted=FITTED_ON, families={**families, name: family})
    place.write_bytes(msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n")


if __name__ == "__main__":
    main()
