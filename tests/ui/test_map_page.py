"""The map: the pipeline of an answer, what each stage did, and the picture of embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QMouseEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_home import FakeHome
from ui.bridge import Bridge
from ui.features.map import texts
from ui.features.map.page import MapPage
from ui.features.map.stages import HUES, stages_of
from workbench.records.answers import StoredMessage
from workbench.records.messages import Passage, Usage, Verification
from workbench.records.recipes import AdapterUse, AgentPart, ModelPart, PromptingPart, Recipe, RetrievalPart
from workbench.records.trace import Trace, TraceStep
from workbench.techniques.registry import METHODS

ROWS = METHODS


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> MapPage:
    made = MapPage(bridge, shell)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    made.show()
    return made


def answer(recipe: Recipe, steps: Sequence[TraceStep] = (), passages: int = 0) -> tuple[StoredMessage, Trace]:
    found = tuple(
        Passage(
            collection="c", document=f"d{n}", document_hash="h", path=f"/d{n}.txt", title=f"d{n}", start=0, end=4,
            text="text", n=n, score=1.0, similarity=0.4 + 0.1 * n, found_by="both",
        )
        for n in range(1, passages + 1)
    )  # fmt: skip
    usage = Usage(prompt_tokens=120, cached_tokens=20, new_tokens=40, first_token_s=0.5, tokens_per_s=20.0)
    message = StoredMessage(
        id="m", chat="c", parent="q", role="assistant", text="An answer.", recipe=recipe, usage=usage, passages=found,
        outcome="found" if passages else None, road="place" if passages else None, steps=len(steps),
    )  # fmt: skip
    return message, Trace(steps=tuple(steps))


def test_the_seconds_of_a_step_are_counted_once_and_at_their_stage() -> None:
    recipe = Recipe(retrieval=RetrievalPart(collection="Letters"))
    message, trace = answer(
        recipe,
        (
            TraceStep(id="1", kind="search", title="Search the documents", seconds=0.25),
            TraceStep(id="2", kind="check", parent="1", title="Check the evidence", seconds=0.1),
            TraceStep(id="3", kind="generation", title="Answer", seconds=2.5, writes_answer=True),
        ),
        passages=2,
    )
    stages = {stage.name: stage for stage in stages_of(message, trace, ROWS)}
    assert list(stages) == ["documents", "prompt", "model", "decoding", "agent", "adapters"]
    documents = stages["documents"]
    assert documents.seconds == pytest.approx(0.25)
    assert documents.phrase == "Letters"
    assert texts.COSINES.format(low=0.5, high=0.6) in documents.facts
    assert any("Search the documents" in fact for fact in documents.facts)
    assert stages["prompt"].seconds == pytest.approx(0.5)
    assert (stages["decoding"].seconds, stages["decoding"].tokens) == (pytest.approx(2.0), 40)
    assert [stage.name for stage in stages.values() if not stage.used] == ["agent", "adapters"]


def test_thoughts_belong_to_the_prompt_and_tools_to_the_agent() -> None:
    steps = (
        TraceStep(id="1", kind="reasoning", title="Think", seconds=1.0, usage=Usage(new_tokens=30)),
        TraceStep(id="2", kind="tool", title="calculator", seconds=0.2),
    )
    technique = Recipe(prompting=PromptingPart(technique="chain-of-thought"))
    plain = {stage.name: stage for stage in stages_of(*answer(technique, steps), ROWS)}
    assert plain["prompt"].tokens == 150
    assert not plain["agent"].used
    agent = Recipe(
        agent=AgentPart(tools=("calculator",)),
        model=ModelPart(name="m", adapters=(AdapterUse(name="notes", scale=0.5),)),
    )
    acting = {stage.name: stage for stage in stages_of(*answer(agent, steps), ROWS)}
    assert acting["agent"].facts[0] == texts.CALLS.format(calls="1 call", names="calculator")
    assert acting["agent"].tokens == 30
    assert acting["adapters"].facts == (texts.ADAPTER.format(name="notes", scale=0.5),)


def test_an_answer_that_is_quoted_was_made_without_the_model() -> None:
    message, trace = answer(Recipe(retrieval=RetrievalPart(collection="Letters")), passages=1)
    quoted = msgspec.structs.replace(message, usage=None, verification=Verification(quoted=1))
    stages = {stage.name: stage for stage in stages_of(quoted, trace, ROWS)}
    assert [stage.name for stage in stages.values() if stage.used] == ["documents"]
    assert stages["model"].facts == (texts.QUOTED_WITHOUT,)
    assert texts.COSINE.format(high=0.5) in stages["documents"].facts
    declined = msgspec.structs.replace(message, usage=None, declined=True)
    assert stages_of(declined, trace, ROWS)[1].facts == (texts.DECLINED_WITHOUT,)


def test_an_answer_without_recipe_and_trace_has_stages_too() -> None:
    message = StoredMessage(id="m", chat="c", parent="q", role="assistant", text="An answer.")
    assert [stage.name for stage in stages_of(message, None, ROWS)] == list(HUES)


def test_a_stage_pressed_opens_the_place_of_its_settings(page: MapPage, shell: RecordingShell) -> None:
    page.pipeline.picture.cards["decoding"].click()
    page.pipeline.picture.cards["adapters"].click()
    assert shell.opened == [("chat", {"part": "decoding", "field": "strategy"}), ("adapters", {})]


def test_a_term_opens_its_place_and_says_what_it_means(page: MapPage, shell: RecordingShell) -> None:
    button = next(one for one in page.pipeline.rows["agent"].terms if one.text() == "CRITIC")
    assert "arXiv:2305.11738" in button.toolTip()
    button.click()
    assert shell.opened == [("chat", {"part": "agent", "field": "method"})]


def test_what_the_stages_did_in_an_answer_and_back(
    page: MapPage, shell: RecordingShell, home: FakeHome, qtbot: QtBot
) -> None:
    message = next(
        one for chat in home.messages.values() for one in chat if one.passages and one.recipe and one.recipe.retrieval
    )
    page.open_target(chat=message.chat, answer=message.id)
    qtbot.waitUntil(lambda: page.pipeline.title.text() == texts.TITLE_OF_ANSWER)
    assert "The model saw" in page.pipeline.rows["documents"].words.text()
    page.pipeline.back.click()
    assert shell.opened == [("chat", {"chat": message.chat})]
    page.pipeline.rows["documents"].link.click()
    assert page.shown == "similarity"
    qtbot.waitUntil(lambda: bool(page.similarity.scatter.map.points))


def test_an_answer_that_is_gone_is_said(page: MapPage, home: FakeHome, qtbot: QtBot) -> None:
    page.open_target(chat=next(iter(home.chats)), answer="gone")
    qtbot.waitUntil(lambda: page.pipeline.message.text == texts.ANSWER_GONE)


def test_the_passages_of_a_question_are_points_and_bars(page: MapPage, home: FakeHome, qtbot: QtBot) -> None:
    collection = next(one for one in home.collections.values() if one.chunks)
    page.open_target(section="similarity", collection=collection.id, question="How long is the warranty of the pump?")
    panel = page.similarity
    qtbot.waitUntil(lambda: bool(panel.bars.rows))
    found = panel.scatter.map
    assert len(panel.bars.rows) == len(found.best)
    place = panel.scatter.place_of(found.best[1].point)
    move = QMouseEvent(
        QMouseEvent.Type.MouseMove, place, QPointF(panel.scatter.mapToGlobal(place)), Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    panel.scatter.mouseMoveEvent(move)
    shown = found.points[panel.scatter.current]
    assert f"{shown.similarity:.2f}" in panel.point.text()
    assert " ".join(shown.text.split())[:40] in panel.point.text()


def test_ranks_keep_off_each_other_and_off_other_points(page: MapPage, home: FakeHome, qtbot: QtBot) -> None:
    collection = next(one for one in home.collections.values() if one.chunks)
    page.open_target(section="similarity", collection=collection.id, question="How long is the warranty of the pump?")
    scatter = page.similarity.scatter
    qtbot.waitUntil(lambda: bool(scatter.map.points))
    best = scatter.map.best[:4]
    near = {one.point: (0.1 + 0.015 * place, 0.2) for place, one in enumerate(best)}
    points = tuple(
        msgspec.structs.replace(point, x=near[number][0], y=near[number][1]) if number in near else point
        for number, point in enumerate(scatter.map.points)
    )
    scatter.show_map(msgspec.structs.replace(scatter.map, points=points, best=best))
    boxes = scatter.place_ranks(QFontMetricsF(scatter.font()))
    assert boxes
    for rank, box in boxes.items():
        assert not any(box.intersects(other) for place, other in boxes.items() if place != rank)
        assert not any(box.contains(scatter.place_of(one.point)) for one in best)


def test_the_arrow_keys_go_through_the_best_passages_and_enter_opens_one(
    page: MapPage, shell: RecordingShell, home: FakeHome, qtbot: QtBot
) -> None:
    collection = next(one for one in home.collections.values() if one.chunks)
    page.open_target(section="similarity", collection=collection.name, question="How long is the warranty?")
    panel = page.similarity
    qtbot.waitUntil(lambda: bool(panel.bars.rows))
    best = panel.scatter.map.best
    panel.scatter.current = -1
    for _ in range(2):
        QTest.keyClick(panel.scatter, Qt.Key.Key_Right)
    assert panel.scatter.current == best[1].point
    assert panel.scatter.accessibleDescription()
    QTest.keyClick(panel.scatter, Qt.Key.Key_Return)
    opened = best[1].passage
    assert shell.opened == [
        ("documents", {
            "collection": collection.id, "document": opened.path, "start": opened.start, "end": opened.end,
        })
    ]  # fmt: skip


@pytest.fixture
def no_documents(home: FakeHome) -> None:
    home.collections.clear()


@pytest.mark.usefixtures("no_documents")
def test_without_documents_the_picture_says_so(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> None:
    page = MapPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    page.open_target(section="similarity")
    qtbot.waitUntil(page.similarity.empty.isVisible)
