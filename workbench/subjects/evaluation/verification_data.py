"""Pairs of a document and a text about it that people have judged: RAGTruth's and LLM-AggreFact's, from files.

RAGTruth (Niu et al. 2024, arXiv:2401.00396): ``response.jsonl`` has the answers of models with the spans that their
source does not support, ``source_info.jsonl`` the sources. As its authors do, an answer without a quality problem is a
pair, of the split ``test``; it is supported when no span is labelled. LLM-AggreFact (Tang et al. 2024,
arXiv:2404.10774): rows of ``dataset``, ``doc``, ``claim`` and ``label`` (1: supported). None are shipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.subjects.evaluation.benchmarks import rows_of
from workbench.training.data.reading import Split, read_rows
from workbench.training.data.rows import Row

RAGTRUTH, AGGREFACT = "ragtruth", "aggrefact"
TITLES = {RAGTRUTH: "RAGTruth", AGGREFACT: "LLM-AggreFact"}
RESPONSES, SOURCES = "response.jsonl", "source_info.jsonl"
_SPLITS: tuple[Split, ...] = ("test", "validation", "train")
_LOOKED_AT = 20


class Pair(NamedTuple):
    """``text`` is about ``document``; ``question`` is what it answers, "" where it answers none."""

    dataset: str
    document: str
    text: str
    supported: bool
    question: str = ""


def recognise_pairs(path: Path) -> str:
    """``ragtruth``, ``aggrefact``, or "" for a file or folder that holds no pairs. Raises UserError where one of
    RAGTruth's two files is missing."""
    folder = path if path.is_dir() else path.parent
    there = [name for name in (RESPONSES, SOURCES) if (folder / name).is_file()]
    if there and (path.is_dir() or path.name in (RESPONSES, SOURCES)):
        if len(there) == 1:
            missing = SOURCES if there[0] == RESPONSES else RESPONSES
            raise UserError(f"{folder} has {there[0]} and no {missing}.", "RAGTruth's pairs need both files.")
        return RAGTRUTH
    first = list(islice(rows_of(path, _SPLITS), _LOOKED_AT))
    return AGGREFACT if any({"doc", "claim", "label"} <= set(row.values) for row in first) else ""


def read_pairs(path: Path, refused: list[Shown]) -> Iterator[Pair]:
    """The pairs of a file or folder. Why a row is none goes to ``refused``. Raises UserError for what cannot be read,
    and for what holds no pairs."""
    kind = recognise_pairs(path)
    if not kind:
        raise UserError(
            f"{path.name} holds no pairs of a document and a text.",
            "RAGTruth is a folder with response.jsonl and source_info.jsonl; LLM-AggreFact has rows of dataset, doc, "
            "claim and label.",
        )
    if kind == AGGREFACT:
        return _aggrefact(rows_of(path, _SPLITS), refused)
    return _ragtruth(path if path.is_dir() else path.parent, refused)


def _aggrefact(rows: Iterable[Row], refused: list[Shown]) -> Iterator[Pair]:
    for row in rows:
        try:
            document, claim = _text(row.values, "doc"), _text(row.values, "claim")
            label = str(row.values.get("label")).strip().lower()
            if label not in ("0", "1", "true", "false"):
                raise ValueError(f"its label is {row.values.get('label')!r} and not 0 or 1")
        except ValueError as error:
            refused.append(f"{row.source}: {error}.")
            continue
        name = str(row.values.get("dataset") or "pairs")
        yield Pair(name, document, claim, label in ("1", "true"))


def _ragtruth(folder: Path, refused: list[Shown]) -> Iterator[Pair]:
    sources: dict[str, Row] = {str(row.values.get("source_id")): row for row in read_rows(folder / SOURCES)}
    has_test = any(row.values.get("split") == "test" for row in read_rows(folder / RESPONSES))
    for row in read_rows(folder / RESPONSES):
        values = row.values
        if (has_test and values.get("split") != "test") or values.get("quality", "good") != "good":
            continue
        try:
            text = _text(values, "response")
            source = sources.get(str(values.get("source_id")))
            if source is None:
                raise ValueError(f"{SOURCES} has no source {values.get('source_id')!r}")
            if not isinstance(values.get("labels"), list):
                raise ValueError("its labels are no list")
            document, question = _source(source.values.get("source_info"))
        except ValueError as error:
            refused.append(f"{row.source}: {error}.")
            continue
        yield Pair(str(source.values.get("task_type") or "pairs"), document, text, not values["labels"], question)


def _source(info: Any) -> tuple[str, str]:
    """The document of a source, and the question on it. Structured data become lines of names and values."""
    if isinstance(info, dict) and isinstance(info.get("passages"), str):
        return info["passages"], str(info.get("question") or "")
    text = info if isinstance(info, str) else "\n".join(_lines(info))
    if not text.strip():
        raise ValueError("its source is empty")
    return text, ""


def _lines(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _lines(member, f"{name} {key}".strip())
    elif isinstance(value, list):
        for member in value:
            yield from _lines(member, name)
    elif value is not None and str(value).strip():
        yield f"{name}: {value}" if name else str(value)


def _text(values: dict[str, Any], name: str) -> str:
    text = values.get(name)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"its {name!r} is empty or no text")
    return text
