"""Types of answers: which one a question asks for, and which of them stand in a text.

"How long" asks for a duration, "who" for a person. The question words are those of English, German, French, Spanish
and Chinese; the figures of a text are found in the notations of all of them. Nothing here decides anything: it is
evidence for the choice of a sentence (``sentence_features``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal, get_args

AnswerType = Literal[
    "person", "place", "date", "time", "duration", "money", "percent", "count", "measure", "contact", "reason",
    "frequency", "choice", "age", "extent", "weight", "volume", "temperature", "speed", "power", "area", "colour",
    "brand", "role",
]  # fmt: skip
TYPES: tuple[AnswerType, ...] = get_args(AnswerType)

ATTRIBUTES: tuple[AnswerType, ...] = (
    "age", "extent", "weight", "volume", "temperature", "speed", "power", "area", "colour", "brand", "role",
    "contact",
)  # fmt: skip
"""What a thing or a person has: a sentence that names the thing alone does not tell it."""

TOLD: tuple[AnswerType, ...] = (
    "person", "date", "time", "duration", "frequency", "money", "percent", "contact", "age", "extent", "weight",
    "volume", "temperature", "speed", "power", "area", "colour",
)  # fmt: skip
"""What can be told to be in a text or not: a sentence that answers a question for it nearly always has it."""

_ASKED: dict[AnswerType, str] = {
    "person": r"(?:^\W*|[,;:]\s*|\b(?:and|und|et|y|or|oder|to|for|from|with|by|mit|von|für|an|avec|par|pour|con"
    r"|à|de|a)\s+)"
    r"(?:who|whose|whom|wer|wem|wen|wessen|qui|quién|quien|quiénes)\b|谁|哪位",
    "place": r"\b(where|wo|wohin|woher|où|dónde|donde|adónde)\b|\b(which|what|welche[rsnm]?|quelle?|qué) "
    r"(room|place|city|town|street|raum|zimmer|ort|stadt|salle|ville|lieu|sala|ciudad|lugar|drawer|floor|shelf"
    r"|regal)\b"
    r"|\b(address|adresse|anschrift|dirección)\b|哪里|在哪|何处|哪个城市|哪个国家",
    "date": r"(?:^\W*|[,;:]\s*|\b(?:and|so|by|since|until|till|from) )when\b|\bwhen (?:is|are|was|were|did|does"
    r"|do|will|can"
    r"|must|may|should|has|have|had)\b|\b(?:wann|cuándo|deadline|frist bis|datum)\b|^\W*(?:et |depuis "
    r"|jusqu.à )?quand\b"
    r"|\b(?:depuis|pour|à partir de|jusqu.à) quand\b|^\W*(?:y |desde |hasta )?cuando\b"
    r"|\b(?:what|which|on which|at which) (?:day|year|month|date)\b|\b(?:the|exact) date\b"
    r"|\bwelche[rsnm]? (?:tag|jahr|monat)\b|\bquelle? (?:jour|mois|année|date)\b|\bqué (?:día|año|mes|fecha)\b"
    r"|何时|什么时候|哪一?年|哪天|几月",
    "time": r"\b(what time|which hour|opening hours|um wie ?viel uhr|wie spät|uhrzeit|öffnungszeiten|à quelle heure"
    r"|horaires?|a qué hora|horario)\b|几点",
    "duration": r"\b(how (?:long|early|soon|(?:far|long|much) (?:in advance|ahead|before))"
    r"|wie (?:lange|lang(?! (?:ist|sind|war|waren)\b)|früh|weit im voraus)"
    r"|combien de temps|cuánto tiempo|con cuánta antelación|how many (?:minutes|hours|days|nights|weeks|months|years)"
    r"|(?:combien de |cuánt[oa]s )(?:minutes|heures|jours|nuits|semaines|mois|ans|minutos|horas|días|noches|semanas"
    r"|meses|años)"
    r"|wie ?viele? (?:minuten|stunden|tage|nächte|wochen|monate|jahre)|notice period|kündigungsfrist"
    r"|duration|dauer|durée|duración)\b|多久|多长时间",
    "frequency": r"\b(?:how often|how frequently|wie oft|wie häufig|à quelle fréquence|con qué frecuencia"
    r"|how many times|wie ?viele? male?|combien de fois|cuántas veces)\b",
    "money": r"\b(costs?|price|pay|paid|earns?|fee|rent|salary|salaries|wages?|deposit|charge[ds]?|expensive|budget"
    r"|euros?|francs?|franken|dollars?|how much is"
    r"|kostet?n?|preis|gebühr|miete|lohn|gehalt|kaution|bezahl\w*|zahl(?:en|t)|teuer|betrag|honorar|pauschale"
    r"|kosten|verdien\w*|\w+(?:gebühr|miete|preis|kosten|beitrag|entgelt|betrag|pauschale)(?:en|e|n|s)?|entgelte?"
    r"|(?:stunden|tages)s[aä]tze?n?|(?:hourly|daily|day) rates?|taux horaire"
    r"|coûte\w*|coûts?|frais|prix|tarif|loyer|payer|montant|salaires?|gagne\w*|cuesta\w*|costes?|costos?|precio|tarifa"
    r"|pagar|salarios?|sueldos?|gana"
    r"|importe|cobra\w*"
    r"|wie hoch \w+ (?:\w+ ){0,3}\w*(?:raten?|prämien?|rechnung(?:en)?|eigenanteil|zinsen|zuschuss|zuschüsse|förderung"
    r"|strafen?|bußgeld(?:er)?|selbstbeteiligung|selbstbehalt|provision|umsatz|gewinn|verlust|kredit|darlehen|anzahlung"
    r"|abschlag|summen?|erlös|einnahmen|ausgaben|spenden?|umlagen?|trinkgeld|zulagen?|zuschlag|zuschläge|bonus"
    r"|entschädigung|erstattung|vergütung|abfindung|steuern?|pacht|schaden)"
    r"|how (?:high|large|big) \w+ (?:\w+ ){0,3}(?:deductible|excess|premium|fine|penalty|bonus|grant|loan|debt|invoice"
    r"|bill|surcharge|allowance|turnover|revenue|profit|loss|instalment)s?"
    r"|what(?:'?s| is| was| are| were) (?:\w+ ){0,2}(?:deductible|premium|fine(?! arts?)|penalty|surcharge|allowance"
    r"|commission|(?:down payment|instalment)s?)"
    r"|(?:quel(?:le)? (?:est|était) (?:\w+ |l['’])|à combien s['’]élève(?:nt)? (?:\w+ |l['’]))(?:\w+ )?(?:amende"
    r"|cotisation|prime|acompte|caution|franchise|indemnité|subvention|redevance|mensualité)"
    r"|(?:cuál es|de cuánto es) (?:\w+ ){1,2}(?:cuota|multa|prima|fianza|alquiler|presupuesto|subvención|mensualidad"
    r"|comisión))\b|多少钱|价格|费用",
    "percent": r"\b(per ?cent|percentage|discount|prozent\w*|rabatt|skonto|pour ?cent(?:age)?|remise"
    r"|por ciento"
    r"|porcentaje|descuento)\b|%|百分",
    "count": r"\b(how many|how much|wie ?viele?[nr]?|combien|cuánt[oa]s?|number of|anzahl)\b|多少|几",
    "measure": r"\bhow (?:long|high|far|old|large|big|tall|deep|wide|fast|often|heavy|thick|hot|cold|loud|warm"
    r"|thin|close)"
    r"\b|\bwie (?:lange?|hoch|weit|alt|groß|tief|breit|schnell|oft|schwer|dick|heiß|kalt|warm|laut)\b"
    r"|\b(maximum|max|minimum|min|limit|least|most|longest|shortest|highest|lowest|höchste\w*|größte\w*|mindest\w*"
    r"|maximal\w*|temperature|temperatur|weight|gewicht|length|länge|height|höhe|width|breite|distance|abstand|speed"
    r"|pressure|druck|size|größe|depth|tiefe|capacity)\b",
    "contact": r"\b(?:phone|telephone|mobile|cell|fax|account|serial|order|customer|policy|invoice|licen[cs]e"
    r"|registration)"
    r" (?:number|no)\b|\b\w*(?:telefon|handy|fax|konto|serien|kunden|auftrags|rechnungs|versicherungs"
    r"|steuer)\w*nummern?\b"
    r"|\bwelche nummer (?:hat|haben|trägt)\b"
    r"|\b(?:durchwahl|iban|e-?mail(?:s|adresse)?|passwords?|passwor?t|mot de passe|contraseña|wifi|wlan|numéro"
    r"|teléfono)\b|电话|号码",
    "age": r"\b(how old|wie alt|quel âge|qué edad|age|alter|birthday|born|geburtstag|geboren|baujahr)\b",
    "extent": r"\b(how (?:high|far|tall|deep|wide|thick|broad)|wie (?:hoch|weit|tief|breit|dick|groß)|height"
    r"|höhe|width"
    r"|breite|depth|tiefe|thickness|dicke|stärke|distance|abstand|diameter|durchmesser|profondeur|hauteur"
    r"|largeur|altura|ancho"
    r"|profundidad)\b",
    "weight": r"\b(how heavy|wie schwer|weights?|weighs?|gewicht|wiegt|payload|nutzlast|poids|pèse|peso|pesa"
    r"|kilos?|kg)\b",
    "volume": r"\b(lit(?:re|er)s?|volume|volumen|tank capacity|litres|litros)\b",
    "temperature": r"\b(temperatures?|\w*temperatur(?:en)?|how (?:hot|cold|warm)|wie (?:heiß|kalt|warm)|température"
    r"|temperatura)\b",
    "speed": r"\b(how fast|wie schnell|speed|geschwindigkeit|drehzahl|frame rate|bildrate|vitesse|velocidad|tempo)\b",
    "power": r"\b(?:wattage|how much power|wie ?viel leistung|watts?|voltage|spannung|volts?|voltios|vatios"
    r"|puissance|potencia"
    r"|how many amps|ampere|lumens?|brightness|helligkeit|how bright|wie hell|how loud|wie laut)\b",
    "area": r"\b(floor area|fläche|how many square met(?:re|er)s|wie ?viele? quadratmeter|superficie"
    r"|mètres carrés)\b",
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
    "choice": r"^\W*(?:and |und |so |also )?(is|are|was (?:the|it|there|this|that|he|she|they|our|an?|any)|were"
    r"|do|does|did|can|may|must|should|has|have|will|am"
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
_CURRENCY = (
    r"(?:[€$£¥₹]|(?<![^\W\d_])(?:eur|euros?|chf|usd|gbp|francs?|franken|dollars?|cents?|pounds?|zł|pln|kč|czk|kr|sek|dkk"
    r"|nok|yen)\b)"
)
_NUMERAL = (
    r"\d[\d.,'’]{0,19}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|twenty|thirty"
    r"|sixty|ninety|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|vierzehn|fünfzehn|zwanzig|dreißig|deux"
    r"|trois|quatre"
    r"|cinq|sept|huit|neuf|dix|onze|douze|quinze|vingt|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|veinte"
)
_COUNTED = rf"(?:{_NUMERAL}|half an?|an?|ein(?:e[mnrs]?)?|une?|una?)"
_PERIOD = (
    r"(?:minutes?|mins?|hours?|days?|nights?|weekends?|weeks?|months?|years?|seconds?|minuten?|stunden?|std|tagen?|tage?"
    r"|nächten?|nacht|wochen(?:enden?)?|woche|monate?n?|jahre?n?|sekunden?|heures?|jours?|nuits?|semaines?|mois|ans?"
    r"|années?|horas?|días?|noches?|semanas?|mes(?:es)?|años?|working days|werktage?n?|arbeitstage?n?)"
)
_EVENT = (
    r"(?:receipt|delivery|arrival|departure|completion|signature|signing|handover|acceptance|notification|payment"
    r"|closing|approval|erhalt|eingang|zugang|lieferung|ankunft|anreise|abreise|abnahme|unterschrift|unterzeichnung"
    r"|übergabe|auszug|einzug|zahlung|abschluss|ablauf|kündigung|freigabe|réception|livraison|arrivée|départ"
    r"|achèvement|remise|paiement|échéance|recepción|recibo|entrega|llegada|salida|firma|pago|vencimiento)"
)
_RELATIVE_DATE = (
    r"\b(?:(?:at|by|until|till|before|after|from|since|towards) the (?:very )?(?:end|beginning|start|middle) of"
    r"|(?:am|zum|bis|vor|nach|gegen|ab|seit)(?: dem| zum)? (?:ende|anfang|beginn|mitte)\b"
    r"|(?:ende|anfang|mitte) (?:de[sr]|eine[sr]|nächste[nrs]|jede[nrs])"
    r"|(?:jahres|monats|quartals|wochen|saison|vertrags|schuljahres|geschäftsjahres)(?:ende|anfang|beginn|schluss)s?"
    r"|(?:à|avant|après|dès|vers|jusqu.à|depuis)(?: la| le)? (?:fin|début|mi-)|(?:au|jusqu.au|dès le|fin|début) "
    r"(?:début|milieu|du mois|de l.année|d.année|de mois)"
    r"|(?:a|al|hasta|desde|antes de|después de|tras)(?: la| el)? (?:final(?:es)?|fin|inicio|principios?"
    r"|comienzo|mediados)"
    rf"|(?:within|innerhalb(?: von)?|binnen|dans (?:les|un délai de)|sous|en un plazo de|dentro de)"
    rf"(?: the (?:first|next))? {_COUNTED}[ -]?{_PERIOD}"
    rf"|{_COUNTED}[ -]?{_PERIOD} (?:after|before|of|from|prior|in advance|vor|nach|ab|vorher|nachher|danach|zuvor|avant"
    r"|après|antes|después)"
    rf"|(?:on|upon|after|before|following|bei|nach|vor|ab|mit|à|dès|avant|après|al|a|tras|antes de|después de)"
    rf"(?: the| der| dem| la| le| el| del)? (?:l.)?{_EVENT}"
    r"|as soon as|no later than|at the latest|sobald|spätestens|dès que|au plus tard|en cuanto|a más tardar)\b"
)
"""When something is, as another event tells it: "at the end of the year that follows", "within a month of receipt"."""
_PRESENT: dict[AnswerType, str] = {
    "place": r"\b(?:in|at|on|im|am|bei|auf|unter|neben|hinter|behind|under|beside|next to|à|dans|sous"
        r"|en) (?:the |der |dem |den "
    r"|das |la |le |l'|el )?[\w-]+|[Ss]tra(?:ße|sse)|\b[Ss]treet\b|\b[Rr]ue\b|\b[Cc]alle\b|\b\d{4,5} [A-ZÄÖÜ]"
    r"|\b[Rr]oom\b|[Rr]aum",
    "date": rf"\b(?:spring|summer|autumn|winter|easter|christmas|today|tomorrow|yesterday|frühjahr|frühling"
    r"|sommer|herbst"
        rf"|ostern|weihnachten|heute|printemps|automne|hiver|noël|primavera|verano|otoño|invierno|navidad)\b"
        rf"|\b\d{{1,2}}[./]\s?\d{{1,2}}[./]|\b\d{{4}}-\d{{2}}|\b(?:{_MONTH})\b\.?,? ?\d|\b\d{{1,2}}(?:st|nd"
        rf"|rd|th|\.)? (?:of |de )?"
    rf"(?:{_MONTH})\b|\b(?:{_DAY})\b|\b(?:1[5-9]|20)\d\d\b|\d年|\d月|{_RELATIVE_DATE}",
    "time": r"\b\d{1,2}[:.]\d{2}\b|\b\d{1,2} ?(?:am|pm|a\.m|p\.m|uhr|h|o'clock)\b|\bnoon\b|\bmidnight\b|\d点",
    "duration": rf"\b{_COUNTED}[ -]?{_PERIOD}\b|\d\s?(?:分钟|小时|天|年|个月|周)",
    "frequency": r"\b(?:(?:after|at|on|nach|bei|beim|à|au|tras|a) (?:the |der |dem |la |le |el )?"
    r"(?:second|third|fourth|fifth|zweiten|dritten|vierten|deuxième|troisième|quatrième|segund[ao]|tercer[ao]?|cuart[ao])"
    r"|daily|hourly|weekly|monthly|quarterly|yearly|annually|once|twice|every|each|times?|per"
    r"|täglich|stündlich"
    r"|wöchentlich|monatlich|vierteljährlich|jährlich|jede[nrs]?|\w*mal|pro|alle|fois|chaque|par|tous|toutes"
    r"|veces|vez"
    r"|cada|al (?:día|mes|año))\b|\d ?x\b|次|每",
    "money": rf"\d[\d.,'’]{{0,19}} ?{_CURRENCY}|{_CURRENCY} ?\d[\d.,'’]{{0,19}}|{_CURRENCY}|美元|元|欧元"
    r"|(?<![\d.,:/-])\d[\d.,'’]*[.,]\d\d\b(?![.,:/-]?\d| ?(?:[cmk]?m[²³]?|km/h|k?g|m?l|h|kwh?|bar|°)(?!\w))"
    r"|\d ?ct\b|\d ?%|\b(?:free|gratis|kostenlos|umsonst|gratuit\w*|half|hälfte|moitié|mitad)\b",
    "percent": rf"\b(?:{_NUMERAL})[ -]?(?:%|per ?cent|prozent|pour ?cent|por ciento)"
    r"|\b(?:per ?cent|prozent|pour ?cent|por ciento)\b|百分",
    "count": rf"\b(?:{_NUMERAL}|no|none|both|kein\w*|beide\w*|aucun\w*|ningun\w*)\b|[一二三四五六七八九十百千两]",
    "measure": r"\d ?(?:mm|cm|m|km|m²|m2|m³|m3|kg|g|t|l|ml|°|°c|bar|w|kw|kwh|v|hz|mhz|rpm|kn|n|pa|lux|db|px|mb"
        r"|gb|metres?|meters?"
    r"|meter|liters?|litres?|liter|tonnen?|tons?|grad|degrees|miles?|feet|inch(?:es)?|ppm|nm|yards?|points?)\b|\d",
    "contact": r"@|\b0\d[\d /()-]{5,}|\+\d\d|\b[A-Z]{2}\d\d ?\d{4}|\b[A-Z]{1,5}-?\d[\w-]*|\d{3,}",
    "age": rf"(?<!für )(?<!auf )(?<!for )(?<!pour )(?<!por )\b{_COUNTED}[ -](?:years?|jahre?n?|ans|años)\b"
    r"|\b(?:aged?|alter|born|geboren\w*|geb\.|né|née|nacid\w+|built|gebaut|baujahr|construit\w*|since|seit|depuis|desde)\b",
    "extent": r"\d ?(?:mm|cm|dm|m|km|metres?|meters?|meter|zentimeter|kilomet\w+|miles?|feet|foot|inch(?:es)?"
        r"|yards?|mètres?|metros?)\b"
    r"|公里|米",
    "weight": r"\d ?(?:kg|g|t|tons?|tonnes?|tonnen?|kilos?|kilograms?|gramm?s?|lbs?|pounds?)\b|公斤|吨",
    "volume": r"\d ?(?:l|ml|cl|hl|lit(?:re|er)s?|litros?|m³|m3|cbm|cubic|gallons?)\b",
    "temperature": rf"\b(?:{_NUMERAL}) ?(?:°|degrees?|grad|degrés|grados)|\d ?°",
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
_HOUR = r"(?:[01]?\d|2[0-4])[.:][0-5]\d"
_UNTIL = rf" ?(?:[-–]|to|bis|until|till|à|a|hasta(?: las)?) ?{_HOUR}"
_CLOCK = re.compile(
    rf"\b{_HOUR}{_UNTIL}\b(?![.,]\d)|\b{_HOUR} ?(?:uhr|h|hrs|am|pm|a\.m|p\.m|o'clock)\b"
    rf"|\b(?:at|um|ab|bis|from|until|till|before|after|vor|nach|dès|las) {_HOUR}(?:{_UNTIL})?\b(?![.,]\d| ?%)",
    re.IGNORECASE,
)
"""Times of day, which are no amounts of money where they are written with a point."""

_ASKS_PHONE = re.compile(
    r"\b(?:tele)?phone\b|\bmobile\b|\bcell\b|\bfax|telefon|handy|rufnummer|téléphone|teléfono|móvil|电话", re.IGNORECASE
)
_ASKS_MAIL = re.compile(r"\be-?mail|mailadresse|mail address|courriel|correo electrónico|邮箱", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![\w.,/@-])(?!\d{4}-\d\d)(?:\+|\()?\d(?:[ /()-]{0,3}\d){5,}(?![\d.,]*\d)|\b(?:ext|extension)\.? ?\d+"
)
_MAIL = re.compile(r"\S@\S")
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|Frau|Fr|Herrn?|Hr|Mme|Madame|Monsieur|Señora?|Sra?|M)\.? [A-ZÄÖÜÉ][\w'’-]+"
)
_TWO_PARTS = re.compile(
    r"\b([A-ZÄÖÜÉ][a-zäöüßéèáíóúñç'’-]+)(?:\s(?:van|von|de|da|di|le))?\s[A-ZÄÖÜÉ][a-zäöüßéèáíóúñç'’-]+"
)
_OFFICE = re.compile(
    r"\b(?:owners?|board|treasurer|captain|secretary|chair\w*|managers?|directors?|committee|foreman|coach"
    r"|trainers?|members?"
    r"|staff|apprentices?|\w*vorstand\w*|\w*wart(?:in)?|\w*leiter(?:in)?|\w*leitung|mitglied\w*|eltern|\w*ausschuss"
    r"|geschäftsführ\w*|inhaber\w*|meister(?:in)?|président\w*|trésori\w+|direct\w+|gérant\w*|présidence|jef[ea]s?"
    r"|tesorer\w+|soci[oa]s?)\b",
    re.IGNORECASE,
)
_CAPITALISED = re.compile(r"(?<=[a-zéèáíóúñç,;(] )[A-ZÉÁÍÓÚÑ][\w'’-]{2,}|(?<=\()[A-ZÉÁÍÓÚÑ][\w'’-]{2,}")
_GERMAN = re.compile(
    r"\b(?:der|die|das|dem|den|ein|eine[nmrs]?|für|und|ist|sind|nicht|von|mit|im|zum|zur|beim"
    r"|wird)\b"
)
_NO_NAME_WORDS = """the a an this that these those our your their his her its all every each no in on at for from
with by of to as if when where who what which how and or but der die das dem den des ein eine
einen einer im am zum zur beim bei für mit nach vor von wer was wenn bis ab auf alle jede jeder
jedes dieser diese dieses und oder aber unser unsere kein keine le la les un une du au aux ce
cette ces et ou mais el los las una del al este esta y o pero monday tuesday wednesday thursday
friday saturday sunday january february march april may june july august september october
november december montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar
märz mai juni juli oktober dezember"""
_NO_NAMES = frozenset(_NO_NAME_WORDS.split())
_CASED: tuple[AnswerType, ...] = ("place", "contact", "brand", "role")


_CUES: dict[AnswerType, str] = {
    "money": "price prices cost costs costing charge charges charged pay paid payable fee fees expensive amount sum"
    " eur euro euros chf francs franken dollars kosten kostet kostete preis preise betrag beträge zahlen zahlt"
    " bezahlen bezahlt teuer gebühr gebühren prix coûte coûtent coût coûts tarif tarifs montant payer payé"
    " precio precios cuesta cuestan coste costo importe tarifa pagar pagado",
    "date": "date deadline datum fecha",
    "time": "time hour uhrzeit uhr zeit heure hora horario horaire",
    "duration": "duration dauer dauert durée duración dura long early soon lang lange früh vorher",
    "percent": "percent cent percentage prozent prozentsatz pourcentage ciento porcentaje",
}
"""The words by which a question asks for a type without saying more of it: what is of the type tells them. None of what
a thing has (``ATTRIBUTES``): "square metres" of another thing are near wherever they are absent of the one."""

_WHICH_DAY = re.compile(
    r"\b(?:what|which|welche[rsnm]?|quel(?:le)?|qué) (day|month|year|tag|monat|jahr|jour|mois|année|día|mes|año)\b"
)


def cue_words(question: str, kind: AnswerType) -> frozenset[str]:
    """The words, in lower case, of which a value of a type that is asked for tells as much as the word itself would:
    240 EUR the "price"."""
    words = _CUES.get(kind, "").split()
    if kind == "date":
        words += _WHICH_DAY.findall(question.lower())  # the year of "next year" says when
    return frozenset(words)


_COUNTED_NOUN = re.compile(
    r"\b(?:how many|wie ?viele?n?|combien d(?:e|')|cuánt[oa]s)\s*(?:more |mehr |other |of the |of our |der "
    r"|des |les )?([^\W\d_]{3,})",
    re.IGNORECASE,
)
_COUNTED_OF = re.compile(
    r"\s+(?:(?:of|de|von|an)\s+(?:the|our|my|la|los|las|der|den)?\s*|d['’]|(?=[A-ZÄÖÜ][a-zäöüß]))([^\W\d_]{3,})"
)


def counted_noun(question: str) -> str:
    """The noun that a question counts ("litres" of "how many litres"), "" where it counts nothing."""
    match = _COUNTED_NOUN.search(question)
    return match.group(1).lower() if match else ""


def counted_thing(question: str) -> str:
    """What the counted noun is a measure of ("holiday" of "how many days of holiday"), as it is written; "" where it is
    of nothing."""
    match = _COUNTED_NOUN.search(question)
    of = _COUNTED_OF.match(question, match.end()) if match else None
    return of.group(1) if of else ""


def asked_types(question: str) -> tuple[AnswerType, ...]:
    """The types that a question may ask for; () where its words tell nothing ("What is a rebate?")."""
    lowered = question.lower()
    found = [kind for kind, pattern in _asked().items() if pattern.search(lowered)]
    if "money" in found or "percent" in found:  # "Wie hoch ist die Miete?"
        found = [kind for kind in found if kind not in ("extent", "measure")]
    if "date" in found:  # "When was she born?"
        found = [kind for kind in found if kind != "age"]
    return tuple(found)


_PRICE_NOUN = (
    r"(?:price|cost|salary|wages?|rent|fee|deposit|preis|gehalt|lohn|miete|gebühr|kaution|prix|salaire|loyer|tarif|precio"
    r"|salario|sueldo|tarifa)"
)
_MORE = (
    r"(?! (?:(?:the )?(?:most|least|more|less)|(?:am )?(?:meisten|wenigsten)|mehr|weniger|nichts|más|menos|nada"
    r"|\d[\d.,]* ?(?:€|eur\b|euro|pounds)))"
)
_COMPOUND = r"(?! (?:cent(?:re|er)|group|schedule|agreement|contract|account|list|band|scale|book|code|number)s?\b)"
_AMOUNT = re.compile(
    r"^\W*(?!(?:who|when|where|why|which|what|does|do|did|is|are|was|can|wer|wann|wo|warum|welch\w+|ist|sind|war|kann"
    r"|\w*zahl\w*"
    r"|qui|quand|où|quel\w*|est|quién|cuándo|dónde|es)\b)(?:[\w-]+ ){0,2}[\w-]*(?:price|rate|fee|rent|preis|gebühr"
    r"|miete|lohn|prix|loyer|tarif|precio|tarifa)(?= (?:of|for|per|der|des|für|von|pro|de|du|para|por)\b| d['’]|\W*$)"
    r"|\bhow (?:expensive|high)\b|\bwie ?(?:hoch|teuer)\b"
    r"|\bhow much (?:money|is|are|was|were|do|does|did|will|would|must|should|can|may|has|have|to|for|in|per|an?)\b"
    rf"|\bhow much (?:(?:of )?the |more |{_PRICE_NOUN}\b|(?-i:[A-Z]))|\b(?:how much|wie ?viel|combien|cuánto)\W*$"
    r"|\bwie ?viel(?: (?:geld|euro|rate|\w*(?:miete|lohn|gehalt|gebühr|preis))\b| (?-i:[^\W\dA-ZÄÖÜ]))"
    r"|\bcombien(?! d(?:e |['’]))|\bcombien d(?:e |['’])(?:argent|euros|loyer)\b"
    r"|\bcuánto(?! (?:tiempo|espacio|peso|agua|equipaje|plazo)\b)"
    r"|\b(?:what|was|qué|que|cuál)\b(?! costs?\b)[^,;?]{0,60}\b(?:costs?|earns?|kosten|kostet|verdien\w*|cuesta\w*"
    rf"|gana\w*|vaut)\b{_MORE}{_COMPOUND}"
    r"|\b(?:what(?: is|'s| are| was| were)|wie ist|was ist|was sind|quel(?:le)? (?:est|était)|cuál es)"
    rf" (?:the |der |die |das |le |la |el )?(?:[^\W\d_]+ ){{0,2}}{_PRICE_NOUN}\b{_COMPOUND}",
    re.IGNORECASE,
)
_WHAT_FOR = re.compile(
    r"\b(?:includ\w*|cover\w*|contain\w*|for\W*$|enthalten|inbegriffen|umfasst|deckt|compris\w*|comprend|incluid\w*|incluye"
    r"|per ?cent|percentage|prozent\w*|rabatt|discount|%)",
    re.IGNORECASE,
)
"""Asks what a price is for, or for a share of it."""
_NO_AMOUNT = re.compile(
    r"\b(?:no(?!\.)|nothing|without|kein\w*|nichts|ohne|entfäll\w*|rien|sans|aucun\w*|nada|sin|ningun\w*|waived"
    r"|(?:kosten|gebühren|beitrags|eintritts)frei\w*|(?:eintritt|zutritt|lieferung|versand)[^.|]{0,20} frei)\b",
    re.IGNORECASE,
)
_INCLUDED = re.compile(
    r"^(?!.*\b(?:not|nicht|pas)\b).*\b(?:included|inbegriffen|(?:preis|miete|beitrag|gebühr)[^.|]{0,20} enthalten"
    r"|compris\w*|incluid\w+)\b",
    re.IGNORECASE | re.DOTALL,
)


def asks_amount(question: str) -> bool:
    """Whether a question asks for an amount of money and nothing else, as "what does she earn?" does; "what is included
    in the price?" does not."""
    kinds = asked_types(question)
    others = {"person", "place", "date", "time", "duration", "frequency", "contact", "reason", "choice"}
    if "money" not in kinds or not others.isdisjoint(kinds):
        return False
    return bool(_AMOUNT.search(question)) and not _WHAT_FOR.search(question)


