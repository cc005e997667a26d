"""Published benchmarks with the prompts and scores of lm-evaluation-harness, from data that the person has.

Prompts follow its tasks (version 0.4.13, MIT): mmlu (default), arc_easy and arc_challenge, hellaswag, gsm8k, ifeval. A
question is the whole prompt, with the examples before it, without a chat template; of IFEval, which measures how
models in a chat follow instructions, it is a message, as with ``--apply_chat_template``. Data are the rows of the data
sets on the hub (cais/mmlu, allenai/ai2_arc, Rowan/hellaswag, openai/gsm8k, google/IFEval) in any form that
``read_rows`` knows: none are shipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.records.evaluation import (
    BENCHMARK_CHOICE,
    BENCHMARK_NUMBER,
    IFEVAL_INSTRUCTION,
    IFEVAL_PROMPT,
    BenchmarkUse,
    Instruction,
    QuestionRow,
    ScorerUse,
)
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, ModelPart, PromptingPart, Recipe
from workbench.records.recipes.parts import COMPLETION_TECHNIQUE, DEFAULT_TECHNIQUE
from workbench.subjects.evaluation.instructions import read_instructions
from workbench.subjects.evaluation.questions import MOST_QUESTIONS, Questions
from workbench.training.data.reading import Split, find_splits, read_rows
from workbench.training.data.rows import Row as DataRow

Row = dict[str, Any]
_LETTERS = ("A", "B", "C", "D")
_ONE_TOKEN = DecodingPart(temperature=0.0, max_tokens=1)
"""Where continuations are scored: the generated token is not looked at."""

_GREEDY = DecodingPart(temperature=0.0, repetition_penalty=1.0)
"""As the harness generates: the most probable token, whatever came before."""


@dataclass(frozen=True)
class HubData:
    """Where a benchmark's rows are on the hub: the files of ``repository`` below ``folder``."""

    repository: str
    folder: str = ""


@dataclass(frozen=True)
class Benchmark:
    """``shots`` is the usual number of examples. ``prompt`` writes a row up to where the answer begins, ``target`` the
    answer of an example with what goes before it; ``choices`` are the continuations that are compared, () where the
    answer is generated; ``right`` is the index of the right one, or the expected text, "" for none. ``subject`` groups
    the rows whose examples and description are the same. ``instructions`` are those that an answer has to follow.
    ``chat``: the prompt is a message, without examples. Of a folder the questions are those of the split ``asked``,
    the examples those of ``shown``."""

    name: str
    title: str
    shots: int
    prompt: Callable[[Row], str]
    target: Callable[[Row], str]
    choices: Callable[[Row], tuple[str, ...]]
    right: Callable[[Row], int | str]
    subject: Callable[[Row], str] = lambda row: ""
    description: Callable[[str], str] = lambda subject: ""
    scorers: tuple[ScorerUse, ...] = ()
    decoding: DecodingPart = _ONE_TOKEN
    instructions: Callable[[Row], tuple[Instruction, ...]] = lambda row: ()
    chat: bool = False
    hub: HubData = HubData("")
    asked: Split = "test"
    shown: Split = "train"


def _mmlu_prompt(row: Row) -> str:
    listed = "".join(f"\n{letter}. {choice}" for letter, choice in zip(_LETTERS, row["choices"], strict=True))
    return f"{str(row['question']).strip()}{listed}\nAnswer:"


def _mmlu_right(row: Row) -> int:
    answer = row["answer"]
    return _LETTERS.index(answer) if answer in _LETTERS else int(answer)


def _arc_choices(row: Row) -> tuple[str, ...]:
    return tuple(f" {text}" for text in row["choices"]["text"])


def _arc_right(row: Row) -> int:
    return list(map(str, row["choices"]["label"])).index(str(row["answerKey"]))


def _hellaswag_text(text: str) -> str:
    """As ``lm_eval.tasks.hellaswag.utils.preprocess``."""
    return re.sub(r"\[.*?\]", "", text.strip().replace(" [title]", ". ")).replace("  ", " ")


def _hellaswag_prompt(row: Row) -> str:
    return _hellaswag_text(f"{row['activity_label']}: {row['ctx_a']} {str(row['ctx_b']).capitalize()}")


