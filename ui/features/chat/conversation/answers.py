"""What is done with the answers of a conversation: feed those being made, look at their tokens, keep one, branch off.

It carries between ``ChatSession``, which knows the chat, and the views, which signal what the person wants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge, Handle
from ui.components.recipe.recipes import unresolved, with_model
from ui.components.wording import in_words
from ui.features.chat.conversation.answer_view import CONTINUED, PLAIN, VARIED, AnswerView
from ui.features.chat.conversation.conversation import Conversation
from ui.features.chat.conversation.live_answer import describe_progress
from ui.features.chat.session import ChatSession
from workbench.api import events
from workbench.api.events import Event, Terminal
from workbench.api.protocol import Call, error_of, read_result
from workbench.base.errors import Cancelled
from workbench.records.outcomes import Road
from workbench.records.recipes import Recipe
from workbench.records.trace import StepEdit
from workbench.subjects.chats.calls import AT_END, BranchPoint, GetTrace, InspectAnswer
from workbench.subjects.prompts.calls import (
    DemonstrationList,
    ListDemonstrations,
    RemoveDemonstration,
    SaveDemonstration,
)


class ChatAnswers(QObject):
    """``branched``: a new answer was begun beside another one."""

    branched = Signal()

    def __init__(
        self,
        bridge: Bridge,
        session: ChatSession,
        conversation: Conversation,
        recipe: Callable[[], Recipe],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._session = session
        self._recipe = recipe
        self._conversation = conversation
        self._looking: dict[AnswerView, Handle] = {}
        self._demonstrations: dict[str, str] = {}  # their ids by the answers that they were saved from
        conversation.answer_laid_out.connect(self._on_laid_out)
        conversation.inspection_wanted.connect(self._on_inspection_wanted)
        conversation.trace_wanted.connect(self._on_trace_wanted)
        conversation.inspection_left.connect(self._on_inspection_left)
        conversation.keep_wanted.connect(session.keep)
        conversation.rated.connect(session.rate)
        conversation.rewritten.connect(session.rewrite)
        conversation.branch_wanted.connect(self._on_branch_wanted)
        conversation.another_wanted.connect(self._on_another_wanted)
        conversation.road_wanted.connect(self._on_road_wanted)
        conversation.edit_wanted.connect(self._on_edit_wanted)
        conversation.decided.connect(session.decide)
        conversation.demonstration_wanted.connect(self._on_demonstration_wanted)
        bridge.home.listing(ListDemonstrations()).follow(self._on_demonstrations)

    def _on_laid_out(self, view: AnswerView) -> None:
        """Feed the view of an answer that is being made with what has come, and with what will."""
        live = self._session.lives.get(view.message_id)
        if live is None:
            return
        view.show_passages(live.passages)
        view.show_waiting(live.waiting)
        view.show_notices(live.notices)
        view.show_pace(live.pace)
        if live.thought:
            view.add_thought(live.thought)
        for sequence, text in sorted(live.texts.items()):
            view.add_text(text, sequence)
        if live.beams.steps:
            view.show_beams(live.beams)
        if (trace := live.state.trace()).steps:
            view.show_steps(trace)
        view.show_trusted(live.text, *live.trusted)
        live.verified.connect(view.show_trusted)
        live.steps_changed.connect(view.show_steps)
        live.text_added.connect(view.add_text)
        live.thought_added.connect(view.add_thought)
        live.waiting_changed.connect(view.show_waiting)
        live.passages_found.connect(view.show_passages)
        live.noticed.connect(view.show_notices)
        live.pace_changed.connect(view.show_pace)
        live.beams_grown.connect(view.show_beams)

    # -- steps and tokens ----------------------------------------------------------------------------------------

    def _on_trace_wanted(self, view: AnswerView) -> None:
        self._show_demonstrated(view)
        call = GetTrace(message=view.message_id)
        self._bridge.call(call, view.inspection.show_trace, lambda error: view.inspection.show_error(str(error)), view)

    def _on_inspection_wanted(self, view: AnswerView, sequence: int) -> None:
        self._on_inspection_left(view)
        call = InspectAnswer(message=view.message_id, sequence=sequence)

        def take(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, events.Progress):
                    view.inspection.show_progress(event, describe_progress(event, self._recipe_of(view.message_id)))

        def end(terminal: Terminal) -> None:
            if self._looking.get(view) is handle:
                del self._looking[view]
            if isinstance(terminal, events.Finished):
                view.inspection.show_tokens(sequence, read_result(call, terminal.result))
                return
            error = error_of(terminal)
            if isinstance(error, Cancelled):
                view.inspection.close_panel()
            else:
                view.inspection.show_error(str(error))

        handle = self._bridge.stream(call, take, end, view)
        self._looking[view] = handle

    def _on_inspection_left(self, view: AnswerView) -> None:
        handle = self._looking.pop(view, None)
        if handle is not None:
            handle.cancel()

    # -- demonstrations ----------------------------------------------------------------------------------------

    def _on_demonstrations(self, found: DemonstrationList) -> None:
        self._demonstrations = {one.message: one.id for one in found.demonstrations}
        for view in self._conversation.views:
            if isinstance(view, AnswerView):
                self._show_demonstrated(view)

    def _show_demonstrated(self, view: AnswerView) -> None:
        view.inspection.steps.changes.set_demonstrated(view.message_id in self._demonstrations)

    def _on_demonstration_wanted(self, view: AnswerView, saved: bool) -> None:
        call: Call[Any] = SaveDemonstration(message=view.message_id)
        if not saved:
            call = RemoveDemonstration(demonstration=self._demonstrations.get(view.message_id, ""))
        self._bridge.call(call, lambda _: self._bridge.home.listing(ListDemonstrations()).refresh(),
                          lambda error: view.inspection.show_error(in_words(error)), view)  # fmt: skip

    def _recipe_of(self, message: str) -> Recipe:
        branches = self._session.chat.branches
        recipe = branches[message].recipe if message in branches else None
        return recipe or self._recipe()

    # -- going on from another token or step -------------------------------------------------------------------

    def _on_branch_wanted(self, message: str, point: BranchPoint) -> None:
        """Answer beside it with the chat's recipe, by the model whose tokens they are."""
        recipe, made_with = self._recipe(), self._recipe_of(message)
        if made_with.model.name and made_with.model.name != recipe.model.name:
            recipe = with_model(recipe, made_with.model.name)
        self._session.answer_again(message, recipe, point)
        self.branched.emit()

    def _on_another_wanted(self, message: str, how: str) -> None:
        if how == CONTINUED:
            made = self._recipe_of(message)
            recipe = msgspec.structs.replace(with_model(self._recipe(), made.model.name), decoding=made.decoding)
            shown = self._session.chat.branches[message].selected_sequence
            self._session.answer_again(message, recipe, BranchPoint(position=AT_END, token=AT_END, sequence=shown))
        else:
            self._session.answer_again(message, self._recipe(), varied=how == VARIED, without_documents=how == PLAIN)
        self.branched.emit()

    def _on_road_wanted(self, message: str, road: Road) -> None:
        """Answer anew by another road; the chat keeps its recipe."""
        self._session.answer_again(message, self._recipe(), road=road)
        self.branched.emit()

    def _on_edit_wanted(self, message: str, edit: StepEdit) -> None:
        """Go on from a changed step, with the recipe of the answer whose step it is."""
        self._session.answer_again(message, unresolved(self._recipe_of(message)), edit=edit)
        self.branched.emit()
