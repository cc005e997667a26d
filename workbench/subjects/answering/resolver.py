"""The services of a home for answering: its recipes resolved, its models leased, its collections opened."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.backends.backend import Backend, Loading, ModelBackend, ModelUse
from workbench.backends.openai_compatible import NAME as REMOTE
from workbench.backends.openai_compatible import OpenAICompatibleBackend
from workbench.base.errors import UserError
from workbench.core.background import Background
from workbench.core.images import ImageStore
from workbench.engine.inference_calls import LoraUse, RewardText
from workbench.gguf.adapter_files import check_adapter, resolve_adapter
from workbench.gguf.virtual_tokens import check_scale, check_single
from workbench.records import origins as provenance
from workbench.records.capabilities import Capabilities
from workbench.records.demonstrations import Demonstration
from workbench.records.documents import Collection, PagePicture
from workbench.records.evaluation import NumberedQuestion, Part, QuestionSet
from workbench.records.messages import ImagePart, Passage
from workbench.records.models import ModelRecord
from workbench.records.prompts import with_true_sources
from workbench.records.recipes import (
    LARGEST_SEED,
    AdapterUse,
    AgentPart,
    DecodingPart,
    Example,
    ModelPart,
    Recipe,
    RetrievalPart,
    decoding_of,
    load_recipe,
    normalized,
)
from workbench.rewards.reward import ProgramResult, Sample
from workbench.subjects.adapters.store import AdapterStore
from workbench.subjects.agents.tools import AgentTools, HomeTools
from workbench.subjects.answering.request import AnswerRequest, Resolved
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.joined_retriever import joined
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.endpoints.sending import How, SendingGate
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.store import ModelCatalogue, chat_model, local_model, record_checksum
from workbench.subjects.prompts.store import DemonstrationStore
from workbench.techniques.decoding.formats import matches_regex
from workbench.techniques.embedding_calls import Picture, Retriever, Similarities
from workbench.techniques.registry import METHODS
from workbench.techniques.retrieval.shown_pages import SCALE
from workbench.techniques.services import Helpers
from workbench.techniques.tools.services import PythonResult

MOST_EXAMPLES = 5_000
"""Of so many questions of a set the examples are chosen."""


@dataclass(eq=False)
class Resolver:
    """Looks up a recipe's names in the ``catalogue`` of models, the ``registry`` of collections and the folder of
    ``adapters``."""

    _catalogue: ModelCatalogue
    _registry: CollectionRegistry
    _adapters: Path
    _checksums: Checksums
    # whether an adapter is virtual tokens, by its checksum, the model's path and time of change
    _is_virtual: dict[tuple[str, str, int], bool] = field(default_factory=dict, init=False)
    _rewards: dict[tuple[str, str, int], bool] = field(default_factory=dict, init=False)  # the same: of reward models

    def resolve(self, recipe: Recipe) -> Resolved:
        """Look up what the recipe names, and draw its seed where it has none.

        Raises UserError when a name is unknown, or missing and not the only one, and when an adapter does not fit.
        """
        model = chat_model(recipe.model.name, self._catalogue)
        adapters, loras = self._adapted(recipe.model.adapters, model) if recipe.model.adapters else ((), ())
        technique = METHODS.find(recipe.prompting.technique, "technique")
        options = msgspec.to_builtins(technique.decode(recipe.prompting.options))
        agent = recipe.agent
        if agent is not None:
            method = METHODS.find(agent.method, "agent")
            agent = msgspec.structs.replace(agent, options=msgspec.to_builtins(method.decode(agent.options)))
        strategy = METHODS.find(recipe.decoding.strategy, "decoding")
        decoding, draft = normalized(decoding_of(recipe, METHODS, "question"), strategy), ""
        if decoding.speculation == "draft":
            if not decoding.draft_model:
                raise UserError(
                    "No draft model is set for speculative decoding.",
                    "Choose a draft model in the settings of decoding.",
                )
            drafting = local_model(decoding.draft_model, self._catalogue)
            decoding, draft = msgspec.structs.replace(decoding, draft_model=drafting.name), drafting.path
        if decoding.seed < 0:
            decoding = msgspec.structs.replace(decoding, seed=secrets.randbelow(LARGEST_SEED + 1))
        retrieval, collections = self.collections(recipe.retrieval)
        resolved = msgspec.structs.replace(
            recipe,
            model=msgspec.structs.replace(recipe.model, name=model.name, adapters=adapters),
            prompting=msgspec.structs.replace(with_true_sources(recipe.prompting), options=options),
            decoding=decoding,
            retrieval=retrieval,
            agent=agent,
        )
        use = ModelUse(
            context_tokens=recipe.model.context_tokens,
            adapters=loras,
            draft_path=draft,
            thinking=recipe.prompting.thinking,
        )
        if model.endpoint is None:
            return Resolved(recipe=resolved, model=model, collections=collections, use=use)
        return Resolved(recipe=resolved, model=model, collections=collections, use=use, backend=REMOTE)

    def _adapted(
        self, used: Sequence[AdapterUse], model: ModelRecord
    ) -> tuple[tuple[AdapterUse, ...], tuple[LoraUse, ...]]:
        """The adapters of a recipe with their checksums, and their files. Raises UserError where they do not fit the
        model, or each other."""
        for one in used:
            self._refuse_failed(one.name)
        if model.endpoint is not None:
            raise UserError(
                f"{model.name} cannot use adapters.", "Choose a model that runs on this machine, or remove them."
            )
        paths = [resolve_adapter(one.name, self._adapters) for one in used]
        checked = [self._checked(path, model) for path in paths]
        adapters = tuple(
            msgspec.structs.replace(one, sha256=sha256) for one, (sha256, _) in zip(used, checked, strict=True)
        )
        virtual = [one for one, (_, is_virtual) in zip(adapters, checked, strict=True) if is_virtual]
        for one in virtual:
            check_scale(one.name, one.scale)
        check_single([one.name for one in virtual if one.scale])
        return adapters, tuple(
            LoraUse(path=str(path), scale=one.scale) for path, one in zip(paths, adapters, strict=True)
        )

    def resolve_as_made(self, made: Recipe, decoding: DecodingPart, context: RequestContext) -> Resolved:
        """Resolve the recipe of a stored answer with another ``decoding``, to continue from its tokens. Its collection
        is not looked up.

        Raises UserError when the model or an adapter is missing or has changed.
        """
        plain = msgspec.structs.replace(made, decoding=decoding, retrieval=None)
        resolved = self.resolve(plain)
        if made.model.sha256 and self._checksums.compute(resolved.model.files, context) != made.model.sha256:
            raise UserError(
                f"The files of {resolved.model.name} have changed since this answer was made.",
                "Ask again with the model as it is now.",
            )
        for then, now in zip(made.model.adapters, resolved.recipe.model.adapters, strict=True):
            if then.sha256 and then.sha256 != now.sha256:
                raise UserError(
                    f"The adapter {now.name} has changed since this answer was made.",
                    "Ask again with the adapter as it is now.",
                )
        recipe = msgspec.structs.replace(resolved.recipe, retrieval=made.retrieval)
        return msgspec.structs.replace(resolved, recipe=recipe)

    def collections(self, part: RetrievalPart | None) -> tuple[RetrievalPart | None, tuple[Collection, ...]]:
        """The part with the names and the revision of its collections, and these. Attached files of which none is left
        do not count."""
        if part is None:
            return None, ()
        attached = self._registry.get(part.attachments) if part.attachments else None
        if attached is not None and not (attached.documents or attached.failed or attached.unfinished):
            attached = None
        named = list(filter(None, (part.collection, *part.more)))
        if not named and attached is None:
            if part.attachments:
                return None, ()
            raise UserError("No collection is named.", "Name the documents to answer from.")
        found = {known.id: known for known in map(self._registry.get, named)}
        first, *more = (*(known.name for known in found.values()), "") if found else ("",)
        collections = (*found.values(), *((attached,) if attached is not None else ()))
        resolved = msgspec.structs.replace(
            part,
            collection=first,
            more=tuple(filter(None, more)),
            attachments=attached.id if attached is not None else "",
            revision=sum(known.revision for known in collections),
        )
        return resolved, collections

    def all_collections(self) -> tuple[Collection, ...]:
        """Every collection of the home, without what is attached to chats."""
        return self._registry.list_collections()

    def reward_model(self, name: str, model: ModelRecord | None = None) -> tuple[LoraUse, ModelRecord]:
        """A reward model, and the model that it scores with: the given one, else that on which it was trained. Raises
        UserError where it is no reward model, or does not fit."""
        self._refuse_failed(name)
        path = resolve_adapter(name, self._adapters)
        if model is None:
            card = AdapterStore(self._adapters).find(name) if Path(name).name == name else None
            if card is None or not card.base:
                raise UserError(f"It is not known on which model the reward model {name} was trained.")
            model = chat_model(card.base, self._catalogue)
        sha256 = self._checksums.compute((str(path),))
        pair = sha256, model.path, os.stat(model.path).st_mtime_ns
        if pair not in self._rewards:
            self._rewards[pair] = check_adapter(path, Path(model.path)).kind == "reward"
        if not self._rewards[pair]:
            raise UserError(
                f"The adapter {name} is not a reward model.", "Choose one that was trained with the objective reward."
            )
        return LoraUse(path=str(path)), model

    def _refuse_failed(self, name: str) -> None:
        card = AdapterStore(self._adapters).find(name) if Path(name).name == name else None
        if card is not None and not card.usable:
            raise UserError(f"The adapter {name} cannot be used: {card.note}", "Choose another one, or train it again.")

    def _checked(self, adapter: Path, model: ModelRecord) -> tuple[str, bool]:
        """The checksum of an adapter that fits the model, and whether it is virtual tokens. Both files are read only
        once per pair: it takes a while."""
        sha256 = self._checksums.compute((str(adapter),))
        pair = sha256, model.path, os.stat(model.path).st_mtime_ns
        if pair not in self._is_virtual:
            kind = check_adapter(adapter, Path(model.path)).kind
            if kind == "reward":
                raise UserError(
                    f"{adapter.parent.name} is a reward model: it scores answers and writes none.",
                    "Remove it from the recipe's adapters; best-of-n and evaluations use it.",
                )
            self._is_virtual[pair] = kind != "lora"
        return sha256, self._is_virtual[pair]


class ExampleSource(Protocol):
    """The question sets of the home, as sources of examples."""

    def get(self, name: str, /) -> QuestionSet: ...

    def questions(self, found: QuestionSet, part: Part, /, *, limit: int) -> Iterator[NumberedQuestion]: ...


class HomeServices:
    """``answering.Services`` of a home. ``backends`` are known by the names in ``Resolved.backend``; each lends its
    models in a queue of its own."""

    def __init__(
        self,
        resolver: Resolver,
        sending: SendingGate,
        backends: Mapping[str, Backend],
        embedding: Embedding,
        catalogue: ModelCatalogue,
        checksums: Checksums,
        background: Background,
        questions: ExampleSource,
        agent_tools: AgentTools,
        recipes: Path,
        demonstrations: DemonstrationStore,
        images: ImageStore,
    ) -> None:
        self._recipes = recipes
        self._images = images
        self._sending = sending
        self._demonstrations = demonstrations
        self._agent_tools = agent_tools
        self._collections = resolver.collections
        self._all_collections = resolver.all_collections
        self.resolve = resolver.resolve
        self.resolve_as_made = resolver.resolve_as_made
        self._reward_model = resolver.reward_model
        self._backends = backends
        if isinstance(remote := backends.get(REMOTE), OpenAICompatibleBackend):
            remote.score_rewards = self.reward_scores_here
        self._embedding = embedding
        self._catalogue = catalogue
        self._checksums = checksums
        self._background = background
        self._questions = questions

    def capabilities(self, resolved: Resolved) -> Capabilities:
        has = self._backends[resolved.backend].capabilities(resolved.model)
        return has | Capabilities(context_known=resolved.use.context_tokens > 0)

    def declared(self, request: AnswerRequest, resolved: Resolved) -> Resolved:
        """The resolved recipe with the origins of all texts that its request sends. Raises SendingRefused where one of
        them may not be sent to the model's host."""
        if resolved.model.endpoint is None:
            return resolved
        origins = provenance.joined(request.origins, *(self._origins_of_examples(request.recipe)))
        how: How = "text"
        if request.task is not None:
            how = "document"
        elif any(one.role == "assistant" for one in request.conversation):
            how = "history"
        self._sending.check(resolved.model, resolved.collections, origins, resolved.recipe.retrieval, how)
        return msgspec.structs.replace(resolved, origins=origins)

    def _origins_of_examples(self, recipe: Recipe) -> Iterator[provenance.Origins]:
        if name := recipe.prompting.examples:
            yield self._questions.get(name).origins

    def origin_titles(self, origins: Sequence[str]) -> list[str]:
        """Origins in words."""
        return list(dict.fromkeys(self._sending.names(origins)))

    def lease(
        self, resolved: Resolved, context: RequestContext, *, background: bool = False
    ) -> AbstractContextManager[Loading]:
        if resolved.model.files and not self.checksum(resolved):
            record_checksum(resolved.model, self._catalogue, self._checksums, self._background)
        if resolved.model.endpoint is not None and resolved.sends:
            if resolved.origins is None:
                raise RuntimeError("an endpoint is leased for texts whose origins are not declared")
            self._sending.check(resolved.model, resolved.collections, resolved.origins, resolved.recipe.retrieval)
        use = msgspec.structs.replace(resolved.use, background=background)
        return self._backends[resolved.backend].lease(resolved.model, use, context)

    def engine(self, resolved: Resolved, context: RequestContext) -> str:
        """The engine with its version. Loads no model."""
        return self._backends[resolved.backend].build(context)

    def embedder_checksum(self, context: RequestContext) -> str:
        """The checksum of the embedding model in use; "" where there is none."""
        try:
            model = self._embedding.model(context)
        except UserError:
            return ""
        return self._checksums.compute(model.files or (model.path,), context)

    def retriever(
        self,
        collections: Sequence[Collection],
        context: RequestContext,
        files: Sequence[str] = (),
        *,
        rerank: bool = True,
    ) -> Retriever:
        self._embedding.warm_up()
        opened = [self._embedding.retriever(one, context, rerank=rerank) for one in collections]
        if not files:
            return joined(opened)
        named = [one.only(files) for one in opened if not one.collection.chat]
        found = [one for one in named if one is not None]
        if named and not found:
            names = " and ".join(one.name for one in collections if not one.chat)
            several = f"None of the {len(files)} chosen files is" if len(files) > 1 else f"{files[0]} is not"
            raise UserError(f"{several} in {names} any more.", "Choose other files, or all of them.")
        return joined([*found, *(one for one in opened if one.collection.chat)])

    def helpers(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> Helpers:
        def run_python(code: str, inputs: Mapping[str, Any]) -> PythonResult:
            return self.tools(resolved, retriever, context, chat).run_python(code, inputs, context)

        return Helpers(
            similarities=lambda texts, others: self.similarities(texts, others, context),
            demonstrations=self.demonstrations,
            examples=self.examples,
            matches=matches_regex,
            run_python=run_python,
            reward_model=lambda name: self.reward_model(name, resolved),
            other_collections=lambda: self._other_collections(resolved, context),
            page_picture=lambda passage, number: self._page_picture(passage, number, resolved, context),
        )

    @contextmanager
    def _page_picture(
        self, passage: Passage, number: int, resolved: Resolved, context: RequestContext
    ) -> Iterator[ImagePart]:
        """The page of a passage (0), or the picture with a number within its document, drawn from the file as it was
        read. Its pixels are there within the block. Raises UserError where it may not be sent to the model's host."""
        self._sending.check_pictures(resolved.model, passage.collection, within=bool(number))
        file = str(self._embedding.home_file(passage.collection))
        call = Picture(file=file, document=passage.document, page=passage.page or 1, scale=SCALE, picture=number)
        drawn: PagePicture = self._embedding.host.call(call, context=context)
        with self._images.passing(drawn.png, lambda: context.cancelled) as image:
            yield image

    def _other_collections(self, resolved: Resolved, context: RequestContext) -> list[Retriever]:
        """The collections with documents that a recipe does not search."""
        searched = {one.id for one in resolved.collections}
        return [
            self._embedding.retriever(one, context)
            for one in self._all_collections()
            if one.id not in searched and one.documents
        ]

    def examples(self, question_set: str) -> list[Example]:
        """The questions for tuning of a question set, with their answers."""
        found = self._questions.get(question_set)
        numbered = self._questions.questions(found, "tune", limit=MOST_EXAMPLES)
        return [
            Example(number=one.number, question=one.question.conversation()[-1].content, answer=answer)
            for one in numbered
            if (answer := one.question.answer) and len(one.question.messages) == 1
        ]

    def demonstrations(self) -> tuple[Demonstration, ...]:
        return self._demonstrations.list_all()

    def similarities(
        self, texts: Sequence[str], others: Sequence[str], context: RequestContext
    ) -> list[tuple[float, ...]]:
        """The cosine of every one of the texts with every one of the others: shape (len(texts), len(others))."""
        embedder = self._embedding.embedder(context)
        call = Similarities(embedder=embedder, texts=tuple(texts), others=tuple(others))
        found: tuple[tuple[float, ...], ...] = self._embedding.host.call(call, context=context)
        return list(found)

    def tools(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> HomeTools:
        part = resolved.recipe.agent or AgentPart()
        return self._agent_tools.open(part, resolved.collections, retriever, context, chat)

    def tools_for(self, part: AgentPart, retrieval: RetrievalPart | None, context: RequestContext) -> HomeTools:
        """What the tools of a recipe with these parts would use. Raises UserError for an unknown collection."""
        part_of_files, collections = self._collections(retrieval)
        files = part_of_files.files if part_of_files is not None else ()
        rerank = part_of_files is None or part_of_files.rerank
        retriever = self.retriever(collections, context, files, rerank=rerank) if collections else None
        return self._agent_tools.open(part, collections, retriever, context)

    def recipe(self, name: str) -> Recipe:
        path = self._recipes / f"{name}.toml"
        if not name or Path(name).name != name or not path.is_file():
            known = ", ".join(sorted(one.stem for one in self._recipes.glob("*.toml")))
            raise UserError(f"There is no saved recipe {name!r}.", f"Saved: {known or 'none'}.")
        return load_recipe(path)

    def reward_model(self, name: str, resolved: Resolved) -> LoraUse:
        """A reward model by its name, for the model of a recipe. Raises UserError where it does not fit that."""
        own = resolved.model if resolved.model.endpoint is None else None  # of an endpoint: what it was trained on
        return self._reward_model(name, own)[0]

    def reward_checksum(self, name: str, context: RequestContext) -> str:
        """The checksums of a reward model and of the model that it scores with. Raises UserError where it cannot
        score."""
        use, model = self._reward_model(name)
        files = self._checksums.compute(model.files or (model.path,), context)
        return f"{self._checksums.compute((use.path,), context)} {files}"

    def reward_scores(
        self, name: str, samples: Sequence[Sample], context: RequestContext, report: Callable[[Event], None]
    ) -> list[float]:
        """The scores of a reward model, computed in the background with the model that it was trained on. ``report``
        hears how that is loaded."""
        use, model = self._reward_model(name)
        texts = [
            RewardText(
                messages=one.prompt, answer=one.answer, prompt=one.prompt_tokens, answer_tokens=one.answer_tokens
            )
            for one in samples
        ]
        return self._scored(use, model, texts, context, report)

    def reward_scores_here(self, use: LoraUse, texts: Sequence[RewardText], context: RequestContext) -> list[float]:
        """The scores of another model's answers, by the model that the reward model was trained on."""
        use, model = self._reward_model(Path(use.path).parent.name)
        return self._scored(use, model, texts, context, lambda event: None)

    def _scored(
        self,
        use: LoraUse,
        model: ModelRecord,
        texts: Sequence[RewardText],
        context: RequestContext,
        report: Callable[[Event], None],
    ) -> list[float]:
        resolved = self.resolve(Recipe(model=ModelPart(name=model.name)))
        with self.lease(resolved, context, background=True) as loading:
            while True:
                try:
                    report(next(loading))
                except StopIteration as loaded:
                    ready: ModelBackend = loaded.value
                    return ready.score_rewards(use, texts, context)

    def run_program(self, code: str, context: RequestContext) -> ProgramResult:
        """Run a program in the sandbox. Raises UserError where no sandbox can run."""
        return self._agent_tools.run_program(code, context)

    def checksum(self, resolved: Resolved) -> str:
        return self._checksums.known(resolved.model.files)
