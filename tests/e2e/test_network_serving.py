"""The API for other machines: a second home asks a recipe of the first by its code, over TLS, and nobody else does."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from workbench.api.protocol import Call, result_of
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.network_code import NetworkCode, read_code, write_code
from workbench.records.recipes import ModelPart, Recipe, RetrievalPart, save_recipe
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.subjects.endpoints.calls import AddEndpoint, AllowSending
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.runs.calls import FollowRun
from workbench.subjects.serving.calls import (
    AddApiClient,
    ApiClientCode,
    GetApiState,
    ListApiClients,
    RemoveApiClient,
)
from workbench.subjects.serving.http.running import MOST_OF_ADDRESS

HELLO = {"model": "Smol", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}


def call(workbench: Workbench, asked: Call[Any]) -> Any:
    return result_of(asked, workbench.handle(asked))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def serve_to(workbench: Workbench, **values: Any) -> None:
    call(workbench, ChangeSettings(values={"server": values}))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, smollm_path: Path, minilm_path: Path) -> Iterator[Workbench]:
    """Serves to the network, with a recipe over its documents."""
    folder = tmp_path_factory.mktemp("first")
    workbench = Workbench(Home(folder / "home"))
    try:
        call(workbench, ImportModel(path=str(smollm_path), name="Smol"))
        call(workbench, ImportModel(path=str(minilm_path), name="MiniLM"))
        (folder / "pump.txt").write_text("The warranty of the pump is 36 months from delivery.")
        collection = call(workbench, CreateCollection(name="manuals"))
        run = call(workbench, AddDocuments(collection=collection.id, paths=(str(folder / "pump.txt"),)))
        call(workbench, FollowRun(run=run.id))
        recipe = Recipe(model=ModelPart(name="Smol"), retrieval=RetrievalPart(collection="manuals"))
        save_recipe(workbench.home.recipes / "manuals.toml", recipe)
        serve_to(workbench, enabled=True, port=free_port(), shared=True, shared_port=free_port())
        yield workbench
    finally:
        workbench.close()


@pytest.fixture(scope="module")
def given(first: Workbench) -> ApiClientCode:
    made: ApiClientCode = call(first, AddApiClient(name="desk two"))
    return made


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Workbench]:
    workbench = Workbench(Home(tmp_path / "second"))
    try:
        call(workbench, ChangeSettings(values={"network": {"endpoints": True}}))
        yield workbench
    finally:
        workbench.close()


def connection_to(code: NetworkCode) -> http.client.HTTPSConnection:
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(code.hosts[0], code.port, context=unchecked, timeout=60)


def post(code: NetworkCode, headers: dict[str, str], body: Any = HELLO, path: str = "/v1/chat/completions") -> Any:
    connection = connection_to(code)
    text = json.dumps(body).encode()
    connection.request("POST", path, text, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    read = json.loads(answer.read() or b"{}")
    connection.close()
    return answer.status, read.get("error", {}).get("code"), dict(answer.getheaders())


def test_a_second_home_asks_a_recipe_with_documents_by_the_code(
    first: Workbench, second: Workbench, given: ApiClientCode
) -> None:
    record = call(second, AddEndpoint(address=given.code, model="manuals", name="colleague"))
    assert record.model.endpoint is not None
    assert record.model.endpoint.address.startswith("https://")
    assert record.use.has_key
    call(second, AllowSending(name="colleague", collection="", allowed=True))
    recipe = Recipe(model=ModelPart(name="colleague"))
    asked = Ask(question="How long is the warranty of the pump?", recipe=recipe)
    assert "36 months" in call(second, asked).answer
    assert call(second, AddEndpoint(address=given.code)).model.endpoint.model == "manuals"


def test_another_certificate_than_that_of_the_code_is_refused_before_anything_is_sent(
    first: Workbench, second: Workbench, given: ApiClientCode
) -> None:
    code = read_code(given.code)
    answered = call(first, GetApiState()).network_addresses
    assert answered
    other = msgspec.structs.replace(code, fingerprint=bytes(32))
    with pytest.raises(UserError, match="another certificate than the code names"):
        call(second, AddEndpoint(address=write_code(other), model="manuals"))
    with pytest.raises(UserError, match="not complete"):
        call(second, AddEndpoint(address=given.code[:-3], model="manuals"))


def test_a_machine_that_takes_the_place_of_the_first_is_refused_later(
    first: Workbench, second: Workbench, given: ApiClientCode
) -> None:
    call(second, AddEndpoint(address=given.code, model="manuals", name="colleague"))
    serve_to(first, shared=False)
    kept = first.home.api_certificate.read_bytes()
    try:
        first.home.api_certificate.unlink()
        serve_to(first, shared=True)
        with pytest.raises(UserError, match="another certificate than it should have: nothing was sent"):
            call(second, Ask(question="Hi", recipe=Recipe(model=ModelPart(name="colleague"))))
    finally:
        serve_to(first, shared=False)
        first.home.api_certificate.write_bytes(kept)
        serve_to(first, shared=True)


def test_nothing_is_answered_without_the_key_of_a_client(first: Workbench, given: ApiClientCode) -> None:
    code = read_code(given.code)
    local = call(first, GetApiState()).key
    right = {"Authorization": f"Bearer {code.key}"}
    assert post(code, right)[0] == 200
    assert post(code, {"x-api-key": code.key})[0] == 200
    for headers in (
        {}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {local}"}, {"x-api-key": local},
        {"Authorization": f"Basic {code.key}"}, {"Authorization": f"Bearer {code.key}x"},
        {"Authorization": f"Bearer {code.key[:-1]}"}, {"Authorization": f"Bearer {code.key.upper()}"},
        {"x-api-key": "\u00e4" * 40}, {"Authorization": f"Bearer {code.fingerprint.hex()}"}, {"Cookie": code.key},
        {"Authorization": f"Bearer {local} {code.key}"}, {"Authorization": f"Bearer {given.code}"},
        {"Proxy-Authorization": f"Bearer {code.key}"}, {"x-api-key": f"{code.key},{code.key}"},
        {"x-api-key": local, "Authorization": f"Bearer {local}"},
    ):  # fmt: skip
        assert post(code, headers)[:2] == (401, "invalid_api_key"), headers
    for headers in (
        {"Host": "evil.example"}, {"Host": "8.8.8.8"}, {"Host": "localhost.evil.example"}, {"Host": ""},
    ):  # fmt: skip
        assert post(code, {**right, **headers})[1] == "bad_host", headers
    for headers in (
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"https://{code.hosts[0]}:{code.port}"},
        {"Sec-Fetch-Site": "cross-site"},
    ):  # fmt: skip
        assert post(code, {**right, **headers})[1] == "bad_origin", headers
    for path in (f"/v1/chat/completions?key={code.key}", f"/v1/chat/completions?api_key={code.key}"):
        assert post(code, {}, path=path)[0] == 401
    assert post(code, {**right, "Content-Type": "text/plain"})[0] == 415
    assert post(code, {**right, "Content-Encoding": "gzip"})[0] == 415
    assert post(code, right, path="/v1/settings")[0] == 404


def test_plain_and_old_connections_are_not_answered(given: ApiClientCode) -> None:
    code = read_code(given.code)
    request = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {code.hosts[0]}\r\nAuthorization: Bearer {code.key}\r\n\r\n"
    for text in (
        request.encode(),  # with the right key, but plain
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x00" + bytes(200),
        b"\x16\x03\x01\xff\xff" + bytes(200),  # longer than a record may be
        b"\x15\x03\x03\x00\x02\x02\x28",  # an alert before anything
        b"\x17\x03\x03\x00\x20" + bytes(32),  # data before the keys are known
        b"\x80\x2e\x01\x03\x01" + bytes(43),  # as SSL 2 began
        b"\x00" * 64,
        b"GET / HTTP/0.9\r\n\r\n",
    ):
        with socket.create_connection((code.hosts[0], code.port), 10) as plain:
            plain.sendall(text)
            answer = b""
            try:
                while piece := plain.recv(4096):
                    answer += piece
            except ConnectionResetError:
                pass
        assert b"HTTP/" not in answer
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    keyless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    keyless.check_hostname = False
    keyless.verify_mode = ssl.CERT_NONE
    keyless.maximum_version = ssl.TLSVersion.TLSv1_2
    keyless.set_ciphers("aNULL:eNULL:@SECLEVEL=0")
    for context in (old, keyless):
        with pytest.raises(ssl.SSLError), socket.create_connection((code.hosts[0], code.port), 10) as plain:
            context.wrap_socket(plain)
    assert post(code, {"Authorization": f"Bearer {code.key}"})[0] == 200  # it still serves


def test_only_allowed_addresses_are_served(first: Workbench, given: ApiClientCode) -> None:
    code = read_code(given.code)
    right = {"Authorization": f"Bearer {code.key}"}
    try:
        for allowed in (["203.0.113.7"], ["203.0.113.0/24", "2001:db8::/32"], ["everybody"], ["0.0.0.0/33"]):
            serve_to(first, allowed=allowed)
            assert post(code, right)[:2] == (403, "address_not_allowed"), allowed
        serve_to(first, allowed=["203.0.113.7"])
        for name in ("X-Forwarded-For", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP"):
            assert post(code, {**right, name: "203.0.113.7"})[1] == "address_not_allowed", name
        assert post(code, {**right, "Forwarded": "for=203.0.113.7;proto=https"})[1] == "address_not_allowed"
        assert post(code, {**right, "Host": f"203.0.113.7:{code.port}"})[0] == 403
        serve_to(first, allowed=["203.0.113.7", f"{code.hosts[0]}/32"])
        assert post(code, right)[0] == 200
    finally:
        serve_to(first, allowed=[])


def test_the_limits_of_a_client_hold_and_a_removed_one_is_refused(first: Workbench) -> None:
    made = call(first, AddApiClient(name="scripts", per_minute=2, largest_mb=1))
    with pytest.raises(UserError, match="There is a client 'Scripts' already"):
        call(first, AddApiClient(name="Scripts"))
    code = read_code(made.code)
    right = {"Authorization": f"Bearer {code.key}"}
    large = {**HELLO, "messages": [{"role": "user", "content": "x" * (1 << 20)}]}
    assert post(code, right, large)[:2] == (413, "body_too_large")
    assert post(code, right)[0] == 200
    status, reason, headers = post(code, right)
    assert (status, reason) == (429, "rate_limit_exceeded")
    assert 1 <= int(headers["retry-after"]) <= 60
    assert code.key not in first.home.api_clients.read_text("utf-8")
    call(first, RemoveApiClient(name="scripts"))
    assert post(code, right)[:2] == (401, "invalid_api_key")
    assert "scripts" not in [one.name for one in call(first, ListApiClients()).clients]
    with pytest.raises(UserError, match="no client 'scripts'"):
        call(first, RemoveApiClient(name="scripts"))


def test_the_folders_of_cited_files_are_not_told_to_other_machines(first: Workbench, given: ApiClientCode) -> None:
    code = read_code(given.code)
    question = [{"role": "user", "content": "How long is the warranty of the pump?"}]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {code.key}"}
    connection = connection_to(code)
    connection.request("POST", "/v1/chat/completions", json.dumps({"model": "manuals", "messages": question}), headers)
    answer = connection.getresponse().read().decode()
    connection.close()
    assert [one["path"] for one in json.loads(answer)["workbench"]["citations"]] == ["pump.txt"]
    assert str(first.home.root.parent) not in answer


def test_an_error_names_a_file_to_other_machines_without_its_folders(
    first: Workbench, given: ApiClientCode, smollm_path: Path
) -> None:
    folder = first.home.root.parent / "other models"
    folder.mkdir()
    damaged = folder / "damaged.gguf"
    shutil.copyfile(smollm_path, damaged)
    call(first, ImportModel(path=str(damaged), name="Damaged"))
    os.truncate(damaged, 1_000)
    code = read_code(given.code)
    connection = connection_to(code)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {code.key}"}
    body = json.dumps({"model": "Damaged", "messages": [{"role": "user", "content": "Hello"}]})
    connection.request("POST", "/v1/chat/completions", body, headers)
    said = json.loads(connection.getresponse().read())["error"]["message"]
    connection.close()
    assert "damaged.gguf" in said
    assert str(folder) not in said


def test_a_recipe_that_cannot_be_read_is_named_without_its_folder(first: Workbench, given: ApiClientCode) -> None:
    broken = first.home.recipes / "broken.toml"
    broken.write_text("model = ")
    try:
        code = read_code(given.code)
        connection = connection_to(code)
        headers = {"Authorization": f"Bearer {code.key}"}
        connection.request("GET", "/v1/models/broken", headers=headers)
        said = connection.getresponse().read().decode()
        connection.close()
    finally:
        broken.unlink()
    assert "broken.toml" in said
    assert str(first.home.root.parent) not in said


def test_connections_that_never_shake_hands_keep_nobody_else_out(first: Workbench, given: ApiClientCode) -> None:
    """Of one address so many are held, before anything has been said, and another machine is served all the same."""
    code = read_code(given.code)
    right = {"Authorization": f"Bearer {code.key}"}
    held = [socket.create_connection(("127.0.0.1", code.port), 30) for _ in range(3 * MOST_OF_ADDRESS)]
    try:
        refused = 0
        for one in held[MOST_OF_ADDRESS:]:
            try:
                refused += one.recv(1) == b""
            except ConnectionResetError:
                refused += 1
        assert refused == 2 * MOST_OF_ADDRESS
        assert post(code, right)[0] == 200  # from another address
        unchecked = connection_to(code)
        unchecked.host = "127.0.0.1"
        with pytest.raises((OSError, http.client.HTTPException)):
            unchecked.connect()
    finally:
        for one in held:
            one.close()
    assert post(code, right)[0] == 200


def test_with_the_switch_off_nothing_listens_beyond_this_machine(first: Workbench, given: ApiClientCode) -> None:
    code = read_code(given.code)
    local = int(call(first, GetApiState()).address.rpartition(":")[2])
    try:
        serve_to(first, shared=False)
        assert call(first, GetApiState()).network_addresses == ()
        for port in (code.port, local):
            with pytest.raises(OSError), socket.create_connection((code.hosts[0], port), 5):  # noqa: PT011
                pass
        with socket.create_connection(("127.0.0.1", local), 5):
            pass
        serve_to(first, shared=True, enabled=False)  # it is not served here, so to nobody
        assert call(first, GetApiState()).network_addresses == ()
    finally:
        serve_to(first, shared=True, enabled=True)
    assert first.home.api_certificate.stat().st_mode & 0o077 == 0


def test_nothing_is_served_to_others_while_the_program_works_offline(first: Workbench, given: ApiClientCode) -> None:
    code = read_code(given.code)
    try:
        call(first, ChangeSettings(values={"general": {"offline": True}}))
        state = call(first, GetApiState())
        assert state.running
        assert state.network_addresses == ()
        assert "offline" in state.network_problem
        with pytest.raises(OSError), socket.create_connection((code.hosts[0], code.port), 5):  # noqa: PT011
            pass
    finally:
        call(first, ChangeSettings(values={"general": {"offline": False}}))
    assert call(first, GetApiState()).network_addresses
    assert call(first, GetApiState()).network_problem == ""


def test_a_list_of_clients_that_cannot_be_read_lets_nobody_in_and_stays(
    first: Workbench, given: ApiClientCode, tmp_path: Path
) -> None:
    from workbench.subjects.serving.clients import ApiClients

    damaged = tmp_path / "api-clients.json"
    damaged.write_text('{"format": 7, "clients": []}')
    clients = ApiClients(damaged)
    assert clients.find(read_code(given.code).key) is None
    with pytest.raises(UserError, match="newer version"):
        clients.add("other", 1, 1)
    assert damaged.read_text() == '{"format": 7, "clients": []}'
