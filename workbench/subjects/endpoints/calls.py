"""Endpoints: models that another program or service computes. Each is a model of the catalogue."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.records.endpoints import EndpointUse
from workbench.records.models import ModelRecord

PRICE_IN, PRICE_OUT = "price per million prompt tokens", "price per million generated tokens"


class EndpointRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint and what it was used for. ``lacks`` are sentences on the features it does not have."""

    model: ModelRecord
    use: EndpointUse
    lacks: tuple[Shown, ...] = ()


class EndpointList(msgspec.Struct, frozen=True, kw_only=True):
    endpoints: tuple[EndpointRecord, ...]


class ListEndpoints(Call[EndpointList], frozen=True, kw_only=True, tag="endpoints.list"):
    """The endpoints of the catalogue. Nothing is asked of them."""


class AddEndpoint(Call[EndpointRecord], frozen=True, kw_only=True, tag="endpoints.add"):
    """Add the model ``model`` of the API at ``address`` to the catalogue, as ``name`` ("": chosen), once single-token
    requests have found out what it is able to do. ``address`` may be the code of another machine that runs this program
    (``records.network_code``), which holds its key; ``model`` "" is the first recipe or model that it serves then. The
    ``key`` goes into the keyring. Prices are per million tokens, ``budget`` is what may be spent in all (0: no limit).
    Raises UserError where it cannot be reached or is refused."""

    address: Annotated[str, "the base address, such as https://api.example.com/v1, or another machine's code"]
    model: Annotated[str, "the name by which it knows the model; of another machine's code the first one"] = ""
    name: Annotated[str, "its name in the catalogue (default: chosen)"] = ""
    key: str = ""
    price_in: Annotated[float, PRICE_IN] = 0.0
    price_out: Annotated[float, PRICE_OUT] = 0.0
    budget: Annotated[float, "budget in all (0: no limit)"] = 0.0
    terms: Annotated[str, "the address of its terms, stored with the model"] = ""


class ProbeEndpoint(Call[EndpointRecord], frozen=True, kw_only=True, tag="endpoints.probe"):
    """Find out again what an endpoint is able to do."""

    name: str


SeesImages = Literal["automatic", "yes", "no"]


class ChangeEndpoint(Call[EndpointRecord], frozen=True, kw_only=True, tag="endpoints.change"):
    """Change what is not None: the name in the catalogue, the key ("" forgets it), the model's name at the service
    (which is probed then), prices, budget, terms, notes, whether ``images`` are sent to it ("automatic": as was found
    out). Raises UserError for a name that is taken, and for that of the default model."""

    name: str
    new_name: Annotated[str | None, "its new name in the catalogue"] = None
    model: Annotated[str | None, "the name by which the service knows the model; it is probed"] = None
    terms: Annotated[str | None, "the address of its terms"] = None
    notes: Annotated[str | None, "notes on the endpoint"] = None
    key: str | None = None
    price_in: Annotated[float | None, PRICE_IN] = None
    price_out: Annotated[float | None, PRICE_OUT] = None
    budget: float | None = None
    images: Annotated[SeesImages | None, "whether it sees images; automatic is what was found out"] = None


class AllowSending(Call[EndpointRecord], frozen=True, kw_only=True, tag="endpoints.sending"):
    """Decide whether passages of a collection may be sent to an endpoint's host, and where the endpoint sees images
    also pictures of their pages and in their documents. ``collection`` "": files attached to chats."""

    name: str
    collection: Annotated[
        str, 'its name; "" is for attached files, "*agent" for what agents have read, "*unknown" for unknown origins'
    ]
    allowed: bool
