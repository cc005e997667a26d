"""The chat page against a fake core: asking, streaming, stopping, branching, sources, files, failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pypdfium2
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QHBoxLayout, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront, Held
from tests.ui.fake_home import FakeHome, cited
from ui import texts as frame_texts
from ui.bridge import Bridge
from ui.components.basics import LinkButton
from ui.components.prose import Prose
from ui.components.slide_row import SlideRow
from ui.components.wording import describe_place
from ui.features.chat import texts
from ui.features.chat.conversation.answer_sources import AnswerSources
from ui.features.chat.conversation.answer_view import AnswerView
from ui.features.chat.conversation.question_view import QuestionView
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError, WorkerDied
from workbench.base.fields import fields_of
from workbench.records.documents import DocumentPicture
from workbench.records.messages import Citation, Passage, Usage
from workbench.records.outcomes import Reason
from workbench.records.places import TextPlace
from workbench.records.recipes import PARTS, AgentPart, DecodingPart, ModelPart, Recipe, RetrievalPart


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> ChatPage:
    page = ChatPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1280, 760)
    page.show()
    qtbot.waitUntil(lambda: bool(page.parts.recipe.recipe.model.name) and bool(page.parts.history.model.chats))
    return page


@pytest.mark.parametrize("part", PARTS)
def test_every_field_of_a_recipe_can_be_found(page: ChatPage, qtbot: QtBot, part: str) -> None:
    """As Ctrl+K opens it; what the chat's strategy does not use leads to the choice of strategy."""
    panel = page.parts.recipe
    for field in fields_of(PARTS[part]):
        page.parts.composer.field.setFocus()
        page.open_target(part=part, field=field.name)
        assert getattr(panel, part).opened
        focus = QApplication.focusWidget()
        assert focus is not None
        assert panel.isAncestorOf(focus), field.name


def answers(page: ChatPage) -> list[AnswerView]:
    return [view for view in page.parts.conversation.views if isinstance(view, AnswerView)]


def questions(page: ChatPage) -> list[QuestionView]:
    return [view for view in page.parts.conversation.views if isinstance(view, QuestionView)]


def ask(page: ChatPage, text: str) -> None:
    page.parts.composer.set_text(text)
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)


def open_chat(qtbot: QtBot, page: ChatPage, title: str) -> str:
    chat = next(chat for chat in page.parts.history.model.chats if chat.title == title)
    page.session.open(chat.id)
    qtbot.waitUntil(lambda: page.session.chat.id == chat.id)
    return chat.id


def begin(front: FakeFront, home: FakeHome, held: Held, qtbot: QtBot) -> c.StoredMessage:
    """Store the held question as the core does; the answer that streams."""
    qtbot.waitUntil(lambda: held.call is not None)
    question, answer = home.begin_answer(held.call)
    ids = {"chat": answer.chat, "question": question.id, "answer": answer.id}
    held.emit(events.Artifact(kind="message", id=answer.id, result=ids))
    return answer


def passage(home: FakeHome, n: int = 1) -> Passage:
    collection = next(iter(home.collections.values()))
    document = next(d for d in home.documents_of(collection.id).values() if d.state != "failed")
    text = home.texts[document.id]
    return Passage(
        collection=collection.id, document=document.id, document_hash=document.hash, path=document.path,
        title=document.title, start=40, end=120, text=text[40:120], score=0.8, similarity=0.6, n=n,
    )  # fmt: skip


def cite(passage: Passage) -> Citation:
    return cited((passage,), f"[{passage.n}]")[0]


def test_further_places_in_one_document_are_named_briefly(qtbot: QtBot, home: FakeHome) -> None:
    sources = AnswerSources()
    qtbot.addWidget(sources)
    first = cite(passage(home))
    places = [msgspec.structs.replace(first, n=2, page=3), msgspec.structs.replace(first, n=3, page=None)]
    again = msgspec.structs.replace(first, n=5, page=None)
    other = msgspec.structs.replace(first, n=4, path="/papers/lease.pdf", page=None)
    sources.show_sources((first, *places, other, again), ())
    assert [button.text() for button in sources.buttons][1:] == ["[2] page 3", "[3]", "[5]", "[4] lease.pdf"]
    assert sources.buttons[2].accessibleName() == texts.SOURCE.format(source=f"[3] {describe_place(places[1])}")


def test_a_long_name_of_a_place_makes_an_answer_no_wider(qtbot: QtBot, home: FakeHome) -> None:
    sources = AnswerSources()
    qtbot.addWidget(sources)
    name = "Regulations for the Burial Grounds of the Parish of Saint Wendelin at Ostermoor"
    places = (TextPlace(0, "section", name),)
    sources.show_sources((msgspec.structs.replace(cite(passage(home)), page=None, places=places),), ())
    sources.show()
    sources.resize(300, 100)
    (button,) = sources.buttons
    assert "Regulations for the Burial Grounds" in button.text()
    assert button.sizeHint().width() > 300
    assert sources.minimumSizeHint().width() < 300
    qtbot.waitUntil(lambda: button.width() <= 300)


def test_an_answer_streams_in_and_ends_with_its_sources(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.Ask)
    ask(page, "How long is the warranty?")
    answer = begin(front, home, held, qtbot)
    found = passage(home)
    held.emit(events.Progress(stage="loading", done=43, total=100))
    qtbot.waitUntil(lambda: answers(page)[-1].waiting.words == "Loading SmolLM2-135M-Instruct… 43%")
    assert page.parts.composer.text == ""
    held.emit(events.StepStarted(step="1", kind="search", title="Search the documents"))
    qtbot.waitUntil(lambda: answers(page)[-1].waiting.words == "Search the documents…")
    held.emit(events.Retrieved(query="warranty", passages=(found,)))
    qtbot.waitUntil(lambda: answers(page)[-1].waiting.words == "Reading 1 passage…")
    held.emit(events.TextDelta(text="It runs for **36"), events.TextDelta(text=" months** [1]."))
    qtbot.waitUntil(lambda: answers(page)[-1].text.text == "It runs for **36 months** [1].")
    view = answers(page)[-1]
    assert not view.waiting.isVisible()
    assert page.parts.composer.stop.isVisible()
    usage = Usage(prompt_tokens=300, new_tokens=76, first_token_s=0.3, tokens_per_s=41)
    home.end_answer(answer, view.text.text, (cite(found),), (found,), usage)
    held.finish(
        c.AskResult(
            answer=view.text.text, citations=(cite(found),), passages=(found,), usage=usage, chat=answer.chat,
            message=answer.id, context_tokens=1000,
        )
    )  # fmt: skip
    qtbot.waitUntil(lambda: not page.session.busy)
    assert answers(page)[-1] is view
    assert [button.text() for button in view.sources.buttons] == [f"[1] {found.title}"]
    assert view.usage.full_text == "41 tokens/s · first token after 0.3 s · 76 tokens"
    assert page.parts.head.context.text() == "Context 38%"
    assert page.parts.composer.send.isVisible()


