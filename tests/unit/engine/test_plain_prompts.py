"""Plain prompts are split from what follows them as lm-evaluation-harness splits them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.engine.plain_prompts import plain_pair, plain_prompt
from workbench.engine.vocabulary import Vocabulary
from workbench.records.messages import Message


@pytest.fixture
def vocabulary(smollm_path: Path, load_now: Callable[..., object]) -> Vocabulary:
    return load_now(smollm_path, 512).vocabulary  # type: ignore[attr-defined, no-any-return]


def test_a_prompt_has_no_template(vocabulary: Vocabulary) -> None:
    prompt = plain_prompt(vocabulary, (Message("user", "Question: <|im_start|>?\nAnswer:"),))
    assert vocabulary.text(prompt.tokens, special=True).endswith("Question: <|im_start|>?\nAnswer:")
    assert len(vocabulary.tokenize("<|im_start|>", special=True)) == 1
    assert vocabulary.tokenize("<|im_start|>", special=True)[0] not in prompt.tokens


@pytest.mark.parametrize("ending", ["", " ", "\n"])
def test_spaces_at_the_end_belong_to_the_continuation(vocabulary: Vocabulary, ending: str) -> None:
    prompt, continuation = plain_pair(vocabulary, (Message("user", f"The sky is{ending}"),), " blue")
    assert vocabulary.text(prompt, special=True).endswith("The sky is")
    assert vocabulary.text([*prompt, *continuation], special=True).endswith(f"The sky is{ending} blue")
