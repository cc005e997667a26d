"""Two answers side by side: which two are compared, asking for the one that is missing, and which is better.

The missing answer is generated *aside*: the chat's branch and recipe do not change. Which answer is at the left is
drawn at random for each question, and the recipes' names are shown once the person has chosen.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu

from ui.components.recipe.recipe_panel import RecipePanel
from ui.features.chat import compare_texts as texts
from ui.features.chat.comparison.answer_comparison import ShownPair, describe_tuned, is_tuned, titles_of
from ui.features.chat.comparison.opponents import AGAIN, BASE, Opponent, Opponents, needs_variation
from ui.features.chat.comparison.verdicts import ChatVerdicts
from ui.features.chat.composer.one_question import OneQuestion
from ui.features.chat.conversation.answer_view import AnswerView
from ui.features.chat.conversation.conversation import Conversation
from ui.features.chat.session import ChatSession
from workbench.records.answers import StoredMessage
from workbench.records.judgements import Judgement
from workbench.records.recipes import Recipe

_SIDES = {"left": 0, "right": 1}


@dataclass(frozen=True)
class _Open:
    """Two answers shown side by side below a question. ``swapped``: the first one is at the right; ``named``: the
    person asked for the names without choosing."""

    first: str
    second: str
    swapped: bool = False
    named: bool = False


class ChatCompare(QObject):
    """Updates every answer view with what it can be compared with. ``judged`` is sent before anything changes."""

    judged = Signal()

    def __init__(
        self,
        session: ChatSession,
        conversation: Conversation,
        panel: RecipePanel,
        opponents: Opponents,
        verdicts: ChatVerdicts,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._conversation = conversation
        self._panel = panel
        self._opponents = opponents
        self._verdicts = verdicts
        self._open: dict[str, _Open] = {}  # by question
        self._awaited = ""  # an answer that is not stored yet; its opponent is asked once it is
        self._against: Opponent | None = None
        self.draw = random.Random()
        conversation.answer_made.connect(self._on_made)
        conversation.compare_wanted.connect(self._on_wanted)
        conversation.pair_kept.connect(self._on_kept)
        session.opened.connect(lambda: verdicts.follow(session.chat.id))
        for changed in (session.opened, session.branch_changed, panel.recipe_shown, verdicts.changed):
            changed.connect(self._show_all)
        session.identified.connect(self._on_identified)

    def ask(self, question: str, opponent: Opponent, only: OneQuestion) -> None:
        """Ask with the recipe that is on, and the opponent as well."""
        self._session.ask(question, self._panel.recipe, only=only)
        self._awaited = self._session.chat.branches.head or ""
        self._against = opponent
        self._show_all()

    # -- which are compared --------------------------------------------------------------------------

    def pair_of(self, message: str) -> tuple[StoredMessage, StoredMessage] | None:
        """Two answers to the question above ``message``: those that were put side by side, else the base model's and
        the tuned one, else the earlier and the later one."""
        branches = self._session.chat.branches
        if message not in branches or branches[message].recipe is None:
            return None
        mine = branches[message]
        chosen = self._open.get(mine.parent or "")
        if chosen is not None and chosen.first in branches and chosen.second in branches:
            return branches[chosen.first], branches[chosen.second]
        model = _model(mine)
        beside = [branches[id] for id in reversed(branches.siblings(message)) if id != message]
        wanted = [other for other in beside if is_tuned(other) != is_tuned(mine) and _model(other) == model]
        if wanted:
            return (wanted[0], mine) if is_tuned(mine) else (mine, wanted[0])
        others = [other for other in beside if other.recipe is not None]
        if not others:
            return None
        first, second = sorted((others[0], mine), key=lambda one: branches.siblings(message).index(one.id))
        return first, second

    def _titles(self, first: StoredMessage, second: StoredMessage) -> tuple[str, str]:
        if is_tuned(first) != is_tuned(second) and _model(first) == _model(second):
            names = (texts.BASE, describe_tuned(second if is_tuned(second) else first))
            return names if is_tuned(second) else (names[1], names[0])
        names = titles_of(first.recipe or Recipe(), second.recipe or Recipe(), self._panel.methods)
        return names if any(names) else (texts.FIRST_DRAW, texts.SECOND_DRAW)

    def _show_all(self) -> None:
        for view in self._conversation.views:
            if isinstance(view, AnswerView):
                self._show(view)

    def _on_made(self, view: AnswerView) -> None:
        comparison = view.comparison
        comparison.judged.connect(lambda side: self._judge(view.message_id, side))
        comparison.edited.connect(lambda message, text: self._edit(view.message_id, message, text))
        comparison.undo_wanted.connect(lambda: self._undo(view.message_id))
        comparison.names_wanted.connect(lambda: self._name(view.message_id))
        view.footer.menu.aboutToShow.connect(lambda: self._fill_menu(view))
        self._show(view)

    def _show(self, view: AnswerView) -> None:
        branches = self._session.chat.branches
        if view.message_id not in branches:
            return
        message, pair = branches[view.message_id], self.pair_of(view.message_id)
        awaited = message.id == self._awaited
        done = message.state == "done" and message.recipe is not None and not self._is_task(message)
        opponent = self._default_for(message) if done else AGAIN
        view.footer.offer_comparison(pair is not None, done, opponent)
        shown = self._open.get(message.parent or "")
        if pair is None or awaited or shown is None:
            view.close_comparison()
            return
        self._show_pair(view, pair, shown)

    def _show_pair(self, view: AnswerView, pair: tuple[StoredMessage, StoredMessage], shown: _Open) -> None:
        titles, verdict = self._titles(*pair), self._verdict_of(pair, shown)
        if shown.swapped:
            pair, titles = (pair[1], pair[0]), (titles[1], titles[0])
        view.show_comparison(ShownPair(pair, titles, verdict))
        for place, one in enumerate(pair):
            live = self._session.lives.get(one.id)
            if live is None and one.state == "streaming":
                live = self._session.follow(one)
            column = view.comparison.columns[place]
            if live is not None and column.follow(live):
                column.add_piece(live.text, 0)
                column.show_waiting(live.waiting)
                live.text_added.connect(column.add_piece)
                live.waiting_changed.connect(column.show_waiting)

    def _verdict_of(self, pair: tuple[StoredMessage, StoredMessage], shown: _Open) -> str:
        """As it is shown: from the left."""
        found = self._verdicts.find(pair[0].id, pair[1].id)
        if found is None:
            return "named" if shown.named else ""
        if found.edited:
            return "edited"
        if found.verdict in ("tie", "bad"):
            return found.verdict
        winner = found.preferred
        first = winner is not None and winner.message == pair[0].id
        return "left" if first != shown.swapped else "right"

    # -- what the person does ------------------------------------------------------------------------

    def _on_wanted(self, message: str, opened: bool) -> None:
        """The button of an answer: show the two that are there, ask for the missing one, or show only one again."""
        branches = self._session.chat.branches
        question = branches[message].parent if message in branches else None
        if question is None:
            return
        pair = self.pair_of(message)
        if not opened:
            self._open.pop(question, None)
        elif pair is not None:
            self._put(question, pair[0].id, pair[1].id)
        else:
            self._ask_other(message, self._default_for(branches[message]))
        self._show_all()

    def _fill_menu(self, view: AnswerView) -> None:
        """Put what the answer can be compared with into its menu, which is about to be shown."""
        entry = view.footer.menu.compare_with
        before = entry.menu()
        if view.message_id in self._session.chat.branches and entry.isEnabled():
            entry.setMenu(self.make_menu(view.message_id))
        if before is not None:
            before.deleteLater()

    def make_menu(self, message: str) -> QMenu:
        """What an answer can be compared with."""
        made = self._session.chat.branches[message].recipe or self._panel.recipe
        panel = self._panel.recipe
        current = panel if any(titles_of(made, panel, self._panel.methods)) else None
        return self._opponents.make_menu(made, lambda opponent: self.compare_with(message, opponent), current)

    def compare_with(self, message: str, opponent: Opponent) -> None:
        """Ask the question of an answer once more, of an opponent, and put both side by side."""
        if message in self._session.chat.branches:
            self._ask_other(message, opponent)
            self._show_all()

    def _default_for(self, message: StoredMessage) -> Opponent:
        """What the button compares an answer with: the base model, else the recipe at the right where that is another
        one, else the same recipe once more."""
        if is_tuned(message):
            return BASE
        panel = self._panel.recipe
        if any(titles_of(message.recipe or Recipe(), panel, self._panel.methods)):
            return Opponent("panel", texts.WITH_PANEL, lambda _: panel)
        return AGAIN

    def _ask_other(self, message: str, opponent: Opponent) -> None:
        answer = self._session.chat.branches[message]
        made = answer.recipe or self._panel.recipe
        varied = needs_variation(opponent, made, self._panel.methods)
        other = self._session.answer_aside(message, opponent.recipe(made), varied=varied)
        if answer.parent is not None and other:
            pair = (other, message) if opponent is BASE else (message, other)
            self._put(answer.parent, *pair)

    def _put(self, question: str, first: str, second: str) -> None:
        known = self._open.get(question)
        if known is None or {known.first, known.second} != {first, second}:
            judged = self._verdicts.find(first, second) is not None
            self._open[question] = _Open(first, second, not judged and self.draw.random() < 0.5)

    def _is_task(self, message: StoredMessage) -> bool:
        branches = self._session.chat.branches
        parent = message.parent
        return parent is not None and parent in branches and branches[parent].document is not None

    def _on_identified(self, old: str, new: str) -> None:
        for question, shown in list(self._open.items()):
            if old in (shown.first, shown.second):
                first, second = (new if one == old else one for one in (shown.first, shown.second))
                self._open[question] = replace(shown, first=first, second=second)
        if old == self._awaited:
            self._awaited = ""
            against, self._against = self._against, None
            if against is not None:
                self._ask_other(new, against)
        self._show_all()

    def _on_kept(self, message: str) -> None:
        branches = self._session.chat.branches
        if message not in branches:
            return
        self._open.pop(branches[message].parent or "", None)
        self._session.show_sibling(message)
        self._show_all()

    # -- which is better -----------------------------------------------------------------------------

    def _shown(self, message: str) -> tuple[str, _Open, tuple[StoredMessage, StoredMessage]] | None:
        """The question above an answer with its two answers in the order in which they are shown."""
        branches = self._session.chat.branches
        question = branches[message].parent if message in branches else None
        shown, pair = self._open.get(question or ""), self.pair_of(message)
        if question is None or shown is None or pair is None:
            return None
        return question, shown, (pair[1], pair[0]) if shown.swapped else pair

    def _judge(self, message: str, side: str) -> None:
        found = self._shown(message)
        if found is None:
            return
        self.judged.emit()
        question, shown, pair = found
        place = _SIDES.get(side)
        if place is None:
            self._add(question, shown, pair, side)
            return
        self._add(question, shown, pair, "ab"[(place + shown.swapped) % 2])
        self._go_on_from(pair[place].id)

    def _edit(self, message: str, edited: str, text: str) -> None:
        """What the answer should have been: it is the better one, and the conversation continues from it."""
        found = self._shown(message)
        if found is None:
            return
        self.judged.emit()
        question, shown, pair = found
        place = [one.id for one in pair].index(edited)
        self._add(question, shown, pair, "ab"[(place + shown.swapped) % 2], text)
        self._session.rewrite(edited, text)
        self._go_on_from(edited)

    def _add(
        self, question: str, shown: _Open, pair: tuple[StoredMessage, StoredMessage], verdict: str, edited: str = ""
    ) -> None:
        branches = self._session.chat.branches
        asked = [branches[question]]
        while asked[0].parent is not None and asked[0].parent in branches:
            asked.insert(0, branches[asked[0].parent])
        self._verdicts.follow(self._session.chat.id)
        self._verdicts.add(asked, pair, verdict, shown.swapped, edited)  # type: ignore[arg-type]

    def _go_on_from(self, message: str) -> None:
        """Continue the conversation from the better answer, unless it was continued from the other one."""
        branches = self._session.chat.branches
        head = branches.head
        if head is not None and head != message and branches[head].parent == branches[message].parent:
            self._session.show_sibling(message)

    def _judgement(self, message: str) -> Judgement | None:
        found = self._shown(message)
        return self._verdicts.find(*(one.id for one in found[2])) if found is not None else None

    def _undo(self, message: str) -> None:
        judgement = self._judgement(message)
        if judgement is not None:
            self._verdicts.remove(judgement)

    def _name(self, message: str) -> None:
        found = self._shown(message)
        if found is not None:
            self._open[found[0]] = replace(found[1], named=True)
            self._show_all()


def _model(message: StoredMessage) -> str:
    return message.recipe.model.name if message.recipe is not None else ""
