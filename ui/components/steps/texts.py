"""The words of the steps of an answer: the timeline of an agent, the tree of thoughts, the outline of any technique."""

from __future__ import annotations

from workbench.base.catalogue import _

# arguments of a call
MARKED_ALOUD = _(" [from untrusted text: {text}] ")
NO_ARGUMENTS = _("No arguments")
NOT_JSON = _("{name} is not valid JSON: {error}.")

# timeline
TIMELINE = _("Timeline")
TIMELINE_NAME = _("Timeline of the agent: up and down move, Space unfolds a result, F2 edits a step")
THOUGHT_STEP, ANSWER_STEP, TOOL_CALL = _("Thought"), _("Answer"), _("Tool call")
STEP_WAITS = _("Waits for you")
EDIT_THIS_STEP = _("Edit this step and go on from there (F2)")
EDIT_CALL, EDIT_RESULT = _("Edit the arguments…"), _("Write the result yourself…")
SHOW_REST, SHOW_LESS = _("Show all {count:,} characters"), _("Show less")
REPLAY, STOP_REPLAY, REPLAY_HELP = _("Replay"), _("Stop replay"), _("Show the steps one after the other, as they came")
NO_CALLS = _("No tool calls")

# trace view
COLUMN_STEP, COLUMN_SCORE, COLUMN_TIME, COLUMN_TOKENS = _("Step"), _("Score"), _("Time"), _("Tokens")
STEP_RUNNING, STEP_FAILED, STEP_STOPPED = _("Running…"), _("Failed"), _("Stopped")
STEPS_OF_ANSWER = _("Steps of the answer")
TREE, OUTLINE = _("Tree"), _("Outline")
THOUGHT_TREE = _("Tree of thoughts: use the arrow keys to move, the menu key for what can be done")
THE_QUESTION = _("The question")
SEARCHING_THOUGHTS = _("searching…")
THOUGHT_STATES = {
    "running": _("being judged…"), "open": "", "solved": _("solved"), "dead end": _("dead end"), "pruned": _("pruned"),
    "stopped": _("stopped"),
}  # fmt: skip
EXPANDED, CHANGED = _("expanded by you"), _("edited by you")
ON_BEST_PATH = _("on the best path")
COUNT_THOUGHTS = _("{count:,} thoughts, {dead:,} given up")
EXPAND, PRUNE, EDIT_STEP = _("Expand"), _("Prune"), _("Edit…")
STEP_ACTIONS_HELP = {
    "expand": _("Think on from here, in another answer beside this one (Insert)"),
    "prune": _("Give up this thought and what follows it, and go on, in another answer beside this one (Delete)"),
    "edit": _("Change the text and go on from there, in another answer beside this one (F2)"),
}
SAVE_DEMONSTRATION, REMOVE_DEMONSTRATION = _("Save as demonstration"), _("Remove demonstration")
SAVE_DEMONSTRATION_HELP = _(
    "Programs for similar questions are written after this one as an example. Correct its steps first where they are "
    "wrong."
)
REMOVE_DEMONSTRATION_HELP = _("This program is an example for similar questions. Remove it from your task library.")
GO_ON = _("Go on from here")
THOUGHT_TEXT = _("Text of the thought")
EDIT_STEP_HELP = _("Another answer goes on from your text; what followed the old one goes. This answer stays.")
SMALLER, LARGER = _("Smaller (Ctrl −)"), _("Larger (Ctrl +)")
FIT_ALL, FIT_ALL_HELP = _("Fit all"), _("Show the whole tree (Ctrl+9)")
INPUT, THINKING = _("Input"), _("Reasoning")
OUTPUT = _("Output")
PASSAGES = _("Passages")
SCORE = _("score {score:.2f}")
PROMPT_TOKENS = _("{prompt_tokens:,} prompt tokens")
NEW_TOKENS = _("{new_tokens:,} new tokens")

KINDS = {
    "agent": _("Agent"),
    "arguments": _("Arguments"),
    "check": _("Check"),
    "choose": _("Choose"),
    "critic": _("Critic"),
    "draft": _("Draft"),
    "edit": _("Edit"),
    "examples": _("Examples"),
    "extraction": _("Extraction"),
    "generation": _("Generation"),
    "line": _("Line"),
    "pages": _("Pages"),
    "plan": _("Plan"),
    "proposal": _("Proposal"),
    "reasoning": _("Reasoning"),
    "rewrite": _("Rewrite"),
    "route": _("Route"),
    "score": _("Score"),
    "search": _("Search"),
    "section": _("Section"),
    "sections": _("Sections"),
    "thought": _("Thought"),
    "tool": _("Tool"),
    "tree": _("Tree"),
    "verdict": _("Verdict"),
    "vote": _("Vote"),
}
"""Kinds of steps, which techniques name."""


def kind_name(kind: str) -> str:
    return KINDS.get(kind, kind.capitalize())