def test_the_words_stay_in_the_composer_until_they_are_stored(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.Ask)
    ask(page, "Is it stored?")
    qtbot.waitUntil(lambda: held.call is not None)
    assert page.parts.composer.text == "Is it stored?"
    held.fail(UserError("The disk is full.", "Free some space."))
    qtbot.waitUntil(lambda: not page.session.busy)
    assert page.parts.composer.text == "Is it stored?"
    assert page.parts.conversation.views == []


def test_a_refused_question_is_explained(qtbot: QtBot, page: ChatPage, front: FakeFront, shell: RecordingShell) -> None:
    front.refuse(c.Ask, UserError("The disk is full.", "Free some space."))
    ask(page, "Is it stored?")
    qtbot.waitUntil(lambda: bool(shell.messages))
    assert "The disk is full. Free some space." in shell.messages[0][0]


@pytest.mark.parametrize("way", ["key", "button"])
def test_stop_keeps_what_was_written(qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, way: str) -> None:
    held = front.hold(c.Ask)
    ask(page, "Tell me all")
    answer = begin(front, home, held, qtbot)
    held.emit(events.TextDelta(text="The first part"))
    qtbot.waitUntil(lambda: answers(page)[-1].text.text == "The first part")
    stored = home.messages[answer.chat]
    stored[-1] = c.StoredMessage(
        id=answer.id, chat=answer.chat, parent=answer.parent, role="assistant", text="The first part", state="stopped"
    )
    if way == "key":
        QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Escape)
    else:
        page.activateWindow()
        page.parts.composer.stop.setFocus()
        page.parts.composer.stop.click()
        assert page.focusWidget() is page.parts.composer.field  # Stop goes away; the next question comes here
    qtbot.waitUntil(lambda: not page.session.busy)
    assert front.asked(c.StopAnswer)[0].message == answer.id
    view = answers(page)[-1]
    assert view.text.text == "The first part"
    assert view.state_line.text().startswith("Stopped.")


def test_a_dead_worker_leaves_the_text_the_reason_and_try_again(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.Ask)
    ask(page, "Tell me all")
    answer = begin(front, home, held, qtbot)
    held.emit(events.TextDelta(text="The first part"))
    qtbot.waitUntil(lambda: answers(page)[-1].text.text == "The first part")
    reason = "The model process crashed; your chats are safe (exit code -9)."
    home.messages[answer.chat][-1] = c.StoredMessage(
        id=answer.id, chat=answer.chat, parent=answer.parent, role="assistant", text="The first part",
        state="failed", error=reason,
    )  # fmt: skip
    held.fail(WorkerDied("inference", -9))
    qtbot.waitUntil(lambda: not page.session.busy)
    view = answers(page)[-1]
    assert view.text.text == "The first part"
    assert view.failure.isVisible()
    assert view.failure.text == reason
    assert view.failure.action_button.text() == "Try again"
    view.failure.action_button.click()
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2)
    assert front.asked(c.Ask)[1].regenerate == answer.id


def test_a_citation_opens_its_passage_beside_the_conversation(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    page.open_target(new=True, collection="Brunnen pumps", question="How long is the warranty?")
    qtbot.waitUntil(lambda: bool(answers(page)) and bool(answers(page)[-1].sources.buttons))
    answers(page)[-1].sources.buttons[0].click()
    source = page.parts.source
    qtbot.waitUntil(lambda: source.text.passage is not None)
    assert page.parts.side.currentWidget() is source
    start, end = source.text.passage or (0, 0)
    assert source.text.marked == [("mark", source.text.blocks.text[start:end])]
    place = source.text.rectangle_of(start)
    assert 0 <= place.top() <= place.bottom() <= source.text.viewport().height()
    source.close_button.click()
    assert page.parts.side.currentWidget() is page.parts.recipe
    for place in (page.parts.composer.field, source.text, answers(page)[-1].text):
        answers(page)[-1].sources.buttons[0].click()
        assert page.parts.side.currentWidget() is source
        QTest.keyClick(place, Qt.Key.Key_Escape)
        assert page.parts.side.currentWidget() is page.parts.recipe


def test_a_source_whose_file_has_changed_since_says_so_on_its_answer(
    qtbot: QtBot, page: ChatPage, home: FakeHome
) -> None:
    page.open_target(new=True, collection="Brunnen pumps", question="How long is the warranty?")
    qtbot.waitUntil(lambda: bool(answers(page)) and bool(answers(page)[-1].sources.buttons))
    cited = answers(page)[-1].sources.citations[0]
    assert "changed" not in answers(page)[-1].sources.buttons[0].text()
    home.changed_files.add(cited.path)
    page._changed_sources.check()
    qtbot.waitUntil(lambda: answers(page)[-1].sources.buttons[0].text().endswith("(changed since it was read)"))
    home.changed_files.clear()
    page._changed_sources.check()
    qtbot.waitUntil(lambda: "changed" not in answers(page)[-1].sources.buttons[0].text())


def test_a_quoted_span_is_underlined_within_its_sentence(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    found = passage(home)
    start, end = found.start + 4, found.start + 11
    places = {"sentence_start": found.start, "sentence_end": found.end, "span_start": start, "span_end": end}
    shared = {name: getattr(found, name) for name in Citation.__struct_fields__ if hasattr(found, name)}
    page.open_source(Citation(**shared, **places))
    source = page.parts.source
    qtbot.waitUntil(lambda: source.text.passage is not None)
    assert source.text.marked == [("mark", found.text), ("words", found.text[4:11])]


def test_a_changed_or_missing_document_shows_the_stored_passage(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    source = page.parts.source
    old = msgspec.structs.replace(passage(home), document_hash="another", text="As it was read then.")
    page.open_source(old)
    qtbot.waitUntil(lambda: source.note.isVisible())
    assert source.note.text == frame_texts.DOCUMENT_CHANGED
    assert source.text.drawn_text() == "As it was read then."
    page.open_source(msgspec.structs.replace(old, document="gone"))
    qtbot.waitUntil(lambda: source.note.text == frame_texts.DOCUMENT_GONE)
    assert source.text.drawn_text() == "As it was read then."


@pytest.mark.parametrize("is_there", [True, False])
def test_a_source_says_that_its_file_is_no_longer_as_it_was_read_and_reads_it_again(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, tmp_path: Path, is_there: bool
) -> None:
    found = passage(home)
    text = home.text(found.collection, found.document)
    file = tmp_path / "pump.md"
    if is_there:
        file.write_text("Something else.")
    document = msgspec.structs.replace(text.document, changed=True, path=str(file))
    front.answer(c.GetDocumentText, lambda call: [finish(msgspec.structs.replace(text, document=document))])
    page.open_source(found)
    source = page.parts.source
    qtbot.waitUntil(lambda: source.note.isVisible())
    assert source.note.text == (frame_texts.FILE_CHANGED if is_there else frame_texts.FILE_GONE)
    assert source.text.blocks.text == text.text
    source.note.action_button.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.AddDocuments)))
    assert front.asked(c.AddDocuments)[-1].paths == (str(file),)


