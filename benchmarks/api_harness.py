"""lm-eval-harness against the local API: the same answers as the program's own benchmark?

MMLU (five examples, the four choices scored) and GSM8K (five examples, generated) by the harness's `local-completions`
model and remote tokenizer, beside *Benchmarks* of the program on the same rows, examples and model.

    python -m venv lm && lm/bin/pip install "lm-eval[api]"
    python benchmarks/api_harness.py --task mmlu --data ../shared/data/mmlu --lm-eval lm/bin/lm_eval
    python benchmarks/api_harness.py --task gsm8k --data ../shared/data/gsm8k --lm-eval lm/bin/lm_eval --questions 50

Any program that has the harness may be named; its environment needs nothing of this one. A long measurement is made in
pieces: with `--first 50 --count 50 --results FILE` the second 50 of the questions are added to FILE, and all of FILE
are counted; `--only harness` and `--only own` ask one of the two. `--deterministic` turns the engine's setting of that
name on, so that last bits that depend on what is computed at the same time do not decide near ties.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

from harness import Core, arguments, starter_model, write_lines

from workbench.subjects.evaluation.calls import CreateQuestionSet, GetCell, ListEvaluations, RunBenchmark
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.serving.http.app import make_app
from workbench.subjects.serving.http.running import RunningServer
from workbench.subjects.serving.http.security import LocalAccess

LETTERS = "ABCD"
KEY = "wb-benchmark"
SHOTS = 5
MMLU = """task: {task}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {test}
    dev: {examples}
test_split: test
fewshot_split: dev
fewshot_config:
  sampler: first_n
num_fewshot: {shots}
output_type: multiple_choice
description: "The following are multiple choice questions (with answers) about {subject}.\\n\\n"
doc_to_text: "{{{{question.strip()}}}}\\nA. {{{{choices[0]}}}}\\nB. {{{{choices[1]}}}}\\nC. {{{{choices[2]}}}}\\nD. {{{{choices[3]}}}}\\nAnswer:"
doc_to_choice: ["A", "B", "C", "D"]
doc_to_target: answer
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""  # noqa: E501 - the harness's own template, with the first examples in place of its data set
GSM8K = """task: {task}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {test}
    train: {examples}
test_split: test
fewshot_split: train
fewshot_config:
  sampler: first_n
num_fewshot: {shots}
output_type: generate_until
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
doc_to_target: "{{{{answer}}}}"
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
    ignore_case: true
    ignore_punctuation: false
    regexes_to_ignore:
      - ","
      - "\\\\$"
      - "(?s).*#### "
      - "\\\\.$"
generation_kwargs:
  until:
    - "Question:"
    - "</s>"
    - "<|im_end|>"
  do_sample: false
  temperature: 0.0
  max_gen_toks: 256
filter_list:
  - name: "strict-match"
    filter:
      - function: "regex"
        regex_pattern: "#### (\\\\-?[0-9\\\\.\\\\,]+)"
      - function: "take_first"
  - name: "flexible-extract"
    filter:
      - function: "regex"
        group_select: -1
        regex_pattern: "(-?[$0-9.,]{{2,}})|(-?[0-9]+)"
      - function: "take_first"
metadata:
  version: 3.0
"""

Answer = tuple[str, float]
"""A choice or an extracted number, and whether it is right."""


def read(path: Path) -> list[dict[str, Any]]:
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    return [json.loads(line) for file in files for line in file.open("rb")]


def own_answers(
    core: Core, task: str, model: str, rows: list[dict[str, Any]], examples: list[dict[str, Any]],
    folder: Path,
) -> list[list[Answer]]:  # fmt: skip
    """What the program's own benchmark finds: for each question an answer for each of the benchmark's scores."""
    made = core.call(
        CreateQuestionSet(
            source="benchmark", benchmark=task, path=str(write_lines(folder / "rows.jsonl", rows)),
            examples=str(write_lines(folder / "examples.jsonl", examples)), shots=SHOTS,
        ),
    )  # fmt: skip
    run = core.call(RunBenchmark(question_set=made.id, models=(model,)))
    core.follow(run)
    (evaluation,) = core.call(ListEvaluations()).evaluations
    found = []
    for number in range(1, len(rows) + 1):
        cell = core.call(GetCell(evaluation=evaluation.id, number=number, column=0))
        found.append([(score.note, float(score.value or 0.0)) for score in cell.scores])
    return found


