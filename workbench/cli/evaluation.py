"""``workbench eval`` compares recipes on a question set; ``workbench evaluations`` shows what was measured."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal

import msgspec

from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.base.fields import find_field, parse_text
from workbench.base.paths import Home
from workbench.cli.arguments import Commands, absolute, add_repeated, method_lines, one_sentence
from workbench.cli.call_arguments import add_call, add_fields, add_removal, call_of
from workbench.cli.models import default_model
from workbench.cli.names import complete
from workbench.cli.output import Number, TextOutput, listing, one_line, when
from workbench.cli.questions import SETS
from workbench.cli.recipes import with_prompt
from workbench.cli.runs import run_to_end
from workbench.cli.session import Events, Session
from workbench.methods import METHODS
from workbench.records.evaluation import CellBrief, CellDetails, EvaluationReport, GridRow, ScorerUse
from workbench.records.methods import Kind, Method
from workbench.records.optimisation import OptimisationResult
from workbench.records.prompts import split_version
from workbench.records.recipes import ModelPart, PromptingPart, Recipe, load_recipe
from workbench.records.recipes.sweep import sweep
from workbench.subjects.evaluation.calls import (
    AddScorers,
    Evaluate,
    ExportEvaluation,
    GetCell,
    GetEvaluation,
    ListEvaluations,
    ListGrid,
    Optimise,
    RateCell,
    RemoveEvaluation,
)
from workbench.subjects.models.calls import ListModels
from workbench.subjects.prompts.calls import ListPrompts

RATINGS: dict[str, Literal[-1, 0, 1]] = {"good": 1, "bad": -1, "none": 0}
ID = {"id": "evaluation"}
_BAR = 24
_LONGEST = 40


def add_commands(commands: Commands) -> None:
    evaluating = commands.command(
        "eval",
        "answer a question set with recipes, and compare them",
        evaluate,
        show_report,
        names=SETS,
        epilog="Ctrl+C stops; `workbench runs resume RUN` makes the missing answers.",
    )
    add_repeated(
        evaluating, "--recipe", "R", "a recipe file, a recipe of the home folder, a prompt NAME[@VERSION] for the "
        "default model, or a model; once for each", "recipes", required=True,
    )  # fmt: skip
    varied = "several values of a field of each recipe, such as decoding.temperature=0,0.7; once for each field"
    add_repeated(evaluating, "--vary", "PART.FIELD=VALUE,...", varied, "varied")
    _add_scorer_options(evaluating)
    add_fields(evaluating, Evaluate, ("recipes",), question_set="SET")
    group = commands.group("evaluations", "show, extend and export what was measured with `workbench eval`")
    add_call(group, "list", "list evaluations, the latest first", ListEvaluations, show_list)
    showing, whole = "show the means with their intervals, and the comparisons", {"evaluation": "evaluation"}
    add_call(group, "show", showing, GetEvaluation, show_report, names=whole, evaluation="ID")
    add_call(
        group, "rows", "show the answers of each recipe to each question", ListGrid, show_rows, do=list_rows,
        names=whole, evaluation="ID", first="--first I", limit="--limit N 20",
    )  # fmt: skip
    one_cell = "show the answer of a recipe to a question, with its scores and sources"
    group.command("cell", one_cell, get_cell, show_cell, "ID", "NUMBER", "RECIPE", names=ID)
    rate_one = "rate an answer, to compare scorers with"
    rating = group.command("rate", rate_one, rate, show_cell, "ID", "NUMBER", "RECIPE", names=ID)
    rating.add_argument("rating", metavar="RATING", choices=tuple(RATINGS), help="good, bad or none")
    scoring = group.command("score", "score the answers by further scorers", score, show_report, "ID", names=ID)
    _add_scorer_options(scoring)
    searching = group.command(
        "optimise",
        "search for a better prompt on the tuning part, and measure it on the other questions",
        optimise,
        show_optimisation,
        names=SETS,
        epilog="Ctrl+C stops; `workbench runs resume RUN` continues the search.",
    )
    searching.add_argument("--recipe", metavar="R", required=True, help="the recipe to begin with, a prompt or a model")
    searching.add_argument(
        "--method", metavar="M[:FIELD=VALUE,...]", required=True, help="an optimiser, with settings (--list-methods)"
    )
    searching.add_argument(
        "--list-methods", action=_ListMethods, const="optimiser", nargs=0, default=argparse.SUPPRESS,
        help="list the optimisers",
    )  # fmt: skip
    searching.add_argument("--writer", metavar="R", default="", help="recipe or model that writes or makes examples")
    add_fields(searching, Optimise, ("recipe", "method"), question_set="SET")
    _add_scorer_options(searching)
    exported = one_sentence(lambda result: f"The evaluation is in {result['path']}.")
    export = group.command("export", "write a table, JSON Lines, or a report", export_one, exported, "ID", names=ID)
    export.add_argument(
        "--output",
        metavar="FILE",
        required=True,
        help="the answers as .html, .csv or .jsonl, or the scores as .scores.csv, .md or .tex",
    )
    add_removal(group, "delete an evaluation", RemoveEvaluation, "ID")


def _add_scorer_options(parser: argparse.ArgumentParser) -> None:
    help = "a scorer, with settings (--list-scorers); once for each"
    add_repeated(parser, "--scorer", "S[:FIELD=VALUE,...]", help, "scorers")
    parser.add_argument("--judge", metavar="R", default="", help="the recipe of the scorers that judge")
    parser.add_argument(
        "--list-scorers",
        action=_ListMethods,
        const="scorer",
        nargs=0,
        default=argparse.SUPPRESS,
        help="list the scorers",
    )


class _ListMethods(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        kind: Kind = self.const
        print("\n".join(method_lines(METHODS.of(kind), kind.upper())).strip("\n"), flush=True)
        parser.exit(0)


def evaluate(session: Session, arguments: argparse.Namespace) -> Events[EvaluationReport]:
    recipes = list[Recipe]()
    for text in arguments.recipes:
        recipes += sweep((yield from recipe_named(session, text)), arguments.varied, METHODS)
    scorers = yield from _scorers(session, arguments)
    call = call_of(Evaluate, arguments, recipes=tuple(recipes), scorers=scorers)
    done = yield from run_to_end(session, call, "Stopping; finished answers are kept.")
    return (yield from session.call(GetEvaluation(evaluation=done["evaluation"])))


def optimise(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    recipe = yield from recipe_named(session, arguments.recipe)
    writer = (yield from recipe_named(session, arguments.writer)) if arguments.writer else None
    scorers = yield from _scorers(session, arguments)
    if len(scorers) > 1:
        arguments.parser.error("a search compares by one scorer")
    method, options = _settings(arguments.method, "optimiser")
    call = call_of(
        Optimise, arguments, recipe=recipe, method=method.name, options=options, writer=writer,
        scorer=scorers[0] if scorers else None,
    )  # fmt: skip
    return (yield from run_to_end(session, call, "Stopping; finished answers are kept."))


def score(session: Session, arguments: argparse.Namespace) -> Events[EvaluationReport]:
    scorers = yield from _scorers(session, arguments)
    done = yield from run_to_end(session, AddScorers(evaluation=arguments.id, scorers=scorers))
    return (yield from session.call(GetEvaluation(evaluation=done["evaluation"])))


def list_rows(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    report = yield from session.call(GetEvaluation(evaluation=arguments.evaluation))
    page = yield from session.call(call_of(ListGrid, arguments))
    names = [column.name for column in report.evaluation.columns]
    return {"recipes": names, "scorers": [one.title for one in report.results], **msgspec.to_builtins(page)}


def get_cell(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    report = yield from session.call(GetEvaluation(evaluation=arguments.id))
    names = [column.name for column in report.evaluation.columns]
    name = complete(arguments.recipe, names, "recipe")
    if name not in names:
        raise UserError(f"The evaluation has no recipe {name!r}.", f"Its recipes are {', '.join(names)}.")
    place = names.index(name)
    details = yield from session.call(GetCell(evaluation=arguments.id, number=_number(arguments), column=place))
    return {"scorers": [one.title for one in report.results], "place": place, **msgspec.to_builtins(details)}


def rate(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    found = yield from get_cell(session, arguments)
    number, column = found["question"]["number"], found["place"]
    call = RateCell(evaluation=arguments.id, number=number, column=column, rating=RATINGS[arguments.rating])
    return {**found, **msgspec.to_builtins((yield from session.call(call)))}


_FORMS = {
    ".scores.csv": "scores", ".csv": "csv", ".jsonl": "jsonl", ".html": "html", ".md": "markdown", ".tex": "latex"
}  # fmt: skip


def export_one(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    name = Path(arguments.output).name.lower()
    form = next((form for ending, form in _FORMS.items() if name.endswith(ending)), None)
    if form is None:
        arguments.parser.error(f"{arguments.output} ends in none of {', '.join(_FORMS)}")
    call = ExportEvaluation(evaluation=arguments.id, path=absolute(arguments.output), form=form)  # type: ignore[arg-type]
    return {"path": (yield from session.call(call))}


def _number(arguments: argparse.Namespace) -> int:
    if not arguments.number.isdigit():
        arguments.parser.error(f"{arguments.number!r} is not the number of a question")
    return int(arguments.number)


# -- arguments -----------------------------------------------------------------------------------------


def recipe_named(session: Session, text: str) -> Events[Recipe]:
    """The recipe of a file or the home folder, of a prompt of the library for the default model, or of a model alone.
    Raises UserError."""
    kept = _kept(session.home, text)
    path = Path(text)
    if kept is not None or path.is_file():
        recipe = load_recipe(kept or path)
        name = recipe.name or path.stem
        return msgspec.structs.replace(recipe, name=name)
    prompts = [one.name for one in (yield from session.call(ListPrompts())).prompts]
    name, version = split_version(text)
    prompt = next((one for one in prompts if one.casefold() == name.casefold()), "")
    if prompt:
        model = yield from default_model(session)
        prompting = yield from with_prompt(session, PromptingPart(), f"{prompt}@{version}")
        return Recipe(name=f"{prompt}@{prompting.sources[0].version}", model=ModelPart(name=model), prompting=prompting)
    models = [model.name for model in (yield from session.call(ListModels())).models if model.kind == "chat"]
    model = complete(text, models, "model")
    if model not in models:
        known = (("prompts", prompts), ("models", models))
        raise UserError(
            f"{text!r} is no recipe file, no recipe of the home folder, no prompt of the library and no chat model.",
            " ".join(f"The {kind} are {', '.join(names)}." for kind, names in known if names) or "Add a model first.",
        )
    return Recipe(name=model, model=ModelPart(name=model))


def _kept(home: Home, name: str) -> Path | None:
    if Path(name).name != name:
        return None
    path = home.recipes / f"{name.removesuffix('.toml')}.toml"
    return path if path.is_file() else None


def _scorers(session: Session, arguments: argparse.Namespace) -> Events[tuple[ScorerUse, ...]]:
    judge = (yield from recipe_named(session, arguments.judge)) if arguments.judge else None
    uses = []
    for text in arguments.scorers:
        method, options = _settings(text, "scorer")
        recipe = judge if "judges" in method.traits else None
        uses.append(ScorerUse(name=method.name, options=options, recipe=recipe))
    return tuple(uses)


def _settings(text: str, kind: Kind) -> tuple[Method, dict[str, Any]]:
    """The method of ``NAME:FIELD=VALUE,...``, and its settings. Raises UserError."""
    name, _, settings = text.partition(":")
    method = METHODS.find(name, kind)
    options = {}
    for setting in filter(None, settings.split(",")):
        field, _, value = setting.partition("=")
        options[field] = parse_text(find_field(method.fields, field), value)
    return method, msgspec.to_builtins(options)


# -- output --------------------------------------------------------------------------------------------


def show_report(result: dict[str, Any], output: TextOutput) -> None:
    report = msgspec.convert(result, EvaluationReport)
    evaluation = report.evaluation
    output.pairs(
        [
            ("evaluation", evaluation.id),
            ("set", f"{evaluation.set_name}, {counted(evaluation.questions, 'question')}, {evaluation.part}"),
            ("answers", f"{report.answered:,} of {report.cells:,}"),
        ]
    )
    if evaluation.rescored is not None:
        output.line(evaluation.rescored.words)
    for leak in report.leaks:
        output.line(f"NOTE: {leak}")
    for one in report.results:
        output.line()
        rows = []
        most = max((c.high for c in one.columns if c is not None), default=1.0) if one.unit else 1.0
        for column, mean in zip(evaluation.columns, one.columns, strict=True):
            if mean is None:
                rows.append((column.name, "", "", "", ""))
                continue
            interval = f"{_amount(mean.low, one.unit)} to {_amount(mean.high, one.unit)}"
            bar = "#" * round(_BAR * mean.value / most) if most else ""
            rows.append((column.name, _amount(mean.value, one.unit), interval, f"{mean.n:,}", bar))
        title = f"{one.title.upper()}, {one.unit}" if one.unit else f"{one.title.upper()} %"
        output.table(("RECIPE", title, "INTERVAL", "ANSWERS", ""), rows, numbers=(title, "ANSWERS"))
        for sentence in (*one.sentences, *filter(None, (one.agreement,))):
            output.line(sentence)
    output.line()
    costs = []
    for column, cost in zip(evaluation.columns, report.costs, strict=True):
        means = (f"{cost.prompt_tokens:,.0f}", f"{cost.new_tokens:,.0f}", f"{cost.seconds:,.2f}")
        costs.append((column.name, *means, cost.failed, cost.declined, cost.looped))
    headers = ("PER ANSWER", "PROMPT TOKENS", "NEW TOKENS", "SECONDS", "FAILED", "DECLINED", "LOOPS")
    output.table(headers, costs, numbers=headers[1:])


def show_optimisation(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert(result, OptimisationResult)
    before, after = _amount(found.before, ""), _amount(found.after, "")
    tuned = f"{before} % before, {after} % after, {counted(found.questions, 'question')}"
    output.pairs(
        [
            ("search", found.evaluation),
            ("candidates", f"{found.candidates:,}, with {counted(found.asked, 'answer')}"),
            ("tuning part", tuned),
            ("other questions", found.sentence),
            ("evaluation", found.held_out),
            ("prompt", ", ".join(f"{one.name}, version {one.version}" for one in found.recipe.prompting.sources)),
            ("recipe", found.path),
        ]
    )
    if found.ended:
        output.line(found.ended)
    if not found.candidate:
        output.line("No candidate was better on the tuning part; the recipe stays as it is.")
    elif found.recipe.prompting.instructions:
        output.line()
        output.line(found.recipe.prompting.instructions)


show_list = listing(
    "evaluations",
    "There are no evaluations yet. `workbench eval SET --recipe A --recipe B` makes one.",
    {
        "ID": "id",
        "SET": "set_name",
        "QUESTIONS": Number("questions"),
        "BEGAN": when("created"),
        "RECIPES": lambda one: ", ".join(column["name"] for column in one["columns"]),
    },
)


def show_rows(result: dict[str, Any], output: TextOutput) -> None:
    rows = [
        (row.number, one_line(row.question)[:_LONGEST], one_line(row.expected)[:_LONGEST], *map(_brief, row.cells))
        for row in msgspec.convert(result["rows"], list[GridRow])
    ]
    output.table(("NO", "QUESTION", "EXPECTED", *result["recipes"]), rows, numbers=("NO",))
    output.line(f"{len(rows):,} of {counted(result['total'], 'row')}; scores: {', '.join(result['scorers'])}")


def _brief(cell: CellBrief) -> str:
    scores = "/".join("-" if value is None else f"{value:.2f}".removesuffix(".00") for value in cell.scores)
    return f"{one_line(cell.text)[:_LONGEST]} ({scores})" if cell.state != "missing" else ""


def show_cell(result: dict[str, Any], output: TextOutput) -> None:
    details = msgspec.convert(result, CellDetails)
    question, answer = details.question.question, details.answer
    output.line(question.conversation()[-1].content)
    output.line()
    if answer is None:
        output.line("There is no answer yet.")
        return
    output.line(answer.error or answer.text)
    output.line()
    scored = zip(result["scorers"], details.scores, strict=True)
    scores = [(title, f"{_amount(one.value, '')} {one.note}") for title, one in scored if one.value is not None]
    output.pairs(
        [
            ("expected", question.gold),
            ("outcome", " ".join(((answer.outcome or "").replace("_", " "), *(one.text for one in answer.reasons)))),
            *scores,
            ("tokens", f"{answer.usage.prompt_tokens:,} read, {answer.usage.new_tokens:,} written"),
            ("rating", {1: "good", -1: "bad"}.get(details.rating, "")),
            ("sources", ", ".join(f"[{c.n}] {Path(c.path).name}" for c in answer.citations)),
        ]
    )


def _amount(value: float, unit: str) -> str:
    return f"{value:,.1f}" if unit else f"{100 * value:.1f}"
