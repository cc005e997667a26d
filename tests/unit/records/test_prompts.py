"""What a version of a prompt holds, its hash, names and numbers, and whether a recipe is still made from it."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest

from workbench.base.errors import UserError
from workbench.records.prompts import (
    FIELDS,
    PromptRecord,
    PromptVersion,
    check_content,
    checked_tags,
    content_hash,
    content_of,
    described,
    find_version,
    found_prompts,
    free_name,
    prompt_name,
    source_of,
    split_version,
    with_true_sources,
    with_version,
)
from workbench.records.recipes import PromptingPart, PromptSource

LETTER = PromptingPart(
    instructions="Write {{tone}} letters.", variables=("tone=kind",), technique="refine", options={"rounds": 2}
)


def version(number: int, text: str) -> PromptVersion:
    content = PromptingPart(instructions=text)
    return PromptVersion(number=number, hash=content_hash(content, "prompt"), created=1.0, content=content)


def record(name: str, text: str = "Be brief.", *tags: str) -> PromptRecord:
    return PromptRecord(id=name, name=name, kind="prompt", created=1.0, head=version(1, text), tags=tags)


def test_every_field_of_the_part_is_of_one_kind() -> None:
    held = [name for names in FIELDS.values() for name in names]
    assert sorted([*held, "sources"]) == sorted(PromptingPart.__struct_fields__)


def test_a_version_holds_the_fields_of_its_kind_only() -> None:
    prompt, reasoning = content_of(LETTER, "prompt"), content_of(LETTER, "reasoning")
    assert prompt == PromptingPart(instructions=LETTER.instructions, variables=LETTER.variables)
    assert reasoning == PromptingPart(technique="refine", options={"rounds": 2})


def test_a_hash_never_changes() -> None:
    """Stored answers and exported files name versions by it."""
    prompt = b'["prompt",{"instructions":"Write {{tone}} letters.","variables":["tone=kind"]}]'
    assert content_hash(LETTER, "prompt") == sha256(prompt).hexdigest()
    reasoning = b'["reasoning",{"options":{"rounds":2},"technique":"refine"}]'
    assert content_hash(LETTER, "reasoning") == sha256(reasoning).hexdigest()


def test_a_hash_is_of_what_the_kind_holds_whatever_the_order_of_options() -> None:
    other = msgspec.structs.replace(LETTER, technique="direct", options={})
    assert content_hash(other, "prompt") == content_hash(LETTER, "prompt")
    assert content_hash(other, "reasoning") != content_hash(LETTER, "reasoning")
    one, two = (PromptingPart(options=options) for options in ({"a": 1, "b": [2]}, {"b": [2], "a": 1}))
    assert content_hash(one, "reasoning") == content_hash(two, "reasoning")
    assert content_hash(PromptingPart(), "prompt") != content_hash(PromptingPart(), "reasoning")


def test_a_recipe_is_made_from_a_version_until_its_fields_are_edited() -> None:
    entry = record("Letter", "Write letters.")
    made = with_version(LETTER, entry.head.content, source_of(entry, entry.head))
    assert (made.instructions, made.variables, made.technique) == ("Write letters.", (), "refine")
    assert made.sources == (PromptSource(kind="prompt", name="Letter", version=1, hash=entry.head.hash),)
    other = msgspec.structs.replace(made, technique="direct", options={})
    assert with_true_sources(other) == other
    edited = msgspec.structs.replace(made, output="One page.")
    assert with_true_sources(edited) == msgspec.structs.replace(edited, sources=())


def test_a_prompt_and_a_preset_are_used_together_and_another_replaces_its_kind() -> None:
    preset = PromptSource(kind="reasoning", name="Refine", version=3, hash=content_hash(LETTER, "reasoning"))
    first, second = record("A", "a"), record("B", "b")
    part = with_version(PromptingPart(), content_of(LETTER, "reasoning"), preset)
    for entry in (first, second):
        part = with_version(part, entry.head.content, source_of(entry, entry.head))
    assert [(one.kind, one.name) for one in part.sources] == [("reasoning", "Refine"), ("prompt", "B")]
    assert with_true_sources(part) == part


def test_versions_are_found_by_number_and_by_the_beginning_of_their_hash() -> None:
    versions = [version(3, "one"), version(2, "two"), version(1, "one")]
    assert find_version("x", versions, "").number == 3
    assert find_version("x", versions, "1").number == 1
    assert find_version("x", versions, versions[1].hash[:8].upper()).number == 2
    assert find_version("x", versions, versions[2].hash).number == 3  # the same content
    for wrong in ("4", "0", versions[1].hash[:5], "nothing", "-1", "²"):
        with pytest.raises(UserError, match="no version"):
            find_version("x", versions, wrong)


def test_a_beginning_that_several_hashes_have_is_refused() -> None:
    several = [msgspec.structs.replace(version(n, str(n)), hash=f"abcdef{n}") for n in (2, 1)]
    with pytest.raises(UserError, match="Give more digits"):
        find_version("x", several, "abcdef")


def test_a_name_and_its_version_are_split_at_the_sign() -> None:
    assert split_version("My letter@3") == ("My letter", "3")
    assert split_version("My letter") == ("My letter", "")


@pytest.mark.parametrize("name", ["", "  ", "a@b", "x" * 81, "a\x1b[2J"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="not a valid name"):
        prompt_name(name)


def test_tags_are_trimmed_and_each_is_once() -> None:
    assert checked_tags([" legal ", "Legal", "", "long  text"]) == ("Legal", "long text")
    for wrong in (["a,b"], ["x" * 41], [str(n) for n in range(21)]):
        with pytest.raises(UserError):
            checked_tags(wrong)


def test_a_taken_name_gets_the_next_number() -> None:
    assert free_name("Letter", ["other"]) == "Letter"
    assert free_name("Letter", ["letter", "Letter 2"]) == "Letter 3"
    assert free_name("Letter 2", ["Letter 2"]) == "Letter 3"
    assert free_name("x" * 80, ["x" * 80]) == "x" * 78 + " 2"


def test_a_content_is_described_by_the_titles_of_its_fields() -> None:
    assert described(LETTER, "prompt") == {"Instructions": "Write {{tone}} letters.", "Variables": "tone=kind"}
    assert described(LETTER, "reasoning") == {"Technique": "refine", "Options": "Rounds: 2"}
    assert described(PromptingPart(), "reasoning") == {"Technique": "direct"}


def test_entries_are_found_by_their_words_and_tags() -> None:
    entries = [record("Letter", "Write kindly.", "Office"), record("Summary", "Be brief.")]
    assert [one.name for one in found_prompts(entries, "KIND letter")] == ["Letter"]
    assert [one.name for one in found_prompts(entries, tag="office")] == ["Letter"]
    assert found_prompts(entries, "brief", "office") == ()
    assert found_prompts(entries) == tuple(entries)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (PromptingPart(), "empty"),
        (PromptingPart(variables=("tone",)), "name=value"),
        (PromptingPart(instructions="x" * 1_100_000), "too long"),
    ],
)
def test_what_cannot_be_used_is_not_saved(content: PromptingPart, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        check_content(content, "prompt")
