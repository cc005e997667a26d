"""``workbench hub``: finding models on the hub and downloading them."""

from __future__ import annotations

import argparse
import getpass
from typing import Any, get_args

from workbench import calls
from workbench.cli.arguments import Commands, one_call, one_sentence
from workbench.cli.models import show_fit
from workbench.cli.output import TextOutput, byte_size, count_size
from workbench.cli.runs import run_to_end
from workbench.cli.session import Events, Session
from workbench.records.hub import HubFilters, Sorting


def add_commands(commands: Commands) -> None:
    group = commands.group("hub", "models on the hub")
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
    listing = one_call(lambda a: calls.ListHubFiles(repository=a.repository, revision=a.revision))
    files = group.command("files", "list the models of a repository", listing, show_files)
    files.add_argument("repository", metavar="OWNER/NAME")
    files.add_argument("--revision", default="", help="a branch, a tag or a commit (default: the latest)")
    fitting = one_call(lambda a: calls.FitHubFile(repository=a.repository, file=a.file, revision=a.revision))
    fit = group.command("fit", "tell whether a model fits this machine, from its header", fitting, show_fit)
    fit.add_argument("repository", metavar="OWNER/NAME")
    fit.add_argument("file", metavar="FILE", help="one of its files, or a quantisation such as Q4_K_M")
    fit.add_argument("--revision", default="", help="a branch, a tag or a commit (default: the latest)")
    suggesting = one_call(lambda a: calls.SuggestModel())
    help = "suggest one larger model that fits this machine, from the program's own list"
    group.command("suggest", help, suggesting, show_suggestion)
    carding = one_call(lambda a: calls.ReadHubCard(repository=a.repository, revision=a.revision))
    card = group.command("card", "show the model card of a repository", carding, show_card)
    card.add_argument("repository", metavar="OWNER/NAME")
    card.add_argument("--revision", default="", help="a branch, a tag or a commit (default: the latest)")
    parser = group.command("download", "download a model, verify it and add it", download, ADDED)
    parser.add_argument("repository", metavar="OWNER/NAME")
    parser.add_argument("file", metavar="FILE", help="one of its files, or a quantisation such as Q4_K_M")
    parser.add_argument("--revision", default="", help="a branch, a tag or a commit (default: the latest)")
    parser.add_argument("--name", default="", help="its name in the catalogue (default: from its metadata)")
    token = group.command("token", "keep an access token in the keyring of the system", set_token, TOKEN)
    token.add_argument("--forget", action="store_true", help="forget the token")

    group.command("account", "tell whether there is an access token", one_call(lambda a: calls.GetHubAccount()), TOKEN)


def _filters(arguments: argparse.Namespace) -> HubFilters:
    return HubFilters(
        sort=arguments.sort,
        task=arguments.task,
        licence=arguments.licence,
        least_parameters=int(arguments.min * 1e9),
        most_parameters=int(arguments.max * 1e9),
        gated=False if arguments.open else None,
    )


def download(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    call = calls.DownloadModel(
        repository=arguments.repository, file=arguments.file, revision=arguments.revision, name=arguments.name
    )
    return (yield from run_to_end(session, call))


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


def show_found(result: dict[str, Any], output: TextOutput) -> None:
    if not result["models"]:
        output.line("Nothing was found.")
        return
    rows = [
        (
            one["repository"],
            count_size(one["parameters"]) if one["parameters"] else "",
            one["architecture"],
            one["licence"] or "not stated",
            "gated" if one["gated"] else "",
            f"{one['downloads']:,}",
            one["updated"],
        )
        for one in result["models"]
    ]
    titles = ("REPOSITORY", "PARAMETERS", "ARCHITECTURE", "LICENCE", "ACCESS", "DOWNLOADS", "UPDATED")
    output.table(titles, rows, numbers=("PARAMETERS", "DOWNLOADS"))


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


def show_card(result: dict[str, Any], output: TextOutput) -> None:
    output.line(result["text"] or "The repository has no model card.")
    if result["results"]:
        output.line()
        output.line("Results as its authors report them:")
        output.table(("BENCHMARK", "METRIC", "VALUE"), [tuple(one) for one in result["results"]], numbers=("VALUE",))
