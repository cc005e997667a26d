"""The documents page against a fake core: collections, files, ingest, drops, search, one document, its tasks."""

from __future__ import annotations

from pathlib import Path, PurePath

import msgspec
import pytest
from PySide6.QtCore import QItemSelectionModel, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QSpinBox
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, choose
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome, running_ingest
from ui import texts as frame
from ui import texts as frame_texts
from ui import texts as shared
from ui.bridge import Bridge
from ui.components.basics import InlineMessage
from ui.components.dialog import Dialog
from ui.components.password_row import PasswordRow
from ui.features.documents import texts
from ui.features.documents.index_dialog import IndexDialog
from ui.features.documents.layout import DocumentFilter, DocumentTable, FileView
from ui.features.documents.names_panel import NamesPanel
from ui.features.documents.page import DocumentsPage
from ui.theme.theme import Theme
from workbench import calls as c
from workbench.api import events
from workbench.api.protocol import finish
from workbench.records.documents import Document, NameEntry
from workbench.records.offers import MULTILINGUAL


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome) -> DocumentsPage:
    page = DocumentsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1280, 760)
    page.show()
    qtbot.waitUntil(lambda: page.parts.table.rowCount() > 0 or not home.collections)
    return page


def test_files_that_are_not_known_yet_are_not_said_to_be_none(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront
) -> None:
    held = front.hold(c.ListDocuments)
    page = DocumentsPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(page.parts.reading.isVisible)
    assert not page.parts.no_files.isVisible()
    qtbot.waitUntil(lambda: held.call is not None)
    held.emit(finish(front.call(held.call)))
    qtbot.waitUntil(lambda: page.parts.table.rowCount() > 0)
    assert not page.parts.reading.isVisible()


def names(page: DocumentsPage) -> list[str]:
    rows = page.parts.rows
    return [str(rows.index(row, 0).data()) for row in range(rows.rowCount())]


def document(page: DocumentsPage, name: str) -> Document:
    return next(d for d in page.parts.table.documents if d.path.endswith(name))


def mime(*files: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    return data


def drop(page: DocumentsPage, *files: Path) -> None:
    data = mime(*files)
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entered = QDragEnterEvent(QPointF(5, 5).toPoint(), Qt.DropAction.CopyAction, data, buttons, keys)
    page.dragEnterEvent(entered)
    assert page.parts.cover.isVisible()
    assert page.parts.cover.geometry().width() > page.width() - 40
    page.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    assert not page.parts.cover.isVisible()


def test_what_cannot_be_seen_in_a_file_name_is_named(
    qtbot: QtBot, home: FakeHome, bridge: Bridge, shell: RecordingShell
) -> None:
    collection = next(iter(home.collections.values()))
    some = next(iter(home.documents_of(collection.id).values()))
    path = "/docs/invoice\u202efdp.exe\n.txt"
    home.documents_of(collection.id)[some.id] = msgspec.structs.replace(some, path=path)
    page = DocumentsPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: page.parts.table.rowCount() > 0)
    assert "invoice⟨U+202E⟩fdp.exe⟨U+000A⟩.txt" in names(page)


def test_a_collection_shows_its_files_and_why_one_failed(qtbot: QtBot, page: DocumentsPage) -> None:
    assert page.parts.title.full_text == "Brunnen pumps"
    assert page.parts.counts.full_text.startswith("9 files · 1 failed")
    assert "scan-2019.pdf" in names(page)
    row = names(page).index("scan-2019.pdf")
    state = page.parts.rows.index(row, 4)
    assert state.data() == "Failed: The file has no text: its pages are pictures only."
    view = page.parts.view
    qtbot.waitUntil(lambda: view.rowHeight(row) > view.rowHeight(0))  # the reason has two lines
    view.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(
        lambda: (
            view.rowHeight(names(page).index("scan-2019.pdf")) > view.rowHeight(names(page).index("warranty-terms.txt"))
        )
    )


def test_files_are_filtered_by_name_and_state_and_sorted(page: DocumentsPage) -> None:
    page.parts.name_filter.setText("warranty")
    assert names(page) == ["warranty-terms.txt"]
    page.parts.name_filter.setText("no such name")
    assert page.parts.nothing.isVisible()
    page.parts.name_filter.clear()
    page.parts.state_filter.setCurrentIndex(page.parts.state_filter.findData("failed"))
    assert names(page) == ["scan-2019.pdf"]
    page.parts.state_filter.setCurrentIndex(0)
    page.parts.view.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    assert names(page)[0] == "AquaLift-300-manual.md"


