"""The agent part of a recipe as a form: method, tools with what each does, folder, memory and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QWidget

from ui.components.agent_wording import describe_lack
from ui.components.basics import Chip, ElidedLabel, IconButton, LinkButton, Text, without_keys
from ui.components.choice_box import ChoiceBox
from ui.components.config_form import Form
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.recipe import texts
from ui.components.recipe.known_rows import TicksRow
from ui.components.recipe.limit_note import LimitNote
from ui.components.wording import shown_fields_of
from ui.theme import tokens
from ui.theme.theme import set_property
from workbench.base.fields import Field
from workbench.records.approvals import describe_effects, tool_title
from workbench.records.methods import Methods
from workbench.records.recipes import AgentPart
from workbench.subjects.agents.calls import ToolRecord

_LIMITS = ("max_steps", "max_tokens", "seconds", "thought_tokens", "format")
_SPECIALISTS = "specialists"
_INDENT = 26  # px: what belongs to a box stands below its words


class AgentForm(QWidget):
    """``changed`` sends the whole new part, None for no agent, after each edit of the person."""

    changed = Signal(object)
    tools_wanted = Signal()
    """The page with all tools is to be opened."""
    withdrawn = Signal(str)
    """A tool that was allowed in this chat is to be asked for again."""

    def __init__(self) -> None:
        super().__init__()
        self._recipes: tuple[tuple[str, str], ...] = ()
        self._part: AgentPart | None = None
        self._last = AgentPart()  # what was on before it was switched off
        self._methods: Methods[Any] = Methods()
        self._tools: tuple[ToolRecord, ...] = ()
        self._allowed_here: tuple[str, ...] = ()
        self._showing = False
        fields = {field.name: field for field in shown_fields_of(AgentPart)}
        self.switch = QCheckBox(texts.AGENT_SWITCH, toggled=self._on_switched)
        self.limits_note = LimitNote()
        self.notes = Text("", "attention", visible=False)
        self.method = ChoiceBox(fields["method"].title, chosen=lambda name: self._put(method=name, options={}))
        self.method.setAccessibleDescription(fields["method"].help)
        self.summary = Text("", "small")
        self.options: Form | None = None
        self._options_of: str | None = None
        self._options_holder = QWidget()
        self._options_place = column_of(self._options_holder, gap=0)
        self.tools: dict[str, ToolRow] = {}
        self._rows = column_of(gap=tokens.SPACE_2)
        self.tools_link = LinkButton(texts.MANAGE_TOOLS, clicked=self.tools_wanted)
        self.folder = ElidedLabel("", "body", Qt.TextElideMode.ElideMiddle)
        self.folder_button = LinkButton(texts.CHOOSE_FOLDER, "folder", clicked=self._on_folder)
        self.no_folder_button = IconButton("close", texts.NO_FOLDER_BUTTON, clicked=lambda: self._put(folder=""))
        self.memory = ChoiceBox(
            fields["memory"].title,
            [(texts.MEMORY_USES[use], use) for use in texts.MEMORY_USES],
            chosen=lambda use: self._put(memory=use),
        )
        self.memory.setAccessibleDescription(fields["memory"].help)
        limits = [msgspec.structs.replace(fields[name], advanced=True) for name in _LIMITS]
        self.limits = Form(limits, narrow=True, fold=texts.BUDGETS)
        self.limits.changed.connect(lambda name, value: self._put(**{name: value}))
        self.body = QWidget()
        above = row_of(None, (self.folder, 1), self.no_folder_button, gap=tokens.SPACE_1)
        column_of(
            self.body,
            _titled(fields["method"].title, "", self.method, self.summary),
            _titled(fields["tools"].title, fields["tools"].help, self._rows, self.tools_link),
            _titled(fields["folder"].title, fields["folder"].help, above, self.folder_button),
            _titled(fields["memory"].title, fields["memory"].help, self.memory),
            self._options_holder,
            self.limits,
            gap=tokens.SPACE_4,
        )
        column_of(self, self.switch, self.limits_note, self.notes, self.body, gap=tokens.SPACE_3)
        self.set_part(None)

    @property
    def part(self) -> AgentPart | None:
        """The part as it is shown; None where no agent is on."""
        return self._part

    def set_methods(self, methods: Methods[Any]) -> None:
        """The ways in which an agent can work."""
        self._methods = methods
        self._options_of = None
        self.set_part(self._part)

    def set_tools(self, tools: Sequence[ToolRecord]) -> None:
        """The tools that there are."""
        if tuple(tools) != self._tools:
            self._tools = tuple(tools)
            self.set_part(self._part)

    def set_allowed_here(self, tools: Sequence[str]) -> None:
        """The acting tools whose calls were allowed in the chat that is shown."""
        self._allowed_here = tuple(tools)
        for name, row in self.tools.items():
            row.allowed.setVisible(name in self._allowed_here)

    def set_part(self, part: AgentPart | None) -> None:
        """Show a part; nothing is signalled."""
        self._part = part
        self._last = part or self._last
        self._showing = True
        self.switch.setChecked(part is not None)
        self.body.setVisible(part is not None)
        if part is not None:
            self._show(part)
        self._showing = False

    def set_notes(self, notes: Sequence[str]) -> None:
        """Sentences about what has no effect beside an agent."""
        self.notes.setText("\n".join(notes))
        self.notes.setVisible(bool(notes))

    def _show(self, part: AgentPart) -> None:
        chosen = self._methods.row(part.method, "agent")
        rows = self._methods.of("agent")
        rows = rows if chosen in rows else (*rows, chosen)
        self.method.set_choices([(row.title, row.name) for row in rows])
        self.method.show_value(chosen.name)
        self.summary.setText(f"{chosen.summary} {chosen.cost}".strip())
        if self._options_of != part.method:
            self._options_of = part.method
            self._build_options(chosen.fields)
        if self.options is not None:
            self.options.set_values(part.options)
        self._show_tools(part)
        self.folder.set_full_text(part.folder or texts.NO_FOLDER)
        self.folder.setProperty("role", "body" if part.folder else "muted")
        self.no_folder_button.setVisible(bool(part.folder))
        self.folder_button.setText(texts.CHANGE_FOLDER if part.folder else texts.CHOOSE_FOLDER)
        self.memory.show_value(part.memory)
        self.limits.set_values(part)

    def _show_tools(self, part: AgentPart) -> None:
        known = {tool.name for tool in self._tools}
        gone = [
            ToolRecord(name=name, title=tool_title(name), summary="", unavailable=texts.TOOL_UNKNOWN)
            for name in part.tools
            if name not in known
        ]
        offered = (*self._tools, *(gone if self._tools else ()))
        if [row.tool for row in self.tools.values()] != list(offered):
            empty_layout(self._rows)
            self.tools = {}
            for tool in offered:
                row = self.tools[tool.name] = ToolRow(tool)
                row.toggled.connect(partial(self._on_tool, tool.name))
                row.asking_changed.connect(partial(self._on_asking, tool.name))
                row.ask_again.clicked.connect(lambda _=False, tool=tool: self.withdrawn.emit(tool.name))
                row.allowed.setVisible(tool.name in self._allowed_here)
                self._rows.addWidget(row)
        for name, row in self.tools.items():
            row.show_use(name in part.tools, name not in part.allowed)

    def _build_options(self, fields: tuple[Any, ...]) -> None:
        if self.options is not None:
            self._options_place.removeWidget(self.options)
            self.options.hide()
            self.options.deleteLater()
        self.options = Form(fields, narrow=True, make_row=self._make_row) if fields else None
        self._options_holder.setVisible(bool(fields))
        if self.options is not None:
            self.options.changed.connect(self._on_option)
            self._options_place.addWidget(self.options)

    def set_recipes(self, names: Sequence[str]) -> None:
        """The saved recipes, which can be specialists of a team."""
        self._recipes = tuple((name, name) for name in names)
        row = self.options.rows.get(_SPECIALISTS) if self.options is not None else None
        if isinstance(row, TicksRow):
            row.offer(self._recipes)

    def _make_row(self, field: Field) -> TicksRow | None:
        if field.name != _SPECIALISTS:
            return None
        row = TicksRow(field, texts.NO_RECIPES_SAVED)
        row.offer(self._recipes)
        return row

    def _on_switched(self, on: bool) -> None:
        if not self._showing:
            self.set_part(self._last if on else None)
            self.changed.emit(self._part)

    def _on_tool(self, name: str, used: bool) -> None:
        if self._part is not None:
            others = tuple(tool for tool in self._part.tools if tool != name)
            allowed = self._part.allowed if used else tuple(tool for tool in self._part.allowed if tool != name)
            self._put(tools=(*others, name) if used else others, allowed=allowed)

    def _on_asking(self, name: str, asks: bool) -> None:
        if self._part is not None:
            others = tuple(tool for tool in self._part.allowed if tool != name)
            self._put(allowed=others if asks else (*others, name))

    def _on_option(self, name: str, value: Any) -> None:
        if self._part is not None:
            self._put(options={**self._part.options, name: value})

    def _on_folder(self) -> None:
        before = self._part.folder if self._part is not None and self._part.folder else str(Path.home())
        folder = QFileDialog.getExistingDirectory(self, texts.CHOOSE_FOLDER_TITLE, before)
        if folder:
            self._put(folder=str(Path(folder)))

    def _put(self, **fields: Any) -> None:
        if self._showing or self._part is None:
            return
        part = msgspec.structs.replace(self._part, **fields)
        if part != self._part:
            self.set_part(part)
            self.changed.emit(part)


class ToolRow(QWidget):
    """A tool with what it does; of one that acts, whether each call is asked for."""

    toggled = Signal(bool)
    asking_changed = Signal(bool)

    def __init__(self, tool: ToolRecord) -> None:
        super().__init__()
        self.tool = tool
        self.box = QCheckBox(without_keys(tool.title))
        self.box.toggled.connect(self.toggled)
        self.asks = QCheckBox(texts.ASK_EACH_CALL, toolTip=texts.ASK_EACH_CALL_HELP)
        self.asks.toggled.connect(self.asking_changed)
        self.ask_again = LinkButton(texts.ASK_AGAIN)
        self.ask_again.setAccessibleName(texts.ASK_AGAIN_NAME.format(tool=tool.title))
        self.allowed = QWidget()
        row_of(self.allowed, Text(texts.ALLOWED_HERE, "small"), self.ask_again, gap=tokens.SPACE_2).addStretch(1)
        self.allowed.hide()
        self.acts = tool.effects != ("read",)
        effect = describe_effects(tool.effects)
        self.effect = Chip(effect, "attention" if self.acts else "plain")
        known = bool(tool.description)
        help = Text(tool.summary, "small")
        self.problem = Text(describe_lack(tool.unavailable), "attention")
        said = (tool.summary, f"{effect[:1].upper()}{effect[1:]}." if known else "", tool.unavailable)
        self.box.setAccessibleDescription(" ".join(part for part in said if part))
        left = Qt.AlignmentFlag.AlignLeft
        below = column_of(
            None, help, (self.effect, 0, left), self.problem, self.asks, self.allowed, gap=2, margins=(_INDENT, 0, 0, 0)
        )
        column_of(self, self.box, below, gap=0)
        for words in (help, self.problem):
            words.setVisible(bool(words.text()))
        self.effect.setVisible(known)

    def show_use(self, used: bool, asks: bool) -> None:
        """Nothing is signalled."""
        for box, on in ((self.box, used), (self.asks, asks)):
            box.blockSignals(True)
            box.setChecked(on)
            box.blockSignals(False)
        set_property(self.problem, "role", "attention" if used else "small")
        self.asks.setVisible(used and self.acts)


def _titled(title: str, help: str, *parts: Any) -> QWidget:
    holder = QWidget()
    column = column_of(holder, Text(title, "strong"), gap=tokens.SPACE_1)
    if help:
        column.addWidget(Text(help, "small"))
    for part in parts:
        if isinstance(part, QWidget):
            column.addWidget(part)
        else:
            column.addLayout(part)
    return holder
