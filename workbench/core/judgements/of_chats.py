"""The judgements that chats hold: ratings, edits and rated siblings, made anew when one of them has changed."""

from __future__ import annotations

from workbench.api.calls import StoredMessage
from workbench.judgements.from_chats import judgements_of_chats
from workbench.records.judgements import Judgement
from workbench.storage.chats import ChatStore
from workbench.storage.judgements import JudgementStore


class ChatJudgements:
    def __init__(self, chats: ChatStore, store: JudgementStore) -> None:
        self._chats = chats
        self._store = store
        self._made: tuple[object, tuple[Judgement, ...]] = (None, ())

    def all(self) -> tuple[Judgement, ...]:
        """Without those that are left out."""
        state, made = self._store.chats_state(), self._made
        if state != made[0]:
            messages: list[StoredMessage] = []
            for chat in self._store.judged_chats():
                messages += self._chats.get_chat(chat).messages
            made = self._made = (state, tuple(judgements_of_chats(messages)))
        left_out = self._store.left_out()
        return tuple(one for one in made[1] if one.id not in left_out)

    def rate(self, message: str, rating: int) -> str:
        """Rate the answer in its chat, whose id is returned."""
        return self._chats.rate(message, rating).chat
