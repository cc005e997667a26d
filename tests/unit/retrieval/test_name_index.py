"""The names of a collection: stored with its documents, listed, and what connects two of them."""

from __future__ import annotations

from pathlib import Path

import apsw
import msgspec
import pytest

from tests.unit.retrieval.fakes import FakeEmbedder
from tests.unit.retrieval.test_index import entry
from workbench.base.errors import UserError
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.name_index import MOST_MENTIONS
from workbench.techniques.retrieval.name_places import find_named, find_places, list_names
from workbench.techniques.retrieval.names import find_names

EMBEDDER = FakeEmbedder()


def put(index: CollectionIndex, path: str, *pieces: str, language: str = "en") -> str:
    document = entry(path, *pieces, language=language)
    return index.put(msgspec.structs.replace(document, names=find_names(document.text, language))).id


def names(index: CollectionIndex) -> dict[str, tuple[str, int, int]]:
    return {one.name: (one.kind, one.passages, one.documents) for one in list_names(index).names}


def texts(index: CollectionIndex, name: str, other: str = "", limit: int = 200) -> list[str]:
    return [passage.text for passage in find_places(index, "c", name, other, limit).passages]


def test_names_are_listed_with_their_passages_and_documents(index: CollectionIndex) -> None:
    put(index, "/a.txt", "We asked Mrs Anna Kolbe.", "Then Anna Kolbe signed for Vautrin.")
    put(index, "/b.txt", "The oak came from Vautrin and Lamotte.")
    assert names(index) == {"Anna Kolbe": ("person", 2, 1), "Vautrin": ("name", 2, 2), "Lamotte": ("name", 1, 1)}
    assert list_names(index).names[0].name == "Vautrin"


def test_a_passage_of_a_name_is_its_place_in_the_document(index: CollectionIndex) -> None:
    document = put(index, "/a.txt", "Nothing here.", "Then Anna Kolbe signed.")
    (passage,) = find_places(index, "c", "anna kolbe", "", 10).passages
    assert (passage.document, passage.text, passage.page) == (document, "Then Anna Kolbe signed.", 2)


def test_a_word_counts_where_another_document_shows_that_it_is_a_name(index: CollectionIndex) -> None:
    put(index, "/de.txt", "Wir haben bei Lamotte bestellt.", language="de")
    assert names(index) == {}
    put(index, "/en.txt", "We order hinges at Lamotte every week.")
    assert names(index) == {"Lamotte": ("name", 2, 2)}
    index.remove([next(one.document for one in find_places(index, "c", "Lamotte", "", 9).passages if "We" in one.text)])
    assert names(index) == {}


def test_a_last_name_in_another_document_is_the_one_who_has_it(index: CollectionIndex) -> None:
    put(index, "/a.txt", "We met Bastian Krug.")
    put(index, "/b.txt", "Herr Krug kommt am Montag.", language="de")
    assert names(index) == {"Bastian Krug": ("name", 2, 2)}
    put(index, "/c.txt", "We met Dorothea Krug.")
    assert names(index).keys() == {"Bastian Krug", "Krug", "Dorothea Krug"}


def test_a_read_document_replaces_its_names_and_a_removed_one_takes_them(index: CollectionIndex) -> None:
    document = put(index, "/a.txt", "We met Anna Kolbe.")
    assert put(index, "/a.txt", "We met Bert Siewert.") == document
    assert names(index).keys() == {"Bert Siewert"}
    index.remove([document])
    assert names(index) == {}
    with apsw.Connection(str(index.path)) as connection:
        assert list(connection.execute("select count(*) from names")) == [(0,)]


def test_two_names_are_connected_by_the_passages_that_mention_both(index: CollectionIndex) -> None:
    put(index, "/a.txt", "We met Anna Kolbe.", "It was Anna Kolbe who phoned Bert Siewert.")
    put(index, "/b.txt", "They saw Bert Siewert.")
    found = find_places(index, "c", "Siewert", "Kolbe", 10)
    assert (found.name, found.other, found.joined_by) == ("Bert Siewert", "Anna Kolbe", ())
    assert [one.text for one in found.passages] == ["It was Anna Kolbe who phoned Bert Siewert."]


def test_names_that_no_passage_has_together_are_connected_by_the_shortest_chain(index: CollectionIndex) -> None:
    put(index, "/a.txt", "The hinges for Anna Kolbe come from Lamotte.")
    put(index, "/b.txt", "The slip of Lamotte names the code R25-019.")
    put(index, "/c.txt", "The code R25-019 was noted by Bert Siewert.")
    put(index, "/d.txt", "They heard of Tarnow.")
    found = find_places(index, "c", "Anna Kolbe", "Bert Siewert", 10)
    assert [Path(one.path).name for one in found.passages] == ["a.txt", "b.txt", "c.txt"]
    assert found.joined_by == ("Lamotte", "R25-019")
    nothing = find_places(index, "c", "Anna Kolbe", "Tarnow", 10)
    assert (nothing.passages, nothing.joined_by, nothing.total) == ((), (), 0)


