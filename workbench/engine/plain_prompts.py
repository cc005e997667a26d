"""Prompts without a chat template: the messages' texts as they are, and texts behind them, for benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.base.errors import UserError
from workbench.engine.prompt import Prompt
from workbench.engine.vocabulary import Vocabulary
from workbench.records.messages import Message


def plain_text(messages: Sequence[Message]) -> str:
    """The texts of messages as one."""
    return "\n\n".join(message.content for message in messages)


def plain_prompt(vocabulary: Vocabulary, messages: Sequence[Message]) -> Prompt:
    """The texts as a prompt, after the token that begins one where the model has it. Raises UserError for images."""
    if any(message.images for message in messages):
        raise UserError("A plain completion has no images.", "Ask about the image in a chat.")
    return Prompt([*_begin(vocabulary), *vocabulary.tokenize(plain_text(messages), special=False)])


def plain_pair(vocabulary: Vocabulary, messages: Sequence[Message], continuation: str) -> tuple[list[int], list[int]]:
    """The tokens of a prompt and of a text behind it, split as lm-evaluation-harness does
    (``lm_eval.api.model.TemplateLM._encode_pair``): spaces at the prompt's end belong to the continuation, and both are
    tokenised together."""
    text = plain_text(messages)
    prompt = vocabulary.tokenize(text.rstrip(), special=False)
    whole = vocabulary.tokenize(text + continuation, special=False)
    return [*_begin(vocabulary), *prompt], whole[len(prompt) :]


def _begin(vocabulary: Vocabulary) -> list[int]:
    return [vocabulary.bos] if vocabulary.adds_bos and vocabulary.bos >= 0 else []
