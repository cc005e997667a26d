"""The order in which Tab goes through the chat page and the frame around it.

In the page it is the history, each question with its answer, its sources and what can be done with it, the composer,
the panel at the right.

Qt's own order is that in which widgets were made, and messages are made last. It is not asked: a widget that is about
to be deleted is still in it.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from ui.features.chat.layout import ChatLayout


def go_on(page: QWidget, parts: ChatLayout, forward: bool) -> bool:
    """Give the keyboard to what comes next or before: in the page, in the frame around it, and from the one to the
    other. False where there is nothing else."""
    now = QApplication.focusWidget()
    order = sorted(_focusable(page), key=lambda widget: _place(parts, widget))
    every = _focusable(page.window())
    inside = set(order)
    frame = [one for one in every if one not in inside]
    before = sum(1 for one in every[: every.index(order[0])] if one not in inside) if order else len(frame)
    around = [*frame[:before], *order, *frame[before:]]
    if now not in around or len(around) < 2:
        return False
    chosen = around[(around.index(now) + (1 if forward else -1)) % len(around)]
    chosen.setFocus(Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
    _show(chosen)
    return True


def _show(widget: QWidget) -> None:
    """Scroll the area that holds a widget until the widget is in sight."""
    above = widget.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            above.ensureWidgetVisible(widget)
        above = above.parentWidget()


def _focusable(inside: QWidget) -> list[QWidget]:
    return [one for one in inside.findChildren(QWidget) if _takes_focus(one)]


def _takes_focus(widget: QWidget) -> bool:
    by_tab = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
    return by_tab and widget.isEnabled() and widget.isVisible() and not widget.isWindow()


def _place(parts: ChatLayout, widget: QWidget) -> tuple[int, int, int]:
    """The region of a widget, and in the conversation its place there; elsewhere the order of the layouts stays."""
    inside = parts.conversation.widget()
    if parts.history.isAncestorOf(widget):
        return 0, 0, 0
    if inside is not None and inside.isAncestorOf(widget):
        place = widget.mapTo(inside, QPoint())
        return 2, place.y(), place.x()
    if widget is parts.conversation:
        return 1, 0, 0
    return (4 if parts.side.isAncestorOf(widget) else 3), 0, 0
