"""Chooses wheels that go together: the newest of each package that every other one, and the program, allows.

The packages of the program stay as they are. Where a wheel asks for something that cannot be had beside them, an older
one is tried. This is a plain search that starts anew with each thing that it learns, for some tens of packages.
"""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.subjects.machine.wheel_sources import Wheel, WheelSource
from workbench.subjects.machine.wheels import WheelContent

MOST_STARTS = 500


PROGRAM = "llm-workbench"
_NOT_NEEDED = ("training", "dev", "starter")  # extras


def installed_packages() -> dict[str, str]:
    """The versions of the packages that the program needs, and of what these need, by their normalised names. Others
    that a virtual environment holds are none of the program's."""
    found: dict[str, str] = {}
    queue = [Requirement(PROGRAM)]
    seen: set[tuple[str, str]] = set()
    while queue:
        needed = queue.pop()
        name = canonicalize_name(needed.name)
        try:
            of = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # of an extra that is not installed
            continue
        if name != PROGRAM:
            found[name] = of.version
        extras = needed.extras
        if name == PROGRAM:
            extras = set(of.metadata.get_all("Provides-Extra") or ()) - set(_NOT_NEEDED)
        requirements = [Requirement(one) for one in of.requires or ()]
        for extra in ("", *sorted(extras)):
            if (name, extra) not in seen:
                seen.add((name, extra))
                queue += [one for one in requirements if _is_needed(one, extra)]
    return found


@dataclass(frozen=True)
class Choice:
    """A wheel, and what it says of itself."""

    wheel: Wheel
    content: WheelContent


def resolve(
    wanted: Sequence[Requirement], source: WheelSource, installed: Mapping[str, str], context: RequestContext
) -> tuple[Choice, ...]:
    """The wheels to install beside the ``installed`` packages (versions by normalised names), by their names. Raises
    UserError where nothing goes together, and what ``source`` raises; Cancelled."""
    search = _Search(source, installed, context)
    for _ in range(MOST_STARTS):
        found = search.start(wanted)
        if found is not None:
            return tuple(found[name] for name in sorted(found))
    raise UserError("No versions of the packages of training were found that go together.", "Choose another source.")


@dataclass
class _Search:
    source: WheelSource
    installed: Mapping[str, str]
    context: RequestContext
    excluded: dict[tuple[str, Version], str] = field(default_factory=dict)  # with the reason
    limits: dict[str, list[tuple[Requirement, Wheel | None]]] = field(default_factory=dict)
    contents: dict[str, WheelContent] = field(default_factory=dict)

    def start(self, wanted: Sequence[Requirement]) -> dict[str, Choice] | None:
        """The choice; None where something was learnt and the search has to start anew."""
        chosen: dict[str, Choice] = {}
        asked: set[tuple[str, str]] = set()
        queue: deque[tuple[Requirement, Wheel | None]] = deque((one, None) for one in wanted)
        while queue:
            self.context.raise_if_cancelled()
            needed, by = queue.popleft()
            name = canonicalize_name(needed.name)
            if name in self.installed:
                if not _allows(needed, Version(self.installed[name])):
                    self._exclude(by, f"{needed}, and the program has {name} {self.installed[name]}")
                    return None
                more = _needed_by_installed(name, needed.extras)
            elif name in chosen:
                if not _allows(needed, chosen[name].wheel.version):
                    self.limits.setdefault(name, []).append((needed, by))
                    return None
                more = chosen[name].content.requirements
            else:
                choice = self._newest(name, needed, by)
                if choice is None:
                    return None
                chosen[name] = choice
                more = choice.content.requirements
            here = chosen[name].wheel if name in chosen else by
            for extra in ("", *sorted(needed.extras)):
                if (name, extra) not in asked:
                    asked.add((name, extra))
                    queue.extend((one, here) for one in more if _is_needed(one, extra))
        return chosen

    def _newest(self, name: str, needed: Requirement, by: Wheel | None) -> Choice | None:
        limits = [needed, *(one for one, asker in self.limits.get(name, []) if not self._is_excluded(asker))]
        reason = ""
        for wheel in self.source.wheels(name):
            if not all(_allows(one, wheel.version) for one in limits):
                continue
            if self._is_excluded(wheel):
                reason = reason or self.excluded[name, wheel.version]
                continue
            if wheel.file not in self.contents:
                self.contents[wheel.file] = self.source.content(wheel)
            content = self.contents[wheel.file]
            if content.python.contains(platform.python_version(), prereleases=True):
                return Choice(wheel, content)
        self._exclude(by, f"{reason}" if reason else " and ".join(dict.fromkeys(map(str, limits))))
        return None

    def _exclude(self, wheel: Wheel | None, reason: str) -> None:
        """Learn that a wheel cannot be had; raises UserError where nobody asked for it but the program."""
        if wheel is None:
            raise UserError(
                f"The packages of training need {reason}: no wheel of the source goes with that.",
                "Choose another source, or install the newest version of the program.",
            )
        self.excluded[wheel.name, wheel.version] = reason if " needs " in reason else f"{wheel.name} needs {reason}"

    def _is_excluded(self, wheel: Wheel | None) -> bool:
        return wheel is not None and (wheel.name, wheel.version) in self.excluded


def _allows(needed: Requirement, version: Version) -> bool:
    return needed.specifier.contains(version, prereleases=True)


def _is_needed(requirement: Requirement, extra: str) -> bool:
    """Of an extra only what its marker names it for: the others came with the package itself."""
    if requirement.marker is None:
        return extra == ""
    wanted = requirement.marker.evaluate({"extra": extra})
    return wanted and (extra == "" or not requirement.marker.evaluate({"extra": ""}))


def _needed_by_installed(name: str, extras: set[str]) -> tuple[Requirement, ...]:
    """What an installed package needs for its extras."""
    if not extras:
        return ()
    try:
        return tuple(Requirement(one) for one in metadata.requires(name) or ())
    except metadata.PackageNotFoundError:
        return ()
