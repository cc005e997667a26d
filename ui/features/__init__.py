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
- if it likes, ``remember() -> str`` and ``recall(str)``: what it keeps when the window closes (drafts) and gets back
  when it is made in the next one. The frame asks every few seconds, so that a crash loses no more than that.

Pages are made when they are first shown: the window is there before they are. ``PAGES`` is the whole list; the
frame builds the navigation and Ctrl+1..8 from it. Pages of one ``group`` share an entry of the navigation and are the
tabs above each other's content. No page knows another page: it asks the frame to open it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ui.theme.theme import Theme

MessageKind = Literal["info", "success", "attention", "danger"]


@dataclass(frozen=True)
class PageEntry:
    """The place of a page's class (``module:Class``) and what the navigation shows before it is made. ``group`` is the
    name of the group that it is a tab of, ``also`` other words that the palette finds it by."""

    name: str
    title: str
    icon: str
    entry: str
    group: str = ""
    also: str = ""


@dataclass(frozen=True)
class PageGroup:
    """Pages that share one entry of the navigation. ``open_page`` with its name opens the tab that was open last."""

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
        (name; questions are answered from it), ``question`` (asked at once where a model is there, else put into
        the input), ``task`` (a DocumentTask on a document of ``collection``, begun at once), ``adapter`` (name; a new
        chat with its base model and it on); ``adapters`` takes ``adapter`` (name);
        ``agents`` takes ``section`` (tools, memory, saved);
        ``documents`` takes ``collection`` (id), ``document`` (id), ``start`` and ``end``; ``settings`` takes
        ``section`` and ``field``; ``models`` takes ``model`` (name), ``add`` (True), ``section`` (here, hub,
        endpoints, leaderboard);
        ``train`` takes ``run`` (id), ``data`` (a path or the name of a set), ``model`` (name), ``objective`` and
        ``method`` (names), ``reward`` (its line);
        ``map`` takes ``section`` (techniques, similarity), ``chat`` and ``answer`` (ids), ``collection`` (id) and
        ``question``;
        ``feedback`` takes ``section`` (review, label, learn, path), ``judgement`` (id), ``queue`` (id),
        ``queue_run`` (the record of the run that makes a queue), ``adapter`` (name; the blind test of it);
        ``blind-tests`` takes ``adapter`` (name; a new test of it against its base model);
        ``ladder`` takes ``ladder`` (id), ``question_set`` (id; a comparison is begun with it);
        ``evaluate`` takes ``evaluation`` (id), ``column`` (its number; an answer of it is shown), ``question_set``
        (id). ``adapt`` and ``measure`` open the tab of theirs
        that was open last."""

    def show_message(self, text: str, kind: MessageKind, action: Action | None = None) -> None:
        """Say something in the banner above the page until the person closes it or another message comes."""

    def take_back_message(self, text: str) -> None:
        """Close the banner if it still says this: it is not so any more."""


GROUPS = (PageGroup("adapt", "Adapt", "train"), PageGroup("measure", "Measure", "evaluate"))

PAGES: tuple[PageEntry, ...] = (
    PageEntry("chat", "Chat", "chat", "ui.features.chat.page:ChatPage"),
    PageEntry("documents", "Documents", "documents", "ui.features.documents.page:DocumentsPage"),
    PageEntry("agents", "Agents", "agents", "ui.features.agents.page:AgentsPage"),
    PageEntry("data", "Data", "table", "ui.features.training.data_page:DataPage", "adapt", "training data sets"),
    PageEntry("train", "Training", "train", "ui.features.training.page:TrainPage", "adapt", "Train fine-tuning"),
    PageEntry(
        "feedback", "Preferences", "thumb-up", "ui.features.feedback.page:FeedbackPage", "adapt", "Feedback judgements"
    ),
    PageEntry("adapters", "Adapters", "adapters", "ui.features.adapters.page:AdaptersPage", "adapt"),
    PageEntry(
        "ladder", "What pays", "evaluate", "ui.features.ladder.page:LadderPage", "measure", "ladder compare techniques"
    ),
    PageEntry("evaluate", "Evaluations", "evaluate", "ui.features.evaluation.page:EvaluatePage", "measure", "Evaluate"),
    PageEntry(
        "blind-tests", "Blind tests", "eye", "ui.features.feedback.blind_tests:BlindTestsPage", "measure", "win rate"
    ),
    PageEntry(
        "leaderboard", "Leaderboard", "table", "ui.features.models.leaderboard:LeaderboardPage", "measure", "benchmarks"
    ),
    PageEntry("exam", "Exam", "check", "ui.features.models.exam_page:ExamPage", "measure", "examine models"),
    PageEntry(
        "map", "Map", "branch", "ui.features.map.page:MapPage", "measure", "techniques pipeline embeddings similarity"
    ),
    PageEntry("models", "Models", "models", "ui.features.models.page:ModelsPage"),
    PageEntry("settings", "Settings", "settings", "ui.features.settings.page:SettingsPage"),
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


WELCOME = PageEntry("welcome", "Welcome", "home", "ui.features.welcome.page:WelcomePage")
"""Shown by itself while there is no model or no collection; not in the navigation."""