def test_dropped_files_are_read_and_the_rows_fill(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("About pumps.")
    (tmp_path / "b.md").write_text("About seals.")
    drop(page, tmp_path)
    qtbot.waitUntil(lambda: {"a.txt", "b.md"} <= set(names(page)))
    assert front.asked(c.AddDocuments)[0].paths == (str(tmp_path),)
    qtbot.waitUntil(lambda: page.parts.message.isVisible())
    assert page.parts.message.text == "2 files read."
    assert not page.parts.progress.isVisible()


def test_a_folder_without_anything_to_read_is_no_success(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.FollowRun)
    run = running_ingest(home, config={"collection": next(iter(home.collections)), "paths": ["/pictures"]})
    front.announce("run", run.id)
    held.emit(finish({"indexed": 0, "unchanged": 0, "removed": 0, "failed": []}))
    qtbot.waitUntil(lambda: page.parts.message.isVisible())
    assert page.parts.message.text == frame_texts.NOTHING_TO_READ
    assert page.parts.message.property("kind") == "attention"


def test_a_running_ingest_is_picked_up_with_its_progress_and_stop(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, home: FakeHome
) -> None:
    collection = next(iter(home.collections))
    held = front.hold(c.FollowRun)
    run = running_ingest(home, config={"collection": collection, "paths": ["/papers"]})
    front.announce("run", run.id)
    held.emit(
        events.Artifact(kind="document", id="/papers/before.pdf", result={"state": "indexed", "chunks": 4}),
        events.Progress(
            stage="reading", done=92e6, total=214e6, unit="bytes", detail="lease.pdf, page 4 of 20", seconds_left=55
        ),
    )
    progress = page.parts.progress
    qtbot.waitUntil(lambda: "lease.pdf" in progress.words)
    assert progress.words == "Reading lease.pdf, page 4 of 20 92 MB of 214 MB · 55 s left"
    progress.stop_button.click()
    qtbot.waitUntil(lambda: front.asked(c.StopRun) == [c.StopRun(run=run.id)])
    held.emit(events.Cancelled())
    qtbot.waitUntil(lambda: not progress.isVisible())
    assert page.parts.message.text == f"{frame_texts.READING_STOPPED} {frame_texts.NOTHING_KEPT}"
    page.parts.message.action_button.click()
    qtbot.waitUntil(lambda: front.asked(c.ResumeRun) == [c.ResumeRun(run=run.id)])


def test_a_stopped_reading_says_what_is_kept_of_the_file_that_was_read(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.FollowRun)
    run = running_ingest(home, config={"collection": next(iter(home.collections)), "paths": ["/papers"]})
    front.announce("run", run.id)
    reason = "186 of 400 passages were read."
    result = {"state": "indexed", "chunks": 186, "unfinished": True, "reason": reason}
    held.emit(events.Artifact(kind="document", id="/papers/long.pdf", result=result), events.Cancelled())
    qtbot.waitUntil(page.parts.message.isVisible)
    assert page.parts.message.text == f"{frame_texts.READING_STOPPED} long.pdf: {reason}"


def test_a_collection_that_was_not_read_to_its_end_offers_the_rest_after_a_restart(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront, home: FakeHome
) -> None:
    collection = home.collection("Brunnen pumps")
    home.collections[collection.id] = msgspec.structs.replace(collection, unfinished=True)
    manual = next(iter(home.documents_of(collection.id).values()))
    reason = "2 of 9 passages were read."
    home.documents_of(collection.id)[manual.id] = msgspec.structs.replace(manual, unfinished=True, reason=reason)
    run = running_ingest(home, state="cancelled", config={"collection": collection.id})
    page = DocumentsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1280, 800)
    page.show()
    qtbot.waitUntil(lambda: page.parts.message.isVisible() and page.parts.table.rowCount() > 0)
    assert page.parts.message.text == texts.READING_UNFINISHED
    row = names(page).index(PurePath(manual.path).name)
    assert page.parts.rows.index(row, 4).data() == f"{texts.STATE_PART}: {reason}"
    page.parts.message.action_button.click()
    qtbot.waitUntil(lambda: front.asked(c.ResumeRun) == [c.ResumeRun(run=run.id)])


