"""Judgements: which of two answers to a prompt is preferred, or whether one answer is good, and who judged.

They are stored with a format number, imported, exported, and made into training data. Everything here is a plain value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Annotated, Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored
from workbench.records.answers import StoredMessage
from workbench.records.endpoints import MadeBy
from workbench.records.messages import Finish, Message
from workbench.records.origins import Origins
from workbench.records.recipes import RECIPE, Recipe

PreferenceForm = Literal[
    "workbench", "trl", "trl-chat", "trl-rated", "trl-rated-chat", "hh-rlhf", "ultrafeedback", "argilla", "arena",
    "sharegpt", "openai", "candidates", "rewards",
]  # fmt: skip
"""The formats of files. ``trl``: prompt, chosen, rejected as texts; ``trl-chat``: as turns; ``trl-rated``: prompt,
completion, label; ``hh-rlhf``: chosen, rejected as dialogues; ``ultrafeedback``: ``trl-chat`` with scores; ``argilla``:
flattened records; ``arena``: two conversations and a winner; ``sharegpt``: LLaMA-Factory's; ``openai``: preference
fine-tuning; ``candidates``: input_text, candidate1, candidate2, human_preference; ``rewards``: prompt, response,
rewards; ``workbench``: judgements whole, with recipes and tokens."""


Verdict = Literal["", "a", "b", "tie", "bad", "good", "poor"]
"""Of two answers: ``a`` or ``b`` is preferred, they are equally good, both are bad. Of one answer: it is good or poor.
"": not judged yet, a pair that waits in a labelling queue."""

PairVerdict = Literal["a", "b", "tie", "bad"]
JudgeKind = Literal["person", "model", "rule"]
JudgementSource = Literal["chat", "compare", "label", "verdict", "judge", "import"]
"""``chat``: ratings, edits and rated siblings of a chat; ``compare``: answers side by side; ``label``: labelling in a
row; ``verdict``: a blind comparison on held-out prompts; ``judge``: a judge model or a rule; ``import``: a file."""

LONGEST_COMMENT = 2_000


class JudgedAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the answers that were judged.

    ``name`` is how its recipe or model is shown once it may be seen; ``recipe`` is that recipe, resolved. ``tokens``
    are the ids of the sampled tokens, () where they are not known; the token that ended it is not among them. ``score``
    is a grade that somebody gave, on a scale of their own, higher is better. ``original`` is the model's text where a
    person edited ``text``; ``tokens`` then belong to ``original``. ``message`` is the chat message that it came from,
    ``made_by`` the endpoint that computed it.
    """

    text: str
    name: str = ""
    recipe: Recipe | None = None
    tokens: tuple[int, ...] = ()
    finish: Finish = "eos"
    score: float | None = None
    original: str | None = None
    message: str = ""
    made_by: MadeBy | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A prompt with two answers ``a`` and ``b``, or with one (``b`` is None), and the verdict on them.

    ``prompt`` are the messages before the answers, instructions included. ``shown`` is the order in which the judge saw
    the answers, "" where that is not known. ``judge_name`` names a person, a recipe or a scorer; ``confidence`` in
    [0, 1] is how sure a judge model was. ``weight`` is how much the judgement counts in training. ``origin`` says where
    an imported one stands, such as "pairs.jsonl, line 12"; ``origins`` is what prompt and answers were made from
    (``records/origins.py``), ``judged_by`` the endpoint that gave the verdict. ``created`` and ``changed`` are epoch
    seconds. ``unreadable`` says why a stored one cannot be read.
    """

    id: str = ""
    prompt: tuple[Message, ...] = ()
    a: JudgedAnswer = JudgedAnswer(text="")
    b: JudgedAnswer | None = None
    shown: Literal["ab", "ba", ""] = ""
    verdict: Verdict = ""
    judge: JudgeKind = "person"
    judge_name: str = ""
    confidence: float | None = None
    source: JudgementSource = "compare"
    comment: str = ""
    weight: float = 1.0
    queue: str = ""
    origin: str = ""
    chat: str = ""
    created: float = 0.0
    changed: float = 0.0
    unreadable: Shown = ""
    origins: Origins = None
    judged_by: MadeBy | None = None

    @property
    def is_pair(self) -> bool:
        return self.b is not None

    @property
    def edited(self) -> bool:
        """Whether a person rewrote one of the answers into what they wanted."""
        return any(answer.original is not None for answer in self.answers)

    @property
    def answers(self) -> tuple[JudgedAnswer, ...]:
        return (self.a,) if self.b is None else (self.a, self.b)

    @property
    def preferred(self) -> JudgedAnswer | None:
        """The answer that won, None for a tie, for two bad answers and for a single answer."""
        return self.b if self.verdict == "b" else self.a if self.verdict == "a" and self.is_pair else None

    @property
    def other(self) -> JudgedAnswer | None:
        """The answer that lost, None where none won."""
        return self.a if self.verdict == "b" else self.b if self.verdict == "a" else None

    @property
    def question(self) -> str:
        """The last message of the prompt."""
        return self.prompt[-1].content if self.prompt else ""

    def pairs(self) -> Iterator[tuple[JudgedAnswer, JudgedAnswer]]:
        """What it says is better than what: the preferred answer before the other one, and an edited answer before what
        the model had said. Answers of the same text are left out, and pairs that come twice."""
        better, worse = self.preferred, self.other
        said: list[tuple[JudgedAnswer, JudgedAnswer]] = []
        if better is not None and worse is not None:
            said.append((better, worse))
        for answer in self.answers:
            if answer.original is not None and answer is not worse:
                said.append((answer, msgspec.structs.replace(answer, text=answer.original, original=None)))
        seen: set[tuple[str, str]] = set()
        for one, other in said:
            texts = (one.text.strip(), other.text.strip())
            if texts[0] != texts[1] and texts not in seen:
                seen.add(texts)
                yield one, other

    def ratings(self) -> Iterator[tuple[JudgedAnswer, bool]]:
        """The answers that it says are good or bad, taken one by one. A preference says neither, an edit that its text
        is good."""
        if self.verdict in ("good", "poor"):
            yield self.a, self.verdict == "good"
        for answer in self.answers if self.is_pair else ():
            if answer.original is not None and answer is not self.other and self.verdict != "bad":
                yield answer, True
            elif self.verdict == "bad":
                yield answer, False

    @property
    def prompt_key(self) -> str:
        """Sixteen hexadecimal digits, the same for prompts that say the same."""
        return prompt_key(self.prompt)

    @property
    def pair_key(self) -> str:
        """The same of a prompt with its answers, in either order: judgements of one key judge the
        same."""
        return _key(*_spoken(self.prompt), "answers", *sorted(answer.text.strip() for answer in self.answers))


_JUDGED_ANSWER = Stored("answer of a preference", JudgedAnswer, parts={"recipe": RECIPE})
JUDGEMENT = Stored("preference", Judgement, parts={"a": _JUDGED_ANSWER, "b": _JUDGED_ANSWER})


class JudgementFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which judgements are meant: those that meet every condition that is given.

    ``search``: words that prompt or answers contain, each of them. ``verdicts``, ``sources``, ``judges``: one of these.
    ``judge_name``, ``chat``, ``origin`` (of an import: the file's name), ``queue``: exactly this one. ``kind``: pairs
    of answers, or single ones. ``edited``: only those with an edited answer, or only those without. ``ids``: one of
    these. ``since``: changed at or after, in epoch seconds. Pairs that wait to be judged are left out, unless
    ``verdicts`` names "".
    """

    search: Annotated[str, "only those with these words in the prompt or an answer"] = ""
    verdicts: Annotated[tuple[Verdict, ...], "only with this choice; once for each"] = ()
    sources: Annotated[tuple[JudgementSource, ...], "only from this source; once for each"] = ()
    judges: Annotated[tuple[JudgeKind, ...], "only by this kind of judge; once for each"] = ()
    judge_name: Annotated[str, "only by the judge of this name"] = ""
    chat: str = ""
    origin: Annotated[str, "only those imported from this file"] = ""
    queue: Annotated[str, "only of this comparison"] = ""
    kind: Annotated[Literal["all", "pairs", "single"], "only pairs, or only single answers"] = "all"
    edited: Annotated[bool | None, "only those with an answer that a person rewrote"] = None
    ids: tuple[str, ...] = ()
    since: float = 0.0


class LabellingQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Pairs of answers to be judged one after the other.

    ``purpose``: ``label`` for training data; ``verdict`` for a blind comparison, whose judgements are not trained on.
    ``columns`` are the names of the recipes behind the answers. ``origin`` says where the prompts are from. ``run``
    makes the candidates; ``waiting`` pairs are ready to be judged, ``judged`` are done, ``prompts`` are there in all.
    """

    id: str
    name: str
    created: float
    purpose: Literal["label", "verdict"] = "label"
    columns: tuple[str, ...] = ()
    origin: str = ""
    run: str = ""
    prompts: int = 0
    waiting: int = 0
    judged: int = 0
    unreadable: Shown = ""


LABELLING_QUEUE = Stored("comparison", LabellingQueue)


def prompt_key(prompt: tuple[Message, ...]) -> str:
    """Sixteen hexadecimal digits, the same for prompts that say the same."""
    return _key(*_spoken(prompt))


def name_of(recipe: Recipe | None) -> str:
    """How a recipe is called: its own name, or that of its model with its adapters; "" for none."""
    if recipe is None or recipe.name:
        return recipe.name if recipe is not None else ""
    return " + ".join([recipe.model.name, *(use.name for use in recipe.model.adapters)])


def judge_answers(
    asked: Sequence[StoredMessage],
    shown: tuple[StoredMessage, StoredMessage],
    verdict: PairVerdict,
    *,
    chat: str,
    swapped: bool | None = None,
    edited: str = "",
    comment: str = "",
) -> Judgement:
    """A judgement of two answers of a chat to the question that ends ``asked``, its messages from the first on. ``a``
    is the first of ``shown``, where they are ``swapped`` the second; None: the order in which they were seen is not
    known. ``edited`` is what the preferred one should have been."""
    names = [name_of(one.recipe) for one in shown]
    if names[0] == names[1]:  # of one recipe: neither wins against the other
        names = ["", ""]
    pair = [_judged(one, name) for one, name in zip(shown, names, strict=True)]
    if swapped:
        pair.reverse()
    if edited:
        place = 0 if verdict == "a" else 1
        before = pair[place]
        pair[place] = msgspec.structs.replace(before, text=edited, original=before.original or before.text)
    return Judgement(
        prompt=_prompt_of(asked, pair[0].recipe),
        a=pair[0],
        b=pair[1],
        shown="" if swapped is None else "ba" if swapped else "ab",
        verdict=verdict,
        source="compare",
        comment=comment,
        chat=chat,
    )


_FINISHES: dict[str, Finish] = {"stopped": "cancelled", "interrupted": "cancelled"}


def _judged(message: StoredMessage, name: str) -> JudgedAnswer:
    return JudgedAnswer(
        text=message.text,
        original=message.original,
        name=name,
        recipe=message.recipe,
        finish=_FINISHES.get(message.state) or message.finish or "eos",
        message=message.id,
    )


def _prompt_of(asked: Sequence[StoredMessage], recipe: Recipe | None) -> tuple[Message, ...]:
    """The messages down to the question, below the instructions of the recipe that answered it."""
    turns = tuple(message.as_message() for message in asked if message.text.strip())
    instructions = recipe.prompting.instructions.strip() if recipe is not None else ""
    return (Message("system", instructions), *turns) if instructions else turns


def _spoken(messages: tuple[Message, ...]) -> Iterator[str]:
    for message in messages:
        yield message.role
        yield " ".join(message.content.split())


def _key(*parts: str) -> str:
    digest = blake2b(digest_size=8)
    for part in parts:
        raw = part.encode("utf-8", "replace")
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return digest.hexdigest()
