"""Answers that end before they begin."""

from __future__ import annotations

from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.engine.prompt import Prompt
from workbench.engine.vocabulary import Vocabulary
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.answer_job import GenerationRequest
from workbench.techniques.decoding.generation import Generation


def test_an_answer_that_was_to_be_gone_on_with_and_was_cancelled_first_has_no_probability(
    vocabulary: Vocabulary,
) -> None:
    where = vocabulary, 512, RequestContext()
    job = Generation(GenerationRequest(Prompt([1, 2, 3]), DecodingPart(), *where, started=0.0, answer=[100, 101]))
    job.cancel()
    (last,) = job.events()
    assert isinstance(last, events.Cancelled)
    assert last.result["mean_logprob"] is None


def test_a_token_that_the_model_does_not_have_stands_for_the_end(vocabulary: Vocabulary) -> None:
    assert vocabulary.ends_generation(vocabulary.size)
    assert vocabulary.ends_generation(vocabulary.eos)
    assert not vocabulary.ends_generation(100)
