"""The page of the map: the pipeline of an answer with what each technique does, or did in an answer at hand, the terms
of the course at their places, and the picture of embeddings."""

from __future__ import annotations

from typing import Literal

from ui.bridge import Bridge
from ui.components.sections import SectionedPage
from ui.features import ShellActions
from ui.features.map import texts
from ui.features.map.pipeline_panel import PipelinePanel
from ui.features.map.similarity_panel import SimilarityPanel

Section = Literal["techniques", "similarity"]


class MapPage(SectionedPage):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "map", texts.MAP, "branch"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self.pipeline = PipelinePanel(bridge, shell)
        self.similarity = SimilarityPanel(bridge, shell)
        self.pipeline.similarity_wanted.connect(self._on_similarity_wanted)
        self.lay_out(
            texts.SECTIONS,
            {
                "techniques": (texts.PIPELINE, "branch", self.pipeline),
                "similarity": (texts.SIMILARITY, "documents", self.similarity),
            },
        )

    def open_target(
        self,
        section: Section = "techniques",
        chat: str = "",
        answer: str = "",
        collection: str = "",
        question: str = "",
    ) -> None:
        """Show a section; what the stages did in an answer (the ids of its chat and of the message); or a question
        among the passages of a collection. Raises KeyError for a section that there is not."""
        self.show_section("similarity" if collection else section)
        if answer:
            self.pipeline.show_answer(chat, answer)
        elif section == "techniques" and not collection:
            self.pipeline.show_plain()
        if collection:
            self.similarity.begin(collection, question)

    def _on_similarity_wanted(self, collection: str, question: str) -> None:
        self.show_section("similarity")
        self.similarity.begin(collection, question)
