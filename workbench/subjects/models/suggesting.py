"""One larger model to download at the first start: the first of the program's list that the hub has and that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.base.errors import UserError
from workbench.core.streams import Handlers
from workbench.records.hub import HubFile, HubFiles
from workbench.records.models import Machine
from workbench.subjects.models import calls
from workbench.subjects.models.fitting import Fitting
from workbench.subjects.models.hub import Hub
from workbench.subjects.models.hub_service import chosen_file
from workbench.subjects.models.offers import Offer, fitting_offers, read_offers


@dataclass(frozen=True, eq=False)
class Suggesting:
    _hub: Callable[[], Hub]
    _fitting: Fitting
    _machine: Callable[[], Machine]

    def handlers(self) -> Handlers:
        return {calls.SuggestModel: self.suggest}

    def suggest(self, call: calls.SuggestModel, context: RequestContext) -> Iterator[Event]:
        yield Progress(stage="looking up")

        def work(report: Callable[[Event], None]) -> calls.ModelSuggestion:
            machine = self._machine()
            for offer in fitting_offers(read_offers(), machine):
                context.raise_if_cancelled()
                report(Progress(stage="looking up", detail=offer.title))
                listed = self._hub().files(offer.repository, context=context)
                file = _offered(offer, listed)
                if file is None:
                    continue
                wanted = calls.FitHubFile(repository=listed.repository, file=file.name, revision=listed.revision)
                fit = self._fitting.measure(wanted, context, report)
                if fit.verdict == "too big" or fit.problem:
                    continue
                return calls.ModelSuggestion(
                    title=offer.title,
                    repository=listed.repository,
                    revision=listed.revision,
                    file=file.name,
                    bytes=file.bytes,
                    licence=listed.licence,
                    fit=fit,
                )
            raise UserError(
                "No larger model of the program's list fits this machine.",
                f"It has {machine.memory_bytes / 1e9:.0f} GB of memory and {machine.disk_free_bytes / 1e9:.0f} GB of "
                "free disk. The starter model works all the same.",
            )

        yield finish((yield from with_progress(work)))


def _offered(offer: Offer, listed: HubFiles) -> HubFile | None:
    """The file of an offer, unless the repository has become gated, has another licence or no such file."""
    if listed.gated or listed.licence.lower() != offer.licence:
        return None
    try:
        return chosen_file(listed, offer.file)
    except UserError:
        return None
