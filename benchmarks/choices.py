"""Choices by log-probability: the program's picks against an independent computation in transformers.

    python benchmarks/choices.py

``--data`` (default ../shared/data) holds ``mmlu/test``. Questions are drawn over its subjects. The program evaluates
them as `workbench eval --scorer choice-probability` does, in a scratch home with the starter model: through the core,
the answering service and the inference worker. transformers reads the same GGUF (its weights unpacked to float32),
renders the same chat with the model's own template by itself, and takes the log-probability of each letter. Target:
the same pick in at least 99 %. llama.cpp rounds activations to 8 bits where it multiplies 4-bit weights; transformers
does not, so that picks with nearly equal probabilities may differ: their margins are listed. With --unpacked the
program gets the same weights as float32, so that both multiply the same numbers.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from beam import unpack
from harness import DATA, arguments, read_lines, report, share, starter_model, write_lines

from workbench.api.client import Client
from workbench.base.paths import Home
from workbench.records.evaluation import QuestionRow, ScorerUse
from workbench.records.recipes import Recipe
from workbench.subjects.evaluation.calls import CreateQuestionSet, Evaluate, GetCell, ListQuestions
from workbench.subjects.models.calls import ImportModel, RegisterStarter
from workbench.subjects.runs.calls import FollowRun


def main() -> None:
    parser = arguments(__doc__, "json", data=DATA, questions=200, seed=12)
    parser.add_argument("--unpacked", action="store_true", help="the program reads the weights as float32, too")
    options = parser.parse_args()
    rows = draw(options.data / "mmlu" / "test", options.questions, options.seed)
    began = time.monotonic()
    questions, ours, right = evaluate(rows, options.unpacked)
    spent = time.monotonic() - began
    theirs, margins = compute_in_transformers(questions)
    same = sum(a == b for a, b in zip(ours, theirs, strict=True))
    result: dict[str, Any] = {
        "same picks": share(same, len(ours), 1),
        "accuracy": round(right / len(ours), 4),
        "program_s": round(spent, 1),
        "differ": [
            {"question": n, "ours": ascii_uppercase[a], "theirs": ascii_uppercase[b], "their margin": round(margin, 4)}
            for n, (a, b, margin) in enumerate(zip(ours, theirs, margins, strict=True))
            if a != b
        ],
        "target": 0.99,
    }
    report(result, options.json)


def draw(folder: Path, count: int, seed: int) -> list[dict[str, Any]]:
    rows = [row for file in sorted(folder.glob("*.jsonl")) for row in read_lines(file)]
    short = [row for row in rows if len(row["question"]) + sum(map(len, row["choices"])) < 1_200]
    return random.Random(seed).sample(short, count)


def evaluate(rows: list[dict[str, Any]], unpacked: bool) -> tuple[list[QuestionRow], list[int], int]:
    """The questions, the program's picks, and how many are right."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "mmlu.jsonl"
        write_lines(path, rows)
        client = Client(Home(Path(folder) / "home"))
        try:
            if unpacked:
                unpack(starter_model(), Path(folder) / "float32.gguf")
                client.call(ImportModel(path=str(Path(folder) / "float32.gguf")))
            else:
                client.call(RegisterStarter())
            made = client.call(CreateQuestionSet(path=str(path)))
            uses = (ScorerUse(name="choice-probability"),)
            run = client.call(Evaluate(question_set=made.id, recipes=(Recipe(name="Starter"),), scorers=uses))
            client.call(FollowRun(run=run.id))
            page = client.call(ListQuestions(question_set=made.id, limit=1_000))
            evaluation = run.config["evaluation"]
            scores = [
                client.call(GetCell(evaluation=evaluation, number=one.number, column=0)).scores[0]
                for one in page.questions
            ]
        finally:
            client.close()
    picks = [ascii_uppercase.index(score.note) for score in scores]
    return [one.question for one in page.questions], picks, sum(int(score.value or 0) for score in scores)


def compute_in_transformers(questions: list[QuestionRow]) -> tuple[list[int], list[float]]:
    """The picks, and by how much the best letter's log-probability exceeds the second's."""
    import torch
    import transformers

    path = starter_model()
    tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    model = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    model.eval()
    picks, margins = [], []
    with torch.inference_mode():
        for question in questions:
            turns = [{"role": turn.role, "content": turn.content} for turn in question.conversation()]
            prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
            ids = tokenizer(prompt, add_special_tokens=False).input_ids
            after = model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
            sums = []
            for letter in ascii_uppercase[: len(question.choices)]:
                (token,) = tokenizer(letter, add_special_tokens=False).input_ids  # a letter is one token
                sums.append(float(after[token]))
            order = sorted(range(len(sums)), key=lambda choice: -sums[choice])
            picks.append(order[0])
            margins.append(sums[order[0]] - sums[order[1]])
    return picks, margins


if __name__ == "__main__":
    main()
