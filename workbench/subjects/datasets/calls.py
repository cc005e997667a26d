"""Values and calls of subjects."""

from __future__ import annotations

from typing import Annotated, Literal

from workbench.api.protocol import Call
from workbench.base.fields import about
from workbench.records.training import DataReport, DataSetList, TrainingConfig
from workbench.subjects.runs.calls import RunRecord


class InspectData(Call[DataReport], frozen=True, kw_only=True, tag="data.inspect"):
    """The content of a data set, and the examples as the config's model will see them. ``previews`` examples are
    included, beginning with number ``first``. The weights are not loaded."""

    config: TrainingConfig
    previews: Annotated[int, "number of examples"] = 20
    first: Annotated[int, "start with number I, from 0"] = 0


class ListDataSets(Call[DataSetList], frozen=True, kw_only=True, tag="data.list"):
    """The data sets in the home folder."""

    changed_by = ("data",)


class BuildData(Call[RunRecord], frozen=True, kw_only=True, tag="data.build"):
    """Start a run that builds a data set in the home folder. ``source``:

    ``chats``: answers that were rated as good, edited or chosen, of ``chats`` (ids; (): of all). ``pairs``: the model
    ``model`` makes question-answer pairs from the documents of ``collection``; pairs that are not grounded in their
    passage are left out. At most ``limit`` passages (0: all), ``questions`` pairs each. ``text``: the raw text of the
    documents of ``collection``.

    Streams each pair as ``Artifact(kind="pair")``; the result is a ``DataSet``.
    """

    name: str
    source: Annotated[
        Literal["chats", "pairs", "text"],
        "answers rated as good, edited or chosen; question-answer pairs that a model makes from documents, checked; or "
        "the documents' raw text",
    ]
    chats: Annotated[tuple[str, ...], "only these chats"] = ()
    collection: Annotated[str, "the documents, for pairs and text"] = ""
    model: Annotated[str, "the model that makes pairs"] = ""
    questions: Annotated[int, about(ge=1), "pairs per passage"] = 2
    limit: Annotated[int, "maximum number of passages; 0: all"] = 0


class RemoveDataSet(Call[DataSetList], frozen=True, kw_only=True, tag="data.remove"):
    """Delete a data set of the home folder."""

    name: str