def test_a_file_has_a_menu_and_a_collection_a_button_for_its_own(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront
) -> None:
    manual = document(page, "AquaLift-300-manual.md")
    menu = page.file_menu(manual)
    actions = {action.text(): action for action in menu.actions()}
    actions[texts.COPY_PATH].trigger()
    assert QGuiApplication.clipboard().text() == manual.path
    actions[texts.REMOVE_MENU].trigger()
    qtbot.waitUntil(lambda: "AquaLift-300-manual.md" not in names(page))
    terms = document(page, "warranty-terms.txt")
    next(a for a in page.file_menu(terms).actions() if a.text() == texts.READ_FILE_AGAIN).trigger()
    qtbot.waitUntil(lambda: front.asked(c.AddDocuments)[-1].paths == (terms.path,))
    assert front.asked(c.AddDocuments)[-1].anew
    page.parts.menu_button.click()
    opened = QApplication.activePopupWidget()
    assert isinstance(opened, QMenu)
    assert [action.text() for action in opened.actions()] == [
        texts.RENAME_MENU,
        texts.INDEX_MENU,
        texts.DELETE_MENU,
    ]
    opened.close()


def test_the_length_of_passages_is_set_in_the_menu(qtbot: QtBot, page: DocumentsPage, home: FakeHome) -> None:
    page.parts.menu_button.click()
    opened = QApplication.activePopupWidget()
    assert isinstance(opened, QMenu)
    next(action for action in opened.actions() if action.text() == texts.INDEX_MENU).trigger()
    opened.close()
    qtbot.waitUntil(lambda: bool(page.findChildren(Dialog)))
    [dialog] = page.findChildren(Dialog)
    [number] = dialog.findChildren(QSpinBox)
    [problem] = dialog.findChildren(InlineMessage)
    assert number.value() == 0
    number.setValue(5)
    dialog.go.click()
    qtbot.waitUntil(lambda: "cannot have 5 tokens" in problem.text)
    number.setValue(96)
    dialog.go.click()
    qtbot.waitUntil(lambda: home.collection("Brunnen pumps").passage_tokens == 96)
    qtbot.waitUntil(lambda: not page.findChildren(Dialog))


def test_the_embedding_model_of_a_collection_is_chosen(
    qtbot: QtBot, page: DocumentsPage, home: FakeHome, front: FakeFront
) -> None:
    other = msgspec.structs.replace(home.models["all-MiniLM-L6-v2"], name="multilingual-e5-small")
    home.models[other.name] = other
    front.announce("model", other.name)
    models = page._bridge.home.listing(c.ListModels())
    qtbot.waitUntil(lambda: models.value is not None and other in models.value.models)
    page.ask_for_index()
    [dialog] = page.findChildren(IndexDialog)
    assert not dialog.go.isEnabled()
    assert dialog.why.text() == texts.NOTHING_CHANGED
    assert "from 32 to 256 tokens" in dialog._length.help.text()
    names = [dialog.embedder.itemText(row) for row in range(dialog.embedder.count())]
    assert names == ["Default: all-MiniLM-L6-v2", "all-MiniLM-L6-v2", "multilingual-e5-small"]
    choose(dialog.embedder, "multilingual-e5-small")
    dialog.tokens.setValue(128)
    assert dialog.why.text() == ""
    dialog.go.click()
    qtbot.waitUntil(lambda: home.collection("Brunnen pumps").embedder == other.name)
    qtbot.waitUntil(lambda: home.collection("Brunnen pumps").passage_tokens == 128)


