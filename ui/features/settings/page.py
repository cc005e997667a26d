"""The Settings page, generated from the settings' types, with facts about the program and its data folder.

Where the local API is served, its key, and a request to copy.
"""

from __future__ import annotations

import inspect
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QShowEvent
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, Line, PlainButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.code_view import CodeView
from ui.components.config_form import FieldRow, Form, choice_control
from ui.components.folder_control import folder_control
from ui.components.layout import ScrolledColumn, column_of, row_of
from ui.components.wording import describe_count, in_words
from ui.features import ShellActions
from ui.features.settings import texts
from ui.features.settings.backup_card import BackupCard
from ui.features.settings.chats_card import ChatsCard
from ui.features.settings.engine_card import EngineCard
from ui.features.settings.facts import Facts
from ui.features.settings.machine_card import MachineCard
from ui.features.settings.network_clients import NetworkClients
from ui.features.settings.network_log import NetworkLogPart
from ui.features.settings.trash_card import TrashCard
from ui.theme import tokens
from workbench.base.catalogue import _
from workbench.base.errors import UserError
from workbench.base.fields import Field
from workbench.base.settings import SECTIONS, Settings
from workbench.subjects.machine.calls import ChangeSettings, GetSettings
from workbench.subjects.models.calls import ListModels, ModelList
from workbench.subjects.runs.calls import Status
from workbench.subjects.serving.calls import ApiState, GetApiState, ListServedModels, RenewApiKey, ServedModels

TITLES = {
    "general": texts.SECTION_GENERAL,
    "engine": texts.SECTION_MODEL,
    "models": texts.SECTION_EXAM,
    "documents": texts.SECTION_DOCUMENTS,
    "network": texts.SECTION_NETWORK,
    "server": texts.SECTION_SERVER,
}
MACHINE, BACKUP, ENGINES, TRASH, CHATS = "machine", "backup", "engines", "trash", "chats"
"""The sections that are no settings."""


class SettingsPage(QWidget):
    """Changes are saved at once. A note beside each section says when they take effect."""

    name, title, icon = "settings", _("Settings"), "settings"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self.forms: dict[str, Form] = {}
        self._build()
        bridge.status_changed.connect(self._on_status)
        bridge.home.listing(ListModels()).follow(self._on_models)
        bridge.home.listing(GetSettings()).follow(self._on_settings)
        if bridge.status is not None:
            self._on_status(bridge.status)

    def open_target(self, section: str = "", field: str = "") -> None:
        """Show a field of a section, or a part of a card that is no section (``MACHINE`` and the others). Raises
        KeyError for one that there is not."""
        cards: dict[str, MachineCard | BackupCard | EngineCard | TrashCard | ChatsCard]
        cards = {
            MACHINE: self.machine,
            BACKUP: self.backup,
            ENGINES: self.engines,
            TRASH: self.trash,
            CHATS: self.chats,
        }
        if section in cards:
            row = cards[section].part(field)
            row.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            row = self.forms[section].focus_field(field)
        # once the rows that were unfolded for it have their places
        QTimer.singleShot(0, self, lambda: self._area.ensureWidgetVisible(row, 0, tokens.SPACE_6))

    def fact(self, name: str) -> str:
        """The value of a fact about the program or the machine, by its name in ``texts``."""
        return {**self._facts.values, **self.machine.facts.values}[name]

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        outer = column_of(self)
        self._area = ScrolledColumn(tokens.SPACE_4)
        column = self._area.column
        self.problems = Text("", "attention", visible=False)
        column.addWidget(self.problems)
        for section, config in SECTIONS.items():
            card = Card(margin=tokens.SPACE_5)
            card.body.setSpacing(tokens.SPACE_3)
            card.body.addWidget(Text(TITLES.get(section) or _(section.capitalize()), "heading"))
            card.body.addWidget(Text(_(inspect.cleandoc(config.__doc__ or "")), "muted"))
            form = self.forms[section] = Form(config, make_row=_make_row)
            form.changed.connect(partial(self._on_edited, section))
            card.body.addWidget(form)
            if section == "network":
                self.network = NetworkLogPart(self._bridge)
                card.body.addWidget(Line())
                card.body.addWidget(self.network)
            if section == "server":
                self.clients = NetworkClients(self._bridge)
                self.api = ApiCard(self._bridge, self.clients)
                card.body.addWidget(self.api)
                card.body.addWidget(Line())
                card.body.addWidget(self.clients)
            column.addWidget(card)
            if section == "engine":
                self.engines = EngineCard(self._bridge)
                column.addWidget(self.engines)
        self.backup = BackupCard(self._bridge)
        column.addWidget(self.backup)
        self.chats = ChatsCard(self._bridge)
        column.addWidget(self.chats)
        self.trash = TrashCard(self._bridge)
        column.addWidget(self.trash)
        self.machine = MachineCard(self._bridge)
        column.addWidget(self.machine)
        column.addWidget(self._build_about())
        outer.addWidget(self._area)

    def _build_about(self) -> Card:
        card = Card(margin=tokens.SPACE_5)
        card.body.setSpacing(tokens.SPACE_3)
        card.body.addWidget(Text(texts.ABOUT, "heading"))
        self._facts = Facts(texts.VERSION, texts.DATA_FOLDER)
        self.folder_button = PlainButton(texts.OPEN_FOLDER, "folder", small=True, clicked=self._on_open_folder)
        self._facts.add_action(texts.DATA_FOLDER, self.folder_button)
        card.body.addWidget(self._facts)
        card.body.addWidget(Text(texts.DATA_FOLDER_HELP, "small"))
        return card

    # -- what happens --------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.api.refresh()
        self.clients.refresh()
        self.machine.refresh()
        self.network.refresh()

    def _on_settings(self, settings: Settings) -> None:
        self.problems.setText("\n".join(settings.problems))
        self.problems.setVisible(bool(settings.problems))
        for section, form in self.forms.items():
            form.set_values(getattr(settings, section))

    def _on_models(self, found: ModelList) -> None:
        row = self.forms["general"].row("model")
        assert isinstance(row, FieldRow)
        assert isinstance(row.control, ChoiceBox)
        names = [model.name for model in found.models if model.kind == "chat" and not model.missing]
        row.control.set_choices([(texts.FIRST_MODEL, ""), *((name, name) for name in names)])
        row.set_value(row.value)  # a model that went is shown as gone

    def _on_edited(self, section: str, name: str, value: Any) -> None:
        def refused(error: Exception) -> None:
            words = in_words(error) if isinstance(error, UserError) else str(error)
            self.forms[section].set_error(name, words)

        plain = list(value) if isinstance(value, tuple) else value
        self._bridge.call(ChangeSettings(values={section: {name: plain}}), self._on_saved, refused, self)

    def _on_saved(self, settings: Settings) -> None:
        self._on_settings(settings)  # also where it is as before: what was typed may not be what was taken
        self._bridge.home.listing(GetSettings()).put(settings)
        self._bridge.refresh_status()

    def _on_status(self, status: Status) -> None:
        self._facts.set_value(texts.VERSION, status.version)
        self._facts.set_value(texts.DATA_FOLDER, status.home)

    def _on_open_folder(self) -> None:
        folder = self.fact(texts.DATA_FOLDER)
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(folder)))):
            self._shell.show_message(texts.CANNOT_OPEN_FOLDER.format(folder=folder), "info")


