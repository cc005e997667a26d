"""The messages for an answer from passages: passages first, question last.

The wordings were measured with the starter model: of eight, the shortest one after the question did best ("Answer in a
few words": 48 % of the answers hold a gold answer, against 40 % for the same wish in the system message; see
docs/benchmarks.md). A small model parrots longer instructions and examples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.backends.backend import ModelBackend, has_fewer_parameters
from workbench.records.messages import Message, Passage
from workbench.records.recipes import PromptingPart, system_text, with_question_asked

SMALL_MODEL_PARAMETERS = 400_000_000

_INSTRUCTIONS = (
    "Answer the question from the numbered passages only. After each statement put the number of the passage that "
    "it rests on, like [1]. When the passages do not hold the answer, say so. Answer in the question's language."
)
_SHORT = "Answer in a few words."
WANTS_MORE = re.compile(
    r"\s*(please\s+|can you\s+)?(explain|describe|summari[sz]e|list|write|compare|tell|give|translate|discuss)\b",
    re.IGNORECASE,
)
_ASKS_WHY = re.compile(r"\s*(why|warum|wieso|weshalb|pourquoi|¿?por qué)\b", re.IGNORECASE)


def wants_more(question: str) -> bool:
    """Whether a question is answered in more than a few words: a task, or a reason."""
    return bool(WANTS_MORE.match(question) or _ASKS_WHY.match(question))


def grounded_messages(
    passages: Sequence[Passage], conversation: Sequence[Message], part: PromptingPart, model: ModelBackend
) -> tuple[Message, ...]:
    """The messages for a grounded answer; the conversation's last message is the question, put as ``part`` says.

    A small model gets neither the earlier turns nor numbers: both confuse it, and its sources are matched anyway.
    """
    system = system_text(part)
    question = with_question_asked(part, conversation)[-1].content.strip()
    if has_fewer_parameters(model, SMALL_MODEL_PARAMETERS):
        text = "\n\n".join(p.text for p in passages)
        short = "" if system or part.output.strip() or wants_more(question) else f"\n{_SHORT}"
        before = (Message("system", system),) if system else ()
        return (*before, Message("user", f"{text}\n\nQuestion: {question}{short}"))
    shown = "\n\n".join(f"[{p.n}] {p.title}{f', page {p.page}' if p.page else ''}\n{p.text}" for p in passages)
    told = "\n\n".join(text for text in (system, _INSTRUCTIONS) if text)
    earlier = [m for m in conversation[:-1] if m.role != "system"]
    return (Message("system", told), *earlier, Message("user", f"Passages:\n\n{shown}\n\nQuestion: {question}"))
