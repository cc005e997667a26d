"""Two values of sentences put together: which ones, what they come to, and how both are quoted."""

from __future__ import annotations

from tests.fakes import passage
from workbench.techniques.retrieval.abstention import Sentence
from workbench.techniques.retrieval.question_parts import Combination, factor_of
from workbench.techniques.retrieval.value_pairs import Calculation, amounts_of, calculate, multiply
from workbench.text.terms import Vocabulary

VOCABULARY = Vocabulary("en")


def sentence(text: str, document: str = "a.txt", *, like: float = 0.5) -> Sentence:
    found = passage(text, document)
    return Sentence(
        text=text, own_words=like, words_around=like, alike=like, passage_alike=like, passage=found, start=0,
        end=len(text),
    )  # fmt: skip


def result(question: str, *sentences: Sentence, kind: Combination = "difference") -> Calculation | None:
    weights = dict.fromkeys(VOCABULARY.content_terms(question), 1.0)
    return calculate(kind, question, weights, amounts_of(sentences, VOCABULARY, dates=kind == "days"))


VELDSTRA = sentence("Veldstra's waiting rate is 42 euros per hour, the bonus 900 euros.", "contract.txt")
OURS = sentence("Customers are charged a waiting rate of 48 euros per hour.", "manual.txt")


def test_the_difference_is_that_of_the_values_which_the_question_names() -> None:
    found = result("By how much does Veldstra's waiting rate differ from what customers are charged?", VELDSTRA, OURS)
    assert found is not None
    assert found.result == "6 EUR"
    quotes = found.quoted()
    assert quotes.text.startswith("“Customers are charged a waiting rate of 48 euros per hour.” [1]\n\n− “")
    assert quotes.text.endswith("\n\n= 6 EUR")
    assert {citation.path for citation in quotes.citations} == {"/documents/contract.txt", "/documents/manual.txt"}
    for statement, amount in zip(quotes.statements, found.amounts, strict=True):
        assert quotes.text[statement.start : statement.end] == amount.sentence.text[amount.start : amount.end]


def test_two_values_of_one_part_of_a_sentence_are_quoted_once() -> None:
    bill = sentence("Ihde's invoice was 2,215 euros instead of the 1,980 euros of the offer.")
    found = result("By how much was Ihde's invoice above the offer in euros?", bill)
    assert found is not None
    assert found.quoted().text.endswith("[1]\n\n2,215 − 1,980 = 235 EUR")
    assert len(found.quoted().statements) == 1


def test_a_sum_adds_values_of_one_unit() -> None:
    found = result(
        "What do the cable and the trip of the electrician cost together?",
        sentence("The cable cost 86 euros."),
        sentence("The electrician took 74 euros for the trip of 40 km."),
        kind="sum",
    )
    assert found is not None
    assert found.result == "160 EUR"


def test_units_are_not_mixed_and_years_and_numbers_of_paragraphs_are_no_values() -> None:
    question = "How much more is the rent than the deposit?"
    assert result(question, sentence("The rent is 500 euros."), sentence("The deposit box is 40 cm wide.")) is None
    assert amounts_of([sentence("In 2024 the rent was paid.")], VOCABULARY) == []
    assert amounts_of([sentence("8.2 In the suites oil is used.")], VOCABULARY) == []


def test_keys_of_rows_signs_and_years_of_a_heading_are_no_values() -> None:
    def numbers(text: str) -> list[str]:
        return [str(one.number) for one in amounts_of([sentence(text)], VOCABULARY)]

    assert numbers("No.: 24 | Wine: Riesling | Bottle: 27.50") == ["27.5"]
    assert numbers("25-0574 | Jarck | 12.5") == ["12.5"]
    assert numbers("Quote for the cello C-14 and its bow") == []
    assert numbers("Account 004471 of Mrs Odenthal") == []
    assert numbers("EUR 2023 2024") == []
    assert numbers("From 14-16 guests on the price is 30 euros.") == ["14", "16", "30"]
    assert numbers("Call-out: 95 euros | Saturday: 120 euros") == ["95", "120"]


def test_the_numbers_of_columns_are_not_one_number() -> None:
    row = amounts_of([sentence("Double room 96 114 102 122")], VOCABULARY)
    assert [(str(one.number), one.text) for one in row] == [(text, text) for text in ("96", "114", "102", "122")]
    (one,) = amounts_of([sentence("The house was insured for 1 250 000 euros.")], VOCABULARY)
    assert one.number == 1_250_000
    (one,) = amounts_of([sentence("The town has 1 234 567 inhabitants.")], VOCABULARY)
    assert one.number == 1_234_567


