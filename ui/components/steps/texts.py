"""The words of the steps of an answer: the timeline of an agent, the tree of thoughts, the outline of any technique."""

from __future__ import annotations

# arguments of a call
MARKED_ALOUD = " [from untrusted text: {text}] "
NO_ARGUMENTS = "No arguments"
NOT_JSON = "{name} is not valid JSON: {error}."

# timeline
TIMELINE = "Timeline"
TIMELINE_NAME = "Timeline of the agent: up and down move, Space unfolds a result, F2 edits a step"
THOUGHT_STEP, ANSWER_STEP, TOOL_CALL = "Thought", "Answer", "Tool call"
STEP_WAITS = "Waits for you"
EDIT_THIS_STEP = "Edit this step and go on from there (F2)"
EDIT_CALL, EDIT_RESULT = "Edit the arguments…", "Write the result yourself…"
SHOW_REST, SHOW_LESS = "Show all {count:,} characters", "Show less"
REPLAY, STOP_REPLAY, REPLAY_HELP = "Replay", "Stop replay", "Show the steps one after the other, as they came"
NO_CALLS = "No tool calls"

# trace view
COLUMN_STEP, COLUMN_SCORE, COLUMN_TIME, COLUMN_TOKENS = "Step", "Score", "Time", "Tokens"
STEP_RUNNING, STEP_FAILED, STEP_STOPPED = "Running…", "Failed", "Stopped"
STEPS_OF_ANSWER = "Steps of the answer"
TREE, OUTLINE = "Tree", "Outline"
THOUGHT_TREE = "Tree of thoughts: use the arrow keys to move, the menu key for what can be done"
THE_QUESTION = "The question"
SEARCHING_THOUGHTS = "searching…"
THOUGHT_STATES = {
    "running": "being judged…", "open": "", "solved": "solved", "dead end": "dead end", "pruned": "pruned",
    "stopped": "stopped",
}  # fmt: skip
EXPANDED, CHANGED = "expanded by you", "edited by you"
ON_BEST_PATH = "on the best path"
SHORT_TOKENS = "{count:,} tokens"
COUNT_THOUGHTS = "{count:,} thoughts, {dead:,} given up"
EXPAND, PRUNE, EDIT_STEP = "Expand", "Prune", "Edit…"
STEP_ACTIONS_HELP = {
    "expand": "Think on from here, in another answer beside this one (Insert)",
    "prune": "Give up this thought and what follows it, and go on, in another answer beside this one (Delete)",
    "edit": "Change the text and go on from there, in another answer beside this one (F2)",
}
SAVE_DEMONSTRATION, REMOVE_DEMONSTRATION = "Save as demonstration", "Remove demonstration"
SAVE_DEMONSTRATION_HELP = (
    "Programs for similar questions are written after this one as an example. Correct its steps first where they are "
    "wrong."
)
REMOVE_DEMONSTRATION_HELP = "This program is an example for similar questions. Remove it from your task library."
GO_ON = "Go on from here"
THOUGHT_TEXT = "Text of the thought"
EDIT_STEP_HELP = "Another answer goes on from your text; what followed the old one goes. This answer stays."
SMALLER, LARGER = "Smaller (Ctrl −)", "Larger (Ctrl +)"
FIT_ALL, FIT_ALL_HELP = "Fit all", "Show the whole tree (Ctrl+9)"
INPUT, THINKING = "Input", "Reasoning"
OUTPUT = "Output"
PASSAGES = "Passages"
SCORE = "score {score:.2f}"
PROMPT_TOKENS = "{prompt_tokens:,} prompt tokens"
NEW_TOKENS = "{new_tokens:,} new tokens"
