"""From bytes in whatever encoding to clean characters."""

from __future__ import annotations

import codecs

import pytest

from workbench.base.errors import UserError
from workbench.reading.text import SAMPLE_BYTES, clean, decode_text

GERMAN = "Der Leuchtturm wurde über den Dächern der Stadt größer gebaut, als es nötig war.\n"
RUSSIAN = "Маяк был построен в 1837 году на берегу моря, и он стоит там до сих пор.\n"


def test_clean_leaves_line_ends_and_drops_what_no_text_holds() -> None:
    assert clean("a\r\nb\rc\nd\x00e\ud800f\ufeffg😀") == "a\nb\nc\ndefg😀"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "cp1252"])
def test_german_is_read_in(encoding: str) -> None:
    assert decode_text(GERMAN.encode(encoding)) == GERMAN


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r"])
def test_russian_is_read_in(encoding: str) -> None:
    assert decode_text(RUSSIAN.encode(encoding)) == RUSSIAN


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-16-le", "utf-16-be"])
def test_chinese_is_read_in(encoding: str) -> None:
    text = "燈塔建於海邊的一座小山上。它至今仍然在那裡。" * 3
    assert decode_text(text.encode(encoding)) == text


def test_mark_of_utf16_big_endian_goes_before_all_else() -> None:
    assert decode_text(codecs.BOM_UTF16_BE + "añ".encode("utf-16-be")) == "añ"


def test_declared_encoding_is_believed_unless_it_is_utf8() -> None:
    assert decode_text("Маяк".encode("koi8-r"), "koi8-r") == "Маяк"
    assert decode_text("Маяк".encode(), "koi8-r") == "Маяк"


def test_a_table_with_few_umlauts_is_read_with_letters_in_their_places() -> None:
    rows = (
        "Zone;Gebiet;bis 100 kg\n1;Ravensiel;38,50\n2;Hallum und Küste;44,00\n3;Inseln, über 300 kg auf Anfrage;71,00\n"
    )
    assert decode_text(rows.encode("cp1252")) == rows


def test_latin1_means_what_windows_writes() -> None:
    assert decode_text("“quoted” – €5".encode("cp1252"), "iso-8859-1") == "“quoted” – €5"


def test_unknown_or_false_declaration_does_no_harm() -> None:
    assert decode_text(GERMAN.encode("cp1252"), "no-such-encoding") == GERMAN
    assert decode_text(GERMAN.encode("cp1252"), "utf-8") == GERMAN


def test_last_character_may_be_cut() -> None:
    assert decode_text((GERMAN + "Café").encode()[:-1]) == GERMAN + "Caf\ufffd"


def test_table_with_a_euro_sign_and_few_umlauts_is_western() -> None:
    rows = "Rechnung;Standort;Betrag €;bezahlt\r\n" + "".join(
        f"25-{n};{'Süderau' if n % 3 else 'Kirkholm'};{n},{n % 90 + 10};1{n % 10}.09.2025\n" for n in range(100, 140)
    )
    assert decode_text(rows.encode("cp1252")) == rows


@pytest.mark.parametrize(
    "rows", ["Preis €;Ort\n12,50 €;Köln\n", "Menge;Preis €\n3;12,50 €\n", "Ort;€\nLübeck;5,00 €\nMünster;7,00 €\n"]
)
def test_a_small_table_with_euro_signs_is_western(rows: str) -> None:
    assert decode_text(rows.encode("cp1252")) == rows


def test_encoding_is_guessed_from_the_beginning_and_used_for_all() -> None:
    many = GERMAN * (2 * SAMPLE_BYTES // len(GERMAN))
    assert decode_text(many.encode("cp1252")) == many


def test_few_bytes_of_another_encoding_spoil_no_text() -> None:
    assert decode_text((GERMAN * 3).encode() + b"caf\xe9\n") == GERMAN * 3 + "caf\ufffd\n"


def test_few_control_characters_are_text() -> None:
    assert decode_text(b"\x1b[31mred\x1b[0m\x0c page\x01") == "\x1b[31mred\x1b[0m\x0c page\x01"


@pytest.mark.parametrize("data", [bytes(5000), b"abc\x00\x01\x02" * 50, b"\xff\xfe" + b"\x00\xd8" * 90])
def test_binary_data_is_no_text(data: bytes) -> None:
    with pytest.raises(UserError, match=r"^The file is not text"):
        decode_text(data)
