"""Objectives that learn from rewards of sampled answers: their prompts, what they measure, and their experience."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from workbench.base.errors import UserError
from workbench.records.judgement_reports import Advice, JudgementFacts
from workbench.records.methods import Methods
from workbench.records.training import (
    ChartSpec,
    ColumnRole,
    MemoryPart,
    MetricSpec,
    Scores,
    ScoresPair,
    SideReport,
    TrainingConfig,
)
from workbench.rewards import values
from workbench.rewards.methods import METHODS as REWARDS
from workbench.rewards.spec import reward_models_of, weighted_sum
from workbench.training.data.examples import Example
from workbench.training.data.packed_tokens import WrittenExamples
from workbench.training.data.preparation import LoadedSet, TrainingSet
from workbench.training.data.prompt_writer import PromptWriter
from workbench.training.data.tokenization import ExampleWriter
from workbench.training.experience.metrics import CHARTS, METRICS
from workbench.training.experience.options import PolicyOptions
from workbench.training.experience.sizes import reward_model_memory, rollout_memory, unpacked_bytes, unpacked_memory
from workbench.training.objectives.objective import Objective
from workbench.training.sequences import Question, TokenSequence, TokenSequences
from workbench.training.trl_trainer import TrlTrainer

if TYPE_CHECKING:
    from workbench.training.defaults import Facts
    from workbench.training.experience.collection import Asked, Collector
    from workbench.training.experience.policy_loss import PolicyLoss, StepTensors
    from workbench.training.losses import ComputeLoss
    from workbench.training.methods.weights_method import WeightsMethod
    from workbench.training.model_shape import ModelShape
    from workbench.training.sets import Writing
    from workbench.training.training_context import TrainingContext

ANSWERS_PER_STEP = 16
UPPER_SHARE = 3
"""The last third of the layers is adapted: what lies below is computed once for all passes of a step."""
_WITHOUT_GRADIENT, _UPDATE, _SAMPLED = 0.8, 0.6, 2
"""What the passes of a row cost, and a token that is sampled, against one that is trained. A pass without gradient
takes a third of one with it: a step of the starter, 16 rows of 100 tokens, took 10 to 12 s of a processor, where LoRA
on all layers takes 7.7 ms a token."""
QUANTISED_BYTES = 1.5
"""Per weight: a file that takes less has weights that are worth unpacking to 16 bits."""
FORGOTTEN = 1.1
MOST_HELD_OUT = 32
FEWEST_PROMPTS = 10
FEWEST_HELD_OUT, MOST_HELD_SHARE = 8, 0.25
"""Prompts hold no facts that would be missed, and the reward of a single answer says little."""


class Policy(Objective):
    """What the objectives share. ``valued``: they learn a value of each token. ``kl_in_loss``: the divergence is a
    term of the loss, else of the rewards."""

    charts: ClassVar[tuple[ChartSpec, ...]] = CHARTS
    roles: ClassVar[tuple[ColumnRole, ...]] = (
        ColumnRole(name="prompt", title="Prompt", several=True),
        ColumnRole(name="completion", title="Expected answer"),
        ColumnRole(name="messages", title="Messages"),
        ColumnRole(name="system", title="Instructions"),
    )
    role_sets: ClassVar[tuple[tuple[str, ...], ...]] = (("prompt",),)
    keeps_best: ClassVar[bool] = True
    parallel: ClassVar[bool] = False
    most_evaluated: ClassVar[int] = MOST_HELD_OUT
    title: ClassVar[str] = ""
    valued: ClassVar[bool] = False
    kl_in_loss: ClassVar[bool] = False
    fewest_answers: ClassVar[int] = 1
    value_weight: float = 0.0
    value_clip: float = 0.2
    options: PolicyOptions

    def __init__(self, options: PolicyOptions | None = None) -> None:
        super().__init__(options or PolicyOptions())
        self._asked: dict[tuple[int, ...], Asked] = {}
        self._expected: dict[bytes, tuple[str, ...]] = {}
        self._collector: Collector | None = None
        self._loss: PolicyLoss | None = None
        self.part_metrics = self._parts()
        self.metrics = (  # type: ignore[misc]  # the parts of the reward are the person's
            *METRICS,
            *(
                MetricSpec(name=name, title=f"Reward: {title}", chart="reward", drawn="smooth")
                for name, title in self.part_metrics.items()
            ),
        )

    def _parts(self) -> dict[str, str]:
        """The metrics of the parts of a sum, with what the sum calls them; a single reward has none."""
        try:
            parts = weighted_sum(self.options.rewards, Methods(REWARDS)).parts
        except UserError:  # the plan reports it
            return {}
        return {f"reward_{number}": part.title for number, part in enumerate(parts, 1)} if len(parts) > 1 else {}

    def advise(self, facts: JudgementFacts) -> Advice:
        """What can be learnt from judgements: their prompts are practised on, and something has to score."""
        if facts.prompts < FEWEST_PROMPTS:
            there = "is one" if facts.prompts == 1 else f"are {facts.prompts:,}"
            reason = f"It needs at least {FEWEST_PROMPTS} prompts of pairs; there {there}."
            return Advice(usable=facts.prompts, fits=False, rank=9, reason=reason)
        reason = (
            "It practises on these prompts, and needs a reward: a rule, or a reward model trained on the pairs first."
        )
        return Advice(usable=facts.prompts, fits=True, rank=6, reason=reason)

    @property
    def clip_above(self) -> float:
        return self.options.clip

    # -- the data ------------------------------------------------------------------------------------

    def loaded(self, loaded: LoadedSet) -> LoadedSet:
        """The prompts; the answers of the set are what rewards may compare with."""
        if any(not example.messages for example in loaded.examples):
            raise UserError(
                "These examples are plain texts; this objective needs prompts.",
                "Choose a set with a column of prompts.",
            )
        sides = []
        for side in (loaded.examples, loaded.evaluation):
            prompts: dict[bytes, Example] = {}
            for example in side:
                messages = example.messages
                if messages[-1].role == "assistant":
                    prompt = msgspec.structs.replace(example, messages=messages[:-1], rejected=None, desirable=None)
                    key = prompt.digest()
                    if example.desirable is not False:
                        known = self._expected.get(key, ())
                        if messages[-1].content not in known:
                            self._expected[key] = (*known, messages[-1].content)
                else:
                    prompt = example
                prompts.setdefault(prompt.digest(), prompt)
            sides.append(tuple(prompts.values()))
        return msgspec.structs.replace(loaded, examples=sides[0], evaluation=sides[1])

    def writer(self, writing: Writing, limit: int) -> ExampleWriter:
        room = max(1, limit - self.options.max_new_tokens) if limit else 0
        return PromptWriter(writing.template, writing.tokenizer, writing.renderer, max_length=room)

    def longest(self, prepared: TrainingSet, limit: int) -> int:
        return super().longest(prepared, limit) + self.options.max_new_tokens

    def sequences(self, written: WrittenExamples, limit: int) -> TokenSequences:
        return TokenSequences(written.packed)

    def texts(self, sequence: TokenSequence) -> Sequence[TokenSequence]:
        """The prompt with the answer that the policy gave last, where it gave one."""
        answer = self._loss.held_out.get(sequence.tokens, ()) if self._loss is not None else ()
        if not answer:
            return (sequence,)
        prompt = len(sequence.tokens)
        return (TokenSequence((*sequence.tokens, *answer), (False,) * prompt + (True,) * len(answer)),)

    def questions(self, prepared: TrainingSet, writing: Writing, limit: int) -> tuple[Question, ...]:
        from workbench.training.experience.collection import Asked

        writer = self.writer(writing, limit)
        asked: list[Question] = []
        held_out = bool(prepared.evaluation)
        for evaluated, side in ((False, prepared.train_examples), (True, prepared.evaluation_examples)):
            for example in side:
                try:
                    tokens = writer.write(example).tokens
                except UserError:
                    continue  # it was refused before
                expected = self._expected.get(example.digest(), ())
                self._asked[tokens] = Asked(example.messages, expected)
                if evaluated == held_out:
                    question = example.messages[-1].content
                    asked.append(Question(prompt=tokens, question=question, expected=expected[-1] if expected else ""))
        return tuple(asked)

    def accepted(self) -> Mapping[tuple[int, ...], Sequence[str]]:
        return {tokens: asked.expected for tokens, asked in self._asked.items() if asked.expected}

    def evaluation_share(self, asked: float | None, count: int) -> float:
        asked = super().evaluation_share(asked, count)
        return max(asked, min(MOST_HELD_SHARE, FEWEST_HELD_OUT / max(1, count))) if asked else 0.0

    # -- what is recommended and planned --------------------------------------------------------------

    def recommended(self, config: TrainingConfig, facts: Facts) -> TrainingConfig:
        weights, optimiser = config.weights, config.optimiser
        if not weights.adapted_layers:
            weights = msgspec.structs.replace(weights, adapted_layers=max(1, math.ceil(facts.layers / UPPER_SHARE)))
        if not optimiser.batch_size:
            prompts = max(1, ANSWERS_PER_STEP // self.options.answers)
            optimiser = msgspec.structs.replace(optimiser, batch_size=min(prompts, max(1, facts.examples)))
        found = msgspec.structs.replace(config, weights=weights, optimiser=optimiser)
        if self.options.unpack != "auto":
            return found
        packed = facts.base_bytes.get("packed", 0)  # as the file holds a GGUF model
        gains = self.options.rollouts == "auto" and 0 < packed < QUANTISED_BYTES * facts.parameters
        return _unpacking(found, "on" if gains and config.trainer == "workbench" else "off")

    def without_optional_memory(self, resolved: TrainingConfig) -> TrainingConfig | None:
        automatic = self.options.unpack == "auto" and resolved.objective.options.get("unpack") == "on"
        return _unpacking(resolved, "off") if automatic else None

    def recommended_length(self, facts: Facts, room: int) -> int:
        return min(facts.longest + self.options.max_new_tokens, room)

    def typical_length(self, facts: Facts, max_length: int) -> int:
        return facts.median + self.options.max_new_tokens

    def passed_length(self, train: SideReport, max_length: int) -> float:
        return super().passed_length(train, max_length) + self.options.max_new_tokens

    def mean_length(self, train: SideReport, max_length: int) -> float:
        """Tokens per prompt over all passes, as many as are trained in the same time where the upper third of the
        layers is: the rows are computed once whole and once above for the reference, without gradient, and above in
        each update. A sampled token costs about two."""
        options = self.options
        rows = self.passed_length(train, max_length) * options.answers
        return (
            rows * (_WITHOUT_GRADIENT + _UPDATE * options.updates) + _SAMPLED * options.answers * options.max_new_tokens
        )

    def notes(self, data: SideReport, max_length: int) -> list[str]:
        return []

    def problem(self, method: WeightsMethod) -> tuple[str, str]:
        if method.own_weights:
            return (
                f"{self.title} compares with the model as it was before, which training its own weights changes.",
                "Choose a method that trains an adapter, such as LoRA.",
            )
        try:
            weighted_sum(self.options.rewards, Methods(REWARDS))
        except UserError as error:
            return error.message, error.hint
        if self.options.answers < self.fewest_answers:
            return (
                f"{self.title} compares the answers to a prompt with each other; there is {self.options.answers}.",
                "Sample at least two answers per prompt; four to eight are usual.",
            )
        return "", ""

    def memory(self, shape: ModelShape, config: TrainingConfig, updating: int = 0) -> tuple[MemoryPart, ...]:
        new_tokens = self.options.max_new_tokens
        asked = reward_models_of(self.options.rewards, Methods(REWARDS))
        prompt = max(1, config.data.max_length - new_tokens)
        others: tuple[MemoryPart, ...] = (reward_model_memory(shape, config.data.max_length),) if asked else ()
        if config.objective.options.get("unpack") == "on":
            others += (unpacked_memory(shape, prompt, new_tokens),)
        return others + rollout_memory(
            shape,
            prompt=prompt,
            new_tokens=new_tokens,
            answers=config.optimiser.batch_size * self.options.answers,
            frozen_layers=0 < config.weights.adapted_layers < shape.layers,
            updating=updating,
        )

    def disk_bytes(self, shape: ModelShape, config: TrainingConfig) -> int:
        """Of the unpacked copy: a file that is mapped takes its space after it was deleted."""
        return unpacked_bytes(shape) if config.objective.options.get("unpack") == "on" else 0

    def trained_share(self, train: SideReport) -> float:
        """Of a prompt with an answer, the answer."""
        prompt = train.tokens / max(1, train.examples)
        return self.options.max_new_tokens / max(1.0, prompt + self.options.max_new_tokens)

    def trl(self) -> TrlTrainer:
        """With what all trainers that sample take. The rest is added by each objective."""
        options = self.options
        return TrlTrainer(
            trainer="",
            form="prompts",
            arguments={
                "num_generations": options.answers,
                "max_completion_length": options.max_new_tokens,
                "temperature": options.temperature,
                "top_p": 1.0,
                "top_k": 0,
                "num_iterations": options.updates,
                "beta": options.beta,
                "epsilon": options.clip,
                "mask_truncated_completions": options.unfinished == "mask",
                "shuffle_dataset": False,
                "disable_dropout": True,
            },
            metrics={
                "reward": "reward",
                "completions/mean_length": "answer_tokens",
                "entropy": "entropy",
                "clip_ratio/region_mean": "clip_fraction",
            },
            answers=options.answers,
            updates=options.updates,
            penalises=options.unfinished == "penalise",
            notes=(
                "The KL weight is fixed: it is not adapted to the target, and no step is stopped by its change.",
                "An update takes the whole of a step's answers.",
            ),
            exported_notes=(
                "The last weights are saved, not the best within the bound; the evaluation prompts are not answered.",
                "vLLM is not switched on: set `use_vllm` in `settings.json` where it is installed.",
            ),
        )

    def exported(self) -> TrlTrainer:
        found = self.trl()
        rewards = weighted_sum(self.options.rewards, Methods(REWARDS)).parts
        missing = sorted({part.name for part in rewards if not hasattr(values, part.score.__name__)})
        if missing:
            raise UserError(
                f"An exported training cannot compute these rewards: {', '.join(missing)}.",
                "Export a training whose rewards are rules on the text: letters, listed words or a number.",
            )
        computed = tuple(
            {"function": part.score.__name__, "options": msgspec.to_builtins(part.options), "weight": part.weight}
            for part in rewards
        )
        return msgspec.structs.replace(found, rewards=computed)

    # -- the loss ------------------------------------------------------------------------------------

    def prepare(self, context: TrainingContext) -> None:
        from workbench.training.experience.collection import Collector
        from workbench.training.experience.policy_loss import PolicyLoss

        self._collector = Collector(context, self.options, self._asked)
        self._loss = PolicyLoss(self, context, self._collector)

    def score_answers(
        self, step: int, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], record: bool
    ) -> list[float]:
        assert self._collector is not None, "prepare comes first"
        assert self._loss is not None
        found = self._collector.score(prompts, answers)
        if record:
            self._collector.record(step, found)
            self._loss.look_at(step, found)
        return [answer.reward for answer in found]

    def close(self) -> None:
        if self._collector is not None:
            self._collector.close()

    def make_loss(self, model: Any, sample: Sequence[int], dtype: Any) -> ComputeLoss:
        assert self._loss is not None, "prepare comes first"
        return self._loss

    def training_arguments(self) -> dict[str, Any]:
        return {"adam_epsilon": 1e-5}  # Huang et al. 2024, arXiv:2403.17031

    def weights_restored(self, step: int) -> None:
        assert self._loss is not None
        self._loss.weights_restored(step)

    def selected_by(self, scores: Scores) -> float | None:
        assert self._loss is not None
        return scores.loss if self._loss.in_bounds(scores.metrics.get("kl", math.inf)) else None

    def final_notes(self, scores: ScoresPair, forgetting: ScoresPair) -> Sequence[str]:
        before, after = forgetting.before, forgetting.after
        if before is None or after is None or after.loss <= FORGOTTEN * before.loss:
            return ()
        return (
            f"A hint of reward hacking: the loss on general texts rose from {before.loss:.2f} to {after.loss:.2f}.",
        )

    def advantages(self, step: StepTensors) -> tuple[Any, Any]:
        """The advantage of each token, (answers, longest), and its return, or zeros where no value is learnt."""
        raise NotImplementedError

    def token_weights(self, step: StepTensors) -> Any:
        """By how much each token's loss counts; here the mean over all tokens of the step."""
        return step.counted / step.counted.sum().clamp(min=1)


def _unpacking(config: TrainingConfig, unpack: str) -> TrainingConfig:
    options = {**config.objective.options, "unpack": unpack}
    return msgspec.structs.replace(config, objective=msgspec.structs.replace(config.objective, options=options))


def of_tokens(per_answer: Any, step: StepTensors) -> Any:
    """A number per answer as that of each of its tokens."""
    return per_answer[:, None] * step.mask
