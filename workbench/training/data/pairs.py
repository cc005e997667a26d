"""Question-answer pairs from passages: the model asks, answers from the passage, and the pair is checked against it.

Asked and answered apart, and checked, as in Alberti et al. 2019, "Synthetic QA Corpora Generation with Roundtrip
Consistency", arXiv:1906.05416; the check is not the model's own opinion but that of ``support``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.base.catalogue import Shown
from workbench.base.errors import Cancelled
from workbench.records.messages import Message, Passage
from workbench.records.recipes import DecodingPart
from workbench.text.sentences import split_sentences
from workbench.text.terms import Vocabulary
from workbench.training.data.examples import Example, Source, normalise
from workbench.training.data.groundedness import PassageCheck

SMALL_MODEL_PARAMETERS = 400_000_000
"""A smaller model is shown the one sentence only. Of three wordings the shortest was the only one after which
SmolLM2-135M asked questions; after "answered by this sentence" it asks "What is the answer to this question?"."""

_ASK_SMALL = "{sentence}\n\nWrite a question about this."
_ASK = "{text}\n\nWrite one short question about this sentence of the text, which it answers: {sentence}"
ANSWER = "Answer in a few words."
"""The end of each prompt that asks for an answer."""
_QUESTION = r"[^\s?？\[\]][^\n?？\[\]]{8,160}[?？]"
"""A small model asked for a list of questions writes no list, and not always questions: so one at a time, in form."""


class MadePair(msgspec.Struct, frozen=True, kw_only=True):
    """A pair that a model made. ``reason`` says why it was not taken; "" for one that its passage supports.

    ``source`` is the place in the document that the answer rests on, or the passage's where it rests on none.
    """

    question: str
    answer: str
    source: Source
    reason: Shown = ""

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
        """The pairs that are supported."""
        return tuple(pair.example() for pair in self.pairs if pair.supported)


def make_pairs(
    passages: Sequence[Passage],
    ask: Callable[[str, DecodingPart], str],
    *,
    small: bool,
    questions: int = 2,
    decoding: DecodingPart | None = None,
    constrained: bool = True,
) -> Iterator[Event]:
    """Up to ``questions`` pairs for each passage: about the sentences of it that tell most.

    ``ask(prompt, decoding)`` is a model's answer; ``small`` says that it has less than ``SMALL_MODEL_PARAMETERS``.
    Streams Progress in passages, and each pair as ``Artifact(kind="pair", result=MadePair)``. Ends in Finished with a
    ``PairSet``, or in Cancelled with the pairs so far: once ``ask`` raises errors.Cancelled.
    ``decoding`` None takes the most probable words throughout. ``constrained`` False is for a model whose form cannot
    be constrained: the first question in what it writes is taken.
    """
    decoding = decoding or DecodingPart()
    free = msgspec.structs.replace(decoding, format="text", grammar="", n=1)
    pairs: list[MadePair] = []
    asked: set[str] = set()
    ending: type[events.Finished | events.Cancelled] = events.Finished
    try:
        for number, passage in enumerate(passages):
            yield events.Progress(stage="asking", done=number, total=len(passages), unit="passages")
            checker = PassageCheck(passage.text)
            found = ask_questions(
                passage.text, ask, small=small, questions=questions, asked=asked, free=free, constrained=constrained
            )
            for question in found:
                answer = ask(f"{passage.text}\n\nQuestion: {question}\n{ANSWER}", free).strip()
                pair = judge(question, answer, passage, checker)
                pairs.append(pair)
                identity = f"{passage.document}:{passage.start}:{len(pairs)}"
                yield events.Artifact(kind="pair", id=identity, result=msgspec.to_builtins(pair))
    except Cancelled:
        ending = events.Cancelled
    yield ending(result=msgspec.to_builtins(PairSet(pairs=tuple(pairs))))


def ask_questions(
    text: str,
    ask: Callable[[str, DecodingPart], str],
    *,
    small: bool,
    questions: int = 2,
    asked: set[str],
    free: DecodingPart | None = None,
    constrained: bool = True,
) -> Iterator[str]:
    """Up to ``questions`` questions about a passage, one for each of the sentences that tell most; those in ``asked``
    (normalised), which grows, are not asked again. ``ask``, ``small`` and ``constrained`` are as in ``make_pairs``."""
    part = msgspec.structs.replace(free or DecodingPart(), n=1)
    if constrained:
        part = msgspec.structs.replace(part, format="regex", grammar=_QUESTION)
    wording = _ASK_SMALL if small else _ASK
    for sentence in telling_sentences(text, questions):
        reply = ask(wording.format(text=text, sentence=sentence), part)
        found = re.fullmatch(_QUESTION, reply.strip()) if constrained else re.search(_QUESTION, reply)
        question = found.group().strip() if found is not None else ""
        if question and normalise(question) not in asked:
            asked.add(normalise(question))
            yield question


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


def telling_sentences(text: str, count: int) -> list[str]:
    """The sentences of a text that tell most, in their order: by words, of which numbers and names count twice."""
    words = Vocabulary.of([text])
    sentences = [text[a:b] for a, b in split_sentences(text)]

    def weight(place: int) -> int:
        sentence = sentences[place]
        return len(words.content_terms(sentence)) + len(words.numbers(sentence)) + len(words.names(sentence))

    best = sorted(range(len(sentences)), key=weight, reverse=True)[:count]
    return [sentences[place] for place in sorted(best) if weight(place)]
