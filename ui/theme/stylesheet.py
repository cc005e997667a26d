"""The stylesheet, made from tokens. Widgets say what they are with a dynamic property (``role``, ``kind``), not how
they look."""

from __future__ import annotations

from ui.theme import tokens
from ui.theme.tokens import Palette, mixed

_RULES = """
* {{ outline: none; }}
QWidget {{ color: {text}; }}
QMainWindow, QDialog {{ background: {window}; }}
QToolTip {{ background: {surface}; color: {text}; border: 1px solid {border}; padding: {s1}px {s2}px; }}

QLabel[role="display"] {{ font-size: {display}px; font-weight: 600; }}
QLabel[role="title"] {{ font-size: {title}px; font-weight: 600; }}
QLabel[role="heading"] {{ font-size: {reading}px; font-weight: 600; }}
QLabel[role="strong"] {{ font-weight: 600; }}
QLabel[role="reading"] {{ font-size: {reading_size}px; }}
QLabel[role="muted"] {{ color: {muted}; }}
QLabel[role="small"] {{ color: {muted}; font-size: {small}px; }}
QLabel[role="error"] {{ color: {danger}; font-size: {small}px; }}
QLabel[role="attention"] {{ color: {attention}; font-size: {small}px; }}
QLabel[role="code"], QPlainTextEdit[role="code"], QTextBrowser[role="code"] {{
    font-family: {mono}; font-size: 13px; }}
QPlainTextEdit[role="value"] {{ font-family: {mono}; font-size: 13px; background: transparent; border: none;
    padding: 2px; }}
QPlainTextEdit[role="value"]:focus {{ border: 2px solid {accent}; padding: 0; }}

QFrame[role="card"] {{ background: {surface}; border: 1px solid {border}; border-radius: {r}px; }}
QFrame[role="card"][selected="true"] {{ border: 1px solid {accent}; }}
QFrame[role="panel"] {{ background: {surface}; border: none; }}
QFrame[role="sunken"] {{ background: {sunken}; border: none; border-radius: {r}px; }}
QFrame[role="floating"] {{ background: {surface}; border: 1px solid {border}; border-radius: {rd}px; }}
QFrame[role="line"] {{ background: {border}; border: none; min-height: 1px; max-height: 1px; }}
QFrame[role="upright"] {{ background: {border}; border: none; min-width: 1px; max-width: 1px; }}

QFrame[role="drop"] {{ background: {surface}; border: 2px dashed {edge}; border-radius: {rd}px; }}
QFrame[role="drop"][over="true"] {{ background: {accent_soft}; border: 2px dashed {accent}; }}

QFrame[role="message"] {{ border-radius: {r}px; border: 1px solid {border}; background: {surface}; }}
QFrame[role="message"][place="banner"] {{ margin: {s2}px {s4}px 0 {s4}px; }}
QFrame[role="message"][kind="info"] {{ background: {accent_soft}; border-color: {accent}; }}
QFrame[role="message"][kind="success"] {{ background: {success_soft}; border-color: {success}; }}
QFrame[role="message"][kind="attention"] {{ background: {attention_soft}; border-color: {attention}; }}
QFrame[role="message"][kind="danger"] {{ background: {danger_soft}; border-color: {danger}; }}

QPushButton {{ background: {surface}; color: {text}; border: 1px solid {edge}; border-radius: {r}px;
    padding: 0 {s4}px; min-height: 34px; }}
QPushButton:hover {{ background: {hover}; }}
QPushButton:pressed {{ background: {sunken}; }}
QPushButton:focus {{ border: 2px solid {accent}; padding: 0 15px; min-height: 32px; }}
QPushButton:disabled {{ color: {muted}; border-color: {border}; background: {sunken}; }}
QPushButton[kind="primary"] {{ background: {accent}; color: {on_accent}; border: 1px solid {accent};
    font-weight: 600; }}
QPushButton[kind="primary"]:hover {{ background: {accent_hover}; border-color: {accent_hover}; }}
QPushButton[kind="primary"]:focus {{ border: 2px solid {text}; }}
QPushButton[kind="primary"]:disabled {{ background: {sunken}; color: {muted}; border-color: {border}; }}
QPushButton[kind="danger"] {{ background: {danger}; color: {on_danger}; border: 1px solid {danger}; }}
QPushButton[kind="danger"]:hover {{ background: {danger_hover}; border-color: {danger_hover}; }}
QPushButton[kind="danger"]:focus {{ border: 2px solid {text}; }}
QPushButton[kind="quiet"] {{ background: transparent; border: 1px solid transparent; padding: 0 {s3}px; }}
QPushButton[kind="quiet"]:hover {{ background: {hover}; }}
QPushButton[kind="quiet"]:focus {{ border: 2px solid {accent}; padding: 0 11px; }}
QPushButton[kind="quiet"]:checked {{ background: {accent_soft}; color: {accent}; }}
QPushButton[kind="quiet"]:disabled {{ color: {muted}; background: transparent; }}
QPushButton[kind="link"] {{ background: transparent; border: 1px solid transparent; padding: 0 {s1}px;
    min-height: 22px; color: {accent}; text-align: left; }}
QPushButton[kind="link"]:hover {{ color: {accent_hover}; text-decoration: underline; }}
QPushButton[kind="link"]:focus {{ border: 2px solid {accent}; padding: 0 3px; min-height: 20px; }}
QPushButton[kind="nav"] {{ background: transparent; border: 1px solid transparent; text-align: left;
    padding: 0 {s3}px; min-height: 38px; }}
QPushButton[kind="nav"]:hover {{ background: {hover}; }}
QPushButton[kind="nav"]:checked {{ background: {accent_soft}; color: {accent}; font-weight: 600; }}
QPushButton[kind="nav"]:focus {{ border: 2px solid {accent}; padding: 0 11px; min-height: 36px; }}
QPushButton[kind="nav"][dense="true"] {{ min-height: 30px; }}
QPushButton[kind="nav"][dense="true"]:focus {{ min-height: 28px; }}
QPushButton[kind="choice"] {{ border-color: {border}; }}
QPushButton[kind="choice"][on="true"] {{ background: {accent_soft}; color: {accent}; border-color: {accent};
    font-weight: 600; }}
QPushButton[small="true"] {{ min-height: 26px; padding: 0 {s2}px; font-size: {small}px; }}
QPushButton[small="true"]:focus {{ min-height: 24px; padding: 0 7px; }}
QPushButton[kind="choice"] {{ padding: 0 5px; }}
QPushButton[kind="choice"]:focus {{ border: 2px solid {accent}; padding: 0 4px; }}
QPushButton::menu-indicator {{ image: none; width: 0; }}

QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: {r}px; padding: 5px; }}
QToolButton:hover {{ background: {hover}; }}
QToolButton:pressed {{ background: {sunken}; }}
QToolButton:checked {{ background: {accent_soft}; }}
QToolButton:focus {{ border: 2px solid {accent}; padding: 4px; }}
QToolButton::menu-indicator {{ image: none; }}

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox {{
    background: {surface}; color: {text}; border: 1px solid {edge}; border-radius: {r}px;
    selection-background-color: {accent}; selection-color: {on_accent}; }}
QLineEdit, QPlainTextEdit, QTextEdit {{ placeholder-text-color: {muted}; }}
QLineEdit, QComboBox {{ min-height: 34px; padding: 0 {s3}px; }}
QSpinBox, QDoubleSpinBox {{ min-height: 34px; padding: 0 26px 0 10px; }}
QPlainTextEdit, QTextEdit {{ padding: {s2}px; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {{
    border: 2px solid {accent}; }}
QLineEdit:focus, QComboBox:focus {{ min-height: 32px; padding: 0 11px; }}
QSpinBox:focus, QDoubleSpinBox:focus {{ min-height: 32px; padding: 0 25px 0 9px; }}
QPlainTextEdit:focus, QTextEdit:focus {{ padding: 7px; }}
QLineEdit[invalid="true"], QSpinBox[invalid="true"], QDoubleSpinBox[invalid="true"],
QPlainTextEdit[invalid="true"] {{ border: 2px solid {danger}; }}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {{ color: {muted};
    background: {sunken}; border-color: {border}; }}
QTextBrowser[role="reading"], QTextEdit[role="reading"] {{ background: transparent; border: none; padding: 0; }}
QTextBrowser[role="reading"]:focus, QTextEdit[role="reading"]:focus {{ border: none; padding: 0; }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{
    width: 20px; border: none; background: transparent; subcontrol-origin: border; right: 6px; }}
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url("{icons}/chevron-up-{mode}.svg"); width: 12px;
    height: 12px; }}
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url("{icons}/chevron-down-{mode}.svg"); width: 12px;
    height: 12px; }}
QComboBox::drop-down {{ border: none; width: 28px; }}
QComboBox::down-arrow {{ image: url("{icons}/chevron-down-{mode}.svg"); width: 14px; height: 14px; }}
QComboBox QAbstractItemView {{ background: {surface}; border: 1px solid {border}; padding: {s1}px;
    selection-background-color: {accent_soft}; selection-color: {accent}; }}

QLineEdit[small="true"] {{ min-height: 26px; padding: 0 {s2}px; }}
QLineEdit[small="true"]:focus {{ min-height: 24px; padding: 0 7px; }}
QSlider {{ min-height: 24px; border: 2px solid transparent; border-radius: {r}px; }}
QSlider:focus {{ border: 2px solid {accent}; }}
QSlider::groove:horizontal {{ height: 4px; background: {border}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ height: 4px; background: {accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: {accent};
    border: 1px solid {surface}; }}

QSlider::handle:horizontal:disabled, QSlider::sub-page:horizontal:disabled {{ background: {border}; }}
QCheckBox, QRadioButton {{ spacing: {s2}px; min-height: 24px; border: 2px solid transparent; border-radius: 6px;
    padding-right: {s1}px; }}
QCheckBox:focus, QRadioButton:focus {{ border: 2px solid {accent}; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {muted}; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 16px; height: 16px; border: 1px solid {edge};
    background: {surface}; }}
QCheckBox::indicator {{ border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: 8px; }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ background: {sunken}; border-color: {border}; }}
QCheckBox::indicator:checked {{ background: {accent}; border-color: {accent};
    image: url("{icons}/check-{mode}.svg"); }}
QRadioButton::indicator:checked {{ border-color: {accent};
    background: qradialgradient(cx: 0.5, cy: 0.5, radius: 0.5, fx: 0.5, fy: 0.5, stop: 0 {accent}, stop: 0.52 {accent},
    stop: 0.6 {surface}, stop: 1 {surface}); }}

QProgressBar {{ background: {sunken}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QFrame[role="statusbar"] QProgressBar {{ background: {border}; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 3px; }}

QListView, QTreeView, QTableView, QListWidget, QTreeWidget {{ background: transparent; border: 2px solid transparent; }}
QListView::item, QTreeView::item {{ padding: {s2}px; border-radius: {r}px; border: 1px solid transparent; }}
QListView::indicator {{ width: 14px; height: 14px; border: 1px solid {edge}; border-radius: 4px;
    background: {surface}; }}
QListView::indicator:checked {{ background: {accent}; border-color: {accent};
    image: url("{icons}/check-{mode}.svg"); }}
QTreeView::item {{ border-radius: 0; }}
QListView[dense="true"]::item {{ padding: 2px {s1}px; }}
QListView::item:hover, QTreeView::item:hover {{ background: {hover}; }}
QListView::item:selected, QTreeView::item:selected {{ background: {accent_soft}; color: {accent}; }}
QListView:focus, QTreeView:focus, QTableView:focus {{ border: 2px solid {accent}; border-radius: {r}px; }}
QTableView {{ gridline-color: {border}; alternate-background-color: {sunken}; }}
QTableView::item {{ padding: {s1}px {s2}px; }}
QTableView::item:selected {{ background: {accent_soft}; color: {accent}; }}
QHeaderView::section {{ background: transparent; color: {muted}; border: none; border-bottom: 1px solid {border};
    padding: {s2}px; font-size: {small}px; font-weight: 600; }}
QHeaderView {{ background: transparent; }}

QMenu {{ background: {surface}; border: 1px solid {border}; border-radius: {r}px; padding: {s1}px; }}
QMenu::item {{ padding: {s2}px {s4}px; border-radius: 6px; }}
QMenu::item:selected {{ background: {accent_soft}; color: {accent}; }}
QMenu::item:disabled {{ color: {muted}; }}
QMenu::separator {{ height: 1px; background: {border}; margin: {s1}px {s2}px; }}
QMenu::icon {{ padding-left: {s2}px; }}

QScrollArea {{ background: transparent; border: none; }}
QScrollArea > QWidget > QWidget[role="page"] {{ background: transparent; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: {bar}px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: {bar}px; margin: 2px; }}
QScrollBar::handle {{ background: {scroll}; border-radius: 4px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar[idle="true"]::handle {{ background: transparent; }}
QScrollBar::handle:hover {{ background: {edge}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}

QSplitter::handle {{ background: {border}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QTabBar::tab {{ background: transparent; padding: {s2}px {s3}px; border: none; border-bottom: 2px solid transparent;
    color: {muted}; }}
QTabBar::tab:hover {{ color: {text}; border-bottom-color: {border}; }}
QTabBar::tab:selected {{ border-bottom: 2px solid {accent}; color: {accent}; }}
QTabBar[keyboard="true"]::tab:selected {{ background: {accent_soft}; }}
QTabBar QToolButton {{ background: {window}; border: none; }}
QTabWidget::pane {{ border: none; }}

QFrame[role="rung"] {{ border: none; border-top: 1px solid {border}; }}
QFrame[role="rung"][enough="true"] {{ background: {accent_soft}; }}

QFrame[role="navigation"] {{ background: {sunken}; border: none; border-right: 1px solid {border}; }}
QFrame[role="header"] {{ background: {window}; border: none; border-bottom: 1px solid {border}; }}
QFrame[role="statusbar"] {{ background: {sunken}; border: none; border-top: 1px solid {border}; }}
QFrame[role="drawer"] {{ background: {surface}; border: none; border-top: 1px solid {border}; }}

QLabel[role="number"] {{ background: {accent_soft}; color: {accent}; border-radius: 14px; font-weight: 600; }}
QLabel[role="number"][done="true"] {{ background: {success_soft}; color: {success}; }}
QPushButton[align="left"] {{ text-align: left; }}

QLabel[role="chip"], QPushButton[role="chip"] {{ background: {sunken}; color: {text}; border: 1px solid {border};
    border-radius: 11px; padding: 0 {s2}px; min-height: 20px; max-height: 20px; font-size: {small}px;
    font-weight: 400; }}
QPushButton[role="chip"]:hover {{ background: {hover}; }}
QPushButton[role="chip"]:focus {{ border: 2px solid {accent}; padding: 0 7px; min-height: 18px; }}
QLabel[role="chip"][kind="accent"], QPushButton[role="chip"][kind="accent"] {{ background: {accent_soft};
    color: {accent}; border-color: {accent_soft}; }}
QFrame[role="file"] {{ background: {surface}; border: 1px solid {edge}; border-radius: {r}px; }}
QFrame[role="file"] QToolButton {{ padding: 2px; min-width: 16px; min-height: 16px; }}
QFrame[role="file"][reading="true"] {{ border: 1px dashed {edge}; }}
QLabel[role="chip"][kind="success"] {{ background: {success_soft}; color: {success}; border-color: {success_soft}; }}
QLabel[role="chip"][kind="attention"], QPushButton[role="chip"][kind="attention"] {{
    background: {attention_soft}; color: {attention}; border-color: {attention_soft}; }}
QLabel[role="chip"][kind="danger"] {{ background: {danger_soft}; color: {danger}; border-color: {danger_soft}; }}
"""

