"""How many statements in own words about a passage are marked: right paraphrases, and wrong values of the same passage.

    python benchmarks/own_words.py

``own_words.jsonl`` holds 26 passages as an office has them (contracts, minutes, tables, mails; English, German, French,
Spanish), half of them to fit on and half to judge by, each with

    right    paraphrases: number and date styles, units spelled out, other word order, active and passive
    wrong    a right sentence with another value of the same passage (amount, date, name, duration, percentage)
    across   statements in another language than the passage, ``true`` or with a value that the passage does not have

A statement counts as *marked* when the program marks it however sure it is of the answer (``records/trust.py``): what
a person sees of an answer that the program is sure of. *Not supported* is what a person sees of one whose
confidence could not be estimated. No model is asked. Intervals are 95 %.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from harness import HERE, arguments, interval, read_lines, report

from workbench.records.messages import Passage, Verification
from workbench.records.trust import is_marked
from workbench.techniques.retrieval.verification import verify_statements

LISTS = ("right", "wrong", "across true", "across false")


def passage_of(text: str) -> Passage:
    return Passage(
        collection="own words", document="passage", document_hash="", path="passage.txt", title="", start=0,
        end=len(text), text=text, n=1,
    )  # fmt: skip


def statements_of(row: dict[str, Any]) -> list[tuple[str, str]]:
    """The statements on a passage, each with the list that it is of."""
    found = [(kind, text) for kind in ("right", "wrong") for text in row[kind]]
    return found + [(f"across {str(one['true']).lower()}", one["text"]) for one in row["across"]]


def judged(verified: Verification) -> tuple[bool, bool]:
    """Whether a statement is marked in a sure answer, and whether it is not supported."""
    sure = Verification(statements=verified.statements, confidence=1.0)
    return is_marked(sure), any(one.verdict != "supported" for one in verified.statements) or not verified.statements


def main() -> None:
    parser = arguments(__doc__, "json", show=0)
    parser.add_argument("--half", nargs="+", choices=("fit", "judge"), default=["fit", "judge"])
    chosen = parser.parse_args()
    found: dict[str, Any] = {}
    for half in chosen.half:
        count, marked, unsupported = Counter[str](), Counter[str](), Counter[str]()
        for row in read_lines(HERE / "own_words.jsonl"):
            if row["half"] != half:
                continue
            for kind, text in statements_of(row):
                verified = verify_statements(text, (passage_of(row["passage"]),), "")
                warned, lacking = judged(verified)
                count[kind] += 1
                marked[kind] += warned
                unsupported[kind] += lacking
                if chosen.show and warned == (kind in ("right", "across true")):
                    told = [(one.verdict, one.value, one.conflicts, one.contradictions) for one in verified.statements]
                    print(f"{half} {kind}: {text} {told} {verified.problem}")
        found[half] = {
            kind: {
                "n": count[kind],
                "marked": marked[kind],
                "interval": interval(marked[kind] / count[kind], count[kind]),
                "not_supported": unsupported[kind],
            }
            for kind in LISTS
        }
        print(half, json.dumps(found[half], indent=1))
    report(found, chosen.json)


if __name__ == "__main__":
    main()
