"""Shared by all endpoints: the calls of the core, and the lookup of model names."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from workbench.subjects.serving.calls import ListServedModels, ServedModel
from workbench.subjects.serving.http.errors import ApiError, unknown_model
from workbench.subjects.serving.http.exchange import Handle, result_of


@dataclass(frozen=True, eq=False)
class Endpoints:
    """``handle`` answers calls, as ``Workbench.handle``."""

    handle: Handle

    async def models(self, request: Request) -> tuple[ServedModel, ...]:
        return (await result_of(self.handle, ListServedModels(), request)).models

    async def find_model(self, name: str, request: Request, *, embeds: bool = False) -> str:
        """The id of a served model, "" for the default one. Capitals count for nothing, and a space, a hyphen and an
        underscore are the same. Raises ApiError for a name that is not served."""
        if not name:
            return ""
        models = [one for one in await self.models(request) if (one.kind == "embedder") == embeds]
        exact = [one for one in models if one.id == name]
        found = exact or [one for one in models if _plain(one.id) == _plain(name)]
        if not found:
            raise unknown_model(name, [one.id for one in models])
        if found[0].problem:
            raise ApiError(400, found[0].problem, code="model_unusable", param="model")
        return found[0].id


def _plain(name: str) -> str:
    return name.casefold().replace("-", " ").replace("_", " ")
