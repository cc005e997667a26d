"""Assistant masks: the text that a chat template writes around the turns of a conversation, and which part of it is
trained.

The template is rendered with unguessable marks for the contents, as for the engine's prompts: so a turn is found
wherever the template puts it, whether it trims it or adds to it. What goes before the model's answer is found by
rendering the conversation up to there, as the engine does when it asks for the answer: where the two part, the model's
own words begin. They end with the first token that ends a generation.

A skeleton depends on nothing but who speaks in which order, so that one serves a whole set.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.base.catalogue import Shown
from workbench.engine import segment_tokenizer
from workbench.engine.prompt import PromptWriter
from workbench.engine.reasoning_parser import Marks, opened_by
from workbench.engine.segments import PROBE
from workbench.engine.template import TemplateError
from workbench.records.messages import Role


class Tokenizer(segment_tokenizer.Tokenizer, Protocol):
    """A model's vocabulary, as training needs it: ``size`` tokens."""

    @property
    def size(self) -> int: ...
    def ends_generation(self, token: int) -> bool: ...


@dataclass(frozen=True)
class Turn:
    """A turn's place. ``before`` is what the template writes between the turn before and this one's content.

    Of an answer's ``before``, the engine writes the first ``given`` characters and the model says the rest itself;
    after its content the model says the first ``said_after`` characters of what follows. 0: nothing that ends it.
    """

    before: str
    trims_start: bool
    trims_end: bool
    given: int = 0
    said_after: int = 0


@dataclass(frozen=True)
class Skeleton:
    """``after`` follows the last turn. ``opened`` are the marks of thoughts that the engine's prompt for the last
    answer opens and the whole conversation does not show; ``missing`` is all of that prompt that it does not show."""

    turns: tuple[Turn, ...]
    after: str
    missing: Shown = ""
    opened: Marks | None = None
    notes: tuple[Shown, ...] = ()


class Transformed(Exception):
    """The template does something else with the contents than trimming them."""


def make_skeleton(roles: Sequence[Role], prompts: PromptWriter, tokenizer: Tokenizer) -> Skeleton:
    """The skeleton of conversations in which these roles speak in turn, an answer last.

    Raises TemplateError when the template refuses them or leaves out the system message, ``Transformed`` when turns
    cannot be told in what it writes.
    """
    marks = [f"x{secrets.token_hex(12)}x" for _ in roles]
    shown = [{"role": r, "content": f"{PROBE}{mark}{PROBE}"} for r, mark in zip(roles, marks, strict=True)]
    text = prompts.render_text(shown, answering=False)
    counts = [text.count(mark) for mark in marks]
    if roles[0] == "system" and counts[0] == 0 and all(count == 1 for count in counts[1:]):
        raise TemplateError("it leaves out the system message")
    places = [text.find(mark) for mark in marks]
    if any(count != 1 for count in counts) or places != sorted(places):
        raise Transformed
    turns: list[Turn] = []
    notes: list[Shown] = []
    missing = ""
    end = 0
    for number, (role, mark, place) in enumerate(zip(roles, marks, places, strict=True)):
        behind = place + len(mark)
        trims_start, trims_end = text[place - 1 : place] != PROBE, text[behind : behind + 1] != PROBE
        begin = place - (not trims_start)
        before, given = text[end:begin], 0
        if role == "assistant":
            asked = prompts.render_text(shown[:number], answering=True)
            agreed = min(_agreement(asked, text), begin)
            given = agreed - end
            missing = asked[agreed:]
            if given < 0:  # the template writes earlier turns otherwise once there are later ones
                given, missing = len(before), ""
                notes.append("The template changes the conversation before an answer once it is answered.")
        turns.append(Turn(before, trims_start, trims_end, given))
        end = behind + (not trims_end)
    after = text[end:]
    if not said_after(after, tokenizer):
        after = _ending(shown, prompts, tokenizer) or after
    following = [turn.before for turn in turns[1:]] + [after]
    for number, (role, next_before) in enumerate(zip(roles, following, strict=True)):
        if role == "assistant":
            turn = turns[number]
            said = said_after(next_before, tokenizer)
            turns[number] = Turn(turn.before, turn.trims_start, turn.trims_end, turn.given, said)
            if not said:
                notes.append("The template adds no end token after an answer.")
    return Skeleton(tuple(turns), after, missing, opened_by(asked) if missing else None, tuple(dict.fromkeys(notes)))


def said_after(text: str, tokenizer: Tokenizer) -> int:
    """The number of characters after an answer that the model generates: up to the first token that ends a
    generation."""
    for token in tokenizer.tokenize(text, special=True):
        if tokenizer.ends_generation(token):
            name = tokenizer.piece(token, special=True).decode("utf-8", "replace")
            return text.find(name) + len(name) if name in text else 0
    return 0


def _ending(shown: list[dict[str, str]], prompts: PromptWriter, tokenizer: Tokenizer) -> str:
    """The text after the last answer if another turn follows: some templates end only such answers."""
    mark = shown[-1]["content"].strip(PROBE)
    following = f"x{secrets.token_hex(12)}x"
    try:
        text = prompts.render_text([*shown, {"role": "user", "content": following}], answering=False)
    except TemplateError:
        return ""
    behind = text.partition(mark)[2].partition(following)[0].removeprefix(PROBE)
    return behind[: said_after(behind, tokenizer)]


def _agreement(asked: str, text: str) -> int:
    """The length of the beginning that two texts share. Where they part within a word or a name, it ends before it."""
    shorter = min(len(asked), len(text))
    agreed = next((place for place in range(shorter) if asked[place] != text[place]), shorter)
    while 0 < agreed < len(asked) and not (text[agreed - 1].isspace() or text[agreed - 1] in ">]"):
        agreed -= 1
    return agreed
