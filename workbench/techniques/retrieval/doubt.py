"""Doubt: whether the sentences that are shown hold the answer, and why they may not.

A logistic regression tells the probability that they do, from the features of the best sentence, how far it leads, and
what of the question is in no passage. Two thresholds make three outcomes of it: *found*, *perhaps*, *not found*. They
belong to a family of embedders and to whether question and passage are in one language. A figure or a name of the
question that no shown passage has makes *perhaps* of *found* (in 1588 somebody else was king: Rajpurkar et al. 2018,
"Know What You Don't Know", arXiv:1806.03822), and so does a value that is asked for and not told, where these are
evidence: in offices more than in an encyclopedia.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.records.messages import Passage
from workbench.records.outcomes import Outcome, Reason
from workbench.techniques.retrieval.answer_types import asks_amount, counted_thing, tells_amount
from workbench.techniques.retrieval.doubt_texts import (
    belonging_reason,
    earlier_reason,
    language_reason,
    missing_reason,
    uncomputed_reason,
    unnamed_reason,
    untold_reason,
    weak_reason,
)
from workbench.techniques.retrieval.question_terms import (
    figures_of,
    identified_of,
    missing_figures,
    missing_identified,
    missing_names,
    names_of,
)
from workbench.techniques.retrieval.sentence_choice import Choice
from workbench.techniques.retrieval.sentence_columns import COLUMN, NAMES
from workbench.techniques.retrieval.sentence_features import Comparison
from workbench.techniques.retrieval.sentence_units import PROSE, Unit, prose_share
from workbench.techniques.retrieval.table_answers.cues import asks_to_compute, cues_of
from workbench.techniques.retrieval.told_words import with_head
from workbench.text.language import split_words
from workbench.text.terms import Vocabulary

DOUBT_NAMES: tuple[str, ...] = (
    *NAMES, "margin", "margin_two", "share", "top_score", "second_own", "second_met", "second_same", "most_alike",
    "most_passage", "most_own", "most_around", "most_everywhere", "words", "unseen", "unseen_any", "missing_passage",
    "missing_shown", "missing_names", "missing_figures", "passage_lead", "hits", "wide_question", "other_unseen",
    "attribute_nowhere", "shown_two", "shown_three", "prose",
    "prose_score", "prose_alike", "document_margin", "document_lead", "document_share", "words_agree", "meaning_agrees",
    "spread", "prominence", "entropy",
)  # fmt: skip
"""The columns of ``doubt_features``."""

_PLACE = {name: number for number, name in enumerate(DOUBT_NAMES)}
ATTRIBUTES_TOLD = ("age", "extent", "weight", "speed", "colour", "brand", "reason")
"""Of these a sentence without any never was the answer to the questions that ask for one (benchmarks/offices)."""

VALUES_TOLD = (
    "person", "date", "time", "duration", "frequency", "money", "percent", "contact", "volume", "temperature", "power",
    "area",
)  # fmt: skip
"""Values that a sentence without any seldom is the answer to."""

MARKS = ("names", "figures", "attribute", "value")
"""What can make *perhaps* of *found*: a name or a figure of the question that no shown passage has, one of
``ATTRIBUTES_TOLD`` or ``VALUES_TOLD`` that no shown sentence tells. Where each of them does is fitted."""

ALWAYS_MARKS = ("thing", "computed", "belonging", "amount", "earlier")
"""Make *perhaps* of *found* everywhere: what is asked of, "holiday" in "how many days of holiday?", stands beside none
of the shown sentences; a sum, an average, a difference is asked for and rows of a table are shown that do not tell
it; the row is of another thing for the one whose value is asked for; an amount of money is asked for and none told;
the answer comes from a quoted email, and no sentence of the email that quotes it is shown."""

_MAIL = ".eml"
MOST_NAMED = 3
_FIRST = 4


def missing_terms(question: str, comparison: Comparison, choice: Choice) -> tuple[list[str], list[str]]:
    """The names, and the figures, of a question that no shown passage has, nor the passages' titles."""
    passages = [comparison.chosen[number].passage for number in choice.order[: choice.shown]]
    texts = [f"{p.text}\n{p.title}\n{p.context}" for p in _with_all_of(passages, comparison)]
    names = missing_names(names_of(question, comparison.asked), texts)
    names += missing_identified(identified_of(question, comparison.asked), texts)
    return names, missing_figures(figures_of(question), texts, comparison.asked)


