"""Brotkorb Ohlsum, a food bank with drivers, shops that give and the café Untertasse: its documents (all invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Vereinbarung Nordhafer.docx": "de",
    "Drivers handbook.pdf": "en",
    "Protokoll Vorstand 2025-06-11.docx": "de",
    "Re_ Re_ Cold van.eml": "en",
    "AW_ Beitrag und Härtefälle.eml": "de",
    "cafe-untertasse.html": "en",
    "dragan-store-notes.md": "en",
    "Carta Belmonte.odt": "es",
    "Abholungen Frühjahr 2025.xlsx": "de",
    "Shops that give.xlsx": "en",
    "Store count.xlsx": "en",
    "karten_2025.csv": "de",
    "Vans.xlsx": "en",
    "cafe_till.csv": "en",
    "Rechnungen und Spenden 2025.xlsx": "de",
    "Collecte de printemps.xlsx": "fr",
}
PICTURES: dict[str, str] = {}
TABLES = {
    "pickups": TableAt("Abholungen Frühjahr 2025.xlsx", "Abholungen", skip=1),
    "hours": TableAt("Abholungen Frühjahr 2025.xlsx", "Stunden", skip=1, head=2, last="Summe"),
    "shops": TableAt("Shops that give.xlsx", "Shops"),
    "complaints": TableAt("Shops that give.xlsx", "Complaints"),
    "stock": TableAt("Store count.xlsx", "Count"),
    "readings": TableAt("Store count.xlsx", "Readings", skip=1),
    "cards": TableAt("karten_2025.csv", delimiter=";", encoding="cp1252", decimal=","),
    "vans": TableAt("Vans.xlsx", "Vans"),
    "fuel": TableAt("Vans.xlsx", "Fuel"),
    "till": TableAt("cafe_till.csv"),
    "invoices": TableAt("Rechnungen und Spenden 2025.xlsx", "Rechnungen", last="Summe"),
    "gifts": TableAt("Rechnungen und Spenden 2025.xlsx", "Spenden", skip=1),
    "collecte": TableAt("Collecte de printemps.xlsx", "Collecte", skip=1, last="Total"),
}


def day(text: str) -> datetime.date | None:
    """A date of 2025 from `3.5.`, of another year from `3.5.2019`."""
    if not text:
        return None
    parts = [int(one) for one in text.strip(".").split(".")]
    return datetime.date(parts[2] if len(parts) > 2 else 2025, parts[1], parts[0])


HOURS: list[list[Any]] = [
    ["Harm Bruns", 31, 6, 28.5, 4, 36, 5],
    ["Selim Aksoy", 24, 10, 26, 12.5, 22.5, 9],
    ["Tove Lindgard", 19.5, None, 30, None, 27, 3],
    ["Gundula Raabe", 27, 8, 12, 16, 33.5, 8],
    ["Piet Okonjo", 14, 21, 17.5, 18, None, None],
    ["Ines Falcato", None, None, 6, 11, 20, 14.5],
    ["Dragan Ilić", 2, 58, 4, 61.5, 3, 49],
    ["Jette Albers", None, 17, None, 22, None, 26],
    ["Bodo Stammer", None, 12.5, None, 9, None, 15],
    ["Mirko Voss", 8, 30, 11, 27, 9.5, 34],
]
SHOPS: list[list[Any]] = [
    ["Shop", "Gives", "Grp", "Since", "Days", "Ready by", "Ask for", "Phone", "Agreement"],
    [
        "Nordhafer Markt",
        "groceries",
        "A",
        day("1.2.2016"),
        "Mon Wed Fri",
        "08:30",
        "Gerrit Pohlmann",
        "04467 2210",
        day("18.11.2024"),
    ],
    ["Nordhafer Express", "groceries", "A", day("13.9.2021"), "Tue Sat", "20:15", "Svea Möhle", "04467 2218", None],
    [
        "Preiswolf Ostring",
        "groceries",
        "A",
        day("7.5.2018"),
        "Mon Thu",
        "07:45",
        "Kai Dettmer",
        "04467 5190",
        day("10.1.2023"),
    ],
    [
        "Preiswolf Kramstede",
        "groceries",
        "A",
        day("25.3.2019"),
        "Tue Fri",
        "07:30",
        "Anneke Rühl",
        "04469 815",
        day("10.1.2023"),
    ],
    [
        "Biomarkt Halmblick",
        "groceries",
        "A",
        day("4.4.2022"),
        "Wed",
        "13:00",
        "Corvin Ade",
        "04467 6634",
        day("2.5.2022"),
    ],
    [
        "Bäckerei Petersilge",
        "bread",
        "B",
        day("1.10.2012"),
        "Mon to Sat",
        "18:30",
        "Almut Petersilge",
        "04467 1377",
        day("6.3.2017"),
    ],
    ["Bäckerei Knurr", "bread", "B", day("15.6.2020"), "Tue Thu Sat", "18:00", "Jost Knurr", "04467 3052", None],
    [
        "Backstube Ankerplatz",
        "bread, cake",
        "B",
        day("8.1.2024"),
        "Mon Fri",
        "17:45",
        "Ludmila Hess",
        "04467 9401",
        day("15.1.2024"),
    ],
    ["Frutas Belmonte", "fruit", "C", day("3.3.2023"), "Thu", "06:30", "Nieves Belmonte", "04471 7008", None],
    [
        "Hofladen Krähenbusch",
        "vegetables, eggs",
        "C",
        day("20.8.2015"),
        "Tue",
        "10:00",
        "Familie Krähe",
        "04468 119",
        day("20.8.2015"),
    ],
    [
        "Gärtnerei Moosgrün",
        "vegetables, herbs",
        "C",
        day("2.5.2019"),
        "Fri",
        "09:30",
        "Ubbo Moos",
        "04468 340",
        day("11.6.2019"),
    ],
    [
        "Obst Aydemir",
        "fruit",
        "C",
        day("19.2.2018"),
        "Mon Wed",
        "19:00",
        "Nuran Aydemir",
        "04467 4486",
        day("26.2.2018"),
    ],
    [
        "Molkerei Wiesenbach",
        "dairy",
        "D",
        day("1.7.2017"),
        "Wed",
        "11:15",
        "Herr Tönjes",
        "04471 2500",
        day("1.7.2017"),
    ],
    ["Metzgerei Dobbert", "sausage", "D", day("12.11.2022"), "Sat", "13:30", "Enno Dobbert", "04467 1930", None],
    ["Fischhaus Tjarks", "fish", "D", day("9.9.2024"), "Fri", "17:00", "Wencke Tjarks", None, day("9.9.2024")],
    [
        "Drogerie Seifert",
        "soap, nappies",
        "D",
        day("30.1.2020"),
        "Thu",
        "12:00",
        "Ortrun Seifert",
        "04467 2771",
        day("14.2.2020"),
    ],
    ["Getränke Hollmann", "drinks", "D", day("3.6.2019"), "Wed", "15:30", "Sönke Hollmann", "04469 602", None],
    [
        "Großküche Sonnenhof",
        "cooked meals",
        "D",
        day("17.2.2025"),
        "Mon to Fri",
        "14:15",
        "Bettina Olm",
        "04467 8800",
        day("17.2.2025"),
    ],
]
COMPLAINTS: list[list[Any]] = [
    ["No.", "On", "Came from", "About", "Kind", "With", "Closed"],
    [1, day("14.1."), "Nordhafer Markt", "van blocked the ramp", "driving", "Tove", day("15.1.")],
    [2, day("22.1."), "visitor Speicher", "mouldy berries in the bag", "goods", "Dragan", day("24.1.")],
    [3, day("6.2."), "neighbour", "engine running at 6 am", "driving", "Harm", day("20.2.")],
    [4, day("18.2."), "visitor Nordend", "rude words at the door", "people", "Maren", day("3.3.")],
    [5, day("3.3."), "Bäckerei Knurr", "nobody came for the bread", "driving", "Harm", day("4.3.")],
    [6, day("11.3."), "visitor Lukas", "no halal sausage", "goods", "Bodo", None],
    [7, day("27.3."), "visitor Speicher", "queue of two hours", "waiting", "Elfriede", day("30.4.")],
    [8, day("8.4."), "café guest", "cake with nuts not marked", "goods", "Rosmarie", day("9.4.")],
    [9, day("15.4."), "visitor Tidau", "nowhere to sit", "waiting", "Jette", None],
    [10, day("29.4."), "Frutas Belmonte", "crates not returned", "crates", "Gundula", day("26.5.")],
    [11, day("9.5."), "visitor Nordend", "turned away without a card", "people", "Farida", day("12.5.")],
    [12, day("20.5."), "Preiswolf Ostring", "came an hour late", "driving", "Tove", None],
    [13, day("2.6."), "visitor Speicher", "sour milk", "goods", "Dragan", day("3.6.")],
    [14, day("5.6."), "Getränke Hollmann", "44 crates missing", "crates", "Selim", None],
]
STOCK: list[list[Any]] = [
    ["Item", "Shelf", "Qty", "Unit", "Min", "Use by", "From", "Note"],
    ["Flour, wheat", "T1", 184, "kg", 120, day("30.11."), "Preiswolf", None],
    ["Flour, rye", "T1", 36, "kg", 60, day("15.10."), "Preiswolf", "opened sacks first"],
    ["Rice, long grain", "T2", 210, "kg", 150, day("1.3.2026"), "food drive", None],
    ["Rice, round", "T2", 22, "kg", 25, day("14.8."), "food drive", "for the pudding"],
    ["Spaghetti", "T2", 310, "packet", 200, day("20.2.2026"), "Nordhafer", None],
    ["Penne", "T2", 95, "packet", 100, day("18.12."), "Nordhafer", None],
    ["Lentils, red", "T3", 64, "kg", 40, day("9.9."), "food drive", None],
    ["Chickpeas, tin", "T3", 148, "tin", 80, day("31.5.2027"), "Halmblick", None],
    ["Tomatoes, tin", "T3", 402, "tin", 250, day("30.6.2027"), "Preiswolf", None],
    ["Sweetcorn, tin", "T3", 0, "tin", 60, None, None, "ordered from the fund"],
    ["Tuna, tin", "T3", 71, "tin", 90, day("12.1.2028"), "bought", None],
    ["Sunflower oil", "T4", 58, "bottle", 75, day("22.7."), "bought", "max. one per family"],
    ["Olive oil", "T4", 9, "bottle", 0, day("5.5.2026"), "Belmonte", "café only"],
    ["Sugar", "T4", 133, "kg", 80, None, "Preiswolf", None],
    ["Salt", "T4", 47, "kg", 20, None, "bought", None],
    ["Coffee, ground", "T5", 39, "packet", 50, day("28.9."), "bought", "not for the café"],
    ["Tea, black", "T5", 66, "packet", 30, day("17.4.2026"), "food drive", None],
    ["Jam, plum", "T5", 87, "jar", 40, day("11.11."), "Krähenbusch", None],
    ["Jam, strawberry", "T5", 18, "jar", 40, day("3.12."), "Krähenbusch", "new batch in July"],
    ["Honey", "T5", 25, "jar", 10, day("1.8.2026"), "Moosgrün", None],
    ["Milk, long life", "T6", 264, "litre", 300, day("24.7."), "Wiesenbach", None],
    ["Butter", "K1", 78, "packet", 60, day("2.7."), "Wiesenbach", None],
    ["Yoghurt, plain", "K1", 115, "cup", 100, day("27.6."), "Wiesenbach", None],
    ["Cheese, sliced", "K1", 42, "packet", 50, day("1.7."), "Nordhafer", None],
    ["Eggs", "K2", 540, "piece", 400, day("4.7."), "Krähenbusch", "only whole boxes"],
    ["Sausage, smoked", "K2", 33, "piece", 20, day("29.6."), "Dobbert", "pork"],
    ["Fish fillet, frozen", "F1", 29, "kg", 30, day("10.10."), "Tjarks", None],
    ["Bread rolls, frozen", "F1", 620, "piece", 300, day("30.8."), "Petersilge", None],
    ["Nappies, size 4", "H1", 24, "packet", 45, None, "Seifert", "ask for size 5"],
    ["Nappies, size 5", "H1", 51, "packet", 30, None, "Seifert", None],
    ["Soap", "H1", 160, "piece", 100, None, "Seifert", None],
]
READINGS: list[list[Any]] = [
    ["Month", "Power hall", "Power café", "Gas", "Water", "Read by"],
    ["October 2024", 2140, 486, 310, 41, "Dragan"],
    ["November 2024", 2065, 512, 545, 38, "Dragan"],
    ["December 2024", 1980, 604, 702, 44, "Mirko"],
    ["January 2025", 2010, 538, 791, 36, "Dragan"],
    ["February 2025", 1895, 497, 688, 35, "Dragan"],
    ["March 2025", 2120, 521, 476, None, "Mirko"],
    ["April 2025", 2235, 468, 264, 47, "Mirko"],
    ["May 2025", 2410, 455, 98, 52, "Dragan"],
    ["June 2025", 2785, 433, 21, 59, "Dragan"],
]
VANS: list[list[Any]] = [
    ["Van", "Plate", "Colour", "Bought", "Price", "Km", "Fuel", "Insurance", "MOT until", "Cooled", "Keeper"],
    ["Van 1", "OHL-BK 11", "white", day("12.3.2017"), 8400, 187420, "diesel", 1120, day("30.9."), "no", "Harm"],
    ["Van 2", "OHL-BK 22", "blue", day("5.11.2019"), 14900, 121350, "diesel", 1085.5, day("31.1.2026"), "no", "Selim"],
    ["Van 3", "OHL-BK 33", "white", day("20.6.2021"), 31750, 88210, "diesel", 1390, day("31.7."), "yes", "Gundula"],
    ["Van 4", "OHL-BK 44", "green", day("14.2.2024"), 36200, 21980, "electric", 965, day("28.2.2027"), "no", "Tove"],
    ["Van 5", "OHL-E 505", "red", day("1.10.2024"), 42600, 13640, "electric", 1248, day("31.10.2027"), "yes", None],
    ["Minibus", "OHL-BK 8", "silver", day("8.8.2014"), 5900, 204880, "petrol", 742, day("31.8."), "no", "Rosmarie"],
    ["Cargo bike", None, "yellow", day("3.5.2023"), 4380, 2610, "electric", 119, None, "no", "Jette"],
    ["Trailer", "OHL-T 71", "grey", day("27.4.2020"), 1650, None, None, 88, day("30.4.2026"), "no", "Harm"],
]
INVOICES = """R-101|Stadtwerke Ohlsum|Strom Halle Januar|612.4|19|14.2.|12.2.
R-102|Autohaus Kremer|Inspektion Van 2|438|19|20.2.|4.3.
R-103|Kältetechnik Frosch|Wartung Kühlraum|365|19|28.2.|27.2.
R-104|Papier Lüning|Tüten, Etiketten|148.9|19|28.2.|3.3.
R-105|Kaffeerösterei Moll|40 kg Kaffee|496|7|7.3.|6.3.
R-106|Stadtwerke Ohlsum|Strom Halle Februar|588.15|19|14.3.|14.3.
R-107|Nordschild|Haftpflicht 2025|890|19|31.3.|21.3.
R-108|Reifen Boll|4 Sommerreifen Van 1|352|19|4.4.|10.4.
R-109|Stadtwerke Ohlsum|Strom Halle März|634.7|19|14.4.|11.4.
R-110|Autohaus Kremer|Bremsen Van 1|927.6|19|17.4.|30.4.
R-111|Schädlingsfrei Onken|Köderstellen|210|19|22.4.|22.4.
R-112|Möbel Rademann|12 Stühle Café|684|19|30.4.|29.4.
R-113|Kaffeerösterei Moll|35 kg Kaffee|448|7|5.5.|5.5.
R-114|Stadtwerke Ohlsum|Strom Halle April|671.2|19|14.5.|13.5.
R-115|Papier Lüning|Kassenrollen|39.8|19|16.5.|2.6.
R-116|Kältetechnik Frosch|Notdienst Pfingsten|545|19|23.6.|
R-117|Großhandel Ebbing|Öl, Thunfisch|1284.6|7|23.5.|22.5.
R-118|Autohaus Kremer|TÜV Minibus|119|19|30.5.|28.5.
R-119|Schlosserei Tamm|Rampe Speicher|2360|19|6.6.|6.6.
R-120|Kaffeerösterei Moll|45 kg Kaffee|576|7|10.6.|
R-121|Stadtwerke Ohlsum|Strom Halle Mai|718.9|19|14.6.|13.6.
R-122|Reifen Boll|Achse Anhänger|268|19|20.6.|
R-123|Großhandel Ebbing|Zucker, Salz|402.3|7|27.6.|
R-124|Druckerei Nagelfluh|Faltblätter|187.5|19|30.6.|18.6.
R-125|Kältetechnik Frosch|Kompressor Van 3|1915|19|11.7.|"""
GIFTS = """7.1.|Familie Hagedorn|Ohlsum|150|Überweisung|Essen|31.1.
15.1.|Lions Kramstede|Kramstede|2000|Überweisung|Kühlwagen|31.1.
28.1.|Erika Süllwold|Ohlsum|25|Lastschrift|Essen|
3.2.|Grundschule Tidau|Tidau|318.45|bar|Café|10.2.
14.2.|Zahnarztpraxis Dr. Ihnen|Werfte|500|Überweisung|Essen|28.2.
21.2.|Erika Süllwold|Ohlsum|25|Lastschrift|Essen|
5.3.|Kegelclub Alle Neune|Werfte|87|bar|Café|
11.3.|Sparverein Hafen|Ohlsum|640|Überweisung|Essen|31.3.
18.3.|Hinrich Pollmann|Ohlsum|1200|Überweisung|Kühlwagen|31.3.
24.3.|Erika Süllwold|Ohlsum|25|Lastschrift|Essen|
2.4.|Chor Tonspur|Kramstede|276.5|bar|Café|14.4.
9.4.|Familie Hagedorn|Ohlsum|150|Überweisung|Essen|30.4.
16.4.|Apotheke am Siel|Ohlsum|350|Überweisung|Windeln|30.4.
22.4.|Erika Süllwold|Ohlsum|25|Lastschrift|Essen|
30.4.|Konfirmanden St. Lukas|Ohlsum|193.2|bar|Essen|
6.5.|Werft Brinkama|Werfte|3500|Überweisung|Kühlwagen|15.5.
13.5.|Hinrich Pollmann|Ohlsum|400|Überweisung|Essen|
19.5.|Frauenkreis Tidau|Tidau|220|bar|Windeln|31.5.
23.5.|Erika Süllwold|Ohlsum|25|Lastschrift|Essen|
4.6.|Volkslauf Kramstede|Kramstede|1045.8|Überweisung|Essen|
10.6.|Zahnarztpraxis Dr. Ihnen|Werfte|500|Überweisung|Essen|
17.6.|Skatrunde Deichblick|Ohlsum|61|bar|Café|"""
COLLECTE: list[list[Any]] = [
    ["Magasin", "Ville", "Chef d'équipe", "Bénévoles", "Cartons", "Kilos", "Date", "Remarque"],
    ["Épi Vert Centre", "Sainte-Aubrée", "Solène Maubert", 9, 64, 712.5, "05/04/2025", None],
    ["Épi Vert Gare", "Sainte-Aubrée", "Solène Maubert", 4, 21, 238, "05/04/2025", "fermé à 17 h"],
    ["Hyper Corvaille", "Lanvaux", "Bastien Orgeval", 14, 133, 1486, "05/04/2025", "deux entrées"],
    ["Marché Plume", "Lanvaux", "Bastien Orgeval", 6, 38, 401.5, "12/04/2025", None],
    ["Proxi Tilleul", "Corde-le-Bas", "Imane Rezzoug", 3, 12, 129, "12/04/2025", "beaucoup de lait"],
    ["Grand Panier", "Corde-le-Bas", "Imane Rezzoug", 8, 57, 655, "05/04/2025", None],
    ["Bio Tournesol", "Sainte-Aubrée", "Théo Vasseuil", 5, 19, 187.5, "12/04/2025", "pas de couches"],
    ["Hyper Roselière", "Roselière", "Théo Vasseuil", 11, 98, 1104, "12/04/2025", None],
    ["Supérette Jade", "Roselière", None, 2, 9, 84, "05/04/2025", "sans chariot"],
    ["Halle du Port", "Lanvaux", "Imane Rezzoug", 7, 45, 522, "05/04/2025", "poisson refusé"],
]
NAMES = (
    "Abresch Bellin Cordsen Demir Eilers Fokken Gesing Haddad Ihmels Jovanova Kassem Lüders Menke Nowak Oltmanns "
    "Popescu Quade Rahimi Sievers Tarek Ulferts Vahl Wessels Yildiz Zander Behrens Dierks Hamza Karimi Meinders"
)
POINTS = ("Speicher", "Speicher", "Speicher", "Lukas", "Lukas", "Nordend", "Nordend", "Tidau")


def german(amount: float) -> str:
    return f"{amount:.2f}".replace(".", ",")


def pickups() -> list[list[Any]]:
    luck = random.Random(5501)
    shops = {  # tour, least, most, days of the week
        "Nordhafer Markt": ("Nord", 90, 210, (0, 2, 4)),
        "Preiswolf Ostring": ("Hafen", 60, 160, (0, 3)),
        "Preiswolf Kramstede": ("Land", 40, 130, (1, 4)),
        "Bäckerei Petersilge": ("Hafen", 14, 48, (0, 1, 2, 3, 4, 5)),
        "Bäckerei Knurr": ("Nord", 10, 40, (1, 3, 5)),
        "Frutas Belmonte": ("Land", 70, 240, (3,)),
        "Obst Aydemir": ("Hafen", 20, 75, (0, 2)),
        "Molkerei Wiesenbach": ("Land", 55, 150, (2,)),
    }
    drivers = {
        "Nord": ["Bruns", "Bruns", "Lindgard", "Aksoy"],
        "Hafen": ["Aksoy", "Raabe", "Lindgard"],
        "Land": ["Raabe", "Bruns", "Okonjo"],
    }
    notes = [None] * 9 + ["ein Kasten zurück", "lange gewartet", "Rampe zu", "Teil abgelehnt"]
    rows: list[list[Any]] = [["Datum", "Tour", "Fahrer", "Laden", "kg", "Kisten", "km", "Notiz"]]
    when = datetime.date(2025, 3, 3)
    while len(rows) < 46:
        shop = luck.choice([name for name, one in shops.items() if when.weekday() in one[3]])
        tour, low, high, _ = shops[shop]
        weight = luck.randint(low, high)
        rows.append([when, tour, luck.choice(drivers[tour]), shop, weight, weight // 9 + luck.randint(1, 3)])
        rows[-1] += [{"Nord": 14, "Hafen": 9, "Land": 38}[tour] + luck.randint(0, 11), luck.choice(notes)]
        when += datetime.timedelta(days=luck.choice([1, 1, 2, 2, 3]))
        while when.weekday() == 6 or when in (day("18.4."), day("21.4."), day("1.5."), day("29.5.")):
            when += datetime.timedelta(days=1)
    rows[17][2] = None
    rows[33][5] = None
    return rows


def cards() -> list[list[Any]]:
    luck = random.Random(640)
    head = ["Karte", "Name", "Pers.", "davon Kinder", "Stelle", "gültig bis", "Beitrag €", "bezahlt am", "Bemerkung"]
    rows: list[list[Any]] = [head]
    notes = [""] * 7 + ["vegetarisch", "halal", "Diabetes", "Rollstuhl", "Lieferung"]
    for number, name in enumerate([*NAMES.split(), "Behrens", "Demir", "Nowak", "Lüders", "Haddad", "Sievers"]):
        people = luck.choice([1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7])
        children = max(0, people - luck.choice([1, 2, 2]))
        fee = 2.5 if people == 1 else 4 if people < 4 else 5.5 if people < 6 else 7
        until = datetime.date(2025, 7, 31) + datetime.timedelta(days=31 * luck.randint(0, 8))
        paid = datetime.date(2025, 6, 2) + datetime.timedelta(days=luck.randint(0, 22))
        rows.append([f"BK{2040 + 3 * number}", name, people, children, luck.choice(POINTS)])
        rows[-1] += [until.strftime("%d.%m.%Y"), german(fee)]
        rows[-1] += ["" if luck.random() < 0.25 else paid.strftime("%d.%m.%Y"), luck.choice(notes)]
    return rows


def till() -> list[list[Any]]:
    luck = random.Random(77)
    rows: list[list[Any]] = [["Date", "Day", "Shift", "Guests", "Coffee", "Cake", "Takings", "Tips", "Remark"]]
    when = datetime.date(2025, 4, 1)
    while when < datetime.date(2025, 6, 22):
        if when.weekday() in (1, 3, 5) and when not in (day("1.5."), day("29.5.")):
            guests = luck.randint(14, 40) + (18 if when.weekday() == 5 else 0)
            coffee, cake = guests + luck.randint(-4, 15), guests // 2 + luck.randint(-5, 8)
            takings = coffee * 1.2 + cake * 1.5 + luck.choice([0, 0.8, 2.4, 3.6])
            who = luck.choice(["Rosmarie", "Yusra", "Yusra", "Lothar", "Wiebke"])
            tips = "" if luck.random() < 0.15 else f"{luck.randint(10, 190) / 10:.2f}"
            rows.append([when.isoformat(), when.strftime("%a"), who, guests, coffee, cake, f"{takings:.2f}", tips])
            rows[-1].append(luck.choice(["", "", "", "", "", "", "rain", "waffles", "piano"]))
        when += datetime.timedelta(days=1)
    rows[16][8] = "machine broken"
    return rows


def fuel() -> list[list[Any]]:
    luck = random.Random(3131)
    rows: list[list[Any]] = [["When", "Van", "Litres", "EUR", "Station", "Who", "Receipt"]]
    when = datetime.date(2025, 4, 2)
    for _ in range(24):
        van = luck.choice(["Van 1", "Van 1", "Van 2", "Van 3", "Van 3", "Minibus"])
        litres = round(luck.uniform(18, 61), 1)
        who = luck.choice({"Minibus": ["Rosmarie", "Harm"]}.get(van, ["Harm", "Selim", "Gundula"]))
        price = (1.78 if van == "Minibus" else 1.61) + luck.randint(-5, 6) / 100
        rows.append([when, van, litres, round(litres * price, 2)])
        rows[-1] += [luck.choice(["Siel", "Siel", "Ostring", "Autohof"]), who, luck.choice(["yes", "yes", "yes", "no"])]
        when += datetime.timedelta(days=luck.choice([1, 2, 3, 4, 5]))
    return rows


def invoices() -> list[list[Any]]:
    rows: list[list[Any]] = [["Nr.", "Von", "Wofür", "Netto", "USt", "Brutto", "fällig", "bezahlt"]]
    for line in INVOICES.splitlines():
        number, firm, what, net, tax, due, paid = line.split("|")
        gross = round(float(net) * (1 + int(tax) / 100) + 1e-9, 2)
        rows.append([number, firm, what, float(net), int(tax) / 100, gross, day(due), day(paid)])
    sums = [round(sum(row[c] for row in rows[1:]), 2) for c in (3, 5)]
    return [*rows, ["Summe", None, None, sums[0], None, sums[1], None, None]]


def gifts() -> list[list[Any]]:
    rows: list[list[Any]] = [["Tag", "Wer", "Ort", "Betrag", "wie", "wofür", "Quittung am"]]
    for line in GIFTS.splitlines():
        when, who, place, amount, how, purpose, receipt = line.split("|")
        rows.append([day(when), who, place, float(amount), how, purpose, day(receipt)])
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(path["Vereinbarung Nordhafer.docx"], text["nordhafer"], font="Georgia", footer="Vereinbarung 2024")
    kit.write_pdf(path["Drivers handbook.pdf"], text["drivers"], size=10, color="#7a3b12", header="Brotkorb Ohlsum")
    kit.write_docx(path["Protokoll Vorstand 2025-06-11.docx"], text["protokoll"], font="Arial", size=10)
    kit.write_eml(path["Re_ Re_ Cold van.eml"], text["coldvan"])
    kit.write_eml(path["AW_ Beitrag und Härtefälle.eml"], text["beitrag"], with_html=True)
    kit.write_html(
        path["cafe-untertasse.html"], text["cafe"], title="Café Untertasse", before="<nav>Food | Café | Give</nav>"
    )
    path["dragan-store-notes.md"].write_text(text["store"], encoding="utf-8")
    kit.write_odt(path["Carta Belmonte.odt"], text["belmonte"], font="Liberation Sans")
    head = ["Wer", "März", None, "April", None, "Mai", None]
    under = [None, *["Fahren", "Sortieren"] * 3]
    total = ["Summe", *(sum(row[c] or 0 for row in HOURS) for c in range(1, 7))]
    kit.write_xlsx(
        path["Abholungen Frühjahr 2025.xlsx"],
        [
            kit.Sheet(
                "Abholungen",
                [["Abholungen ab März 2025, geführt von Gundula Raabe"], *pickups()],
                head=2,
                formats={"A": "dd.mm.yyyy"},
            ),
            kit.Sheet(
                "Stunden",
                [["Ehrenamtliche Stunden 2025"], head, under, *HOURS, total],
                head=3,
                merged=("A1:G1", "A2:A3", "B2:C2", "D2:E2", "F2:G2"),
            ),
        ],
    )
    kit.write_xlsx(
        path["Shops that give.xlsx"],
        [
            kit.Sheet("Shops", SHOPS, formats={"D": "dd/mm/yyyy", "I": "dd/mm/yyyy"}),
            kit.Sheet("Complaints", COMPLAINTS, formats={"B": "dd/mm/yyyy", "G": "dd/mm/yyyy"}),
        ],
    )
    kit.write_xlsx(
        path["Store count.xlsx"],
        [
            kit.Sheet("Count", STOCK, formats={"F": "dd/mm/yyyy"}, remarks={"C17": "counted twice"}),
            kit.Sheet("Readings", [["Used in the month: power in kWh, gas and water in m³"], *READINGS], head=2),
        ],
    )
    kit.write_csv(path["karten_2025.csv"], cards(), delimiter=";", encoding="cp1252")
    kit.write_xlsx(
        path["Vans.xlsx"],
        [
            kit.Sheet("Vans", VANS, formats={"D": "dd/mm/yyyy", "E": "#,##0", "H": "#,##0.00", "I": "dd/mm/yyyy"}),
            kit.Sheet("Fuel", fuel(), formats={"A": "dd/mm/yyyy", "D": "0.00"}),
        ],
    )
    kit.write_csv(path["cafe_till.csv"], till())
    dates = {"G": "dd.mm.yyyy", "H": "dd.mm.yyyy", "D": "#,##0.00", "E": "0%", "F": "#,##0.00"}
    kit.write_xlsx(
        path["Rechnungen und Spenden 2025.xlsx"],
        [
            kit.Sheet("Rechnungen", invoices(), formats=dates),
            kit.Sheet(
                "Spenden",
                [["Spenden 1. Halbjahr 2025 (Olufemi)"], *gifts()],
                head=2,
                formats={"A": "dd.mm.yyyy", "D": "#,##0.00", "G": "dd.mm.yyyy"},
            ),
        ],
    )
    summed = ["Total", None, None, *(sum(row[c] for row in COLLECTE[1:]) for c in (3, 4, 5)), None, None]
    kit.write_xlsx(
        path["Collecte de printemps.xlsx"],
        [kit.Sheet("Collecte", [["Collecte de printemps, avril 2025"], *COLLECTE, summed], head=2)],
    )
