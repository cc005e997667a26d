"""Random but reproducible streams of events, as an answer could produce them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.fakes import passage
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.records.answers import AskResult
from workbench.records.messages import (
    Beam,
    Candidate,
    Citation,
    Statement,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
    Verdict,
)
from workbench.records.outcomes import Reason
from workbench.records.recipes import PromptingPart, Recipe
from workbench.records.trace import TokenIds
from workbench.techniques.retrieval.citations import as_citation

_WORDS = ("It ", "runs ", "for ", "years", ".\n\n", " 36", "für", "三十", "🙂", "[1]", " \t", "")
_KINDS = ("generation", "search", "rewrite", "check", "section", "tool")


def answer_events(seed: int) -> Iterator[Event]:
    """An answer's stream with its terminal event; every kind of event and of end occurs among some tens of seeds."""
    chance = random.Random(seed)
    sequences = chance.choice((1, 1, 1, 2, 4))
    open_steps: list[str] = []
    known: list[str] = [""]
    for number in range(chance.randrange(0, 120)):
        step = chance.choice(known) if chance.random() < 0.5 else ""
        kind = chance.randrange(13)
        if kind == 0:
            name = f"{number}"
            known.append(name)
            open_steps.append(name)
            yield events.StepStarted(
                step=name,
                parent=chance.choice(("", *open_steps[:-1])),
                kind=chance.choice(_KINDS),
                title=_text(chance),
                input=_text(chance),
                writes_answer=chance.random() < 0.2,
            )
        elif kind == 1 and open_steps:
            name = open_steps.pop(chance.randrange(len(open_steps)))
            yield events.StepFinished(
                step=name,
                output=_text(chance) if chance.random() < 0.5 else "",
                score=chance.choice((None, chance.uniform(-9, 9))),
                usage=chance.choice((None, _usage(chance))),
                error="It failed." if chance.random() < 0.2 else "",
                seconds=chance.random(),
                tokens=chance.choice((None, TokenIds(prompt=(1, 2, 49_000), sequences=((5, 6), ())))),
            )
        elif kind == 2:
            beams = (Beam(parent=-1, token=5, text="a", score=-chance.random(), ended=chance.random() < 0.5),)
            yield events.BeamStep(number=number, beams=beams, step=step)
        elif kind == 3:
            found = tuple(passage(f"Passage {n}.", score=chance.random(), n=n) for n in range(chance.randrange(3)))
            yield events.Retrieved(query=_text(chance), passages=found, step=step)
        elif kind == 4:
            yield events.Log(text=_text(chance), level=chance.choice(("notice", "info")))
        elif kind == 5:
            yield events.Progress(stage="reading", done=number, step=step)
        elif kind == 6:
            yield _verified(chance)
        elif kind == 7:
            yield events.Thought(text=_text(chance), sequence=chance.randrange(sequences), step=step)
        else:
            yield events.TextDelta(text=_text(chance), sequence=chance.randrange(sequences), step=step)
    yield _end(chance, sequences)


def _verified(chance: random.Random) -> events.Verified:
    verdict: Verdict = chance.choice(("supported", "partly", "unsupported", "outside"))
    return events.Verified(
        statements=(Statement(start=0, end=chance.randrange(9), verdict=verdict, n=chance.randrange(3)),),
        citations=tuple(
            as_citation(passage(f"Passage {n}.", n=n), claimed=chance.random() < 0.5)
            for n in range(chance.randrange(3))
        ),
        quoted=chance.choice((0, 0, 12)),
    )


def _end(chance: random.Random, sequences: int) -> events.Terminal:
    kind = chance.randrange(6)
    if kind == 0:
        reason = chance.choice(("user", "worker"))
        return events.Failed(message="It failed.", hint="Try again.", reason=reason)
    if kind == 1:
        return events.Cancelled()
    candidates = tuple(
        Candidate(text=_text(chance), thought=_text(chance), score=-chance.random(), tokens=3) for _ in range(sequences)
    )
    cited = passage("Passage 1.", n=1)
    result = AskResult(
        answer=candidates[0].text,
        sequences=candidates,
        citations=(
            Citation(
                n=1,
                collection=cited.collection,
                document=cited.document,
                document_hash=cited.document_hash,
                path=cited.path,
                title=cited.title,
                start=cited.start,
                end=cited.end,
                text=cited.text,
            ),
        )
        if chance.random() < 0.5
        else (),
        declined=chance.random() < 0.1,
        outcome=chance.choice((None, "found", "perhaps", "not_found")),
        reasons=(Reason(kind="weak", text="The evidence is weak."),) if chance.random() < 0.2 else (),
        road=chance.choice((None, "place", "table")),
        roads=("places",) if chance.random() < 0.5 else (),
        usage=chance.choice((Usage(), _usage(chance))),
        recipe=Recipe(prompting=PromptingPart(instructions=_text(chance))),
        query=chance.choice(("", "what was searched")),
        passages=chance.choice(((), (cited,))),
        notices=chance.choice(((), ("Look at it.",))),
        parts=chance.choice(
            ((), (ToolCallPart("add", '{"a": 1}', "c1"), ToolResultPart("2", "add", "c1"), TextPart("2")))
        ),
    )
    finished = finish(result)
    if kind == 2:
        return events.Cancelled(result=finished.result, interrupted=chance.random() < 0.5)
    return finished


def _text(chance: random.Random) -> str:
    return "".join(chance.choice(_WORDS) for _ in range(chance.randrange(4)))


def _usage(chance: random.Random) -> Usage:
    return Usage(
        prompt_tokens=chance.randrange(1, 999),
        cached_tokens=chance.randrange(99),
        new_tokens=chance.randrange(99),
        first_token_s=chance.random(),
        tokens_per_s=chance.choice((0.0, chance.uniform(1, 99))),
    )