def _hellaswag_choices(row: Row) -> tuple[str, ...]:
    return tuple(f" {_hellaswag_text(ending)}" for ending in row["endings"])


def _gsm8k_prompt(row: Row) -> str:
    return f"Question: {row['question']}\nAnswer:"


def _gsm8k_right(row: Row) -> str:
    if "####" not in str(row["answer"]):
        raise ValueError("its answer has no number behind ####")
    return str(row["answer"])


def _ifeval_prompt(row: Row) -> str:
    prompt = row["prompt"]
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("its prompt is empty or no text")
    return prompt


_ACCURACY = ScorerUse(name=BENCHMARK_CHOICE)
_NORMALISED = ScorerUse(name=BENCHMARK_CHOICE, options={"per": "character"})

BENCHMARKS = (
    Benchmark(
        name="mmlu",
        title="MMLU",
        shots=5,
        prompt=_mmlu_prompt,
        target=lambda row: f" {_LETTERS[_mmlu_right(row)]}",
        choices=lambda row: tuple(f" {letter}" for letter in _LETTERS),
        right=_mmlu_right,
        subject=lambda row: str(row.get("subject", "")),
        description=lambda subject: (
            f"The following are multiple choice questions (with answers) about {subject.replace('_', ' ')}.\n\n"
            if subject
            else ""
        ),
        scorers=(_ACCURACY,),
        hub=HubData("cais/mmlu", "all"),
        shown="validation",
    ),
    Benchmark(
        name="arc",
        title="ARC",
        shots=25,
        prompt=_gsm8k_prompt,
        target=lambda row: _arc_choices(row)[_arc_right(row)],
        choices=_arc_choices,
        right=_arc_right,
        scorers=(_NORMALISED, _ACCURACY),
        hub=HubData("allenai/ai2_arc", "ARC-Challenge"),
    ),
    Benchmark(
        name="hellaswag",
        title="HellaSwag",
        shots=10,
        prompt=_hellaswag_prompt,
        target=lambda row: _hellaswag_choices(row)[int(row["label"])],
        choices=_hellaswag_choices,
        right=lambda row: int(row["label"]),
        scorers=(_NORMALISED, _ACCURACY),
        hub=HubData("Rowan/hellaswag", "data"),
        asked="validation",  # its test split has no labels
    ),
    Benchmark(
        name="gsm8k",
        title="GSM8K",
        shots=5,
        prompt=_gsm8k_prompt,
        target=lambda row: f" {row['answer']}",
        choices=lambda row: (),
        right=_gsm8k_right,
        scorers=(
            ScorerUse(name=BENCHMARK_NUMBER),
            ScorerUse(name=BENCHMARK_NUMBER, options={"filter": "flexible"}),
        ),
        decoding=msgspec.structs.replace(_GREEDY, max_tokens=256, stop=("Question:", "</s>", "<|im_end|>")),
        hub=HubData("openai/gsm8k", "main"),
    ),
    Benchmark(
        name="ifeval",
        title="IFEval",
        shots=0,
        prompt=_ifeval_prompt,
        target=lambda row: "",
        choices=lambda row: (),
        right=lambda row: "",
        instructions=lambda row: read_instructions(row["instruction_id_list"], row["kwargs"]),
        scorers=tuple(
            ScorerUse(name=name, options={"answer": answer})
            for answer in ("strict", "loose")
            for name in (IFEVAL_PROMPT, IFEVAL_INSTRUCTION)
        ),
        decoding=msgspec.structs.replace(_GREEDY, max_tokens=1280),
        chat=True,
        hub=HubData("google/IFEval"),
    ),
)  # fmt: skip


