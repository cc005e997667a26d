"""Checks the gold of every office, and the router's requests; 1 when anything is wrong.

python check.py [OFFICE ...] [--write]: --write writes each questions.jsonl anew from its questions.txt, and each
tables_asked.jsonl from its tables_asked.txt (more questions about the tables of an office).
"""

import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from questions_kit import LANGUAGES, Office

HERE = Path(__file__).parent
ASKED = ("questions.txt", "tables_asked.txt")
REQUESTS = HERE.parent / "router_requests.jsonl"
ROADS = ("chat", "place", "places", "whole", "compare", "table", "other")


def check_office(asked: Path, write: bool) -> list[str]:
    folder = asked.parent
    with tempfile.TemporaryDirectory() as documents:
        office = Office(folder, Path(documents), asked.name)
        problems = office.check() + (office.unasked() if asked.name == ASKED[0] else [])
        stored = asked.with_suffix(".jsonl")
        if write:
            stored.write_text(office.written(), encoding="utf-8")
        elif not stored.exists() or stored.read_text(encoding="utf-8") != office.written():
            problems.append(f"{stored.name} differs from {asked.name}: run check.py --write")
    kinds, languages = (Counter(getattr(one, what) for one in office.questions) for what in ("kind", "language"))
    size = sum(map(len, office.text.values()))
    print(f"{folder.name}: {len(office.text)} documents, {size:,} characters, {len(office.questions)} questions")
    print(f"  {dict(kinds)}\n  {dict(languages)}")
    unanswerable = Counter(one.language for one in office.questions if one.kind == "unanswerable")
    print(f"  unanswerable {dict(unanswerable)}")
    return problems


def check_requests(path: Path) -> list[str]:
    problems: list[str] = []
    requests = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    seen: dict[str, set[str]] = {}
    for number, one in enumerate(requests, 1):
        if one["road"] not in ROADS or one["language"] not in LANGUAGES or one["split"] not in ("fit", "judge"):
            problems.append(f"line {number}: {one}")
        text = re.sub(r"\W+", " ", one["text"].casefold()).strip()
        if text in seen:
            problems.append(f"line {number} stands twice: {one['text']}")
        words = set(text.split())
        if one["split"] == "judge" and len(words) > 3:
            for other, others in seen.items():
                if len(words & others) / len(words | others) >= 0.75:
                    problems.append(f"line {number} is near another: {one['text']} / {other}")
        seen[text] = words
    for split in ("fit", "judge"):
        part = [one for one in requests if one["split"] == split]
        roads, languages = (dict(Counter(one[what] for one in part)) for what in ("road", "language"))
        print(f"requests, {split}: {len(part)}, {roads}, {languages}, hard {sum('hard' in one for one in part)}")
    return problems


def main() -> int:
    problems = []
    named = {one for one in sys.argv[1:] if one != "--write"}
    for asked in sorted(one for name in ASKED for one in HERE.glob(f"*/{name}")):
        office = asked.parent.name
        if not named or office in named:
            problems += [f"{office}: {one}" for one in check_office(asked, "--write" in sys.argv)]
    if not named:
        problems += check_requests(REQUESTS)
    for one in problems:
        print("PROBLEM", one)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
