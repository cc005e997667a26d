"""The questions that are made from people's own documents, printed for checking by hand.

    python benchmarks/document_questions.py --offices joinery,forwarder --made MADE --home HOME

``--offices`` and ``--made`` are those of ``office_answers.py``. ``--limit`` questions are made of each office with
``--seed``; ``--out`` keeps them as lines of JSON.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from harness import DATA, Core, arguments, write_lines
from office_answers import places, read_office

from workbench.records.evaluation import QuestionSet
from workbench.subjects.evaluation.calls import ListQuestions, QuestionsFromDocuments


def main() -> None:
    parser = arguments(
        __doc__, "home", "made", "out", data=DATA, offices="joinery,sportsclub,forwarder", limit=30, seed=0,
    )  # fmt: skip
    chosen = parser.parse_args()
    rows = []
    with Core(chosen.home) as core:
        for office in chosen.offices.split(","):
            documents, _ = places(office, chosen.data, chosen.made or Path())
            read_office(core, office, documents, anew=False)
            run = core.call(QuestionsFromDocuments(collection=office, limit=chosen.limit, seed=chosen.seed))
            made = msgspec.convert(core.follow(run), QuestionSet)
            questions = core.call(ListQuestions(question_set=made.id, limit=chosen.limit)).questions
            for number, item in enumerate(questions, 1):
                row = item.question
                answer = " + ".join(group[0] for group in row.need) or " ".join(row.expected)
                print(f"{office} {number} [{', '.join(row.sources)}]\n  {row.text}")
                print(f"  = {answer or 'NOT ANSWERABLE'}")
                print(*(f"  < {text}" for text in row.evidence), sep="\n")
                rows.append({"office": office, **msgspec.to_builtins(row)})
    if chosen.out:
        write_lines(chosen.out, rows)


if __name__ == "__main__":
    main()