def find_benchmark(name: str) -> Benchmark:
    """Raises UserError that names those that are known."""
    found = next((one for one in BENCHMARKS if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in BENCHMARKS)
        raise UserError(f"There is no benchmark {name!r}.", f"Known are {known}.")
    return found


def read_benchmark(
    benchmark: Benchmark, path: Path, examples: Path | None, shots: int, limit: int, report: Callable[[int], None]
) -> Questions:
    """The questions of a benchmark from the file or folder ``path``, each with ``shots`` examples: the first rows of
    its subject in ``examples``. ``limit`` as in ``read_questions``. Raises UserError where there are too few examples,
    and where no row is one of the benchmark. Of folders the benchmark's splits are read; those examples that are not
    named are looked for in the folder of the questions."""
    shown: dict[str, list[Row]] = {}
    if shots and benchmark.chat:
        raise UserError(f"{benchmark.title} is asked without examples.", "Show 0.")
    if shots:
        found = examples or examples_beside(benchmark, path)
        if found is None:
            raise UserError(f"{shots} examples are to be shown, and there is no file of them.", "Name it, or show 0.")
        for read in rows_of(found, (benchmark.shown, "validation", "train", "test")):
            shown.setdefault(benchmark.subject(read.values), []).append(read.values)
    rows, refused = list[QuestionRow](), list[str]()
    for place, row in enumerate(rows_of(path, (benchmark.asked, "test", "validation", "train"))):
        if place % 500 == 0:
            report(place)
        try:
            rows.append(write_question(benchmark, row.values, shown, shots))
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            refused.append(f"{row.source}: it is no row of {benchmark.title} ({type(error).__name__}: {error}).")
        if limit and len(rows) >= limit:
            break
        if len(rows) > MOST_QUESTIONS:
            raise UserError(f"{path.name} holds more than {MOST_QUESTIONS:,} questions.", "Set a limit.")
    if not rows:
        raise UserError(f"{path.name} holds no rows of {benchmark.title}: {refused[0] if refused else 'it is empty.'}")
    return Questions(rows=tuple(rows), refused=tuple(refused[:20]), more_refused=max(0, len(refused) - 20))


def rows_of(path: Path, splits: Sequence[Split]) -> Iterator[DataRow]:
    """The rows of a file, or of a folder's first split that is there."""
    if not path.is_dir():
        return read_rows(path)
    there = find_splits(path).splits
    return read_rows(path, split=next((split for split in splits if split in there), None))


def examples_beside(benchmark: Benchmark, path: Path) -> Path | None:
    """The folder itself, where it has a split of examples."""
    has = path.is_dir() and not benchmark.chat and benchmark.shown in find_splits(path).splits
    return path if has else None


def write_question(benchmark: Benchmark, row: Row, shown: dict[str, list[Row]], shots: int) -> QuestionRow:
    """A row as a question. Raises KeyError, IndexError, ValueError, TypeError or AttributeError for other rows."""
    subject = benchmark.subject(row)
    right = benchmark.right(row)
    choices = benchmark.choices(row)
    if isinstance(right, int) and not 0 <= right < len(choices):
        raise ValueError(f"the right choice is number {right} of {len(choices)}")
    asked = benchmark.prompt(row)
    prompt = benchmark.description(subject) + "".join(
        f"{benchmark.prompt(one)}{benchmark.target(one)}\n\n" for one in _examples(shown, subject, shots)
    )
    return QuestionRow(
        messages=(Message("user", asked),),
        prompt="" if benchmark.chat else f"{prompt}{asked}",
        choices=choices,
        choice=right if isinstance(right, int) else -1,
        expected=() if isinstance(right, int) or not right else (right,),
        id=subject,
        instructions=benchmark.instructions(row),
    )


def _examples(shown: dict[str, list[Row]], subject: str, shots: int) -> Iterable[Row]:
    found = list(islice(shown.get(subject, ()), shots))
    if len(found) < shots:
        where = f" of {subject}" if subject else ""
        raise UserError(f"There are {len(found)} examples{where}, and {shots} are to be shown.", "Show fewer.")
    return found


def benchmark_recipe(benchmark: Benchmark, model: str) -> Recipe:
    """How a model is asked the questions of a benchmark."""
    return Recipe(
        model=ModelPart(name=model),
        prompting=PromptingPart(technique=DEFAULT_TECHNIQUE if benchmark.chat else COMPLETION_TECHNIQUE),
        decoding=benchmark.decoding,
    )


def use_of(benchmark: Benchmark, shots: int) -> BenchmarkUse:
    """The benchmark as the question set names it."""
    return BenchmarkUse(name=benchmark.name, title=benchmark.title, shots=shots)
