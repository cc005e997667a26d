"""The theme of the running application: the current palette, and a signal when it changes.

There is one ``Theme`` for a QApplication, its child: ``current_theme()`` finds it. The choice ``system`` follows the
desktop's colour scheme as it changes.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Literal

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from ui.theme.stylesheet import stylesheet
from ui.theme.tokens import DARK, ICON_SIZE, ICONS, LIGHT, TEXT_BODY, Palette


def draw_pixmap(name: str, colour: str, size: int = ICON_SIZE, ratio: float = 1.0) -> QPixmap:
    """The icon ``name`` in a colour (``#rrggbb``), ``size`` logical pixels wide on a screen of that pixel ratio.

    Raises FileNotFoundError when there is no such icon.
    """
    from PySide6.QtSvg import QSvgRenderer  # only here: a window without icons starts without it

    svg = (ICONS / f"{name}.svg").read_bytes().replace(b"currentColor", colour.encode())
    pixels = round(size * ratio)
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg)).render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def draw_icon(name: str, colour: str, disabled: str, size: int = ICON_SIZE) -> QIcon:
    """The icon for buttons and lists, sharp on screens of ratio 1 and 2; ``disabled`` is its colour when off."""
    icon = QIcon()
    for ratio in (1.0, 2.0):
        icon.addPixmap(draw_pixmap(name, colour, size, ratio))
        icon.addPixmap(draw_pixmap(name, disabled, size, ratio), QIcon.Mode.Disabled)
    return icon


Choice = Literal["system", "light", "dark"]


class Theme(QObject):
    """The looks of the application. ``changed`` is sent after every switch of colours or of the text size."""

    changed = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.setObjectName("theme")
        self._application = application
        self._choice: Choice = "system"
        self.palette: Palette = LIGHT
        self.reading_size = 15
        self.reduced_motion = False
        """Nothing may move by itself."""
        self._icons: dict[tuple[str, str, int], QIcon] = {}
        self._windows: list[QWidget] = []
        self._effects: dict[Qt.UIEffect, bool] | None = None  # as they were before any was turned off
        self._flash_ms = 0
        application.setStyle("Fusion")  # the one style that a stylesheet governs alike on all systems
        application.setFont(_interface_font())
        self._scheme = application.styleHints().colorScheme()
        application.styleHints().colorSchemeChanged.connect(self._on_scheme_changed)
        self._apply()

    @property
    def is_dark(self) -> bool:
        return self.palette is DARK

    @property
    def choice(self) -> Choice:
        return self._choice

    def choose(self, choice: Choice) -> None:
        """Use the light or the dark palette, or whatever the system uses."""
        self._choice = choice
        if self._wanted() is not self.palette:
            self._apply()

    def set_reading_size(self, pixels: int) -> None:
        """The size of conversation and document text, 12..24."""
        if pixels != self.reading_size:
            self.reading_size = pixels
            self._apply()

    def reduce_motion(self, wanted: bool) -> None:
        """Let nothing move by itself where a person wants that, here or, as far as Qt tells it, in the system."""
        application = self._application
        if self._effects is None:
            self._effects = {effect: application.isEffectEnabled(effect) for effect in Qt.UIEffect}
            self._flash_ms = application.cursorFlashTime()
        system = sys.platform == "win32" and not self._effects[Qt.UIEffect.UI_AnimateMenu]
        if (wanted or system) == self.reduced_motion:
            return
        self.reduced_motion = wanted or system
        for effect, enabled in self._effects.items():
            application.setEffectEnabled(effect, enabled and not self.reduced_motion)
        application.setCursorFlashTime(0 if self.reduced_motion else self._flash_ms)
        self.changed.emit()

    def dress(self, window: QWidget) -> None:
        """Set the stylesheet on a window, now and after each switch. The application has none: while it has, Qt goes
        through all children of a widget that is put into another, which took most of the time that a page needs to be
        made."""
        self._windows.append(window)
        window.destroyed.connect(partial(self._windows.remove, window))
        window.setStyleSheet(stylesheet(self.palette, self.reading_size))

    def colour(self, token: str) -> QColor:
        """The colour of a token now. Raises KeyError for a name that is none."""
        return QColor(self.palette[token])

    def icon(self, name: str, token: str = "text", size: int = ICON_SIZE) -> QIcon:
        """An icon in a token's colour now. Whoever keeps it asks again on ``changed``; see ``set_icon``."""
        key = (name, token, size)
        if key not in self._icons:
            self._icons[key] = draw_icon(name, self.palette[token], self.palette.edge, size)
        return self._icons[key]

    def pixmap(self, name: str, token: str = "text", size: int = ICON_SIZE, ratio: float = 1.0) -> QPixmap:
        return draw_pixmap(name, self.palette[token], size, ratio)

    def _wanted(self) -> Palette:
        if self._choice == "system":
            return DARK if self._scheme == Qt.ColorScheme.Dark else LIGHT
        return DARK if self._choice == "dark" else LIGHT

    def _on_scheme_changed(self, scheme: Qt.ColorScheme) -> None:
        self._scheme = scheme
        if self._wanted() is not self.palette:
            self._apply()

    def _apply(self) -> None:
        self.palette = self._wanted()
        self._icons.clear()
        self._application.setPalette(_qt_palette(self.palette))
        sheet = stylesheet(self.palette, self.reading_size)
        for window in self._windows:
            window.setStyleSheet(sheet)
        self.changed.emit()


def current_theme() -> Theme:
    """The application's theme; made on first use. Raises RuntimeError before there is a QApplication."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise RuntimeError("there is no QApplication yet")
    found = application.findChild(Theme, "theme", Qt.FindChildOption.FindDirectChildrenOnly)
    return found if isinstance(found, Theme) else Theme(application)


def set_icon(target: QAbstractButton | QLabel, name: str, token: str = "text", size: int = ICON_SIZE) -> None:
    """Give a button or a label an icon that follows the theme for as long as the widget lives."""
    binding = target.findChild(_IconBinding, "icon", Qt.FindChildOption.FindDirectChildrenOnly)
    if not isinstance(binding, _IconBinding):
        binding = _IconBinding(target)
    binding.show(name, token, size)


class _IconBinding(QObject):
    """Keeps one widget's icon in the theme's colours; goes with the widget."""

    def __init__(self, target: QAbstractButton | QLabel) -> None:
        super().__init__(target)
        self.setObjectName("icon")
        self._target = target
        self._name, self._token, self._size = "", "text", ICON_SIZE
        current_theme().changed.connect(self._on_changed)

    def show(self, name: str, token: str, size: int) -> None:
        self._name, self._token, self._size = name, token, size
        self._on_changed()

    def _on_changed(self) -> None:
        theme = current_theme()
        if isinstance(self._target, QLabel):
            ratio = self._target.devicePixelRatioF()
            self._target.setPixmap(theme.pixmap(self._name, self._token, self._size, ratio))
        else:
            self._target.setIcon(theme.icon(self._name, self._token, self._size))
            self._target.setIconSize(theme.icon(self._name, self._token, self._size).availableSizes()[0])


def _interface_font() -> QFont:
    """The system's interface font at our body size; a plain one where the system only says "sans serif"."""
    font = QFont(QApplication.font())
    if font.family().lower().replace(" ", "") in ("sansserif", "sans", "helvetica"):
        font.setFamilies(["Inter", "Noto Sans", "Cantarell", "DejaVu Sans", font.family()])
    font.setPixelSize(TEXT_BODY)
    return font


def _qt_palette(tokens: Palette) -> QPalette:
    """The palette for Qt's own drawing (menus, text documents, selections)."""
    role = QPalette.ColorRole
    colours = {
        role.Window: tokens.window,
        role.WindowText: tokens.text,
        role.Base: tokens.surface,
        role.AlternateBase: tokens.sunken,
        role.Text: tokens.text,
        role.PlaceholderText: tokens.muted,
        role.Button: tokens.surface,
        role.ButtonText: tokens.text,
        role.ToolTipBase: tokens.surface,
        role.ToolTipText: tokens.text,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent,
        role.Accent: tokens.accent,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.BrightText: tokens.danger,
        role.Light: tokens.surface,
        role.Midlight: tokens.border,
        role.Mid: tokens.border,
        role.Dark: tokens.edge,
        role.Shadow: tokens.shadow,
    }
    palette = QPalette()
    for which, colour in colours.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(tokens.muted))
    return palette


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a dynamic property that the stylesheet looks at, and have it looked at again."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.update()