def test_values_that_have_little_to_do_with_the_question_are_not_put_together() -> None:
    question = "By how much did the board raise the entrance fee for dogs?"
    bananas, trains = sentence("Bananas weigh 17.", like=0.1), sentence("Trains have 4200 seats.", like=0.1)
    assert result(question, bananas, trains) is None


def test_a_value_of_the_question_itself_is_not_taken() -> None:
    question = "How much more does a container of 40 foot cost than one of 20 foot?"
    found = result(
        question,
        sentence("A container of 40 foot costs 290 euros."),
        sentence("A container of 20 foot costs 240 euros."),
    )
    assert found is not None
    assert found.result == "50 EUR"


def test_the_amount_of_a_cell_stands_under_its_head_and_a_number_before_a_word_is_one() -> None:
    row = sentence("Route: 40 ft to Santos | Corvane: 2,340 | Aldergate: 2,610 | Fitzroy: 2,475")
    found = result("What is the difference between Corvane and Aldergate to Santos?", row)
    assert found is not None
    assert found.result == "270"
    assert [row.text[one.start : one.end] for one in found.amounts] == ["Aldergate: 2,610", "Corvane: 2,340"]
    found = result("How many boats too many are there for the places?", sentence("71 boats for 58 places"))
    assert found is not None
    assert found.result == "13"


def test_what_money_is_asked_for_is_not_answered_by_minutes() -> None:
    question = "By how much does Veldstra's waiting rate differ from what customers are charged?"
    waited = sentence("Customers are charged after waiting 61 minutes, Veldstra's after 45 minutes.", like=0.9)
    found = result(question, waited, VELDSTRA, OURS)
    assert found is not None
    assert found.result == "6 EUR"


def test_a_product_is_of_two_values_of_one_passage() -> None:
    found = result(
        "walnut for the bar: number of cubic metres times the price of Brandes",
        sentence("Price at Brandes 3,310 a cubic metre, we need 0.62 for the bar."),
        sentence("The walnut came on 12 pallets.", "b.txt", like=0.2),
        kind="product",
    )
    assert found is not None
    assert found.result == "2,052.2"
    assert "× “" in found.quoted().text


def test_days_lie_between_two_dates() -> None:
    found = result(
        "How many days lie between the order of the doors and their delivery?",
        sentence("The doors were ordered: order of 14 March 2025."),
        sentence("Delivery of the doors: 2 April 2025, 12 pieces.", "b.txt"),
        kind="days",
    )
    assert found is not None
    assert found.result == "19 days"


def test_a_price_of_one_is_multiplied_by_the_number_of_the_question() -> None:
    question = "What do three nights in the hut cost?"
    factor = factor_of(question)
    assert factor is not None
    weights = dict.fromkeys(VOCABULARY.content_terms(question), 1.0)
    per_night = sentence("The hut costs 48 euros per night, sheets cost 6 euros.")
    found = multiply(factor, weights, amounts_of([per_night], VOCABULARY), VOCABULARY)
    assert found is not None
    assert found.result == "144 EUR"
    assert found.quoted().text.endswith("3 × 48 = 144 EUR")
    whole = sentence("The hut costs 480 euros in the season.")
    assert multiply(factor, weights, amounts_of([whole], VOCABULARY), VOCABULARY) is None


def test_times_of_the_day_are_no_amounts() -> None:
    assert amounts_of([sentence("I put it in on Thursday, 17.00 to 20.00, for")], VOCABULARY) == []
    assert len(amounts_of([sentence("The cable costs 17.50, the plug 4.20")], VOCABULARY)) == 2


def test_of_rows_alike_the_total_is_taken() -> None:
    found = result(
        "third draft against the second: how much cheaper is it",
        sentence("Part: Changing rooms | Second draft: 142,000 | Third draft: 139,500"),
        sentence("Part: Total | Second draft: 486,000 | Third draft: 472,000"),
        sentence("Part: Hall | Second draft: 212,000 | Third draft: 201,500"),
    )
    assert found is not None
    assert found.result == "14,000"


def test_a_price_with_three_decimals_is_read_by_the_sign_of_those_beside_it() -> None:
    def numbers(text: str) -> list[str]:
        return [str(one.number) for one in amounts_of([sentence(text)], VOCABULARY)]

    assert numbers("Diesel: 1.459 EUR | Car wash: 9.50 EUR") == ["1.459", "9.5"]
    assert numbers("Diesel: 1.459 EUR | Autowäsche: 9,50 EUR") == ["1459", "9.5"]
    assert numbers("The engine costs 1.459 EUR, ready at 10.30 h.")[0] == "1459"
