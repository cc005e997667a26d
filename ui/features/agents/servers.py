"""The tab of MCP servers: added, removed, and agreed to tool by tool; a tool that changed asks again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPlainTextEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, Chip, InlineMessage, PlainButton, PrimaryButton, QuietButton, Text, Tone
from ui.components.dialog import LabelledField
from ui.components.layout import FlowLayout, ScrolledColumn, column_of, empty_layout, row_of
from ui.components.notices import ConfirmRow
from ui.components.number_box import NumberBox
from ui.components.wording import in_words
from ui.features import ShellActions
from ui.features.agents import texts
from ui.theme import tokens
from workbench.base.catalogue import _
from workbench.base.errors import UserError
from workbench.records.mcp import CALL_SECONDS, LONGEST_CALL_SECONDS, McpServer, check_server, read_pairs
from workbench.records.visible import visible
from workbench.subjects.agents.calls import (
    AgreeToMcpTools,
    ListMcpServers,
    McpServerList,
    McpServerRecord,
    McpToolRecord,
    RemoveMcpServer,
    SaveMcpServer,
)


class ServersPage(ScrolledColumn):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "servers", _("Servers (MCP)"), "globe"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__(tokens.SPACE_4)
        self.servers = ServersPanel(bridge)
        self.column.addWidget(self.servers)


_NAME_WIDTH = 140  # px: the states of tools with short names stand below each other
_LONGEST = 400  # characters of a description


class ServersPanel(Card):
    """The servers are known at once, their tools when they have answered."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(margin=tokens.SPACE_5)
        self._bridge = bridge
        self.views: dict[str, ServerView] = {}
        self.problem = InlineMessage()
        self.add_button = PlainButton(texts.ADD_SERVER, "plus", small=True)
        self.form = ServerForm()
        self.add_button.clicked.connect(self._on_add)
        self.form.made.connect(self._on_made)
        self.form.given_up.connect(self._on_given_up)
        self.state = Text("", "muted")
        self._list = column_of(gap=tokens.SPACE_3)
        head = row_of(None, (Text(texts.SERVERS, "heading"), 1), self.add_button)
        self.body.addLayout(head)
        self.body.addWidget(Text(texts.SERVERS_HELP, "muted"))
        for part in (self.problem, self.form, self.state):
            self.body.addWidget(part)
        self.body.addLayout(self._list)
        self._connected = bridge.home.listing(ListMcpServers())
        self._connected.follow(self._on_connected)
        self._known = bridge.home.listing(ListMcpServers(connect=False))
        self._known.follow(self._on_known)

    def _on_known(self, found: McpServerList) -> None:
        names = [record.server.name for record in found.servers]
        if list(self.views) != names:
            self._show(found.servers)
        self._say(found)

    def _say(self, found: McpServerList) -> None:
        self.add_button.setEnabled(not found.problem)
        self.add_button.setToolTip(found.problem)
        names = [record.server.name for record in found.servers]
        connecting = bool(names) and self._connected.reading and not found.problem
        self.state.setText(found.problem or (texts.CONNECTING_TO if connecting else "" if names else texts.NO_SERVERS))
        self.state.setVisible(bool(self.state.text()) and self.form.isHidden())

    def _on_connected(self, found: McpServerList) -> None:
        self._show(found.servers)
        self._say(found)

    def _show(self, records: Sequence[McpServerRecord]) -> None:
        empty_layout(self._list)
        self.views = {}
        for record in records:
            view = self.views[record.server.name] = ServerView(record)
            view.agreed.connect(self._on_agreed)
            view.removed.connect(self._on_removed)
            self._list.addWidget(view)

    # -- what the person does ------------------------------------------------------------------------

    def _on_add(self) -> None:
        self.add_button.hide()
        self.state.hide()
        self.form.begin()

    def _on_given_up(self) -> None:
        self.form.hide()
        self.add_button.show()
        self.state.setVisible(bool(self.state.text()))

    def _on_made(self, server: McpServer) -> None:
        self.form.set_busy(True)
        self._bridge.call(SaveMcpServer(server=server), self._on_saved, self._on_refused, self)

    def _on_saved(self, record: McpServerRecord) -> None:
        self._on_given_up()
        self._refresh()

    def _on_refused(self, error: Exception) -> None:
        self.form.set_busy(False)
        self.form.show_error(in_words(error))

    def _on_agreed(self, name: str, digests: tuple[str, ...], reads: tuple[str, ...]) -> None:
        call = AgreeToMcpTools(name=name, digests=digests, reads=reads)
        self._bridge.call(call, lambda _: self._refresh(), self._on_failed, self)

    def _on_removed(self, name: str) -> None:
        self._bridge.call(RemoveMcpServer(name=name), lambda _: self._refresh(), self._on_failed, self)

    def _on_failed(self, error: Exception) -> None:
        self.problem.show_message(in_words(error), "danger")
        self._refresh()

    def _refresh(self) -> None:
        self._known.refresh()
        self._connected.refresh()


