"""The settings of a home, as they are now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.settings import SECTIONS, EngineSettings, Settings, load_settings, save_settings
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.hub import Purpose


class Preferences:
    """The settings of a home: read once, written at every change."""

    def __init__(self, home: Home, changes: ChangeNotifier) -> None:
        self._path = home.settings
        self._changes = changes
        self._lock = threading.Lock()
        self._settings = load_settings(self._path)
        self._followers: list[Callable[[], None]] = []

    def when_changed(self, follower: Callable[[], None]) -> None:
        """Have a function called after each change, on the thread that changes."""
        self._followers.append(follower)

    @property
    def current(self) -> Settings:
        return self._settings

    def engine(self) -> EngineSettings:
        """How models are loaded and computed, now."""
        return self._settings.engine

    def allows(self, purpose: Purpose) -> bool:
        """Whether the person has switched a purpose of the network on."""
        network = self._settings.network
        switches: dict[Purpose, bool] = {
            "hub": network.hub,
            "mcp": network.allow_mcp,
            "update": network.updates,
            "endpoint": network.endpoints,
            "packages": network.packages,
        }
        return not self._settings.general.offline and switches.get(purpose, False)

    def change(self, values: dict[str, dict[str, Any]]) -> Settings:
        """Change fields: all of them, or none when one is unknown or invalid (UserError)."""
        with self._lock:
            settings = {section: _changed(self._settings, section, fields) for section, fields in values.items()}
            plain = {section: msgspec.to_builtins(now) for section, now in settings.items()}
            save_settings(
                self._path, {section: {name: plain[section][name] for name in values[section]} for section in values}
            )
            self._settings = load_settings(self._path)
        for follower in self._followers:
            follower()
        self._changes.publish("settings")
        return self._settings


def _changed(settings: Settings, section: str, fields: dict[str, Any]) -> msgspec.Struct:
    if section not in SECTIONS:
        raise UserError(f"There is no settings section {section!r}.", f"The sections are {', '.join(SECTIONS)}.")
    kind = SECTIONS[section]
    known = kind.__struct_fields__
    for field in fields:
        if field not in known:
            raise UserError(
                f"There is no setting {section}.{field}.", f"The settings of this section are {', '.join(known)}."
            )
    data = {**msgspec.to_builtins(getattr(settings, section)), **fields}
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise UserError(f"A setting of {section} is not valid: {error}.") from error
