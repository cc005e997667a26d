"""The words of the path from preferences to a better model."""

from __future__ import annotations

from workbench.base.catalogue import _

PATH = _("Path to a better model")
TITLE = _("From preferences to a better model")
HELP = _(
    "This is reinforcement learning from human feedback (RLHF), step by step. You compare pairs of answers; a reward "
    "model learns from them what you prefer; PPO or GRPO trains the model to get more of that reward; and a blind test "
    "shows whether you prefer its answers."
)
SHORTER = _(
    "DPO learns from the same pairs in one training, without a reward model. It is the first to try: see *What can be "
    "learnt*."
)
STEPS = _("Steps of the path")
STATES = {
    "done": _("Done"),
    "next": _("Next"),
    "working": _("In progress"),
    "ready": _("Possible now"),
    "locked": _("Not yet"),
}
TITLES = {
    "pairs": _("Compare pairs of answers"),
    "reward": _("Train a reward model"),
    "policy": _("Train with PPO or GRPO"),
    "test": _("Test it blind"),
}
HELPS = {
    "pairs": _("Two answers to one question stand side by side without names, and you choose the better one."),
    "reward": _(
        "The reward model gives each answer a number, so that the answers which you preferred get more than the others."
    ),
    "policy": _(
        "The model answers questions, the reward model scores the answers, and answers with more reward become more "
        "probable. PPO learns a value of each token and takes one answer to a question; GRPO compares several answers "
        "to the same question."
    ),
    "test": _(
        "Base model and trained model answer questions that nothing was trained on, and you choose without "
        "knowing which is whose."
    ),
}
RATE, TRAIN_REWARD, TRAIN_POLICY = _("Compare answers"), _("Set up the reward model"), _("Set up {title}")
BEGIN_TEST, SHOW_TESTS, SHOW_ADAPTER, SHOW_RUN = (
    _("Begin a blind test"),
    _("Show the blind tests"),
    _("Show the reward model"),
    _("Show the training"),
)
PAIRS_RATED, PAIRS_WAIT = _("{pairs} can be learnt from."), _("{pairs} wait to be compared.")
PAIRS_NEEDED = _("A reward model needs at least {least} pairs, and an effect is seldom seen below {good}.")
MORE_PAIRS = _("It needs {pairs}.")
REWARD_NEEDED = _("It needs a reward model.")
POLICY_NEEDED = _("It needs a model that was trained with PPO or GRPO.")
TEST_NEEDS = _("Take questions of which none was trained on.")
TAKES = _("Comparing {pairs} takes you about {time}.")
TOOK, LEFT = _("The training took {time}."), _("About {time} of the training are left.")
PLAN_SAYS = _("The page of trainings says how long it takes before it starts.")
FAILED = _("The reward model “{name}” cannot be used. {why} Train another one, with more pairs.")
NAMED = _("The reward model is “{name}”.")
MEANING = _("A reward has no unit: one answer with 1 more than another is preferred with a probability of {share:.0%}.")
POLICY_MADE = _("{title} has made “{name}”.")
POLICY_REWARD = _("{title} has made “{name}”: the mean reward on {examples} went from {before:.2f} to {after:.2f}.")
RATE_OF = _("“{name}” is preferred to its base model in {share:.0%} of {n:,} pairs ({low:.0%} to {high:.0%}).")
TEST_WAITS = _("{pairs} wait to be compared.")
QUEUED = _("“{title}” waits until another run has ended.")
PAUSED = _("“{title}” is paused. You can resume it on its page.")
RUNNING = _("“{title}” is running ({stage}, {share}).")
UNKNOWN_SHARE = _("its length is not known yet")
STOPPED = _("“{title}” has stopped and can be resumed on its page.")
MAKING_SET = _("The set of preferences is being made…")
SET_NAME = _("Preferences {date}")
