"""Parts of a recipe: the model with its adapters, the instructions and the prompting technique, the documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from workbench.base.fields import about
from workbench.records.outcomes import Road


class AdapterUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A LoRA adapter that is put on the model: the name of one in the home's ``adapters`` folder, or the path of a
    GGUF LoRA file. ``scale`` 0 is the base model. ``sha256`` is filled in when the recipe is resolved."""

    name: str
    scale: Annotated[float, Meta(ge=-10, le=10)] = 1.0
    sha256: str = ""


class ModelPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model answers. ``sha256`` and ``engine`` are filled in when the recipe is resolved."""

    name: Annotated[str, about("Model"), "This model answers."] = ""
    context_tokens: Annotated[
        int,
        about("Context", ge=0, unit="tokens", auto="the settings decide"),
        "The model sees at most this number of tokens at once.",
    ] = 0
    adapters: tuple[AdapterUse, ...] = ()
    sha256: str = ""
    engine: str = ""


DEFAULT_TECHNIQUE = "direct"
COMPLETION_TECHNIQUE = "plain-completion"
"""The technique that knows no chat template, of benchmarks."""


Thinking = Literal["automatic", "on", "off"]


ExampleChoice = Literal["all", "fixed", "similar", "diverse"]
ExampleOrder = Literal["nearest-last", "nearest-first", "as-listed"]


PromptKind = Literal["prompt", "reasoning"]
"""The kinds of the library: prompts (the four parts, variables, examples) and reasoning presets (technique,
options)."""


class PromptSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The version of the library's prompt ``name`` that a prompting part was made from. ``hash`` is that of the
    version's content, so that it tells whether the part was changed since (``records/prompts.py``)."""

    kind: PromptKind
    name: str
    version: int
    hash: str


class PromptingPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text that the model reads beside the conversation, in four parts (instructions, context, input, output), and
    how it is asked. ``prompt_parts`` joins them.

    ``{{name}}`` in a part is one of the ``variables``, or ``question``. The examples are questions of a question set
    with their expected answers. ``technique`` names a method of the registry; ``options`` are fields of that method's
    own configuration. ``sources`` are the versions of the library that it was made from; in the recipe of an answer
    only those that made it.
    """

    instructions: Annotated[
        str, about("Instructions", multiline=True), "The model reads the instructions before every conversation."
    ] = ""
    context: Annotated[
        str,
        about("Context", multiline=True, advanced=True),
        "This background stands after the instructions, before every question.",
    ] = ""
    input: Annotated[
        str,
        about("Input", multiline=True, advanced=True),
        "The question is put in this text, in the place of {{question}}; without that place, the question follows the "
        "text. Without a text, it is put as it is.",
    ] = ""
    output: Annotated[
        str,
        about("Output", multiline=True, advanced=True),
        "This text describes the form of the answer and follows each question.",
    ] = ""
    variables: Annotated[
        tuple[str, ...],
        about("Variables", multiline=True, advanced=True),
        "Each line is a name and its value, as in tone=formal. {{tone}} in a text of the prompt is then replaced "
        "by formal.",
    ] = ()
    examples: Annotated[
        str,
        about("Examples", advanced=True),
        "The questions of the tuning part of this question set are shown to the model with their answers.",
    ] = ""
    example_choice: Annotated[
        ExampleChoice,
        about("Selection of examples", advanced=True, when="examples"),
        "The prompt shows all examples, fixed ones, those most similar to the question, or similar ones that differ "
        "from one another.",
    ] = "similar"
    example_count: Annotated[
        int,
        about("Number of examples", ge=1, le=64, advanced=True, when="example_choice=similar|diverse|fixed"),
        "The prompt shows at most this number of examples.",
    ] = 4
    example_rows: Annotated[
        tuple[str, ...],
        about("Fixed examples", separator=",", advanced=True, when="example_choice=fixed"),
        "These questions are shown as examples. Without a selection, the first ones of the set are.",
    ] = ()
    example_order: Annotated[
        ExampleOrder,
        about("Order of examples", advanced=True, when="examples"),
        "The model is influenced most by the last example.",
    ] = "nearest-last"
    technique: Annotated[
        str, about("Technique"), "The technique decides how the question is asked: once, or in several steps."
    ] = DEFAULT_TECHNIQUE
    options: dict[str, Any] = {}
    thinking: Annotated[
        Thinking, about("Thinking"), "The model thinks before it answers, where its chat template has a switch for it."
    ] = "automatic"
    sources: tuple[PromptSource, ...] = ()


QuoteLength = Literal["sentence", "span"]
PagePictures = Literal["scans", "pages", "off"]
Mode = Literal["automatic", "own-words", "quoted", "quoted-first"]


class RetrievalPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The collections for an answer, and how much of them the model sees. ``attachments`` is the id of the collection
    of the files attached to the chat, filled in when a question is asked; ``revision`` when the recipe is resolved: the
    sum over all."""

    collection: Annotated[str, about("Documents"), "The answer comes from the documents of this collection."] = ""
    more: Annotated[tuple[str, ...], about("Further documents"), "These collections are searched as well."] = ()
    files: Annotated[
        tuple[str, ...],
        about("Files", multiline=True),
        "Only these files of the documents are searched; each line is the path of one. Without a path, all files are "
        "searched.",
    ] = ()
    attachments: str = ""
    passages: Annotated[
        int,
        about("Passages", ge=0, le=50, auto="the size of the model decides, since many passages confuse a small model"),
        ("The model reads this number of passages."),
    ] = 0
    token_budget: Annotated[
        int,
        about("Passage budget", ge=0, unit="tokens", auto="they fill at most half of it"),
        "The passages fill at most this many tokens of what the model reads at once, its context. A token is about "
        "three quarters of a word.",
    ] = 0
    decline: Annotated[
        bool, about("Abstain"), "The answer says so when the documents do not hold it, instead of guessing."
    ] = True
    mode: Annotated[
        Mode,
        about("Kind of answer"),
        (
            "The answer is in the model's own words, or consists of sentences quoted from the passages. Automatic "
            "quotes for a small model."
        ),
    ] = "automatic"
    road: Annotated[
        Literal["automatic", Road],
        about("Route"),
        "The question is answered from one place of the documents, from several, from whole documents, by a query of "
        "a table, from other collections, or from the conversation alone. Automatic chooses by the question.",
    ] = "automatic"
    rerank: Annotated[
        bool,
        about("Rerank"),
        "The first hits of a search are put into a better order: the question is moved towards the best ones, and "
        "searched with once more.",
    ] = True
    quote_length: Annotated[
        QuoteLength,
        about("Quote length", when="mode=automatic|quoted|quoted-first"),
        "The answer quotes whole sentences, or the shortest words of them that answer, which the model chooses.",
    ] = "sentence"
    pictures: Annotated[
        PagePictures,
        about("Pictures of pages", when="mode=automatic|own-words|quoted-first"),
        "A model that sees images gets the picture of a passage's page beside its text: of scans and photos, of all "
        "PDF pages, or of none. The pictures within documents are shown unless none are. At most two "
        "pictures are shown.",
    ] = "scans"
    revision: int = 0
