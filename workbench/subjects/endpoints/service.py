"""Endpoints of a home: added and probed, their keys, their budgets, and what may be sent to them."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.backends.chat_stream import Connection
from workbench.backends.openai_compatible import OpenAICompatibleBackend, endpoint_of
from workbench.backends.probing import probe
from workbench.base.errors import BudgetExceeded, UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, stoppable, unary
from workbench.gguf.names import unique_name
from workbench.network.gate import Gate, Offline
from workbench.network.http import certificate_of
from workbench.network.secrets import Secrets
from workbench.records.capabilities import LOCAL, Capabilities, capabilities_of, describe_missing
from workbench.records.endpoints import LONGEST_URL, Endpoint, checked_address
from workbench.records.messages import ImagePart
from workbench.records.models import ModelRecord
from workbench.records.network_code import is_code, read_code
from workbench.subjects.endpoints import calls
from workbench.subjects.endpoints.calls import EndpointRecord
from workbench.subjects.endpoints.sending import SendingGate
from workbench.subjects.endpoints.store import EndpointStore, secret_of
from workbench.subjects.models.store import ModelCatalogue

_ROUNDING = 1e-9
"""What may be left of a cost that was held and released."""


@dataclass(frozen=True, eq=False)
class Endpoints:
    _catalogue: ModelCatalogue
    _sending: SendingGate
    _store: EndpointStore
    _secrets: Secrets
    _gate: Gate
    _changes: ChangeNotifier
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _held: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """By model: what its requests that run cost at most."""

    def handlers(self) -> Handlers:
        return {
            calls.ListEndpoints: unary(lambda call: self.list_all()),
            calls.AddEndpoint: stoppable(self.add),
            calls.ProbeEndpoint: stoppable(self.probe),
            calls.ChangeEndpoint: stoppable(self.change),
            calls.AllowSending: unary(self.allow),
        }

    def make_backend(self, image_path: Callable[[ImagePart], str]) -> OpenAICompatibleBackend:
        return OpenAICompatibleBackend(self.connect, self.reserve, self.spent, image_path)

    # -- for the backend ----------------------------------------------------------------------------

    def connect(self, model: ModelRecord) -> Connection:
        return Connection(self._gate, endpoint_of(model), self._secrets.get(secret_of(model.name)))

    @contextlib.contextmanager
    def reserve(self, model: ModelRecord, prompt_tokens: int, new_tokens: int) -> Iterator[None]:
        """While a request runs, hold what it costs at most. Raises UserError where that, what was spent and what other
        requests hold could exceed the budget."""
        endpoint = endpoint_of(model)
        most = endpoint.cost(prompt_tokens, new_tokens)
        with self._lock:
            spent, held = self._store.use_of(model.name).cost, self._held[model.name]
            if endpoint.budget and spent + held + most > endpoint.budget:
                waiting = f", requests that run may cost {held:.4f}" if held else ""
                raise BudgetExceeded(
                    f"{model.name} has cost {spent:.4f} of its budget of {endpoint.budget:.4f}{waiting}, and this "
                    f"request could cost {most:.4f}.",
                    "Raise the budget, or set a lower maximum length.",
                )
            self._held[model.name] += most
        try:
            yield
        finally:
            with self._lock:
                self._held[model.name] -= most

    def spent(self, model: ModelRecord, prompt_tokens: int, new_tokens: int) -> None:
        cost = endpoint_of(model).cost(prompt_tokens, new_tokens)
        self._store.note_use(model.name, prompt_tokens, new_tokens, cost)

    # -- calls --------------------------------------------------------------------------------------

    def list_all(self) -> calls.EndpointList:
        found = [one for one in self._catalogue.list_models() if one.endpoint is not None]
        return calls.EndpointList(endpoints=tuple(map(self._record, found)))

    def add(self, call: calls.AddEndpoint, context: RequestContext) -> EndpointRecord:
        address, certificate, key = self._place_of(call, context)
        model_name = call.model.strip()
        if not model_name and certificate:
            model_name = self._first_model(address, certificate, key, context)
        endpoint = _checked_endpoint(
            {
                "address": address,
                "certificate": certificate,
                "model": model_name,
                "price_in": call.price_in,
                "price_out": call.price_out,
                "budget": call.budget,
                "terms": call.terms,
            }
        )
        probed = probe(Connection(self._gate, endpoint, key), context)
        taken = [model.name for model in self._catalogue.list_models()]
        if call.name.strip() and call.name.strip().casefold() in [name.casefold() for name in taken]:
            raise UserError(f"There is a model {call.name.strip()!r} already.", "Choose another name.")
        name = call.name.strip() or unique_name(f"{endpoint.model} at {endpoint.host}", taken)
        model = _model(name, probed)
        self._secrets.set(secret_of(name), key)
        self._catalogue.put(model)
        self._changes.publish("model", name)
        return self._record(model)

    def _place_of(self, call: calls.AddEndpoint, context: RequestContext) -> tuple[str, str, str]:
        """The base address, the certificate that the machine must have ("": a signed one), and the key."""
        if not is_code(call.address):
            return checked_address(call.address), "", _checked_key(call.key)
        code = read_code(call.address)
        failed: UserError | None = None
        for host, address in zip(code.hosts, code.addresses(), strict=True):
            context.raise_if_cancelled()
            try:
                found = certificate_of(self._gate, "endpoint", host, code.port, code.fingerprint, context)
            except Offline:
                raise
            except UserError as error:
                failed = error
                continue
            return checked_address(address), found, _checked_key(code.key)
        assert failed is not None
        raise failed

    def _first_model(self, address: str, certificate: str, key: str, context: RequestContext) -> str:
        asked = Endpoint(address=address, model="", certificate=certificate)
        listed = Connection(self._gate, asked, key).get("/models", context)
        kinds = [(one["id"], one.get("workbench", {}).get("kind")) for one in listed.get("data", ())]
        return next((str(name) for name, kind in kinds if kind != "embedder"), "")

    def probe(self, call: calls.ProbeEndpoint, context: RequestContext) -> EndpointRecord:
        model = self._catalogue.get(call.name)
        return self._put(model, probe(self.connect(model), context))

    def change(self, call: calls.ChangeEndpoint, context: RequestContext) -> EndpointRecord:
        model = self._catalogue.get(call.name)
        given = {name: getattr(call, name) for name in ("price_in", "price_out", "budget", "terms", "notes", "model")}
        fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if call.images is not None:
            fields["sees"] = {"yes": True, "no": False}.get(call.images)
        endpoint = _checked_endpoint({**msgspec.to_builtins(endpoint_of(model)), **fields})
        new_name = model.name if call.new_name is None else " ".join(call.new_name.split())
        if not new_name:
            raise UserError("The new name is empty.", "Give a name, or leave it as it is.")
        key = self._secrets.get(secret_of(model.name)) if call.key is None else _checked_key(call.key)
        if endpoint.model != endpoint_of(model).model:
            endpoint = probe(Connection(self._gate, endpoint, key), context)
        if new_name != model.name:
            self._rename(model, new_name)
        if call.key is not None or new_name != model.name:
            self._secrets.set(secret_of(new_name), key)
        return self._put(msgspec.structs.replace(model, name=new_name, licence=endpoint.terms), endpoint)

    def _rename(self, model: ModelRecord, name: str) -> None:
        known = self._catalogue.find(name)
        if known is not None and known.name != model.name:
            raise UserError(f"There is a model {name!r} already.", "Choose another name.")
        default = self._catalogue.default()
        if default is not None and default.name == model.name:
            raise UserError(f"{model.name} is the default model.", "Choose another default model first.")
        with self._lock:
            if self._held[model.name] > _ROUNDING:  # its cost would be noted under the old name
                raise UserError(f"{model.name} is answering a request.", "Wait for its end, or stop it.")
        self._catalogue.rename(model.name, name)
        self._store.rename(model.name, name)
        self._secrets.set(secret_of(model.name), "")
        self._changes.publish("model", model.name)

    def allow(self, call: calls.AllowSending) -> EndpointRecord:
        model = self._catalogue.get(call.name)
        self._sending.decide(endpoint_of(model), call.collection, call.allowed)
        self._changes.publish("model", model.name)
        return self._record(model)

    def _put(self, model: ModelRecord, endpoint: Endpoint) -> EndpointRecord:
        model = msgspec.structs.replace(model, endpoint=endpoint, context_tokens=endpoint.context_tokens)
        self._catalogue.put(model)
        self._changes.publish("model", model.name)
        return self._record(model)

    def _record(self, model: ModelRecord) -> EndpointRecord:
        endpoint = endpoint_of(model)
        sending = self._sending.decisions(endpoint.host)
        name = secret_of(model.name)
        has_key = bool(self._secrets.get(name))
        use = msgspec.structs.replace(
            self._store.use_of(model.name), has_key=has_key, key_kept=has_key and self._secrets.is_kept(name),
            sending=sending,
        )  # fmt: skip
        return EndpointRecord(model=model, use=use, lacks=lacks_of(capabilities_of(endpoint)))


def lacks_of(has: Capabilities) -> tuple[str, ...]:
    """What a recipe cannot have on an endpoint, against a model on this machine."""
    return tuple(describe_missing(name, has) for name in has.missing(LOCAL))


def _model(name: str, endpoint: Endpoint) -> ModelRecord:
    return ModelRecord(
        name=name,
        kind="chat",
        format="endpoint",
        path=endpoint.address,
        architecture="",
        parameters=0,
        quantization="",
        context_tokens=endpoint.context_tokens,
        bytes=0,
        licence=endpoint.terms,
        endpoint=endpoint,
    )


def _checked_endpoint(plain: dict[str, Any]) -> Endpoint:
    """Raises UserError for one that is not valid."""
    try:
        endpoint = msgspec.convert(plain, Endpoint)
    except msgspec.ValidationError as error:
        raise UserError(f"The endpoint is not valid: {error}.") from error
    if not endpoint.model.strip():
        raise UserError("The endpoint's model is not named.", "Give the name by which the API knows it.")
    if len(endpoint.terms) > LONGEST_URL:
        raise UserError(f"The address of the terms has more than {LONGEST_URL:,} characters.", "Give a shorter one.")
    return endpoint


def _checked_key(key: str) -> str:
    key = key.strip()
    if not key.isascii() or not key.isprintable() or len(key) > 10_000:
        raise UserError("The key holds characters that no key has.", "Copy it again.")
    return key
