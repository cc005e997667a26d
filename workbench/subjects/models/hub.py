"""The hub: finds GGUF models and their files by ``huggingface_hub``, through the gate, at any address of its API.

The text of a model card without anything that would be fetched: pictures become their descriptions.

Cards are written by others: each pattern is bounded, since a text can be made for which an unbounded one takes minutes.
"""

from __future__ import annotations

import html
import os
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any, Literal
from urllib.parse import quote

import httpx2

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.gguf.projectors import is_projector_name
from workbench.network.gate import Gate
from workbench.network.http import is_web_page, open_client, refuse_web_page
from workbench.records.hub import HubCard, HubFile, HubFiles, HubFilters, HubModel, RemoteFile, Sorting
from workbench.subjects.models.download import open_following

ENDPOINT = "https://huggingface.co"
MOST_FOUND = 100
MOST_CARD_BYTES = 1 << 20
LARGEST_ANSWER_BYTES = 8 << 20
"""What the hub's library reads at once into memory."""

WHOLE_S = 120.0
"""Seconds that a question may take."""

MOST_RESULTS = 60
_library = threading.Lock()
"""Held while the hub's library is used, whose client is the same for all threads."""

_FOUND_FIELDS = ("gguf", "downloads", "likes", "gated", "lastModified", "tags", "pipeline_tag")
_SORTS: dict[Sorting, Literal["downloads", "likes", "last_modified"]] = {
    "downloads": "downloads", "likes": "likes", "updated": "last_modified",
}  # fmt: skip
_NO_FILTERS = HubFilters()
_SPLIT = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$")
_QUANTIZATION = re.compile(
    r"(?:^|[-._])(I?Q\d(?:_[A-Z0-9]+)*|F16|F32|BF16|MXFP4(?:_[A-Z]+)*)(?=[-._]|$)", re.IGNORECASE
)
_DATA = re.compile(r"(?:(?:test|dev|validation|train)-[\w.-]+\.parquet|[\w.-]+\.jsonl)")
"""Files with the rows of a data set: a split that was converted to Parquet, or JSON Lines."""
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


