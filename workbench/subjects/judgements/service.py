"""Judgements of a home: gathered, reviewed, corrected, measured, and made into data sets.

What chats hold (ratings, edits, rated siblings) counts without being stored again: the chat stays the place where it is
changed.

The judgements that chats hold: ratings, edits and rated siblings, computed again when one of them has changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.answers import StoredMessage, origins_in
from workbench.records.judgement_reports import JudgementStatistics, Learnable, UndoneAction
from workbench.records.judgements import LONGEST_COMMENT, JudgedAnswer, Judgement, JudgementFilter, Verdict
from workbench.records.methods import MethodInfo
from workbench.records.origins import Origins, joined
from workbench.records.training import DataSet
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.judgements.calls import (
    AddJudgements,
    ChangeJudgement,
    GetJudgement,
    GetJudgementStatistics,
    GetLearnable,
    JudgementPage,
    ListJudgements,
    MakePreferenceSet,
    RemoveJudgements,
    UndoJudgement,
)
from workbench.subjects.judgements.from_chats import is_of_chat, judgements_of_chats, message_of
from workbench.subjects.judgements.learnable import Advising, what_can_be_learnt
from workbench.subjects.judgements.statistics import measure_judgements
from workbench.subjects.judgements.store import JudgementStore, matches
from workbench.subjects.judgements.training_rows import training_rows
from workbench.techniques.registry import METHODS

LONGEST_PAGE = 1_000
MOST_ADDED = 100_000
LONGEST_ANSWER = 1_000_000

_VERDICT_NAMES: dict[Verdict, str] = {
    "a": "Preference", "b": "Preference", "tie": "Tie", "bad": "Both bad", "good": "Good", "poor": "Bad",
    "": "Not compared",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Judgements:
    _store: JudgementStore
    _of_chats: ChatJudgements
    _sets: DatasetStore
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            AddJudgements: unary(self.add),
            ListJudgements: unary(self.page),
            GetJudgement: unary(lambda call: self.get(call.judgement)),
            ChangeJudgement: unary(self.change),
            RemoveJudgements: unary(self.remove),
            UndoJudgement: unary(self.undo),
            GetJudgementStatistics: unary(self.statistics),
            GetLearnable: unary(self.learnable),
            MakePreferenceSet: unary(self.make_set),
        }

    def add(self, call: AddJudgements) -> tuple[Judgement, ...]:
        if len(call.judgements) > MOST_ADDED:
            raise UserError(f"{len(call.judgements):,} preferences are too many at once.", f"At most {MOST_ADDED:,}.")
        now = time.time()
        made = [
            msgspec.structs.replace(
                one, id="", created=one.created or now, changed=now, origins=self._of_chats.origins(one)
            )
            for one in call.judgements
        ]
        for one in made:
            check_judgement(one)
        names = {_VERDICT_NAMES[one.verdict] for one in made}
        title = names.pop() if len(made) == 1 else f"{len(made):,} preferences added"
        ids = self.put(made, title)
        return tuple(msgspec.structs.replace(one, id=id) for one, id in zip(made, ids, strict=True))

    def put(self, judgements: Sequence[Judgement], title: str) -> list[str]:
        """Store judgements that were checked; returns their ids."""
        ids = self._store.add(judgements, title) if judgements else []
        self._published(ids)
        return ids

    def page(self, call: ListJudgements) -> JudgementPage:
        first, limit = max(0, call.first), min(max(0, call.limit), LONGEST_PAGE)
        of_chats = sorted(self._matching(call.which), key=lambda one: -one.changed)
        stored = self._store.page(call.which, 0, first + limit)
        merged = [*((one.changed, one) for one in of_chats), *stored]
        merged.sort(key=lambda one: -one[0])
        return JudgementPage(
            total=len(of_chats) + self._store.count(call.which),
            first=first,
            judgements=tuple(one for _, one in merged[first : first + limit]),
        )

    def get(self, judgement: str) -> Judgement:
        if is_of_chat(judgement):
            found = next((one for one in self._of_chats.all() if one.id == judgement), None)
            if found is not None:
                return found
        return self._store.get(judgement)

    def each(self, which: JudgementFilter) -> Iterator[Judgement]:
        """All that are meant, those of chats first, then the earliest."""
        yield from self._matching(which)
        yield from self._store.each(which)

    def change(self, call: ChangeJudgement) -> Judgement:
        found = self.get(call.judgement)
        if is_of_chat(found.id):
            return self._rate(found, call)
        changed = _edited(found, call)
        if call.verdict is not None:
            changed = msgspec.structs.replace(changed, verdict=call.verdict)
        if call.comment is not None:
            changed = msgspec.structs.replace(changed, comment=call.comment.strip())
        if (changed.verdict, changed.answers) != (found.verdict, found.answers):
            changed = msgspec.structs.replace(changed, judge="person", judge_name="", confidence=None)
        check_judgement(changed)
        changed = msgspec.structs.replace(changed, changed=time.time())
        self._store.change(changed, "Correction" if found.verdict else _VERDICT_NAMES[changed.verdict])
        self._published([changed.id], changed.queue)
        return changed

    def remove(self, call: RemoveJudgements) -> int:
        """Only what is named or filtered for: an empty filter would be all, which is refused."""
        if call.which == JudgementFilter():
            raise UserError("No preferences are named.", "Name them, or filter for them.")
        ids = [one.id for one in self.each(call.which)]
        if missing := set(call.which.ids) - set(ids):
            raise UserError(f"There is no preference {min(missing)}.", "It may have been deleted.")
        if not ids:
            raise UserError("No preferences match.", "Filter for others.")
        self._store.remove(ids, "Deletion" if len(ids) == 1 else f"Deletion of {len(ids):,} preferences")
        self._published(ids)
        return len(ids)

    def undo(self, call: UndoJudgement) -> UndoneAction:
        undone = self._store.undo(call.queue)
        self._published(undone.ids, undone.queue)
        return undone

    def statistics(self, call: GetJudgementStatistics) -> JudgementStatistics:
        waiting = msgspec.structs.replace(call.which, verdicts=("",))
        return measure_judgements(self.each(call.which), 0 if call.which.verdicts else self._store.count(waiting))

    def learnable(self, call: GetLearnable) -> Learnable:
        if not 0 <= call.held_out_share < 1:
            raise UserError("The share that is held out must be from 0 to below 1.")
        objectives: list[tuple[MethodInfo, Advising]] = [
            (row.describe(), row.load()(row.decode({})))
            for row in METHODS.of("objective")
            if hasattr(row.load(), "advise")
        ]
        which = msgspec.structs.replace(call.which, verdicts=tuple(v for v in call.which.verdicts if v))
        return what_can_be_learnt(self.each(which), objectives, call.held_out_share)

    def make_set(self, call: MakePreferenceSet) -> DataSet:
        name = self._sets.check_name(call.name)
        chosen = list(self.each(call.which))
        judgements, origins = map(self._of_chats.with_tokens, chosen), joined(*(one.origins for one in chosen))
        made = training_rows(judgements, call.kind, skip_conflicts=call.skip_conflicts)
        if not made.rows:
            what = "pair of answers" if call.kind == "pairs" else "rated answer"
            reasons = " ".join(f"{one.count:,}: {one.reason}" for one in made.left_out)
            raise UserError(f"No {what} can be taken from these preferences. {reasons}".strip(), _GATHER[call.kind])
        origin = f"{counted(len(set(made.ids)), 'preference')} of {counted(made.prompts, 'prompt')}"
        with self._sets.written(name, origin, origins) as writer:
            for row in made.rows:
                writer.add(row)
        self._changes.publish("data", name)
        return self._sets.get(name)

    # -- parts --------------------------------------------------------------------------------------

    def _matching(self, which: JudgementFilter) -> list[Judgement]:
        if which.sources and "chat" not in which.sources:
            return []
        return [one for one in self._of_chats.all() if matches(which, one)]

    def _rate(self, found: Judgement, call: ChangeJudgement) -> Judgement:
        """A rating is changed in its chat; edits and siblings are what the person did there."""
        message = message_of(found.id)
        if not message or call.edited is not None or call.comment is not None or call.verdict not in ("good", "poor"):
            raise UserError("This preference belongs to a chat.", "Change it there, or leave it out.")
        chat = self._of_chats.rate(message, 1 if call.verdict == "good" else -1)
        self._changes.publish("chat", chat)
        self._published([found.id])
        return next(
            (one for one in self._of_chats.all() if message_of(one.id) == message),
            msgspec.structs.replace(found, verdict=call.verdict),
        )

    def _published(self, ids: Sequence[str], queue: str = "") -> None:
        self._changes.publish("judgements", ids[0] if len(ids) == 1 else "")
        if queue:
            self._changes.publish("labelling", queue)


_GATHER = {
    "pairs": "Compare answers and choose the better one, or correct an answer.",
    "rated": "Rate answers as good and as bad.",
}


def check_judgement(judgement: Judgement) -> None:
    """Raises UserError for a judgement without a prompt, an answer, or a verdict that fits."""
    if not judgement.prompt or judgement.prompt[-1].role == "assistant":
        raise UserError("A preference needs the question that was answered.", "Add the prompt.")
    if not any(message.content.strip() for message in judgement.prompt if message.role != "system"):
        raise UserError("The prompt of the preference is empty.")
    allowed: tuple[Verdict, ...] = ("a", "b", "tie", "bad") if judgement.is_pair else ("good", "poor")
    if judgement.verdict not in allowed:
        raise UserError(
            f"{judgement.verdict!r} says nothing of {'two answers' if judgement.is_pair else 'one answer'}.",
            f"Give one of {', '.join(allowed)}.",
        )
    if any(not answer.text.strip() for answer in judgement.answers):
        better = judgement.preferred
        if better is None or not better.text.strip():  # an empty answer can be the worse one
            raise UserError("An answer of the preference is empty.")
    if any(len(answer.text) > LONGEST_ANSWER for answer in judgement.answers):
        raise UserError(f"An answer has more than {LONGEST_ANSWER:,} characters.")
    if len(judgement.comment) > LONGEST_COMMENT:
        raise UserError(f"A comment has at most {LONGEST_COMMENT:,} characters.")
    if judgement.confidence is not None and not 0 <= judgement.confidence <= 1:
        raise UserError("The confidence of a judge is from 0 to 1.")
    if not 0 < judgement.weight <= 1_000:
        raise UserError("The weight of a preference is above 0, and at most 1,000.")


def _edited(found: Judgement, call: ChangeJudgement) -> Judgement:
    """With the answer that a person rewrote; it is preferred, or good."""
    if call.edited is None:
        return found
    answer = found.b if call.edits == "b" else found.a
    if answer is None:
        raise UserError("There is no second answer.", "Edit the first.")
    text, said = call.edited.strip(), answer.text if answer.original is None else answer.original
    if not text:
        raise UserError("The corrected answer is empty.", "Write it, or choose otherwise.")
    original = said if text != said.strip() else None
    changed = msgspec.structs.replace(answer, text=text if original is not None else said, original=original)
    verdict: Verdict = call.edits if found.is_pair else "good"
    if call.edits == "b":
        return msgspec.structs.replace(found, b=changed, verdict=verdict)
    return msgspec.structs.replace(found, a=changed, verdict=verdict)


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
