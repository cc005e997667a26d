"""Prompts for candidates: questions of chats, drawn and without repetition. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from workbench.records.answers import StoredMessage
from workbench.records.judgements import prompt_key
from workbench.records.messages import Message

Prompt = tuple[Message, ...]


def questions_of_chats(messages: Sequence[StoredMessage]) -> Iterator[Prompt]:
    """Each question with the turns above it, without instructions: a recipe brings its own. Left out are requests for
    work on a document, and questions below an answer that is not complete."""
    known = {message.id: message for message in messages}
    for message in messages:
        if message.role != "user" or message.document is not None or not message.text.strip():
            continue
        branch = [message]
        while (above := known.get(branch[-1].parent or "")) is not None and len(branch) <= len(known):
            branch.append(above)
        branch.reverse()
        sound = all(one.text.strip() and one.role != "tool" and not one.unreadable for one in branch)
        if sound and branch[0].parent is None and all(one.state == "done" for one in branch):
            yield tuple(Message(one.role, one.text) for one in branch)


def drawn(prompts: Iterable[Prompt], limit: int, seed: int) -> list[Prompt]:
    """Different prompts in their order; at most ``limit`` of them (0: all), drawn with ``seed`` independently of their
    order."""
    different = {prompt_key(prompt): prompt for prompt in prompts}
    if not limit or len(different) <= limit:
        return list(different.values())
    taken = set(sorted(different, key=lambda key: number_of(seed, key))[:limit])
    return [prompt for key, prompt in different.items() if key in taken]


def number_of(seed: int, *parts: str) -> int:
    """32 bits that depend on seed and texts alone."""
    digest = blake2b("\n".join((str(seed), *parts)).encode("utf-8", "replace"), digest_size=4)
    return int.from_bytes(digest.digest(), "little")
