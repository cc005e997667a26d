"""The hub: finds GGUF models and their files by ``huggingface_hub``, through the gate, at any address of its API."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from workbench.errors import UserError
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.records.hub import HubFile, HubFiles, HubModel, RemoteFile

ENDPOINT = "https://huggingface.co"
MOST_FOUND = 100
_FOUND_FIELDS = ("gguf", "downloads", "likes", "gated", "lastModified", "tags")
_SPLIT = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$")
_QUANTIZATION = re.compile(
    r"(?:^|[-._])(I?Q\d(?:_[A-Z0-9]+)*|F16|F32|BF16|MXFP4(?:_[A-Z]+)*)(?=[-._]|$)", re.IGNORECASE
)
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


class Hub:
    """``token`` gives the person's access token, "" without one; ``endpoint`` is the address of the API."""

    def __init__(self, gate: Gate, token: Callable[[], str] = lambda: "", endpoint: str = ENDPOINT) -> None:
        self._gate, self._token, self._endpoint = gate, token, endpoint.rstrip("/")

    def headers(self) -> dict[str, str]:
        """What a download sends to the hub itself."""
        token = self._token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def search(self, words: str, limit: int = 30) -> tuple[HubModel, ...]:
        """Repositories with GGUF files, the most downloaded first. Raises UserError."""
        found = self._asked(
            lambda api: list(
                api.list_models(
                    filter="gguf", search=words.strip() or None, sort="downloads", limit=min(limit, MOST_FOUND),
                    expand=list(_FOUND_FIELDS),
                )
            ),
            "The hub could not be searched",
        )  # fmt: skip
        return tuple(map(_model, found))

    def files(self, repository: str, revision: str = "") -> HubFiles:
        """The GGUF models of a repository, the smallest first, with sizes and checksums. Raises UserError."""
        if not _REPOSITORY.fullmatch(repository):
            raise UserError(f"{repository!r} is not the name of a repository.", "It is OWNER/NAME, as in its address.")
        info = self._asked(
            lambda api: api.model_info(repository, revision=revision or None, files_metadata=True),
            f"{repository} could not be looked up",
        )
        commit = str(info.sha or revision or "main")
        remote = [self._remote(repository, commit, sibling) for sibling in info.siblings or ()]
        known = _model(info)
        return HubFiles(
            repository=repository,
            revision=commit,
            licence=known.licence,
            gated=known.gated,
            files=tuple(sorted(_models_of(one for one in remote if one is not None), key=lambda one: one.bytes)),
        )

    def _remote(self, repository: str, commit: str, sibling: Any) -> RemoteFile | None:
        path = str(sibling.rfilename)
        if not path.lower().endswith(".gguf") or "mmproj" in path.lower():
            return None
        lfs = sibling.lfs
        return RemoteFile(
            url=f"{self._endpoint}/{repository}/resolve/{commit}/{quote(path)}",
            name=path.rsplit("/", 1)[-1],
            bytes=int(sibling.size or getattr(lfs, "size", 0) or 0),
            sha256=str(getattr(lfs, "sha256", "") or ""),
        )

    def _asked(self, ask: Callable[[Any], Any], failure: str) -> Any:
        # a library that is told nothing looks for tokens in files, and reports what is used
        os.environ.update(HF_HUB_DISABLE_IMPLICIT_TOKEN="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_XET="1")
        import httpx2
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError

        huggingface_hub.set_client_factory(lambda: open_client(self._gate, "hub"))
        api = huggingface_hub.HfApi(endpoint=self._endpoint, token=self._token() or False)
        try:
            return ask(api)
        except HfHubHTTPError as error:
            status = error.response.status_code
            hint = {
                401: "It may be private or gated: enter an access token in Settings.",
                403: "It may be gated: accept its terms on its page, and enter an access token in Settings.",
                404: "Check its name.",
                429: "The hub asks to wait: try again in some minutes.",
            }.get(status, "Try again later.")
            said = error.server_message or error.response.reason_phrase
            raise UserError(f"{failure}: {said} ({status}).", hint) from error
        except httpx2.HTTPError as error:
            raise UserError(f"{failure}: {error}.", "Check the connection.") from error
        finally:
            huggingface_hub.close_session()


def _model(info: Any) -> HubModel:
    gguf = info.gguf if isinstance(getattr(info, "gguf", None), dict) else {}
    tags = [tag for tag in info.tags or () if isinstance(tag, str)]
    updated = info.last_modified
    return HubModel(
        repository=info.id,
        downloads=info.downloads or 0,
        likes=info.likes or 0,
        licence=next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), ""),
        gated=bool(info.gated),
        updated=updated.date().isoformat() if updated is not None else "",
        architecture=str(gguf.get("architecture") or ""),
        parameters=_count(gguf.get("total")),
        context_tokens=_count(gguf.get("context_length")),
    )


def _models_of(files: Iterable[RemoteFile]) -> list[HubFile]:
    """Single files, and split ones of which all are there, as one."""
    single: list[HubFile] = []
    split: dict[tuple[str, int], dict[int, RemoteFile]] = {}
    for file in files:
        found = _SPLIT.match(file.name)
        if found is None:
            single.append(_file((file,)))
        else:
            split.setdefault((found["stem"], int(found["count"])), {})[int(found["number"])] = file
    whole = [
        _file(tuple(parts[number] for number in sorted(parts)))
        for (_, count), parts in split.items()
        if sorted(parts) == list(range(1, count + 1))
    ]
    return single + whole


def _file(parts: tuple[RemoteFile, ...]) -> HubFile:
    name = parts[0].name
    found = _QUANTIZATION.findall(name.removesuffix(".gguf"))
    quantization = found[-1].upper() if found else ""
    return HubFile(name=name, bytes=sum(part.bytes for part in parts), quantization=quantization, parts=parts)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
