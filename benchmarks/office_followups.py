"""Follow-ups over people's own documents: is "and the second one?" answered as the written-out question is?

    python benchmarks/office_followups.py --made MADE --home HOME [--split fit] [--out F] [--show wrong]

The dialogues are in office_followups.jsonl: one or two questions (``turns``), the follow-up (``question``), the same
``written_out``, and the gold answers. They are asked in a chat of the program with its defaults, so a follow-up goes on
from the program's own answers, right or wrong. The kinds: *other* (the same of something else), *time*, *attribute*
(another detail of the same thing), *answer* (a detail of what was answered), *reason*, *order*, *chain* (the third
turn), and *own*, which is a question of its own that must stay as it is. ``--split judge`` are those that nothing was
written with. ``--without`` asks the follow-ups alone, which shows how many say enough by themselves.

``--home`` and ``--made`` are as in office_answers.py, whose answers are judged in the same way.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from harness import DATA, HERE, Core, arguments, read_lines, share, write_lines
from office_answers import MADE, as_read, places, read_office, scorer

from workbench.api.events import Artifact, Event, StepFinished, StepStarted
from workbench.records.answers import AskResult
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.subjects.chats.calls import Ask
from workbench.subjects.machine.calls import ChangeSettings


class Dialogue:
    """A chat of the program: its questions, and how each was understood."""

    def __init__(self, core: Core, recipe: Recipe) -> None:
        self.core, self.recipe = core, recipe
        self.chat: str | None = None
        self.understood = ""
        self._step = ""

    def ask(self, question: str) -> AskResult:
        self.understood = ""
        return self.core.call(Ask(question=question, recipe=self.recipe, chat=self.chat), self._watch)

    def _watch(self, event: Event) -> None:
        if isinstance(event, Artifact) and event.kind == "message":
            self.chat = event.result["chat"]
        elif isinstance(event, StepStarted) and event.kind == "rewrite":
            self._step = event.step
        elif isinstance(event, StepFinished) and event.step == self._step:
            self.understood = event.output


def asked(core: Core, row: dict[str, Any], *, without: bool) -> dict[str, Any]:
    """What is answered to the follow-up, and to the question that is written out."""
    recipe = Recipe(retrieval=RetrievalPart(collection=row["office"]))
    dialogue = Dialogue(core, recipe)
    earlier = [] if without else [dialogue.ask(turn).answer for turn in row["turns"]]
    reply = as_read(row["id"], dialogue.ask(row["question"]))
    alone = as_read(row["id"], Dialogue(core, recipe).ask(row["written_out"]))
    return {**reply, "understood": dialogue.understood, "earlier": earlier, "written_out": alone}


def main() -> None:
    parser = arguments(__doc__, "home", "made", "out", data=DATA, split="judge", show="", ids="", without=False)
    chosen = parser.parse_args()
    score = scorer(chosen.data)
    ids = set(filter(None, chosen.ids.split(",")))
    rows = [
        row
        for row in read_lines(HERE / "office_followups.jsonl")
        if chosen.split in ("", row["split"]) and (not ids or row["id"] in ids)
    ]
    replies: dict[str, dict[str, Any]] = {}
    with Core(chosen.home) as core:
        core.call(ChangeSettings(values={"documents": {"keep_embedder": True}}))
        for office in MADE:
            read_office(core, office, places(office, chosen.data, chosen.made or Path())[0], anew=False)
        for number, row in enumerate(rows, 1):
            replies[row["id"]] = asked(core, row, without=chosen.without)
            print(f"\r{number} of {len(rows)}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    found = score.score(rows, replies)
    whole = score.score(rows, {name: reply["written_out"] for name, reply in replies.items()})
    for title, judged in (("follow-ups", found), ("written out", whole)):
        outcomes = Counter(one["outcome"] for one in judged)
        right = outcomes["right"] + outcomes["right and marked"]
        print(f"{title}: right {share(right, len(rows))}; {dict(outcomes)}")
    for kind in dict.fromkeys(row["kind"] for row in rows):
        of = [n for n, row in enumerate(rows) if row["kind"] == kind]
        counts = [sum(judged[n]["outcome"].startswith("right") for n in of) for judged in (found, whole)]
        print(f"  {kind:10} follow-ups {counts[0]} of {len(of)}, written out {counts[1]}")
    print("roads:", dict(Counter(reply["road"] for reply in replies.values())))
    for row, one in zip(rows, found, strict=True):
        if chosen.show and one["outcome"].startswith(chosen.show):
            reply = replies[row["id"]]
            print(f"\n{row['id']} {row['kind']} {one['outcome']}: {' / '.join(row['turns'])} / {row['question']}")
            print(f"  understood {reply['understood']!r}, road {reply['road']}, gold {row['answers']}")
            print(f"  said {json.dumps(reply['answer'][:300], ensure_ascii=False)} {reply['reasons']}")
    if chosen.out:
        write_lines(chosen.out, replies.values())


if __name__ == "__main__":
    main()
