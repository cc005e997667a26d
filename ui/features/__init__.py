"""The pages of the window, and the interface of the frame around them.

A page is a QWidget with

- ``name``: the key it is opened with (``"chat"``), ``title``: what stands above it, ``icon``: of the icon set,
- a constructor ``Page(bridge: Bridge, shell: ShellActions)``,
- ``open_target(**target)``: show something in particular (a chat, a collection); called after each
  ``shell.open_page(name, **target)`` that names a target,
- if it likes, ``header() -> QWidget | None``: what stands at the right of the page's title (the chat page: model
  and context use),
- if it takes long to make, ``make_parts(bridge) -> Iterator[tuple[str, QWidget]]``, a static method: the first page of
  a window gets them as its third argument, each made in a turn of the event loop,
- if it likes, ``find_entries() -> Sequence[Found]``: what the palette (Ctrl+K) offers from this page beside what it
  knows by itself,
- if it likes, ``step_by_tab(forward) -> bool``: Tab is pressed in the frame; a page whose own order is not that in
  which its widgets were made gives the keyboard to what comes next,
- if it likes, ``leave()``: the window closes,
- if it likes, ``remember() -> str`` and ``recall(str)``: what it keeps when the window closes (drafts) and gets back
  when it is made in the next one. The frame asks every few seconds, so that a crash loses no more than that.

Pages are made when they are first shown: the window is there before they are. ``PAGES`` is the whole list; the
frame builds the navigation and Ctrl+1..8 from it. Pages of one ``group`` share an entry of the navigation and are the
tabs above each other's content. No page knows another page: it asks the frame to open it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from PySide6.QtCore import QObject

from ui import texts
from ui.bridge import Bridge
from ui.components.wording import in_words
from ui.theme.theme import Theme
from workbench.base.catalogue import _
from workbench.subjects.trash.calls import KEPT_DAYS, RestoreDeleted, TrashEntry

MessageKind = Literal["info", "success", "attention", "danger"]


@dataclass(frozen=True)
class PageEntry:
    """The place of a page's class (``module:Class``) and what the navigation shows before it is made. ``group`` is the
    name of the group that it is a tab of, ``also`` other words that the palette finds it by. A ``simple`` one is in the
    navigation too while that does not show all techniques."""

    name: str
    title: str
    icon: str
    entry: str
    group: str = ""
    also: str = ""
    simple: bool = False


@dataclass(frozen=True)
class PageGroup:
    """Pages that share one entry of the navigation, which is there only while all techniques are shown. ``open_page``
    with its name opens the tab that was open last."""

    name: str
    title: str
    icon: str


@dataclass(frozen=True)
class Action:
    """A button beside a message: its words and what it does."""

    text: str
    run: Callable[[], None]


@dataclass(frozen=True)
class Found:
    """One line of the palette. ``kind`` is the word at its right end (chat, documents, model, action, setting, term),
    ``also`` are other words that it is found by. While the line is chosen, ``about`` is shown below the list, with the
    ``source`` of what it says."""

    text: str
    kind: str
    icon: str
    run: Callable[[], None]
    detail: str = ""
    also: str = ""
    about: str = ""
    source: str = ""


class ShellActions(Protocol):
    """The actions of the frame that pages may use."""

    @property
    def theme(self) -> Theme:
        """The looks; ``theme.changed`` is sent after a switch."""

    def open_page(self, name: str, **target: Any) -> None:
        """Show a page, and something on it: ``chat`` takes ``chat`` (id), ``new`` (True), ``collection``
        (name; questions are answered from it), ``files`` (paths; only these of it), ``question`` (asked at once where
        a model is there, else put into
        the input), ``task`` (a DocumentTask on a document of ``collection``, begun at once), ``adapter`` (name; a new
        chat with its base model and it on); ``adapters`` takes ``adapter`` (name);
        ``agents`` takes ``new`` (True: the dialog of a new agent);
        ``documents`` takes ``collection`` (id), ``document`` (id), ``start`` and ``end``, ``compare`` (two documents of
        it, ids); ``settings`` takes ``section`` and ``field``; ``models`` takes ``model`` (name), ``add`` (True),
        ``section`` (here, recommended, hub, endpoints, leaderboard);
        ``train`` takes ``run`` (id), ``data`` (a path or the name of a set), ``model`` (name), ``objective`` and
        ``method`` (names), ``reward`` (its line);
        ``map`` takes ``section`` (techniques, similarity), ``chat`` and ``answer`` (ids), ``collection`` (id) and
        ``question``;
        ``feedback`` takes ``section`` (review, label, learn, path), ``judgement`` (id), ``queue`` (id),
        ``queue_run`` (the record of the run that makes a queue), ``adapter`` (name; the blind test of it);
        ``blind-tests`` takes ``adapter`` (name; a new test of it against its base model);
        ``ladder`` takes ``ladder`` (id), ``question_set`` (id; a comparison is begun with it);
        ``evaluate`` takes ``evaluation`` (id), ``column`` (its number; an answer of it is shown), ``question_set``
        (id). ``adapt``, ``measure`` and ``tools`` open the tab
        of theirs that was open last."""

    def show_message(self, text: str, kind: MessageKind, action: Action | None = None) -> None:
        """Say something in the banner above the page until the person closes it or another message comes."""

    def take_back_message(self, text: str) -> None:
        """Close the banner if it still says this: it is not so any more."""


def offer_undo(bridge: Bridge, shell: ShellActions, title: str, item: str | Sequence[str], owner: QObject) -> None:
    """Say that something is in the trash now, with a button that brings it back. ``item`` is its id or name, or those
    of several things that ``title`` names together."""
    items = [item] if isinstance(item, str) else list(item)
    left = list(items)

    def restored(entry: TrashEntry | None = None) -> None:
        if left:
            bridge.call(RestoreDeleted(item=left.pop(0)), restored, refused, owner)
        else:
            shown = entry.title if entry is not None and len(items) == 1 else title
            shell.show_message(texts.RESTORED.format(title=shown), "success")

    def refused(error: Exception) -> None:
        shell.show_message(in_words(error), "danger")

    shell.show_message(texts.IN_TRASH.format(title=title, days=KEPT_DAYS), "info", Action(texts.UNDO, restored))


GROUPS = (
    PageGroup("adapt", _("Adapt"), "train"),
    PageGroup("measure", _("Measure"), "evaluate"),
    PageGroup("tools", _("Tools"), "tool"),
)

PAGES: tuple[PageEntry, ...] = (
    PageEntry("chat", _("Chat"), "chat", "ui.features.chat.page:ChatPage", simple=True),
    PageEntry("documents", _("Documents"), "documents", "ui.features.documents.page:DocumentsPage", simple=True),
    PageEntry("models", _("Models"), "models", "ui.features.models.page:ModelsPage", simple=True),
    PageEntry("data", _("Data"), "table", "ui.features.training.data_page:DataPage", "adapt", _("training data sets")),
    PageEntry("train", _("Training"), "train", "ui.features.training.page:TrainPage", "adapt", _("Train fine-tuning")),
    PageEntry(
        "feedback",
        _("Preferences"),
        "thumb-up",
        "ui.features.feedback.page:FeedbackPage",
        "adapt",
        _("Feedback judgements"),
    ),
    PageEntry("adapters", _("Adapters"), "adapters", "ui.features.adapters.page:AdaptersPage", "adapt"),
    PageEntry(
        "ladder",
        _("What pays"),
        "evaluate",
        "ui.features.ladder.page:LadderPage",
        "measure",
        _("ladder compare techniques in order of costs"),
    ),
    PageEntry(
        "evaluate", _("Evaluations"), "evaluate", "ui.features.evaluation.page:EvaluatePage", "measure", _("Evaluate")
    ),
    PageEntry(
        "blind-tests",
        _("Blind tests"),
        "eye",
        "ui.features.feedback.blind_tests:BlindTestsPage",
        "measure",
        _("win rate"),
    ),
    PageEntry(
        "leaderboard",
        _("Leaderboard"),
        "table",
        "ui.features.models.leaderboard:LeaderboardPage",
        "measure",
        _("benchmarks"),
    ),
    PageEntry("exam", _("Exam"), "check", "ui.features.models.exam_page:ExamPage", "measure", _("examine models")),
    PageEntry(
        "map",
        _("Map"),
        "branch",
        "ui.features.map.page:MapPage",
        "measure",
        _("techniques pipeline embeddings similarity"),
    ),
    PageEntry(
        "tool-list", _("Tools"), "tool", "ui.features.agents.tools_page:ToolsPage", "tools", _("calculator files")
    ),
    PageEntry("memory", _("Memory"), "memory", "ui.features.agents.memory:MemoryPage", "tools", _("facts remember")),
    PageEntry("servers", _("Servers (MCP)"), "globe", "ui.features.agents.servers:ServersPage", "tools"),
    PageEntry(
        "demonstrations", _("Demonstrations"), "plan", "ui.features.agents.demonstrations:DemonstrationsPage", "tools"
    ),
    PageEntry(
        "agents", _("Agents"), "agents", "ui.features.agents.agents_page:AgentsPage", "tools", _("saved run new")
    ),
    PageEntry("settings", _("Settings"), "settings", "ui.features.settings.page:SettingsPage", simple=True),
)


def stops_of(pages: tuple[PageEntry, ...]) -> tuple[PageEntry | PageGroup, ...]:
    """The entries of the navigation: the pages, and each group once, where its first page stands."""
    groups = {group.name: group for group in GROUPS}
    found = {page.group or page.name: groups.get(page.group, page) for page in pages}
    return tuple(found.values())


def keys_of_page(number: int) -> str:
    """The keys that open an entry of the navigation, by its place from 1 on. Ctrl+9 is a view's own: a ninth entry has
    the keys that settings usually have."""
    return f"Ctrl+{number}" if number < 9 else "Ctrl+,"


WELCOME = PageEntry("welcome", _("Welcome"), "home", "ui.features.welcome.page:WelcomePage")
"""Shown by itself while there is no model or no collection; not in the navigation."""
