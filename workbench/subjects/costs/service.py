"""Estimates of what work costs at endpoints, before it starts: requests, tokens, money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from workbench.backends.label_choice import MOST_TOKENS
from workbench.backends.openai_compatible import estimate_tokens
from workbench.core.streams import Handlers, unary
from workbench.records.endpoints import Endpoint
from workbench.records.judgements import Judgement, JudgementFilter
from workbench.records.recipes import DecodingPart, ModelPart, Recipe
from workbench.rewards.spec import judges_of
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.costs.calls import CostEstimate, CostEstimates, EstimateCost
from workbench.subjects.datasets.calls import BuildData
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.endpoints.store import EndpointStore
from workbench.subjects.evaluation.calls import Evaluate
from workbench.subjects.evaluation.methods import SCORERS
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.questions import draw_questions
from workbench.subjects.evaluation.scorers.rewards import models_asked
from workbench.subjects.judgements.calls import JudgePairs, MakeCandidates
from workbench.subjects.judgements.prompt_source import PromptSource
from workbench.techniques.registry import METHODS

PASSAGE_TOKENS, USUAL_PASSAGES, WORDING_TOKENS = 300, 8, 150
"""Of a passage, where a recipe leaves the number of passages open, and of a method's own words."""
USUAL_PROMPT_TOKENS = 200


class JudgementSource(Protocol):
    def each(self, which: JudgementFilter) -> Iterator[Judgement]: ...


class _Sum:
    """Requests to one endpoint."""

    def __init__(self, model: str, endpoint: Endpoint) -> None:
        self.model, self.endpoint = model, endpoint
        self.requests = self.prompt = self.new = 0


@dataclass(frozen=True, eq=False)
class Costs:
    _services: HomeServices
    _questions: QuestionStore
    _judgements: JudgementSource
    _registry: CollectionRegistry
    _store: EndpointStore
    _prompts: PromptSource

    def handlers(self) -> Handlers:
        return {EstimateCost: unary(self.estimate)}

    def estimate(self, call: EstimateCost) -> CostEstimates:
        sums: dict[str, _Sum] = {}
        for recipe, requests, prompt, new in self._asked(call.of):
            model = self._services.resolve(recipe).model
            if model.endpoint is None or not requests:
                continue
            total = sums.setdefault(model.name, _Sum(model.name, model.endpoint))
            total.requests += requests
            total.prompt += requests * prompt
            total.new += requests * new
        return CostEstimates(estimates=tuple(map(self._estimate, sums.values())))

    def _estimate(self, total: _Sum) -> CostEstimate:
        endpoint, spent = total.endpoint, self._store.use_of(total.model).cost
        return CostEstimate(
            model=total.model,
            host=endpoint.host,
            requests=total.requests,
            prompt_tokens=total.prompt,
            new_tokens=total.new,
            cost=endpoint.cost(total.prompt, total.new),
            priced=bool(endpoint.price_in or endpoint.price_out),
            left=max(0.0, endpoint.budget - spent) if endpoint.budget else None,
        )

    def _asked(
        self, call: Evaluate | JudgePairs | MakeCandidates | BuildData
    ) -> Iterator[tuple[Recipe, int, int, int]]:
        """Recipes with how often they are asked, and the tokens of a prompt and of an answer."""
        match call:
            case Evaluate():
                yield from self._of_evaluation(call)
            case JudgePairs():
                yield from self._of_judging(call)
            case MakeCandidates():
                yield from self._of_candidates(call)
            case BuildData() if call.source == "pairs":
                collection = self._registry.get(call.collection)
                passages = min(collection.chunks, call.limit) if call.limit else collection.chunks
                recipe = Recipe(model=ModelPart(name=call.model))
                prompt = PASSAGE_TOKENS + WORDING_TOKENS
                yield recipe, 2 * passages * call.questions, prompt, DecodingPart().max_tokens

    def _of_evaluation(self, call: Evaluate) -> Iterator[tuple[Recipe, int, int, int]]:
        found = self._questions.get(call.question_set)
        questions = list(self._questions.questions(found, call.part))
        if call.limit:
            questions = draw_questions(questions, call.limit, call.seed)
        count = len(questions)
        texts = sum(estimate_tokens(m.content) for one in questions for m in one.question.messages)
        asked = texts // count + 1 if count else 0
        for recipe in call.recipes:
            yield recipe, count, asked + _added_tokens(recipe), _answer_tokens(recipe)
        answer = max((recipe.decoding.max_tokens for recipe in call.recipes), default=0)
        for use in call.scorers:
            method = SCORERS.find(use.name, "scorer")
            _, named = models_asked(method.decode(use.options), METHODS)
            judges = [self._services.recipe(name) if name else Recipe() for name in named]
            compares = "compares" in method.traits
            columns = len(call.recipes) - 1 if compares else len(call.recipes)
            if use.recipe is not None or "judges" in method.traits:
                judges.append(use.recipe or Recipe())
            for judge in judges:
                prompt = asked + (2 if compares else 1) * answer + WORDING_TOKENS
                yield judge, count * columns * (2 if compares else 1), prompt, MOST_TOKENS

    def _of_judging(self, call: JudgePairs) -> Iterator[tuple[Recipe, int, int, int]]:
        waiting = JudgementFilter(queue=call.queue, verdicts=("",), kind="pairs")
        pairs = list(self._judgements.each(waiting)) if call.queue else []
        recipes = [call.recipe] if call.recipe is not None else []
        if call.rewards:
            names = judges_of(call.rewards, METHODS)
            recipes = [self._services.recipe(name) if name else Recipe() for name in names]
        else:
            known = (one for one in self._judgements.each(call.measured_on) if one.judge == "person" and one.is_pair)
            pairs += [one for one in known if one.verdict in ("a", "b")][: max(0, call.limit)]
        texts = sum(estimate_tokens(text) for pair in pairs for text in _texts_of(pair))
        prompt = texts // len(pairs) + WORDING_TOKENS if pairs else 0
        for recipe in recipes:
            yield recipe, 2 * len(pairs), prompt, MOST_TOKENS  # both orders, or both answers

    def _of_candidates(self, call: MakeCandidates) -> Iterator[tuple[Recipe, int, int, int]]:
        count = self._prompts.count(call)
        if call.prompts == "documents":
            asking = Recipe(model=ModelPart(name=call.recipes[0].model.name))
            yield asking, count, PASSAGE_TOKENS + WORDING_TOKENS, DecodingPart().max_tokens
        each = 2 if len(call.recipes) == 1 else 1
        for recipe in call.recipes:
            yield recipe, count, USUAL_PROMPT_TOKENS + _added_tokens(recipe), each * _answer_tokens(recipe)


def _texts_of(pair: Judgement) -> Iterator[str]:
    yield from (message.content for message in pair.prompt)
    yield from (answer.text for answer in pair.answers)


def _added_tokens(recipe: Recipe) -> int:
    """Instructions and passages."""
    added = estimate_tokens(recipe.prompting.instructions)
    part = recipe.retrieval
    if part is not None:
        added += part.token_budget or (part.passages or USUAL_PASSAGES) * PASSAGE_TOKENS
    return added


def _answer_tokens(recipe: Recipe) -> int:
    """Of all answers that are drawn for one."""
    candidates = recipe.prompting.options.get("candidates", 1)
    drawn = candidates if isinstance(candidates, int) else 1
    return recipe.decoding.max_tokens * max(recipe.decoding.n, drawn, 1)