def _make_row(field: Field) -> FieldRow | None:
    """The default model is one of those that there are, and a folder is chosen."""
    if field.name == "model_folder":
        return FieldRow(field, make=folder_control)
    return FieldRow(field, make=choice_control) if field.name == "model" else None


class ApiCard(QWidget):
    """Empty while the API is off. ``clients`` is told the state as well."""

    def __init__(self, bridge: Bridge, clients: NetworkClients) -> None:
        super().__init__()
        self._bridge = bridge
        self._clients = clients
        self._model = texts.API_MODEL
        self._state: ApiState | None = None
        self.status = Text("", "body")
        self.problem = Text("", "attention", visible=False)
        self.example = CodeView()
        self.copy_address = PlainButton(texts.COPY_ADDRESS, "copy", small=True, clicked=self._on_copy_address)
        self.key = Text("", "code", textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse, wordWrap=False)
        self.show_key = PlainButton(texts.SHOW_KEY, "eye", small=True, checkable=True, toolTip=texts.SHOW_KEY_HELP)
        self.show_key.toggled.connect(lambda shown: self._write_example())
        self.copy_key = PlainButton(texts.COPY_KEY, "copy", small=True, clicked=self._on_copy_key)
        self.renew = PlainButton(texts.RENEW_KEY, "refresh", small=True, clicked=self._on_renew)
        self.renew.setToolTip(texts.RENEW_KEY_HELP)
        self._served = QWidget()
        actions = row_of(None, self.copy_address, None)
        key = row_of(None, self.key, self.show_key, self.copy_key, self.renew, None)
        column_of(self._served, actions, key, Text(texts.API_EXAMPLE, "small"), self.example, gap=tokens.SPACE_2)
        column_of(self, self.problem, self.status, self._served, gap=tokens.SPACE_3)
        self._show(ApiState(running=False))
        bridge.home.listing(GetSettings()).follow(self._on_settings)

    def refresh(self) -> None:
        """Ask again where it is served."""
        self._bridge.call(GetApiState(), self._show, owner=self)

    def _on_settings(self, settings: Settings) -> None:
        self.refresh()

    def _show(self, state: ApiState) -> None:
        self._state = state
        self._clients.show_state(state)
        self.problem.setText(state.problem)
        self.problem.setVisible(bool(state.problem))
        self.status.setVisible(state.running)
        self._served.setVisible(state.running)
        if not state.running:
            return
        self.status.setText(
            texts.API_SERVED.format(
                address=f"{state.address}/v1", answered=describe_count(state.answered, "request"), refused=state.refused
            )
        )
        self._write_example()
        self._bridge.call(ListServedModels(), self._on_models, owner=self)

    def _on_models(self, found: ServedModels) -> None:
        usable = [one.id for one in found.models if one.kind != "embedder" and not one.problem]
        self._model = usable[0] if usable else texts.API_MODEL
        self._write_example()

    def _write_example(self) -> None:
        state = self._state
        if state is not None and state.running:
            shown = self.show_key.isChecked()
            self.show_key.setText(texts.HIDE_KEY if shown else texts.SHOW_KEY)
            key = state.key if shown else texts.HIDDEN_KEY
            self.key.setText(texts.API_KEY.format(key=key))
            self.example.restart()
            self.example.show_code(self._code_with(state, key), "python", True)
            self.example.copied = self._code_with(state, state.key)

    def _code_with(self, state: ApiState, key: str) -> str:
        return texts.API_CODE.format(address=state.address, key=key, model=self._model)

    def _on_copy_address(self) -> None:
        if self._state is not None:
            QGuiApplication.clipboard().setText(f"{self._state.address}/v1")

    def _on_copy_key(self) -> None:
        if self._state is not None:
            QGuiApplication.clipboard().setText(self._state.key)

    def _on_renew(self) -> None:
        self._bridge.call(RenewApiKey(), self._show, owner=self)
