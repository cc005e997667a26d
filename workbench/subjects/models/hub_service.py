"""The hub for clients: search, files, downloads, the access token, and the log of the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.core.foundation import Foundation
from workbench.core.streams import Handlers, stoppable, unary
from workbench.gguf.projectors import choose_projector
from workbench.network.secrets import Secrets
from workbench.records.hub import HubCard, HubFile, HubFiles
from workbench.subjects.models import calls
from workbench.subjects.models.folders import ModelFolders
from workbench.subjects.models.hub import Hub
from workbench.subjects.models.runs import DownloadConfig, download_folder
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.queue import Runs

TOKEN = "hub token"


@dataclass(frozen=True, eq=False)
class HubService:
    _hub: Callable[[], Hub]
    _secrets: Secrets
    _runs: Runs
    _folders: ModelFolders

    def handlers(self) -> Handlers:
        return {
            calls.SearchHub: stoppable(self.search),
            calls.ListHubFiles: stoppable(self.files),
            calls.ReadHubCard: stoppable(self.card),
            calls.DownloadModel: stoppable(self.download),
            calls.SetHubToken: unary(self.set_token),
            calls.GetHubAccount: unary(self.account),
        }

    def search(self, call: calls.SearchHub, context: RequestContext) -> calls.HubModels:
        return calls.HubModels(models=self._hub().search(call.words, call.limit, call.filters, context=context))

    def files(self, call: calls.ListHubFiles, context: RequestContext) -> HubFiles:
        return self._hub().files(call.repository, call.revision, context=context)

    def card(self, call: calls.ReadHubCard, context: RequestContext) -> HubCard:
        return self._hub().card(call.repository, call.revision, context=context)

    def download(self, call: calls.DownloadModel, context: RequestContext) -> RunRecord:
        listed = self._hub().files(call.repository, call.revision, context=context)
        file = chosen_file(listed, call.file)
        folder = self._folders.for_new()
        projector = choose_projector([one.name for one in listed.projectors], file.name)
        config = DownloadConfig(
            repository=listed.repository,
            revision=listed.revision,
            file=file,
            projector=next((one for one in listed.projectors if one.name == projector), None),
            folder=download_folder(listed.repository, listed.revision),
            name=call.name,
            root="" if folder == self._folders.own else str(folder),
        )
        return self._runs.add("download", file.name, config, once=True)

    def set_token(self, call: calls.SetHubToken) -> calls.HubAccount:
        kept = self._secrets.set(TOKEN, call.token.strip())
        return calls.HubAccount(has_token=bool(call.token.strip()), kept=kept)

    def account(self, call: calls.GetHubAccount) -> calls.HubAccount:
        return calls.HubAccount(has_token=bool(self._secrets.get(TOKEN)), kept=self._secrets.is_kept(TOKEN))


def chosen_file(listed: HubFiles, wanted: str) -> HubFile:
    """The model of a repository by its file name or its quantisation. Raises UserError that lists them."""
    named = [one for one in listed.files if one.name == wanted]
    found = named or [one for one in listed.files if one.quantization.lower() == wanted.lower()]
    if len(found) == 1:
        return found[0]
    known = ", ".join(one.name for one in listed.files) or "none"
    problem = "has several models" if found else "has no model"
    raise UserError(f"{listed.repository} {problem} {wanted!r}.", f"Its GGUF models: {known}.")


def hub_of(base: Foundation) -> Callable[[], Hub]:
    """Opens the hub that the settings name, with the token that is kept for it."""
    return lambda: Hub(base.gate, lambda: base.secrets.get(TOKEN), base.settings.network.hub_address)
