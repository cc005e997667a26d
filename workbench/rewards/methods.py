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
        "expression-match", "Expression", "1 where the answer matches a regular expression.", "texts:pattern", Pattern
    ),
    _reward(
        "right-number",
        "Number",
        "1 where the number that the answer comes to is the expected one, within a tolerance.",
        "texts:number",
        Tolerance,
        "Cobbe et al. 2021, GSM8K, arXiv:2110.14168",
        "compares texts",
        "text alone",
    ),
    _reward(
        "json-answer",
        "JSON",
        "1 where the answer is JSON and validates against the schema.",
        "texts:valid_json",
        Schema,
        "Geng et al. 2025, JSONSchemaBench, arXiv:2501.10868",
    ),
    _reward(
        "length-range",
        "Length",
        "1 where the answer is neither too short nor too long.",
        "texts:length",
        LengthRange,
        "",
        "text alone",
    ),
    _reward(
        "listed-words",
        "Words",
        "The share of listed words that are in the answer, or not in it, as wanted.",
        "texts:listed_words",
        ListedWords,
        "",
        "compares texts",
        "text alone",
    ),
    _reward(
        "letter-share",
        "Letters",
        "Few, or many, of some letters: a taste that shows at once whether a training works.",
        "texts:letter_share",
        LetterShare,
        "",
        "text alone",
    ),
    _reward(
        "passed-tests",
        "Tests",
        "The share of tests that the answer's Python code passes in the sandbox.",
        "programs:passed_tests",
        ProgramTests,
        "Chen et al. 2021, Evaluating Large Language Models Trained on Code, arXiv:2107.03374",
        cost="A program in the sandbox per answer.",
    ),
    _reward(
        "reward-model",
        "Reward model",
        "The score of a reward model that was trained on judgements.",
        "models:reward_model",
        RewardModelUse,
        "Ouyang et al. 2022, InstructGPT, arXiv:2203.02155",
        "asks a model",
        cost="One evaluation of question and answer.",
    ),
    _reward(
        "graded-answer",
        "Grade",
        "A recipe grades the answer by a rubric, from 1 to 5.",
        "models:judge_grade",
        JudgeGrade,
        "Liu et al. 2023, G-Eval, arXiv:2303.16634",
        "asks a model",
        "judges",
        needs=("token_logprobs",),
        cost="One evaluation of question and answer.",
    ),
)