def test_a_name_on_every_page_connects_nothing(index: CollectionIndex) -> None:
    put(index, "/a.txt", "The firm Orbis Ltd employs Anna Kolbe.", "The firm Orbis Ltd employs Bert Siewert.")
    assert find_places(index, "c", "Anna Kolbe", "Bert Siewert", 10).joined_by == ("Orbis Ltd",)
    put(index, "/b.txt", *(f"Page {n} of the firm Orbis Ltd." for n in range(MOST_MENTIONS)))
    assert find_places(index, "c", "Anna Kolbe", "Bert Siewert", 10).passages == ()


def test_at_most_so_many_passages_are_given_and_all_are_counted(index: CollectionIndex) -> None:
    put(index, "/a.txt", *(f"In {n} we met Anna Kolbe." for n in range(9)))
    found = find_places(index, "c", "Anna Kolbe", "", 4)
    assert (len(found.passages), found.total) == (4, 9)


def test_an_unknown_name_and_a_part_of_several_are_errors_that_say_so(index: CollectionIndex) -> None:
    put(index, "/a.txt", "We met Anna Kolbe and saw Anna Siewert.")
    with pytest.raises(UserError, match="No name 'Peltz'"):
        texts(index, "Peltz")
    with pytest.raises(UserError, match="'Anna' is a part of 2 names") as raised:
        texts(index, "Anna")
    assert "Anna Kolbe, Anna Siewert" in raised.value.hint
    assert texts(index, "kolbe") == ["We met Anna Kolbe and saw Anna Siewert."]


def test_a_document_that_is_only_partly_written_leaves_no_names(index: CollectionIndex) -> None:
    whole = entry("/a.txt", "We met Anna Kolbe.")
    broken = msgspec.structs.replace(whole, names=find_names(whole.text, "en"), vectors=[object()])
    with pytest.raises(AttributeError):
        index.put(broken)
    assert names(index) == {}


def test_a_file_of_before_has_no_names_and_gets_them_when_it_is_read_again(tmp_path: Path) -> None:
    index = CollectionIndex(tmp_path / "old.sqlite")
    index.record_embedder(EMBEDDER.fingerprint, EMBEDDER.dimensions)
    index.put(entry("/a.txt", "We met Anna Kolbe."))
    index.close()
    with apsw.Connection(str(tmp_path / "old.sqlite")) as connection:
        for statement in ("drop table mentions", "drop table names", "delete from applied where number = 7"):
            list(connection.execute(statement))
    again = CollectionIndex(tmp_path / "old.sqlite")
    assert list_names(again).names == ()
    put(again, "/a.txt", "We met Anna Kolbe.")
    assert names(again).keys() == {"Anna Kolbe"}
    again.close()


def test_the_names_of_a_text_lead_to_the_passages_that_mention_them(index: CollectionIndex) -> None:
    put(index, "/list.txt", "We asked Mrs Anna Kolbe.", "Then Anna Kolbe and Piet Lamotte signed for Vautrin.")
    put(index, "/oak.txt", "The oak came from Vautrin in May.", "Nobody else was there.")
    found, passages = find_named(index, "c", "Group: 1 | Head: Anna Kolbe | Oak: vautrin | Firm: Vautrin", 10)
    assert found == ("Anna Kolbe", "Vautrin")
    assert passages[0].text == "Then Anna Kolbe and Piet Lamotte signed for Vautrin."
    assert {one.text for one in passages[1:]} == {"We asked Mrs Anna Kolbe.", "The oak came from Vautrin in May."}
    assert find_named(index, "c", "nothing of that", 10) == ((), ())
    only, of_oak = find_named(index, "c", "Vautrin", 1, ["/oak.txt"])
    assert (only, [one.path for one in of_oak]) == (("Vautrin",), ["/oak.txt"])


def test_a_name_that_stands_everywhere_leads_nowhere(index: CollectionIndex) -> None:
    put(index, "/all.txt", *(f"We ask Mrs Anna Kolbe about case {n}." for n in range(MOST_MENTIONS + 1)))
    assert find_named(index, "c", "Anna Kolbe", 10) == (("Anna Kolbe",), ())


def test_each_document_of_a_name_comes_before_a_second_passage_of_any(index: CollectionIndex) -> None:
    put(index, "/a.txt", *(f"Mrs Anna Kolbe drove on day {n}." for n in range(5)))
    put(index, "/b.txt", "We met Mrs Anna Kolbe, the trainee.")
    _, passages = find_named(index, "c", "Anna Kolbe", 2)
    assert {one.path for one in passages} == {"/a.txt", "/b.txt"}
