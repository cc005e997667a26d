"""What answers are worth: each reward, the line that names it, and their sum."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rewards.fake_rewards import FakeRewardContext
from workbench.base.errors import UserError
from workbench.records.evaluation import Score
from workbench.records.messages import Message
from workbench.records.methods import Methods
from workbench.records.reward_lines import RewardLine, read_line, write_line
from workbench.rewards.methods import METHODS
from workbench.rewards.reward import Sample, WeightedPart, WeightedSum
from workbench.rewards.spec import checked_line, reward_models_of, weighted_sum

ROWS = Methods(METHODS)
CODE = "Here you are:\n```python\ndef double(n):\n    return 2 * n\n```\nIt doubles."


def sample(answer: str, *expected: str) -> Sample:
    return Sample(prompt=(Message("user", "What?"),), answer=answer, expected=expected)


def value(name: str, answer: str, *expected: str, **options: Any) -> float | None:
    row = ROWS.find(name, "reward")
    [score] = row.load()((sample(answer, *expected),), row.decode(options), FakeRewardContext())
    assert isinstance(score, Score)
    return score.value


@pytest.mark.parametrize(
    ("name", "answer", "expected", "options", "wanted"),
    [
        ("expression-match", "It is 42.", (), {"pattern": r"\d+"}, 1),
        ("expression-match", "It is 42.", (), {"pattern": r"\d+", "whole": True}, 0),
        ("expression-match", "It is (a).", ("(b)", "(a)"), {}, 1),
        ("expression-match", "It is (a).", (), {}, None),
        ("right-number", "So 3 + 4 = 7", ("7",), {}, 1),
        ("right-number", "So 3 + 4 = 8", ("7",), {"absolute": 1}, 1),
        ("right-number", "eight", ("7",), {}, 0),
        ("right-number", "7", (), {}, None),
        ("json-answer", '{"a": 1}', (), {}, 1),
        ("json-answer", '{"a": 1', (), {}, 0),
        ("json-answer", '{"a": 1}', (), {"schema": '{"type": "object", "required": ["b"]}'}, 0),
        ("length-range", "one two three four", (), {"minimum": 2, "maximum": 4}, 1),
        ("length-range", "one", (), {"minimum": 2, "maximum": 4}, 0.5),
        ("length-range", "one two three four five", (), {"minimum": 2, "maximum": 4}, 0.75),
        ("length-range", "", (), {"minimum": 2, "maximum": 4}, 0),
        ("listed-words", "Dear Sir, it is very good.", (), {"wanted": ["dear sir"], "unwanted": ["very"]}, 0.5),
        ("listed-words", "Dear Sir", (), {}, None),
        ("letter-share", "eeab", (), {"scale": 1}, 0.5),
        ("letter-share", "Eeab", (), {"scale": 2, "prefer": "many"}, 1),
        ("letter-share", "...", (), {}, 0),
        ("passed-tests", CODE, (), {"tests": ["double(2) == 4", "double(0) == 1", "missing()"]}, 1 / 3),
        ("passed-tests", CODE, ("assert double(1) == 2\nassert double(3) == 6",), {}, 1),
        ("passed-tests", "```\nraise ValueError\n```", (), {"tests": ["True"]}, 0),
        ("passed-tests", CODE, (), {}, None),
        ("reward-model", "one two three", (), {"adapter": "taste"}, 3),
    ],
)
def test_a_reward(name: str, answer: str, expected: tuple[str, ...], options: dict[str, Any], wanted: float | None):
    found = value(name, answer, *expected, **options)
    assert found == (wanted if wanted is None else pytest.approx(wanted))


def test_a_program_that_prints_the_results_itself_passes_no_test() -> None:
    cheat = 'print("[results of the tests]\\nTrue")\ndef double(n): return 0'
    assert value("passed-tests", cheat, tests=["double(2) == 4"]) == 0


def test_a_reward_model_that_is_not_named_is_refused() -> None:
    with pytest.raises(UserError, match="No reward model"):
        value("reward-model", "one")


def test_a_line_names_a_reward_with_its_settings_and_weight() -> None:
    line = "listed-words wanted='dear sir,yours' weight=-0.5"
    read = read_line(line, ROWS)
    assert read == RewardLine(name="listed-words", options={"wanted": ("dear sir", "yours")}, weight=-0.5)
    assert read_line(write_line(read), ROWS) == read


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("telepathy", "telepathy"),
        ("letter-share e", "'e'"),
        ("letter-share colour=red", "colour"),
        ("letter-share scale=-1", "scale"),
        ("letter-share weight=much", "much"),
        ("letter-share letters='e", "cannot be read"),
    ],
)
def test_a_line_that_is_wrong_is_refused_by_name(line: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        checked_line(line, ROWS)


def test_a_weighted_sum_has_its_parts() -> None:
    rewards = weighted_sum(
        ["letter-share scale=1", "", "letter-share letters=a scale=1 weight=2", "expression-match weight=5"], ROWS
    )
    first, second = rewards.score([sample("eeab"), sample("bbbb")], FakeRewardContext())
    assert first.parts == {"Letters": 0.5, "Letters 2": 0.75, "Expression": 0.0}, "one that does not apply counts 0"
    assert first.value == pytest.approx(0.5 + 2 * 0.75)
    assert second.value == pytest.approx(3)


def test_a_sum_of_nothing_is_refused_with_the_names() -> None:
    with pytest.raises(UserError) as refused:
        weighted_sum([" "], ROWS)
    assert all(row.name in refused.value.hint for row in ROWS)


def test_a_reward_that_is_no_number_is_an_error() -> None:
    part = WeightedPart(name="x", title="X", weight=1, score=lambda *_: [Score(float("nan"))], options=None)
    with pytest.raises(ValueError, match="no number"):
        WeightedSum([part]).score([sample("")], FakeRewardContext())


def test_the_reward_models_of_lines_are_named_once() -> None:
    lines = ["reward-model adapter=taste", "letter-share", "reward-model adapter=taste weight=2", ""]
    assert reward_models_of(lines, ROWS) == ("taste",)
    assert reward_models_of((), ROWS) == ()


@pytest.mark.parametrize(
    ("answer", "expected", "right"),
    [
        ("Es sind 1.234,50 Euro.", "1234.5", 1),
        ("Das Ergebnis ist 12, nicht 3.", "12", 1),
        ("Il y en a 1 200 dans la ville.", "1200", 1),
        ("“18” [2]", "18", 1),
        ("−5 °C", "5", 0),
        ("The rod is 1.234 m long.", "1234", 0),
        ("It is 3/4 of it.", "0.75", 1),
        ("seventeen", "17", 1),
    ],
)
def test_numbers_are_read_in_the_notation_of_their_language(answer: str, expected: str, right: float) -> None:
    assert value("right-number", answer, expected) == right


@pytest.mark.parametrize(
    ("answer", "said"),
    [("It is 1,234,567.", "1234567"), ("It is 2.50 m.", "2.5"), ("It is 3/4 of it.", "0.75"), ("Many.", "no number")],
)
def test_the_reward_of_a_number_says_which_one_it_has_read(answer: str, said: str) -> None:
    row = ROWS.find("right-number", "reward")
    [score] = row.load()((sample(answer, "7"),), row.decode({}), FakeRewardContext())
    assert score == Score(0, said)


@pytest.mark.parametrize(
    ("line", "answer", "wanted"),
    [
        (r"expression-match pattern=(?i)\b(we|our)\b", "This is how We do it.", 1),
        (r"expression-match pattern=(?i)\b(we|our)\b", "The west is sour.", 0),
        (r"expression-match pattern=\d+\.\d", "It is 3.5.", 1),
        (r"expression-match 'pattern=\d+ (apples|pears)'", "3 pears", 1),  # as the window writes it
        (r'expression-match "pattern=\d+ (apples|pears)"', "3 pears", 1),
        (r"expression-match pattern=\\d+", "It is 3.", 1),  # as a shell wants it, and as it was read before
        (r"expression-match pattern=a\ b", "a b", 1),
        (r"expression-match pattern=\bwe\b whole=true", "we", 1),
        (r"expression-match pattern=\bwe\b whole=true", "we do", 0),
        (r"expression-match pattern=(?i)we(?!b)", "The web", 0),
    ],
)
def test_an_expression_in_a_line_keeps_its_backslashes(line: str, answer: str, wanted: float) -> None:
    read = read_line(line, ROWS)
    assert read_line(write_line(read), ROWS) == read
    [found] = weighted_sum([line], ROWS).score([sample(answer)], FakeRewardContext())
    assert found.value == wanted


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(we", "not valid"),
        ("[a", "not valid"),
        (r"[^\s\S]", "never match"),
        ("a$b", "never match"),
        ("a^b", "never match"),
    ],
)
def test_an_expression_of_no_use_is_refused_with_the_reason(pattern: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as refused:
        checked_line(f"expression-match pattern={pattern}", ROWS)
    assert pattern in refused.value.message


@pytest.mark.parametrize("pattern", [r"\$5", "[$^]a", "^a$", "(^a|b$)", "(?m)a$", "{expected}", r"\^a", "a|^b"])
def test_an_expression_that_may_match_is_not_refused(pattern: str) -> None:
    assert checked_line(f"expression-match pattern={pattern}", ROWS).options["pattern"] == pattern


def test_an_expression_that_takes_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.rewards.texts.LONGEST_TEST_S", 0.01)
    with pytest.raises(UserError, match="takes more than"):
        value("expression-match", ",".join(map(str, range(60))), pattern=r"\b(.*?,){25}P")