def harness_answers(
    program: str, address: str, task: str, model: str, rows: list[dict[str, Any]], examples: list[dict[str, Any]],
    folder: Path, at_once: int, cache: Path,
) -> list[list[Answer]]:  # fmt: skip
    """The same by the harness, which keeps its answers in ``cache``: one that was stopped is resumed from there."""
    tasks: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        tasks.setdefault(f"own_{task}_{row.get('subject', 'all')}", []).append(place)
    for name, places in tasks.items():
        subject = str(rows[places[0]].get("subject", ""))
        test = write_lines(folder / f"{name}.test.jsonl", [rows[place] for place in places])
        shown = write_lines(
            folder / f"{name}.shown.jsonl", [one for one in examples if one.get("subject", "") == subject]
        )
        text = MMLU if task == "mmlu" else GSM8K
        (folder / f"{name}.yaml").write_text(
            text.format(task=name, test=test, examples=shown, shots=SHOTS, subject=subject.replace("_", " "))
        )
    arguments = f"model={model},base_url={address}/v1/completions,tokenizer_backend=remote,num_concurrent={at_once}"
    arguments += f",auth_token={KEY},max_length=8000"
    subprocess.run(
        [
            program, "run", "--model", "local-completions", "--model_args", arguments, "--tasks", ",".join(tasks),
            "--include_path", str(folder), "--output_path", str(folder / "out"), "--log_samples",
            "--use_cache", str(cache),
        ],
        check=True,
        env={**os.environ, "OPENAI_API_KEY": KEY, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1",
             "HF_HOME": str(folder / "cache")},
    )  # fmt: skip
    found: list[list[Answer]] = [[] for _ in rows]
    for name, places in tasks.items():
        (samples,) = (folder / "out").rglob(f"samples_{name}_*.jsonl")
        for one in (json.loads(line) for line in samples.open()):
            found[places[one["doc_id"]]].append(_answer_of(task, one))
    return found


def _answer_of(task: str, sample: dict[str, Any]) -> Answer:
    if task == "gsm8k":
        return str(sample["filtered_resps"][0])[:80], float(sample["exact_match"])
    given = sample["filtered_resps"]
    values = [float(one[0] if not isinstance(one[0], list) else one[0][0]) for one in given]
    return LETTERS[values.index(max(values))], float(sample["acc"])


def report(results: list[dict[str, Any]]) -> None:
    """Of the questions that both have answered."""
    found: dict[str, dict[int, list[Answer]]] = {"harness": {}, "own": {}}
    for one in results:
        found[one["who"]][one["question"]] = one["answers"]
    both = sorted(found["harness"].keys() & found["own"].keys())
    count = len(both)
    for place in range(len(found["own"][both[0]]) if both else 0):
        theirs, ours = ([found[who][question][place] for question in both] for who in ("harness", "own"))
        same = sum(one[0] == other[0] for one, other in zip(theirs, ours, strict=True))
        right = [sum(one[1] for one in answers) / count for answers in (theirs, ours)]
        print(
            f"score {place + 1}: questions {count}  the same answer in {same} ({same / count:.1%})  "
            f"right by the harness {right[0]:.1%}, own {right[1]:.1%}"
        )


def main() -> None:
    parser = arguments(
        __doc__, "model", "results", questions=200, first=0, count=0, seed=4, at_once=8, deterministic=False
    )
    parser.add_argument("--task", choices=("mmlu", "gsm8k"), default="mmlu")
    parser.add_argument("--data", type=Path, required=True, help="a folder with test and dev, or test and train")
    parser.add_argument("--lm-eval", required=True, help="the program lm_eval")
    parser.add_argument("--only", choices=("harness", "own"))
    options = parser.parse_args()
    suffix = "" if options.task == "mmlu" else ".jsonl"
    rows = random.Random(options.seed).sample(read(options.data / f"test{suffix}"), options.questions)
    rows.sort(key=lambda row: str(row.get("subject", "")))  # a piece has few subjects, whose examples are computed once
    rows = rows[options.first : options.first + options.count if options.count else None]
    examples = read(options.data / ("dev" if options.task == "mmlu" else "train.jsonl"))
    results: list[dict[str, Any]] = []
    if options.results is not None and options.results.exists():
        results = read(options.results)
    with Core(starter=False) as core:
        folder, server = core.folder, None
        try:
            core.call(ChangeSettings(values={"engine": {"deterministic": options.deterministic}}))
            core.call(ImportModel(path=str(options.model or starter_model()), name="measured"))
            server = RunningServer(make_app(core.workbench.handle, LocalAccess(lambda: KEY, tuple)), 0)
            asked = options.task, "measured", rows, examples, folder
            for who in ("harness", "own"):
                if options.only not in (None, who):
                    continue
                began = time.perf_counter()
                if who == "harness":
                    cache = options.results.resolve() if options.results is not None else folder / "cache"
                    answers = harness_answers(
                        options.lm_eval, server.address, *asked, options.at_once, cache.with_suffix(".answers")
                    )
                else:
                    answers = own_answers(core, *asked)
                print(f"{who}: {len(rows)} questions in {time.perf_counter() - began:.0f} s", flush=True)
                results += [
                    {"who": who, "question": options.first + place, "answers": one} for place, one in enumerate(answers)
                ]
                if options.results is not None:
                    write_lines(options.results, results)
        finally:
            if server is not None:
                server.close()
    report(results)


if __name__ == "__main__":
    main()