class Hub:
    """``token`` gives the person's access token, "" without one; ``endpoint`` is the address of the API."""

    def __init__(self, gate: Gate, token: Callable[[], str] = lambda: "", endpoint: str = ENDPOINT) -> None:
        self._gate, self._token, self._endpoint = gate, token, endpoint.rstrip("/")

    def headers(self) -> dict[str, str]:
        """What a download sends to the hub itself."""
        token = self._token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def search(
        self, words: str, limit: int = 30, filters: HubFilters = _NO_FILTERS, *, context: RequestContext
    ) -> tuple[HubModel, ...]:
        """Repositories with GGUF files. Raises UserError."""
        tags = ["gguf", *([f"license:{filters.licence}"] if filters.licence else [])]
        found = self._asked(
            lambda api: list(
                api.list_models(
                    filter=tags, search=words.strip() or None, sort=_SORTS[filters.sort],
                    limit=max(1, min(limit, MOST_FOUND)), pipeline_tag=filters.task or None,
                    num_parameters=_parameter_range(filters), gated=filters.gated, expand=list(_FOUND_FIELDS),
                )
            ),
            "The hub could not be searched",
            context,
        )  # fmt: skip
        return tuple(map(_model, found))

    def card(self, repository: str, revision: str = "", *, context: RequestContext) -> HubCard:
        """The model card of a repository, without anything that would be fetched. Raises UserError."""
        _check_repository(repository)
        info = self._asked(
            lambda api: api.model_info(repository, revision=revision or None),
            f"{repository} could not be looked up",
            context,
        )
        commit = str(info.sha or revision or "main")
        text = ""
        if any(str(sibling.rfilename) == "README.md" for sibling in info.siblings or ()):
            text = plain_card(self._text(f"{self._endpoint}/{repository}/resolve/{commit}/README.md", context))
        data = getattr(info, "card_data", None)
        results = [
            (str(one.dataset_name or ""), str(one.metric_name or one.metric_type or ""), str(one.metric_value))
            for one in (getattr(data, "eval_results", None) or ())
        ]
        return HubCard(repository=repository, revision=commit, text=text, results=tuple(results[:MOST_RESULTS]))

    def _text(self, url: str, context: RequestContext) -> str:
        """A small text file; "" where it cannot be read."""
        with open_client(self._gate, "hub", context=context, whole_s=WHOLE_S) as client:
            try:
                with open_following(client, url, {}, self.headers()) as response:
                    if response.status_code != 200 or is_web_page(response):
                        return ""
                    read = b""
                    for block in response.iter_bytes():
                        read += block
                        if len(read) > MOST_CARD_BYTES:
                            break
                    return read.decode("utf-8", "replace")
            except httpx2.HTTPError:
                return ""

    def files(self, repository: str, revision: str = "", *, context: RequestContext) -> HubFiles:
        """The GGUF models of a repository, the smallest first, with sizes and checksums. Raises UserError."""
        _check_repository(repository)
        info = self._asked(
            lambda api: api.model_info(repository, revision=revision or None, files_metadata=True),
            f"{repository} could not be looked up",
            context,
        )
        commit = str(info.sha or revision or "main")
        found = [self._remote(repository, commit, sibling) for sibling in info.siblings or ()]
        remote = [one for one in found if one is not None]
        known = _model(info)
        return HubFiles(
            repository=repository,
            revision=commit,
            licence=known.licence,
            gated=known.gated,
            files=tuple(
                sorted(_models_of(one for one in remote if not is_projector_name(one.name)), key=lambda one: one.bytes)
            ),
            projectors=tuple(one for one in remote if is_projector_name(one.name)),
        )

    def data_files(
        self, repository: str, folder: str, *, context: RequestContext
    ) -> tuple[str, tuple[RemoteFile, ...]]:
        """The commit of a data set, and its files with the rows of a split, below ``folder``. Raises UserError."""
        _check_repository(repository)
        info = self._asked(
            lambda api: api.dataset_info(repository, files_metadata=True),
            f"{repository} could not be looked up",
            context,
        )
        commit = str(info.sha or "main")
        found = []
        for sibling in info.siblings or ():
            path = str(sibling.rfilename)
            where, _, name = path.rpartition("/")
            if where != folder or not _DATA.fullmatch(name):
                continue
            found.append(
                RemoteFile(
                    url=f"{self._endpoint}/datasets/{repository}/resolve/{commit}/{quote(path)}",
                    name=name,
                    bytes=int(sibling.size or getattr(sibling.lfs, "size", 0) or 0),
                    sha256=str(getattr(sibling.lfs, "sha256", "") or ""),
                )
            )
        return commit, tuple(found)

    def _remote(self, repository: str, commit: str, sibling: Any) -> RemoteFile | None:
        path = str(sibling.rfilename)
        if not path.lower().endswith(".gguf"):
            return None
        lfs = sibling.lfs
        return RemoteFile(
            url=f"{self._endpoint}/{repository}/resolve/{commit}/{quote(path)}",
            name=path.rsplit("/", 1)[-1],
            bytes=int(sibling.size or getattr(lfs, "size", 0) or 0),
            sha256=str(getattr(lfs, "sha256", "") or ""),
        )

    def _asked(self, ask: Callable[[Any], Any], failure: str, context: RequestContext) -> Any:
        # by default the library looks for tokens in files, and sends telemetry
        os.environ.update(
            HF_HUB_DISABLE_IMPLICIT_TOKEN="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_XET="1",
            HF_HUB_DISABLE_UPDATE_CHECK="1",
        )  # fmt: skip
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError

        def open_checked() -> httpx2.Client:
            client = open_client(
                self._gate, "hub", context=context, whole_s=WHOLE_S, largest_bytes=LARGEST_ANSWER_BYTES
            )
            client.event_hooks = {"response": [refuse_web_page, _refuse_at_once]}
            client.request = _asked_once(client.request)  # type: ignore[method-assign]
            return client

        while not _library.acquire(timeout=0.1):
            context.raise_if_cancelled()
        try:
            huggingface_hub.set_client_factory(open_checked)
            return ask(huggingface_hub.HfApi(endpoint=self._endpoint, token=self._token() or False))
        except HfHubHTTPError as error:
            status = error.response.status_code
            hint = {
                401: "It may be private or gated: enter an access token on the page Models.",
                403: "It may be gated: accept its terms on its page, and enter an access token in Models.",
                404: "Check its name.",
                429: "The hub asks to wait: try again in some minutes.",
            }.get(status, "Try again later.")
            said = error.server_message or error.response.reason_phrase
            raise UserError(f"{failure}: {said} ({status}).", hint) from error
        except httpx2.HTTPError as error:
            raise UserError(f"{failure}: {error}.", "Check the connection.") from error
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            RecursionError,
        ) as error:  # of the library, as it reads
            raise UserError(
                f"{failure}: {self._endpoint} does not answer as a hub does.", "Check its address."
            ) from error
        finally:
            huggingface_hub.close_session()
            _library.release()


