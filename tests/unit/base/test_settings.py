"""Settings and the descriptions that forms and flags are made from."""

from __future__ import annotations

import errno
import tomllib
from pathlib import Path

import msgspec
import pytest

from workbench.base.errors import UserError
from workbench.base.fields import fields_of, parse_value
from workbench.base.settings import SECTIONS, EngineSettings, General, Settings, load_settings, save_settings
from workbench.records.recipes import PARTS


def test_settings_survive_their_file_and_only_changes_are_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(path, {"general": {"theme": "dark"}, "engine": {"threads": 3, "context_tokens": 0}})
    assert load_settings(path) == Settings(general=General(theme="dark"), engine=EngineSettings(threads=3))
    assert "context_tokens" not in path.read_text()
    save_settings(path, {"engine": {"threads": 0}})
    assert load_settings(path) == Settings(general=General(theme="dark"))
    assert path.read_text() == 'format = 2\n\n[general]\ntheme = "dark"\n'
    assert [p.name for p in tmp_path.iterdir()] == ["settings.toml"]


def test_a_switch_that_is_gone_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[general]\noffline = false\ntheme = 'dark'\n")
    assert load_settings(path) == Settings(general=General(theme="dark"))
    save_settings(path, {"engine": {"threads": 2}})
    assert "offline" not in path.read_text()


def test_offline_that_somebody_wrote_by_hand_holds(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[general]\noffline = true\n")
    assert load_settings(path) == Settings(general=General(offline=True))
    save_settings(path, {"engine": {"threads": 2}})
    assert load_settings(path).general.offline


@pytest.mark.parametrize(
    "text",
    [
        "offline = true",
        "[general]\noffline = 'true'",
        "[general]\nOffline = true",
        "[Network]\noffline = true",
        "general = true",
        "format = 2\n[general]\nofline = true",
    ],
)
def test_in_doubt_nothing_uses_the_network(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"{text}\n[network]\nhub = true\n")
    settings = load_settings(path)
    assert settings.general.offline
    assert any("nothing uses the network" in problem for problem in settings.problems)


@pytest.mark.parametrize("text", ["[general]\ntheme = 'blue'", "[engine]\nthreads = -3", "[server]\nports = 1"])
def test_a_mistake_that_has_nothing_to_do_with_the_network_closes_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"format = 2\n{text}\n[network]\nhub = true\n")
    settings = load_settings(path)
    assert settings.network.hub
    assert not settings.general.offline
    assert len(settings.problems) == 1


def test_a_mistyped_address_of_a_hub_asks_no_hub(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("format = 2\n[network]\nhub = true\nupdates = true\nhub_address = 'htps://mirror.example'\n")
    settings = load_settings(path)
    assert (settings.network.hub, settings.network.updates, settings.general.offline) == (False, True, False)
    assert "no hub is asked" in settings.problems[0]


def test_a_full_disk_leaves_no_unfinished_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    save_settings(path, {"general": {"theme": "dark"}})

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match="No space left"):
        save_settings(path, {"general": {"theme": "light"}})
    assert [one.name for one in tmp_path.iterdir()] == ["settings.toml"]
    assert load_settings(path).general.theme == "dark"


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml") == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [("[engine", "settings.toml"), ("\xff\xfe", "settings.toml"), ("format = 3\n[general]\n", "newer version")],
)
def test_a_file_that_cannot_be_read_is_said_not_to_be_and_stays(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(text.encode("latin-1"))
    settings = load_settings(path)
    [problem] = settings.problems
    assert said in problem
    assert "nothing uses the network" in problem
    assert msgspec.structs.replace(settings, problems=()) == Settings(general=General(offline=True))
    with pytest.raises(UserError):
        save_settings(path, {"general": {"theme": "dark"}})
    assert path.read_bytes() == text.encode("latin-1")


def test_settings_that_are_unknown_or_not_valid_are_said_and_stay_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        "volume = 11\n[general]\ntheme = 'dark'\nsounds = true\n"
        "[engine]\nthreads = -3\nkv_type = 'q2'\n[agents]\nmost_turns = 9\n"
    )
    settings = load_settings(path)
    assert msgspec.structs.replace(settings, problems=()) == Settings(general=General(theme="dark", offline=True))
    named = ("volume", "general.sounds", "engine.threads", "engine.kv_type", "agents.most_turns")
    assert len(settings.problems) == len(named)
    for name, problem in zip(named, settings.problems, strict=True):
        assert name in problem
    save_settings(path, {"engine": {"threads": 2}, "general": {"theme": "system"}})
    now = tomllib.loads(path.read_text())
    assert now == {
        "format": 2,
        "volume": 11,
        "general": {"sounds": True},
        "engine": {"threads": 2, "kv_type": "q2"},
        "agents": {"most_turns": 9},
    }
    assert load_settings(path).engine == EngineSettings(threads=2)


@pytest.mark.parametrize("config", [*SECTIONS.values(), *PARTS.values()], ids=lambda c: c.__name__)
def test_every_field_a_person_sees_explains_itself_and_its_default_is_valid(config: type[msgspec.Struct]) -> None:
    described = fields_of(config)
    assert described
    for field in described:
        assert field.title
        assert field.help.endswith("."), field.name
        if field.minimum is not None:
            assert field.default >= field.minimum
        if field.maximum is not None:
            assert field.default <= field.maximum
        if field.kind == "choice":
            assert field.default in field.choices


def test_a_value_is_parsed_by_its_field() -> None:
    assert parse_value(EngineSettings, "threads", "4") == 4
    assert parse_value(EngineSettings, "deterministic", "off") is False
    assert parse_value(EngineSettings, "kv_type", "q8_0") == "q8_0"
    assert parse_value(PARTS["decoding"], "stop", "END") == ("END",)
    assert parse_value(PARTS["decoding"], "stop", "a\\nb") == ("a", "b")


def test_a_wrong_value_names_the_field_and_its_range() -> None:
    with pytest.raises(UserError) as caught:
        parse_value(EngineSettings, "threads", "1000")
    assert "threads" in caught.value.message
    assert "0 to 256" in caught.value.hint
    with pytest.raises(UserError, match="f16, f32, q8_0"):
        parse_value(EngineSettings, "kv_type", "q2")


def test_the_shares_of_gpus_are_numbers_with_commas() -> None:
    assert EngineSettings().gpu_shares == ()
    assert EngineSettings(tensor_split=parse_value(EngineSettings, "tensor_split", "3, 1.5")).gpu_shares == (3.0, 1.5)
    for text in ("3;1", "-1,2", "3,,1", "much"):
        with pytest.raises(UserError):
            parse_value(EngineSettings, "tensor_split", text)