def _with_all_of(passages: Sequence[Passage], comparison: Comparison) -> list[Passage]:
    """The passages, and the other hits of their documents."""
    documents = {passage.document for passage in passages}
    return [units[0].passage for units in comparison.units if units and units[0].passage.document in documents]


def doubt_features(
    comparison: Comparison, choice: Choice, names: Sequence[str], figures: Sequence[str]
) -> NDArray[np.float64]:
    """What tells whether the shown sentences hold an answer: (len(DOUBT_NAMES),). ``names`` and ``figures`` are those
    of the question that no shown passage has."""
    found = np.zeros(len(DOUBT_NAMES))
    if not choice.order:
        return found
    table = comparison.features
    first = table[choice.order[0]]
    found[: len(NAMES)] = first
    scores = choice.scores[list(choice.order)]

    def put(name: str, value: float) -> None:
        found[_PLACE[name]] = float(value)

    put("margin", min(5.0, scores[0] - scores[1]) if len(scores) > 1 else 2.0)
    put("margin_two", min(5.0, scores[0] - scores[2]) if len(scores) > 2 else 3.0)
    put("share", 1.0 / float(np.exp(np.clip(scores - scores[0], -50, 0)).sum()))
    put("top_score", scores[0])
    if len(scores) > 1:
        other = table[choice.order[1]]
        put("second_own", other[COLUMN["own"]])
        put("second_met", other[COLUMN["met"]])
        put("second_same", comparison.chosen[choice.order[1]].rank == comparison.chosen[choice.order[0]].rank)
    for name, column in (("most_alike", "alike"), ("most_passage", "passage_alike"), ("most_own", "own"),
                         ("most_around", "kin_around"), ("most_everywhere", "everywhere")):  # fmt: skip
        put(name, table[:, COLUMN[column]].max())
    total = sum(comparison.weights.values()) or 1.0
    unseen = sum(comparison.weights[term] for term in comparison.unseen) / total
    put("words", math.log(1 + len(comparison.weights)))
    put("unseen", unseen)
    put("unseen_any", bool(comparison.unseen))
    put("missing_passage", 1 - first[COLUMN["passage"]])
    put("missing_shown", 1 - first[COLUMN["everywhere"]])
    put("missing_names", min(2, len(names)))
    put("missing_figures", min(2, len(figures)))
    similar = [units[0].passage.similarity or 0.0 for units in comparison.units if units]
    best = comparison.chosen[choice.order[0]].passage.similarity or 0.0
    put("passage_lead", best - float(np.mean(similar)) if similar else 0.0)
    put("hits", len(comparison.units) / 5)
    put("wide_question", len(comparison.weights) > 6)
    put("other_unseen", first[COLUMN["other"]] * unseen)
    shown = table[list(choice.order[: choice.shown])]
    put("attribute_nowhere", first[COLUMN["attribute_missed"]] > 0 and not shown[:, COLUMN["attribute_met"]].any())
    put("shown_two", choice.shown > 1)
    put("shown_three", choice.shown > 2)
    prose = prose_share(comparison.units)
    put("prose", prose)
    put("prose_score", prose * scores[0] / 5)
    put("prose_alike", prose * table[:, COLUMN["alike"]].max())
    for name, value in _agreement(comparison, choice).items():
        put(name, value)
    return found