def test_what_can_be_bettered_in_a_collection_is_offered(
    qtbot: QtBot, page: DocumentsPage, home: FakeHome, front: FakeFront, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("The notice is ninety days.")
    known = home.collection("Brunnen pumps")
    model = msgspec.structs.replace(home.models["all-MiniLM-L6-v2"], name=MULTILINGUAL)
    home.models[model.name] = model
    assert not page.parts.offer.isVisible()
    home.collections[known.id] = msgspec.structs.replace(
        known, outdated=2, unknown_languages=("German", "French"), folders=(str(tmp_path),)
    )
    front.announce("collection", known.id)
    offer = page.parts.offer
    qtbot.waitUntil(offer.isVisible)
    assert "knows German and French badly" in offer.text
    offer.action_button.click()
    qtbot.waitUntil(lambda: home.collection(known.id).embedder == MULTILINGUAL)
    qtbot.waitUntil(lambda: offer.isVisible() and "2 documents were read by an earlier version" in offer.text)
    offer.action_button.click()
    qtbot.waitUntil(lambda: any(run.config.get("paths") == [str(tmp_path)] for run in home.runs.values()))
    qtbot.waitUntil(lambda: not offer.isVisible())


def test_a_locked_file_asks_for_its_password_in_its_row(
    qtbot: QtBot, page: DocumentsPage, home: FakeHome, front: FakeFront, tmp_path: Path
) -> None:
    path = tmp_path / "lease.txt"
    path.write_text("LOCKED The notice is ninety days.")
    page.add([str(path)])
    qtbot.waitUntil(lambda: len(page.parts.view.findChildren(PasswordRow)) == 1)
    [row] = page.parts.view.findChildren(PasswordRow)
    assert row.field.placeholderText() == frame.PASSWORD_NEEDED
    assert not row.button.isEnabled()
    row.field.setText("sesame")
    row.button.click()
    assert row.field.text() == ""
    qtbot.waitUntil(lambda: row.field.placeholderText() == frame.PASSWORD_WRONG)
    row.field.setText("open sesame")
    QTest.keyClick(row.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.parts.view.findChildren(PasswordRow))
    assert next(one for one in page.parts.table.documents if one.path == str(path)).state == "indexed"
    assert "open sesame" not in str([run.config for run in home.runs.values()])


def test_folders_of_an_earlier_start_can_be_watched(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront, home: FakeHome
) -> None:
    collection = home.collection("Brunnen pumps")
    home.collections[collection.id] = msgspec.structs.replace(collection, folders=("/a", "/b"), watched=("/b",))
    page = DocumentsPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: set(page.parts.folders.boxes) == {"/a", "/b"})
    assert [page.parts.folders.boxes[path].isChecked() for path in ("/a", "/b")] == [False, True]


def test_folders_beside_an_open_file_fit_without_a_scroll_bar(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront, home: FakeHome
) -> None:
    collection = home.collection("Brunnen pumps")
    paths = ("/home/ada/Documents/Brunnen pumps/manuals and terms", "/home/ada/Documents/Letters of customers")
    home.collections[collection.id] = msgspec.structs.replace(collection, folders=paths)
    page = DocumentsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1_124, 740)  # of a window that is 1280 pixels wide
    page.show()
    qtbot.waitUntil(lambda: set(page.parts.folders.boxes) == set(paths))
    page.parts.show_document(True)
    qtbot.waitUntil(lambda: page.parts.folders.width() < 400)
    bar = page.parts.folders.horizontalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() == 0)
    assert page.parts.folders.boxes[paths[0]].text().startswith("Watch this folder: ")


def test_a_reading_that_was_cut_off_can_go_on(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront, home: FakeHome
) -> None:
    run = running_ingest(home, state="interrupted", config={"collection": next(iter(home.collections))})
    page = DocumentsPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(page.parts.message.isVisible)
    assert page.parts.message.text == texts.READING_INTERRUPTED
    page.parts.message.action_button.click()
    qtbot.waitUntil(lambda: front.asked(c.ResumeRun) == [c.ResumeRun(run=run.id)])


def test_rows_fill_while_files_end(qtbot: QtBot, page: DocumentsPage, front: FakeFront, home: FakeHome) -> None:
    collection = next(iter(home.collections))
    held = front.hold(c.FollowRun)
    front.announce("run", running_ingest(home, config={"collection": collection}).id)
    home.put_document(collection, "/papers/new.txt", "Something new.")
    held.emit(events.Artifact(kind="document", id="/papers/new.txt", result={"state": "indexed"}))
    qtbot.waitUntil(lambda: "new.txt" in names(page))
    assert page.parts.progress.isVisible()


def test_an_ingest_of_another_collection_is_not_shown_here(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, home: FakeHome
) -> None:
    other = list(home.collections)[1]
    held = front.hold(c.FollowRun)
    front.announce("run", running_ingest(home, config={"collection": other}).id)
    held.emit(events.Progress(stage="reading", done=1, total=2, unit="files"))
    qtbot.waitUntil(lambda: held.call is not None)
    assert not page.parts.progress.isVisible()
    page.open_target(collection=other)
    qtbot.waitUntil(page.parts.progress.isVisible)


def test_a_search_shows_passages_and_why_they_were_found(qtbot: QtBot, page: DocumentsPage, front: FakeFront) -> None:
    page.parts.search.setText("warranty pump")
    QTest.keyClick(page.parts.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(page.parts.hits.cards))
    card = page.parts.hits.cards[0]
    assert "found by" in card.accessibleName()
    QTest.keyClick(card, Qt.Key.Key_Return)
    passage = card.passage
    qtbot.waitUntil(lambda: page.parts.pane.text.passage == (passage.start, passage.end))
    page.parts.search.clear()
    assert page.parts.view.isVisible()


