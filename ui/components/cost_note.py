"""What work will cost at endpoints, shown in the dialog that starts it. Hidden where this machine computes all."""

from __future__ import annotations

from PySide6.QtCore import QTimer

from ui.bridge import Bridge
from ui.components.basics import Text
from workbench.base.catalogue import translated
from workbench.subjects.costs.calls import CostEstimates, Costly, EstimateCost

_WAIT_MS = 250
"""Until a form that is being filled in is asked about."""


class CostNote(Text):
    def __init__(self, bridge: Bridge) -> None:
        super().__init__("", "small", visible=False)
        self._bridge = bridge
        self._of: Costly | None = None
        self._timer = QTimer(self, singleShot=True, interval=_WAIT_MS, timeout=self._ask)

    def ask(self, call: Costly | None) -> None:
        """Show the cost of a call; None where something of it is missing."""
        if call == self._of:
            return
        self._of = call
        self.hide()
        self._timer.start()

    def _ask(self) -> None:
        of = self._of
        if of is None:
            return
        failed = lambda error: None  # noqa: E731 - what is wrong is said when the work is started

        def show(found: CostEstimates) -> None:
            if self._of == of:
                self.setText("\n".join(translated(one.describe()) for one in found.estimates))
                self.setVisible(bool(found.estimates))

        self._bridge.call(EstimateCost(of=of), show, failed, self)
