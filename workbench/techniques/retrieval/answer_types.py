"""Types of answers: which one a question asks for, and which of them stand in a text.

"How long" asks for a duration, "who" for a person. The question words are those of English, German, French, Spanish
and Chinese; the figures of a text are found in the notations of all of them. Nothing here decides anything: it is
evidence for the choice of a sentence (``sentence_features``).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, get_args

AnswerType = Literal[
    "person", "place", "date", "time", "duration", "money", "percent", "count", "measure", "contact", "reason",
    "choice", "age", "extent", "weight", "volume", "temperature", "speed", "power", "area", "colour", "brand", "role",
]  # fmt: skip
TYPES: tuple[AnswerType, ...] = get_args(AnswerType)

ATTRIBUTES: tuple[AnswerType, ...] = (
    "age", "extent", "weight", "volume", "temperature", "speed", "power", "area", "colour", "brand", "role",
    "contact",
)  # fmt: skip
"""What a thing or a person has: a sentence that names the thing alone does not tell it."""

_ASKED: dict[AnswerType, str] = {
    "person": r"\b(who|whose|whom|wer|wem|wen|wessen|qui|à qui|quién|quien|quiénes)\b|谁|哪位",
    "place": r"\b(where|wo|wohin|woher|où|dónde|donde|adónde)\b|\b(which|what|welche[rsnm]?|quelle?|qué) "
    r"(room|place|city|town|street|raum|zimmer|ort|stadt|salle|ville|lieu|sala|ciudad|lugar|drawer|floor|shelf"
    r"|regal)\b"
    r"|\b(address|adresse|anschrift|dirección)\b|哪里|在哪|何处|哪个城市|哪个国家",
    "date": r"\b(when|wann|quand|cuándo|cuando|date|datum|fecha|deadline|frist bis|bis wann|ab wann|since when"
    r"|seit wann)"
    r"\b|\b(what|which|welche[rsnm]?|quel|qué|an welchem|on which) (day|year|month|tag|jahr|monat|jour|mois"
    r"|année|día|año"
    r"|mes|date|datum)\b|何时|什么时候|哪一?年|哪天|几月",
    "time": r"\b(what time|which hour|opening hours|um wie ?viel uhr|wie spät|uhrzeit|öffnungszeiten|à quelle heure"
    r"|horaires?|a qué hora|horario)\b|几点",
    "duration": r"\b(how long|wie lange?|combien de temps|cuánto tiempo|how many (?:minutes|hours|days|weeks"
    r"|months|years)"
    r"|wie ?viele? (?:minuten|stunden|tage|wochen|monate|jahre)|notice period|kündigungsfrist|duration|dauer|durée"
    r"|duración|how often|wie oft)\b|多久|多长时间",
    "money": r"\b(costs?|price|pay|paid|fee|rent|salary|wage|deposit|charge[ds]?|expensive|budget|euros?|how much is"
    r"|kostet?n?|preis|gebühr|miete|lohn|gehalt|kaution|bezahl\w*|zahl(?:en|t)|teuer|betrag|honorar|pauschale"
    r"|coûte\w*|prix|tarif|loyer|payer|montant|cuesta\w*|precio|tarifa|pagar|importe|cobra\w*)\b|多少钱|价格|费用",
    "percent": r"\b(per ?cent|percentage|share|discount|rate|prozent\w*|rabatt|skonto|anteil|pour ?cent|remise"
    r"|por ciento"
    r"|porcentaje|descuento)\b|%|百分",
    "count": r"\b(how many|how much|wie ?viele?[nr]?|combien|cuánt[oa]s?|number of|anzahl)\b|多少|几",
    "measure": r"\bhow (?:long|high|far|old|large|big|tall|deep|wide|fast|often|heavy|thick|hot|cold|loud|warm"
    r"|thin|close)"
    r"\b|\bwie (?:lange?|hoch|weit|alt|groß|tief|breit|schnell|oft|schwer|dick|heiß|kalt|warm|laut)\b"
    r"|\b(maximum|max|minimum|min|limit|least|most|longest|shortest|highest|lowest|höchste\w*|größte\w*|mindest\w*"
    r"|maximal\w*|temperature|temperatur|weight|gewicht|length|länge|height|höhe|width|breite|distance|abstand|speed"
    r"|pressure|druck|size|größe|depth|tiefe|capacity)\b",
    "contact": r"\b(phone|telephone|e-?mail|mobile|iban|account number|number is|\w*nummer|telefon\w*|handy"
    r"|téléphone|numéro"
    r"|teléfono|número|password|passwort|code|wlan|wifi|serial number|order number)\b|电话|号码",
    "age": r"\b(how old|wie alt|quel âge|qué edad|age|alter|birthday|born|geburtstag|geboren|built|baujahr)\b",
    "extent": r"\b(how (?:high|far|tall|deep|wide|thick|broad)|wie (?:hoch|weit|tief|breit|dick|groß)|height"
    r"|höhe|width"
    r"|breite|depth|tiefe|thickness|dicke|stärke|distance|abstand|diameter|durchmesser|profondeur|hauteur"
    r"|largeur|altura|ancho"
    r"|profundidad)\b",
    "weight": r"\b(how heavy|wie schwer|weights?|weigh|gewicht|wiegt|payload|nutzlast|poids|pèse|peso|pesa"
    r"|kilos?|kg)\b",
    "volume": r"\b(lit(?:re|er)s?|volume|volumen|tank capacity|litres|litros)\b",
    "temperature": r"\b(temperature\w*|temperatur\w*|how (?:hot|cold|warm)|wie (?:heiß|kalt|warm)|degrees|grad"
    r"|température"
    r"|temperatura)\b",
    "speed": r"\b(how fast|wie schnell|speed|geschwindigkeit|drehzahl|frame rate|bildrate|vitesse|velocidad|tempo)\b",
    "power": r"\b(wattage|power|leistung|watt|voltage|spannung|volt|puissance|potencia|current|lumen|brightness"
    r"|helligkeit"
    r"|how bright|wie hell|loud|laut|lärm)\b",
    "area": r"\b(area|fläche|square met(?:re|er)s?|quadratmeter|surface|superficie|mètres carrés|how (?:big"
    r"|large))\b",
    "colour": r"\b(colou?rs?|farben?|couleur|color|colores)\b|颜色",
    "brand": r"\b(brand|make|model|marke|fabrikat|hersteller|manufacturer|maker|modell|typ|marque|modèle|marca|modelo"
    r"|fabricante)\b",
    "role": r"\b(deput\w+|boss|captain|manager|head of|chair\w*|treasurer|secretary|successor|predecessor"
    r"|stellvert\w+"
    r"|vertritt|vertretung|vorgesetzte\w*|chef\w*|leiter\w*|leitet|vorsitzende\w*|kassen\w+|nachfolge\w*|vorgänger\w*"
    r"|kapitän\w*|responsable|directeur|directrice|président\w*|trésori\w+|jefe|jefa|director\w*|president\w*"
    r"|tesorer\w+"
    r"|job|profession|beruf|title)\b",
    "reason": r"\b(why|warum|wieso|weshalb|pourquoi|por qué)\b|为什么|为何",
    "choice": r"^\W*(?:and |und |so |also )?(is|are|was|were|do|does|did|can|may|must|should|has|have|will|am"
    r"|ist|sind|war"
    r"|darf|dürfen|kann|können|muss|müssen|hat|haben|wird|gibt es|est-ce|peut-on|y a-t-il|hay|puede|pueden|es"
    r"|son|tiene"
    r"|se puede)\b|吗[？?]?$",
}

_MONTH = (
    r"jan(?:uar|uary|vier)?|jänner|feb(?:ruar|ruary)?|février|febrero|enero|mar(?:ch|s|zo)?|märz|apr(?:il)?"
    r"|avril|abril"
    r"|may|mai|mayo|june?|juni|juin|junio|july?|juli|juillet|julio|aug(?:ust)?|août|agosto|sept?(?:ember|embre"
    r"|iembre)?"
    r"|o[ck]t(?:ober|obre|ubre)?|nov(?:ember|embre|iembre)?|de[cz](?:ember)?|décembre|diciembre"
)
_DAY = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?"
    r"|sonntags?|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes"
    r"|sábado|domingo"
)
_COUNTED = (
    r"(?:\d[\d.,'’]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|twenty"
    r"|thirty|sixty|ninety"
    r"|half an?|an?|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|vierzehn|fünfzehn|zwanzig|dreißig"
    r"|ein(?:e[mnrs]?)?"
    r"|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|quinze|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|quince)"
)
_PRESENT: dict[AnswerType, str] = {
    "person": r"\b(?:Mr|Mrs|Ms|Dr|Prof|Frau|Herrn?|Mme|Sra?|M)\.? [A-ZÄÖÜÉ]"
        r"|\b[A-ZÄÖÜÉ][a-zäöüßéèáíóúñç-]+ (?:van |von |de |da )?"
    r"[A-ZÄÖÜÉ][a-zäöüßéèáíóúñç-]+",
    "place": r"\b(?:in|at|on|im|am|bei|auf|unter|neben|hinter|behind|under|beside|next to|à|dans|sous"
        r"|en) (?:the |der |dem |den "
    r"|das |la |le |l'|el )?[\w-]+|[Ss]tra(?:ße|sse)|\b[Ss]treet\b|\b[Rr]ue\b|\b[Cc]alle\b|\b\d{4,5} [A-ZÄÖÜ]"
    r"|\b[Rr]oom\b|[Rr]aum",
    "date": rf"\b\d{{1,2}}[./]\s?\d{{1,2}}[./]|\b\d{{4}}-\d{{2}}|\b(?:{_MONTH})\b\.?,? ?\d|\b\d{{1,2}}(?:st|nd"
        rf"|rd|th|\.)? (?:of |de )?"
    rf"(?:{_MONTH})\b|\b(?:{_DAY})\b|\b(?:1[5-9]|20)\d\d\b|\d年|\d月",
    "time": r"\b\d{1,2}[:.]\d{2}\b|\b\d{1,2} ?(?:am|pm|a\.m|p\.m|uhr|h|o'clock)\b|\bnoon\b|\bmidnight\b|\d点",
    "duration": rf"\b{_COUNTED}[ -]?(?:minutes?|mins?|hours?|days?|weeks?|months?|years?|seconds?|minuten?"
        rf"|stunden?|std|tagen?|tage?"
    r"|wochen?|monate?n?|jahre?n?|sekunden?|heures?|jours?|semaines?|mois|ans?|années?|horas?|días?|semanas?"
    r"|mes(?:es)?|años?"
    r"|working days|werktage?n?|arbeitstage?n?)\b|\d\s?(?:分钟|小时|天|年|个月|周)"
    r"|\b(?:daily|weekly|monthly|yearly|once"
    r"|twice|every|"
    r"täglich|wöchentlich|monatlich|jährlich|einmal|zweimal|jede[nrs]?)\b",
    "money": r"[€$£]|\b(?:eur|euros?|chf|usd|gbp|francs?|franken|dollars?|cents?|pounds?)\b|美元|元|欧元|\d[.,]\d\d\b",
    "percent": r"\d ?%|\bper ?cent\b|\bprozent\b|\bpour ?cent\b|\bpor ciento\b|百分",
    "count": rf"\b{_COUNTED}\b|[一二三四五六七八九十百千两]",
    "measure": r"\d ?(?:mm|cm|m|km|m²|m2|m³|m3|kg|g|t|l|ml|°|°c|bar|w|kw|kwh|v|hz|mhz|rpm|kn|n|pa|lux|db|px|mb"
        r"|gb|metres?|meters?"
    r"|meter|liters?|litres?|liter|tonnen?|tons?|grad|degrees|miles?|feet|inch(?:es)?|ppm|nm|yards?|points?)\b|\d",
    "contact": r"@|\b0\d[\d /()-]{5,}|\+\d\d|\b[A-Z]{2}\d\d ?\d{4}|\b[A-Z]{1,5}-?\d[\w-]*|\d{3,}",
    "age": rf"\b{_COUNTED}[ -](?:years?|jahre?n?|ans|años)\b|\b(?:aged?|alter|born|geboren\w*|geb\.|né|née"
        rf"|nacid\w+|built|gebaut|"
    r"baujahr|construit\w*|since|seit|depuis|desde)\b",
    "extent": r"\d ?(?:mm|cm|dm|m|km|metres?|meters?|meter|zentimeter|kilomet\w+|miles?|feet|foot|inch(?:es)?"
        r"|yards?|mètres?|metros?)\b"
    r"|公里|米",
    "weight": r"\d ?(?:kg|g|t|tons?|tonnes?|tonnen?|kilos?|kilograms?|gramm?s?|lbs?|pounds?)\b|公斤|吨",
    "volume": r"\d ?(?:l|ml|cl|hl|lit(?:re|er)s?|litros?|m³|m3|cbm|cubic|gallons?)\b",
    "temperature": r"\d ?(?:°|degrees?|grad|degrés|grados)",
    "speed": r"\d ?(?:km/h|m/s|m/min|mph|rpm|fps|hz|u/min|knots?|knoten|bilder|frames?)\b",
    "power": r"\d ?(?:w|kw|kwh|mw|watt|v|volt|kv|a|ampere|ps|hp|lux|lumen|lm|db|bar|pascals?|mah)\b",
    "area": r"\d ?(?:m²|m2|qm|sqm|square|quadrat\w+|hectares?|hektar|ha|acres?|km²)",
    "colour": r"\b(?:red|blue|green|yellow|white|black|grey|gray|brown|orange|purple|pink|beige|silver"
        r"|gold(?:en)?|rote?[nrsm]?|blaue?[nrsm]?"
    r"|grüne?[nrsm]?|gelbe?[nrsm]?|weiße?[nrsm]?|schwarze?[nrsm]?|graue?[nrsm]?|braune?[nrsm]?|rouges?|bleue?s?"
    r"|verte?s?|jaunes?"
    r"|blanc(?:he)?s?|noire?s?|gris|rojo|azul(?:es)?|verdes?|amarill\w+|blanc[oa]s?|negr[oa]s?|ral \d+)\b"
    r"|[红蓝绿黄白黑]色",
    "brand": r"(?<![.!?] )(?<!^)\b[A-ZÄÖÜ][\w-]+",
    "role": r"\b[A-ZÄÖÜÉ][a-zäöüß]+",
    "reason": r"\b(?:because|since|as|due to|so that|therefore|weil|da|damit|wegen|denn|deshalb|parce que|car"
        r"|porque|para)\b|因为|由于",
    "choice": r"\b(?:not?|only|must|may|can|allowed|forbidden|never|always|nicht|kein\w*|nur|darf|dürfen|muss"
        r"|müssen|erlaubt|"
    r"verboten|pas|interdit|permis|no|solo|prohibid\w*|permitid\w*)\b",
}  # fmt: skip
_CASED: tuple[AnswerType, ...] = ("person", "place", "contact", "brand", "role")


_COUNTED_NOUN = re.compile(
    r"\b(?:how many|wie ?viele?n?|combien d(?:e|')|cuánt[oa]s)\s*(?:more |mehr |other |of the |of our |der "
    r"|des |les )?([^\W\d_]{3,})",
    re.IGNORECASE,
)


def counted_noun(question: str) -> str:
    """The noun that a question counts ("litres" of "how many litres"), "" where it counts nothing."""
    match = _COUNTED_NOUN.search(question)
    return match.group(1).lower() if match else ""


def asked_types(question: str) -> tuple[AnswerType, ...]:
    """The types that a question may ask for; () where its words tell nothing ("What is a rebate?")."""
    lowered = question.lower()
    found = [kind for kind, pattern in _asked().items() if pattern.search(lowered)]
    if "money" in found or "percent" in found:  # "Wie hoch ist die Miete?"
        found = [kind for kind in found if kind not in ("extent", "measure")]
    return tuple(found)


def holds_type(text: str, kind: AnswerType) -> bool:
    """Whether something of that type stands in a text."""
    return _present()[kind].search(text) is not None


@cache
def _asked() -> dict[AnswerType, re.Pattern[str]]:
    return {kind: re.compile(pattern) for kind, pattern in _ASKED.items()}


@cache
def _present() -> dict[AnswerType, re.Pattern[str]]:
    return {kind: re.compile(pattern, 0 if kind in _CASED else re.IGNORECASE) for kind, pattern in _PRESENT.items()}
