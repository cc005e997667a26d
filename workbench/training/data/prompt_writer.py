"""Tokenises prompts alone, as the engine writes them when it asks for an answer."""

from __future__ import annotations

import msgspec

from workbench.base.errors import UserError
from workbench.records.messages import Message
from workbench.training.data.answer_writer import AnswerWriter
from workbench.training.data.examples import Example
from workbench.training.data.tokenization import WrittenExample

_STAND_IN = Message("assistant", "-")


class PromptWriter(AnswerWriter):
    """Writes what stands before an answer. Its last token counts as trained: what follows it is what is learnt."""

    def write(self, example: Example) -> WrittenExample:
        """Raises UserError where the template refuses the conversation, or the prompt is too long."""
        messages = example.messages
        if messages and messages[-1].role == "assistant":
            messages = messages[:-1]
        if not messages:
            raise UserError("There is no prompt.")
        whole = msgspec.structs.replace(example, messages=(*messages, _STAND_IN), rejected=None)
        prompt, _, written = self._answer(whole)
        if self._most and len(prompt) > self._most:
            raise UserError(f"The prompt has {len(prompt):,} tokens; at most {self._most:,} are allowed.")
        return WrittenExample(
            tokens=prompt,
            trained=(*(False,) * (len(prompt) - 1), True),
            whole_tokens=len(prompt),
            source=example.source,
            notes=written.notes,
        )