def test_the_pictures_of_a_word_document_are_shown_beside_its_text(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    collection = next(iter(home.collections.values()))
    letter = home.put_document(collection.id, "/papers/letter.docx", "The plan of the hall.\n\nThe rooms.")
    plans = [DocumentPicture(start=21, end=21, part=f"word/media/{number}.png") for number in range(8)]
    home.pictures[letter.id] = (*plans, DocumentPicture(start=33, end=33, part="word/media/rooms.png"))
    cited = msgspec.structs.replace(
        passage(home), document=letter.id, document_hash=letter.hash, path=letter.path, page=None, start=23, end=33
    )
    page.open_source(cited)
    source = page.parts.source
    qtbot.waitUntil(lambda: list(source.pictures.tiles) == [9] and not source.pictures.tiles[9].isHidden())
    assert not source.shows_pages  # the text comes first, as before
    assert source.pages_button.text() == frame_texts.PICTURES
    source.pictures.tiles[9].click()
    last = frame_texts.PICTURE_OF.format(page=9, pages=9)
    qtbot.waitUntil(lambda: source.pages.place.text() == last)
    assert source.shows_pages
    assert front.asked(c.DrawPage)[-1].picture == 9
    source.text_button.click()
    assert not source.shows_pages
    source.pages_button.click()
    qtbot.waitUntil(lambda: source.pages.place.text() == last)
    page.open_source(msgspec.structs.replace(cited, start=0, end=21))
    qtbot.waitUntil(lambda: list(source.pictures.tiles) == [1, 2, 3, 4, 5, 6])
    other = home.put_document(collection.id, "/papers/plain.docx", "No pictures.")
    page.open_source(msgspec.structs.replace(cited, document=other.id, document_hash=other.hash, start=0, end=3))
    qtbot.waitUntil(lambda: source.text.passage == (0, 3))
    assert source.pictures.isHidden()
    assert source.switch.isHidden()


def test_a_pdf_citation_shows_the_drawn_page_with_boxes(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    collection = next(iter(home.collections.values()))
    pdf = home.put_document(collection.id, "/papers/pump.pdf", "First page.\n\nSecond page.", pages=2)
    cited = msgspec.structs.replace(
        passage(home), document=pdf.id, document_hash=pdf.hash, title="pump.pdf", page=2, start=13, end=24
    )
    page.open_source(cited)
    pages = page.parts.source.pages
    qtbot.waitUntil(lambda: bool(pages.sheet.boxes))
    assert page.parts.source.shows_pages
    assert front.asked(c.DrawPage)[-1].page == 2
    assert pages.place.text() == frame_texts.PAGE_OF.format(page="2", pages="2")
    pages.turn(-1)
    qtbot.waitUntil(lambda: pages.place.text() == frame_texts.PAGE_OF.format(page="1", pages="2"))
    page.parts.source.text_button.click()
    assert page.parts.source.text.drawn_text().startswith("First page.")


def test_a_scan_without_places_is_read_again_when_asked(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    collection = next(iter(home.collections.values()))
    scan = home.put_document(collection.id, "/papers/scan.png", "A page of a scan.", pages=1)
    text = msgspec.structs.replace(home.text(collection.id, scan.id), unplaced=True)
    front.answer(c.GetDocumentText, lambda call: [finish(text)])
    source = page.parts.source
    source.open_document(collection.id, scan)
    page.parts.show_side(source)
    qtbot.waitUntil(lambda: source.note.isVisible())
    assert source.note.text == frame_texts.NO_PLACES
    assert source.shows_pages
    qtbot.waitUntil(lambda: source.pages.shows_page)
    source.note.action_button.click()
    qtbot.waitUntil(lambda: source.note.text == frame_texts.READING_ANEW)
    assert [(call.paths, call.anew) for call in front.asked(c.AddDocuments)] == [(("/papers/scan.png",), True)]


def test_a_page_is_zoomed_with_ctrl_and_the_wheel_around_its_middle(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    collection = next(iter(home.collections.values()))
    document = home.put_document(collection.id, "/p/long.pdf", "Words of a page. " * 200, pages=1)
    page.parts.source.open_document(collection.id, document)
    page.parts.show_side(page.parts.source)
    pages = page.parts.source.pages
    qtbot.waitUntil(lambda: pages.shows_page)
    fitting = pages.scale_now()
    assert fitting < 1
    vertical = pages._area.verticalScrollBar()
    vertical.setValue(vertical.maximum())
    before = (vertical.value() + vertical.pageStep() / 2) / pages.sheet.height()

    def turn(modifier: Qt.KeyboardModifier, by: int) -> None:
        viewport = pages._area.viewport()
        middle = QPointF(viewport.rect().center())
        none: Any = Qt.MouseButton.NoButton
        event = QWheelEvent(
            middle, middle, QPoint(), QPoint(0, by), none, modifier, Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(viewport, event)

    turn(Qt.KeyboardModifier.ControlModifier, 120)
    turn(Qt.KeyboardModifier.ControlModifier, 120)
    qtbot.waitUntil(lambda: pages.scale_now() >= 1.0 and pages.sheet.width() > 560)
    after = (vertical.value() + vertical.pageStep() / 2) / pages.sheet.height()
    assert abs(after - before) < 0.12
    turn(Qt.KeyboardModifier.NoModifier, -120)
    asked = len(front.asked(c.DrawPage))
    pages.fit_button.click()
    qtbot.waitUntil(lambda: len(front.asked(c.DrawPage)) > asked)
    assert abs(pages.scale_now() - fitting) < 0.05  # but for a scroll bar


def test_a_page_that_is_long_in_coming_says_so(qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome) -> None:
    collection = next(iter(home.collections.values()))
    pdf = home.put_document(collection.id, "/papers/pump.pdf", "First page.", pages=1)
    held = front.hold(c.DrawPage)
    cited = msgspec.structs.replace(
        passage(home), document=pdf.id, document_hash=pdf.hash, title="pump.pdf", page=1, start=0, end=10
    )
    page.open_source(cited)
    pages = page.parts.source.pages
    qtbot.waitUntil(lambda: pages.place.text() == frame_texts.DRAWING_PAGE.format(page="1"))
    held.fail(UserError("The file is damaged."))
    qtbot.waitUntil(page.parts.source.note.isVisible)
    assert pages.place.text() == ""


def test_the_passages_shown_can_be_looked_at(qtbot: QtBot, page: ChatPage) -> None:
    page.open_target(new=True, collection="Brunnen pumps", question="How long is the warranty?")
    qtbot.waitUntil(lambda: bool(answers(page)) and answers(page)[-1].footer.sources_button.isVisible())
    view = answers(page)[-1]
    count = int(view.footer.sources_button.text().split("(")[1].rstrip(")"))
    view.footer.sources_button.click()
    panel = page.parts.passages
    assert page.parts.side.currentWidget() is panel
    assert len(panel.list.cards) == count
    assert "score" in panel.list.cards[0].accessibleName()
    QTest.keyClick(panel.list.cards[0], Qt.Key.Key_Return)
    assert page.parts.side.currentWidget() is page.parts.source


def test_a_declined_answer_is_a_calm_note(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    chat = open_chat(qtbot, page, "A polite refusal")
    last = home.messages[chat][-1]
    words = "The documents do not say who built the moon."
    near = msgspec.structs.replace(passage(home), text="## Warranty\n\nThe pump runs.")
    home.messages[chat][-1] = msgspec.structs.replace(last, text=words, declined=True, passages=(near,))
    page.session.reload()
    qtbot.waitUntil(lambda: answers(page)[-1].declined_note.isVisible())
    view = answers(page)[-1]
    assert view.declined_note.words.text() == words
    near_links = [one.accessibleName() for one in view.declined_note.findChildren(LinkButton)]
    assert len(near_links) == 1
    assert near_links[0].endswith(":  Warranty The pump runs.")
    assert not view.text.isVisible()


def test_a_declined_answer_offers_its_passages_and_an_answer_without_documents(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    chat = open_chat(qtbot, page, "A polite refusal")
    last = home.messages[chat][-1]
    home.messages[chat][-1] = msgspec.structs.replace(
        last, text="I could not find it.", declined=True, passages=(passage(home),)
    )
    page.session.reload()
    qtbot.waitUntil(lambda: answers(page)[-1].declined_note.isVisible())
    note = answers(page)[-1].declined_note
    note.nearest_button.click()
    assert page.parts.side.currentWidget() is page.parts.passages
    note.plain_button.click()
    qtbot.waitUntil(lambda: not page.session.busy and answers(page)[-1].siblings.place.text() == "2/2")
    asked = front.asked(c.Ask)[-1]
    assert (asked.regenerate, asked.without_documents, asked.varied) == (last.id, True, False)
    assert not answers(page)[-1].declined_note.isVisible()


def test_a_refusal_offers_the_other_collections_and_the_whole_documents(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    chat = open_chat(qtbot, page, "A polite refusal")
    page.bench.put_documents("Brunnen pumps")
    last = home.messages[chat][-1]
    recipe = msgspec.structs.replace(last.recipe or Recipe(), retrieval=RetrievalPart(collection="Brunnen pumps"))
    words = "I could not find the answer to this in the 8 documents of Brunnen pumps."
    home.messages[chat][-1] = msgspec.structs.replace(
        last,
        text=words,
        declined=True,
        passages=(passage(home),),
        recipe=recipe,
        road="place",
        roads=("whole", "table"),
    )
    page.session.reload()
    qtbot.waitUntil(lambda: answers(page)[-1].declined_note.whole_button.isVisible())
    view = answers(page)[-1]
    note = view.declined_note
    assert note.words.text() == words
    assert [button.text() for button in note.others] == ["Ask “Contracts 2025”"]
    assert [button.text() for button in view.roads.buttons.values()] == ["Tables"]
    tasks = [action.text() for action in note.make_task_menu().actions()]
    assert tasks
    note.make_task_menu().actions()[0].trigger()
    qtbot.waitUntil(lambda: bool([one for one in front.asked(c.Ask) if one.document is not None]))
    assert next(one for one in front.asked(c.Ask) if one.document is not None).document.document == passage(home).path
    qtbot.waitUntil(lambda: not page.session.busy)
    note.others[0].click()
    qtbot.waitUntil(lambda: front.asked(c.Ask)[-1].regenerate == last.id)
    part = front.asked(c.Ask)[-1].recipe.retrieval
    assert (part.collection, part.more, part.files) == ("Contracts 2025", (), ())
    assert page.parts.composer.documents_chip.text() == "Asking Contracts 2025"


def test_the_files_that_are_asked_are_a_press_away(qtbot: QtBot, page: ChatPage, shell: RecordingShell) -> None:
    composer = page.parts.composer
    page.bench.put_documents("Brunnen pumps")
    qtbot.waitUntil(lambda: composer.files_chip.text() == "8 files")
    composer.files_chip.click()
    qtbot.waitUntil(lambda: page.bench.asked_files.menu is not None)
    menu = page.bench.asked_files.menu
    assert menu is not None
    names = [action.text() for action in menu.actions()]
    assert "AquaLift-300-manual.md" in names
    menu.actions()[names.index("AquaLift-300-manual.md")].trigger()
    assert page.parts.side.currentWidget() is page.parts.source
    menu.actions()[names.index(texts.OPEN_DOCUMENTS_MENU)].trigger()
    assert shell.opened[-1][0] == "documents"
    menu.close()


def test_an_agent_without_a_model_of_its_own_runs_on_the_default_one(
    qtbot: QtBot, page: ChatPage, front: FakeFront
) -> None:
    agent = Recipe(agent=AgentPart(tools=("calculator",)))
    page.open_target(new=True, recipe=agent, question="What is 17 * 23?")
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)))
    asked = front.asked(c.Ask)[-1]
    assert (asked.question, asked.recipe.model.name) == ("What is 17 * 23?", "SmolLM2-135M-Instruct")
    assert asked.recipe.agent == agent.agent


def test_a_search_does_not_hide_the_chat_that_is_begun(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    page.parts.history.search.setText("polite")
    qtbot.waitUntil(lambda: len(page.parts.history.model.chats) == 1)
    page.new_chat()
    ask(page, "Who built the moon?")
    qtbot.waitUntil(lambda: len(page.parts.history.model.chats) > 2)
    assert page.parts.history.search.text() == ""


def test_an_answer_that_may_not_be_it_says_why_and_a_click_asks_by_another_road(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    chat = open_chat(qtbot, page, "A polite refusal")
    last = home.messages[chat][-1]
    reasons = (
        Reason(kind="missing", text="1588 is in none of these passages."),
        Reason(kind="version", text="A newer version exists."),
    )
    home.messages[chat][-1] = msgspec.structs.replace(
        last, text="In 1911.", outcome="perhaps", reasons=reasons, road="place", roads=("table", "places", "chat")
    )
    page.session.reload()
    qtbot.waitUntil(lambda: answers(page)[-1].perhaps_note.isVisible())
    view = answers(page)[-1]
    assert view.perhaps_note.words.text() == "This may not be it."
    assert view.perhaps_note.reasons.text().splitlines() == [f"•  {one.text}" for one in reasons]
    assert view.text.isVisible()
    assert [button.text() for button in view.roads.buttons.values()] == ["Tables", "Several places", "Conversation"]
    button = view.roads.buttons["table"]
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not page.session.busy and answers(page)[-1].siblings.place.text() == "2/2")
    (asked,) = [one for one in front.asked(c.Ask) if one.road is not None]
    assert (asked.regenerate, asked.road, asked.without_documents) == (last.id, "table", False)
    assert asked.recipe.retrieval is None or asked.recipe.retrieval.road == "automatic", "the chat keeps its recipe"
    assert not answers(page)[-1].perhaps_note.isVisible()
    assert not answers(page)[-1].roads.isVisible()


def test_vary_is_offered_where_the_same_text_would_come_again(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    chat = open_chat(qtbot, page, "Winter storage of the pump")
    qtbot.waitUntil(lambda: answers(page)[-1].footer.menu.vary.isEnabled())
    answers(page)[-1].footer.menu.vary.trigger()
    qtbot.waitUntil(lambda: not page.session.busy and answers(page)[-1].siblings.place.text() == "2/2")
    assert front.asked(c.Ask)[-1].varied
    qtbot.waitUntil(lambda: home.messages[chat][-1].state == "done")
    last = home.messages[chat][-1]
    drawn = Recipe(decoding=DecodingPart(temperature=0.8))
    home.messages[chat][-1] = msgspec.structs.replace(last, recipe=drawn)
    page.session.reload()
    qtbot.waitUntil(lambda: not answers(page)[-1].footer.menu.vary.isEnabled())
    assert answers(page)[-1].footer.again_button.isVisible()


@pytest.mark.parametrize("ended", [{"state": "stopped"}, {"finish": "loop"}], ids=["stopped", "loop"])
def test_an_answer_that_was_broken_off_is_continued(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, ended: dict[str, Any]
) -> None:
    chat = open_chat(qtbot, page, "Winter storage of the pump")
    last = home.messages[chat][-1]
    made = Recipe(model=ModelPart(name="SmolLM2-135M-Instruct"), decoding=DecodingPart(max_tokens=77))
    stopped = msgspec.structs.replace(last, text="Drain the", traced=True, recipe=made, citations=(), **ended)
    home.messages[chat][-1] = stopped
    page.session.reload()
    qtbot.waitUntil(lambda: answers(page)[-1].footer.menu.resume.isEnabled())
    answers(page)[-1].footer.menu.resume.trigger()
    qtbot.waitUntil(lambda: not page.session.busy and answers(page)[-1].text.text == "Drain the and on")
    asked = front.asked(c.Ask)[-1]
    assert asked.branch == c.BranchPoint(position=c.AT_END, token=c.AT_END)
    assert asked.recipe.decoding.max_tokens == 77
    assert not answers(page)[-1].footer.menu.resume.isEnabled()


def test_an_edited_question_becomes_a_branch_and_both_can_be_shown(
    qtbot: QtBot, page: ChatPage, front: FakeFront
) -> None:
    open_chat(qtbot, page, "How long is the warranty?")
    first = questions(page)[0]
    first.edit_button.click()
    QTest.keyClicks(first.editor.field, " In years.")  # what was asked stays
    assert first.editor.field.toPlainText() == "How long is the warranty, and how do I claim? In years."
    first.editor.field.setPlainText("How long is the guarantee?")
    QTest.keyClick(first.editor.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(questions(page)) == 1 and not page.session.busy)
    asked = front.asked(c.Ask)[-1]
    assert (asked.root, asked.parent) == (True, None)
    assert questions(page)[0].siblings.place.text() == "2/2"
    questions(page)[0].siblings.back.click()
    qtbot.waitUntil(lambda: len(questions(page)) == 2)
    qtbot.waitUntil(lambda: len(front.asked(c.SetHead)) == 1)
    assert questions(page)[0].siblings.place.text() == "1/2"


def test_again_answers_anew_beside_the_first_answer(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    open_chat(qtbot, page, "Winter storage of the pump")
    old = answers(page)[-1].message_id
    answers(page)[-1].footer.again_button.click()
    qtbot.waitUntil(lambda: not page.session.busy and answers(page)[-1].message_id.startswith("m"))
    assert front.asked(c.Ask)[-1].regenerate == old
    assert answers(page)[-1].siblings.place.text() == "2/2"
    assert len(questions(page)) == 1


def test_an_answer_made_elsewhere_is_followed(qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome) -> None:
    held = front.hold(c.FollowAnswer)
    _, answer = home.begin_answer(c.Ask(question="From the terminal"))
    front.announce("chat", answer.chat)
    qtbot.waitUntil(lambda: any(chat.id == answer.chat for chat in page.parts.history.model.chats))
    page.session.open(answer.chat)
    held.emit(events.TextDelta(text="Half of "), events.TextDelta(text="it"))
    qtbot.waitUntil(lambda: bool(answers(page)) and answers(page)[-1].text.text == "Half of it")
    assert held.call.message == answer.id
    home.end_answer(answer, "Half of it and the rest")
    held.emit(events.TextDelta(text=" and the rest"))
    held.finish(c.AskResult(answer="Half of it and the rest", chat=answer.chat, message=answer.id))
    qtbot.waitUntil(lambda: not page.session.busy)
    assert answers(page)[-1].text.text == "Half of it and the rest"


def test_leaving_a_chat_keeps_its_answer_going(qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome) -> None:
    held = front.hold(c.Ask)
    ask(page, "A long one")
    answer = begin(front, home, held, qtbot)
    qtbot.waitUntil(lambda: page.session.chat.id == answer.chat)
    page.new_chat()
    assert page.parts.conversation.views == [] or not page.session.busy
    held.emit(events.TextDelta(text="while away"))
    page.session.open(answer.chat)
    qtbot.waitUntil(lambda: bool(answers(page)) and answers(page)[-1].text.text == "while away")
    held.emit(events.TextDelta(text=", and back"))
    qtbot.waitUntil(lambda: answers(page)[-1].text.text == "while away, and back")
    assert front.asked(c.FollowAnswer) == []


def test_a_lost_core_ends_the_answer_and_the_chat_comes_back(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, bridge: Bridge
) -> None:
    held = front.hold(c.Ask)
    ask(page, "A long one")
    answer = begin(front, home, held, qtbot)
    held.emit(events.TextDelta(text="Some text"))
    qtbot.waitUntil(lambda: bool(answers(page)) and answers(page)[-1].text.text == "Some text")
    front.lose_connection()
    qtbot.waitUntil(lambda: not page.session.busy)
    assert answers(page)[-1].failure.isVisible()
    home.messages[answer.chat][-1] = c.StoredMessage(
        id=answer.id, chat=answer.chat, parent=answer.parent, role="assistant", text="Some text", state="interrupted"
    )
    front.reconnect()
    qtbot.waitUntil(lambda: answers(page)[-1].state_line.isVisible(), timeout=10_000)
    assert "before this answer was finished" in answers(page)[-1].state_line.text()


def test_the_view_follows_the_end_only_while_the_reader_is_there(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.Ask)
    ask(page, "A long one")
    begin(front, home, held, qtbot)
    talk = page.parts.conversation
    bar = talk.verticalScrollBar()
    held.emit(events.TextDelta(text="A line of text.\n\n" * 60))
    qtbot.waitUntil(lambda: bar.maximum() > 500 and bar.value() == bar.maximum())
    bar.setValue(100)
    assert not talk.following
    held.emit(events.TextDelta(text="Another line.\n\n" * 40))
    before = bar.maximum()
    qtbot.waitUntil(lambda: bar.maximum() > before)
    assert bar.value() == 100
    talk.to_end_button.click()
    assert bar.value() == bar.maximum()


@pytest.mark.parametrize("width", [900, 1280, 1900])
def test_the_place_to_write_stands_below_what_is_read(qtbot: QtBot, page: ChatPage, width: int) -> None:
    page.resize(width, 700)
    open_chat(qtbot, page, "How long is the warranty?")
    composer, question = page.parts.composer, questions(page)[0]

    def apart() -> int:
        """How far their edges are from each other, in px."""
        left = composer.mapTo(page, QPoint(0, 0)).x() - question.mapTo(page, QPoint(0, 0)).x()
        return max(abs(left), abs(left + composer.width() - question.width()))

    qtbot.waitUntil(lambda: apart() <= 1)


def test_an_address_longer_than_a_line_is_shown_whole(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    address = "https://example.org/" + "a-very-long-path/" * 30
    asked = f"Read this:\n{address}\nWhat is there?"
    page.session.open(home.put_chat("Address", [(asked, "Nothing.")]))
    qtbot.waitUntil(lambda: len(questions(page)) == 1)
    question, (words,) = questions(page)[0], questions(page)[0].findChildren(Prose)
    bar = page.parts.conversation.horizontalScrollBar()
    qtbot.waitUntil(lambda: words.document().size().width() <= words.width() and bar.maximum() == 0)
    button = question.edit_button
    qtbot.waitUntil(lambda: button.visibleRegion().boundingRect() == button.rect())
    assert words.document().size().height() > 6 * words.fontMetrics().height()
    words.selectAll()
    copied = words.createMimeDataFromSelection()
    assert copied.text() == asked


def test_a_chat_of_thousands_of_messages_opens_from_its_end(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    chat = home.put_chat("Endless", [(f"Question {n}", f"Answer {n}\n\n" * 3) for n in range(1500)])
    page.session.open(chat)
    qtbot.waitUntil(lambda: page.session.chat.id == chat)
    talk = page.parts.conversation
    assert len(talk.views) < 40
    assert questions(page)[-1].accessibleName() is not None
    assert answers(page)[-1].text.text.startswith("Answer 1499")
    bar = talk.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    count = len(talk.views)
    bar.setValue(0)
    qtbot.waitUntil(lambda: len(talk.views) > count)
    qtbot.waitUntil(lambda: bar.value() > 0)  # what was read stays in sight


def test_history_renames_deletes_and_shows_what_others_do(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    chat = open_chat(qtbot, page, "A polite refusal")
    history = page.parts.history
    history.mark(chat)
    QTest.keyClick(history.list, Qt.Key.Key_F2)
    editor = history.list.findChild(QLineEdit)
    assert editor is not None
    editor.setText("Refusal, politely")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: home.chats[chat].title == "Refusal, politely")
    qtbot.waitUntil(lambda: page.parts.head.chat_title.full_text == "Refusal, politely")
    QTest.keyClick(history.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: chat not in home.chats)
    assert page.session.chat.id is None
    other = home.put_chat("From the terminal", [("Hello", "Good day")])
    front.announce("chat", other)
    qtbot.waitUntil(lambda: history.model.index_of(other).isValid())
    history.search.setText("good day")
    qtbot.waitUntil(lambda: [found.id for found in history.model.chats] == [other])


def test_a_pinned_chat_stands_first_under_its_own_heading(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    history = page.parts.history
    chat = open_chat(qtbot, page, "Winter storage of the pump")
    menu = history.make_menu(chat)
    next(action for action in menu.actions() if action.text() == texts.PIN_MENU).trigger()
    qtbot.waitUntil(lambda: history.model.chats[0].id == chat)
    assert history.model.index(0).data() == texts.PINNED
    next(action for action in history.make_menu(chat).actions() if action.text() == texts.UNPIN_MENU).trigger()
    qtbot.waitUntil(lambda: history.model.index(0).data() != texts.PINNED)


def test_a_chat_is_put_into_a_folder_by_menu_and_by_dragging(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    history = page.parts.history
    chat = open_chat(qtbot, page, "Winter storage of the pump")
    into = next(action for action in history.make_menu(chat).actions() if action.text() == texts.MOVE_MENU).menu()
    next(action for action in into.actions() if action.text() == texts.NEW_FOLDER_MENU).trigger()
    qtbot.waitUntil(lambda: history.list.findChild(QLineEdit) is not None)
    editor = history.list.findChild(QLineEdit)
    assert editor.text() == texts.NEW_FOLDER_NAME
    editor.setText("Pumps")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: home.folders == ["Pumps"] and home.chats[chat].folder == "Pumps")
    qtbot.waitUntil(lambda: history.model.index_of_folder("Pumps").isValid())
    folder = history.model.index_of_folder("Pumps")
    assert history.model.index_of(chat).row() == folder.row() + 1
    history.list.clicked.emit(folder)  # hides what is inside
    assert not history.model.index_of(chat).isValid()
    history.list.clicked.emit(history.model.index_of_folder("Pumps"))
    other = next(one.id for one in history.model.chats if one.id != chat)
    mime = history.model.mimeData([history.model.index_of(other)])
    copy = Qt.DropAction.CopyAction
    history.model.dropMimeData(mime, copy, -1, -1, history.model.index_of(chat))
    qtbot.waitUntil(lambda: home.chats[other].folder == "Pumps")
    qtbot.waitUntil(lambda: {one.folder for one in history.model.chats if one.id in (chat, other)} == {"Pumps"})
    outside = next(one.id for one in history.model.chats if not one.folder)
    history.model.dropMimeData(mime, copy, -1, -1, history.model.index_of(outside))
    qtbot.waitUntil(lambda: home.chats[other].folder == "")
    history.list.setCurrentIndex(history.model.index_of_folder("Pumps"))
    QTest.keyClick(history.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: not home.folders and home.chats[chat].folder == "")
    assert chat in home.chats


def test_a_chat_whose_recipe_cannot_be_read_is_marked_opens_and_says_why(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, shell: RecordingShell
) -> None:
    why = "The recipe was written by a newer version of LLM Workbench."
    chat = next(chat for chat in home.chats.values() if chat.title == "A polite refusal")
    home.chats[chat.id] = msgspec.structs.replace(chat, recipe=None, unreadable=why)
    front.announce("chat", chat.id)
    model = page.parts.history.model
    qtbot.waitUntil(lambda: why in str(model.data(model.index_of(chat.id), Qt.ItemDataRole.ToolTipRole)))
    assert model.data(model.index_of(chat.id), Qt.ItemDataRole.DecorationRole) is not None
    before = page.parts.recipe.recipe
    open_chat(qtbot, page, "A polite refusal")
    assert [message[:2] for message in shell.messages] == [(why, "attention")]
    assert answers(page)
    assert page.parts.recipe.recipe == before


def test_a_chat_is_exported_as_markdown_and_as_pdf(
    qtbot: QtBot, page: ChatPage, home: FakeHome, shell: RecordingShell, tmp_path: Path
) -> None:
    chat = open_chat(qtbot, page, "A polite refusal")
    page.exports.write((chat,), tmp_path / "chat.md", "chat")
    qtbot.waitUntil(lambda: bool(shell.messages))
    assert (tmp_path / "chat.md").read_text("utf-8") == home.export_chat(chat)
    page.exports.write((chat,), tmp_path / "chat.pdf", "chat")
    qtbot.waitUntil(lambda: len(shell.messages) == 2)
    assert shell.messages[1][:2] == (texts.EXPORTED.format(path=tmp_path / "chat.pdf"), "success")
    with pypdfium2.PdfDocument(tmp_path / "chat.pdf") as pdf:
        text = "".join(one.get_textpage().get_text_range() for one in pdf)
    assert "A polite refusal" in text
    page.exports.write((chat,), tmp_path / "nowhere" / "chat.pdf", "chat")
    qtbot.waitUntil(lambda: len(shell.messages) == 3)
    assert shell.messages[2][1] == "danger"


def test_drafts_outlive_the_window(
    qtbot: QtBot, page: ChatPage, bridge: Bridge, shell: RecordingShell, home: FakeHome
) -> None:
    page.parts.composer.set_text("a new question, half written")
    chat = open_chat(qtbot, page, next(iter(home.chats.values())).title)
    page.parts.composer.set_text("a follow-up, half written")
    later = ChatPage(bridge, shell)
    qtbot.addWidget(later)
    later.recall(page.remember())
    assert later.parts.composer.text == "a new question, half written"
    later.session.open(chat)
    qtbot.waitUntil(lambda: later.parts.composer.text == "a follow-up, half written")
    later.recall("not what it gave")
    assert later.parts.composer.text == "a follow-up, half written"


def test_an_answer_without_usage_leaves_the_context_as_it_was(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    ask(page, "How long is the warranty?")
    qtbot.waitUntil(lambda: not page.session.busy and bool(answers(page)))
    before = page.parts.head.context.text()
    assert before not in ("Context 0%", "Context –")
    held = front.hold(c.Ask)
    ask(page, "And then?")
    answer = begin(front, home, held, qtbot)
    stopped = c.AskResult(answer="So far", chat=answer.chat, message=answer.id, usage=Usage())
    home.end_answer(answer, "So far", usage=Usage())
    held.emit(events.Cancelled(result=msgspec.to_builtins(stopped)))
    qtbot.waitUntil(lambda: not page.session.busy)
    assert page.parts.head.context.text() == before


def test_drafts_are_kept_for_each_chat(qtbot: QtBot, page: ChatPage) -> None:
    page.parts.composer.set_text("a draft for later")
    open_chat(qtbot, page, "A polite refusal")
    assert page.parts.composer.text == ""
    page.parts.composer.set_text("another")
    page.new_chat()
    assert page.parts.composer.text == "a draft for later"


def test_without_a_model_the_send_button_says_why(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, shell: RecordingShell
) -> None:
    home.models.clear()
    front.announce("model")
    composer = page.parts.composer
    qtbot.waitUntil(lambda: bool(composer.blocked))
    composer.set_text("Hello?")
    assert not composer.send.isEnabled()
    assert composer.reason.text() == texts.NO_MODEL_YET
    composer.remedy.click()
    assert shell.opened == [("models", {})]


def test_enter_sends_and_shift_enter_breaks_the_line(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    field = page.parts.composer.field
    height = field.height()
    QTest.keyClicks(field, "one")
    QTest.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(field, "two")
    assert page.parts.composer.text == "one\ntwo"
    qtbot.waitUntil(lambda: field.height() > height)
    page.parts.composer.set_text("\n" * 30)
    tallest = field.height()
    page.parts.composer.set_text("\n" * 60)
    assert field.height() == tallest
    page.parts.composer.set_text("one\ntwo")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)))
    assert front.asked(c.Ask)[0].question == "one\ntwo"


def test_the_recipe_panel_is_what_is_asked_with(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    panel = page.parts.recipe
    panel.decoding.open()
    temperature = panel.decoding_form.row("temperature")
    assert isinstance(temperature, SlideRow)
    temperature.slider.setFocus()
    for _ in range(16):
        QTest.keyClick(temperature.slider, Qt.Key.Key_Right)
    panel.documents_box.chosen.emit("Contracts 2025")
    assert panel.decoding.state == "Custom, temperature 0.8"
    assert panel.retrieval.state == "Contracts 2025"
    assert page.parts.composer.documents_chip.text() == "Asking Contracts 2025"
    ask(page, "With this recipe")
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)))
    recipe = front.asked(c.Ask)[0].recipe
    assert recipe.decoding.temperature == 0.8
    assert recipe.retrieval == RetrievalPart(collection="Contracts 2025")
    assert recipe.model.name == "SmolLM2-135M-Instruct"


def test_a_chat_brings_its_recipe_back(qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome) -> None:
    recipe = Recipe(
        model=ModelPart(name="SmolLM2-135M-Instruct"),
        decoding=DecodingPart(temperature=1.0),
        retrieval=RetrievalPart(collection="Brunnen pumps"),
    )
    chat = home.put_chat("With a recipe", [("Q", "A")], recipe)
    page.session.open(chat)
    qtbot.waitUntil(lambda: page.session.chat.id == chat)
    assert page.parts.recipe.recipe == recipe


def test_a_task_on_a_document_begins_a_chat_and_shows_its_sections(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.Ask)
    task = c.DocumentTask(document="/papers/pump.pdf", task="summarise")
    page.open_target(collection="Brunnen pumps", task=task)
    begin(front, home, held, qtbot)
    held.emit(events.Progress(stage="summarising", done=2, total=12, unit="sections", detail="section 3 of 12"))
    qtbot.waitUntil(lambda: answers(page)[-1].waiting.words == "Summarising, section 3 of 12…")
    assert held.call.document == task
    assert held.call.recipe.retrieval.collection == "Brunnen pumps"
    assert questions(page)[-1].message_id.startswith("m")
    assert held.call.question == "Summarise pump.pdf"


def test_notices_and_thoughts_are_shown(qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome) -> None:
    held = front.hold(c.Ask)
    ask(page, "Think")
    begin(front, home, held, qtbot)
    held.emit(events.Log(text="The two oldest turns were left out.", level="notice"), events.Thought(text="Hm."))
    qtbot.waitUntil(lambda: bool(answers(page)) and answers(page)[-1].thought.isVisible())
    view = answers(page)[-1]
    assert view.notices.text() == "The two oldest turns were left out."
    view.thought.button.click()
    assert view.thought.text == "Hm."


def test_the_answer_is_copied_as_markdown(qtbot: QtBot, page: ChatPage) -> None:
    open_chat(qtbot, page, "How long is the warranty?")
    view = answers(page)[-1]
    view.footer.copy_button.click()
    answer, _, sources = QGuiApplication.clipboard().text().partition("\n\nSources:\n")
    assert answer == view.text.text
    assert sources.startswith("[1] warranty-terms.txt")
    assert "**12 months**" in view.text.text


def test_a_link_is_opened_only_after_asking(qtbot: QtBot, page: ChatPage, shell: RecordingShell) -> None:
    page.parts.conversation.link_clicked.emit("https://example.org/a")
    text, _, action = shell.messages[0]
    assert "https://example.org/a" in text
    assert action is not None
    page.parts.conversation.link_clicked.emit("file:///etc/passwd")
    assert shell.messages[1][2] is None


def test_keys_reach_every_part(qtbot: QtBot, page: ChatPage) -> None:
    side = page.parts.side
    page.activateWindow()
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not side.isVisible())
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(side.isVisible)
    open_chat(qtbot, page, "A polite refusal")
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.session.chat.id is None)


def test_a_chip_offers_the_documents_that_there_are(qtbot: QtBot, page: ChatPage) -> None:
    qtbot.waitUntil(lambda: page.parts.recipe.recipe.retrieval is not None)  # those asked last
    menu = page.parts.recipe.documents_box.make_menu(page)
    assert [action.isChecked() for action in menu.actions()] == [False, True, False]
    menu.actions()[2].trigger()
    assert page.parts.composer.documents_chip.text() == "Asking Contracts 2025"
    assert page.parts.recipe.recipe.retrieval == RetrievalPart(collection="Contracts 2025")


def test_the_only_documents_are_asked_unless_the_person_chose_otherwise(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    home.collections.popitem()
    front.announce("collection")
    qtbot.waitUntil(lambda: page.parts.composer.documents_chip.text() == "Asking Brunnen pumps")
    page.parts.recipe.documents_box.chosen.emit("")
    front.announce("collection")
    asked = len(front.asked(c.ListCollections))
    qtbot.waitUntil(lambda: len(front.asked(c.ListCollections)) > asked)
    assert page.parts.composer.documents_chip.text() == "No documents"


def test_every_control_has_a_name_for_screen_readers(qtbot: QtBot, page: ChatPage) -> None:
    open_chat(qtbot, page, "How long is the warranty?")
    page.parts.show_messages(True)
    unnamed = [
        type(button).__name__
        for button in page.findChildren(QAbstractButton)
        if button.isVisible() and not button.text() and not button.accessibleName()
    ]
    assert unnamed == []


def test_history_and_recipe_take_turns_where_it_is_narrow(qtbot: QtBot, page: ChatPage) -> None:
    parts = page.parts
    page.resize(804, 560)
    qtbot.waitUntil(lambda: not parts.side.isVisible())
    assert parts.history.isVisible()
    parts.toggle_recipe()
    assert parts.side.isVisible()
    assert not parts.history.isVisible()
    page.hide()
    page.resize(1280, 760)
    page.show()
    qtbot.waitUntil(lambda: parts.side.isVisible() and parts.history.isVisible())


def test_a_new_chat_asks_the_documents_that_were_asked_last(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome
) -> None:
    assert len(home.collections) > 1
    latest = home.find_chats("")[0]
    assert latest.recipe is not None
    assert latest.recipe.retrieval is not None
    page = ChatPage(bridge, shell)
    qtbot.addWidget(page)
    qtbot.waitUntil(lambda: page.parts.recipe.recipe.retrieval is not None)
    chosen = page.parts.recipe.recipe.retrieval
    assert chosen == RetrievalPart(collection=latest.recipe.retrieval.collection)


def test_an_ampersand_in_a_name_is_shown_and_marks_no_key(qtbot: QtBot, page: ChatPage, home: FakeHome) -> None:
    collection = next(iter(home.collections.values()))
    home.collections[collection.id] = msgspec.structs.replace(collection, name="Brunnen & Son")
    page.open_target(collection="Brunnen & Son")
    chip = page.parts.composer.documents_chip
    assert chip.text() == "Asking Brunnen & Son"
    assert chip.shortcut().isEmpty()
    assert "&&" in QPushButton.text(chip)  # what Qt draws as one


def test_escape_stops_an_answer_that_was_asked_for_with_a_button(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront, home: FakeHome
) -> None:
    page = ChatPage(bridge, shell)
    window = QWidget()  # the frame has controls of its own, which the keyboard must not fall to
    row = QHBoxLayout(window)
    row.addWidget(QPushButton("Before"))
    row.addWidget(page)
    row.addWidget(QPushButton("After"))
    qtbot.addWidget(window)
    window.resize(1280, 760)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: bool(page.parts.recipe.recipe.model.name) and bool(page.parts.history.model.chats))
    open_chat(qtbot, page, next(chat.title for chat in page.parts.history.model.chats))
    qtbot.waitUntil(lambda: bool(answers(page)))
    held = front.hold(c.Ask)
    button = answers(page)[-1].footer.again_button
    qtbot.waitUntil(button.isVisible)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    answer = begin(front, home, held, qtbot)
    held.emit(events.TextDelta(text="The first part"))
    qtbot.waitUntil(lambda: answers(page)[-1].text.text == "The first part")
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(front.asked(c.StopAnswer)))
    assert front.asked(c.StopAnswer)[0].message == answer.id


def test_a_change_of_the_chat_that_is_left_does_not_keep_the_next_one_from_opening(
    qtbot: QtBot, page: ChatPage, front: FakeFront
) -> None:
    left, wanted = [chat.id for chat in page.parts.history.model.chats[:2]]
    page.session.open(left)
    qtbot.waitUntil(lambda: page.session.chat.id == left)
    page.session.open(wanted)  # its messages are on their way
    page.session._bridge.changed.emit("chat", left)
    qtbot.waitUntil(lambda: page.session.chat.id == wanted)
