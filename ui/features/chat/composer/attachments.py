"""The files attached to a chat: a chip for each, how far its reading is, and what is wrong with one.

They serve that chat alone. A file that cannot be read is not attached: the reason is said, and all else stays. One with
a password gets a field for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from ui.bridge import Bridge
from ui.components.basics import IconButton, InlineMessage, LinkButton, Text
from ui.components.layout import FlowLayout, column_of, empty_layout, row_of
from ui.components.password_row import PasswordRow
from ui.components.recipe import texts as recipe_texts
from ui.components.run_follower import IngestFollower, RunFollowers
from ui.components.wording import describe_seconds, within
from ui.features.chat import texts
from ui.state import Listing
from ui.theme import tokens
from ui.theme.theme import set_property
from workbench.records.documents import Document, DocumentList
from workbench.records.visible import visible_name
from workbench.subjects.chats.calls import Attached, AttachFiles, ChatRecord
from workbench.subjects.documents.calls import ListDocuments, RemoveDocument, UnlockDocument

_SHOWN = 8
"""More files than this, as of a folder, are only counted."""
_NAME = 32  # characters


class AttachedFiles(QWidget):
    """Nothing is seen of it until files are attached."""

    changed = Signal()
    """Other files are attached than before."""
    chat_made = Signal(object)
    """A chat was begun for the files: its ChatRecord."""
    read = Signal(bool)
    """Nothing is being read any more; whether the last reading was complete."""
    emptied = Signal()
    """None of the files that were attached here is left."""
    opened = Signal(str, object)
    """A file is to be shown: the collection and the Document."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._chat: ChatRecord | None = None
        self._listing: Listing[DocumentList] | None = None
        self._documents: tuple[Document, ...] = ()
        self.locked: dict[str, LockedFile] = {}
        """Files that wait for their password, by path."""
        self._held = False  # whether files were attached to the shown chat, from here or before
        self._asked = 0  # calls to attach that are under way
        self._settling: set[str] = set()  # paths that were read, until the list has them
        self._unwanted: set[str] = set()  # paths whose reading is stopped, to be taken away
        self.chips: list[FileChip] = []
        self._flow_of_chips = QWidget(visible=False)
        self._flow = FlowLayout(self._flow_of_chips, tokens.SPACE_2)
        self._rows_of_locked = QWidget(visible=False)
        self._rows = column_of(self._rows_of_locked, gap=tokens.SPACE_1)
        self.message = InlineMessage()
        column_of(self, self.message, self._rows_of_locked, self._flow_of_chips, gap=tokens.SPACE_2)
        self._runs = RunFollowers(bridge, ("ingest",), self, IngestFollower)
        self._runs.began.connect(self._on_began)
        self._runs.ended.connect(self._on_ended)

    @property
    def documents(self) -> tuple[Document, ...]:
        """The files that are attached and read."""
        return self._documents

    @property
    def there_are(self) -> bool:
        """Whether questions of this chat search attached files."""
        return bool(self._documents or self._settling or self._is_unknown or self._reading())

    @property
    def _is_unknown(self) -> bool:
        """The core has to start a worker before it knows them."""
        return self._listing is not None and self._listing.value is None

    @property
    def reading(self) -> bool:
        """Whether files are still being read."""
        return bool(self._asked or self._settling or self._reading())

    def follow_home(self) -> None:
        """Follow the readings that are running, including those that another client began."""
        self._runs.find()

    def show_chat(self, record: ChatRecord | None) -> None:
        """Show what is attached to a chat; None: a new one."""
        before, self._chat = self._chat, record
        collection = record.attachments if record is not None else ""
        same = (before.id if before is not None else "") == (record.id if record is not None else "")
        if same and (before is None or before.attachments == collection):
            return
        if self._listing is not None:
            self._listing.leave(self._on_documents)
        if not same and before is not None:
            self.message.hide()
        self._documents = ()
        self._show_locked(())
        self._held = False
        self._settling.clear()
        self._listing = self._bridge.home.listing(ListDocuments(collection=collection)) if collection else None
        if self._listing is not None:
            self._listing.follow(self._on_documents)
        self._show()

    def attach(self, paths: Sequence[str]) -> None:
        """Attach files or folders to the chat that is shown, or to one that is begun for them."""
        chat = self._chat.id if self._chat is not None else None
        self._asked += 1

        def take(attached: Attached) -> None:
            self._asked -= 1
            if chat is None and self._chat is None:
                self.chat_made.emit(attached.chat)
            elif self._chat is not None and self._chat.id == attached.chat.id:
                self.show_chat(attached.chat)
            self._runs.follow(attached.run)

        def fail(error: Exception) -> None:
            self._asked -= 1
            self.message.show_message(str(error), "danger")
            self._show()

        self.message.hide()
        self._bridge.call(AttachFiles(chat=chat, paths=tuple(paths)), take, fail, self)

    def wait(self, send: Callable[[], None]) -> None:
        """Say that a question waits for the files to be read."""
        self.message.show_message(texts.SENT_WHEN_READ, "info", texts.SEND_NOW, send)

    # -- reading ---------------------------------------------------------------------------------------

    def _reading(self) -> list[IngestFollower]:
        """The readings into this chat's files."""
        collection = self._chat.attachments if self._chat is not None else ""
        return [one for one in self._runs.open.values() if collection and _collection(one) == collection]

    def _on_began(self, reading: IngestFollower) -> None:
        reading.arrived.connect(self._show_progress)
        if reading in self._reading():
            self._show()

    def _on_ended(self, reading: IngestFollower) -> None:
        collection = self._chat.attachments if self._chat is not None else ""
        if not collection or _collection(reading) != collection:
            return
        paths = set(reading.run.config["paths"])
        unwanted, left = paths & self._unwanted, paths - self._unwanted
        self._unwanted -= paths
        for path in unwanted:
            self._remove(path)
        if unwanted and left:
            self.attach(sorted(left))  # they were stopped with it
        self._settling |= left
        if self._listing is not None:
            self._listing.once(lambda found: self._on_settled(reading, found, stopped=bool(unwanted)), self)

    def _on_settled(self, reading: IngestFollower, found: DocumentList, stopped: bool) -> None:
        """The list has what was read."""
        self._settling -= set(reading.run.config["paths"])
        locked = {document.path for document in found.documents if document.locked}
        failed = [(path, why) for path, why in reading.failed if path not in locked]
        for path, _ in failed:
            self._remove(path)
        if failed:
            names = [texts.NOT_ATTACHED.format(name=visible_name(path), reason=why) for path, why in failed]
            self.message.show_message("\n".join(names[:3]), "danger")
        elif not reading.result and not stopped:
            self.message.show_message(reading.outcome, "attention")
        elif not self.reading:
            self.message.hide()
        if not self.reading:
            self.read.emit(bool(reading.result) and not reading.failed and not stopped)
        self._show()
        self._tell_emptied()

    def _remove(self, path: str) -> None:
        if self._chat is not None and self._chat.attachments:
            call = RemoveDocument(collection=self._chat.attachments, document=path)
            self._bridge.call(call, lambda _: None, lambda _: None, self)

    # -- showing ---------------------------------------------------------------------------------------

    def _show_locked(self, documents: Sequence[Document]) -> None:
        """A row for each file that waits for its password."""
        for path in set(self.locked) - {document.path for document in documents}:
            row = self.locked.pop(path)
            self._rows.removeWidget(row)
            row.deleteLater()
        for document in documents:
            row = self.locked.get(document.path) or LockedFile(document.path)
            if document.path not in self.locked:
                row.removed.connect(self._remove)
                row.password.entered.connect(self._unlock)
                self.locked[document.path] = row
                self._rows.addWidget(row)
            row.password.show_document(document)
        self._rows_of_locked.setVisible(bool(self.locked))

    def _unlock(self, document: str, password: str) -> None:
        collection = self._chat.attachments if self._chat is not None else ""

        def fail(error: Exception) -> None:
            self.message.show_message(str(error), "danger")

        self.message.hide()
        call = UnlockDocument(collection=collection, document=document, password=password)
        self._bridge.call(call, self._runs.follow, fail, self)

    def _on_documents(self, found: DocumentList) -> None:
        self._show_locked([document for document in found.documents if document.locked])
        self._documents = tuple(document for document in found.documents if document.state != "failed")
        self._show()
        self._tell_emptied()

    def _tell_emptied(self) -> None:
        if self.there_are or self._asked or self.locked:
            self._held = True
        elif self._held:
            self._held = False
            self.emptied.emit()

    def _show(self) -> None:
        known = {document.path for document in self._documents}
        read = [path for one in self._reading() for path in one.run.config["paths"]]
        waiting = [path for path in dict.fromkeys((*sorted(self._settling), *read)) if path not in known]
        empty_layout(self._flow)
        self.chips = [FileChip(document.path, document) for document in self._documents[:_SHOWN]]
        self.chips += [FileChip(path) for path in waiting[:_SHOWN]]
        for chip in self.chips:
            chip.removed.connect(self._on_removed)
            chip.opened.connect(
                lambda document: self.opened.emit(self._chat.attachments if self._chat else "", document)
            )
            self._flow.addWidget(chip)
        rest = len(self._documents) + len(waiting) - len(self.chips)
        if rest > 0:
            self._flow.addWidget(LinkButton(texts.MORE_FILES.format(rest=rest), enabled=False))
        if self._is_unknown and not self.chips:
            self._flow.addWidget(LinkButton(recipe_texts.LISTING_FILES, enabled=False))
        self._flow_of_chips.setVisible(self._flow.count() > 0)
        self._show_progress()
        self.changed.emit()

    def _show_progress(self) -> None:
        for reading in self._reading():
            paths = set(reading.run.config["paths"])
            waiting = [chip for chip in self.chips if chip.document is None and chip.path in paths]
            for number, chip in enumerate(waiting):
                chip.show_progress(reading if not number else None)

    def _on_removed(self, path: str) -> None:
        for reading in self._reading():
            if path in reading.run.config["paths"]:
                self._unwanted.add(path)
                reading.stop()
                return
        self._remove(path)


