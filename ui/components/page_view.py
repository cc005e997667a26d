"""A drawn page of a document with a passage marked on it, pages to turn and a scale to choose."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPixmap, QWheelEvent
from PySide6.QtWidgets import QScrollArea, QScrollBar, QWidget

from ui import texts
from ui.components.basics import IconButton, QuietButton, Text
from ui.components.layout import column_of, row_of
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.documents import PagePicture

WAIT_MS = 300
"""Shorter waits are not shown."""

SCALES = (0.75, 1.0, 1.25, 1.5, 2.0, 3.0)


class PageView(QWidget):
    """``wanted`` asks for a page at a scale (pixels a point); ``show_picture`` shows what came."""

    wanted = Signal(int, float)

    def __init__(self) -> None:
        super().__init__()
        self.page, self.pages = 1, 1
        self._scale = 1.0
        self._fits_width = True
        self._points = 0.0  # the page's width in points, once one was drawn
        self._to_passage = False
        self.asked_scale = 0.0
        """The scale that was asked for last: pictures of earlier ones are not to be shown."""
        self._centre: tuple[float, float] | None = None  # shares of the sheet that are to stay in the middle
        self.place = Text("", "muted", wordWrap=False)
        self._waiting, self._counted = texts.DRAWING_PAGE, texts.PAGE_OF
        self._patience = QTimer(
            self,
            singleShot=True,
            interval=WAIT_MS,
            timeout=lambda: self.place.setText(self._waiting.format(page=self.page)),
        )
        self.back = IconButton("chevron-left", texts.PAGE_BACK)
        self.forward = IconButton("chevron-right", texts.PAGE_FORWARD)
        self.smaller = QuietButton("−", accessibleName=texts.SMALLER)
        self.larger = QuietButton("+", accessibleName=texts.LARGER)
        self.fit_button = QuietButton(texts.FIT_WIDTH)
        for button in (self.smaller, self.larger, self.fit_button):
            button.setProperty("small", True)
        self.back.clicked.connect(lambda: self.turn(-1))
        self.forward.clicked.connect(lambda: self.turn(1))
        self.smaller.clicked.connect(lambda: self._zoom(-1))
        self.larger.clicked.connect(lambda: self._zoom(1))
        self.fit_button.clicked.connect(self._on_fit)
        self.sheet = _Sheet()
        self._area = QScrollArea(alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._area.setWidget(self.sheet)
        self._area.setAccessibleName(texts.DOCUMENT_PAGE)
        self._area.viewport().installEventFilter(self)
        row = row_of(gap=tokens.SPACE_1)
        turning: tuple[QWidget, ...] = (self.back, self.place, self.forward)
        for part in turning:
            row.addWidget(part)
        row.addStretch(1)
        for button in (self.smaller, self.larger, self.fit_button):
            row.addWidget(button)
        column_of(self, row, (self._area, 1), gap=tokens.SPACE_1)

    def turn_through(self, *, pictures: bool) -> None:
        """Say whether its pages are those of a document, or the pictures within one."""
        self._points = 0.0
        self._waiting = texts.DRAWING_PICTURE if pictures else texts.DRAWING_PAGE
        self._counted = texts.PICTURE_OF if pictures else texts.PAGE_OF
        names = (texts.PICTURE_BACK, texts.PICTURE_FORWARD) if pictures else (texts.PAGE_BACK, texts.PAGE_FORWARD)
        for button, name in zip((self.back, self.forward), names, strict=True):
            button.setToolTip(name)
            button.setAccessibleName(name)
        self._area.setAccessibleName(texts.DOCUMENT_PICTURE if pictures else texts.DOCUMENT_PAGE)

    def open_page(self, page: int) -> None:
        """Ask for a page at the present scale, and go to its passage when it comes."""
        self.page = max(1, page)
        self._to_passage = True
        self._ask()

    @property
    def shows_page(self) -> bool:
        """Whether a page has been drawn."""
        return self._points > 0

    def give_up(self) -> None:
        """The page that was asked for does not come."""
        self._patience.stop()
        self.place.setText("")

    def show_picture(self, picture: PagePicture) -> None:
        self._patience.stop()
        self.page, self.pages = picture.page, picture.pages
        ratio = self.devicePixelRatioF()
        scale = self.scale_now() * ratio
        self._points = picture.width / scale if scale else 0.0
        pixmap = QPixmap()
        pixmap.loadFromData(picture.png)
        pixmap.setDevicePixelRatio(ratio)
        boxes = [
            QRectF(b.left / ratio, b.top / ratio, (b.right - b.left) / ratio, (b.bottom - b.top) / ratio)
            for b in picture.boxes
        ]
        self.sheet.show_page(pixmap, boxes)
        self.place.setText(self._counted.format(page=self.page, pages=self.pages))
        self.back.setEnabled(self.page > 1)
        self.forward.setEnabled(self.page < self.pages)
        if self._to_passage and boxes:
            first = boxes[0]
            self._area.ensureVisible(round(first.center().x()), round(first.center().y()), 80, 120)
        elif self._to_passage:
            self._area.verticalScrollBar().setValue(0)
        elif self._centre is not None:
            for bar, share, length in zip(
                self._bars, self._centre, (self.sheet.width(), self.sheet.height()), strict=True
            ):
                bar.setValue(round(share * length - bar.pageStep() / 2))
        self._to_passage, self._centre = False, None

    def scale_now(self) -> float:
        """Pixels a point: what was chosen, or what fits the width."""
        if not self._fits_width:
            return self._scale
        width = max(200, self._area.viewport().width() - 4)
        return round(width / (self._points or 612.0), 2)

    def turn(self, by: int) -> None:
        page = self.page + by
        if 1 <= page <= self.pages:
            self.page = page
            self._to_passage = True
            self._ask()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.turn(-1 if event.key() == Qt.Key.Key_Left else 1)
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            self._zoom(1 if event.key() == Qt.Key.Key_Plus else -1)
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ctrl and the wheel zoom."""
        held = isinstance(event, QWheelEvent) and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if held and isinstance(event, QWheelEvent) and event.angleDelta().y():
            self._zoom(1 if event.angleDelta().y() > 0 else -1)
            return True
        return super().eventFilter(watched, event)

    @property
    def _bars(self) -> tuple[QScrollBar, QScrollBar]:
        return self._area.horizontalScrollBar(), self._area.verticalScrollBar()

    def _zoom(self, by: int) -> None:
        now = self.scale_now()
        larger = [scale for scale in SCALES if scale > now + 0.01]
        smaller = [scale for scale in SCALES if scale < now - 0.01]
        choice = larger[:1] if by > 0 else smaller[-1:]
        if choice:
            self._scale, self._fits_width = choice[0], False
            if self._centre is None:
                sizes = max(1, self.sheet.width()), max(1, self.sheet.height())
                shares = [
                    (bar.value() + bar.pageStep() / 2) / size for bar, size in zip(self._bars, sizes, strict=True)
                ]
                self._centre = min(1.0, shares[0]), min(1.0, shares[1])
            self._ask()

    def _on_fit(self) -> None:
        self._fits_width = True
        self._ask()

    def _ask(self) -> None:
        self._patience.start()
        self.asked_scale = min(4.0, self.scale_now() * self.devicePixelRatioF())
        self.wanted.emit(self.page, self.asked_scale)


class _Sheet(QWidget):
    """The picture with its marks."""

    def __init__(self) -> None:
        super().__init__()
        self._pixmap = QPixmap()
        self.boxes: list[QRectF] = []

    def show_page(self, pixmap: QPixmap, boxes: list[QRectF]) -> None:
        self._pixmap, self.boxes = pixmap, boxes
        self.resize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        return self._pixmap.deviceIndependentSize().toSize()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._pixmap)
        fill = QColor("#ffd34d")  # on paper, which is white in both themes
        fill.setAlpha(90)
        painter.setPen(Qt.PenStyle.NoPen)
        for box in self.boxes:
            painter.setBrush(fill)
            painter.drawRoundedRect(box.adjusted(-2, -1, 2, 1), 2, 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(current_theme().colour("border"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