def test_a_failed_file_says_why_and_what_to_do(page: DocumentsPage) -> None:
    page.open_document(document(page, "scan-2019.pdf"))
    assert page.parts.pane.note.text == "The file has no text: its pages are pictures only."
    assert "OCR" in page.parts.pane.details.text()
    assert not page.parts.tasks.isVisible()


def test_a_document_is_removed_at_once_and_undone(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, shell: RecordingShell
) -> None:
    page.open_document(document(page, "warranty-terms.txt"))
    page.parts.remove.click()
    qtbot.waitUntil(lambda: "warranty-terms.txt" not in names(page))
    assert not page.parts.shows_document
    words, _, undo = shell.messages[-1]
    assert words == shared.IN_TRASH.format(title="warranty-terms.txt", days=30)
    assert undo is not None
    undo.run()
    qtbot.waitUntil(lambda: "warranty-terms.txt" in names(page))
    assert shell.messages[-1][0] == shared.RESTORED.format(title="warranty-terms.txt")


def test_tasks_on_a_whole_document_open_the_chat(page: DocumentsPage, shell: RecordingShell) -> None:
    manual = document(page, "AquaLift-300-manual.md")
    page.open_document(manual)
    tasks = page.parts.tasks
    tasks.buttons["summarise"].click()
    tasks.buttons["extract"].click()
    tasks.go.click()
    assert len(shell.opened) == 1  # no columns were named yet
    tasks.field.setText("part, price")
    tasks.go.click()
    tasks.buttons["translate"].click()
    QTest.keyClick(tasks.field, Qt.Key.Key_Escape)
    assert not tasks.field.isVisible()
    assert page.parts.shows_document
    tasks.buttons["translate"].click()
    tasks.field.setText("German")
    QTest.keyClick(tasks.field, Qt.Key.Key_Return)
    assert [target["task"] for _, target in shell.opened] == [
        c.DocumentTask(document=manual.path, task="summarise"),
        c.DocumentTask(document=manual.path, task="extract", columns=("part", "price")),
        c.DocumentTask(document=manual.path, task="translate", language="German"),
    ]
    assert {(name, target["collection"]) for name, target in shell.opened} == {("chat", "Brunnen pumps")}
    QTest.keyClick(tasks.field, Qt.Key.Key_Escape)  # leaves the question
    QTest.keyClick(tasks.buttons["translate"], Qt.Key.Key_Escape)
    assert not page.parts.shows_document


def test_collections_are_made_renamed_and_deleted(qtbot: QtBot, page: DocumentsPage, home: FakeHome) -> None:
    panel = page.parts.collections
    panel.new_button.click()
    panel.name_field.setText("Brunnen pumps")
    QTest.keyClick(panel.name_field, Qt.Key.Key_Return)
    qtbot.waitUntil(panel.error.isVisible)
    assert "already" in panel.error.text()
    panel.name_field.setText("Leases")
    QTest.keyClick(panel.name_field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.parts.title.full_text == "Leases")
    qtbot.waitUntil(page.parts.no_files.isVisible)
    made = home.collection("Leases").id
    panel.renamed.emit(made, "Leases 2025")
    qtbot.waitUntil(lambda: page.parts.title.full_text == "Leases 2025")
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: made not in home.collections)
    qtbot.waitUntil(lambda: page.parts.title.full_text == "Brunnen pumps")


