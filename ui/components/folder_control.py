"""The control of a field that takes the path of a folder."""

from __future__ import annotations

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFileDialog, QLineEdit, QToolButton

from ui import texts
from ui.components.config_form import Control, ValueRow, line_control
from ui.theme.theme import set_icon


def folder_control(row: ValueRow) -> Control:
    """A line for the path of a folder, with a button in it that chooses one."""
    control = line_control(row)
    line = control.widget
    assert isinstance(line, QLineEdit)

    def choose() -> None:
        if path := QFileDialog.getExistingDirectory(line, row.field.title, line.text()):
            line.setText(path)
            row.commit_typed()

    action = line.addAction(QIcon(), QLineEdit.ActionPosition.TrailingPosition)
    action.setText(texts.CHOOSE)
    action.setToolTip(texts.CHOOSE)
    action.triggered.connect(choose)

    (button,) = line.findChildren(QToolButton)
    button.setAccessibleName(texts.CHOOSE_FOLDER.format(title=row.field.title))
    set_icon(button, "folder", size=16)
    return control
