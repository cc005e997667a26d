"""The judgements that chats hold: ratings, edits and rated siblings, computed again when one of them has changed."""

from __future__ import annotations

import msgspec

from workbench.api.calls import StoredMessage, origins_in
from workbench.errors import UserError
from workbench.judgements.from_chats import judgements_of_chats
from workbench.records.judgements import JudgedAnswer, Judgement
from workbench.records.origins import Origins, joined
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

    def origins(self, judgement: Judgement) -> Origins:
        """What prompt and answers were made from: stored, or as the chat tells from which the answers came."""
        named = [answer.message for answer in judgement.answers]
        if judgement.origins is not None or not all(named):
            return judgement.origins
        try:
            return joined(*(origins_in(self._chats.get_branch(message)) for message in named))
        except UserError:
            return None

    def with_tokens(self, judgement: Judgement) -> Judgement:
        """With the sampled tokens of the answers that came from chats, where they are stored."""
        a, b = judgement.a, judgement.b
        return msgspec.structs.replace(judgement, a=self._drawn(a), b=self._drawn(b) if b is not None else None)

    def _drawn(self, answer: JudgedAnswer) -> JudgedAnswer:
        if answer.tokens or not answer.message:
            return answer
        try:
            trace, place = self._chats.get_trace(answer.message), self._chats.get_message(answer.message)
        except UserError:  # its chat was deleted, or is of a newer program
            return answer
        sequences = trace.tokens.sequences if trace is not None and trace.tokens is not None else ()
        if place.selected_sequence >= len(sequences):
            return answer
        tokens, most = sequences[place.selected_sequence], answer.recipe.decoding.max_tokens if answer.recipe else 0
        several = place.sequences[place.selected_sequence : place.selected_sequence + 1]
        known = several[0].finish if several else place.finish
        finish = known or ("length" if 0 < most <= len(tokens) else answer.finish)  # older messages do not say it
        return msgspec.structs.replace(answer, tokens=tokens, finish=finish)