def test_a_folder_can_be_watched_and_left(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, home: FakeHome, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("About pumps.")
    page.add([str(tmp_path)])
    qtbot.waitUntil(lambda: str(tmp_path) in page.parts.folders.boxes)
    box = page.parts.folders.boxes[str(tmp_path)]
    qtbot.waitUntil(box.isChecked)  # a folder that is added is watched
    box.click()
    qtbot.waitUntil(lambda: home.collection("Brunnen pumps").watched == ())
    assert front.asked(c.Unwatch)[0].path == str(tmp_path)
    page.add([str(tmp_path)])  # read again: it stays as the person chose
    qtbot.waitUntil(lambda: len(front.asked(c.AddDocuments)) == 2)
    assert not front.asked(c.AddDocuments)[-1].watch
    box.click()
    qtbot.waitUntil(lambda: home.collection("Brunnen pumps").watched == (str(tmp_path),))


def test_a_folder_is_removed_with_its_files(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, home: FakeHome, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("About pumps.")
    page.add([str(tmp_path)])
    qtbot.waitUntil(lambda: str(tmp_path) in page.parts.folders.boxes and "a.txt" in names(page))
    page.parts.folders.make_menu(str(tmp_path)).actions()[0].trigger()
    qtbot.waitUntil(lambda: str(tmp_path) not in page.parts.folders.boxes and "a.txt" not in names(page))
    assert front.asked(c.RemoveFolder)[0].path == str(tmp_path)
    assert (tmp_path / "a.txt").exists()


def test_open_target_shows_a_document_at_its_place(qtbot: QtBot, page: DocumentsPage, home: FakeHome) -> None:
    other = home.collection("Contracts 2025")
    lease = next(iter(home.documents_of(other.id).values()))
    page.open_target(collection=other.id, document=lease.id, start=9, end=30)
    qtbot.waitUntil(lambda: page.parts.pane.text.passage == (9, 30))
    assert page.parts.title.full_text == "Contracts 2025"


def test_escape_leaves_the_name_of_a_new_collection(page: DocumentsPage, home: FakeHome) -> None:
    panel, before = page.parts.collections, len(home.collections)
    panel.new_button.click()
    QTest.keyClick(panel.name_field, Qt.Key.Key_Return)
    assert panel.error.isVisible()
    QTest.keyClick(panel.name_field, Qt.Key.Key_Down)
    assert panel.name_field.isVisible()
    panel.name_field.setText("Leases")
    QTest.keyClick(panel.name_field, Qt.Key.Key_Escape)
    assert not panel.name_field.isVisible()
    assert not panel.error.isVisible()
    assert len(home.collections) == before
    panel.new_button.click()
    assert panel.name_field.text() == ""


def test_a_narrow_page_keeps_names_and_states(qtbot: QtBot, page: DocumentsPage) -> None:
    page.resize(800, 560)
    page.open_document(document(page, "warranty-terms.txt"))
    qtbot.waitUntil(lambda: page.parts.view.isColumnHidden(1))
    assert not page.parts.view.isColumnHidden(4)
    assert not page.parts.collections.isVisible()
    QTest.keyClick(page.parts.view, Qt.Key.Key_Escape)
    assert page.parts.collections.isVisible()


class TestWithoutCollections:
    @pytest.fixture
    def home(self) -> FakeHome:
        return FakeHome()

    def test_the_page_says_what_to_do_first(self, qtbot: QtBot, page: DocumentsPage) -> None:
        qtbot.waitUntil(page.parts.no_collections.isVisible)
        button = page.parts.no_collections.button
        assert button is not None
        button.click()
        assert page.parts.collections.name_field.isVisible()

    def test_a_dropped_folder_becomes_the_first_collection(
        self, qtbot: QtBot, page: DocumentsPage, home: FakeHome, tmp_path: Path
    ) -> None:
        folder = tmp_path / "contracts"
        folder.mkdir()
        (folder / "lease.txt").write_text("The rent is due.")
        qtbot.waitUntil(page.parts.no_collections.isVisible)
        drop(page, folder)
        qtbot.waitUntil(lambda: names(page) == ["lease.txt"])
        assert [known.name for known in home.collections.values()] == ["contracts"]


def make_documents(count: int) -> list[Document]:
    return [
        Document(
            id=f"d{n}", path=f"/files/{n:05}.txt", title="", kind="txt", state="failed" if n % 9 == 0 else "indexed",
            chunks=n % 40,
        )
        for n in range(count)
    ]  # fmt: skip


def test_no_type_is_cut(qtbot: QtBot, theme: Theme) -> None:
    """A name wider than the column, as "Markdown" is in a wider font."""
    view, table = FileView(), DocumentTable()
    qtbot.addWidget(view)
    view.setModel(table)
    view.show_columns()
    view.setFixedSize(900, 400)
    view.show()
    table.set_documents([Document(id="a", path="/a.md", title="a", kind="spreadsheet" * 2, state="indexed")])
    qtbot.waitUntil(lambda: view.columnWidth(1) >= view.sizeHintForIndex(table.index(0, 1)).width())
    assert view.columnWidth(1) > view.fontMetrics().horizontalAdvance("Spreadsheet" * 2)


def test_ten_thousand_rows_are_kept_in_place(qtbot: QtBot) -> None:
    table = DocumentTable()
    rows = DocumentFilter(table)
    documents = make_documents(10_000)
    table.set_documents(documents)
    rows.set_state("failed")
    assert rows.rowCount() == 1112
    resets: list[int] = []
    table.modelReset.connect(lambda: resets.append(1))
    table.set_documents([*documents[1:], *make_documents(10_001)[-1:]])
    assert table.rowCount() == 10_000
    assert resets == []
    assert table.row_of("d10000") == 9_999
    assert table.row_of("/files/00001.txt") == 0


def test_every_control_has_a_name_for_screen_readers(page: DocumentsPage) -> None:
    nameless = [
        type(button).__name__
        for button in page.findChildren(QAbstractButton)
        if button.isVisible() and not button.text() and not button.accessibleName()
    ]
    assert nameless == []


def show_names(qtbot: QtBot, page: DocumentsPage) -> NamesPanel:
    QTest.mouseClick(page.parts.sides.buttons["names"], Qt.MouseButton.LeftButton)
    panel = page.parts.names
    qtbot.waitUntil(lambda: panel.table.rowCount() > 0)
    return panel


def choose_name(qtbot: QtBot, panel: NamesPanel, row: int = 0) -> str:
    panel.view.selectRow(row)
    name = panel.table.rows[row].name
    qtbot.waitUntil(lambda: panel.title.full_text.startswith(name))
    return name


def test_names_are_listed_with_the_passages_of_the_chosen_one(
    qtbot: QtBot, page: DocumentsPage, home: FakeHome
) -> None:
    panel = show_names(qtbot, page)
    known = home.names(page._current)
    assert [one.name for one in panel.table.rows] == [one.name for one in known.names]
    assert not page.parts.search.isVisible()
    name = choose_name(qtbot, panel)
    found = home.places_of_name(c.FindName(collection=page._current, name=name))
    assert [card.passage for card in panel.passages.cards] == list(found.passages)
    assert not [label for label in panel.passages.findChildren(QLabel) if "0.000" in label.text()]


def test_a_passage_of_a_name_opens_its_document_there(qtbot: QtBot, page: DocumentsPage) -> None:
    panel = show_names(qtbot, page)
    choose_name(qtbot, panel)
    QTest.mouseClick(panel.passages.cards[0], Qt.MouseButton.LeftButton)
    assert page.parts.shows_document
    assert page._opened is not None
    assert page._opened.id == panel.passages.cards[0].passage.document
    assert page.parts.shows_names


def test_names_are_filtered_by_words_and_by_type(qtbot: QtBot, page: DocumentsPage) -> None:
    panel = show_names(qtbot, page)
    whole = panel.table.rowCount()
    wanted = panel.table.rows[-1]
    QTest.keyClicks(panel.filter, wanted.name)
    QTest.keyClick(panel.filter, Qt.Key.Key_Return)
    assert wanted in panel.table.rows
    assert panel.table.rowCount() < whole
    assert f"of {whole:,} names" in panel.count.text()
    panel.filter.clear()
    assert panel.table.rowCount() == whole
    choose(panel.kind, texts.NAME_PERSON)
    assert {one.kind for one in panel.table.rows} <= {"person"}


def test_what_connects_two_names_is_shown_as_a_chain_or_together(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront
) -> None:
    panel = show_names(qtbot, page)
    name = choose_name(qtbot, panel)
    other = panel.table.rows[1].name
    panel.other.setText(other)
    QTest.keyClick(panel.other, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: other in panel.title.full_text)
    assert front.asked(c.FindName)[-1].other == other
    panel.other.setText("Nobody At All")
    QTest.keyClick(panel.other, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: any("Nobody At All" in label.text() for label in panel.passages.findChildren(QLabel)))
    panel.other.clear()
    qtbot.waitUntil(lambda: panel.title.full_text == texts.PASSAGES_OF.format(name=name, passages=passages_of(panel)))


def passages_of(panel: NamesPanel) -> str:
    count = len(panel.passages.cards)
    return f"{count:,} passage{'s' if count != 1 else ''}"


def test_a_collection_without_names_offers_to_read_its_files_again(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, home: FakeHome
) -> None:
    home.texts.update(dict.fromkeys(home.texts, "nothing is named here."))
    QTest.mouseClick(page.parts.sides.buttons["names"], Qt.MouseButton.LeftButton)
    panel = page.parts.names
    qtbot.waitUntil(panel.none.isVisible)
    assert panel.none.button is not None
    panel.none.button.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.ReadAgain)))
    assert front.asked(c.ReadAgain)[-1] == c.ReadAgain(collection=page._current)
    assert not page.parts.shows_names


