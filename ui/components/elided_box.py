"""A box with words that are cut where there is no room."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QStyle

from ui.components.basics import set_up, without_keys


class ElidedCheckBox(QCheckBox):
    """A box whose words end in an ellipsis where there is no room."""

    def __init__(self, text: str, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, **properties: Any) -> None:
        super().__init__()
        self._full, self._mode = text, mode
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)
        self._fit()
        set_up(self, properties)

    @property
    def full_text(self) -> str:
        return self._full

    def text(self) -> str:
        return self._full

    def minimumSizeHint(self) -> QSize:
        return QSize(self._beside() + 24, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        return QSize(self._beside() + self.fontMetrics().horizontalAdvance(self._full) + 4, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _beside(self) -> int:
        """Pixels of the box before the words."""
        look = self.style().pixelMetric
        return look(QStyle.PixelMetric.PM_IndicatorWidth) + look(QStyle.PixelMetric.PM_CheckBoxLabelSpacing) + 8

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._full, self._mode, max(self.width() - self._beside(), 24))
        super().setText(without_keys(shown))
