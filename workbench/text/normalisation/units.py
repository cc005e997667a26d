"""Spellings of units, currencies and powers of ten in several languages. Nothing is converted: 5 km is not 5,000 m."""

from __future__ import annotations

# a word that often means something else after a number or a year ("2014 won", "2014 second") is not listed
_UNITS = {
    "%": "%|percent|per cent|prozent|pour cent|por ciento|per cento|por cento|procent|パーセント|个百分点|퍼센트",
    "‰": "‰|per mille|promille|pour mille|por mil|per mille",
    "nm": "nm|nanometre|nanometres|nanometer|nanometers|nanometern",
    "µm": "μm|µm|micrometre|micrometres|micrometer|micrometers|mikrometer|mikrometern|micron|microns|微米",
    "mm": "mm|millimetre|millimetres|millimeter|millimeters|millimetern|millimètre|millimètres|milímetro|milímetros|"
    "millimetro|millimetri|毫米|ミリメートル|ミリ|밀리미터",
    "cm": "cm|centimetre|centimetres|centimeter|centimeters|zentimeter|zentimetern|centimètre|centimètres|centímetro|"
    "centímetros|centimetro|centimetri|厘米|公分|センチメートル|センチ|센티미터",
    "m": "m|metre|metres|meter|meters|metern|mètre|mètres|metro|metros|metri|米|メートル|미터",
    "km": "km|kilometre|kilometres|kilometer|kilometers|kilometern|kilomètre|kilomètres|kilómetro|kilómetros|"
    "quilómetro|quilómetros|quilômetro|quilômetros|chilometro|chilometri|公里|千米|キロメートル|킬로미터",
    "mile": "mile|miles|mi|meile|meilen|mille anglais|milla|millas|miglio|miglia|milha|milhas|mijl|mijlen|英里|マイル",
    "foot": "ft|foot|feet|fuß|fuss|pied|pieds|piede|piedi|pé|pés|voet|英尺|フィート",
    "inch": "inch|inches|zoll|pouce|pouces|pulgada|pulgadas|pollice|pollici|polegada|polegadas|duim|英寸|インチ",
    "mg": "mg|milligram|milligrams|milligramm|milligramme|milligrammes|miligramo|miligramos|milligrammo|milligrammi|"
    "miligrama|miligramas|毫克|ミリグラム|밀리그램",
    "g": "g|gram|grams|gramm|gramme|grammes|gramo|gramos|grammo|grammi|grama|gramas|克|グラム|그램",
    "kg": "kg|kilogram|kilograms|kilogramm|kilogramme|kilogrammes|kilo|kilos|kilogramo|kilogramos|chilogrammo|"
    "chilogrammi|chilo|chili|quilograma|quilogramas|quilo|quilos|公斤|千克|キログラム|킬로그램",
    "t": "t|tonne|tonnes|tonnen|tonelada|toneladas|tonnellata|tonnellate|metric ton|metric tons|吨|噸|トン|톤",
    "lb": "lb|lbs|pound weight|libra|libras|libbra|libbre|磅|ポンド",
    "ml": "ml|millilitre|millilitres|milliliter|milliliters|millilitern|mililitro|mililitros|millilitro|millilitri|"
    "毫升|ミリリットル",
    "l": "l|litre|litres|liter|liters|litern|litro|litros|litri|升|リットル|리터",
    "s": "s|sec|secs|seconds|sekunde|sekunden|sek|seconde|secondes|segundo|segundos|secondo|secondi|seconden|秒|초",
    "ms": "ms|millisecond|milliseconds|millisekunde|millisekunden|milliseconde|millisecondes|毫秒|ミリ秒",
    "min": "min|mins|minute|minutes|minuten|minuto|minutos|minuti|minuut|分钟|分鐘|分間|분",
    "h": "h|hr|hrs|hour|hours|stunde|stunden|std|heure|heures|hora|horas|ora|ore|uur|uren|"
    "小时|小時|個小時|个小时|時間|시간",
    "day": "day|days|tag|tage|tagen|jour|jours|día|días|giorno|giorni|dia|dias|dag|dagen|天|日間",
    "week": "week|weeks|woche|wochen|semaine|semaines|semana|semanas|settimana|settimane|weken|周|週間|星期|个星期",
    "month": "month|months|monat|monate|monaten|mois|mes|meses|mese|mesi|mês|maand|maanden|"
    "个月|個月|か月|ヶ月|カ月|개월",
    "year": "year|years|jahr|jahre|jahren|ans|année|années|año|años|anno|anni|ano|anos|jaar|jaren|年間",
    "°C": "°C|degree celsius|degrees celsius|grad celsius|degré celsius|degrés celsius|grado celsius|grados celsius|"
    "gradi celsius|grau celsius|graus celsius|graad celsius|graden celsius|摄氏度|攝氏度",
    "°F": "°F|degree fahrenheit|degrees fahrenheit|grad fahrenheit|degré fahrenheit|degrés fahrenheit|"
    "grados fahrenheit|gradi fahrenheit|graus fahrenheit|graden fahrenheit|华氏度",
    "°": "°|degree|degrees|grad|degré|degrés|grado|grados|gradi|grau|graus|graad|graden|度",
    "K": "K|kelvin",
    "m2": "m2|m^2|qm|sqm|sq m|square metre|square metres|square meter|square meters|quadratmeter|quadratmetern|"
    "mètre carré|mètres carrés|metro cuadrado|metros cuadrados|metro quadrato|metri quadrati|metro quadrado|"
    "metros quadrados|vierkante meter|平方米|平米|平方メートル",
    "km2": "km2|km^2|sq km|square kilometre|square kilometres|square kilometer|square kilometers|quadratkilometer|"
    "quadratkilometern|kilomètre carré|kilomètres carrés|kilómetro cuadrado|kilómetros cuadrados|"
    "chilometro quadrato|chilometri quadrati|quilómetros quadrados|quilômetros quadrados|vierkante kilometer|"
    "平方公里|平方千米|平方キロメートル",
    "cm2": "cm2|cm^2|square centimetre|square centimetres|square centimeters|quadratzentimeter|centimètres carrés|"
    "centímetros cuadrados|centimetri quadrati|centímetros quadrados|vierkante centimeter",
    "m3": "m3|m^3|cbm|cubic metre|cubic metres|cubic meter|cubic meters|kubikmeter|kubikmetern|mètre cube|mètres cubes|"
    "metro cúbico|metros cúbicos|metro cubo|metri cubi|kubieke meter|立方米|立方メートル",
    "cm3": "cm3|cm^3|cubic centimetre|cubic centimetres|cubic centimeters|kubikzentimeter|centimètres cubes|"
    "centímetros cúbicos|centimetri cubi|kubieke centimeter|立方厘米",
    "ha": "ha|hectare|hectares|hektar|hectárea|hectáreas|ettaro|ettari|公顷|ヘクタール",
    "Hz": "hz|hertz",
    "kHz": "khz|kilohertz",
    "MHz": "mhz|megahertz",
    "GHz": "ghz|gigahertz",
    "W": "w|watt|watts",
    "mW": "mW|milliwatt|milliwatts",
    "kW": "kw|kilowatt|kilowatts|千瓦",
    "MW": "mw|megawatt|megawatts",
    "GW": "gw|gigawatt|gigawatts",
    "kWh": "kwh|kilowatt hour|kilowatt hours|kilowattstunde|kilowattstunden|kilowattheures|kilowattuur",
    "V": "v|volt|volts",
    "kV": "kv|kilovolt|kilovolts",
    "J": "j|joule|joules",
    "kJ": "kj|kilojoule|kilojoules",
    "kcal": "kcal|kilocalorie|kilocalories|kilokalorie|kilokalorien|kilocalorías|chilocalorie",
    "N": "newton|newtons",
    "kN": "kn|kilonewton|kilonewtons",
    "Pa": "pa|pascal",
    "MPa": "mpa|megapascal",
    "bar": "bar|bars",
    "dB": "db|decibel|decibels|dezibel",
    "B": "byte|bytes|octets",
    "kB": "kb|kilobyte|kilobytes|kilooctets|ko",
    "MB": "mb|megabyte|megabytes|mégaoctets|mo",
    "GB": "gb|gigabyte|gigabytes|gigaoctets|go|ギガバイト",
    "TB": "tb|terabyte|terabytes|téraoctets",
    "kbit": "kbit|kb/s|kilobit|kilobits",
    "Mbit": "Mb|mbit|megabit|megabits",
    "Gbit": "Gb|gbit|gigabit|gigabits",
    "km/h": "km/h|kmh|kph|stundenkilometer|stundenkilometern|kmph|chilometri orari|時速キロ",
    "mile/h": "mph",
    "EUR": "€|eur|euro|euros|欧元|歐元|ユーロ|유로",
    "USD": "$|us$|usd|dollar|dollars|dólar|dólares|dollaro|dollari|美元|ドル|달러",
    "GBP": "£|gbp|pound sterling|pounds sterling|pounds|pfund|livres sterling|libras esterlinas|sterline|英镑",
    "CHF": "chf|sfr|fr|franken|franc|francs|schweizer franken|francs suisses|swiss francs|franchi|"
    "franchi svizzeri|瑞士法郎",
    "JPY": "¥|jpy|yen|円|日元|엔",
    "CNY": "cny|rmb|yuan|renminbi|元|人民币",
    "KRW": "₩|krw|원",
    "INR": "₹|inr|rupee|rupees|rupien|roupies",
    "PLN": "zł|pln|zloty|zlotys|złoty|złote|złotych",
    "CZK": "kč|czk",
    "SEK": "sek|kronor",
    "DKK": "dkk",
    "NOK": "nok",
    "kr": "kr",
}
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "KRW", "INR", "PLN", "CZK", "SEK", "DKK", "NOK", "kr")
"""The units of money. ``kr`` is that of three countries."""
_EXACT_CASE = frozenset(("mW", "Mb", "Gb", "K", "°C", "°F"))
"""Symbols that mean something else in another case."""
ATTACHED = (
    "km/h|kmh|kph|mph|nm|µm|μm|mm|cm|km|mg|kg|ml|ms|min|kHz|MHz|GHz|Hz|mW|kWh|kW|MW|GW|kV|kJ|kcal|kN|kPa|MPa|ha|dB|"
    "kB|KB|MB|GB|TB|Mbit|Gbit|Mb|Gb|m2|m3|km2|cm2|cm3|qm|ft|lbs|lb|m|g|t|l|L|h|V|W|K|EUR|USD|CHF|GBP|Mio|Mrd"
)
"""Symbols that stand next to a number without a space, as a regular expression, the longest first."""

