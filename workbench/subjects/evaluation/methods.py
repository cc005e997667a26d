"""Rows of the scorers, and which ones suit a question set. To add one, put its function into a module of ``scorers``
and its row into the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from workbench.records.evaluation import BENCHMARK_CHOICE, BENCHMARK_NUMBER, IFEVAL_INSTRUCTION, IFEVAL_PROMPT
from workbench.records.methods import Method, Methods, Trait
from workbench.rewards.models import RewardModelUse
from workbench.rewards.texts import Pattern, Schema, Tolerance
from workbench.rewards.values import last_number
from workbench.subjects.evaluation.scorers.benchmarks import Comparing, Extracting
from workbench.subjects.evaluation.scorers.evidence import Abstaining
from workbench.subjects.evaluation.scorers.instructions import Following
from workbench.subjects.evaluation.scorers.models import Choosing, Rubric
from workbench.subjects.evaluation.scorers.rewards import RewardLines
from workbench.subjects.evaluation.scorers.texts import NoOptions

if TYPE_CHECKING:
    from workbench.records.evaluation import QuestionRow

_SCORES = ("token_logprobs",)


def _scorer(
    name: str,
    title: str,
    summary: str,
    entry: str,
    source: str = "",
    *traits: Trait,
    config: type[msgspec.Struct] = NoOptions,
    needs: tuple[str, ...] = (),
    cost: str = "",
    unit: str = "",
) -> Method:
    return Method(
        name=name,
        kind="scorer",
        technique="evaluation",
        title=title,
        summary=summary,
        source=source,
        config=config,
        entry=f"workbench.subjects.evaluation.scorers.{entry}",
        traits=traits,
        needs=needs,
        cost=cost,
        unit=unit,
    )


_EXACT = _scorer(
    "exact-match",
    "Exact match",
    "The share of the answers that equal an accepted one; case, punctuation, articles and white space do not count.",
    "texts:exact_match",
    "Rajpurkar et al. 2016, SQuAD, arXiv:1606.05250",
    "compares texts",
)
_CONTAINS = _scorer(
    "contains-answer",
    "Contains",
    "The share of the answers that contain an accepted one.",
    "texts:contains",
    "Mallen et al. 2022, When Not to Trust Language Models, arXiv:2212.10511",
    "compares texts",
)
_NUMBER = _scorer(
    "number-match",
    "Number",
    "The share of the answers whose final number is the expected one, within a tolerance.",
    "texts:same_number",
    "Cobbe et al. 2021, GSM8K, arXiv:2110.14168",
    "compares texts",
    config=Tolerance,
)
_F1 = _scorer(
    "token-f1",
    "Word overlap (F1)",
    "The overlap of the words of the answer and of the accepted one: 100 where they are the same words, 0 where "
    "none is shared.",
    "texts:token_f1",
    "Rajpurkar et al. 2016, SQuAD, arXiv:1606.05250",
    "compares texts",
)
_CHOICE = _scorer(
    "choice-match",
    "Choice",
    "The share of the answers that name the right choice, by its letter or its text.",
    "texts:right_choice",
    "",
    "compares texts",
)
_ABSTENTION = _scorer(
    "abstention-match",
    "Abstention",
    "The share of the answers that decline where there is no answer, and only there.",
    "evidence:abstention",
    "Rajpurkar et al. 2018, SQuAD 2.0, arXiv:1806.03822",
    "compares texts",
    config=Abstaining,
)
_RIGHT = _scorer(
    "right-answer",
    "Right",
    "The share of the answers that say what is accepted, marked or not, or decline a question that has no answer.",
    "outcomes:right",
    "Rajpurkar et al. 2018, SQuAD 2.0, arXiv:1806.03822",
    "compares texts",
)
_RIGHT_UNMARKED = _scorer(
    "right-unmarked",
    "Right and unmarked",
    "The share of the answerable questions whose answer is right and carries no warning.",
    "outcomes:right_unmarked",
    "",
    "compares texts",
)
_RIGHT_MARKED = _scorer(
    "right-marked",
    "Right and marked",
    "The share of the answerable questions whose answer is right, although the program warns that it may not be.",
    "outcomes:right_marked",
    "",
    "compares texts",
)
_WRONG_UNMARKED = _scorer(
    "wrong-unmarked",
    "Wrong and unmarked",
    "The share of all questions whose answer is wrong and carries no warning.",
    "outcomes:wrong_unmarked",
    "",
    "compares texts",
    "fewer is better",
)
_WRONG_MARKED = _scorer(
    "wrong-marked",
    "Wrong and marked",
    "The share of all questions whose answer is wrong and carries a warning.",
    "outcomes:wrong_marked",
    "",
    "compares texts",
    "fewer is better",
)
_DECLINED_WRONGLY = _scorer(
    "declined-wrongly",
    "Declined wrongly",
    "The share of the answerable questions that are declined.",
    "outcomes:declined_wrongly",
    "Kamath et al. 2020, Selective Question Answering, arXiv:2006.09462",
    "compares texts",
    "fewer is better",
)
_DECLINED_RIGHTLY = _scorer(
    "declined-rightly",
    "Declined rightly",
    "The share of the questions without an answer that are declined.",
    "outcomes:declined_rightly",
    "Rajpurkar et al. 2018, SQuAD 2.0, arXiv:1806.03822",
    "compares texts",
)
_LENGTH = _scorer("answer-length", "Length", "The number of words of an answer.", "texts:word_count", unit="words")
_BENCHMARK_CHOICE = _scorer(
    BENCHMARK_CHOICE,
    "Accuracy of a benchmark",
    "The share of the questions whose right continuation is the most probable one, as lm-evaluation-harness scores.",
    "benchmarks:choice",
    "Gao et al. 2024, lm-evaluation-harness; Brown et al. 2020, arXiv:2005.14165",
    "without answer",
    "asks a model",
    config=Comparing,
    needs=_SCORES,
    cost="Each question takes one evaluation.",
)
_BENCHMARK_NUMBER = _scorer(
    BENCHMARK_NUMBER,
    "Number of a benchmark",
    "The share of the answers whose number is that of the solution, as lm-evaluation-harness compares GSM8K.",
    "benchmarks:number",
    "Cobbe et al. 2021, GSM8K, arXiv:2110.14168",
    config=Extracting,
)
_IFEVAL_PROMPT = _scorer(
    IFEVAL_PROMPT,
    "Instructions followed, by prompt",
    "The share of the answers that follow every instruction of the question, as IFEval checks them.",
    "instructions:every",
    "Zhou et al. 2023, IFEval, arXiv:2311.07911",
    config=Following,
)
_IFEVAL_INSTRUCTION = _scorer(
    IFEVAL_INSTRUCTION,
    "Instructions followed",
    "The share of the instructions that the answers follow; a question counts by the number of its instructions.",
    "instructions:share",
    "Zhou et al. 2023, IFEval, arXiv:2311.07911",
    "by instruction",
    config=Following,
)

SCORERS: Methods[Method] = Methods(
    (
        _EXACT,
        _CONTAINS,
        _F1,
        _scorer(
            "rouge-l",
            "ROUGE-L",
            "The overlap of the longest sequence of words that the answer and the accepted one share in order (F1).",
            "texts:rouge",
            "Lin 2004, ROUGE, https://aclanthology.org/W04-1013",
            "compares texts",
        ),
        _NUMBER,
        _scorer(
            "pattern-match",
            "Regular expression",
            "The share of the answers that match a regular expression, which may hold the accepted answer.",
            "texts:matches",
            config=Pattern,
        ),
        _CHOICE,
        _scorer(
            "choice-probability",
            "Most probable choice",
            "The share of the questions whose right choice is the most probable one under the recipe's model. "
            "Nothing is generated.",
            "models:choice_probability",
            "Brown et al. 2020, arXiv:2005.14165; Gao et al. 2021, lm-evaluation-harness",
            "without answer",
            "asks a model",
            config=Choosing,
            needs=_SCORES,
            cost="Each question takes one evaluation.",
        ),
        _BENCHMARK_CHOICE,
        _BENCHMARK_NUMBER,
        _IFEVAL_PROMPT,
        _IFEVAL_INSTRUCTION,
        _scorer(
            "valid-json",
            "Valid JSON",
            "The share of the answers that are JSON and valid by the schema.",
            "structure:valid_json",
            "Geng et al. 2025, JSONSchemaBench, arXiv:2501.10868",
            config=Schema,
        ),
        _scorer(
            "json-fields",
            "JSON fields",
            "The share of the expected object's fields that the answer has.",
            "structure:json_fields",
            "",
            "compares texts",
        ),
        _scorer(
            "embedding-similarity",
            "Similarity of meaning",
            "The cosine of the vectors of the answer and the accepted one: 100 means the same direction.",
            "models:similarity",
            "Reimers and Gurevych 2019, Sentence-BERT, arXiv:1908.10084",
            "asks a model",
            "embeds",
            cost="Each answer takes one call of the embedding model.",
        ),
        _scorer(
            "citation-precision",
            "Citation precision",
            "The share of the citations that name a document with the answer.",
            "evidence:citation_precision",
            "Gao et al. 2023, ALCE, arXiv:2305.14627",
        ),
        _scorer(
            "citation-recall",
            "Citation recall",
            "The share of the documents with the answer that are cited.",
            "evidence:citation_recall",
            "Gao et al. 2023, ALCE, arXiv:2305.14627",
        ),
        _scorer(
            "supported-statements",
            "Groundedness",
            "The share of the statements that the passages support.",
            "evidence:groundedness",
            "Min et al. 2023, FActScore, arXiv:2305.14251",
        ),
        _ABSTENTION,
        _RIGHT,
        _RIGHT_UNMARKED,
        _RIGHT_MARKED,
        _WRONG_UNMARKED,
        _WRONG_MARKED,
        _DECLINED_WRONGLY,
        _DECLINED_RIGHTLY,
        _LENGTH,
        _scorer(
            "judge-grade",
            "Grade of a judge",
            "A judge model grades the answer by a rubric, from 1 to 5.",
            "models:grade",
            "Liu et al. 2023, G-Eval, arXiv:2303.16634",
            "asks a model",
            "judges",
            config=Rubric,
            needs=_SCORES,
            cost="Each answer takes one evaluation of question and answer.",
        ),
        _scorer(
            "judge-preference",
            "Preference of a judge",
            "A judge model compares the answer with that of the first recipe, in both orders. One half is a draw.",
            "models:preference",
            "Zheng et al. 2023, Judging LLM-as-a-Judge, arXiv:2306.05685",
            "asks a model",
            "judges",
            "compares",
            config=Rubric,
            needs=_SCORES,
            cost="Each answer takes two evaluations of the question with both answers.",
        ),
        _scorer(
            "reward-model-score",
            "Reward model",
            "The score of a reward model, which has mean 0 and standard deviation 1 over answers of its base model.",
            "rewards:model_score",
            "Ouyang et al. 2022, InstructGPT, arXiv:2203.02155",
            "asks a model",
            config=RewardModelUse,
            cost="Each answer takes one evaluation of question and answer.",
            unit="points",
        ),
        _scorer(
            "weighted-rewards",
            "Rewards",
            "The weighted sum of the rewards that a policy is trained with.",
            "rewards:weighted",
            config=RewardLines,
            cost="The rewards decide the cost.",
            unit="points",
        ),
    )
)


def suited_scorers(rows: Sequence[QuestionRow]) -> tuple[str, ...]:
    """Names of the scorers that suit a set, the main one first."""
    asked = [row for row in rows if row.answerable]
    if any(row.instructions for row in asked):
        return (_IFEVAL_PROMPT.name, _IFEVAL_INSTRUCTION.name)
    if any(row.prompt for row in asked):
        return (_BENCHMARK_CHOICE.name if any(row.choices for row in asked) else _BENCHMARK_NUMBER.name,)
    outcomes = [_RIGHT, _RIGHT_UNMARKED, _RIGHT_MARKED, _WRONG_UNMARKED, _DECLINED_WRONGLY, _DECLINED_RIGHTLY]
    if any(row.need or row.points for row in asked):
        return tuple(row.name for row in (outcomes if len(asked) < len(rows) else outcomes[:-1]))
    if any(row.choices for row in asked):
        found = [_CHOICE]
    elif not any(row.expected for row in asked):
        found = [_LENGTH]
    elif all(row.expected and _is_number(row.expected[0]) for row in asked):
        found = [_NUMBER]
    else:
        found = [_CONTAINS, _EXACT, _F1]
    if len(asked) < len(rows):
        found = [*outcomes, *found[-1:]]
    return tuple(row.name for row in found)


def _is_number(expected: str) -> bool:
    """Whether a number in digits is most of what is expected."""
    return len(expected) < 20 and any(map(str.isdigit, expected)) and last_number(expected) is not None
