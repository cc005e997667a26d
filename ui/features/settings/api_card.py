"""Where the local API is served, its key, and a request to copy."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import PlainButton, Text
from ui.components.code_view import CodeView
from ui.components.layout import column_of, row_of
from ui.features.settings import texts
from ui.theme import tokens
from workbench.base.settings import Settings
from workbench.subjects.machine.calls import GetSettings
from workbench.subjects.serving.calls import ApiState, GetApiState, ListServedModels, RenewApiKey, ServedModels


class ApiCard(QWidget):
    """Empty while the API is off."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._model = texts.API_MODEL
        self._state: ApiState | None = None
        self.status = Text("", "body")
        self.problem = Text("", "attention", visible=False)
        self.example = CodeView()
        self.copy_address = PlainButton(texts.COPY_ADDRESS, "copy", small=True, clicked=self._on_copy_address)
        self.copy_key = PlainButton(texts.COPY_KEY, "copy", small=True, clicked=self._on_copy_key)
        self.renew = PlainButton(texts.RENEW_KEY, "refresh", small=True, clicked=self._on_renew)
        self.renew.setToolTip(texts.RENEW_KEY_HELP)
        self._served = QWidget()
        actions = row_of(None, self.copy_address, self.copy_key, self.renew, None, margins=(0, 0, 0, 0))
        column_of(self._served, actions, Text(texts.API_EXAMPLE, "small"), self.example, gap=tokens.SPACE_2)
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
        self.problem.setText(state.problem)
        self.problem.setVisible(bool(state.problem))
        self.status.setVisible(state.running)
        self._served.setVisible(state.running)
        if not state.running:
            return
        self.status.setText(
            texts.API_SERVED.format(address=f"{state.address}/v1", answered=state.answered, refused=state.refused)
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
            code = texts.API_CODE.format(address=state.address, key=state.key, model=self._model)
            self.example.restart()
            self.example.show_code(code, "python", True)

    def _on_copy_address(self) -> None:
        if self._state is not None:
            QGuiApplication.clipboard().setText(f"{self._state.address}/v1")

    def _on_copy_key(self) -> None:
        if self._state is not None:
            QGuiApplication.clipboard().setText(self._state.key)

    def _on_renew(self) -> None:
        self._bridge.call(RenewApiKey(), self._show, owner=self)
