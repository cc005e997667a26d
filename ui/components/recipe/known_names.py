"""The question sets, questions and saved recipes that a recipe can name, told to a panel."""

from __future__ import annotations

from PySide6.QtCore import QObject

from ui.bridge import Bridge
from ui.components.recipe.recipe_panel import RecipePanel
from ui.components.recipe.saved_recipes import saved_recipes
from workbench.records.recipes import Recipe
from workbench.subjects.evaluation.calls import ListQuestions, ListQuestionSets, QuestionPage, QuestionSetList

MOST_LISTED = 200


class KnownNames(QObject):
    """Tells a panel which question sets, questions and saved recipes there are."""

    def __init__(self, bridge: Bridge, panel: RecipePanel) -> None:
        super().__init__(panel)
        self._bridge, self._panel = bridge, panel
        self._recipes: list[str] = []
        self._shown = ""  # the set whose questions are listed
        panel.recipe_shown.connect(self._on_shown)
        panel.recipe_shown.connect(lambda _: self._offer_recipes())
        bridge.home.listing(ListQuestionSets()).follow(self._on_sets)
        bridge.status_changed.connect(lambda _: self._offer_recipes())
        self._offer_recipes()

    def _on_sets(self, found: QuestionSetList) -> None:
        self._panel.prompt_form.set_question_sets([one.name for one in found.sets if not one.unreadable])

    def _offer_recipes(self) -> None:
        recipes = [path.stem for path in saved_recipes(self._bridge)]
        if recipes != self._recipes:  # else a list that is being ticked stays as it is
            self._recipes = recipes
            self._panel.agent_form.set_recipes(recipes)

    def _on_shown(self, recipe: Recipe) -> None:
        """List the questions of the set once fixed ones of it are chosen."""
        prompting = recipe.prompting
        wanted = prompting.examples if prompting.example_choice == "fixed" else ""
        if wanted == self._shown:
            return
        self._shown = wanted
        self._panel.prompt_form.set_example_questions(())
        if wanted:
            call = ListQuestions(question_set=wanted, part="tune", limit=MOST_LISTED)
            self._bridge.call(call, lambda page: self._on_questions(wanted, page), lambda _: None, self)

    def _on_questions(self, wanted: str, page: QuestionPage) -> None:
        if wanted == self._shown:
            named = [
                (f"{one.number}. {' '.join(one.question.text.split())}", str(one.number)) for one in page.questions
            ]
            self._panel.prompt_form.set_example_questions(named)
