"""Examples as tokens: what is learnt is marked exactly, and what stands before it is what the engine shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.engine.test_prompt import CHATML, NO_SYSTEM, SHOUTING, TOOLS, TRIMMING, InProcess, SmallTokenizer
from workbench.base.errors import UserError
from workbench.engine.prompt import PromptWriter
from workbench.engine.template import TemplateRenderer
from workbench.engine.vocabulary import Vocabulary
from workbench.records.messages import Message, ToolCallPart
from workbench.training.data.examples import Example
from workbench.training.data.tokenization import (
    ExampleWriter,
    Piece,
    WrittenExample,
    pieces_of,
)

THINKS = (  # as Qwen 3's: the last answer gets an empty thought
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' and loop.last %}"
    "<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
OPENS = (  # as DeepSeek R1's: the prompt opens a thought, of which the conversation shows nothing
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content }}"
    "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant: <think>\n{% endif %}"
)
ENDS_WHEN_FOLLOWED = (
    "{% for m in messages %}{% if not loop.first and loop.previtem.role == 'assistant' %} <|im_end|>{% endif %}"
    "<|im_start|>{{ m.role }}:{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant:{% endif %}"
)
NEVER_ENDS = (
    "{% for m in messages %}### {{ m.role }}\n{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}### assistant\n{% endif %}"
)
FORGETS = "{% for m in messages[-2:] %}{{ m.role }}: {{ m.content | upper }}\n{% endfor %}"
GEMMA = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}"
    "{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)


class TrainingTokenizer(SmallTokenizer):
    def ends_generation(self, token: int) -> bool:
        return token in (2, 4)

    def text(self, tokens: Sequence[int], *, special: bool = False) -> str:
        return b"".join(self.piece(t, special=special) for t in tokens).decode()


def example(*contents: str, system: str = "") -> Example:
    roles = ["user", "assistant"]
    turns = [Message(roles[i % 2], text) for i, text in enumerate(contents)]  # type: ignore[arg-type]
    return Example(messages=(Message("system", system), *turns) if system else tuple(turns))


def write_example(
    example: Example, template: str, tokenizer: Any, renderer: Any, **options: Any
) -> tuple[WrittenExample, list[Piece]]:
    """One example and its preview."""
    written = ExampleWriter(template, tokenizer, renderer, **options).write(example)
    return written, pieces_of(written, tokenizer)


def pieces(example: Example, template: str, **options: Any) -> list[tuple[str, bool]]:
    _, found = write_example(example, template, TrainingTokenizer(), InProcess(), **options)
    return [(piece.text, piece.trained) for piece in found]


def test_answers_are_learnt_with_the_token_that_ends_them() -> None:
    assert pieces(example("Hi", "Ho", "And?", "So."), CHATML) == [
        ("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", False),
        ("Ho<|im_end|>", True),
        ("\n<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\n", False),
        ("So.<|im_end|>", True),
    ]


def test_loss_on_all_learns_everything_but_a_first_token_that_every_text_has() -> None:
    assert pieces(example("Hi", "Ho"), OPENS.replace("<think>\n", ""), loss_on="all") == [
        ("<s>", False),
        ("<|im_start|>user: Hi<|im_start|>assistant: Ho</s>", True),
    ]


CASES: dict[str, tuple[str, Example, list[str]]] = {
    "trimmed": (TRIMMING, example("Hi", "  Ho \n"), ["<|im_start|>assistant: Ho <|im_end|>"]),
    "an empty thought before the last": (
        THINKS, example("a", "b", "c", "d"), ["b<|im_end|>", "<think>\n\n</think>\n\nd<|im_end|>"]
    ),
    "a thought of its own": (
        THINKS,
        example("a", "<think>\n1\n</think>\n\nb", "c", "<think>\n2\n</think>\n\nd"),
        ["b<|im_end|>", "<think>\n2\n</think>\n\nd<|im_end|>"],
    ),
    "a thought that the prompt opens": (OPENS, example("a", "b", "c", "d"), ["b</s>", "\n</think>\n\nd</s>"]),
    "a thought of its own that the prompt opens": (OPENS, example("a", "<think>\n2\n</think>d"), ["2\n</think>d</s>"]),
    "an end that only answers in the middle get": (
        ENDS_WHEN_FOLLOWED, example("a", "b", "c", "d"), ["b <|im_end|>", "d <|im_end|>"]
    ),
    "no end at all": (NEVER_ENDS, example("a", "b", "c", "d"), ["b", "d</s>"]),
    "changed contents": (
        CHATML.replace("m.content", "m.content | upper"), example("a", "b", "c", "d"), ["B<|im_end|>", "D<|im_end|>"]
    ),
    "neighbours of one role": (
        CHATML,
        Example(messages=(Message("user", "a"), Message("assistant", "b"), Message("assistant", "c"))),
        ["b\n\nc<|im_end|>"],
    ),
    "no template": ("", example("a", " b ", "c", "d", system="Be kind."), [" b\n\nUser:", " d</s>"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_answers_are_found_whatever_the_template_does(case: str) -> None:
    template, given, learnt = CASES[case]
    assert [text for text, trained in pieces(given, template) if trained] == learnt


TEMPLATES = {
    "chatml": CHATML, "trimming": TRIMMING, "thinks": THINKS, "opens": OPENS, "followed": ENDS_WHEN_FOLLOWED,
    "never ends": NEVER_ENDS, "no system": NO_SYSTEM, "shouting": SHOUTING, "none": "",
}  # fmt: skip


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("turns", [2, 4])
def test_what_stands_before_the_last_answer_is_what_the_engine_shows(template: str, turns: int) -> None:
    given = example(*[" Hi\n", "Ho ", "Why <|im_end|>?", "So"][:turns], system="Be kind.")
    tokenizer = TrainingTokenizer(adds_bos=True)
    written = ExampleWriter(TEMPLATES[template], tokenizer, InProcess()).write(given)
    start = len(written.trained) - list(reversed(written.trained)).index(False)
    shown = PromptWriter(TEMPLATES[template], tokenizer, InProcess()).write(given.messages[:-1])
    assert tokenizer.spell(written.tokens[:start]) == tokenizer.spell(shown.tokens)


def test_a_name_of_a_control_token_stays_text() -> None:
    written, _ = write_example(example("a", "b<|im_end|>c</s>", "d", "e"), CHATML, TrainingTokenizer(), InProcess())
    assert [t for t in written.tokens if t in (2, 4)] == [4, 4, 4, 4]
    learnt = TrainingTokenizer().spell([t for t, on in zip(written.tokens, written.trained, strict=True) if on])
    assert learnt == "b<|im_end|>c</s>⟦<|im_end|>⟧e⟦<|im_end|>⟧"


def test_labels_are_the_learnt_tokens() -> None:
    written, _ = write_example(example("a", "b"), CHATML, TrainingTokenizer(), InProcess())
    assert len(written.labels()) == len(written.tokens)
    assert [label for label in written.labels() if label != -100] == [ord("b") + 100, 4]


def test_a_long_example_is_cut_at_its_end_and_says_so() -> None:
    whole, _ = write_example(example("a", "b" * 50), CHATML, TrainingTokenizer(), InProcess())
    cut, shown = write_example(example("a", "b" * 50), CHATML, TrainingTokenizer(), InProcess(), max_length=40)
    assert (cut.tokens, cut.trained) == (whole.tokens[:40], whole.trained[:40])
    assert (cut.whole_tokens, cut.cut_tokens) == (len(whole.tokens), len(whole.tokens) - 40)
    assert "".join(piece.text for piece in shown).endswith("bbb")
    unlearnt, _ = write_example(example("a", "b" * 50), CHATML, TrainingTokenizer(), InProcess(), max_length=9)
    assert unlearnt.trained_tokens == 0


def test_plain_text_is_learnt_whole_with_an_end() -> None:
    written, shown = write_example(Example(text="Once </s> more"), CHATML, TrainingTokenizer(True), InProcess())
    assert shown == [Piece("<s>", False), Piece("Once </s> more</s>", True)]
    assert [t for t in written.tokens if t == 2] == [2]


def test_instructions_go_before_the_question_where_the_template_has_no_place_for_them() -> None:
    writer = ExampleWriter(NO_SYSTEM, TrainingTokenizer(), InProcess())
    written = writer.write(example("Hi", "Ho", system="Be kind."))
    assert TrainingTokenizer().text(written.tokens, special=True).startswith("<|im_start|>Be kind.\n\nHi<|im_end|>")
    assert "instructions" in written.notes[0]


def test_a_template_that_refuses_or_hides_answers_says_so() -> None:
    refuses = CHATML + "{% if messages | length > 2 %}{{ raise_exception('Two turns only') }}{% endif %}"
    writer = ExampleWriter(refuses, TrainingTokenizer(), InProcess())
    writer.write(example("a", "b"))
    with pytest.raises(UserError, match="refuses this conversation: Two turns only"):
        writer.write(example("a", "b", "c", "d"))
    with pytest.raises(UserError, match="cannot be located"):
        ExampleWriter(FORGETS, TrainingTokenizer(), InProcess()).write(example("a", "b", "c", "d"))
    with pytest.raises(UserError, match="does not end with an answer"):
        ExampleWriter(CHATML, TrainingTokenizer(), InProcess()).write(example("a", "b", "c"))


# -- on the real vocabularies -------------------------------------------------------------------------

HARD = example(
    " What is\n2 + 2?",
    "It is 4 – “four”.\n\n",
    "And <|im_end|> 東京?",
    "  Tōkyō <end_of_turn>\n\t是",
    system="Be brief.",
)


def learnt_texts(written: WrittenExample, vocabulary: Vocabulary) -> list[str]:
    return [piece.text for piece in pieces_of(written, vocabulary) if piece.trained]


def test_preview_on_smollms_template(smollm: tuple[Vocabulary, str], renderer: TemplateRenderer) -> None:
    vocabulary, template = smollm
    written, shown = write_example(example("Wo ist 2?", "Hier."), template, vocabulary, renderer)
    assert shown == [
        Piece(
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
            "<|im_start|>user\nWo ist 2?<|im_end|>\n<|im_start|>assistant\n",
            False,
        ),
        Piece("Hier.<|im_end|>", True),
    ]
    assert vocabulary.ends_generation(written.tokens[-1])


def test_preview_on_gemmas_template(gemma: tuple[Vocabulary, str], renderer: TemplateRenderer) -> None:
    vocabulary, _ = gemma
    written, shown = write_example(example("Wo ist 2?", " Hier. "), GEMMA, vocabulary, renderer)
    assert shown == [
        Piece("<bos><start_of_turn>user\nWo ist 2?<end_of_turn>\n<start_of_turn>model\n", False),
        Piece("Hier.<end_of_turn>", True),
    ]
    assert vocabulary.ends_generation(written.tokens[-1])


@pytest.mark.parametrize("model", ["smollm", "gemma"])
@pytest.mark.parametrize("template", ["own", "chatml", "opens", "none"])
@pytest.mark.parametrize("given", [HARD, example("Hi", "Ho", "And?", "So.")], ids=["hard", "easy"])
def test_on_real_vocabularies_prompts_are_the_engines_and_answers_whole(
    model: str, template: str, given: Example, renderer: TemplateRenderer, request: pytest.FixtureRequest
) -> None:
    vocabulary, own = request.getfixturevalue(model)
    form = {"own": own or GEMMA, "chatml": CHATML, "opens": OPENS, "none": ""}[template]
    written = ExampleWriter(form, vocabulary, renderer).write(given)
    shown = PromptWriter(form, vocabulary, renderer).write(given.messages[:-1])
    count = len(shown.tokens)
    assert list(written.tokens[:count]) == shown.tokens
    assert written.trained[count - 1 :] == (False, *[True] * (len(written.tokens) - count))
    first, last = learnt_texts(written, vocabulary)
    # a word joiner may stand in the name of a control token
    assert given.messages[-3].content.strip() in first.replace("\u2060", "")
    assert given.messages[-1].content.strip() in last.replace("\u2060", "")
    assert vocabulary.ends_generation(written.tokens[-1])
    everything = ExampleWriter(form, vocabulary, renderer, loss_on="all").write(given)
    assert everything.tokens == written.tokens
    assert everything.trained_tokens >= len(everything.tokens) - 1


def test_the_template_is_asked_once_for_conversations_of_the_same_roles(renderer: TemplateRenderer) -> None:
    class Counting(InProcess):
        asked = 0

        def render(self, template: str, variables: dict[str, Any]) -> str:
            self.asked += 1
            return super().render(template, variables)

    counting = Counting()
    writer = ExampleWriter(CHATML, TrainingTokenizer(), counting)
    for number in range(50):
        writer.write(example(f"{number}?", f"{number}."))
    assert counting.asked <= 3


@pytest.mark.parametrize("template", [TOOLS, ""])
def test_a_tool_call_is_trained_and_its_result_is_not(template: str) -> None:
    messages = (
        Message("user", "1 + 2?"),
        Message.of_parts("assistant", (ToolCallPart("add", '{"a": 1}', "c1"),)),
        Message("tool", "three<|im_end|>"),
        Message("assistant", "It is 3."),
    )
    written = pieces(Example(messages=messages), template)
    trained = "".join(text for text, learnt in written if learnt)
    shown = "".join(text for text, learnt in written if not learnt)
    assert "add" in trained
    assert "It is 3." in trained
    assert "three" in shown
    assert "three" not in trained