def _agreement(comparison: Comparison, choice: Choice) -> dict[str, float]:
    """Whether words, meaning and the other documents speak for the best sentence: by how much it leads over those of
    other documents, whether it is the best by words and by cosine, and how far it stands out."""
    best, scores, table = choice.order[0], choice.scores, comparison.features
    document = comparison.chosen[best].passage.document
    others = [scores[n] for n in choice.order[1:] if comparison.chosen[n].passage.document != document]
    hits = [units[0].passage for units in comparison.units if units]
    own = max(hit.score for hit in hits if hit.document == document)
    rest = max((hit.score for hit in hits if hit.document != document), default=0.0)
    first = choice.order[:_FIRST]
    words = table[:, COLUMN["own"]] + table[:, COLUMN["kin_around"]]
    alike = table[:, COLUMN["alike"]]
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    return {
        "document_margin": min(5.0, scores[best] - max(others)) if others else 3.0,
        "document_lead": (own - rest) / max(1e-9, own, rest),
        "document_share": sum(comparison.chosen[n].passage.document == document for n in first) / len(first),
        "words_agree": float(int(np.argmax(words)) == best),
        "meaning_agrees": float(int(np.argmax(alike)) == best),
        "spread": 5 * float(alike.std()),
        "prominence": float(alike[best] - alike.mean()) / max(0.02, float(alike.std())) / 3,
        "entropy": -float((shares * np.log(shares + 1e-9)).sum()),
    }


def is_prose(comparison: Comparison) -> bool:
    """Whether the hits are whole sentences, as in an encyclopedia: there more of what looks like an answer is one."""
    return prose_share(comparison.units) >= PROSE


def probability(features: NDArray[np.float64], weights: NDArray[np.float64], bias: float) -> float:
    return 1 / (1 + math.exp(-float(np.clip(features @ weights + bias, -30, 30))))


def untold(comparison: Comparison, choice: Choice, kinds: Sequence[str]) -> str:
    """Which of the ``kinds`` of values the question asks for and no shown sentence tells ("age"); "" where it asks for
    none of them."""
    shown = comparison.features[list(choice.order[: choice.shown])]
    if not len(shown):
        return ""
    nowhere = (
        kind for kind in kinds if shown[0, COLUMN[f"missed_{kind}"]] > 0 and not shown[:, COLUMN[f"met_{kind}"]].any()
    )
    return next(nowhere, "")


def _lacks_thing(comparison: Comparison, choice: Choice) -> bool:
    """Whether a question asks a number of days or kilos of what stands beside no shown sentence."""
    shown = comparison.features[list(choice.order[: choice.shown])]
    return bool(len(shown)) and bool(shown[:, COLUMN["thing_missing"]].all())


def _lacks_computation(question: str, comparison: Comparison, choice: Choice) -> bool:
    """Whether a question asks for what has to be computed and rows of a table are shown that do not name it: the
    readings of a meter in place of what was used."""
    shown = [comparison.chosen[number] for number in choice.order[: choice.shown]]
    if not shown or any(unit.kind != "row" for unit in shown):
        return False
    asked = asks_to_compute(question)
    heads = [other.text for one in shown for its in comparison.units for other in its
             if (other.rank, other.number) == (one.rank, one.lead)]  # fmt: skip
    told = "\n".join([*heads, *(f"{one.passage.context}\n{one.text}" for one in shown)])
    return bool(asked) and asked.isdisjoint(cues_of(told))


def _belongs(comparison: Comparison, choice: Choice) -> str:
    """The name of the thing that is asked for, where the best sentence is a row of another thing for it."""
    return comparison.belongs(choice.order[0]) if choice.order else ""


def _lacks_amount(question: str, comparison: Comparison, choice: Choice) -> bool:
    """Whether a question asks for an amount of money that no shown sentence tells."""
    if not choice.shown or not asks_amount(question):
        return False
    shown = [comparison.chosen[number] for number in choice.order[: choice.shown]]
    units = {one.rank: its for its in comparison.units for one in its[:1]}
    return not any(tells_amount(with_head(one, units[one.rank]), question) for one in shown)


