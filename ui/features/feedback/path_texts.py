"""The words of the path from preferences to a better model."""

from __future__ import annotations

PATH = "Path to a better model"
TITLE = "From preferences to a better model"
HELP = (
    "This is reinforcement learning from human feedback (RLHF), step by step. You compare pairs of answers; a reward "
    "model learns from them what you prefer; PPO or GRPO trains the model to get more of that reward; and a blind test "
    "shows whether you prefer its answers."
)
SHORTER = (
    "DPO learns from the same pairs in one training, without a reward model. It is the first to try: see *What can be "
    "learnt*."
)
STEPS = "Steps of the path"
STATES = {"done": "Done", "next": "Next", "working": "In progress", "locked": "Not yet"}
TITLES = {
    "pairs": "Compare pairs of answers",
    "reward": "Train a reward model",
    "policy": "Train with PPO or GRPO",
    "test": "Test it blind",
}
HELPS = {
    "pairs": "Two answers to one question stand side by side without names, and you choose the better one.",
    "reward": "The reward model gives each answer a number, so that the answers which you preferred get more than the "
    "others.",
    "policy": "The model answers questions, the reward model scores the answers, and answers with more reward become "
    "more probable. PPO learns a value of each token and takes one answer to a question; GRPO compares several answers "
    "to the same question.",
    "test": "Base model and trained model answer questions that nothing was trained on, and you choose without "
    "knowing which is whose.",
}
RATE, TRAIN_REWARD, TRAIN_POLICY = "Compare answers", "Set up the reward model", "Set up {title}"
BEGIN_TEST, SHOW_TESTS, SHOW_ADAPTER, SHOW_RUN = (
    "Begin a blind test",
    "Show the blind tests",
    "Show the reward model",
    "Show the training",
)
PAIRS_RATED, PAIRS_WAIT = "{pairs} can be learnt from.", "{pairs} wait to be compared."
PAIRS_NEEDED = "A reward model needs at least {least} pairs, and an effect is seldom seen below {good}."
MORE_PAIRS = "It needs {pairs}."
REWARD_NEEDED = "It needs a reward model."
POLICY_NEEDED = "It needs a model that was trained with PPO or GRPO."
TEST_NEEDS = "Take questions of which none was trained on."
TAKES, TOOK, LEFT = "It takes about {time}.", "It took {time}.", "About {time} are left."
PLAN_SAYS = "The page of trainings says how long it takes before it starts."
NAMED = "The reward model is “{name}”."
MEANING = "A reward has no unit: one answer with 1 more than another is preferred with a probability of {share:.0%}."
POLICY_MADE = "{title} has made “{name}”."
POLICY_REWARD = "{title} has made “{name}”: the mean reward on {examples} went from {before:.2f} to {after:.2f}."
RATE_OF = "“{name}” is preferred to its base model in {share:.0%} of {n:,} pairs ({low:.0%} to {high:.0%})."
TEST_WAITS = "{pairs} wait to be compared."
QUEUED = "“{title}” waits until another run has ended."
PAUSED = "“{title}” is paused. You can resume it on its page."
RUNNING = "“{title}” is running ({stage}, {share})."
UNKNOWN_SHARE = "its length is not known yet"
STOPPED = "“{title}” has stopped and can be resumed on its page."
MAKING_SET = "The set of preferences is being made…"
SET_NAME = "Preferences {date}"
