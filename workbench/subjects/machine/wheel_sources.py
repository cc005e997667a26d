"""Where wheels come from: a folder, or package indexes that are asked through the gate."""

from __future__ import annotations

import platform
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.network.gate import Gate, Offline
from workbench.network.http import open_client
from workbench.network.package_index import PackageFile, find_package, wheel_suits
from workbench.network.remote_zip import RemoteZip
from workbench.records.hub import RemoteFile
from workbench.subjects.machine.packs import this_platform
from workbench.subjects.machine.wheels import WheelContent, read_content, reading_wheel


@dataclass(frozen=True)
class Wheel:
    """A wheel that this Python can install: a file of a folder (``path``) or of an index (``remote``). ``bytes`` is its
    size, 0 for one that an index does not tell."""

    name: str
    version: Version
    file: str
    bytes: int
    path: Path | None = None
    remote: RemoteFile | None = None


class WheelSource(Protocol):
    def wheels(self, name: str) -> tuple[Wheel, ...]:
        """The wheels of a package, by its normalised name, the newest first. Raises UserError where it has none."""

    def content(self, wheel: Wheel) -> WheelContent:
        """Raises UserError for a wheel that cannot be read."""


@dataclass(eq=False)
class FolderSource:
    """The wheels of a folder. Raises UserError where it holds none for this system."""

    folder: Path
    _by_name: dict[str, list[Wheel]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        others = []
        try:
            found = sorted(self.folder.glob("*.whl"))
        except OSError as error:
            raise UserError(f"{self.folder} cannot be read: {error.strerror or error}.") from error
        for path in found:
            try:
                name, version, _, tags = parse_wheel_filename(path.name)
            except InvalidWheelFilename:
                continue
            if not wheel_suits(tags):
                others.append((name, path.name))
                continue
            wheel = Wheel(name, version, path.name, path.stat().st_size, path=path)
            self._by_name.setdefault(name, []).append(wheel)
        for wheels in self._by_name.values():
            wheels.sort(key=lambda one: one.version, reverse=True)
        self._others = {str(name): file for name, file in others if name not in self._by_name}
        if not found:
            raise UserError(
                f"{self.folder} holds no wheels.",
                "Choose a folder with the .whl files of the packages, or a pack of the training environment.",
            )

    def wheels(self, name: str) -> tuple[Wheel, ...]:
        if name in self._by_name:
            return tuple(self._by_name[name])
        if name in self._others:
            raise UserError(
                f"{self._others[name]} is for another system or Python; this is {this_platform()} with Python "
                f"{this_python()}.",
                "Get the wheels for this system.",
            )
        raise UserError(f"{self.folder} holds no wheel of {name}.", "Add it to the folder.")

    def content(self, wheel: Wheel) -> WheelContent:
        assert wheel.path is not None
        try:
            with open_regular(wheel.path) as file, reading_wheel(wheel.file), zipfile.ZipFile(file) as packed:
                return read_content(wheel.file, packed)
        except OSError as error:
            raise UserError(f"{wheel.path} cannot be read: {error.strerror or error}.") from error


@dataclass(eq=False)
class IndexSource:
    """Package indexes: ``address``, and others for single packages (``others``, by normalised names). ``asking`` is
    told what is asked for."""

    gate: Gate
    address: str
    context: RequestContext
    others: Mapping[str, str] = field(default_factory=dict)
    asking: Callable[[str], None] = lambda name: None
    _known: dict[str, tuple[Wheel, ...]] = field(default_factory=dict, init=False)

    def wheels(self, name: str) -> tuple[Wheel, ...]:
        if name not in self._known:
            self.asking(name)
            files = self._find(name)
            self._known[name] = tuple(
                Wheel(
                    canonicalize_name(name), Version(one.version), one.remote.name, one.remote.bytes, remote=one.remote
                )
                for one in files
                if one.wheel
            )
        if not self._known[name]:
            raise UserError(
                f"The package index has no wheel of {name} for {this_platform()} with Python {this_python()}.",
                "Set up training from a folder of wheels.",
            )
        return self._known[name]

    def _find(self, name: str) -> tuple[PackageFile, ...]:
        if name not in self.others:
            return find_package(self.gate, self.address, name, self.context)
        try:
            return find_package(self.gate, self.others[name], name, self.context)
        except Offline:
            raise
        except UserError as error:
            raise UserError(
                f"{error.message} It has the build of {name} for the processor.",
                "Try again later, change its address in Settings · Network, set up training from a folder of wheels, "
                "or take the build for NVIDIA GPUs, which is several times as large and works without one.",
            ) from error

    def content(self, wheel: Wheel) -> WheelContent:
        """Fetches the end of the wheel, where its table and its metadata are."""
        assert wheel.remote is not None
        self.asking(wheel.name)
        with (
            open_client(self.gate, "packages", context=self.context) as client,
            reading_wheel(wheel.file),
            zipfile.ZipFile(RemoteZip(client, wheel.remote.url)) as packed,
        ):
            return read_content(wheel.file, packed)


def this_python() -> str:
    return ".".join(platform.python_version_tuple()[:2])
