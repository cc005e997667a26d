"""Endpoints: models that another program or service computes, asked through OpenAI's API.

The key of an endpoint is no part of this value: it is in the keyring only.
"""

from __future__ import annotations

import ipaddress
import time
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.base.stored import Stored

LONGEST_URL, LONGEST_NOTES = 500, 2_000


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """``address`` is the base of the API, up to ``/v1``; ``model`` the name that it knows the model by.

    What it can do was ``probed`` at that time (seconds since the epoch; 0: never): it ``streams``, reports usage in a
    stream (``streams_usage``), takes JSON ``schemas``, and several answers at once (``several``), and reports so many
    ``alternatives`` to a token with their log-probabilities, and takes images (``vision``; None: that was not tried,
    as by versions before images), unless the person says otherwise (``sees``; None: nothing is said). ``limit_field``
    names the most tokens. ``context_tokens`` 0: not known.
    Prices are per million tokens, in the currency of ``budget``: what may be spent in all; 0: no budget.
    ``terms`` is the address of the terms that the person has named, ``notes`` what else they have noted.
    ``certificate`` (PEM) is the one that the machine must have, where it was added by a code; "": any that an authority
    has signed.
    """

    address: str
    model: str
    context_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    streams: bool = False
    streams_usage: bool = False
    schemas: bool = False
    several: bool = False
    alternatives: Annotated[int, msgspec.Meta(ge=0)] = 0
    vision: bool | None = None
    sees: bool | None = None
    limit_field: str = "max_tokens"
    probed: float = 0.0
    price_in: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    price_out: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    budget: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    terms: str = ""
    notes: Annotated[str, msgspec.Meta(max_length=LONGEST_NOTES)] = ""
    certificate: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.address).hostname or ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, so that nothing leaves it."""
        host = self.host.rstrip(".").lower()
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def sees_images(self) -> bool:
        """Whether images are sent to it."""
        return bool(self.vision) if self.sees is None else self.sees

    def cost(self, prompt_tokens: int, new_tokens: int) -> float:
        return (prompt_tokens * self.price_in + new_tokens * self.price_out) / 1e6


ENDPOINT = Stored("endpoint", Endpoint)


class MadeBy(msgspec.Struct, frozen=True, kw_only=True):
    """Who computed a text or a verdict elsewhere: the host and its model, when (seconds since the epoch), at which
    prices per million tokens, under which terms. It is stored with each row."""

    provider: str
    model: str
    at: float
    price_in: float = 0.0
    price_out: float = 0.0
    terms: str = ""

    def describe(self) -> Shown:
        day = time.strftime("%Y-%m-%d", time.localtime(self.at))
        price = (
            f"price {self.price_in:g} / {self.price_out:g} per million tokens" if self.is_paid else "without a price"
        )
        return ", ".join(filter(None, (f"{self.model} at {self.provider}", day, price, self.terms)))

    @property
    def is_paid(self) -> bool:
        return bool(self.price_in or self.price_out)


def made_by(endpoint: Endpoint | None) -> MadeBy | None:
    """Who computes what an endpoint is asked for now; None of a model on this machine."""
    if endpoint is None:
        return None
    return MadeBy(
        provider=endpoint.host,
        model=endpoint.model,
        at=time.time(),
        price_in=endpoint.price_in,
        price_out=endpoint.price_out,
        terms=endpoint.terms,
    )


class EndpointUse(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint was asked so far, and whose passages it may get: ``sending`` by the collections' names."""

    name: str
    requests: int = 0
    prompt_tokens: int = 0
    new_tokens: int = 0
    cost: float = 0.0
    has_key: bool = False
    key_kept: bool = False
    sending: dict[str, bool] = {}


def checked_address(address: str) -> str:
    """The base address of an API, without a slash at its end. Raises UserError for one that holds a secret, or is
    none."""
    address = address.strip().rstrip("/")
    for suffix in ("/chat/completions", "/completions"):
        address = address.removesuffix(suffix)
    try:
        parts = urlsplit(address)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or len(address) > LONGEST_URL or any(one.isspace() for one in address):
        raise UserError(f"{address[:80]!r} is no address of an API.", "Give one such as https://api.example.com/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UserError("An address holds no user, key or query.", "Give the key by itself; it goes into the keyring.")
    if parts.scheme == "http" and not Endpoint(address=address, model="").is_local and not _is_private(parts.hostname):
        raise UserError(
            f"{parts.hostname} would be asked without encryption.", "Use https, or an address of your own network."
        )
    return address


def _is_private(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_private
    except ValueError:
        return False
