"""Quoted answers: which sentences, word for word, with their citation; and the confidence of own words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, passage
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.records.answers import AskResult
from workbench.records.exam import EXAM_VERSION, ExamRates, ExamResult, Rate
from workbench.records.messages import Message, Passage, Verification
from workbench.records.recipes import DecodingPart, Recipe, RetrievalPart
from workbench.records.recipes.parts import Mode
from workbench.records.trust import describe_trust
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.techniques.retrieval.abstention import Sentence
from workbench.techniques.retrieval.quoting import narrow, quote

PUMP = passage("The pump weighs 80 kg. The warranty of the pump runs for 36 months. It is painted green.", n=1)
TERMS = passage("Claims under the warranty must be made in writing. Payment is due within ten days.", n=2)
QUESTION = "How long does the warranty of the pump run?"


def ask(
    mode: Mode,
    says: str,
    parameters: int = 135_000_000,
    found: Sequence[Passage] = (PUMP, TERMS),
    question: str = "",
    languages: tuple[str, ...] = (),
    decline: bool = False,
    exam: ExamResult | None = None,
) -> tuple[list[events.Event], AskResult]:
    model = FakeModelBackend([says], parameters=parameters, languages=languages)
    services = FakeServices(model, FakeRetriever(list(found)), exam)
    recipe = Recipe(retrieval=RetrievalPart(mode=mode, decline=decline))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", question or QUESTION),))
    made = list(answer(request, services, RequestContext()))
    assert isinstance(made[-1], events.Finished), made[-1]
    return made, msgspec.convert(made[-1].result, AskResult)


def test_a_small_model_quotes_and_a_large_one_speaks_for_itself() -> None:
    _, small = ask("automatic", "Forty years.")
    assert "“The warranty of the pump runs for 36 months.” [1]" in small.answer
    assert "Forty" not in small.answer
    _, large = ask("automatic", "It runs for 36 months.", parameters=7_000_000_000)
    assert large.answer.startswith("It runs for 36 months")
    _, longer = ask("automatic", "It says a lot.", question="Explain the warranty of the pump")
    assert "It says a lot" in longer.answer


def examined(own: int, quoted: int, shift: float = 0.0, **fields: Any) -> ExamResult:
    """The exam of a model that is so often right of 30."""
    english = ExamRates(own=Rate(own, 30), quoted=Rate(quoted, 30), answers=Rate(own, 40), unmarked=Rate(9, 10))
    result = ExamResult(
        version=EXAM_VERSION, sha256="", ended=0.0, seconds=0.0, languages={"en": english}, confidence_shift=shift
    )
    return msgspec.structs.replace(result, **fields)


def test_exam_decides_whether_automatic_quotes() -> None:
    def quotes(parameters: int, exam: ExamResult, question: str = "") -> bool:
        _, result = ask("automatic", "It runs for 36 months.", parameters, question=question, exam=exam)
        assert result.verification is not None
        return bool(result.verification.quoted)

    assert quotes(7_000_000_000, examined(own=10, quoted=25))
    assert not quotes(135_000_000, examined(own=28, quoted=18))
    assert quotes(135_000_000, examined(own=20, quoted=24))  # no measurable difference: by its size
    assert not quotes(7_000_000_000, examined(own=20, quoted=24))
    assert not quotes(7_000_000_000, examined(own=10, quoted=25, version=EXAM_VERSION - 1))
    assert not quotes(7_000_000_000, examined(own=10, quoted=25), "Explain the warranty of the pump")
    german = "Wie lange läuft die Garantie der Pumpe?"
    assert not quotes(7_000_000_000, examined(own=10, quoted=25), german)  # not examined in German


def test_exam_corrects_the_confidence_and_tells_how_often_such_answers_are_right() -> None:
    def checked(exam: ExamResult | None) -> Verification:
        _, result = ask("own-words", "It runs for 36 months.", exam=exam)
        assert result.verification is not None
        return result.verification

    before, sure = checked(None), checked(examined(own=12, quoted=24, shift=9.0))
    assert (before.unsure, before.own_rate, before.quoted_rate) == (True, None, None)
    assert (sure.unsure, sure.own_rate, sure.quoted_rate) == (False, Rate(9, 10), Rate(24, 30))
    assert before.confidence is not None
    assert sure.confidence is not None
    assert sure.confidence > before.confidence
    marked = checked(examined(own=12, quoted=24))
    assert (marked.confidence, marked.own_rate) == (before.confidence, Rate(3, 30))


def test_quotes_stand_in_their_passage_character_by_character_and_are_cited_by_the_sentence() -> None:
    made, result = ask("quoted", "not asked")
    assert "".join(e.text for e in made if isinstance(e, events.TextDelta) and not e.step) == result.answer
    assert result.verification is not None
    assert result.verification.quoted == len(result.answer)
    for statement in result.verification.statements:
        quoted = result.answer[statement.start : statement.end]
        shown = next(p for p in result.passages if p.n == statement.n)
        assert shown.text[statement.sentence_start - shown.start : statement.sentence_end - shown.start] == quoted
        assert statement.verdict == "supported"
    cited = {c.n: c for c in result.citations}
    best = cited[result.verification.statements[0].n]
    assert best.text[best.sentence_start - best.start : best.sentence_end - best.start] in result.answer


def test_headings_are_not_quoted() -> None:
    letter = passage("The warranty of the pump\n\nDear Ms Lang,\n\nIt runs for 36 months.", n=1)
    _, result = ask("quoted", "not asked", found=[letter])
    assert result.answer == "“It runs for 36 months.” [1]"
    _, bare = ask("quoted", "not asked", found=[passage("The warranty of the pump\n\nDear Ms Lang,\n\n", n=1)])
    assert "The warranty of the pump" in bare.answer


def test_quoted_first_adds_the_models_own_words_and_verifies_them() -> None:
    made, result = ask("quoted-first", "It runs for 48 months.")
    assert "".join(e.text for e in made if isinstance(e, events.TextDelta) and not e.step) == result.answer
    assert "36 months" in result.answer
    assert "48 months" in result.answer
    assert result.verification is not None
    own = [s for s in result.verification.statements if "48" in result.answer[s.start : s.end]]
    assert [s.verdict for s in own] == ["unsupported"]


def test_own_words_are_less_trusted_when_they_come_from_another_sentence() -> None:
    _, right = ask("own-words", "It runs for 36 months.")
    _, wrong = ask("own-words", "It weighs 80 kg.")
    assert right.verification is not None
    assert wrong.verification is not None
    assert right.verification.confidence is not None
    assert wrong.verification.confidence is not None
    assert right.verification.confidence > wrong.verification.confidence


LEASE = (passage("Die Miete für die Wohnung beträgt 900 Euro. Sie ist am ersten Werktag des Monats fällig.", n=1),)


def test_own_words_in_a_language_that_the_card_does_not_list_get_a_note() -> None:
    asked = "Wie hoch ist die Miete für die Wohnung?"
    _, own = ask("own-words", "900 Euro.", found=LEASE, question=asked, languages=("en",))
    assert own.notices == ("This model's card lists English, not German: its own words in German are less reliable.",)
    _, quoted = ask("quoted", "", found=LEASE, question="Was kostet die Miete?", languages=("en", "fr"))
    assert quoted.notices == (), "what is quoted does not depend on the model"
    _, declined = ask("quoted", "", found=(PUMP,), question=asked, languages=("en",), decline=True)
    assert declined.declined
    assert declined.notices == ()


def test_nothing_is_said_of_a_listed_language_an_unknown_one_or_a_card_without_languages() -> None:
    for question, languages in (
        ("Wie hoch ist die Miete für die Wohnung?", ("en", "de")),
        ("Wie hoch ist die Miete für die Wohnung?", ()),
        ("Miete?", ("en",)),
        ("How high is the rent of the flat?", ("en",)),
    ):
        assert ask("own-words", "900 Euro.", found=LEASE, question=question, languages=languages)[1].notices == ()


def ask_for_spans(says: str, decoding: DecodingPart | None = None) -> tuple[FakeModelBackend, AskResult]:
    model = FakeModelBackend([says])
    recipe = Recipe(
        retrieval=RetrievalPart(mode="quoted", quote_length="span", decline=False), decoding=decoding or DecodingPart()
    )
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", QUESTION),))
    made = list(answer(request, FakeServices(model, FakeRetriever([PUMP, TERMS])), RequestContext()))
    assert isinstance(made[-1], events.Finished), made[-1]
    return model, msgspec.convert(made[-1].result, AskResult)


def test_a_span_is_chosen_by_the_model_and_cited_within_its_sentence() -> None:
    model, result = ask_for_spans("36 months,\nThe warranty of the pump\nruns for 36 months\nThe\nClaims")
    assert result.answer == "“36 months” [1]"
    (decoding,) = model.decodings
    assert (decoding.format, decoding.n) == ("quote", 1)
    assert "The warranty of the pump runs for 36 months." in decoding.grammar.split("\n\n")
    assert result.verification is not None
    for statement in result.verification.statements:
        shown = next(p for p in result.passages if p.n == statement.n)
        span = shown.text[statement.span_start - shown.start : statement.span_end - shown.start]
        assert span == result.answer[statement.start : statement.end]
        assert statement.sentence_start <= statement.span_start < statement.span_end <= statement.sentence_end
    cited = next(c for c in result.citations if c.n == 1)
    assert cited.text[cited.span_start - cited.start : cited.span_end - cited.start] == "36 months"
    assert cited.text[cited.sentence_start - cited.start :].startswith("The warranty of the pump")


LONG = (
    "The pump, which the pump maker tested, weighs 80 kg; the crate of the pump weighs 8 kg. It ran 36 or 360 hours.",
    "Die Pumpe läuft 36 Monate, die Ersatzpumpe läuft „nur“ 3 Monate. Für Für-und-Wider-Fragen gilt § 3 Abs. 2.",
    "水泵的保修期是三个月，水泵的备件的保修期是十三个月。运费另计（见第3条）。",
)


def test_five_hundred_spans_stand_in_their_passage_character_by_character() -> None:
    chance, exact = random.Random(0), 0
    for number, text in enumerate(LONG * 90):
        shown = passage(f"Before it. {text} After it.", document=f"d{number % 3}", n=1, start=chance.randrange(900))
        places = [(shown.text.index(text), shown.text.index(text) + len(text))]
        sentences = [
            Sentence(
                text=shown.text[a:b],
                own_words=1,
                words_around=1,
                alike=1,
                passage_alike=1,
                passage=shown,
                start=a,
                end=b,
            )
            for a, b in places
        ]
        quotes = quote(sentences)
        assert quotes is not None
        lines = []
        for _ in range(5):
            start = chance.randrange(len(text) - 1)
            lines.append(text[start : chance.randrange(start + 1, len(text)) + 1])
        narrowed = narrow(quotes, "\n".join(lines), "?")
        for one in narrowed.statements:
            begin, end = (one.span_start, one.span_end) if one.span_end else (one.sentence_start, one.sentence_end)
            said = narrowed.text[one.start : one.end]
            assert shown.text[begin - shown.start : end - shown.start] == said
            assert said in text
            exact += bool(one.span_end)
    assert exact >= 500


def test_whole_sentences_are_quoted_where_no_span_can_be_chosen() -> None:
    _, nothing = ask_for_spans("forty years")
    assert "“The warranty of the pump runs for 36 months.” [1]" in nothing.answer
    model, contrastive = ask_for_spans("", DecodingPart(strategy="contrastive"))
    assert not model.decodings
    assert "“The warranty of the pump runs for 36 months.” [1]" in contrastive.answer
    assert any("Whole sentences" in notice for notice in contrastive.notices)


def test_a_citation_points_to_the_best_sentence_and_marks_the_others_as_well() -> None:
    def sentence(text: str, words: float) -> Sentence:
        start = PUMP.text.index(text)
        return Sentence(
            text=text, own_words=words, words_around=0.5, alike=words, passage_alike=0.5, passage=PUMP, start=start,
            end=start + len(text),
        )  # fmt: skip

    best = sentence("The warranty of the pump runs for 36 months.", 0.5)
    other = sentence("The pump weighs 80 kg.", 0.45)
    quotes = quote([best, other], [PUMP])
    assert quotes is not None
    (citation,) = quotes.citations
    assert quotes.text.index("80 kg") < quotes.text.index("36 months")  # in the order of the passage
    text = {name: PUMP.text[a - PUMP.start : b - PUMP.start] for name, (a, b) in {
        "own": (citation.sentence_start, citation.sentence_end), "more": citation.more_sentences[0],
    }.items()}  # fmt: skip
    assert text == {"own": best.text, "more": other.text}
    assert len(citation.more_sentences) == 1


def test_a_quotation_says_whether_it_is_word_for_word() -> None:
    def words(**fields: Any) -> tuple[str, bool]:
        found = (msgspec.structs.replace(PUMP, **fields), TERMS)
        _, result = ask("quoted", "", found=found)
        assert result.citations[0].n == 1
        return describe_trust(result.verification)

    assert words() == ("Quoted from your documents, word for word.", False)
    recognised, warns = words(recognised=True)
    assert recognised.startswith("Quoted from text that was recognised in a picture")
    assert not warns
    changed, warns = words(changed=True)
    assert changed == (
        "Quoted from your documents as they were read. The file pump.txt has changed since it was read, or is no "
        "longer there."
    )
    assert warns
    assert "word for word" not in recognised + changed


def test_own_words_from_a_file_that_has_changed_say_so() -> None:
    found = (
        msgspec.structs.replace(PUMP, changed=True),
        msgspec.structs.replace(TERMS, path="/terms.txt", changed=True),
    )
    _, result = ask("own-words", "The warranty runs for 36 months.", found=found)
    assert "The file pump.txt has changed since it was read" in describe_trust(result.verification)[0]
