"""Paths: every folder and file name of a home folder is decided here."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from workbench.base.errors import UserError


def new_path(given: str) -> Path:
    """A path for something new. Raises UserError for one that is taken or not absolute."""
    path = absolute_path(given)
    if path.exists():
        raise UserError(f"{path} exists already.", "Choose the name of a new folder.")
    return path


HOME_VARIABLE = "WORKBENCH_HOME"
RESOURCES = Path(__file__).resolve().parents[2] / "resources"
"""What comes with the program and is read only."""
_NOT_WRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM)
KEPT = "-before-"
"""Stands in the name of a folder that another home has taken the place of, between its name and the time."""

_HOME_HINT = f"Choose another one with --home or {HOME_VARIABLE}."


@dataclass(frozen=True)
class Home:
    """A home folder: all data of one person, which can be moved as a folder."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "workbench.sqlite"

    @property
    def settings(self) -> Path:
        return self.root / "settings.toml"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def collections(self) -> Path:
        return self.root / "collections"

    @property
    def images(self) -> Path:
        """The pixels of the images that questions show; created with the first one."""
        return self.root / "images"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def benchmarks(self) -> Path:
        """Data of benchmarks from the hub, a folder for each commit of a repository; created with the first one."""
        return self.root / "benchmarks"

    @property
    def recipes(self) -> Path:
        return self.root / "recipes"

    @property
    def demonstrations(self) -> Path:
        """The person's task library: programs with tools, saved as examples."""
        return self.root / "demonstrations.json"

    @property
    def sections(self) -> Path:
        """Finished sections of answers about whole documents that are not complete; created with the first one."""
        return self.root / "sections"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def lock(self) -> Path:
        """Holds the pid of this home's core process."""
        return self.root / "core.lock"

    @property
    def key(self) -> Path:
        """The secret of the local connection; readable by its owner only."""
        return self.root / "core.key"

    @property
    def replaced_by(self) -> Path:
        """Holds the name of the folder beside this one that takes its place when the next core starts."""
        return self.root / "replaced-by"

    @property
    def replacement(self) -> Path | None:
        """The restored home that is to take the place of this one."""
        try:
            name = self.replaced_by.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        folder = self.root.with_name(name) if name and Path(name).name == name else self.root
        return folder if folder != self.root and Home(folder).database.is_file() else None

    @property
    def api_key(self) -> Path:
        """The key of the local API; readable by its owner only."""
        return self.root / "api.key"

    @property
    def api_certificate(self) -> Path:
        """The private key and the certificate with which the API is served to the local network; readable by its owner
        only."""
        return self.root / "api.pem"

    @property
    def api_clients(self) -> Path:
        """The machines of the local network that may use the API, with hashes of their keys."""
        return self.root / "api-clients.json"

    @property
    def address(self) -> str:
        """The local connection's address: a Unix socket or a Windows named pipe.

        Socket paths are limited to about 100 bytes, so a long home folder gets one in a folder of the user's own, named
        by a hash of the home's path. Raises UserError when there is no such folder.
        """
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:16]
        if sys.platform == "win32":
            return rf"\\.\pipe\llm-workbench-{digest}"
        inside = self.root / "core.sock"
        if len(os.fsencode(inside)) < 100:
            return str(inside)
        return str(_runtime_folder() / f"llm-workbench-{digest}.sock")

    @property
    def packs(self) -> Path:
        """Installed runtime packs, a folder each; created with the first one."""
        return self.root / "packs"

    @property
    def engines(self) -> Path:
        """Installed engines, a folder each, and which one was chosen; created with the first one."""
        return self.root / "engines"

    @property
    def runtime(self) -> Path:
        """What computes the models: the chosen runtime pack, and why."""
        return self.root / "runtime.json"

    @property
    def training(self) -> Path:
        """The packages that training needs, where they were set up; whole or absent."""
        return self.root / "training" / "packages"

    @property
    def training_wheels(self) -> Path:
        """What was downloaded for a set-up that is not finished yet."""
        return self.root / "training" / "wheels"

    @property
    def trusted_keys(self) -> Path:
        """Public keys that the person trusts beside the program's own, ``NAME.USE.pub``; they create it."""
        return self.root / "trusted-keys"

    @property
    def updates(self) -> Path:
        """Downloaded installers; created with the first one."""
        return self.root / "updates"

    @property
    def adapters(self) -> Path:
        """Trained and imported adapters, a folder each; created with the first one."""
        return self.root / "adapters"

    @property
    def embedders(self) -> Path:
        """Embedding models as llama.cpp computes them, a folder each (``prepared_place``), made from the models and
        made again where it is missing; created with the first one."""
        return self.root / "embedders"

    @property
    def datasets(self) -> Path:
        """Data sets, ``<name>.jsonl``; created with the first one."""
        return self.root / "datasets"

    def collection(self, collection: str) -> Path:
        return self.collections / f"{collection}.sqlite"

    def run(self, run: str) -> Path:
        return self.runs / run

    def create(self) -> None:
        """Create the missing folders, accessible to the owner only. Raises UserError when that fails."""
        try:
            if not self.root.exists():
                self.finish_replacement()
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.models, self.collections, self.runs, self.recipes, self.logs):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            if self.root.is_dir() and error.errno in _NOT_WRITABLE:
                raise self.not_writable(error) from error
            raise UserError(
                f"The data folder {self.root} cannot be created: {error.strerror or error}.",
                _HOME_HINT,
            ) from error

    def finish_replacement(self) -> None:
        """Give the restored home its place where the one before has made way for it: the program may have been killed
        between the two. Raises OSError."""
        for moved in self.root.parent.glob(f"{glob.escape(self.root.name)}{KEPT}*/{self.replaced_by.name}"):
            restored = Home(moved.parent).replacement
            if restored is not None:
                restored.rename(self.root)
                moved.unlink()
                return

    def not_writable(self, error: OSError) -> UserError:
        """The error for a home in which a file cannot be written."""
        if error.errno not in _NOT_WRITABLE:
            return UserError(f"{error.filename or self.root} cannot be written: {error.strerror or error}.", _HOME_HINT)
        return UserError(
            f"The data folder {self.root} cannot be written: {error.strerror}.",
            "The program writes there also to show what it holds. Make the folder writable; or copy it to a disk that "
            f"is, and name the copy with --home or {HOME_VARIABLE}.",
        )


