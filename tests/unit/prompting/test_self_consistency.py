"""The vote over several reasonings."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tests.fakes import FakeModelBackend
from tests.unit.prompting.strategies import ask, steps_of
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.techniques.prompting.final_answer import short_answer
from workbench.techniques.prompting.self_consistency import Sample, Vote, count, next_group


def model_of(answers: Sequence[str]) -> FakeModelBackend:
    """Its n-th reasoning leads to the n-th answer."""
    reasoned = iter(range(100))

    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        if "Therefore" in start:
            return answers[int(start.split("number ")[1].split()[0])]
        return f" This is number {next(reasoned)} of them."

    return FakeModelBackend(reply)


def test_most_votes_win_and_the_agreement_is_shown() -> None:
    model = model_of(["11", "12", "11.0", "11", "12"])
    result = ask("self-consistency", model, answer="number", samples=5)
    assert result.answer == "11"
    assert result.sequences[0].thought.endswith("This is number 0 of them.")
    (vote,) = steps_of(result, "vote")
    assert vote.output == "11: 3 of 4\n12: 1 of 4"  # the fifth could not change it
    assert vote.score == pytest.approx(0.75)
    assert result.notices == ()
    assert len({part.seed for part in model.decodings if part.format == "text"}) == 4


SENTENCES = ["She has 18 eggs left.", "**18** eggs are left. [1]", "The answer is 18.", "There are eighteen left over."]


def test_sentences_that_come_to_the_same_number_are_one_vote() -> None:
    model = text_model([*SENTENCES, "It is 16."])
    result = ask("self-consistency", model, question="How many eggs does she have left?", samples=5)
    (vote,) = steps_of(result, "vote")
    assert vote.output == "18: 3 of 3"  # the other two could not change it
    assert result.notices == ()


@pytest.mark.parametrize(
    ("question", "one", "other", "same"),
    [
        ("Is 97 prime, or only 91?", "Yes, 97 is prime.", "No, 97 is not prime.", False),
        ("Is 97 prime, or only 91?", "Yes, 97 is prime.", "**Yes.**", True),
        ("In 1969 Apollo 11 landed. Name its commander.", "It was Neil Armstrong in 1969.",
         "It was Buzz Aldrin in 1969.", False),
        ("Did it rain on days 3 and 4?", "No. It rained on day 4.", "Yes. It rained on day 4.", False),
        ("A train takes 2 hours for 120 km. What is its speed?", "Its speed is 60 km/h.", "60", True),
        ("Was ergeben 3 Kisten mit 4 Äpfeln?", "Es sind 12 Äpfel.", "12", True),
    ],
)  # fmt: skip
def test_only_where_a_number_is_asked_for_it_is_the_vote(question: str, one: str, other: str, same: bool) -> None:
    assert (short_answer(one, question) == short_answer(other, question)) is same


def test_sentences_that_name_the_same_thing_are_one_vote() -> None:
    said = ["“The capital of the canton is Tessin Harbour.” [1]", "Tessin Harbour", "The capital is Port Neuf."]
    result = ask("self-consistency", text_model(said), question="What is the capital of the canton?", samples=3)
    assert "Tessin Harbour" in result.answer
    assert result.notices == ()


def test_a_note_of_a_tie_between_long_answers_is_short() -> None:
    said = [f"{word} " + " ".join(f"{word}{number}" for number in range(40)) for word in ("one", "two", "six", "ten")]
    result = ask("self-consistency", text_model(said), question="Why is that?", samples=4)
    [note] = [note for note in result.notices if "tied" in note]
    assert len(note) < 260
    assert "…" in note


@pytest.mark.parametrize(
    ("question", "first", "second", "same"),
    [
        ("A pen costs 3 and a book 5 more. What do both cost?", "Both cost 11.", "The total is **11**", True),
        ("A pen costs 3 and a book 5 more. What do both cost?", "Both cost 11.", "Both cost 8.", False),
        ("Is it red or blue?", "It is red.", "Red", True),
        ("Is it red or blue?", "It is red.", "Blue", False),
        ("Is the harbour open?", "It is open.", "It is not open.", False),
        ("Wie viele Monate sind es?", "Es sind drei Monate.", "3", True),
        ("Who won in 1990 and 2000?", "Rossi won in 1990 and 2000.", "Bianchi won in 1990 and 2000.", False),
        ("Wer leitet das Büro?", "Das Büro leitet „Pia Wolff“. [2]", "Pia Wolff", True),
        ("会議は何時ですか。", "14時30分です。", "14:30です", True),
        ("What is it?", "...", "?", True),
    ],
)
def test_answers_that_say_the_same_have_one_short_answer(question: str, first: str, second: str, same: bool) -> None:
    assert (short_answer(first, question) == short_answer(second, question)) is same


def text_model(answers: Sequence[str]) -> FakeModelBackend:
    """Its n-th extraction, which is free text, is the n-th answer."""
    extracted = iter(answers)

    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        return next(extracted) if "final answer" in messages[-1].content else " So it is."

    return FakeModelBackend(reply)


def test_it_stops_when_the_leader_cannot_be_overtaken() -> None:
    model = model_of(["7"] * 16)
    assert ask("self-consistency", model, answer="number", samples=16).answer == "7"
    assert model.together == [9, 9]  # nine of sixteen suffice: reasonings, then extractions


def test_a_tie_is_told_and_the_more_probable_reasoning_decides() -> None:
    result = ask("self-consistency", model_of(["1", "2", "2", "1"]), answer="number", samples=4)
    assert any("2 of 4 votes each: 1, 2" in note for note in result.notices)
    likely = Sample("b", "b", Generated(text="", mean_logprob=-0.1), Generated(text="b"))
    others = [Sample(key, key, Generated(text="", mean_logprob=-1.0), Generated(text=key)) for key in "aab"]
    assert count([*others, likely]).groups[0][0] is likely


def test_an_answer_that_cannot_be_read_has_no_vote() -> None:
    result = ask("self-consistency", FakeModelBackend(lambda *_: "!"), samples=2)
    assert result.answer == "Let's think step by step.!"  # a reasoning is all there is
    assert steps_of(result, "vote")[0].output == ""


def test_the_groups_are_the_smallest_that_could_decide() -> None:
    """Against a vote of all: the leader is the same, and no group could have been smaller."""
    rng = random.Random(5)
    for _ in range(300):
        samples = rng.randint(2, 16)
        cast = [rng.choice("aabc") for _ in range(samples)]
        made = [Sample(one, one, Generated(text=one, mean_logprob=-1.0), Generated(text=one)) for one in cast]
        drawn = 0
        while wave := next_group(count(made[:drawn]), samples - drawn):
            lead = _lead(count(made[:drawn]))
            assert lead + wave - 1 <= samples - drawn - (wave - 1), "a smaller group would have decided"
            drawn += wave
        rest = samples - drawn
        assert rest == 0 or _lead(count(made[:drawn])) > rest
        if rest:
            assert count(made).groups[0][0].key == count(made[:drawn]).groups[0][0].key


def _lead(vote: Vote) -> int:
    counts = [*map(len, vote.groups), 0, 0]
    return counts[0] - counts[1]


def test_a_small_budget_votes_with_what_there_is() -> None:
    result = ask("self-consistency", model_of(["3"] * 16), answer="number", samples=16, max_nodes=4)
    assert result.answer == "3"
    assert any("4 thoughts" in note for note in result.notices)
    assert steps_of(result, "vote")[0].output == "3: 4 of 4"
