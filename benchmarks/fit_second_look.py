"""Fit the second look: the weights of ``second_look``, on offices that the cross-encoder has not seen.

    python benchmarks/fit_second_look.py --made MADE --keep KEEP

The offices are ``UNSEEN``, which ``train_cross_encoder.py`` leaves out, and which the weights of the first look have
not seen either; their documents are made as for ``fit_sentences.py``, and searches, vectors and what was read are kept
in ``--keep`` alike. Questions of one place are asked. By offices: the weights of the choice and of the doubt are fitted
on the others, and every question is judged by weights that have not seen its office. The bounds are chosen on these, as
in ``fit_sentences.py``. Then all of them give the weights that are written beside the module (``--write``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from fit_sentences import ONE_PLACE, Limits, judge, of_offices
from fit_sentences import Looked as Judged
from harness import DATA, HERE, arguments
from kept_retrieval import kept
from office_answers import UNSEEN
from sentence_rows import compare_picked, office_rows
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from workbench.techniques.retrieval import second_look
from workbench.techniques.retrieval.doubt import probability
from workbench.techniques.retrieval.roads.classifier import log_odds
from workbench.techniques.retrieval.second_look import (
    CHOICE_NAMES,
    DOUBT_NAMES,
    FILE,
    FORMAT,
    Looked,
    SecondLookFile,
    choice_features,
    choose_again,
    doubt_again,
    look_again,
)
from workbench.techniques.retrieval.sentence_choice import Choice, choose
from workbench.techniques.retrieval.sentence_features import Comparison
from workbench.techniques.retrieval.sentence_pick import pick_by
from workbench.techniques.retrieval.sentence_pick import weights as pick_weights
from workbench.techniques.retrieval.sentence_weights import Bounds, Logistic, Weights, weights_for

EMBEDDER = "multilingual-e5-small"
FITTED_ON = "benchmarks/offices (CC0), XQuAD and SQuAD 2.0 (CC BY-SA 4.0)"


@dataclass
class Case:
    """A question after the first look: its probability, its outcome, and what a second look has, where it takes one."""

    first: Judged
    doubt: float
    outcome: str
    choice: Choice
    looked: Looked | None


def cases(made: Path, data: Path, keep: Path, offices: Sequence[str]) -> Iterator[Case]:
    rows = [row for row in office_rows(made, data, keep, EMBEDDER, offices) if row.kind in ONE_PLACE]
    for row in rows:
        row.fold = 0
    compare_picked(rows, keep, EMBEDDER, [pick_weights()])
    for office in offices:

        def write(folder: Path, office: str = office) -> Path:
            return made / office

        with kept(keep, office, EMBEDDER, write) as collection:
            for row in rows:
                if row.group != office:
                    continue
                first = row.compared_first or row.comparison
                if not len(first.chosen):
                    continue
                weights = weights_for(first.zero)
                choice = choose(first, weights.choice, weights.mass)
                judged = judge(row, first, choice)
                judged.p, outcome = first_outcome(first, choice, judged, weights)
                looked = None
                if not judged.prose or judged.other:
                    picked = pick_by(pick_weights(), row.tabled.features, row.tabled.candidates)
                    looked = look_again(row.tabled, picked.scores, first, collection, other=judged.other)
                yield Case(judged, log_odds(judged.p), outcome, choice, looked)


def first_outcome(comparison: Comparison, choice: Choice, judged: Judged, weights: Weights) -> tuple[float, str]:
    fitted = weights.doubt_in_prose if judged.prose and not judged.other else weights.doubt
    found = probability(judged.features, *fitted)
    return found, outcome(judged, found, weights.bounds(comparison.asked, other=judged.other, prose=judged.prose))


def outcome(judged: Judged, probable: float, bounds: Bounds) -> str:
    if probable < bounds.shown:
        return "not_found"
    return "perhaps" if judged.marked(bounds.marks) or probable < bounds.found else "found"


def fit_choice(some: Sequence[Case]) -> np.ndarray:
    """The weights of a ranking, (len(CHOICE_NAMES),): of the differences between a good sentence and another one."""
    pairs, each = [], []
    for case in some:
        assert case.looked is not None
        features = choice_features(case.looked, case.choice.scores)
        good = np.array([case.first.row.good[unit.rank, unit.number] for unit in case.looked.comparison.chosen], bool)
        if good.any() and not good.all():
            between = (features[good][:, None] - features[~good][None]).reshape(-1, len(CHOICE_NAMES))
            pairs.append(between)
            each.append(np.full(len(between), 1 / len(between)))
    differences, weights = np.vstack(pairs), np.concatenate(each)
    turned = np.where(np.arange(len(differences)) % 2, -1.0, 1.0)
    model = LogisticRegression(C=1.0, fit_intercept=False)
    model.fit(differences * turned[:, None], turned > 0, sample_weight=weights / weights.mean())
    return np.asarray(model.coef_[0])


def again(case: Case, weights: np.ndarray, mass: float) -> tuple[Judged, np.ndarray]:
    assert case.looked is not None
    features = choice_features(case.looked, case.choice.scores)
    choice = choose_again(case.looked, features, weights, mass)
    return judge(case.first.row, case.looked.comparison, choice), doubt_again(case.looked, features, choice, case.doubt)


def fit_doubt(seen: Sequence[tuple[Judged, np.ndarray]]) -> tuple[np.ndarray, float]:
    features = np.array([one for _, one in seen])
    scale, middle = np.maximum(features.std(axis=0), 0.1), features.mean(axis=0)
    model = LogisticRegression(C=1.0).fit((features - middle) / scale, [one.right for one, _ in seen])
    weights = model.coef_[0] / scale
    return weights, float(model.intercept_[0] - middle @ weights)


def tell(name: str, judged: Sequence[Judged], ends: Sequence[str]) -> None:
    told = list(zip(judged, ends, strict=True))
    answerable = [(one, end) for one, end in told if one.row.answerable]
    rest = [end for one, end in told if not one.row.answerable]
    kinds = {
        kind: f"{sum(one.right and end != 'not_found' for one, end in answerable if one.row.kind == kind)} of "
        f"{sum(one.row.kind == kind for one, _ in answerable)}"
        for kind in ONE_PLACE[:3]
    }
    print(
        f"{name}: right {sum(one.right and end != 'not_found' for one, end in answerable)}, unmarked "
        f"{sum(one.right and end == 'found' for one, end in answerable)} of {len(answerable)}; wrong and unmarked "
        f"{sum(not one.right and end == 'found' for one, end in told)} of {len(told)}; declined wrongly "
        f"{sum(end == 'not_found' for _, end in answerable)}; unanswerable declined {rest.count('not_found')}, or "
        f"marked {sum(end != 'found' for end in rest)}, of {len(rest)}; {kinds}; sentences "
        f"{np.mean([one.shown for one, _ in answerable]):.2f}",
        flush=True,
    )


def main() -> None:
    parser = arguments(__doc__, "keep", data=DATA, made=HERE / "offices" / "made", wrong=0.07, declined=0.11, mass=0.95)
    parser.add_argument("--write", action="store_true", help="write the weights beside the module")
    chosen = parser.parse_args()
    known = list(cases(chosen.made, chosen.data, chosen.keep, UNSEEN))
    twice = [case for case in known if case.looked is not None]
    once = [case for case in known if case.looked is None]
    judged, probabilities = [], []
    for office in UNSEEN:
        train = [case for case in twice if case.first.row.group != office]
        weights = fit_choice(train)
        doubt = fit_doubt([again(case, weights, chosen.mass) for case in train])
        for case in twice:
            if case.first.row.group == office:
                one, features = again(case, weights, chosen.mass)
                one.p = probability(features, *doubt)
                judged.append(one)
                probabilities.append(one.p)
    for case in once:
        case.first.p = 2.0 if case.outcome == "found" else case.first.p  # these stay as they are
    everything = [*judged, *(case.first for case in once)]
    bounds = of_offices(everything, Limits(chosen.wrong, chosen.declined, 0.0, 0.0))
    print(f"AUC {roc_auc_score([one.right for one in judged], probabilities):.3f} {bounds}")
    tell("the first look", [case.first for case in known], [case.outcome for case in known])
    ends = [outcome(one, one.p, bounds) for one in judged] + [case.outcome for case in once]
    tell("both", everything, ends)
    weights = fit_choice(twice)
    doubt = fit_doubt([again(case, weights, chosen.mass) for case in twice])
    if chosen.write:
        file = SecondLookFile(
            format=FORMAT,
            fitted=FITTED_ON,
            choice=_named(CHOICE_NAMES, weights),
            mass=chosen.mass,
            doubt=Logistic(weights=_named(DOUBT_NAMES, doubt[0]), bias=round(doubt[1], 4)),
            bounds=bounds,
        )
        place = Path(second_look.__file__).with_name(FILE)
        place.write_bytes(msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n")


def _named(names: Sequence[str], values: np.ndarray) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}


if __name__ == "__main__":
    main()
