from __future__ import annotations

import apsw
import pytest

from workbench.text.language import (
    Terms,
    detect_language,
    detect_question_language,
    index_terms,
    known_languages,
    language_name,
    match_expression,
    query_terms,
    split_words,
)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "The cat that sat on the mat was not the one we had seen before."),
        ("de", "Die Katze, die auf der Matte saß, war nicht die, die wir vorher gesehen hatten."),
        ("fr", "Le chat qui était sur le tapis n'est pas celui que nous avons vu avec les autres."),
        ("es", "El gato que estaba en la alfombra no es el mismo que vimos con los otros."),
        ("it", "Il gatto che era sul tappeto non è quello che abbiamo visto con gli altri."),
        ("pt", "O gato que estava no tapete não é o mesmo que nós vimos com os outros."),
        ("nl", "De kat die op de mat zat was niet de kat die wij met de anderen hadden gezien."),
        ("sv", "Katten som satt på mattan var inte den som vi hade sett med de andra."),
        ("pl", "Kot, który był na macie, nie jest tym, którego widzieliśmy przed tym, jak się to stało."),
        ("ru", "Кошка, которая сидела на коврике, была не та, что мы видели до этого."),
        ("uk", "Кіт, який сидів на килимку, був не той, що ми бачили до того, як це було."),
        ("el", "Η γάτα κάθεται στο χαλί."),
        ("he", "החתול ישב על השטיח"),
        ("ar", "القط يجلس على البساط"),
        ("fa", "گربه‌ای که روی فرش نشسته بود این یکی نیست"),
        ("hi", "बिल्ली चटाई पर बैठी थी"),
        ("pa", "ਬਿੱਲੀ ਚਟਾਈ ਉੱਤੇ ਬੈਠੀ ਸੀ"),
        ("gu", "બિલાડી સાદડી પર બેઠી હતી"),
        ("te", "పిల్లి చాప మీద కూర్చుంది"),
        ("kn", "ಬೆಕ್ಕು ಚಾಪೆಯ ಮೇಲೆ ಕುಳಿತಿತ್ತು"),
        ("ml", "പൂച്ച പായയിൽ ഇരുന്നു"),
        ("th", "แมวนั่งอยู่บนเสื่อ"),
        ("zh", "猫坐在垫子上，不是我们以前看见的那只。"),
        ("ja", "猫はマットの上に座っていました。"),
        ("ko", "고양이가 매트 위에 앉아 있었다."),
        ("", "42 + 17 = 59"),
        ("", "Zyx Qwv Bnm"),
    ],
)
def test_language_of_a_text(code: str, text: str) -> None:
    assert detect_language(text) == code


@pytest.mark.parametrize(
    ("question", "likely", "code"),
    [
        ("Ab wann gilt abends Nachtruhe?", ("en", "de"), "de"),
        ("Stallfläche pro Ziege", ("en", "de"), "de"),
        ("Käselager", ("en", "sv", "de"), ""),
        ("¿Cuántas cajas de azulejos se rompieron?", ("en", "fr", "es"), "es"),
        ("price of one strap", ("de", "en"), "en"),
        ("notice period", ("de", "en"), ""),
        ("was kostet annatto", ("en", "de"), ""),
    ],
)
def test_one_word_or_letter_of_a_likely_language_tells_that_of_a_short_question(
    question: str, likely: tuple[str, ...], code: str
) -> None:
    assert detect_question_language(question, likely) == code


def test_the_languages_of_a_models_card_are_known_all_or_not_at_all() -> None:
    assert known_languages(["EN", "zh-CN", "en"]) == ("en", "zh")
    assert known_languages(["en", "multilingual"]) == ()
    assert known_languages(None) == ()
    assert [language_name(code) for code in ("zh", "pt", "xx")] == ["Chinese", "Portuguese", "xx"]


def test_a_long_text_is_judged_by_more_than_its_beginning() -> None:
    boilerplate = "Copyright licence notice, all rights reserved by the owner of the work. " * 60
    assert (
        detect_language(boilerplate + "Der Hund ist nicht in dem Haus, und die Katze ist auch nicht da. " * 600) == "de"
    )


def test_words_keep_their_marks() -> None:
    assert split_words("Elle A MANGÉ, पुस्तक; cafe\u0301!") == ["elle", "a", "mangé", "पुस्तक", "café"]


def test_an_inflected_german_word_has_the_term_of_its_stem() -> None:
    assert set(index_terms("die Häuser", "de").split()) & set(query_terms("Welches Haus?", ["de"]).terms)


def test_chinese_is_indexed_by_pairs_and_latin_names_stay_whole() -> None:
    assert index_terms("北京大学 NASA研究", "zh").split() == ["北京", "京大", "大学", "nasa", "研究"]


def test_thai_is_indexed_by_triples() -> None:
    assert index_terms("แมวกิน", "th").split() == ["แมว", "มวก", "วกิ", "กิน"]


def test_english_needs_no_terms_of_its_own() -> None:
    assert index_terms("The cats are running", "en") == ""


def test_function_words_are_left_out_of_a_question() -> None:
    assert query_terms("Where is the Eiffel Tower?", ["en"]) == Terms(("eiffel", "tower"), ())


def test_a_question_of_function_words_alone_keeps_them() -> None:
    assert query_terms("To be or not to be", ["en"]).words == ("to", "be", "or", "not")


def test_a_word_of_another_language_is_no_function_word() -> None:
    assert "die" in query_terms("When did Caesar die?", ["en", "de"]).words


def test_documents_in_two_languages_are_searched_for_both_forms() -> None:
    found = query_terms("Häuser in Berlin", ["en", "de"])
    assert "häuser" in found.words
    assert "haus" in found.terms


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "a AND",
        "NEAR(x y",
        "x*",
        "col: y",
        "-",
        "^a",
        "{text} : b",
        "a\"b'c",
        "(((",
        "x OR OR y",
        "\x00 z",
        "🙂",
        "茶",
    ],
)
@pytest.mark.parametrize("languages", [["en"], ["zh"], ["de", "en"], []])
def test_no_question_is_a_syntax_error(query: str, languages: list[str]) -> None:
    connection = apsw.Connection(":memory:")
    list(connection.execute("create virtual table words using fts5 (text, terms)"))
    expression = match_expression(query_terms(query, languages))
    if expression:
        assert list(connection.execute("select * from words where words match ?", (expression,))) == []
    else:
        assert not split_words(query)


def test_a_single_ideograph_finds_the_pairs_that_it_begins() -> None:
    connection = apsw.Connection(":memory:")
    list(connection.execute("create virtual table words using fts5 (text, terms)"))
    list(connection.execute("insert into words values ('', ?)", (index_terms("我喜欢茶叶", "zh"),)))
    expression = match_expression(query_terms("茶", ["zh"]))
    assert len(list(connection.execute("select * from words where words match ?", (expression,)))) == 1
