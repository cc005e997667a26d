"""The application: which path is which endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workbench.subjects.serving.calls import ServedModel
from workbench.subjects.serving.http import anthropic, chat, completions, responses, texts
from workbench.subjects.serving.http.endpoints import Endpoints
from workbench.subjects.serving.http.errors import ApiError, unknown_model
from workbench.subjects.serving.http.exchange import Handle
from workbench.subjects.serving.http.security import Access, Counts, Guard, Limits

Endpoint = Callable[[Endpoints, Request], Awaitable[Response]]

POSTS: dict[str, Endpoint] = {
    "/chat/completions": chat.complete_chat,
    "/completions": completions.complete,
    "/embeddings": texts.embed,
    "/rerank": texts.rerank,
    "/reranking": texts.rerank,
    "/messages": anthropic.create_message,
    "/messages/count_tokens": anthropic.count_tokens,
    "/responses": responses.respond,
    "/tokenize": texts.tokenize,
    "/detokenize": texts.detokenize,
}


def make_app(
    handle: Handle,
    access: Access,
    *,
    limits: Limits | None = None,
    counts: Counts | None = None,
) -> Guard:
    """The application with its guard. ``handle`` answers calls; ``access`` says who may ask. Every path is served with
    and without ``/v1``."""
    endpoints = Endpoints(handle)
    routes = []
    for before in ("", "/v1"):
        routes += [Route(before + path, partial(_run, endpoints, one), methods=["POST"]) for path, one in POSTS.items()]
        for path, one in GETS.items():
            routes.append(Route(before + path, partial(_run, endpoints, one), methods=["GET"]))
    app = Starlette(
        routes=routes, exception_handlers={HTTPException: _on_http_error, ApiError: _on_error, Exception: _on_bug}
    )
    app.router.redirect_slashes = False
    return Guard(app, access, limits or Limits(), counts or Counts())


async def _run(endpoints: Endpoints, endpoint: Endpoint, request: Request) -> Response:
    return await endpoint(endpoints, request)


async def health(endpoints: Endpoints, request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def list_models(endpoints: Endpoints, request: Request) -> Response:
    models = await endpoints.models(request)
    return JSONResponse({"object": "list", "data": [_shown(one) for one in models]})


async def one_model(endpoints: Endpoints, request: Request) -> Response:
    models = await endpoints.models(request)
    name = request.path_params["model"]
    for one in models:
        if one.id == name:
            return JSONResponse(_shown(one))
    raise unknown_model(name, [one.id for one in models])


def _shown(model: ServedModel) -> dict[str, object]:
    about = {"kind": model.kind, "description": model.description, "problem": model.problem or None}
    return {
        "id": model.id, "object": "model", "created": model.created, "owned_by": "workbench", "workbench": about,
    }  # fmt: skip


GETS: dict[str, Endpoint] = {
    "/health": health,
    "/models": list_models,
    "/models/{model:path}": one_model,
    "/tokenizer_info": texts.tokenizer_info,
}


def _on_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    messages = {404: "There is no such path.", 405: "This path does not support this method."}
    code = {404: "not_found", 405: "method_not_allowed"}.get(status, "")
    return ApiError(status, messages.get(status, "The request cannot be answered."), code=code).response()


def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


def _on_bug(request: Request, error: Exception) -> Response:
    """The server logs the traceback."""
    return ApiError(500, "Internal error. The log of the program has its details.", kind="server_error").response()