class ServerView(QWidget):
    """A server, and its tools with what the person has agreed to."""

    agreed = Signal(str, object, object)
    removed = Signal(str)

    def __init__(self, record: McpServerRecord) -> None:
        super().__init__()
        self.record = record
        server = record.server
        self.remove_button = QuietButton(texts.REMOVE_SERVER, "trash", small=True)
        self.remove_button.setAccessibleName(texts.REMOVE_SERVER_NAME.format(name=server.name))
        self.confirm = ConfirmRow(self.remove_button)
        self.confirm.set_question(texts.ASK_REMOVE_SERVER.format(name=server.name), texts.REMOVE_SERVER)
        self.confirm.confirmed.connect(lambda: self.removed.emit(server.name))
        self.remove_button.clicked.connect(self.confirm.ask)
        place = Text(server.url or shlex.join(server.command), "small")
        words = column_of(None, Text(server.name, "strong"), place, gap=0)
        column = column_of(self, row_of(None, (words, 1), self.remove_button), self.confirm, gap=tokens.SPACE_2)
        for said in (record.problem, *record.left_out):
            if said:
                column.addWidget(Text(visible(said), "attention"))
        self.tools = [McpToolView(tool) for tool in record.tools]
        for view in self.tools:
            view.changed.connect(self._on_changed)
            column.addWidget(view)

    def _on_changed(self) -> None:
        agreed = tuple(view.tool.digest for view in self.tools if view.agree.isChecked())
        reads = tuple(view.tool.digest for view in self.tools if view.agree.isChecked() and view.reads.isChecked())
        self.agreed.emit(self.record.server.name, agreed, reads)


class McpToolView(QWidget):
    """A tool of a server as that describes it, which is a stranger's word."""

    changed = Signal()

    def __init__(self, tool: McpToolRecord) -> None:
        super().__init__()
        self.tool = tool
        definition = tool.definition
        state, tone = _STATES[tool.state]
        head = QWidget()
        flow = FlowLayout(head, tokens.SPACE_2)
        self.agree = QCheckBox(visible(definition.name).replace("&", "&&"), toolTip=texts.AGREE_HELP)
        self.agree.setMinimumWidth(_NAME_WIDTH)
        self.agree.setChecked(tool.state == "agreed")
        self.agree.setEnabled(not tool.problem or tool.state == "agreed")
        self.state = Chip(state, tone)
        self.reads = QCheckBox(texts.ONLY_READS, toolTip=texts.ONLY_READS_HELP)
        self.reads.setChecked(tool.reads)
        self.reads.setEnabled(tool.state == "agreed")
        if not self.reads.isEnabled():
            self.reads.setToolTip(texts.AGREE_FIRST)
        for part in (self.agree, self.state, self.reads):
            flow.addWidget(part)
        names = ", ".join(definition.parameters.get("properties", {}))
        described = visible(" ".join(definition.description.split()))[:_LONGEST]
        said = (described, texts.TAKES.format(names=visible(names)) if names else "")
        below = column_of(None, gap=2, margins=(26, 0, 0, 0))
        for words in said:
            if words:
                below.addWidget(Text(words, "small"))
        if tool.problem:
            below.addWidget(Text(tool.problem, "attention"))
        column_of(self, head, below, gap=0)
        self.agree.toggled.connect(lambda _: self.changed.emit())
        self.reads.toggled.connect(lambda _: self.changed.emit())


_STATES: dict[str, tuple[str, Tone]] = {
    "agreed": (texts.AGREED, "success"),
    "new": (texts.NEW_TOOL, "plain"),
    "changed": (texts.CHANGED_TOOL, "attention"),
}


class ServerForm(QWidget):
    """A name, and a command or an address."""

    made = Signal(object)
    given_up = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = QLineEdit(placeholderText="files")
        self.place = QLineEdit(placeholderText=texts.PLACE_EXAMPLE)
        self.secrets = QPlainTextEdit()
        self.secrets.setTabChangesFocus(True)
        self.secrets.setFixedHeight(64)
        self.seconds = NumberBox(suffix=texts.SECONDS, minimum=1, maximum=LONGEST_CALL_SECONDS, value=CALL_SECONDS)
        self.error = Text("", "error", visible=False)
        self.save = PrimaryButton(texts.SAVE_SERVER, small=True, clicked=self._on_save)
        self.cancel = PlainButton(texts.CANCEL, small=True, clicked=self.given_up)
        column_of(
            self,
            LabelledField(texts.SERVER_NAME, texts.SERVER_NAME_HELP, self.name),
            LabelledField(texts.SERVER_PLACE, texts.SERVER_PLACE_HELP, self.place),
            LabelledField(texts.SERVER_SECRETS, texts.SERVER_SECRETS_HELP, self.secrets),
            LabelledField(texts.SERVER_SECONDS, texts.SERVER_SECONDS_HELP, self.seconds),
            self.error,
            row_of(None, None, self.cancel, self.save, gap=tokens.SPACE_2),
            gap=tokens.SPACE_3,
        )
        self.hide()

    def begin(self) -> None:
        for field in (self.name, self.place):
            field.clear()
        self.secrets.clear()
        self.seconds.setValue(CALL_SECONDS)
        self.error.hide()
        self.set_busy(False)
        self.show()
        self.name.setFocus()

    def set_busy(self, busy: bool) -> None:
        self.save.setEnabled(not busy)
        self.save.setText(texts.CONNECTING if busy else texts.SAVE_SERVER)
        self.save.setToolTip(texts.CONNECTING if busy else "")

    def show_error(self, words: str) -> None:
        self.error.setText(words)
        self.error.show()

    @property
    def server(self) -> McpServer:
        """What was written. Raises UserError."""
        place = self.place.text().strip()
        try:
            words = shlex.split(place)
        except ValueError as error:
            raise UserError(texts.COMMAND_UNREADABLE.format(error=error), texts.COMMAND_HINT) from error
        pairs = read_pairs(self.secrets.toPlainText().splitlines())
        is_url = place.startswith(("http://", "https://"))
        server = McpServer(
            name=self.name.text().strip(),
            url=place if is_url else "",
            command=() if is_url else tuple(words),
            headers=pairs if is_url else {},
            environment={} if is_url else pairs,
            call_seconds=self.seconds.value(),
        )
        check_server(server)
        return server

    def _on_save(self) -> None:
        self.error.hide()
        try:
            self.made.emit(self.server)
        except UserError as error:
            self.show_error(in_words(error))
