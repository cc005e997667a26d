"""Tokenises pairs for a reward model: a prompt that is too long loses its oldest turns, and answers are without the
token that ends them, which every whole answer has."""

from __future__ import annotations

import msgspec

from workbench.engine.folding import split_turns
from workbench.records.messages import Message
from workbench.training.data.answer_writer import AnswerWriter
from workbench.training.data.examples import Example
from workbench.training.data.tokenization import WrittenExample

ANSWER_SHARE = 0.25
"""Of the maximum length, what is left to the answers where the prompt is long."""


class RewardWriter(AnswerWriter):
    """Writes pairs as ``AnswerWriter`` does, with these two differences."""

    def _answer(self, example: Example) -> tuple[tuple[int, ...], tuple[int, ...], WrittenExample]:
        prompt, answer, written = super()._answer(example)
        head, turns = split_turns(example.messages[:-1])
        dropped = 1
        while self._most and len(prompt) > (1 - ANSWER_SHARE) * self._most and dropped < len(turns):
            kept: list[Message] = [*head, *(message for turn in turns[dropped:] for message in turn)]
            shorter = msgspec.structs.replace(example, messages=(*kept, example.messages[-1]))
            prompt, answer, written = super()._answer(shorter)
            dropped += 1
        while len(answer) > 1 and self._tokenizer.ends_generation(answer[-1]):
            answer = answer[:-1]
        return prompt, answer, written
