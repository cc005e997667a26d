"""The questions that adapters were trained on, and those that the models which were made of them come from."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.api.protocol import RequestContext
from workbench.base.durability import written_beside
from workbench.base.errors import Cancelled, UserError, WorkerDied
from workbench.records.evaluation import Column, NumberedQuestion, TrainedBefore
from workbench.records.recipes import ModelPart
from workbench.records.training import FINGERPRINTS, AdapterRecord, QuestionFingerprints
from workbench.subjects.adapters.base_models import BaseModels
from workbench.subjects.adapters.store import AdapterStore
from workbench.training.data.trained_questions import TrainedQuestions
from workbench.training.protocol import FingerprintSet
from workbench.training.worker_host import TrainingWorkers

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TrainedData:
    """Of adapters of earlier releases the fingerprint is made of their data, where that is still as it was."""

    _store: AdapterStore
    _bases: BaseModels
    _workers: TrainingWorkers

    def earlier(self, model: str) -> dict[str, str]:
        """The files of fingerprints, by the names of the adapters that a model was made of; "" for one without."""
        cards = self._made_of(model)
        files = {card.name: self._store.fingerprints(card.name) for card in cards}
        return {name: str(file) if file.is_file() else "" for name, file in files.items()}

    def trained_before(
        self, columns: Sequence[Column], questions: Sequence[NumberedQuestion], context: RequestContext
    ) -> tuple[TrainedBefore, ...]:
        """What of the questions the adapters of each column were trained on; columns without adapters are left out."""
        found = []
        for place, column in enumerate(columns):
            of, unknown = [], []
            for name, fingerprints in self._fingerprints_of(column.recipe.model, context):
                if fingerprints is None:
                    unknown.append(name)
                else:
                    of.append((name, TrainedQuestions([fingerprints])))
            if not of and not unknown:
                continue
            seen: set[int] = set()
            names = []
            for name, trained in of:
                context.raise_if_cancelled()
                its = {one.number for one in questions if one.question.text in trained}
                if its:
                    names.append(name)
                    seen |= its
            found.append(
                TrainedBefore(
                    column=place, adapters=tuple(names), questions=tuple(sorted(seen)), unknown=tuple(unknown)
                )
            )
        return tuple(found)

    def _fingerprints_of(
        self, part: ModelPart, context: RequestContext
    ) -> Iterator[tuple[str, QuestionFingerprints | None]]:
        """Each adapter that takes part in an answer, with the fingerprints of its questions, None where they are not
        known."""
        cards = {card.name: card for card in self._store.list_cards()}
        for use in part.adapters:
            yield use.name, self._of(cards[use.name], context) if use.name in cards else None
        for card in self._made_of(part.name):
            yield card.name, self._of(card, context)

    def _made_of(self, model: str) -> list[AdapterRecord]:
        """The cards of the model, of its base where that was made here as well, and so on."""
        cards = {card.model: card for card in self._store.list_cards() if card.model}
        found: list[AdapterRecord] = []
        while (card := cards.get(model)) is not None and card not in found:
            found.append(card)
            model = card.base
        return found

    def _of(self, card: AdapterRecord, context: RequestContext) -> QuestionFingerprints | None:
        file = self._store.fingerprints(card.name)
        known = FINGERPRINTS.load(file)
        if isinstance(known, QuestionFingerprints):
            return known
        if known is not None or card.config is None or not card.config.data.path or not card.examples:
            return None
        try:
            asked = FingerprintSet(
                config=self._bases.with_paths(card.config),
                model=self._bases.worker_model(self._bases.model(card.base)),
                examples=card.examples,
            )
            with self._workers.shared() as host:
                made: QuestionFingerprints = host.call(asked, context=context)
        except Cancelled:
            raise
        except (UserError, WorkerDied) as error:
            _log.info("The training data of %s is not known: %s", card.name, error)
            return None
        self._keep(file, made)
        return made

    def _keep(self, file: Path, made: QuestionFingerprints) -> None:
        try:
            with written_beside(file) as beside:
                beside.write_bytes(FINGERPRINTS.encode(made))
        except UserError:
            _log.exception("The fingerprint %s could not be kept", file)