def prepared_place(embedders: Path, model: Path) -> Path:
    """The folder below a home's ``embedders`` for what is prepared of a model. It stays the same when the home is moved
    with the models in it."""
    with contextlib.suppress(ValueError):
        model = model.relative_to(embedders.parent)
    return embedders / hashlib.sha256(model.as_posix().encode()).hexdigest()[:20]


def _runtime_folder() -> Path:
    """A folder in which only this user can create a socket: the system's, or one of ours."""
    runtime_folder = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime_folder and len(runtime_folder) < 60 and _is_private(Path(runtime_folder)):
        return Path(runtime_folder)
    folder = Path("/tmp" if len(tempfile.gettempdir()) > 55 else tempfile.gettempdir()) / f"llm-workbench-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not _is_private(folder):
        raise UserError(
            f"{folder} belongs to another user, or others may write to it.",
            "Remove it, or choose a home folder with a shorter path.",
        )
    return folder


def _is_private(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077


def find_home(given: str | os.PathLike[str] | None = None) -> Home:
    """The home folder: ``given`` (``--home``), else ``WORKBENCH_HOME``, else the platform's data folder.

    Raises UserError when something else is in its place, or its name leads nowhere.
    """
    chosen = given or os.environ.get(HOME_VARIABLE) or platformdirs.user_data_dir("llm-workbench", appauthor=False)
    try:
        root = Path(chosen).expanduser().absolute()
        if not stat.S_ISDIR(os.stat(root).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "it is no folder")
    except RuntimeError as error:  # pathlib's word for a ~name
        raise UserError(f"There is no data folder {chosen}: no user has that name.", _HOME_HINT) from error
    except FileNotFoundError as error:
        if error.filename is None:  # the one without a name is the current folder
            raise UserError(f"There is no data folder {chosen}: the current folder is gone.", _HOME_HINT) from error
    except OSError as error:
        raise UserError(f"{chosen} cannot be the data folder: {error.strerror or error}.", _HOME_HINT) from error
    return Home(root)


def absolute_path(given: str) -> Path:
    """A path that a person gave to a program in another folder. Raises UserError for one that is not absolute."""
    path = Path(given).expanduser()
    if not path.is_absolute():
        raise UserError(f"{given} is not an absolute path.", "Give the full path, from the root of the file system.")
    return path


def free_bytes(folder: Path) -> int:
    """Free bytes of the disk that holds, or would hold, ``folder``."""
    return shutil.disk_usage(next(one for one in (folder, *folder.absolute().parents) if one.exists())).free
