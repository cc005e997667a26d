"""A toy model for the fake core: words are its tokens, and what it finds probable follows from the words alone.

It tells an answer's tokens with alternatives, grows a beam search and answers anew from another token, so that a
window sees what the real core sends, in the same form.
"""

from __future__ import annotations

import math
import re
import zlib

from workbench.records.messages import Alternative, Beam, Candidate, ChosenToken, Finish, Usage
from workbench.records.trace import StepState, Trace, TraceStep

_OTHERS = (" the", " two", " a", " pump", " claims", ",", ".", "\n")


def split(text: str) -> list[str]:
    """The text's tokens: words with the blank before them, punctuation, breaks."""
    return re.findall(r"\n+| ?[^\s.,:;!?]+|[.,:;!?]|\s", text)


def id_of(word: str) -> int:
    """A token's id, from 1000."""
    return 1000 + zlib.crc32(word.encode()) % 40_000


def word_of(token: int) -> str:
    """The text of an alternative's id."""
    return next(word for word in _OTHERS if id_of(word) == token)


def tokens_of(text: str) -> tuple[ChosenToken, ...]:
    """The tokens with their alternatives; one in nine was not the model's first choice."""
    return tuple(_token(place, word) for place, word in enumerate(split(text)))


def what_comes_next() -> ChosenToken:
    return ChosenToken(token=-1, text="", logprob=0.0, alternatives=_others("", 0.5))


def continued(text: str, position: int, token: int) -> str:
    """The answer that keeps ``text`` up to a token and continues with another one."""
    return "".join(split(text)[:position]) + word_of(token) + " and so it goes on."


def sequences(text: str, count: int) -> tuple[Candidate, ...]:
    """Several answers: the text, and variants of it."""
    finishes: tuple[Finish, ...] = ("eos", "length", "stop", "grammar", "cancelled")
    made = []
    for number in range(count):
        said = text if number == 0 else f"{text.rstrip('.')}, said in another way ({number + 1})."
        made.append(
            Candidate(text=said, score=-0.31 - 0.12 * number, finish=finishes[number % 5], tokens=len(split(said)))
        )
    return tuple(made)


def beams(text: str, width: int = 4) -> tuple[tuple[Beam, ...], ...]:
    """The steps of a search that ends at ``text``: the others fork off the best beam now and then, and die.

    As in the core, a complete answer's last token has no text, and the last step holds nothing.
    """
    steps: list[tuple[Beam, ...]] = []
    words = split(text)
    for number, word in enumerate(words):
        best = Beam(parent=0 if number else -1, token=id_of(word), text=word, score=-0.35 * (number + 1))
        rows = [best]
        for lane in range(1, width):
            fresh = number == 0 or (number + lane) % 3 == 0
            parent = -1 if number == 0 else 0 if fresh else lane
            other = _OTHERS[(number + lane) % len(_OTHERS)]
            rows.append(
                Beam(parent=parent, token=id_of(other), text=other, score=-0.35 * (number + 1) - 0.9 * lane,
                     ended=other == "." and lane == 1 and number > 4)
            )  # fmt: skip
        steps.append(tuple(rows))
    end = Beam(parent=0, token=2, text="", score=-0.35 * (len(words) + 1), ended=True)
    return (*steps, (end,), ())


def _token(place: int, word: str) -> ChosenToken:
    share = (0.97, 0.93, 0.62, 0.88, 0.31, 0.95, 0.12, 0.55, 0.03)[(place + len(word)) % 9]
    others = _others(word, share)
    chosen = Alternative(token=id_of(word), text=word, logprob=math.log(share))
    ranked = tuple(sorted((chosen, *others), key=lambda one: -one.logprob))
    return ChosenToken(token=chosen.token, text=word, logprob=chosen.logprob, alternatives=ranked)


def _others(word: str, share: float) -> tuple[Alternative, ...]:
    left, found = 1 - share, []
    for other in _OTHERS:
        if other != word:
            left *= 0.55
            found.append(Alternative(token=id_of(other), text=other, logprob=math.log(max(left * 0.6, 1e-9))))
    return tuple(found[:7])


def thoughts(count: int, *, texts: tuple[str, ...] = (), running: bool = False) -> Trace:
    """The steps of a beam search among so many thoughts, four from each state; the second is pruned by a person, the
    third a dead end. ``running``: the last is not judged yet, and the search goes on."""
    state: StepState = "running" if running else "done"
    steps = [TraceStep(id="1", kind="tree", title="Tree of thoughts", seconds=38.2, state=state)]
    level, parents, number = ["1"], list[str](), 1
    for place in range(count):
        if place % 4 == 0:
            if not parents:
                parents, level = level[:4], []
            number += 1
            usage = Usage(prompt_tokens=80, new_tokens=36)
            steps.append(TraceStep(id=str(number), kind="proposal", parent=parents[0], title="Propose", usage=usage))
        number += 2
        id, judge = str(number - 1), str(number)
        said = (
            texts[place % len(texts)] if texts else f"{place % 13 + 1} + {place % 7 + 1} = {place % 13 + place % 7 + 2}"
        )
        last = running and place == count - 1
        score = None if last else 0.03 if place % 4 == 2 else round(0.95 - (place * 37 % 60) / 100, 2)
        steps.append(
            TraceStep(
                id=id, kind="thought", parent=parents[0], title=said, input="Numbers left: 4 6. Target: 24.",
                state="running" if last else "done", score=score, output="dead end" if score == 0.03 else "",
                seconds=0.0 if last else 0.4 + place % 5,
            )
        )  # fmt: skip
        usage = Usage(prompt_tokens=90, new_tokens=6)
        steps.append(TraceStep(id=judge, kind="score", parent=id, title="Judge", usage=usage))
        if place == 1:
            number += 1
            steps.append(TraceStep(id=str(number), kind="edit", parent=id, title="Pruned by you", output="prune"))
        elif score and score > 0.03:
            level.append(id)
        if place % 4 == 3:
            parents = parents[1:]
    return Trace(steps=tuple(steps))