def tells_amount(text: str, question: str) -> bool:
    """Whether a text gives an amount of money, a number beside a word for a price ("Rent: 780"), or says that the thing
    is free or included."""
    if holds_type(text, "money", question) or _NO_AMOUNT.search(text) or _INCLUDED.match(text):
        return True
    figures = re.findall(r"\d[\d.,]*", text)
    return bool(_asked()["money"].search(text.lower())) and any(figure not in question for figure in figures)


def holds_type(text: str, kind: AnswerType, question: str = "") -> bool:
    """Whether something of that type stands in a text that does not stand in the ``question`` as well."""
    asked = question.lower()
    found = _persons(text) if kind == "person" else (match.group() for match in _values(text, kind, question))
    return any(one.lower().strip() not in asked for one in found)


def value_places(text: str, kinds: Sequence[AnswerType], question: str) -> list[int]:
    """Where the values of some types begin in a text, but for those that stand in the question as well."""
    asked = question.lower()
    return [
        match.start()
        for kind in kinds
        if kind != "person"
        for match in _values(text, kind, question)
        if match.group().lower().strip() not in asked
    ]


def _values(text: str, kind: AnswerType, question: str) -> Iterator[re.Match[str]]:
    """What is of a type in a text: of an address only the kind that the ``question`` asks for, a number of a telephone
    or an address for mail; and no time of day that looks like an amount of money."""
    pattern = _present()[kind]
    if kind == "contact" and bool(_ASKS_PHONE.search(question)) != bool(_ASKS_MAIL.search(question)):
        pattern = _MAIL if _ASKS_MAIL.search(question) else _PHONE
    clocks = [match.span() for match in _CLOCK.finditer(text)] if kind == "money" else []
    for match in pattern.finditer(text):
        if not any(start < match.end() and match.start() < end for start, end in clocks):
            yield match


def _persons(text: str) -> Iterator[str]:
    """What may name persons: after a title, of two parts, by their office, and in other languages than German every
    capitalised word within a sentence."""
    for match in _TITLED.finditer(text):
        yield match.group()
    for match in _TWO_PARTS.finditer(text):
        if match.group(1).lower() not in _NO_NAMES:
            yield match.group()
    for match in _OFFICE.finditer(text):
        yield match.group()
    if not _GERMAN.search(text):
        for match in _CAPITALISED.finditer(text):
            if match.group().lower() not in _NO_NAMES:
                yield match.group()


@cache
def _asked() -> dict[AnswerType, re.Pattern[str]]:
    return {kind: re.compile(pattern) for kind, pattern in _ASKED.items()}


@cache
def _present() -> dict[AnswerType, re.Pattern[str]]:
    return {kind: re.compile(pattern, 0 if kind in _CASED else re.IGNORECASE) for kind, pattern in _PRESENT.items()}