_TECHNIQUE = """
QLabel[role="chip"][kind="{name}"], QPushButton[role="chip"][kind="{name}"] {{ background: {soft}; color: {colour};
    border-color: {soft}; }}
"""


def stylesheet(palette: Palette, reading_size: int) -> str:
    """The application's stylesheet in a palette; ``reading_size`` is the px of conversation text."""
    values = {name: palette[name] for name in tokens.TOKENS}
    rules = _RULES.format(
        **values,
        scroll=mixed(palette.edge, palette.window, 0.5),
        bar=tokens.SCROLL_BAR,
        s1=tokens.SPACE_1,
        s2=tokens.SPACE_2,
        s3=tokens.SPACE_3,
        s4=tokens.SPACE_4,
        small=tokens.TEXT_SMALL,
        reading=tokens.TEXT_READING,
        title=tokens.TEXT_TITLE,
        display=tokens.TEXT_DISPLAY,
        reading_size=reading_size,
        r=tokens.RADIUS_CONTROL,
        rd=tokens.RADIUS_DIALOG,
        mono='"JetBrains Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
        icons=f"{tokens.ICONS.as_posix()}/style",
        mode="dark" if palette is tokens.DARK else "light",
    )
    return rules + "".join(
        _TECHNIQUE.format(name=name, colour=palette[name], soft=technique_soft(palette, name))
        for name in tokens.TECHNIQUES
    )


def technique_soft(palette: Palette, technique: str) -> str:
    """The quiet background of a technique's chip."""
    return mixed(palette[technique], palette.surface, 0.12)
