"""Makes the parts of the library of prompts and joins them."""

from __future__ import annotations

from workbench.core.foundation import Foundation
from workbench.subjects.prompts.service import AnswerSource, Demonstrations, Prompts
from workbench.subjects.prompts.store import DemonstrationStore, PromptStore
from workbench.subjects.subject import Subject


def wire(base: Foundation, answers: AnswerSource) -> tuple[Prompts, DemonstrationStore, Subject]:
    prompts = Prompts(PromptStore(base.database), base.changes)
    demonstrations = DemonstrationStore(base.home.demonstrations)
    library = Demonstrations(demonstrations, answers, base.changes)
    return prompts, demonstrations, Subject(handlers={**prompts.handlers(), **library.handlers()})
