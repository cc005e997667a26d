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
frame builds the navigation and Ctrl+1..8 from it. No page knows another page: it asks the frame to open it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ui.theme.theme import Theme

MessageKind = Literal["info", "success", "attention", "danger"]


@dataclass(frozen=True)
class PageEntry:
    """The place of a page's class (``module:Class``) and what the navigation shows before it is made."""

    name: str
    title: str
    icon: str
    entry: str


@dataclass(frozen=True)
class Action:
    """A button beside a message: its words and what it does."""

    text: str
    run: Callable[[], None]


@dataclass(frozen=True)
class Found:
    """One line of the palette. ``kind`` is the word at its right end (chat, documents, model, action, setting)."""

    text: str
    kind: str
    icon: str
    run: Callable[[], None]
    detail: str = ""


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
        ``section`` and ``field``; ``models`` takes ``model`` (name), ``add`` (True), ``section`` (here, hub, endpoints,
        leaderboard);
        ``train`` takes ``run`` (id), ``data`` (a path or the name of a set), ``model`` (name), ``objective`` (name);
        ``feedback`` takes ``section`` (review, label, learn, verdict), ``judgement`` (id), ``queue`` (id), ``adapter``
        (name; the blind test of it); ``evaluate`` takes ``evaluation`` (id), ``question_set`` (id)."""

    def show_message(self, text: str, kind: MessageKind, action: Action | None = None) -> None:
        """Say something in the banner above the page until the person closes it or another message comes."""

    def take_back_message(self, text: str) -> None:
        """Close the banner if it still says this: it is not so any more."""


PAGES: tuple[PageEntry, ...] = (
    PageEntry("chat", "Chat", "chat", "ui.features.chat.page:ChatPage"),
    PageEntry("documents", "Documents", "documents", "ui.features.documents.page:DocumentsPage"),
    PageEntry("agents", "Agents", "agents", "ui.features.agents.page:AgentsPage"),
    PageEntry("train", "Train", "train", "ui.features.training.page:TrainPage"),
    PageEntry("adapters", "Adapters", "adapters", "ui.features.adapters.page:AdaptersPage"),
    PageEntry("feedback", "Feedback", "thumb-up", "ui.features.feedback.page:FeedbackPage"),
    PageEntry("evaluate", "Evaluate", "evaluate", "ui.features.evaluation.page:EvaluatePage"),
    PageEntry("models", "Models", "models", "ui.features.models.page:ModelsPage"),
    PageEntry("settings", "Settings", "settings", "ui.features.settings.page:SettingsPage"),
)


def keys_of_page(number: int) -> str:
    """The keys that open a page, by its place from 1 on: Ctrl+9 is a view's own, so the last page has those that
    settings usually have."""
    return f"Ctrl+{number}" if number < 9 else "Ctrl+,"


WELCOME = PageEntry("welcome", "Welcome", "home", "ui.features.welcome.page:WelcomePage")
"""Shown by itself while there is no model or no collection; not in the navigation."""