def test_another_collection_shows_its_files_first(qtbot: QtBot, page: DocumentsPage) -> None:
    show_names(qtbot, page)
    page._create("other", lambda collection: None)
    qtbot.waitUntil(lambda: page.parts.title.full_text == "other")
    assert not page.parts.shows_names


def test_five_thousand_names_are_shown_and_filtered(qtbot: QtBot, page: DocumentsPage, front: FakeFront) -> None:
    entries = tuple(NameEntry(name=f"Name {n}", kind="name", passages=n, documents=1) for n in range(5_000))
    front.answer(c.ListNames, lambda call: [finish(c.NameList(names=entries, total=6_000))])
    panel = show_names(qtbot, page)
    assert panel.count.text() == texts.NAMES_SHOWN.format(shown=5_000, names="6,000 names")
    QTest.keyClicks(panel.filter, "4999")
    QTest.keyClick(panel.filter, Qt.Key.Key_Return)
    assert [one.name for one in panel.table.rows] == ["Name 4999"]


def choose_files(page: DocumentsPage, *wanted: str) -> None:
    view, flags = page.parts.view, QItemSelectionModel.SelectionFlag
    for name in wanted:
        index = page.parts.rows.index(names(page).index(name), 0)
        view.selectionModel().select(index, flags.Select | flags.Rows)


