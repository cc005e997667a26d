"""Rows of the rewards. To add one, put its function into a module of ``rewards`` and its row into the table."""

from __future__ import annotations

import msgspec

from workbench.records.methods import Method, Trait
from workbench.rewards.models import JudgeGrade, RewardModelUse
from workbench.rewards.programs import ProgramTests
from workbench.rewards.texts import LengthRange, LetterShare, ListedWords, Pattern, Schema, Tolerance


def _reward(
    name: str,
    title: str,
    summary: str,
    entry: str,
    config: type[msgspec.Struct],
    source: str = "",
    *traits: Trait,
    needs: tuple[str, ...] = (),
    cost: str = "",
) -> Method:
    return Method(
        name=name,
        kind="reward",
        technique="preference",
        title=title,
        summary=summary,
        source=source,
        config=config,
        entry=f"workbench.rewards.{entry}",
        traits=traits,
        needs=needs,
        cost=cost,
    )


METHODS = (
    _reward(
        "expression-match",
        "Expression",
        "The reward is 1 where the answer matches a regular expression, and 0 elsewhere.",
        "texts:pattern",
        Pattern,
    ),
    _reward(
        "right-number",
        "Number",
        "The reward is 1 where the final number of the answer is the expected one, within a tolerance, and 0 "
        "elsewhere.",
        "texts:number",
        Tolerance,
        "Cobbe et al. 2021, GSM8K, arXiv:2110.14168",
        "compares texts",
        "text alone",
    ),
    _reward(
        "json-answer",
        "JSON",
        "The reward is 1 where the answer is JSON and valid by the schema, and 0 elsewhere.",
        "texts:valid_json",
        Schema,
        "Geng et al. 2025, JSONSchemaBench, arXiv:2501.10868",
    ),
    _reward(
        "length-range",
        "Length",
        "The reward is 1 where the answer is neither too short nor too long, and falls with each word that is missing "
        "or too many.",
        "texts:length",
        LengthRange,
        "",
        "text alone",
    ),
    _reward(
        "listed-words",
        "Words",
        "The reward is the share of the listed words that are in the answer, or not in it, as wanted.",
        "texts:listed_words",
        ListedWords,
        "",
        "compares texts",
        "text alone",
    ),
    _reward(
        "letter-share",
        "Letters",
        "The answer is rewarded for few or for many of some letters: a simple reward to try a training with.",
        "texts:letter_share",
        LetterShare,
        "",
        "text alone",
    ),
    _reward(
        "passed-tests",
        "Tests",
        "The reward is the share of the tests that the answer's Python code passes in the sandbox.",
        "programs:passed_tests",
        ProgramTests,
        "Chen et al. 2021, Evaluating Large Language Models Trained on Code, arXiv:2107.03374",
        cost="Each answer takes a program in the sandbox.",
    ),
    _reward(
        "reward-model",
        "Reward model",
        "The reward is the score of a reward model that was trained on preferences.",
        "models:reward_model",
        RewardModelUse,
        "Ouyang et al. 2022, InstructGPT, arXiv:2203.02155",
        "asks a model",
        cost="Each answer takes one evaluation of question and answer.",
    ),
    _reward(
        "graded-answer",
        "Grade",
        "A judge, which is a recipe, grades the answer by a rubric, from 1 to 5.",
        "models:judge_grade",
        JudgeGrade,
        "Liu et al. 2023, G-Eval, arXiv:2303.16634",
        "asks a model",
        "judges",
        needs=("token_logprobs",),
        cost="Each answer takes one evaluation of question and answer.",
    ),
)
