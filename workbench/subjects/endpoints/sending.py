"""The gate for private text: what a request to an endpoint was made from, and whether each of it may be sent there.

It is asked when a request is checked, and again when a model is leased, so a permission that is withdrawn counts from
the next request on. A request whose origins are not declared cannot lease an endpoint at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.base.errors import SendingRefused, UserError
from workbench.records.documents import Collection
from workbench.records.endpoints import Endpoint
from workbench.records.models import ModelRecord
from workbench.records.origins import AGENT, ATTACHED, TITLES, UNKNOWN, Origins
from workbench.records.recipes import RetrievalPart
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.endpoints.store import EndpointStore

_KEYS = {ATTACHED: "attached", AGENT: AGENT, UNKNOWN: UNKNOWN}
"""Under which decisions on what is no collection are stored."""

_PAGES, _PICTURES = "#pages", "#pictures"
"""End the keys of the decisions on pictures of whole pages, and on pictures within documents. They are made with the
one on passages, where the model sees images; one that was made before such pictures were sent does not cover them."""

USUAL_PASSAGES = 8
"""How many passages a large model sees at most where the recipe leaves it open."""

How = Literal["passages", "document", "history", "text"]
"""What would be sent: passages that are searched, a whole document, earlier answers, or another text."""

_SENT: dict[How, str] = {
    "passages": "Up to {count} passages of {name} will be sent to {host} with each question, if you allow it.",
    "document": "The text of a document of {name} will be sent to {host}, if you allow it.",
    "history": "Earlier answers of this conversation, which were made from {name}, will be sent to {host}, if you "
    "allow it.",
    "text": "Texts that were made from {name} will be sent to {host}, if you allow it.",
}
_SENT_WITH_PAGES = (
    "Up to {count} passages of {name} will be sent to {host} with each question, and pictures of the whole pages that "
    "they are on and pictures in their documents, where the recipe shows these, if you allow it."
)
_WITH_IT = (
    " This also allows passages of {name} to be sent to this model, which sees images, with pictures of the whole "
    "pages that they are on and pictures in their documents."
)
_UNKNOWN = "Stored texts will be sent to {host}, if you allow it. It is not known which documents they were made from."
_REFUSED: dict[How, str] = {
    "passages": "You have refused to send passages of {name} to {host}.",
    "document": "You have refused to send text of {name} to {host}.",
    "history": "You have refused to send text of {name} to {host}. Earlier answers of this conversation were made from "
    "it.",
    "text": "You have refused to send text of {name} to {host}.",
}
_AGAIN = (
    "To allow it with its passages, switch the permission off and on again on the page Models, under Models elsewhere."
)
NO_PAGES = "You have not allowed that pictures of whole pages of {name} are sent to {host}."
NO_PICTURES = "You have not allowed that pictures in documents of {name} are sent to {host}."
HINT = "Allow it on the page Models, under Models elsewhere. Otherwise ask a model on this machine."


@dataclass(frozen=True, eq=False)
class SendingGate:
    _registry: CollectionRegistry
    _store: EndpointStore

    def check(
        self,
        model: ModelRecord,
        searched: Sequence[Collection] = (),
        origins: Origins = (),
        part: RetrievalPart | None = None,
        how: How = "text",
    ) -> None:
        """Raises SendingRefused for the first origin of a request that may not be sent to a model's host, or on which
        no decision was made. ``searched`` are the collections whose passages ``part`` sends (with ``how`` "document":
        whole documents), ``origins`` is what the other texts of the request were made from."""
        endpoint = model.endpoint
        if endpoint is None or endpoint.is_local:
            return
        count = (part.passages if part is not None else 0) or USUAL_PASSAGES
        first: How = "document" if how == "document" else "passages"
        asked: list[tuple[str, str, str, How]] = []
        for one in searched:
            key, name = self._key_of(one)
            asked.append((key, name, "" if one.chat else one.name, first))
        for origin in (UNKNOWN,) if origins is None else origins:
            key, name, call = self.resolve(origin)
            if key not in {known for known, *_ in asked}:
                asked.append((key, name, call, "text" if how == "document" else how))
        for key, name, call, way in asked:
            decided = self._store.may_send(key, endpoint.host)
            if decided:
                continue
            refused = decided is False
            sent = _SENT[way]
            if endpoint.sees_images and key not in (AGENT, UNKNOWN):  # what ``decide`` allows then
                sent = _SENT_WITH_PAGES if way == "passages" else sent + _WITH_IT
            words = _REFUSED[way] if refused else _UNKNOWN if key == UNKNOWN else sent
            message = words.format(count=count, name=name, host=endpoint.host)
            raise SendingRefused(message, HINT, model=model.name, collection=call, refused=refused)

    def check_pictures(self, model: ModelRecord, collection: str, *, within: bool) -> None:
        """Raises UserError where pictures of a collection (its id) may not be sent to a model's host: those of whole
        pages, or those that are ``within`` documents."""
        endpoint = model.endpoint
        if endpoint is None or endpoint.is_local:
            return
        key, name, _ = self.resolve(collection)
        which, words = (_PICTURES, NO_PICTURES) if within else (_PAGES, NO_PAGES)
        if not (self._store.may_send(key, endpoint.host) and self._store.may_send(f"{key}{which}", endpoint.host)):
            raise UserError(f"{words.format(name=name, host=endpoint.host)} {_AGAIN}")

    def decide(self, endpoint: Endpoint, collection: str, allowed: bool) -> None:
        """Allow or refuse to send passages to the host of an endpoint, with pictures of their pages and in their
        documents where it sees images. ``collection`` as in ``AllowSending``. Raises UserError for one that there is
        not."""
        if collection in _KEYS:
            key = _KEYS[collection]
        else:
            key = self._registry.get(collection).id if collection else _KEYS[ATTACHED]
        self._store.decide(key, endpoint.host, allowed)
        if endpoint.sees_images or not allowed:
            for which in (_PAGES, _PICTURES):
                self._store.decide(f"{key}{which}", endpoint.host, allowed)

    def decisions(self, host: str) -> dict[str, bool]:
        """The decisions for a host, by the titles of what they are on."""
        names = {one.id: one.name for one in self._registry.list_collections()}
        names |= {key: TITLES[origin] for origin, key in _KEYS.items()}
        return {names[id]: allowed for id, allowed in self._store.decisions(host).items() if id in names}

    def names(self, origins: Sequence[str]) -> Iterator[str]:
        """Origins in words."""
        return (self.resolve(origin)[1] for origin in origins)

    def resolve(self, origin: str) -> tuple[str, str, str]:
        """The key of the decision on an origin, its title, and its name in ``AllowSending``. A collection that was
        removed is an unknown origin."""
        if origin == ATTACHED:
            return _KEYS[ATTACHED], TITLES[ATTACHED], ""
        if origin not in TITLES:
            try:
                found = self._registry.get(origin)
            except UserError:
                return UNKNOWN, TITLES[UNKNOWN], UNKNOWN
            key, name = self._key_of(found)
            return key, name, "" if found.chat else found.name
        return _KEYS[origin], TITLES[origin], origin

    def _key_of(self, collection: Collection) -> tuple[str, str]:
        return (_KEYS[ATTACHED], TITLES[ATTACHED]) if collection.chat else (collection.id, collection.name)
