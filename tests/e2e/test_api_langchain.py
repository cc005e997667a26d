"""The local API asked by LangChain's client of OpenAI, which takes other ways through it than OpenAI's own."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr

from tests.api_server import KEY
from tests.e2e.test_api import EMBEDDER, server, workbench
from workbench.subjects.serving.http.running import RunningServer

__all__ = ["server", "workbench"]


class City(BaseModel):
    """A city with its country."""

    name: str
    country: str


@pytest.fixture
def chat(server: RunningServer) -> ChatOpenAI:
    return ChatOpenAI(
        model="pirate", base_url=f"{server.address}/v1", api_key=SecretStr(KEY), temperature=0, max_retries=0,
        max_completion_tokens=12, stream_usage=True,
    )  # fmt: skip


def test_a_chat_whole_and_streamed(chat: ChatOpenAI) -> None:
    whole = chat.invoke([("system", "Be brief."), ("human", "Say hello.")])
    assert whole.content
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] <= 12
    made = AIMessageChunk(content="")
    for chunk in chat.stream([("system", "Be brief."), ("human", "Say hello.")]):
        made += chunk
    assert made.content == whole.content
    assert made.usage_metadata is not None


def test_a_structured_answer_and_a_tool(chat: ChatOpenAI) -> None:
    longer = chat.model_copy(update={"max_tokens": 60})
    city = longer.with_structured_output(City, method="json_schema").invoke("Name a city.")
    assert isinstance(city, City)
    called = longer.bind_tools([City], tool_choice="City").invoke("Name a city.")
    [one] = called.tool_calls
    assert (one["name"], set(one["args"])) == ("City", {"name", "country"})


def test_embeddings(server: RunningServer) -> None:
    embedding = OpenAIEmbeddings(
        model=EMBEDDER, base_url=f"{server.address}/v1", api_key=SecretStr(KEY), check_embedding_ctx_length=False,
        max_retries=0,
    )  # fmt: skip
    first, second = embedding.embed_documents(["A pump moves water.", "A lease is a contract."])
    assert len(first) == len(second) == 384
    question = embedding.embed_query("What moves water?")

    def dot(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    assert dot(question, first) > dot(question, second)
