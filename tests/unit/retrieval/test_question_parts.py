"""The parts of a question, and whether two values are to be put together."""

from __future__ import annotations

import pytest

from workbench.techniques.retrieval.question_parts import combination, factor_of, leans_on_another, split_question


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who signed the lease, and when does it end?", ("Who signed the lease", "when does it end")),
        ("who signed the lease and in which year does it end", ("who signed the lease", "in which year does it end")),
        (
            "Wer trainiert die Gruppe, und wann hört diese Person auf?",
            ("Wer trainiert die Gruppe", "wann hört diese Person auf"),
        ),
        (
            "à qui écrire pour le jumelage, et combien d'heures est-elle employée ?",
            ("à qui écrire pour le jumelage", "combien d'heures est-elle employée"),
        ),
        ("¿Cómo se llama y qué día fue el golpe?", ("¿Cómo se llama", "qué día fue el golpe")),
        (
            "Stain in 203: who was told, and what is his job?",
            ("Stain in 203: who was told", "Stain in 203: what is his job"),
        ),
        (
            "The wall fell down. What does the mason want, and up to what sum is it ours?",
            ("The wall fell down: What does the mason want", "The wall fell down: up to what sum is it ours"),
        ),
        (
            "Hallo Frau Weber. Wer leitet den Chor und wann trifft er sich?",
            ("Wer leitet den Chor", "wann trifft er sich"),
        ),
        (
            "Hello! The pump is broken. Who repairs it, and what does it cost?",
            ("The pump is broken: Who repairs it", "The pump is broken: what does it cost"),
        ),
        ("Who has the key? Where does she live?", ("Who has the key", "Where does she live")),
        (
            "How long is the guarantee for the roof and for the gutters?",
            ("How long is the guarantee for the roof", "How long is the guarantee for the gutters"),
        ),
        (
            "Wie hoch ist der Schaden laut Gutachter und laut Versicherung?",
            ("Wie hoch ist der Schaden laut Gutachter", "Wie hoch ist der Schaden laut Versicherung"),
        ),
    ],
)
def test_a_question_is_cut_into_its_parts_with_their_topic(question: str, parts: tuple[str, ...]) -> None:
    assert split_question(question) == parts


@pytest.mark.parametrize(
    "question",
    [
        "Which of the first-aiders leads a fitting team?",
        "How long is the warranty of pumps and valves?",
        "Was kostet die Änderung nach der Freigabe?",
        "Who, when, where, why and how?",
        "What did we spend on the roof and on the gutters together?",
        "Was haben die Angebote von Kern und von Voss gemeinsam?",
        "",
    ],
)
def test_a_question_of_one_part_stays_whole(question: str) -> None:
    assert split_question(question) == (question,)


def test_differences_and_sums_are_told_apart() -> None:
    assert combination("By how much is offer A cheaper than offer B?") == "difference"
    assert combination("Um wie viel ist die Stunde teurer geworden?") == "difference"
    assert combination("De combien la cotisation a-t-elle augmenté ?") == "difference"
    assert combination("What do the rooms plus the bar come to?") == "sum"
    assert combination("What does the package Plus cost a year?") == ""
    assert combination("Was kosten beide zusammen?") == "sum"
    assert combination("All in all, what does she want for the cello and both bows?") == "sum"
    assert combination("Combien coûte en plus la crédence ?") == ""
    assert combination("When does the lease end?") == ""


def test_what_is_no_question_is_no_part() -> None:
    asked = "Is the record of the women above or below the norm? Name both times."
    assert split_question(asked) == (asked,)
    assert split_question("After the merger, who became chair?") == ("After the merger, who became chair?",)
    assert combination("Cable plus the electrician's trip: what did it come to?") == "sum"


@pytest.mark.parametrize(
    "question",
    [
        "by how many did visits grow from 2023 to 2024?",
        "How many minutes longer does the bus stay there?",
        "Wieviele Minuten länger steht der Bus dort?",
        "¿Cuántos metros menos tiene la boca?",
        "Combien d'heures de plus que l'an dernier ?",
        "price rise of the red wine per bottle from 2024 to 2026",
        "Anstieg der Miete von 2024 bis 2026",
        "What discount did she grant compared with the price sheet?",
        "what do we save with the church instead of the hall",
        "was zahlen wir für den neuen Flügel noch drauf, wenn der alte weggeht",
    ],
)
def test_a_difference_is_asked_in_many_ways(question: str) -> None:
    assert combination(question) == "difference"


@pytest.mark.parametrize(
    "question",
    [
        "how many projects took more days than planned",
        "What discount do members get?",
        "How many people work there, and what does more than one guest pay?",
        "Wer zahlt die Miete von März bis Mai?",
        "Combien coûte en plus la crédence ?",
        "Until when must a rise be announced?",
        "When does the increase from 5 to 7 take effect?",
        "Ab wann gilt die Erhöhung von 10 auf 12 Euro?",
        "How many larger rooms are there?",
        "How many are younger than 18?",
        "Um wie viel Uhr laufen die Sicherungen?",
        "Au bout de combien de temps faut-il rendre l'instrument ?",
        "À partir de combien de personnes faut-il réserver ?",
        "De combien de chambres dispose l'hôtel ?",
        "Combien de personnes au plus ?",
        "prix d'un scan plus grand que A3",
        "Wer leitet die Musikschule insgesamt?",
        "Fass mir bitte das Protokoll zusammen.",
    ],
)
def test_what_is_only_compared_asks_no_difference(question: str) -> None:
    assert combination(question) == ""


def test_products_days_and_what_is_left_are_told_apart() -> None:
    assert combination("walnut for the bar: number of cubic metres times the price") == "product"
    assert combination("Wie hoch ist das Gesamtgewicht der Fliesen?") == "product"
    assert combination("How many days lie between the order and the delivery?") == "days"
    assert combination("Wie viele Tage lagen zwischen Bestellung und Lieferung?") == "days"
    assert combination("Within how many days must a complaint be made?") == ""
    assert combination("How many seats could still be sold?") == "difference"
    assert combination("¿Cuántas sondas faltan por instalar?") == "difference"
    assert combination("Was fehlt nach der zweiten Rate?") == "difference"
    assert combination("How much power does a battery lose at minus 10 degrees?") == ""


def test_a_price_is_asked_of_a_number_of_things() -> None:
    factor = factor_of("What do three nights with breakfast cost?")
    assert factor is not None
    assert (factor.number, factor.noun) == (3, "nights")
    factor = factor_of("¿Cuánto costarán los tres metros cúbicos de roble?")
    assert factor is not None
    assert (factor.number, factor.unit) == (3, "m3")
    assert factor_of("What does the fee of 2025 cost?") is None
    assert factor_of("What does the Gannet 300 cost?") is None  # a name
    assert factor_of("Who stays for three nights?") is None


@pytest.mark.parametrize(
    ("part", "leans"),
    [
        ("what is his job", True),
        ("wie schwer ist es", True),
        ("combien d'heures cette personne est-elle employée", True),
        ("¿qué coche conduce esa persona?", True),
        ("how late was the delivery to Ostrava", False),
        ("in welcher Straße liegt das Lager Hallum", False),
    ],
)
def test_a_part_may_lean_on_the_answer_to_the_part_before(part: str, leans: bool) -> None:
    assert leans_on_another(part) is leans
