"""Judgements that are in chats already: ratings, edits, and answers to one question of which some were rated good and
others bad.

Pure functions over stored messages. The chat holds the rating; the judgement's id tells the rating or edit that it was
made of, so that another one is another judgement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import msgspec

from workbench.records.answers import StoredMessage, origins_in
from workbench.records.judgements import JudgedAnswer, Judgement, name_of
from workbench.records.messages import Message
from workbench.training.data.chats import conversation_to

RATING, EDIT, SIBLINGS = "rating", "edit", "siblings"


def judgements_of_chats(messages: Sequence[StoredMessage]) -> Iterator[Judgement]:
    """The judgements in messages of any chats, with the turns above them, in their order.

    A rating is a judgement of one answer; an edit is a pair, the edited text before the model's own; siblings of which
    one was rated good and another bad are a pair. Left out are answers that are unfinished or empty, those that
    declined, and work on whole documents.
    """
    known = {message.id: message for message in messages}
    edits = {message.id: message.text for message in messages if message.original is not None}
    judged: dict[str, list[StoredMessage]] = {}
    for message in messages:
        if not _counts(message):
            continue
        judged.setdefault(message.parent or "", []).append(message)
        conversation = conversation_to(message, known, edits)
        if not conversation:
            continue
        prompt, text = conversation[:-1], conversation[-1].content
        origins = _origins((message,), known)
        if message.original is not None:
            yield msgspec.structs.replace(_edit(message, prompt, text), origins=origins)
        if message.rating and not (message.rating > 0 and message.original is not None):
            said = text if message.original is None else message.original
            rated = _base(message, prompt, RATING, f"{message.rating:+d}", said)
            yield msgspec.structs.replace(rated, origins=origins)
    for siblings in judged.values():
        for pair in _pairs(siblings, known, edits):
            yield msgspec.structs.replace(pair, origins=_origins(siblings, known))


def _origins(answers: Sequence[StoredMessage], known: Mapping[str, StoredMessage]) -> tuple[str, ...]:
    """What answers and the turns above them were made from."""
    found: dict[str, StoredMessage] = {}
    for answer in answers:
        message: StoredMessage | None = answer
        while message is not None and message.id not in found:
            found[message.id] = message
            message = known.get(message.parent) if message.parent is not None else None
    return origins_in(tuple(found.values()))


def is_of_chat(judgement: str) -> bool:
    """Whether an id is that of a judgement which a chat holds."""
    return judgement.partition(":")[0] in (RATING, EDIT, SIBLINGS)


def message_of(judgement: str) -> str:
    """The message that was rated; "" for an id of another kind."""
    kind, _, rest = judgement.partition(":")
    return rest.partition(":")[0] if kind == RATING else ""


def _counts(message: StoredMessage) -> bool:
    whole = message.state == "done" and not message.declined and bool(message.text.strip())
    return (
        message.role == "assistant"
        and message.document is None
        and (message.original is not None or (message.rating != 0 and whole))
    )


def _base(message: StoredMessage, prompt: tuple[Message, ...], kind: str, what: str, text: str) -> Judgement:
    return Judgement(
        id=f"{kind}:{message.id}:{what}",
        prompt=prompt,
        a=_answer(message, text),
        verdict="good" if message.rating > 0 else "poor",
        source="chat",
        chat=message.chat,
        created=message.created,
        changed=message.created,
    )


def _edit(message: StoredMessage, prompt: tuple[Message, ...], text: str) -> Judgement:
    original = message.original or ""
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return msgspec.structs.replace(
        _base(message, prompt, EDIT, digest, text),
        a=msgspec.structs.replace(_answer(message, text), original=original),
        b=_answer(message, original),
        verdict="a",
    )


def _pairs(
    siblings: Sequence[StoredMessage], known: dict[str, StoredMessage], edits: dict[str, str]
) -> Iterator[Judgement]:
    """Each that was rated good before each that was rated bad."""
    for good in siblings:
        for poor in siblings:
            if good.rating <= 0 or poor.rating >= 0 or poor.original is not None:
                continue
            one, other = conversation_to(good, known, edits), conversation_to(poor, known, edits)
            if one and other and one[:-1] == other[:-1] and one[-1].content.strip() != other[-1].content.strip():
                yield msgspec.structs.replace(
                    _base(good, one[:-1], SIBLINGS, poor.id, one[-1].content),
                    b=_answer(poor, other[-1].content),
                    verdict="a",
                    changed=max(good.created, poor.created),
                )


def _answer(message: StoredMessage, text: str) -> JudgedAnswer:
    return JudgedAnswer(text=text, name=name_of(message.recipe), recipe=message.recipe, message=message.id)