def test_several_files_are_asked_read_again_and_removed_together(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, shell: RecordingShell
) -> None:
    bar, some = page.parts.selection, names(page)[:2]
    choose_files(page, some[0])
    assert not bar.isVisible()
    choose_files(page, *some)
    assert bar.isVisible()
    paths = tuple(one.path for one in page.parts.chosen())
    bar.ask.click()
    assert shell.opened[-1] == ("chat", {"collection": "Brunnen pumps", "files": paths})
    bar.read.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.AddDocuments)))
    assert (front.asked(c.AddDocuments)[-1].paths, front.asked(c.AddDocuments)[-1].anew) == (paths, True)
    bar.remove.click()
    qtbot.waitUntil(lambda: len(front.asked(c.RemoveDocument)) == 2)
    qtbot.waitUntil(lambda: not set(some) & set(names(page)))


def test_two_documents_are_shown_side_by_side_with_what_differs(
    qtbot: QtBot, page: DocumentsPage, home: FakeHome
) -> None:
    collection = next(iter(home.collections))
    home.put_document(collection, "/a/terms-2023.md", "# Terms\n\nThe warranty is 24 months.\n\nPay at once.")
    home.put_document(collection, "/a/terms-2025.md", "# Terms\n\nThe warranty is 36 months.\n\nPay at once.")
    page._on_files_ended()
    qtbot.waitUntil(lambda: "terms-2025.md" in names(page))
    choose_files(page, "terms-2023.md", "terms-2025.md")
    assert page.parts.selection.compare.isEnabled()
    page.parts.selection.compare.click()
    assert page.parts.shows_comparison
    view = page.parts.comparison
    qtbot.waitUntil(lambda: view.current == 0)
    assert view.summary.text() == texts.CHANGED_BOTH.format(count=1)
    marked = [sorted(one.marked) for one in view.views]
    assert marked == [
        [("mark", "The warranty is 24 months."), ("removed", "24")],
        [("added", "36"), ("mark", "The warranty is 36 months.")],
    ]
    assert not view.after.isEnabled()
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert not page.parts.shows_comparison
    choose_files(page, names(page)[0])
    assert not page.parts.selection.compare.isEnabled()
    assert page.parts.selection.compare.toolTip() == texts.COMPARE_NEEDS_TWO


def test_a_file_that_has_changed_since_it_was_read_says_so(qtbot: QtBot, page: DocumentsPage, home: FakeHome) -> None:
    collection = next(iter(home.collections))
    known = next(one for one in home.documents_of(collection).values() if one.state == "indexed")
    home.documents_of(collection)[known.id] = msgspec.structs.replace(known, changed=True)
    page._on_files_ended()
    name = Path(known.path).name
    index = page.parts.rows.index(names(page).index(name), 4)
    qtbot.waitUntil(lambda: index.data() == texts.STATE_CHANGED)


def test_a_new_folder_is_watched_and_one_that_is_known_stays_as_it_is(
    qtbot: QtBot, page: DocumentsPage, front: FakeFront, home: FakeHome, tmp_path: Path
) -> None:
    file = tmp_path / "one.txt"
    file.write_text("One.")
    page.add([str(tmp_path), str(file)])
    qtbot.waitUntil(lambda: len(front.asked(c.AddDocuments)) == 2)
    assert [(call.paths, call.watch) for call in front.asked(c.AddDocuments)] == [
        ((str(tmp_path),), True),
        ((str(file),), False),
    ]
