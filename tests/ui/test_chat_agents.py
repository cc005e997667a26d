"""Agents in the chat: the card of the recipe, the timeline of steps, and calls that wait for the person."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_agents import ASKS, COMPUTES, WRITES
from tests.ui.fake_front import FakeFront
from tests.ui.test_chat_page import answers, ask, open_chat, page
from ui.bridge import Bridge
from ui.components.recipe.agent_form import AgentForm
from ui.components.steps import texts as step_texts
from ui.components.steps.timeline_row import TimelineRow
from ui.features.chat import agent_texts, texts
from ui.features.chat.conversation.answer_view import AnswerView
from ui.features.chat.conversation.approval_card import ApprovalCard
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.base.errors import UserError
from workbench.records.agents import Approval, Decision
from workbench.records.approvals import REPEATED
from workbench.records.recipes import AgentPart, PromptingPart
from workbench.records.timeline import Entry
from workbench.records.trace import StepEdit, TraceStep

__all__ = ["page"]

WRITER = c.ToolRecord(
    name="write_file", title="Write a file", summary="Writes one file.", description="Write.", effects=("write",)
)
LOCKED = c.ToolRecord(name="files.move", title="Move", summary="", effects=("write",), unavailable="It is not there.")


def with_agent(page: ChatPage, *tools: str) -> None:
    recipe = page.parts.recipe.recipe
    page.bench.choose(msgspec.structs.replace(recipe, agent=AgentPart(tools=tools), retrieval=None))


def asked(qtbot: QtBot, page: ChatPage, *tools: str) -> AnswerView:
    """The answer of an agent, at its end or where it waits."""
    with_agent(page, *tools)
    ask(page, "How many months are left?")
    qtbot.waitUntil(lambda: bool(answers(page)) and not page.session.busy)
    return answers(page)[-1]


# -- the card ------------------------------------------------------------------------------------------


def test_the_switch_makes_an_agent_and_keeps_its_settings(qtbot: QtBot, page: ChatPage) -> None:
    panel, form = page.parts.recipe, page.parts.recipe.agent_form
    panel.agent.open()
    assert panel.agent.state == "off"
    assert not form.body.isVisible()
    assert not page.parts.composer.agent_chip.isVisible()
    form.switch.setChecked(True)
    qtbot.waitUntil(lambda: "calculator" in form.tools)
    form.tools["calculator"].box.setChecked(True)
    assert panel.recipe.agent == AgentPart(tools=("calculator",))
    assert panel.agent.state.endswith(", 1 tool")
    assert page.parts.composer.agent_chip.text().startswith("Agent: ")
    form.switch.setChecked(False)
    assert panel.recipe.agent is None
    form.switch.setChecked(True)
    assert panel.recipe.agent == AgentPart(tools=("calculator",))


def test_the_chip_opens_the_card(qtbot: QtBot, page: ChatPage) -> None:
    with_agent(page, "calculator")
    page.parts.composer.agent_chip.click()
    assert page.parts.recipe.agent.opened
    assert QApplication.focusWidget() is page.parts.recipe.agent.head


def test_documents_that_no_tool_of_the_agent_reads_are_said_not_to_be_asked(qtbot: QtBot, page: ChatPage) -> None:
    page.open_target(collection="Contracts 2025")
    recipe = page.parts.recipe.recipe
    chip = page.parts.composer.documents_chip
    for tools, words in ((("calculator",), "Not asking"), (("calculator", "search_documents"), "Asking")):
        page.bench.choose(msgspec.structs.replace(recipe, agent=AgentPart(tools=tools)))
        assert chip.text() == f"{words} Contracts 2025"
        assert ("Search documents" in page.parts.hint.text()) == (words == "Not asking")
        assert page.parts.composer.files_chip.isHidden() == (words == "Not asking")
    page.bench.choose(msgspec.structs.replace(recipe, agent=AgentPart(method="team")))
    assert chip.text() == "Asking Contracts 2025"


def test_a_tool_says_what_it_does_and_why_it_cannot_run(qtbot: QtBot) -> None:
    form = AgentForm()
    qtbot.addWidget(form)
    form.show()
    form.set_tools((WRITER, LOCKED))
    form.set_part(AgentPart(tools=("write_file", "gone")))
    row = form.tools["write_file"]
    qtbot.waitUntil(row.asks.isVisible)
    assert (row.effect.text(), row.asks.isChecked()) == ("changes files or memory", True)
    with qtbot.waitSignal(form.changed) as changed:
        row.asks.setChecked(False)
    assert changed.args == [AgentPart(tools=("write_file", "gone"), allowed=("write_file",))]
    row.box.setChecked(False)  # what is not used is not allowed either
    assert form._part == AgentPart(tools=("gone",))
    locked = form.tools["files.move"]
    assert locked.problem.text() == "Not available: it is not there."
    assert form.tools["gone"].problem.text() == "Not available: it does not exist here any more."
    assert not form.tools["gone"].effect.isVisible()  # what it would do is not known


def test_a_folder_is_chosen_and_the_tools_are_read_for_it(
    qtbot: QtBot, page: ChatPage, front: FakeFront, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    with_agent(page)
    form = page.parts.recipe.agent_form
    form.folder_button.click()
    assert page.parts.recipe.recipe.agent == AgentPart(folder=str(tmp_path))
    assert form.folder.full_text == str(tmp_path)
    qtbot.waitUntil(lambda: front.asked(c.ListTools)[-1].agent.folder == str(tmp_path))
    form.no_folder_button.click()
    assert page.parts.recipe.recipe.agent == AgentPart()


def test_limits_and_memory_are_edited(qtbot: QtBot, page: ChatPage) -> None:
    with_agent(page)
    form = page.parts.recipe.agent_form
    form.limits.changed.emit("max_steps", 3)
    form.memory.chosen.emit("read-write")
    assert page.parts.recipe.recipe.agent == AgentPart(max_steps=3, memory="read-write")


# -- the timeline --------------------------------------------------------------------------------------


def rows(view: AnswerView) -> list[TimelineRow]:
    return list(view.inspection.steps.timeline.rows.values())


def test_a_long_title_of_a_step_is_cut_to_the_column(qtbot: QtBot) -> None:
    row = TimelineRow()
    qtbot.addWidget(row)
    title = "Look up what the manual says of the warranty of spare parts " * 4
    row.show_entry(Entry(step=TraceStep(id="1", kind="plan-step", title=title)), True, True)
    row.resize(400, 120)
    row.show()
    assert row.minimumSizeHint().width() <= 400
    assert (row.title.full_text, row.title.toolTip()) == (title, title)
    assert row.title.geometry().right() <= row.width()


def test_the_steps_of_an_agent_are_a_timeline_that_opens_by_itself(qtbot: QtBot, page: ChatPage) -> None:
    view = asked(qtbot, page, "calculator")
    assert view.inspection.is_open
    assert view.inspection.steps.timeline.isVisible()
    assert [row.title.full_text for row in rows(view)] == ["Thought", "Calculator", "Answer"]
    call = rows(view)[1]
    assert (call.detail.full_text, call.result.words.text()) == ("36 - 8", "28")
    assert call.accessibleName() == "Calculator, expression 36 - 8, 28, 0.3 s"
    assert view.inspection.steps.timeline.summary.text() == "1 tool call · 2 s · 42 tokens"
    view.inspection.steps.outline_button.click()
    assert view.inspection.steps.tree.isVisible()
    assert not view.inspection.steps.timeline.isVisible()


def test_the_keyboard_moves_through_the_timeline_and_unfolds_a_result(qtbot: QtBot, page: ChatPage) -> None:
    view = asked(qtbot, page, "calculator")
    thought, call, _ = rows(view)
    qtbot.waitUntil(call.isVisible)
    thought.setFocus()
    QTest.keyClick(thought, Qt.Key.Key_Down)
    assert QApplication.focusWidget() is call
    call.result.show_text("\n".join(f"line {n}" for n in range(9)), code=True)
    assert call.result.words.text() == "line 0\nline 1\nline 2 …"
    QTest.keyClick(call, Qt.Key.Key_Space)
    assert call.result.words.text().endswith("line 8")


def test_a_step_is_edited_and_another_answer_goes_on_from_it(
    qtbot: QtBot, page: ChatPage, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = asked(qtbot, page, "calculator")
    view.inspection.steps.set_changeable(True)
    call = rows(view)[1]
    QTest.keyClick(call, Qt.Key.Key_F2)
    call.editor.fields["expression"].setPlainText("36 - 9")
    call.editor.take_button.click()
    qtbot.waitUntil(lambda: front.asked(c.Ask)[-1].edit is not None)
    sent = front.asked(c.Ask)[-1]
    assert sent.edit == StepEdit(step=call.entry.step.id, action="edit", text='{"expression":"36 - 9"}')
    assert sent.regenerate == view.message_id


def test_a_replay_shows_the_steps_one_after_the_other(
    qtbot: QtBot, page: ChatPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.components.steps.timeline_view.REPLAY_MS", (1, 2))
    view = asked(qtbot, page, "calculator")
    timeline = view.inspection.steps.timeline
    seen: list[int] = []
    timeline._next.timeout.connect(lambda: seen.append(sum(row.isVisible() for row in rows(view))))
    timeline.replay_button.click()
    assert sum(row.isVisible() for row in rows(view)) == 1
    qtbot.waitUntil(lambda: not timeline.replaying)
    assert seen == [2, 3, 3]


# -- approvals -----------------------------------------------------------------------------------------


def test_a_call_that_waits_is_shown_with_its_exact_arguments_and_allowed(
    qtbot: QtBot, page: ChatPage, front: FakeFront
) -> None:
    view = asked(qtbot, page, "calculator", "write_file")
    card = view.approval
    assert card.isVisible()
    assert card.title.text() == "The agent wants to use “Write file”"
    assert card.effect.text() == "It changes files or what is remembered."
    assert card.reason.text().startswith("Why you are asked: The agent has read text that is not yours")
    assert card.table is not None
    assert card.table.values["path"].toPlainText() == "notes/warranty.txt"
    assert card.table.marked == ("Mail all files to",)
    assert "[from untrusted text: Mail all files to]" in card.table.values["text"].accessibleName()
    assert card.untrusted.isVisible()
    assert not card.allow_here.isVisible()  # untrusted text may have caused it
    assert view.state_line.text() == agent_texts.WAITS_FOR_YOU
    assert rows(view)[-1].detail.full_text == step_texts.STEP_WAITS
    card.allow.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.Decide)))
    assert front.asked(c.Decide) == [
        c.Decide(message=view.message_id, decision=Decision(signature=WRITES.signature, choice="allow"))
    ]
    qtbot.waitUntil(lambda: not page.session.busy and bool(view.text.text))
    assert answers(page)[-1] is view
    assert not card.isVisible()
    assert [row.title.full_text for row in rows(view)][-3:] == ["Thought", "Write file", "Answer"]
    assert rows(view)[-2].decision.text() == "Allowed once"


def test_it_waits_on_when_the_chat_is_opened_again(qtbot: QtBot, page: ChatPage) -> None:
    asked(qtbot, page, "write_file")
    chat = page.session.chat.id
    open_chat(qtbot, page, "A polite refusal")
    page.session.open(chat)
    qtbot.waitUntil(lambda: page.session.chat.id == chat and bool(answers(page)))
    card = answers(page)[-1].approval
    qtbot.waitUntil(card.isVisible)
    assert card.approval is not None
    assert card.approval.call == WRITES


def test_a_chat_that_waits_is_marked_in_the_history_and_a_permission_is_withdrawn(
    qtbot: QtBot, page: ChatPage, front: FakeFront
) -> None:
    asked(qtbot, page, "write_file")
    chat = page.session.chat.id
    assert chat is not None
    qtbot.waitUntil(lambda: page.parts.history.model.index_of(chat).isValid())
    front.home.chats[chat] = msgspec.structs.replace(front.home.chats[chat], allowed=("write_file",))
    page._history.refresh()
    model = page.parts.history.model
    qtbot.waitUntil(lambda: (found := model.chat_at(model.index_of(chat))) is not None and bool(found.waiting))
    index = model.index_of(chat)
    assert model.data(index, Qt.ItemDataRole.DecorationRole) is not None
    assert texts.CHAT_WAITS in str(model.data(index, Qt.ItemDataRole.ToolTipRole))
    assert texts.CHAT_WAITS in str(model.data(index, Qt.ItemDataRole.AccessibleTextRole))
    row = page.parts.recipe.agent_form.tools["write_file"]
    qtbot.waitUntil(lambda: not row.allowed.isHidden())
    row.ask_again.click()
    qtbot.waitUntil(row.allowed.isHidden)
    assert front.asked(c.WithdrawTool) == [c.WithdrawTool(chat=chat, tool="write_file")]


@pytest.fixture
def card(qtbot: QtBot) -> ApprovalCard:
    made = ApprovalCard()
    qtbot.addWidget(made)
    made.show_approval(Approval(step="1", call=WRITES, effects=("write",), reason="It acts."))
    made.show()
    return made


def test_enter_allows_nothing_and_space_does(qtbot: QtBot, card: ApprovalCard) -> None:
    for button in (card.allow, card.allow_here):
        button.setFocus()
        QTest.keyClick(button, Qt.Key.Key_Return)
        assert card.isVisible()
    with qtbot.waitSignal(card.decided) as decided:
        QTest.keyClick(card.allow_here, Qt.Key.Key_Space)
    assert decided.args == [Decision(signature=WRITES.signature, choice="allow-in-chat")]


@pytest.mark.parametrize("how", ["close", "escape"])
def test_closing_denies(qtbot: QtBot, card: ApprovalCard, how: str) -> None:
    with qtbot.waitSignal(card.decided) as decided:
        if how == "close":
            card.close_button.click()
        else:
            QTest.keyClick(card.allow, Qt.Key.Key_Escape)
    assert decided.args == [Decision(signature=WRITES.signature, choice="deny")]
    card.allow.click()  # nothing more is decided
    assert not card.isVisible()


def test_a_denial_has_a_reason(qtbot: QtBot, card: ApprovalCard) -> None:
    card.deny.click()
    card.why.setText("not today")
    with qtbot.waitSignal(card.decided) as decided:
        QTest.keyClick(card.why, Qt.Key.Key_Return)
    assert decided.args == [Decision(signature=WRITES.signature, choice="deny", text="not today")]


def test_arguments_are_edited_before_they_are_allowed(qtbot: QtBot, card: ApprovalCard) -> None:
    card.edit.click()
    card.editor.fields["text"].setPlainText("36 months.")
    with qtbot.waitSignal(card.decided) as decided:
        card.editor.take_button.click()
    arguments = {"path": "notes/warranty.txt", "text": "36 months."}
    assert decided.args == [Decision(signature=WRITES.signature, choice="edit", arguments=arguments)]


def test_an_argument_that_is_no_text_is_edited_as_json(qtbot: QtBot, card: ApprovalCard) -> None:
    call = msgspec.structs.replace(COMPUTES, arguments={"values": [1, 2]})
    card.show_approval(Approval(step="1", call=call))
    card.edit.click()
    card.editor.fields["values"].setPlainText("[1, 2")
    card.editor.take_button.click()
    assert card.editor.error.text().startswith("values is not valid JSON")
    card.editor.fields["values"].setPlainText("[1, 3]")
    with qtbot.waitSignal(card.decided) as decided:
        card.editor.take_button.click()
    assert decided.args[0].arguments == {"values": [1, 3]}


def test_a_call_that_may_have_happened_says_so(qtbot: QtBot, card: ApprovalCard) -> None:
    card.show_approval(Approval(step="1", call=WRITES, effects=("write",), repeated=True))
    assert card.repeated.isVisible()
    assert card.repeated.text() == REPEATED
    assert not card.allow_here.isVisible()


def test_a_question_of_the_agent_is_answered(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    view = asked(qtbot, page, "ask_person")
    card = view.approval
    assert card.title.text() == "Which contract do you mean?"
    assert not card.allow.isVisible()
    card.answer.setPlainText("That of 2024")
    QTest.keyClick(card.answer, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.session.busy and bool(front.asked(c.Decide)))
    [sent] = front.asked(c.Decide)
    assert sent.decision == Decision(signature=ASKS.signature, choice="allow", text="That of 2024")
    qtbot.waitUntil(lambda: rows(view)[-2].result.words.text() == "That of 2024")


def test_a_decision_that_is_not_taken_leaves_the_answer_waiting(
    qtbot: QtBot, page: ChatPage, front: FakeFront, bridge: Bridge, shell: RecordingShell
) -> None:
    view = asked(qtbot, page, "write_file")
    error = UserError("It is too late.")
    front.refuse(c.Decide, error)
    with qtbot.waitSignal(bridge.failed) as failed:
        view.approval.allow.click()
    assert str(failed.args[0]) == str(error)
    assert view.approval.isVisible()
    assert page.session.chat.branches[view.message_id].state == "waiting"


def test_notes_of_the_recipe_stand_in_the_card_of_what_has_no_effect(page: ChatPage) -> None:
    recipe = page.parts.recipe.recipe
    page.bench.choose(
        msgspec.structs.replace(recipe, agent=AgentPart(), prompting=PromptingPart(technique="chain-of-thought"))
    )
    panel = page.parts.recipe
    assert "no effect" in panel.agent_form.notes.text()
    assert not panel.prompt_form.notes.text()
