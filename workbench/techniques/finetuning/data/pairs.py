"""Question-answer pairs from passages: the model asks, answers from the passage, and the pair is checked against it.

Asked and answered apart, and checked, as in Alberti et al. 2019, "Synthetic QA Corpora Generation with Roundtrip
Consistency", arXiv:1906.05416; the check is not the model's own opinion but that of ``support``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Sequence

import msgspec

from workbench import events
from workbench.engine.protocol import LanguageModel
from workbench.events import Event
from workbench.messages import Message, Passage
from workbench.protocol import finish
from workbench.recipes import DecodingPart
from workbench.techniques.finetuning.data.examples import Example, Source, normalise
from workbench.techniques.finetuning.data.support import PassageCheck
from workbench.techniques.generating import Unchanged, edit

_ASK = "Write {count} about this text, which it answers. Ask for facts that stand in it."
_ANSWER = "Answer in a few words."
_LONGEST_QUESTION = 200  # characters


class MadePair(msgspec.Struct, frozen=True, kw_only=True):
    """A pair that a model made. ``reason`` says why it was not taken; "" for one that its passage supports.

    ``source`` is the place in the document that the answer rests on, or the passage's where it rests on none.
    """

    question: str
    answer: str
    source: Source
    reason: str = ""

    @property
    def supported(self) -> bool:
        return not self.reason

    def example(self) -> Example:
        messages = (Message("user", self.question), Message("assistant", self.answer))
        return Example(messages=messages, source=self.source)


class PairSet(msgspec.Struct, frozen=True, kw_only=True):
    """All that were made, in order, those that were not taken with the reason."""

    pairs: tuple[MadePair, ...]

    def examples(self) -> tuple[Example, ...]:
        """Those that are supported."""
        return tuple(pair.example() for pair in self.pairs if pair.supported)


def make_pairs(
    passages: Sequence[Passage],
    model: LanguageModel,
    *,
    questions: int = 2,
    decoding: DecodingPart | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Up to ``questions`` pairs for each passage.

    Streams Progress in passages, and each pair as ``Artifact(kind="pair", result=MadePair)``. Ends in Finished with a
    ``PairSet``, or in Cancelled with the pairs so far. ``decoding`` None takes the most probable words throughout.
    """
    decoding = decoding or DecodingPart()
    pairs: list[MadePair] = []
    asked: set[str] = set()
    for number, passage in enumerate(passages):
        if cancelled():
            break
        yield events.Progress(stage="asking", done=number, total=len(passages), unit="passages")
        checker = PassageCheck(passage.text)
        for question in (yield from _questions(passage, model, questions, decoding)):
            if cancelled() or normalise(question) in asked:
                continue
            asked.add(normalise(question))
            prompt = f"{passage.text}\n\nQuestion: {question}\n{_ANSWER}"
            answer = yield from _said(model, prompt, msgspec.structs.replace(decoding, format="text", grammar="", n=1))
            if cancelled():
                break
            pair = judge(question, answer.strip(), passage, checker)
            pairs.append(pair)
            identity = f"{passage.document}:{passage.start}:{len(pairs)}"
            yield events.Artifact(kind="pair", id=identity, result=msgspec.to_builtins(pair))
    finished = finish(PairSet(pairs=tuple(pairs)))
    yield events.Cancelled(result=finished.result) if cancelled() else finished


def judge(question: str, answer: str, passage: Passage, checker: PassageCheck | None = None) -> MadePair:
    """A pair with whether its passage supports it, and where."""
    verdict = (checker or PassageCheck(passage.text)).check(question, answer)
    start, end = (verdict.start, verdict.end) if verdict.supported else (0, len(passage.text))
    source = Source(
        origin="pair",
        path=passage.path,
        document=passage.document,
        start=passage.start + start,
        end=passage.start + end,
        note=passage.title,
    )
    return MadePair(question=question, answer=answer, source=source, reason=verdict.reason)


def _questions(
    passage: Passage, model: LanguageModel, count: int, decoding: DecodingPart
) -> Generator[Event, None, list[str]]:
    schema = {
        "type": "array",
        "minItems": count,
        "maxItems": count,
        "items": {"type": "string", "minLength": 10, "maxLength": _LONGEST_QUESTION},
    }
    counted = "one question" if count == 1 else f"{count} different questions"
    prompt = f"{passage.text}\n\n{_ASK.format(count=counted)}"
    form = msgspec.structs.replace(decoding, format="json_schema", grammar=json.dumps(schema), n=1)
    return _listed((yield from _said(model, prompt, form)))[:count]


def _said(model: LanguageModel, prompt: str, decoding: DecodingPart) -> Generator[Event, None, str]:
    stream = model.generate((Message("user", prompt),), decoding)
    edited = yield from edit(stream, Unchanged, quiet=True)
    return edited.generated.text


def _listed(text: str) -> list[str]:
    """The questions of a list; of one that is cut short, and of plain lines, those that are whole."""
    try:
        found = json.loads(text)
    except ValueError:
        found = [line.strip().lstrip("-*0123456789.) ").strip('",[]') for line in text.splitlines()]
    if not isinstance(found, list):
        return []
    lines = (one.strip() for one in found if isinstance(one, str))
    return [line for line in lines if line.endswith(("?", "？", "؟")) and len(line) <= _LONGEST_QUESTION]
