"""The local API over a whole Workbench with the starter models, asked by OpenAI's own client."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.api_server import KEY, port_of, send_raw, serving
from workbench.api import events
from workbench.api.protocol import Call, RequestContext, result_of
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.recipes import ModelPart, PromptingPart, Recipe, RetrievalPart, save_recipe
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.runs.calls import FollowRun
from workbench.subjects.serving.calls import GetApiState, ServeApi
from workbench.subjects.serving.http.running import RunningServer

CHAT, EMBEDDER = "Smol", "MiniLM"
HELLO: Any = [{"role": "user", "content": "Say hello."}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def call(workbench: Workbench, asked: Call[Any]) -> Any:
    return result_of(asked, workbench.handle(asked))


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory, smollm_path: Path, minilm_path: Path) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("api")
    workbench = Workbench(Home(folder / "home"))
    try:
        call(workbench, ImportModel(path=str(smollm_path), name=CHAT))
        call(workbench, ImportModel(path=str(minilm_path), name=EMBEDDER))
        recipe = Recipe(model=ModelPart(name=CHAT), prompting=PromptingPart(instructions="You are a pirate."))
        save_recipe(workbench.home.recipes / "pirate.toml", recipe)
        yield workbench
    finally:
        workbench.close()


@pytest.fixture(scope="module")
def server(workbench: Workbench) -> Iterator[RunningServer]:
    with serving(workbench.handle) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def test_recipes_and_models_are_model_ids(client: openai.OpenAI) -> None:
    models = {one.id: one for one in client.models.list()}
    assert set(models) == {"pirate", CHAT, EMBEDDER}
    assert all(one.created > 0 for one in models.values())
    assert client.models.retrieve("pirate").id == "pirate"
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4o'"):
        client.chat.completions.create(model="gpt-4o", messages=HELLO)


def test_a_chat_whole_and_streamed_is_the_same(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="pirate", messages=HELLO, max_tokens=6, temperature=0)
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 6
    assert whole.choices[0].finish_reason == "length"
    chunks = list(
        client.chat.completions.create(
            model="pirate", messages=HELLO, max_tokens=6, temperature=0, stream=True,
            stream_options={"include_usage": True},
        )
    )  # fmt: skip
    text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    assert text == whole.choices[0].message.content
    assert [one.choices[0].finish_reason for one in chunks if one.choices][-1] == "length"
    assert (chunks[-1].choices, chunks[-1].usage) == ([], whole.usage.model_copy(update={"prompt_tokens_details":
        chunks[-1].usage.prompt_tokens_details if chunks[-1].usage else None}))  # fmt: skip


def test_a_recipe_and_its_model_answer_differently(client: openai.OpenAI) -> None:
    prompts = [
        client.chat.completions.create(model=name, messages=HELLO, max_tokens=1).usage for name in ("pirate", CHAT)
    ]
    assert prompts[0] != prompts[1]


def test_several_choices_with_a_seed_are_drawn_again(client: openai.OpenAI) -> None:
    made = [
        client.chat.completions.create(model=CHAT, messages=HELLO, max_tokens=8, n=3, seed=5, temperature=1.2)
        for _ in range(2)
    ]
    texts = [[one.message.content for one in answer.choices] for answer in made]
    assert texts[0] == texts[1]
    assert len(set(texts[0])) > 1
    assert [one.index for one in made[0].choices] == [0, 1, 2]


def test_probabilities_of_the_tokens(client: openai.OpenAI) -> None:
    asked: Any = {"model": CHAT, "messages": HELLO, "max_tokens": 4, "temperature": 0, "logprobs": True}
    (choice,) = client.chat.completions.create(**asked, top_logprobs=3).choices
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert "".join(one.token for one in choice.logprobs.content) == choice.message.content
    for one in choice.logprobs.content:
        assert len(one.top_logprobs) == 3
        assert one.logprob == max(other.logprob for other in one.top_logprobs), "greedy takes the most probable one"
    pieces = [one.choices[0] for one in client.chat.completions.create(**asked, stream=True)]
    assert "".join(one.delta.content or "" for one in pieces) == choice.message.content
    assert sum(one.logprobs is not None for one in pieces) == 4


def test_a_banned_token_does_not_come(client: openai.OpenAI) -> None:
    asked: Any = {"model": CHAT, "prompt": "The capital of France is", "max_tokens": 1, "temperature": 0, "logprobs": 1}
    first = client.completions.create(**asked)
    body = json.dumps({"prompt": first.choices[0].text, "add_special_tokens": False})
    (token,) = json.loads(post(client, "/tokenize", body))["tokens"]
    other = client.completions.create(**asked, logit_bias={str(token): -100})
    assert other.choices[0].text != first.choices[0].text


def post(client: openai.OpenAI, path: str, body: str) -> bytes:
    port = str(client.base_url).split(":")[2].split("/")[0]
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}"
    )

    class Here:
        address = f"http://127.0.0.1:{port}"

    answer = send_raw(Here(), head.encode())  # type: ignore[arg-type]
    return answer.partition(b"\r\n\r\n")[2]


def test_a_tool_is_called_and_its_result_answered(client: openai.OpenAI) -> None:
    question: Any = {"role": "user", "content": "What is the weather in Paris?"}
    asked: Any = {"model": "pirate", "messages": [question], "tools": [WEATHER]}
    (choice,) = client.chat.completions.create(**asked, tool_choice="required").choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    (called,) = choice.message.tool_calls
    assert called.type == "function"
    assert set(json.loads(called.function.arguments)) == {"city"}
    deltas = [
        one.choices[0].delta.tool_calls[0]
        for one in client.chat.completions.create(**asked, tool_choice="required", stream=True)
        if one.choices[0].delta.tool_calls
    ]
    assert [bool(one.id) for one in deltas] == [True] + [False] * (len(deltas) - 1), "the id comes once"
    assert [bool(one.function and one.function.name) for one in deltas] == [True] + [False] * (len(deltas) - 1)
    assert "".join(str(one.function.arguments) for one in deltas if one.function) == called.function.arguments
    result: Any = {"role": "tool", "tool_call_id": called.id, "content": "Sunny, 21 degrees"}
    history: Any = [question, choice.message.model_dump(exclude_none=True), result]
    (after,) = client.chat.completions.create(model="pirate", messages=history, tools=[WEATHER], tool_choice="none",
                                              max_tokens=12).choices  # fmt: skip
    assert after.message.content
    assert not after.message.tool_calls


def test_an_answer_by_a_schema_is_valid(client: openai.OpenAI) -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    form: Any = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}}
    (choice,) = client.chat.completions.create(
        model=CHAT, messages=HELLO, max_tokens=40, response_format=form, temperature=0
    ).choices
    assert isinstance(json.loads(choice.message.content or "")["age"], int)


def test_a_prompt_is_scored_token_by_token(client: openai.OpenAI) -> None:
    asked: Any = {"model": CHAT, "max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": True}
    (by_text,) = client.completions.create(**asked, prompt="The capital of France is Paris").choices
    ids = json.loads(post(client, "/tokenize", '{"prompt": "The capital of France is Paris"}'))["tokens"]
    (by_ids,) = client.completions.create(**asked, prompt=ids).choices
    assert by_text.text == by_ids.text
    assert by_text.text.startswith("The capital of France is Paris")
    told = by_text.logprobs
    assert told is not None
    assert told.tokens is not None
    assert told.token_logprobs is not None
    assert len(told.tokens) == len(ids) + 1, "the prompt's and one of the answer"
    assert told.token_logprobs[0] is None
    assert all(one is not None and one <= 0 for one in told.token_logprobs[1:])
    assert by_ids.logprobs is not None
    assert by_ids.logprobs.token_logprobs == pytest.approx(told.token_logprobs, abs=1e-3)


def test_scores_of_texts_that_begin_alike_are_the_same_together_and_alone(client: openai.OpenAI) -> None:
    begun = "The capital of France is a city on a river. " * 12 + "It is called"
    prompts = [f"{begun} {city}" for city in ("Paris", "Rome", "Paris, of course", "London")]
    asked: Any = {"model": CHAT, "max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": True}
    together = client.completions.create(**asked, prompt=prompts)
    for prompt, choice in zip(prompts, together.choices, strict=True):
        (alone,) = client.completions.create(**asked, prompt=prompt).choices
        assert choice.text.startswith(prompt)
        assert alone.text.startswith(prompt)
        assert choice.logprobs is not None
        assert alone.logprobs is not None
        # llama.cpp multiplies one row of a batch and several by different kernels: by which texts arrive in one batch,
        # the last tokens differ by up to .10 of the 4-bit starter, and the token that follows may be another one; those
        # of another text's prefix differ by nats
        tokens, scores = choice.logprobs.tokens or [], choice.logprobs.token_logprobs or []
        assert tokens[:-1] == (alone.logprobs.tokens or [])[:-1]
        assert scores[1:-1] == pytest.approx((alone.logprobs.token_logprobs or [])[1:-1], abs=0.25)


def test_what_is_too_long_has_the_code_that_clients_know(client: openai.OpenAI) -> None:
    long: Any = [{"role": "user", "content": "one two three four " * 12_000}]
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=CHAT, messages=long)
    assert refused.value.code == "context_length_exceeded"
    body: Any = refused.value.body
    assert body["n_prompt_tokens"] > body["n_ctx"] > 0
    turns: Any = [{"role": role, "content": "one two " * 400} for _ in range(8) for role in ("user", "assistant")]
    with pytest.raises(openai.BadRequestError, match="no room for an answer"):  # nothing of it is left out
        client.chat.completions.create(model=CHAT, messages=[*turns, *HELLO])


def test_several_prompts_are_several_choices(client: openai.OpenAI) -> None:
    prompts = ["The capital of France is", "One, two, three,"]
    together = client.completions.create(model=CHAT, prompt=prompts, max_tokens=3, temperature=0)
    assert [one.index for one in together.choices] == [0, 1]
    stream = client.completions.create(model=CHAT, prompt=prompts, max_tokens=3, temperature=0, stream=True)
    texts = {0: "", 1: ""}
    for one in stream:
        texts[one.choices[0].index] += one.choices[0].text
    assert [texts[0], texts[1]] == [one.text for one in together.choices]


def test_vectors_and_ranks(client: openai.OpenAI) -> None:
    made = client.embeddings.create(model=EMBEDDER, input=["cats", "dogs"])
    plain = client.embeddings.create(model=EMBEDDER, input=["cats", "dogs"], encoding_format="float")
    assert len(made.data) == 2
    assert made.usage.prompt_tokens == 6, "[CLS] cats [SEP], and the same of dogs"
    ids = client.embeddings.create(model=EMBEDDER, input=[[8870], [6077]])
    assert ids.data[1].embedding == pytest.approx(made.data[1].embedding, abs=1e-5)
    with pytest.raises(openai.BadRequestError, match="no token 100257"):
        client.embeddings.create(model=EMBEDDER, input=[100_257])
    assert made.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert sum(value * value for value in made.data[0].embedding) == pytest.approx(1, abs=1e-4)
    body = json.dumps({"query": "cats", "documents": ["Dogs bark.", "Cats purr."], "top_n": 1})
    (best,) = json.loads(post(client, "/v1/rerank", body))["results"]
    assert best["index"] == 1
    body = json.dumps({"query": "cats", "texts": ["Dogs bark.", "Cats purr."], "top_n": 1, "return_text": True})
    (best,) = json.loads(post(client, "/v1/rerank", body))
    assert (best["index"], best["text"]) == (1, "Cats purr.")
    assert best["score"] > 0


def test_a_response_whole_and_streamed(client: openai.OpenAI) -> None:
    whole = client.responses.create(model="pirate", input="Who are you?", max_output_tokens=8, temperature=0)
    assert whole.status == "incomplete"
    assert whole.id.startswith("resp_")
    assert whole.output[0].model_dump()["id"].startswith("msg_")
    assert whole.output_text
    kinds, text = [], ""
    for event in client.responses.create(
        model="pirate", input="Who are you?", max_output_tokens=8, temperature=0, stream=True
    ):
        kinds.append(event.type)
        text += event.delta if event.type == "response.output_text.delta" else ""
    assert text == whole.output_text
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.incomplete"


def test_sources_of_a_recipe_with_documents(client: openai.OpenAI, workbench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "pump.txt").write_text("The warranty of the pump is 36 months from delivery.")
    collection = call(workbench, CreateCollection(name="manuals"))
    run = call(workbench, AddDocuments(collection=collection.id, paths=(str(tmp_path),)))
    call(workbench, FollowRun(run=run.id))
    recipe = Recipe(model=ModelPart(name=CHAT), retrieval=RetrievalPart(collection="manuals"))
    save_recipe(workbench.home.recipes / "manuals.toml", recipe)
    question: Any = [{"role": "user", "content": "How long is the warranty of the pump?"}]
    answer = client.chat.completions.create(model="manuals", messages=question)
    assert "36 months" in (answer.choices[0].message.content or "")
    (source, *_) = (answer.model_extra or {})["workbench"]["citations"]
    assert source["path"].endswith("pump.txt")
    assert source["sentence_end"] > source["sentence_start"]
    verification = (answer.model_extra or {})["workbench"]["verification"]
    assert [one["verdict"] for one in verification["statements"]][:1] == ["supported"]
    assert not verification["marked"]
    with pytest.raises(openai.BadRequestError, match="documents of its own"):
        client.chat.completions.create(model="manuals", messages=question, tools=[WEATHER])


def test_a_closed_connection_cancels_the_answer(server: RunningServer, workbench: Workbench) -> None:
    ended = threading.Event()

    def watched(asked: Call[Any], context: RequestContext) -> Iterator[events.Event]:
        for event in workbench.handle(asked, context):
            yield event
            if isinstance(event, events.Cancelled):
                ended.set()

    with serving(watched) as running, openai.OpenAI(base_url=f"{running.address}/v1", api_key=KEY) as made:
        stream = made.chat.completions.create(model=CHAT, messages=HELLO, max_tokens=2000, stream=True, temperature=2)
        next(iter(stream))
        stream.close()
        assert ended.wait(60)


def test_the_switch_in_the_settings(workbench: Workbench) -> None:
    with serving(workbench.handle) as taken:  # finds a port that can be had
        port = port_of(taken)
    assert not call(workbench, GetApiState()).running
    call(workbench, ChangeSettings(values={"server": {"enabled": True, "port": port}}))
    state = call(workbench, GetApiState())
    assert state.running
    with openai.OpenAI(base_url=f"{state.address}/v1", api_key=state.key) as made:
        assert [one.id for one in made.models.list()]
    assert workbench.home.api_key.stat().st_mode & 0o077 == 0
    call(workbench, ChangeSettings(values={"server": {"enabled": False}}))
    assert not call(workbench, GetApiState()).running


def test_serving_ends_with_its_call_and_a_taken_port_is_named(workbench: Workbench) -> None:
    with serving(workbench.handle) as other:
        with pytest.raises(UserError, match=f"The port {port_of(other)} cannot be used"):
            call(workbench, ServeApi(port=port_of(other)))
        port = port_of(other)
    context = RequestContext()
    stream = workbench.handle(ServeApi(port=port), context)
    begun = next(stream)
    assert isinstance(begun, events.Artifact)
    assert begun.result["running"]
    context.cancel()
    assert isinstance(list(stream)[-1], events.Cancelled)
    assert not call(workbench, GetApiState()).running


def test_two_clients_serve_at_one_port_and_a_third_at_another_is_told_where(workbench: Workbench) -> None:
    with serving(workbench.handle) as other:
        port = port_of(other)
    contexts = [RequestContext(), RequestContext()]
    streams = [workbench.handle(ServeApi(port=port), context) for context in contexts]
    addresses = {next(stream).result["address"] for stream in streams}  # type: ignore[union-attr]
    assert addresses == {f"http://127.0.0.1:{port}"}
    with pytest.raises(UserError, match=f"served already, at http://127.0.0.1:{port}"):
        call(workbench, ServeApi(port=port + 1))
    for context, stream, running in zip(contexts, streams, (True, False), strict=True):
        context.cancel()
        assert isinstance(list(stream)[-1], events.Cancelled)
        assert call(workbench, GetApiState()).running == running, "as long as one of them asks for it"
