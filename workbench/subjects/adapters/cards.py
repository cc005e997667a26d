"""Adapter cards, including those for GGUF files that were put into the adapters folder without one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.gguf.adapter_files import list_adapters, resolve_adapter
from workbench.gguf.reader import read_gguf
from workbench.records.training import AdapterRecord, TrainingConfig
from workbench.subjects.adapters.store import AdapterStore
from workbench.techniques.registry import METHODS
from workbench.training.objectives.objective import objective_of


def metric_of(card: AdapterRecord) -> str:
    """The score that verification compares beside the agreement of tokens."""
    return objective_of(card.config or TrainingConfig(), METHODS).verified_by


def find_card(store: AdapterStore, name: str, *, unreadable: bool = False) -> AdapterRecord:
    """Raises UserError when there is no such adapter, and where its card cannot be read unless that does not matter."""
    card = store.find(name)
    if card is not None and card.state == "unreadable" and not unreadable:
        raise UserError(f"{name} cannot be used: {card.note}")
    return card if card is not None else _describe(name, resolve_adapter(name, store.folder))


def list_cards(store: AdapterStore) -> tuple[AdapterRecord, ...]:
    """All there are, the latest first."""
    cards = {card.name: card for card in store.list_cards()}
    bare = (name for name in list_adapters(store.folder) if not name.startswith(".") and name not in cards)
    found = [*cards.values(), *(_describe(name, resolve_adapter(name, store.folder)) for name in bare)]
    return tuple(sorted(found, key=lambda one: (-one.created, one.name)))


def check_mergeable(record: AdapterRecord) -> None:
    """Raises UserError for what is a model already, is no change of weights, or failed verification."""
    if record.kind == "merged":
        raise UserError(f"{record.name} is a model, not an adapter.", "Quantise it for another format.")
    if record.state == "failed":
        raise UserError(f"{record.name} cannot be used: {record.note}", "Train it again.")
    if not record.can_merge:
        raise UserError(
            f"{record.name} is a {record.kind}, which changes no weights and cannot be merged.",
            "Use it with its base model.",
        )


def _describe(name: str, path: Path) -> AdapterRecord:
    """A file without a card, as far as it tells of itself."""
    state = path.stat()
    record = AdapterRecord(
        name=name,
        kind="lora",
        file=str(path),
        bytes=state.st_size,
        created=state.st_mtime,
        origin="imported",
        can_merge=True,
    )
    try:
        file = read_gguf(path)
    except UserError as error:
        return msgspec.structs.replace(record, state="failed", note=error.message, can_merge=False)
    record = msgspec.structs.replace(record, architecture=file.text("general.architecture"))
    kind = file.text("adapter.type")
    if kind in ("soft-prompt", "prefix"):
        return msgspec.structs.replace(record, kind=kind, can_merge=False)
    return record
