"""The words of comparisons in the chat."""

SIDE_BY_SIDE = "Two answers side by side"
BASE, TUNED = "Base", "Tuned"
KEEP_ANSWER_OF = "Keep the answer of {title}"
KEEP = "Continue with this"

# while the names are hidden
SIDES = ("Answer A", "Answer B")
NAMED_SIDE = "{side} · {title}"
EDIT_SIDE, EDIT_SIDE_HELP = "Edit", "Write what the answer should have been; that is better than both"
EDIT_SIDE_NAME = "Edit {side}"
EDITOR, EDITOR_HELP = "What the answer should have been", "It is learnt from as the better one of the two."
SAVE = "Save"
WAITS_FOR_OTHER = "Waiting until the other answer begins"
BOTH_GENERATED = "Both answers are being generated. Choose once they are complete."
ONE_FAILED = "One of the answers could not be generated, so there is nothing to choose."
SAME = "Both answers are the same, word for word."

# afterwards
CHOSEN_LEFT, CHOSEN_RIGHT = "You chose A: {title}.", "You chose B: {title}."
CHOSEN_TIE = "You said: equally good. A is {left}, B is {right}."
CHOSEN_BAD = "You said: both are bad. A is {left}, B is {right}."
CHOSEN_EDIT = "You wrote what the answer should have been. A is {left}, B is {right}."
NOT_BLIND = "A is {left}, B is {right}. It is not counted, since the names were shown first."
FIRST_DRAW, SECOND_DRAW = "First answer", "Second answer"

# the buttons of an answer
COMPARE = "Compare"
BESIDE_BUTTON = "Side by side"
BESIDE_HELP = "Show both answers side by side, or only the selected one"
COMPARE_RECIPE_HELP = "Ask the same question with the recipe as it is now, and show both answers side by side"
COMPARE_ANSWER_HELP = "Ask the base model the same question and show both answers side by side"
COMPARE_AGAIN_HELP = "Ask the same question once more, and choose the better answer"

# what to compare with
WITH_NOTHING = "Do not compare"
WITH_BASE = "The base model"
WITH_PANEL = "The recipe at the right"
WITH_AGAIN = "The same recipe once more"
WITH_MODEL = "Another model"
WITH_SAVED = "A saved recipe"
WITH_EDITED, EDITED = "Another recipe…", "Edited recipe"
WITH_FILE = "A recipe file…"
OPEN_RECIPE, FILTER_RECIPES = "Open a recipe", "Recipes (*.toml)"

# composer and recipe
CHIP_OFF = "Compare"
CHIP_ON = "Compare with: {title}"
