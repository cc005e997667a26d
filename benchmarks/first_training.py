"""A first training as a person has it: facts in a file, the proposal of the program unchanged, and what comes of it.

    python benchmarks/first_training.py

The sets of ``first_training.json`` are invented: "town" (12 facts), "firm" (40) and "style" (20 answers in a manner of
speaking) are those on which the proposal was chosen; "island" (12 facts) is the one that it is judged on. Each fact is
a question, its answer, and the same question in other words, which is never trained. The training is the request that
the form sends; what differs is the seed. Then an evaluation asks the trained questions and those in other words,
greedily, and an answer is right that contains the expected one. To be met for each seed: at least 10 of 12 in the
trained words, 6 of 12 in other words, and either half of the base's general questions or a warning on the card.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from harness import Core, arguments, report, write_lines

from workbench.records.evaluation import ScorerUse
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, Recipe
from workbench.records.training import DataPart, OptimiserPart, TrainingConfig, TrainResult
from workbench.records.training.outcomes import learnt_words, lost_words, outcome_warning
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.evaluation.calls import CreateQuestionSet, Evaluate, GetEvaluation, ListGrid
from workbench.subjects.trainings.calls import Train

RIGHT, OTHER_WORDS = 10 / 12, 6 / 12


def main() -> int:
    parser = arguments(__doc__, "home", "json", set="island", seeds="0,1,2")
    parser.add_argument("--epochs", type=float, default=0.0, help="instead of the proposed ones")
    options = parser.parse_args()
    facts = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))[options.set]["facts"]
    found, met = [], True
    with Core(options.home) as core:
        root, model = core.folder, core.chat_model()
        asked = _question_set(core, root, options.set, facts)
        for seed in map(int, options.seeds.split(",")):
            data = root / f"{options.set} {seed}.jsonl"
            write_lines(data, ({"prompt": q, "completion": a} for q, a, *_ in facts))
            config = TrainingConfig(
                model=model,
                data=DataPart(path=str(data)),
                optimiser=OptimiserPart(seed=seed, epochs=options.epochs),
            )
            one = _trained(core, config, asked, len(facts))
            found.append({"seed": seed, **one})
            met &= one["met"]
            print(json.dumps(found[-1], indent=1), flush=True)
    report(found, options.json)
    print("met" if met else "NOT MET")
    return 0 if met else 1


def _question_set(core: Core, root: Path, name: str, facts: list[list[str]]) -> str:
    """The trained questions, then those in other words."""
    rows = [(question, answer) for question, answer, *_ in facts]
    rows += [(more[0], answer) for _, answer, *more in facts if more]
    path = root / f"{name} asked.jsonl"
    write_lines(path, ({"question": q, "answer": a} for q, a in rows))
    return str(core.call(CreateQuestionSet(path=str(path))).id)


def _trained(core: Core, config: TrainingConfig, asked: str, facts: int) -> dict[str, Any]:
    run = core.call(Train(config=config))
    result = msgspec.convert(core.follow(run), TrainResult)
    card = next(one for one in core.call(ListAdapters()).adapters if one.run == run.id)
    assert card.config is not None
    model = ModelPart(name=config.model, adapters=(AdapterUse(name=card.name),))
    recipe = Recipe(name=card.name, model=model, decoding=DecodingPart(strategy="greedy", max_tokens=32))
    call = Evaluate(question_set=asked, recipes=(recipe,), scorers=(ScorerUse(name="contains-answer"),))
    done = core.follow(core.call(call))
    report = core.call(GetEvaluation(evaluation=done["evaluation"]))
    rows = core.call(ListGrid(evaluation=done["evaluation"], limit=100)).rows
    right = [bool(row.cells[0].scores and row.cells[0].scores[0]) for row in rows]
    trained, other = sum(right[:facts]), sum(right[facts:])
    warning = outcome_warning(card.scores, card.forgetting, card.kind)
    before, after = card.forgetting.before, card.forgetting.after
    kept = before is None or after is None or 2 * (after.exact_match or 0) >= (before.exact_match or 0)
    optimiser = card.config.optimiser
    return {
        "epochs": optimiser.epochs,
        "steps": card.steps,
        "learning_rate": optimiser.learning_rate,
        "seconds": round(card.seconds),
        "trained_words": f"{trained} of {facts}",
        "other_words": f"{other} of {len(right) - facts}",
        "learnt": learnt_words(card.scores),
        "lost": lost_words(card.forgetting),
        "warning": warning,
        "leaks": list(report.leaks),
        "exported": result.verification is not None and result.verification.passed,
        "met": trained >= RIGHT * facts
        and (len(right) == facts or other >= OTHER_WORDS * facts)
        and (kept or bool(warning)),
    }


if __name__ == "__main__":
    sys.exit(main())
