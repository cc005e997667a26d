"""The words of comparisons in the chat."""

from __future__ import annotations

from workbench.base.catalogue import _

SIDE_BY_SIDE = _("Two answers side by side")
BASE, TUNED = _("Base"), _("Tuned")
KEEP_ANSWER_OF = _("Keep the answer of {title}")
SIDE_FAILED = _("failed")
KEEP = _("Continue with this")

# while the names are hidden
SIDES = (_("Answer A"), _("Answer B"))
NAMED_SIDE = "{side} · {title}"
EDIT_SIDE, EDIT_SIDE_HELP = _("Edit"), _("Write what the answer should have been; that is better than both")
EDIT_SIDE_NAME = _("Edit {side}")
EDITOR, EDITOR_HELP = _("What the answer should have been"), _("It is learnt from as the better one of the two.")
SAVE = _("Save")
WAITS_FOR_OTHER = _("Waiting until the other answer begins")
BOTH_GENERATED = _("Both answers are being generated. Choose once they are complete.")
ONE_FAILED = _("One of the answers could not be generated, so there is nothing to choose.")
SAME = _("Both answers are the same, word for word.")

# afterwards
CHOSEN_LEFT, CHOSEN_RIGHT = _("You chose A: {title}."), _("You chose B: {title}.")
CHOSEN_TIE = _("You said: equally good. A is {left}, B is {right}.")
CHOSEN_BAD = _("You said: both are bad. A is {left}, B is {right}.")
CHOSEN_EDIT = _("You wrote what the answer should have been. A is {left}, B is {right}.")
NOT_BLIND = _("A is {left}, B is {right}. It is not counted, since the names were shown first.")
FIRST_DRAW, SECOND_DRAW = _("First answer"), _("Second answer")

# the buttons of an answer
COMPARE = _("Compare")
BESIDE_BUTTON = _("Side by side")
BESIDE_HELP = _("Show both answers side by side, or only the selected one")
ONE_ANSWER, ONE_ANSWER_HELP = _("One answer"), _("Show only the selected answer again")
COMPARE_WITH = _("Compare with")
INCOMPARABLE = _("Only complete answers to questions that you asked can be compared.")
COMPARE_RECIPE_HELP = _("Ask the same question with the recipe as it is now, and show both answers side by side")
COMPARE_ANSWER_HELP = _("Ask the base model the same question and show both answers side by side")
COMPARE_AGAIN_HELP = _("Ask the same question once more, and choose the better answer")

# what to compare with
WITH_NOTHING = _("Do not compare")
WITH_BASE = _("The base model")
WITH_PANEL = _("The recipe at the right")
WITH_AGAIN = _("The same recipe once more")
WITH_MODEL = _("Another model")
WITH_SAVED = _("A saved recipe")
WITH_EDITED, EDITED = _("Another recipe…"), _("Edited recipe")
WITH_FILE = _("A recipe file…")
OPEN_RECIPE, FILTER_RECIPES = _("Open a recipe"), _("Recipes (*.toml)")

# composer and recipe
CHIP_OFF = _("Compare")
CHIP_ON = _("Compare with: {title}")
