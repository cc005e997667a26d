"""The judgements of answers compared side by side in a chat: those stored, and adding one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge
from ui.state import Listing
from workbench.records.answers import StoredMessage
from workbench.records.judgements import Judgement, JudgementFilter, PairVerdict, judge_answers
from workbench.subjects.judgements.calls import AddJudgements, JudgementPage, ListJudgements, RemoveJudgements

MOST = 500


class ChatVerdicts(QObject):
    """``changed`` is sent when other judgements of the chat's comparisons are known."""

    changed = Signal()

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._chat: str | None = None
        self._listing: Listing[JudgementPage] | None = None
        self._known: dict[frozenset[str], Judgement] = {}

    def follow(self, chat: str | None) -> None:
        """Know the judgements of this chat from now on."""
        if chat == self._chat:
            return
        if self._listing is not None:
            self._listing.leave(self._on_known)
        self._chat, self._known, self._listing = chat, {}, None
        if chat is not None:
            which = JudgementFilter(chat=chat, sources=("compare",))
            self._listing = self._bridge.home.listing(ListJudgements(which=which, limit=MOST))
            self._listing.follow(self._on_known)

    def find(self, first: str, second: str) -> Judgement | None:
        """The judgement of two answers, by the ids of their messages."""
        return self._known.get(frozenset((first, second)))

    def add(
        self,
        asked: Sequence[StoredMessage],
        shown: tuple[StoredMessage, StoredMessage],
        verdict: PairVerdict,
        swapped: bool,
        edited: str = "",
    ) -> None:
        """Store a judgement of the answers ``shown``; see ``judge_answers``."""
        made = judge_answers(asked, shown, verdict, chat=self._chat or "", swapped=swapped, edited=edited)

        def take(stored: tuple[Judgement, ...]) -> None:
            for one in stored:
                self._put(one)
            self.changed.emit()

        self._bridge.call(AddJudgements(judgements=(made,)), take, owner=self)

    def remove(self, judgement: Judgement) -> None:
        """Take a judgement back."""

        def taken(_: int) -> None:
            self._known = {key: one for key, one in self._known.items() if one.id != judgement.id}
            self.changed.emit()

        which = JudgementFilter(ids=(judgement.id,))
        self._bridge.call(RemoveJudgements(which=which), taken, owner=self)

    def _put(self, judgement: Judgement) -> None:
        if judgement.b is not None:
            self._known[frozenset((judgement.a.message, judgement.b.message))] = judgement

    def _on_known(self, page: JudgementPage) -> None:
        self._known = {}
        for judgement in reversed(page.judgements):  # the latest counts
            self._put(judgement)
        self.changed.emit()
