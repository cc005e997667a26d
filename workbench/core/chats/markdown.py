"""A chat as a Markdown document, its sources below each answer."""

from __future__ import annotations

import time
from collections.abc import Sequence

from workbench.api.calls import ChatRecord, StoredMessage
from workbench.records.messages import Citation
from workbench.records.trust import describe_trust

_HEADINGS = {"user": "## Question", "assistant": "## Answer", "tool": "## Tool result"}
_STATES = {
    "streaming": "This answer is not finished.",
    "stopped": "This answer was stopped.",
    "interrupted": "The program ended before this answer was finished.",
}


def export(chat: ChatRecord, branch: Sequence[StoredMessage]) -> str:
    """The branch as Markdown. Texts of models and people are unchanged; quoted passages are block quotes."""
    parts = [f"# {chat.title}", time.strftime("%Y-%m-%d %H:%M", time.localtime(chat.created))]
    for message in branch:
        parts.append(_HEADINGS[message.role])
        if message.text.strip():
            parts.append(message.text.strip())
        if message.state == "failed":
            parts.append(f"*This answer failed: {message.error}*")
        elif message.state in _STATES:
            parts.append(f"*{_STATES[message.state]}*")
        parts += [f"*{notice}*" for notice in message.notices]
        trusted, _ = describe_trust(message.verification)
        parts += [f"*{trusted}*"] if trusted else []
        if message.citations:
            parts.append("### Sources")
            parts += [_source(citation) for citation in message.citations]
        if message.role == "assistant" and message.recipe is not None and message.recipe.model.name:
            parts.append(f"*Answered by {message.recipe.model.name}.*")
    return "\n\n".join(parts) + "\n"


def _source(citation: Citation) -> str:
    page = f", page {citation.page}" if citation.page is not None else ""
    quoted = "\n".join(f"> {line}".rstrip() for line in citation.text.strip().splitlines())
    return f"**[{citation.n}]** {citation.title}{page} (`{citation.path}`)\n\n{quoted}"
