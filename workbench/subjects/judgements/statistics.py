"""Statistics of judgements: what comes twice, what contradicts, and whether length or position decided.

All intervals are of 95 %. Length is in characters: it says the same for every language and needs no model. Position
bias is that of Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", arXiv:2306.05685; length
bias that of Dubois et al. 2024, "Length-Controlled AlpacaEval", arXiv:2404.04475.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from workbench.records.judgement_reports import (
    ColumnShare,
    Conflict,
    JudgementStatistics,
    MeanEstimate,
    ShareEstimate,
)
from workbench.records.judgements import Judgement
from workbench.subjects.evaluation.statistics import bootstrap
from workbench.subjects.judgements.judging.agreement import share
from workbench.subjects.judgements.judging.win_rate import rate_of

MOST_NAMED = 100
"""Duplicates, contradictions and cycles that are named; the others are counted only."""


def measure_judgements(judgements: Iterable[Judgement], waiting: int = 0) -> JudgementStatistics:
    """``waiting`` is how many pairs wait to be judged."""
    every = list(judgements)
    readable = [one for one in every if not one.unreadable and one.verdict]
    doubles = duplicates_of(readable)
    conflicts = contradictions_of(readable)
    decided = [one for one in readable if one.preferred is not None]
    gaps = [len(one.preferred.text) - len(one.other.text) for one in decided if one.preferred and one.other]
    differing = [gap for gap in gaps if gap]
    return JudgementStatistics(
        judgements=len(readable),
        prompts=len({one.prompt_key for one in readable}),
        verdicts=dict(Counter(one.verdict for one in readable)),
        sources=dict(Counter(one.source for one in readable)),
        judges=dict(Counter(one.judge for one in readable)),
        edited=sum(one.edited for one in readable),
        waiting=waiting,
        duplicates=len(doubles),
        duplicate_ids=tuple(one.id for one in doubles[:MOST_NAMED]),
        contradictions=tuple(conflicts[:MOST_NAMED]),
        cycles=tuple(cycles_of(readable)[:MOST_NAMED]),
        longer_preferred=share(sum(gap > 0 for gap in differing), len(differing)),
        length_difference=_mean(gaps),
        first_preferred=_first_preferred(decided),
        first_preferred_by={
            kind: _first_preferred([one for one in decided if one.judge == kind])
            for kind in sorted({one.judge for one in decided})
        },
        columns=_columns(readable),
        unreadable=sum(bool(one.unreadable) for one in every),
    )


def duplicates_of(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Those that repeat what an earlier one says of the same answers, by the same kind of judge."""
    seen: set[tuple[str, str, str]] = set()
    found = []
    for one in judgements:
        key = statement_of(one)
        if key in seen:
            found.append(one)
        seen.add(key)
    return found


def statement_of(judgement: Judgement) -> tuple[str, str, str]:
    """What a kind of judge says of which answers: the same for judgements that repeat each other."""
    return judgement.pair_key, _said(judgement), judgement.judge


def contradictions_of(judgements: Sequence[Judgement]) -> list[Conflict]:
    """Judgements of the same two answers of which one prefers the first and another the second, and of one answer that
    is good to one and poor to another. A tie contradicts nothing."""
    groups: dict[str, list[Judgement]] = {}
    for one in judgements:
        if one.preferred is not None or not one.is_pair:
            groups.setdefault(one.pair_key, []).append(one)
    return [_conflict(group) for group in groups.values() if len({_said(one) for one in group}) > 1]


def cycles_of(judgements: Sequence[Judgement]) -> list[Conflict]:
    """Chains of at least three answers to one prompt, each preferred to the next and the last to the first. Pairs that
    contradict by themselves take no part."""
    contradictory = {id for conflict in contradictions_of(judgements) for id in conflict.ids}
    by_prompt: dict[str, dict[tuple[str, str], Judgement]] = {}
    for one in judgements:
        if one.preferred is not None and one.other is not None and one.id not in contradictory:
            edge = (one.preferred.text.strip(), one.other.text.strip())
            if edge[0] != edge[1]:
                by_prompt.setdefault(one.prompt_key, {}).setdefault(edge, one)
    found: list[Conflict] = []
    for edges in by_prompt.values():
        while len(edges) > 2 and (cycle := _cycle(edges)):
            judged = [edges.pop(edge) for edge in cycle]
            answers = tuple(better for better, _ in cycle)
            found.append(Conflict(prompt=judged[0].question, answers=answers, ids=tuple(one.id for one in judged)))
    return found


def _cycle(edges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The preferences along one cycle; [] where there is none."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for better, worse in edges:
        sorter.add(worse, better)
    try:
        sorter.prepare()
    except CycleError as error:
        nodes: list[str] = error.args[1]
        return list(pairwise(nodes))
    return []


def _conflict(group: Sequence[Judgement]) -> Conflict:
    texts = dict.fromkeys(answer.text.strip() for one in group for answer in one.answers)
    return Conflict(prompt=group[0].question, answers=tuple(texts), ids=tuple(one.id for one in group))


def _said(judgement: Judgement) -> str:
    """What it says of its answers, whichever is called a."""
    preferred = judgement.preferred
    return f"prefers {preferred.text.strip()}" if preferred is not None else judgement.verdict


def _first_preferred(decided: Sequence[Judgement]) -> ShareEstimate:
    known = [one for one in decided if one.shown and not one.edited]  # an edit is no choice of a place
    return share(sum(one.shown[0] == one.verdict for one in known), len(known))


def _mean(values: Sequence[int]) -> MeanEstimate:
    if len(values) < 2:
        return MeanEstimate(value=float(sum(values)), low=float("-1e9"), high=float("1e9"), n=len(values))
    found = bootstrap([float(value) for value in values])
    return MeanEstimate(value=found.value, low=found.low, high=found.high, n=found.n)


def _columns(judgements: Sequence[Judgement]) -> tuple[ColumnShare, ...]:
    """The recipes or models that were compared with others, by the share of pairs that they won."""
    won, lost, tied = Counter[str](), Counter[str](), Counter[str]()
    for one in judgements:
        if one.b is None or not one.a.name or not one.b.name or one.a.name == one.b.name or one.edited:
            continue
        if one.preferred is not None and one.other is not None:
            won[one.preferred.name] += 1
            lost[one.other.name] += 1
        elif one.verdict in ("tie", "bad"):
            tied.update((one.a.name, one.b.name))
    names = {*won, *lost, *tied}
    found = [
        ColumnShare(
            name=name,
            won=won[name],
            lost=lost[name],
            tied=tied[name],
            share=rate_of([1.0] * won[name] + [0.0] * lost[name] + [0.5] * tied[name]),
        )
        for name in names
    ]
    return tuple(sorted(found, key=lambda one: (-one.share.value, one.name)))