class _NotReached(httpx2.TransportError):
    """An error of the connection that the hub's library does not wait for and try again."""


def _asked_once(request: Callable[..., httpx2.Response]) -> Callable[..., httpx2.Response]:
    """The library tries a connection that failed five times more and sleeps up to 23 seconds between, which cannot be
    cancelled and keeps every other search waiting. A person sees the failure and can ask again."""

    def once(*arguments: Any, **options: Any) -> httpx2.Response:
        try:
            return request(*arguments, **options)
        except httpx2.TransportError as error:
            raise _NotReached(str(error)) from error

    return once


def _refuse_at_once(response: httpx2.Response) -> None:
    """Raises HfHubHTTPError for the answers after which the library would sleep and ask again, up to the hours that a
    limit of requests names."""
    if response.status_code in (408, 429) or response.status_code >= 500:
        from huggingface_hub.utils._http import hf_raise_for_status

        response.read()
        hf_raise_for_status(response)


def _check_repository(repository: str) -> None:
    if not _REPOSITORY.fullmatch(repository):
        raise UserError(f"{repository!r} is not the name of a repository.", "It is OWNER/NAME, as in its address.")


def _parameter_range(filters: HubFilters) -> str | None:
    """As the hub's search takes it: ``min:1B,max:8B``."""
    limits = [
        f"{name}:{count / 1e9:g}B"
        for name, count in (("min", filters.least_parameters), ("max", filters.most_parameters))
        if count
    ]
    return ",".join(limits) or None


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
        task=str(getattr(info, "pipeline_tag", None) or ""),
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


MOST_CHARACTERS = 40_000

_FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
_HIDDEN = re.compile(r"<(!--|script\b|style\b|iframe\b|svg\b)", re.IGNORECASE)
_PICTURE = re.compile(r"!\[([^\[\]]{0,500})\](?:\([^()\n]{0,1000}\)|\[[^\[\]]{0,500}\])")
_HTML_PICTURE = re.compile(r"<img\b[^<>]{0,4000}>", re.IGNORECASE)
_DESCRIPTION = re.compile(r"\balt=[\"']([^\"']*)[\"']", re.IGNORECASE)
_EMPTY_LINK = re.compile(r"\[\s{0,100}\]\([^()\n]{0,1000}\)")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


def plain_card(text: str) -> str:
    """The card's Markdown without front matter, pictures and HTML; cut after 40,000 characters."""
    text = _FRONT_MATTER.sub("", text.replace("\r\n", "\n")[: 4 * MOST_CHARACTERS])
    text = _without_hidden(html.unescape(text))  # first: an escaped picture would become one afterwards
    text = _PICTURE.sub(lambda found: found[1], text)
    text = _HTML_PICTURE.sub(lambda found: " ".join(_DESCRIPTION.findall(found[0])), text)
    text = _TAG.sub("", _BREAK.sub("\n", text))
    text = _BLANK_LINES.sub("\n\n", _EMPTY_LINK.sub("", text)).strip()
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS].rsplit(chr(10), 1)[0]}\n\n…"
    return text


def _without_hidden(text: str) -> str:
    """The text without comments, scripts, styles and drawings."""
    shown, place, unclosed = list[str](), 0, set[str]()
    for opened in _HIDDEN.finditer(text):
        kind = opened[1].lower()
        if opened.start() < place or kind in unclosed:
            continue
        closing = re.compile("-->" if kind == "!--" else rf"</{kind}\s{{0,100}}>", re.IGNORECASE)
        closed = closing.search(text, opened.end())
        if closed is None:
            unclosed.add(kind)
            continue
        shown.append(text[place : opened.start()])
        place = closed.end()
    return "".join([*shown, text[place:]])
