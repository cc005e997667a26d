"""Downloads: running ones with Stop, stopped ones with Resume, and models that are ready to use."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal

from ui import texts
from ui.bridge import Bridge
from ui.components.run_lines import RunLines, RunTexts
from workbench.subjects.models.calls import ListModels
from workbench.subjects.runs.calls import RunRecord

_TEXTS = RunTexts(
    waiting=texts.DOWNLOAD_WAITS,
    running=texts.DOWNLOADING,
    stopped=texts.DOWNLOAD_STOPPED,
    failed=texts.DOWNLOAD_FAILED,
    resume=texts.RESUME,
    stopping=texts.STOPPING,
)


class Downloads(RunLines):
    """``wanted`` carries the name of a model that the person wants to ask."""

    wanted = Signal(str)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge, "download", _TEXTS)

    def show_finished(self, run: RunRecord, result: dict[str, Any]) -> None:
        model = str(result.get("model", ""))
        message = self.message_of(run.id)
        message.show_message(
            texts.DOWNLOADED.format(model=model), "success", texts.ASK_MODEL, lambda: self._on_ask(run.id, model)
        )
        self._bridge.home.listing(ListModels()).refresh()

    def _on_ask(self, id: str, model: str) -> None:
        self.drop(id)
        self.show_some()
        self.wanted.emit(model)
