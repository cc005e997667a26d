"""Summaries and comparisons of whole documents: what share of the points that a person expects do they quote?

    python benchmarks/whole_documents.py --made MADE --keep KEEP [--show]

The questions of benchmarks/offices that have points, of the offices that are not kept apart: those for a summary of one
document, and those that compare two. The documents are given, so that neither the road nor the choice of a document
counts; the likeness of sentences is asked of the real embedding worker once (``kept_retrieval.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from fit_second_look import EMBEDDER
from harness import DATA, HERE, arguments, read_lines
from kept_retrieval import KeptCollection, kept
from office_answers import MADE, scorer

from workbench.techniques.retrieval.comparison import choose_differences, compare_units, year_of
from workbench.techniques.retrieval.extracts import choose_for_summary, leads_of, measure_likeness, words_of_summary
from workbench.techniques.retrieval.outline import Unit, read_outline
from workbench.techniques.retrieval.roads.compare import MOST_ALONE, MOST_DIFFERENCES, MOST_WORDS, WORDS_ALONE
from workbench.text.language import detect_language

_LIST = re.compile(r"\b(list|liste|name |nenne|which |welche|alles|alle )", re.IGNORECASE)
"""Asks for some entries of a document, which is no summary."""


def summary(document: str, collection: KeptCollection) -> list[Unit]:
    text = collection.document(document)
    sections = read_outline(text)
    leads = leads_of(sections)
    likeness = [measure_likeness(section, leads, collection.similarities) for section in sections]
    words = words_of_summary(sum(len(unit.text.split()) for section in sections for unit in section.units))
    chosen = choose_for_summary(sections, likeness, words, detect_language(text.text))
    return [unit for extract in chosen for unit in extract.units]


def comparison(documents: list[str], collection: KeptCollection) -> list[Unit]:
    old, new = sorted((collection.document(one) for one in documents), key=year_of)
    found = compare_units(read_outline(old), read_outline(new), collection.similarities, detect_language(new.text))
    both = [one for one in found if one.first is not None and one.second is not None]
    shown = choose_differences(both, MOST_DIFFERENCES, MOST_WORDS)
    for alone in ([one for one in found if one.first is None], [one for one in found if one.second is None]):
        shown += choose_differences(alone, MOST_ALONE, WORDS_ALONE)
    return [side[1] for one in shown for side in (one.first, one.second) if side is not None]


def answered(office: str, made: Path, keep: Path) -> Iterator[tuple[dict[str, Any], list[Unit]]]:
    with kept(keep, office, EMBEDDER, lambda folder: made / office) as collection:
        ids = {Path(one.path).name: one.id for _, one in collection.documents()}
        for asked in read_lines(HERE / "offices" / office / "questions.jsonl"):
            documents = [ids[name] for name in asked["sources"] if name in ids]
            if not asked.get("points") or len(documents) < len(asked["sources"]):
                continue
            if asked["kind"] == "whole" and len(documents) == 1 and not _LIST.search(asked["question"]):
                yield asked, summary(documents[0], collection)
            elif asked["kind"] == "compare" and len(documents) == 2:
                yield asked, comparison(documents, collection)


def main() -> None:
    chosen = arguments(__doc__, "made", "keep", data=DATA, show=False).parse_args()
    score = scorer(chosen.data)
    found: dict[str, list[tuple[float, int]]] = {}
    for office in MADE:
        for asked, units in answered(office, chosen.made, chosen.keep):
            text = " ".join(unit.text for unit in units)
            share = float(np.mean([any(score.contains(text, one) for one in group) for group in asked["points"]]))
            found.setdefault(asked["kind"], []).append((share, len(text.split())))
            if chosen.show:
                print(f"{asked['id']} {share:.2f} {asked['question']}")
    for kind, rows in found.items():
        shares, words = np.array(rows).T
        print(f"{kind}: n {len(rows)}, points {shares.mean():.3f}, four in five of them {(shares >= 0.8).mean():.2f}, "
              f"half of them {(shares >= 0.5).mean():.2f}, words {words.mean():.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
