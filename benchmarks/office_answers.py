"""Questions on people's own documents, asked of the program with its defaults: how many are right, marked, declined?

    python benchmarks/office_answers.py --offices housing,dental --home HOME
    python benchmarks/office_answers.py --offices joinery,forwarder --made MADE --home HOME

``--offices`` names given offices (``--data``: ``offices/NAME/documents``) and those of benchmarks/offices, whose
documents ``benchmarks/offices/make.py`` has written to ``--made``/NAME. Each office becomes a collection of a home;
with ``--home`` it is kept, and only read again with ``--anew``. ``score.py`` of the given offices judges the answers;
all of them are written to ``--out`` with their roads, outcomes and reasons. ``--kinds`` and ``--ids`` choose questions,
``--mode`` asks for another mode than the program's choice, ``--show wrong`` prints what was not right.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import DATA, HERE, Core, arguments, read_lines, write_lines

from workbench.base.errors import UserError
from workbench.records.answers import AskResult
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.calls import AddDocuments, CreateCollection, ListCollections
from workbench.subjects.machine.calls import ChangeSettings

MADE = (
    "joinery",
    "sportsclub",
    "forwarder",
    "observatory",
    "dairy",
    "theatre",
    "softhouse",
    "archive",
    "library",
    "school",
    "vineyard",
    "solar",
    "roofers",
    "foodbank",
    "campsite",
    "film_club",
    "housing_office",
    "machine_works",
    "parish",
    "port_agent",
    "exam_office",
    "hearing_aids",
    "heritage_railway",
    "hospital_it",
    "household",
    "insurance_broker",
    "mail_order",
    "wind_farm",
    "cable_car",
    "car_dealer",
    "estate_papers",
    "rehab_clinic",
    "student_union",
    "tea_importer",
    "town_clerk",
    "water_utility",
    "airfield",
    "auction_house",
    "bus_company",
    "ice_rink",
    "patent_attorneys",
    "quarry",
    "small_zoo",
    "trade_union",
    "archaeology_firm",
    "bank_branch",
    "customs_broker",
    "harbour_master",
    "nursing_school",
    "seed_growers",
    "sports_federation",
    "window_cleaners",
    "sailing_school",
    "pension_fund",
    "plastics_moulder",
    "river_cruises",
    "mountain_rescue",
    "call_centre",
    "security_guards",
    "local_newspaper",
    "toy_maker",
    "biogas_plant",
    "psychotherapists",
    "fashion_label",
    "chocolate_factory",
    "escape_rooms",
    "electricians",
    "research_grants",
)
PLAIN = (
    "allotments",
    "architects",
    "bakery",
    "bicycles",
    "boatyard",
    "brewery",
    "butchers",
    "carehome",
    "carsharing",
    "caterer",
    "chimneysweeps",
    "choir",
    "climbing_gym",
    "coffee_roastery",
    "dance_school",
    "daycare",
    "driving",
    "event_tents",
    "ferry",
    "filmcrew",
    "firebrigade",
    "fishfarm",
    "florist",
    "funerals",
    "garage",
    "laundry",
    "lift_maintenance",
    "notary",
    "nursery",
    "optician",
    "pharmacy",
    "physio",
    "printshop",
    "publisher",
    "radio_station",
    "recording_studio",
    "recycling_yard",
    "removals",
    "riding_stable",
    "scouts",
    "tailors",
    "taxadviser",
    "tool_hire",
    "town_museum",
    "translators",
    "travel_agency",
    "tree_surgeons",
    "village_shop",
)
"""Smaller offices without tables to compute with, whose questions have one place."""
UNSEEN = (
    "optician", "driving", "printshop", "choir", "carehome", "fishfarm", "filmcrew", "nursery", "parish", "port_agent",
    "exam_office", "mail_order", "psychotherapists",
)  # fmt: skip
"""What the first look and the encoders are not fitted on, so that the second look can be."""

KEPT_APART = ("vets", "lodge", "language_school", "lab", "hospice_cafe")
"""Offices of benchmarks/offices that nothing is fitted on: asked by name, read by no script that fits."""


def scorer(data: Path) -> Any:
    """The module that judges answers, which lies beside the given offices."""
    spec = importlib.util.spec_from_file_location("score", data / "offices" / "score.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"There is no score.py in {data / 'offices'}.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def places(office: str, data: Path, made: Path) -> tuple[Path, Path]:
    """The documents of an office, and its questions."""
    if office in MADE + PLAIN + KEPT_APART:
        return made / office, HERE / "offices" / office / "questions.jsonl"
    return data / "offices" / office / "documents", data / "offices" / office / "questions.jsonl"


def as_read(id: str, result: AskResult) -> dict[str, Any]:
    """An answer as ``score.py`` reads it."""
    return {
        "id": id,
        "answer": re.sub(r"\[\d+\]", "", result.answer),
        "declined": result.outcome == "not_found",
        "marked": result.outcome == "perhaps",
        "citations": sorted({Path(citation.path).name for citation in result.citations}),
        "road": result.road,
        "reasons": [reason.text for reason in result.reasons],
        "found": [(Path(passage.path).name, passage.text) for passage in result.passages],
    }


def answers(core: Core, office: str, questions: list[dict[str, Any]], recipe: Recipe) -> Iterator[dict[str, Any]]:
    for number, question in enumerate(questions, 1):
        began = time.monotonic()
        try:
            row = as_read(question["id"], core.call(Ask(question=question["question"], recipe=recipe)))
        except UserError as error:
            row = {"id": question["id"], "answer": "", "declined": True, "error": str(error)}
        print(f"\r{office} {number} of {len(questions)}", end="", file=sys.stderr, flush=True)
        yield {**row, "seconds": round(time.monotonic() - began, 2)}
    print(file=sys.stderr)


def read_office(core: Core, office: str, documents: Path, *, anew: bool) -> None:
    known = {collection.name for collection in core.call(ListCollections()).collections}
    if office in known and not anew:
        return
    if office not in known:
        core.call(CreateCollection(name=office))
    core.follow(core.call(AddDocuments(collection=office, paths=(str(documents),), anew=anew)))


def main() -> None:
    parser = arguments(
        __doc__, "home", "made", "out", data=DATA, offices="housing,dental", kinds="", ids="", mode="automatic",
        road="automatic", show="", anew=False,
    )  # fmt: skip
    chosen = parser.parse_args()
    score = scorer(chosen.data)
    every: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []
    with Core(chosen.home) as core:
        core.call(ChangeSettings(values={"documents": {"keep_embedder": True}}))
        for office in chosen.offices.split(","):
            documents, file = places(office, chosen.data, chosen.made or Path())
            if not documents.is_dir():
                raise SystemExit(f"The documents of {office} are not in {documents}: write them with make.py.")
            read_office(core, office, documents, anew=chosen.anew)
            kinds, ids = set(filter(None, chosen.kinds.split(","))), set(filter(None, chosen.ids.split(",")))
            questions = [
                {**one, "id": f"{office}-{one['id']}"}
                for one in read_lines(file)
                if (not kinds or one["kind"] in kinds) and (not ids or one["id"] in ids)
            ]
            part = RetrievalPart(collection=office, mode=chosen.mode, road=chosen.road)
            every += answers(core, office, questions, Recipe(retrieval=part))
            asked += questions
    replies = {row["id"]: row for row in every}
    rows = score.score(asked, replies)
    print(score.report(rows))
    print("roads:", dict(Counter(row.get("road") for row in every)))
    seconds = sorted(row["seconds"] for row in every)
    print(f"seconds to the answer: median {seconds[len(seconds) // 2]}, longest {seconds[-1]}")
    if chosen.show:
        for question, row in zip(asked, rows, strict=True):
            if row["outcome"].startswith(chosen.show):
                reply = replies[question["id"]]
                golds = question.get("need") or question.get("points") or question["answers"]
                print(f"\n{question['id']} {question['kind']} {row['outcome']}: {question['question']}\n  gold {golds}")
                print(f"  said {json.dumps(reply['answer'], ensure_ascii=False)} {reply.get('reasons')}")
    if chosen.out:
        write_lines(chosen.out, every)


if __name__ == "__main__":
    main()