class LockedFile(QFrame):
    """A file that waits for its password: its name, the field, and a button that takes it away again."""

    removed = Signal(str)

    def __init__(self, path: str) -> None:
        super().__init__()
        name = visible_name(path) or path
        self.setProperty("role", "file")
        self.name = Text(texts.LOCKED_FILE.format(name=within(name, _NAME)), toolTip=path)
        self.password = PasswordRow()
        self.remove = IconButton("close", texts.DETACH.format(name=name), clicked=lambda: self.removed.emit(path))
        self.remove.setFixedSize(24, 24)
        margins = (tokens.SPACE_2, tokens.SPACE_1, 2, tokens.SPACE_1)
        row_of(self, self.name, (self.password, 1), self.remove, gap=tokens.SPACE_2, margins=margins)


class FileChip(QFrame):
    """A file: its name, which opens it, how far its reading is, and a button that takes it away again."""

    removed = Signal(str)
    opened = Signal(object)

    def __init__(self, path: str, document: Document | None = None) -> None:
        super().__init__()
        self.path, self.document = path, document
        self._name = visible_name(path) or path
        self.setProperty("role", "file")
        self.name = LinkButton("", "file", toolTip=path, clicked=self._on_clicked)
        self.remove = IconButton("close", texts.DETACH.format(name=self._name), clicked=lambda: self.removed.emit(path))
        self.remove.setFixedSize(24, 24)
        row_of(self, self.name, self.remove, gap=0, margins=(tokens.SPACE_1, 0, 2, 0))
        self._say(within(self._name, _NAME) if document is not None else texts.FILE_WAITS.format(name=self._short))

    @property
    def _short(self) -> str:
        return within(self._name, _NAME)

    def show_progress(self, reading: IngestFollower | None) -> None:
        """How far it is read; None: it waits for another one."""
        if reading is None or reading.share is None:
            self._say(texts.FILE_WAITS.format(name=self._short))
            return
        left = reading.progress.seconds_left
        words = texts.FILE_READ.format(name=self._short, share=reading.share)
        self._say(words + (texts.TIME_LEFT.format(seconds=describe_seconds(left)) if left and left > 5 else ""))

    def _say(self, words: str) -> None:
        self.name.setText(words)
        self.name.setAccessibleName(words)
        set_property(self, "reading", self.document is None)

    def _on_clicked(self) -> None:
        if self.document is not None:
            self.opened.emit(self.document)


def _collection(reading: IngestFollower) -> str:
    return str(reading.run.config.get("collection", ""))
