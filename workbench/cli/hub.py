"""``workbench hub``: finding models on the hub and downloading them."""

from __future__ import annotations

import argparse
import getpass
from typing import Any, get_args

from workbench import calls
from workbench.cli.arguments import Commands, one_call, one_sentence
from workbench.cli.call_arguments import add_call
from workbench.cli.models import show_fit
from workbench.cli.output import Number, TextOutput, byte_size, count_size, listing
from workbench.cli.runs import ran
from workbench.cli.session import Events, Session
from workbench.records.hub import HubFilters, Sorting


def add_commands(commands: Commands) -> None:
    group = commands.group("hub", "search, check and download models of the hub")
    searching = one_call(lambda a: calls.SearchHub(words=" ".join(a.words), limit=a.limit, filters=_filters(a)))
    search = group.command("search", "find repositories with GGUF models", searching, show_found)
    search.add_argument("words", metavar="WORD", nargs="*", help="words of the name; without any, the most downloaded")
    search.add_argument("--limit", metavar="N", type=int, default=30, help="at most so many [30]")
    search.add_argument("--sort", choices=get_args(Sorting), default="downloads", help="the order [downloads]")
    search.add_argument("--task", default="", help="as the hub names it, such as text-generation")
    search.add_argument("--licence", default="", help="as the hub names it, such as apache-2.0")
    search.add_argument("--min", metavar="B", type=float, default=0.0, help="at least so many billion parameters")
    search.add_argument("--max", metavar="B", type=float, default=0.0, help="at most so many billion parameters")
    search.add_argument("--open", action="store_true", help="only repositories without terms to accept")
    add_call(group, "files", "list the models of a repository", calls.ListHubFiles, show_files, repository="OWNER/NAME")
    fitting = "tell whether a model fits this machine, from its header"
    add_call(group, "fit", fitting, calls.FitHubFile, show_fit, repository="OWNER/NAME")
    suggesting = "suggest one larger model that fits this machine, from the program's own list"
    add_call(group, "suggest", suggesting, calls.SuggestModel, show_suggestion)
    recommending = "list the models that the program recommends, and which fit this machine"
    add_call(group, "recommended", recommending, calls.ListRecommended, show_recommended)
    add_call(
        group, "card", "show the model card of a repository", calls.ReadHubCard, show_card, repository="OWNER/NAME"
    )
    loading, loaded = "download a model, verify it and add it", ran(calls.DownloadModel)
    add_call(group, "download", loading, calls.DownloadModel, ADDED, do=loaded, repository="OWNER/NAME")
    token = group.command("token", "keep an access token in the keyring of the system", set_token, TOKEN)
    token.add_argument("--forget", action="store_true", help="forget the token")

    add_call(group, "account", "tell whether there is an access token", calls.GetHubAccount, TOKEN)


def _filters(arguments: argparse.Namespace) -> HubFilters:
    return HubFilters(
        sort=arguments.sort,
        task=arguments.task,
        licence=arguments.licence,
        least_parameters=int(arguments.min * 1e9),
        most_parameters=int(arguments.max * 1e9),
        gated=False if arguments.open else None,
    )


def set_token(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    token = "" if arguments.forget else getpass.getpass("Access token: ")
    account = yield from session.call(calls.SetHubToken(token=token))
    return {"has_token": account.has_token, "kept": account.kept}


def _describe_account(result: dict[str, Any]) -> str:
    if not result["has_token"]:
        return "There is no access token."
    where = "in the keyring of the system" if result["kept"] else "for this session: the system has no keyring"
    return f"The access token is kept {where}."


ADDED = one_sentence(lambda result: f"Added {result['model']}, from {result['path']}.")
TOKEN = one_sentence(_describe_account)


show_found = listing(
    "models",
    "Nothing was found.",
    {
        "REPOSITORY": "repository",
        "PARAMETERS": Number("parameters", count_size, blank=True),
        "ARCHITECTURE": "architecture",
        "LICENCE": lambda one: one["licence"] or "not stated",
        "ACCESS": lambda one: "gated" if one["gated"] else "",
        "DOWNLOADS": Number("downloads"),
        "UPDATED": "updated",
    },
)


def show_files(result: dict[str, Any], output: TextOutput) -> None:
    output.pairs(
        [
            ("Repository", result["repository"]),
            ("Commit", result["revision"]),
            ("Licence", result["licence"] or "not stated"),
            ("Access", "gated: accept its terms on its page first" if result["gated"] else "open"),
        ]
    )
    output.line()
    rows = [(one["name"], one["quantization"], byte_size(one["bytes"]), len(one["parts"])) for one in result["files"]]
    if rows:
        output.table(("FILE", "QUANTISATION", "SIZE", "PARTS"), rows, numbers=("SIZE", "PARTS"))
    else:
        output.line("It has no GGUF model.")


def show_suggestion(result: dict[str, Any], output: TextOutput) -> None:
    output.line(f"{result['title']}, {byte_size(result['bytes'])}, licence {result['licence']}")
    show_fit(result["fit"], output)
    output.line()
    output.line(f"Download it with: workbench hub download {result['repository']} {result['file']}")


def show_recommended(result: dict[str, Any], output: TextOutput) -> None:
    how = "Download it with: workbench hub download {repository} {file}"
    for one in result["models"]:
        best = ", suits this machine best" if one["file"] == result["best"] else ""
        output.line(f"{one['title']}, {byte_size(one['bytes'])}, licence {one['licence']}{best}")
        output.line(f"  {one['purpose']} {one['languages']}; {one['context_tokens']:,} tokens of context.")
        output.line(f"  {one['problem'] or how.format(**one)}")
    output.line(f"The list was checked on {result['checked']}.")


def show_card(result: dict[str, Any], output: TextOutput) -> None:
    output.line(result["text"] or "The repository has no model card.")
    if result["results"]:
        output.line()
        output.line("Results as its authors report them:")
        output.table(("BENCHMARK", "METRIC", "VALUE"), [tuple(one) for one in result["results"]], numbers=("VALUE",))