def _is_earlier(comparison: Comparison, choice: Choice) -> bool:
    """Whether the best sentence comes from a quoted email and no sentence of the email that quotes it is shown."""
    shown = [comparison.chosen[number] for number in choice.order[: choice.shown]]
    if not shown or not _is_quoted(shown[0]):
        return False
    return all(_is_quoted(one) for one in shown if one.passage.document == shown[0].passage.document)


def _is_quoted(unit: Unit) -> bool:
    """Whether a unit is on a quoted line of an email, which begins with ">"."""
    if not unit.passage.path.lower().endswith(_MAIL):
        return False
    line = unit.passage.text.rfind("\n", 0, unit.start + 1) + 1
    return unit.passage.text[line:].lstrip().startswith(">")


def marks_of(
    question: str, comparison: Comparison, choice: Choice, names: Sequence[str], figures: Sequence[str]
) -> tuple[str, ...]:
    """Those of ``MARKS`` and ``ALWAYS_MARKS`` that hold. ``names`` and ``figures`` are those of the question that no
    shown passage has."""
    holding = (
        bool(names),
        bool(figures),
        bool(untold(comparison, choice, ATTRIBUTES_TOLD)),
        bool(untold(comparison, choice, VALUES_TOLD)),
        _lacks_thing(comparison, choice),
        _lacks_computation(question, comparison, choice),
        bool(_belongs(comparison, choice)),
        _lacks_amount(question, comparison, choice),
        _is_earlier(comparison, choice),
    )
    return tuple(mark for mark, holds in zip((*MARKS, *ALWAYS_MARKS), holding, strict=True) if holds)


def reasons_to_doubt(
    question: str, comparison: Comparison, choice: Choice, marks: Sequence[str], *, probable: bool,
    names: Sequence[str], figures: Sequence[str],
) -> tuple[Reason, ...]:  # fmt: skip
    """Why the shown sentences may not be the answer; () where they are ``probable`` and none of the ``marks`` holds;
    where they are not, any of ``MARKS`` tells why. ``names`` and ``figures`` are those of the question that no shown
    passage has."""
    marks, language = marks if probable else MARKS, comparison.asked
    found = []
    missing = [*(figures if "figures" in marks else ()), *(names if "names" in marks else ())]
    if missing:
        found.append(missing_reason(missing[:MOST_NAMED], language))
    attribute = "attribute" in marks and untold(comparison, choice, ATTRIBUTES_TOLD)
    if value := attribute or ("value" in marks and untold(comparison, choice, VALUES_TOLD)):
        found.append(untold_reason(value, language))
    elif _lacks_amount(question, comparison, choice):
        found.append(untold_reason("money", language))
    elif _lacks_thing(comparison, choice):
        found.append(unnamed_reason(counted_thing(question), language))
    if _lacks_computation(question, comparison, choice):
        found.append(uncomputed_reason(language))
    if name := _belongs(comparison, choice):
        found.append(belonging_reason(name, language))
    if _is_earlier(comparison, choice):
        found.append(earlier_reason(language))
    if probable or found:
        return tuple(found)
    if comparison.value(choice.order[0], "other") > 0:
        return (language_reason(language),)
    word = _word_nowhere(question, comparison)
    return (unnamed_reason(word, language) if word else weak_reason(language),)


def _word_nowhere(question: str, comparison: Comparison) -> str:
    """A content word of the question that the collection does not have, as it is written; "" where it has all, or
    none."""
    if not comparison.unseen or len(comparison.unseen) == len(comparison.weights):
        return ""
    vocabulary = Vocabulary(comparison.asked)
    return next((word for word in split_words(question) if vocabulary.stem(word) in comparison.unseen), "")


def outcome_of(probable: float, found: float, shown: float, reasons: Sequence[Reason]) -> Outcome:
    """``found`` and ``shown``: the probabilities from which on an answer is found, and shown at all."""
    if probable < shown:
        return "not_found"
    return "perhaps" if reasons or probable < found else "found"