Spelling = tuple[str, ...]


def _spelling(text: str) -> Spelling:
    """The tokens of a spelling, as they are read in a text."""
    parts: list[str] = []
    for word in text.split():
        if word.isascii() or not word[0].isalpha() or word[0] < "\u0e00":
            parts += [word] if word in ("us$",) else _symbols(word)
        else:
            parts += list(word)
    return tuple(parts)


def _symbols(word: str) -> list[str]:
    """The word between signs: km/h are three tokens, °C are two."""
    found: list[str] = []
    for character in word:
        if not character.isalnum() or not found or not found[-1][-1].isalnum():
            found.append(character)
        else:
            found[-1] += character
    return found


UNITS: dict[Spelling, str] = {
    tuple(part if text in _EXACT_CASE else part.casefold() for part in _spelling(text)): unit
    for unit, spellings in _UNITS.items()
    for text in spellings.split("|")
}
"""The tokens of a spelling, casefolded but for symbols that depend on their case -> the unit."""
FIRST_OF_UNITS = frozenset(spelling[0].casefold() for spelling in UNITS)
LONGEST_UNIT = max(map(len, UNITS))
CURRENCY_BEFORE = frozenset(
    spelling[0] for spelling, unit in UNITS.items() if unit in CURRENCIES and len(spelling) == 1
) - {"yen", "pounds", "pfund", "dollar", "dollars", "euros", "francs", "franc"}
"""What stands before an amount of money."""
PER = (("/",), ("per",), ("pro",), ("par",), ("por",), ("al",), ("all",), ("each",), ("je",), ("à", "l"), ("a", "l"))
"""What stands between two units of a rate."""

MAGNITUDES: dict[Spelling, int] = {
    _spelling(text): 10**power
    for power, spellings in (
        (2, "hundred|hundert|百"),
        (3, "thousand|tausend|mille|mil|mila|duizend|tsd|千"),
        (4, "万|萬|만"),
        (
            6,
            "million|millions|mio|mill|millionen|millón|millones|milione|milioni|milhão|milhões|miljoen|mln|百万|百萬",
        ),
        (8, "亿|億|억"),
        (
            9,
            "billion|billions|bn|milliarde|milliarden|mrd|milliard|milliards|miliardo|miliardi|mld|bilhão|bilhões|"
            "miljard",
        ),
        (12, "trillion|trillions|billón|billones|兆"),
    )
    for text in spellings.split("|")
}
"""The tokens of a power of ten after a number -> its value. In German, French and Dutch a "billion" is 10^12:
``LONG_SCALE``."""
LONG_SCALE: dict[Spelling, int] = {
    ("billion",): 10**12, ("billions",): 10**12, ("billionen",): 10**12, ("biljoen",): 10**12, ("bilione",): 10**12,
}  # fmt: skip
LONGEST_MAGNITUDE = 2
