"""What a model is told when it answers from passages.

Passages first, question last, instructions in the system message for models that follow them: measured with
benchmarks/answers.py, see docs/benchmarks.md. A small model parrots instructions and examples, so it gets few.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.messages import Message, Passage

SMALL_MODEL_PARAMETERS = 400_000_000

_INSTRUCTIONS = (
    "Answer the question from the numbered passages only. After each statement put the number of the passage that "
    "it rests on, like [1]. When the passages do not hold the answer, say so. Answer in the question's language."
)
_SMALL_INSTRUCTIONS = "Answer the question from the text. Be short."


def grounded_messages(
    passages: Sequence[Passage],
    conversation: Sequence[Message],
    system: str,
    parameters: int,
) -> tuple[Message, ...]:
    """The messages for a grounded answer; the conversation's last message is the question.

    A small model sees neither the earlier turns nor numbers: both confuse it, and its sources are matched anyway.
    """
    question = conversation[-1].content.strip()
    if parameters < SMALL_MODEL_PARAMETERS:
        text = "\n\n".join(p.text for p in passages)
        told = "\n\n".join(part for part in (system.strip(), _SMALL_INSTRUCTIONS) if part)
        return (Message("system", told), Message("user", f"{text}\n\n{question}"))
    shown = "\n\n".join(f"[{p.n}] {p.title}{f', page {p.page}' if p.page else ''}\n{p.text}" for p in passages)
    told = "\n\n".join(part for part in (system.strip(), _INSTRUCTIONS) if part)
    earlier = [m for m in conversation[:-1] if m.role != "system"]
    return (Message("system", told), *earlier, Message("user", f"Passages:\n\n{shown}\n\nQuestion: {question}"))
