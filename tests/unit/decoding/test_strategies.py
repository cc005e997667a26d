"""The jobs of recipes on the real model, and the model that guesses for several of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine import loading
from workbench.engine.inference_calls import Generate, Generated, Load
from workbench.engine.jobs import Job
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding import strategies
from workbench.techniques.decoding.formats import check_format
from workbench.techniques.decoding.generation import Generation
from workbench.techniques.decoding.speculative import DraftLength
from workbench.techniques.decoding.strategies import Strategies

DECODING = DecodingPart(max_tokens=8, repetition_penalty=1.0, speculation="draft", draft_tokens=4)


@pytest.fixture(scope="module")
def engine(smollm_file: Path) -> Iterator[Engine]:
    steps = load_model(
        Load(path=str(smollm_file), context_tokens=512, threads=1), inspect_model(str(smollm_file)), RequestContext()
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            engine = Engine(end.value)
            break
    yield engine
    engine.close()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the models that were loaded to guess."""
    loaded: list[str] = []

    def load(call: Load, *rest: Any) -> Any:
        loaded.append(call.path)
        return loading.load_model(call, *rest)

    monkeypatch.setattr(strategies, "load_model", load)
    return loaded


STRATEGIES = ("beam", "contrastive", "sampling")


@pytest.fixture
def freed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the models that were freed."""
    found: list[str] = []
    close = loading.Model.close

    def note(model: loading.Model) -> None:
        found.append(model.path)
        close(model)

    monkeypatch.setattr(loading.Model, "close", note)
    return found


def make(
    those: Strategies, engine: Engine, draft: Path, decoding: DecodingPart = DECODING, prompt: tuple[int, ...] = ()
) -> Generation:
    call = Generate(messages=(), decoding=decoding, draft_path=str(draft))
    tokens = list(prompt) or engine.model.vocabulary.tokenize("One, two, three, four,", special=False)
    job = those.make_job(call, Prompt(tokens), engine, RequestContext(), 0.0)
    assert isinstance(job, Generation)
    return job


def answer(engine: Engine, job: Job) -> Generated:
    *_, last = engine.submit(job).events()
    assert isinstance(last, events.Finished)
    return msgspec.convert(last.result, Generated)


def test_a_draft_model_is_kept_until_the_last_answer_that_guesses_with_it(
    engine: Engine, smollm_file: Path, tmp_path: Path, freed: list[str]
) -> None:
    other = tmp_path / "other.gguf"
    other.symlink_to(smollm_file)
    those = Strategies()
    first = make(those, engine, smollm_file)
    second = make(those, engine, other)
    assert freed == []
    assert answer(engine, first).usage.drafted_tokens > 0
    assert freed == [str(smollm_file)]
    assert answer(engine, second).usage.drafted_tokens > 0
    assert freed == [str(smollm_file)]  # the next answer finds it
    engine.ask(those.forget)
    assert freed == [str(smollm_file), str(other)]


def test_a_draft_model_in_use_outlives_the_wish_to_forget_it(
    engine: Engine, smollm_file: Path, freed: list[str]
) -> None:
    those = Strategies()
    job = make(those, engine, smollm_file)
    engine.ask(those.forget)
    assert freed == []
    assert answer(engine, job).usage.drafted_tokens > 0
    assert freed == [str(smollm_file)]


def test_two_requests_at_once_load_a_draft_model_once(
    engine: Engine, smollm_file: Path, loads: list[str], freed: list[str]
) -> None:
    those = Strategies()
    jobs: list[Generation] = []
    threads = [threading.Thread(target=lambda: jobs.append(make(those, engine, smollm_file))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [str(smollm_file)]
    assert len({answer(engine, job).text for job in jobs}) == 1
    engine.ask(those.forget)
    assert freed == [str(smollm_file)]


@pytest.mark.parametrize("decoding", [DECODING, msgspec.structs.replace(DECODING, n=2, temperature=0.5)])
def test_a_request_that_comes_to_nothing_does_not_hold_the_draft_model(
    engine: Engine, smollm_file: Path, freed: list[str], decoding: DecodingPart
) -> None:
    those = Strategies()
    with pytest.raises(UserError, match="no room"):
        make(those, engine, smollm_file, decoding, tuple(range(600)))
    answer(engine, make(those, engine, smollm_file, decoding))
    answer(engine, make(those, engine, smollm_file))
    engine.ask(those.forget)
    assert freed == [str(smollm_file)]


def test_an_answer_that_can_only_be_one_is_computed_once_and_with_guesses(engine: Engine, smollm_file: Path) -> None:
    those = Strategies()
    decoding = msgspec.structs.replace(DECODING, n=3)
    job = make(those, engine, smollm_file, decoding)
    assert job.width == 1
    result = answer(engine, job)
    assert len(result.sequences) == 1
    assert result.usage.drafted_tokens > 0
    assert result.text == answer(engine, make(those, engine, smollm_file)).text
    assert any("gives one answer, not 3" in note for note in those.notes(decoding, engine.model))
    contrastive = Generate(decoding=msgspec.structs.replace(decoding, strategy="contrastive"))
    assert those.make_job(contrastive, Prompt([1]), engine, RequestContext(), 0.0).width == decoding.contrastive_k
    engine.ask(those.forget)


def test_a_model_that_cannot_go_back_is_said_to_get_no_guesses(engine: Engine) -> None:
    those = Strategies()
    assert those.notes(DECODING, engine.model) == []
    forward: Any = SimpleNamespace(rewindable=False, deterministic=False)
    assert "cannot be truncated" in those.notes(DECODING, forward)[0]
    assert those.notes(msgspec.structs.replace(DECODING, speculation="off"), forward) == []


def test_that_a_deterministic_model_guesses_one_token_at_a_time_is_said() -> None:
    exact: Any = SimpleNamespace(rewindable=True, deterministic=True)
    those = Strategies()
    assert "One draft token at a time, not 4" in those.notes(DECODING, exact)[0]
    for changed in ({"draft_tokens": 1}, {"speculation": "off"}, {"n": 2, "temperature": 0.5}):
        assert not any("at a time" in note for note in those.notes(msgspec.structs.replace(DECODING, **changed), exact))


def test_as_many_tokens_are_guessed_as_the_guesses_are_worth() -> None:
    length, most = DraftLength(8), 8

    def after(drafted: int, right: int) -> int:
        for _ in range(40):
            length.see(1, drafted, right)
        return length.count(1)

    others = length.count(0), length.count(2)
    assert after(4, 4) == most
    assert after(4, 0) == 0
    assert 0 < after(4, 2) < most
    assert (length.count(0), length.count(2)) == others


@pytest.mark.parametrize("strategy", ["sampling", "beam", "greedy"])
@pytest.mark.parametrize("text", ["The pump (P-200) weighs 80 kg.\n\nIt runs for 36 months.", "租金为每月3000元。"])
def test_quotes_are_spans_of_the_text(engine: Engine, strategy: Any, text: str) -> None:
    decoding = DecodingPart(
        strategy=strategy, num_beams=2, temperature=1.5, format="quote", grammar=text, max_tokens=24
    )
    prompt = Prompt(engine.model.vocabulary.tokenize("How heavy is the pump?", special=False))
    result = answer(engine, Strategies().make_job(Generate(decoding=decoding), prompt, engine, RequestContext(), 0.0))
    assert result.text
    assert check_format("quote", text, result.text).text_problem == ""


@pytest.mark.parametrize("strategy", ["beam", "greedy"])
def test_a_begun_answer_of_a_form_is_brought_to_its_end(engine: Engine, strategy: Any) -> None:
    vocabulary = engine.model.vocabulary
    begun = vocabulary.tokenize('["apples are sweet and red and round", "pears are green and soft", "pl', special=False)
    schema = '{"type": "array", "items": {"type": "string"}, "minItems": 5}'
    decoding = DecodingPart(
        strategy=strategy, num_beams=2, format="json_schema", grammar=schema, max_tokens=14, repetition_penalty=1.0
    )
    call = Generate(decoding=decoding, answer=tuple(begun))
    prompt = Prompt(vocabulary.tokenize("A list of fruit as JSON:", special=False))
    result = answer(engine, Strategies().make_job(call, prompt, engine, RequestContext(), 0.0))
    assert result.finish == "grammar"
    assert len(json.loads(result.text)) >= 5


@pytest.mark.parametrize(
    ("strategy", "begun", "form", "finish", "text"),
    [
        *((any_of_them, "Yes. STOP and", {"stop": ("STOP",)}, "stop", "Yes. ") for any_of_them in STRATEGIES),
        *((any_of_them, "Yes.", {}, "eos", "Yes.") for any_of_them in STRATEGIES),
        ("beam", "yes", {"format": "choice", "grammar": "yes\nno"}, "grammar", "yes"),
        ("sampling", "yes", {"format": "choice", "grammar": "yes\nno"}, "grammar", "yes"),
    ],
)
def test_an_answer_whose_beginning_ends_it_is_there(
    engine: Engine, strategy: Any, begun: str, form: dict[str, Any], finish: str, text: str
) -> None:
    vocabulary = engine.model.vocabulary
    tokens = vocabulary.tokenize(begun, special=False)
    if finish == "eos":
        tokens.append(next(token for token in range(vocabulary.size) if vocabulary.ends_generation(token)))
    decoding = DecodingPart(strategy=strategy, max_tokens=12, n=1 if strategy == "contrastive" else 2, **form)
    prompt = Prompt(vocabulary.tokenize("Is water wet?", special=False))
    call = Generate(decoding=decoding, answer=tuple(tokens))
    result = answer(engine, Strategies().make_job(call, prompt, engine, RequestContext(), 0.0))
    assert [(one.text, one.finish) for one in result.sequences] == [(text, finish)]
    assert result.usage.new_tokens == 0
