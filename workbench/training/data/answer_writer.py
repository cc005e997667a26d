"""Tokenises judged answers: the prompt, and each answer after it with the token that ends it.

An answer that a model sampled keeps its tokens where they say its text: the same text tokenised anew can be other
tokens, to which that model gives another probability. One that was cut off has no end to be learnt.
"""

from __future__ import annotations

import msgspec

from workbench.base.errors import UserError
from workbench.engine.prompt import Renderer
from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.data.examples import Example
from workbench.training.data.tokenization import ExampleWriter, WrittenExample


class AnswerWriter(ExampleWriter):
    """Writes the prompt once and then the last answer, or the chosen and the rejected one, whose tokens are trained.

    ``max_length`` bounds a prompt with one answer: the end of a longer answer is cut off.
    """

    def __init__(self, template: str, tokenizer: Tokenizer, renderer: Renderer, *, max_length: int = 0) -> None:
        super().__init__(template, tokenizer, renderer)
        self._most = max_length

    def write(self, example: Example) -> WrittenExample:
        """Raises UserError where the template refuses the conversation, or the prompt alone is too long."""
        prompt, answer, written = self._answer(msgspec.structs.replace(example, rejected=None))
        answers = [self._sampled(example, 0, answer, example.messages[-1].content)]
        if example.rejected is not None:
            other = msgspec.structs.replace(example, messages=(*example.messages[:-1], example.rejected), rejected=None)
            again, rejected, _ = self._answer(other)
            if again != prompt:
                raise UserError("The chat template writes another prompt before each of the two answers.")
            answers.append(self._sampled(example, 1, rejected, example.rejected.content))
        room = self._most - len(prompt) if self._most else max(map(len, answers))
        if room < 1:
            raise UserError(f"The prompt alone has {len(prompt):,} tokens; at most {self._most:,} are allowed.")
        kept = [one[:room] for one in answers]
        if len(kept) > 1 and kept[0] == kept[1]:
            raise UserError(f"The two answers do not differ within the first {self._most:,} tokens.")
        tokens = (*prompt, *(token for one in kept for token in one))
        return WrittenExample(
            tokens=tokens,
            trained=(False,) * len(prompt) + (True,) * (len(tokens) - len(prompt)),
            whole_tokens=len(prompt) + sum(map(len, answers)),
            source=example.source,
            notes=written.notes,
            undesirable=example.desirable is False,
            starts=(len(prompt) + len(kept[0]),) if len(kept) > 1 else (),
        )

    def _answer(self, example: Example) -> tuple[tuple[int, ...], tuple[int, ...], WrittenExample]:
        """The tokens of the prompt and of the last answer."""
        written = super().write(example)
        if not written.trained or not written.trained[-1]:
            raise UserError("The conversation does not end with an answer.")
        start = len(written.trained)
        while start and written.trained[start - 1]:
            start -= 1
        if not start:
            raise UserError("Nothing stands before the answer.")
        return written.tokens[:start], written.tokens[start:], written

    def _sampled(self, example: Example, place: int, answer: tuple[int, ...], text: str) -> tuple[int, ...]:
        """The answer as it was sampled, with the tokens that end it unless it was cut off."""
        end = len(answer)
        while end and self._ends(answer[end - 1]):
            end -= 1
        said = answer[:end]
        tokens = example.sampled[place] if place < len(example.sampled) else ()
        if tokens and max(tokens) < self._tokenizer.size and self._tokenizer.text(tokens).strip() == text.strip():
            said = tokens
        cut_off = place < len(example.unfinished) and example.unfinished[place]
        return said if cut_off and said else (*said, *answer[end:])

    def _ends(self, token: int) -> bool:
        """Whether a token says nothing, as those that end an answer."""
        return bool(self._tokenizer.specials_of([token])) or not self._tokenizer.piece(token).strip()
