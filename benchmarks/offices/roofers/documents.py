"""The roofing firm Corvin in Marnfeld with its small timber yard: its documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Site and yard handbook.docx": "en",
    "Rahmenvertrag Wohnbau Eschenried.docx": "de",
    "Lease timber yard.pdf": "en",
    "2025-09-01 yard meeting.md": "en",
    "Re_ Re_ Water at Nygaards.eml": "en",
    "AW_ Mahnungen September.eml": "de",
    "Carta Valdecebra 2025.odt": "es",
    "telefon-und-zustaendig.html": "de",
    "Jobs 2025.xlsx": "en",
    "Stunden Mai-August.xlsx": "de",
    "Timber yard.xlsx": "en",
    "hofverkauf_rechnungen.csv": "de",
    "material_deliveries.csv": "en",
    "Fuhrpark.xlsx": "de",
    "Complaints.xlsx": "en",
    "Relevé Lemaire 2025.xlsx": "fr",
}
PICTURES: dict[str, str] = {}
TABLES = {
    "jobs": TableAt("Jobs 2025.xlsx", "Jobs", skip=1),
    "tenders": TableAt("Jobs 2025.xlsx", "Tenders"),
    "hours": TableAt("Stunden Mai-August.xlsx", "Stunden", head=2, last="Summe"),
    "yard": TableAt("Timber yard.xlsx", "Stock"),
    "kiln": TableAt("Timber yard.xlsx", "Kiln", skip=1),
    "sales": TableAt("hofverkauf_rechnungen.csv", delimiter=";", encoding="cp1252", decimal=","),
    "deliveries": TableAt("material_deliveries.csv"),
    "fleet": TableAt("Fuhrpark.xlsx", "Fahrzeuge", skip=2),
    "fuel": TableAt("Fuhrpark.xlsx", "Tanken"),
    "complaints": TableAt("Complaints.xlsx", "Log"),
    "scaffold": TableAt("Relevé Lemaire 2025.xlsx", "Locations", skip=1, last="Total"),
}
D = datetime.date

JOBS = """
Petersen-Loy|Marnfeld|tile|164|Hinnerk|
Gemeinde Tolkede|Tolkede|flat|410|Lioba|bus shelter not included
Asmus|Marnfeld|repair||Radek|
Wohnbau Eschenried|Eschenried|tile|620|Hinnerk|
Nygaard|Ottbüttel|slate|138|Radek|
Ploog|Hasselried|repair||Lioba|storm
Brammer|Marnfeld|tile|192|Hinnerk|two dormers
Kirchenkreis Hasselried|Hasselried|slate|345|Radek|bats, not before April
Dr. Weyer|Marnfeld|metal|96|Lioba|
Jessen|Ottbüttel|tile|151|Hinnerk|
Jensen|Tolkede|tile|149|Hinnerk|
Bäckerei Kolk|Marnfeld|flat|88|Lioba|only after 11 am
Wohnbau Eschenried|Eschenried|flat|540|Lioba|
Asmus|Marnfeld|tile|132|Radek|
Oduya|Hasselried|repair||Radek|
Stahmer|Ottbüttel|metal|210|Lioba|
Carstens|Marnfeld|tile|177|Hinnerk|
Karsten|Marnfeld|slate|120|Radek|
Hof Lüttje|Hasselried|metal|480|Lioba|cattle below
Nygaard|Ottbüttel|repair||Radek|leak at the chimney
Feuerwehr Tolkede|Tolkede|flat|265|Lioba|
Vollrath|Marnfeld|tile|158|Hinnerk|
Wohnbau Eschenried|Eschenried|tile|585|Hinnerk|
Iwanow|Tolkede|repair||Lioba|
Malchow|Ottbüttel|tile|203|Hinnerk|
Grundschule Marnfeld|Marnfeld|flat|730|Lioba|only in the holidays
Behrmann|Hasselried|repair||Radek|
Behrendt|Hasselried|tile|169|Radek|
Dr. Weyer|Marnfeld|repair||Lioba|gutter
Tennisheim Ottbüttel|Ottbüttel|metal|155|Lioba|
Lorenz-Ihde|Marnfeld|slate|111|Radek|
Ploog|Hasselried|tile|146|Hinnerk|
Bäckerei Kolk|Marnfeld|flat|64|Lioba|
Wohnbau Eschenried|Eschenried|repair||Radek|
Zander|Tolkede|tile|181||waiting for the bank
Kirchenkreis Hasselried|Hasselried|repair||Radek|
Sönnichsen|Ottbüttel|metal|133||
Petersen|Marnfeld|slate|126|Radek|
"""
TENDERS: list[list[Any]] = [
    ["No.", "Asked by", "What", "Handed in", "Our bid", "Lowest bid", "Our place", "Out of", "Result"],
    ["A-31", "Amt Hasselried", "Kindergarten, tile", D(2025, 1, 17), 84200, 79900, 3, 5, "lost"],
    ["A-32", "Gemeinde Tolkede", "Town hall, flat roof", D(2025, 1, 30), 51600, 51600, 1, 4, "won"],
    ["A-33", "Wohnbau Eschenried", "Lindenhof, tile", D(2025, 2, 11), 93400, 93400, 1, 3, "won"],
    ["A-34", "Stadtwerke Marnfeld", "Pump house, metal", D(2025, 2, 26), 38750, 31200, 4, 6, "lost"],
    ["A-35", "Kirchenkreis Hasselried", "St. Anna, slate", D(2025, 3, 5), 82900, 80400, 2, 3, "won"],
    ["A-36", "Landkreis", "Gym, flat roof", D(2025, 3, 21), 146300, 139800, 2, 7, "lost"],
    ["A-37", "Grundschule Marnfeld", "Main house, flat roof", D(2025, 4, 8), 91250, 91250, 1, 5, "won"],
    ["A-38", "Landkreis", "Museum barn, thatch", D(2025, 4, 29), 118000, None, None, 2, "withdrawn"],
    ["A-39", "Wohnbau Eschenried", "Kastanienweg, tile", D(2025, 5, 6), 88700, 88700, 1, 3, "won"],
    ["A-40", "Feuerwehr Tolkede", "Engine shed, flat roof", D(2025, 5, 14), 33400, 33400, 1, 2, "won"],
    ["A-41", "Stadtwerke Marnfeld", "Bus depot, metal", D(2025, 6, 3), 204700, 188500, 3, 8, "lost"],
    ["A-42", "Amt Hasselried", "Library, slate", D(2025, 6, 24), 67100, 66300, 2, 4, "lost"],
    ["A-43", "Landkreis", "Vocational college, flat roof", D(2025, 8, 19), 172400, None, None, None, "open"],
    ["A-44", "Gemeinde Tolkede", "Cemetery chapel, slate", D(2025, 9, 9), 41900, None, None, None, "open"],
]
HOURS: list[list[Any]] = [
    ["Hinnerk Voss", "L4", 148, 6, 151, 4, 118, 0, 139, 9, 2],
    ["Radek Wrona", "L4", 152, 0, 144.5, 8, 160, 2, 92, 3, 0],
    ["Lioba Kamp", "L4", 139, 11, 156, 0, 163.5, 0, 158, 0, 1],
    ["Sjard Evers", "L3", 150, 4, 138, 12, 155, 6, 149, 5, 3],
    ["Mehmet Aydin", "L3", 145, 8, 149, 6, 149.5, 10, None, None, 0],
    ["Klaas Ruhnau", "L2", 121, 33, 117, 28, 124, 31, 130, 26, 4],
    ["Pia Sommerfeldt", "L2", 24, 128, 18, 131, 20, 139, 12, 134, 0],
    ["Wenzel Zahn", "L3", 0, 155, 6, 142, 0, 88, 4, 151, 9],
    ["Tomke Brandis", "A2", 84, 22, 79, 36, 96, 18, 71, 12, 1],
    ["Tom Brandt", "L1", 98, 41, 102.5, 37, 110, 44, 105, 39, 6],
]
STOCK: list[list[Any]] = [
    ["Item", "Wood", "mm", "Length m", "Qty", "Min", "€/pc", "Bay", "Last in", "Notes"],
    ["Roof batten", "spruce", "30x50", 4, 640, 500, 3.4, "A1", D(2025, 8, 28), None],
    ["Roof batten", "spruce", "40x60", 5, 210, 300, 5.9, "A1", D(2025, 7, 17), "reordered by Pia"],
    ["Counter batten", "spruce", "30x50", 5, 385, 200, 4.1, "A2", D(2025, 8, 28), None],
    ["KVH", "spruce", "60x120", 5, 74, 60, 16.8, "B1", D(2025, 9, 4), None],
    ["KVH", "spruce", "60x160", 6, 38, 40, 26.5, "B1", D(2025, 6, 26), None],
    ["KVH", "spruce", "80x200", 7, 19, 24, 51.9, "B1", D(2025, 5, 8), "two bent"],
    ["KVH", "larch", "80x160", 6, 11, 10, 63.4, "B2", D(2025, 4, 10), None],
    ["Glulam beam", "spruce", "120x240", 8, 7, 4, 129, "B3", D(2025, 7, 3), "one promised to Gröning"],
    ["Glulam beam", "larch", "120x240", 8, 2, 2, 214, "B3", D(2025, 2, 20), None],
    ["Rafter, planed", "douglas fir", "80x180", 6, 46, 30, 38.2, "B2", D(2025, 8, 14), None],
    ["Cladding board", "larch", "21x145", 4, 260, 150, 9.6, "C1", D(2025, 8, 14), None],
    ["Cladding board", "larch", "27x145", 5, 88, 120, 14.9, "C1", D(2025, 5, 22), None],
    ["Cladding board", "douglas fir", "24x140", 4, 175, 100, 8.2, "C1", D(2025, 7, 17), None],
    ["Decking", "larch", "27x145", 4, 132, 90, 13.5, "C2", D(2025, 6, 12), "A grade only"],
    ["Decking", "oak", "26x120", 3, 40, None, 24.8, "C2", D(2024, 11, 7), "sell off"],
    ["Rough board", "spruce", "24x150", 4, 520, 300, 4.3, "D1", D(2025, 9, 4), None],
    ["Rough board", "oak", "27x180", 3, 64, 40, 28.6, "K", None, "still in the kiln"],
    ["Fascia board", "larch", "28x195", 5, 17, 25, 22.4, "C1", D(2025, 4, 24), None],
    ["OSB sheet", "spruce", "18", 2.5, 96, 80, 18.7, "E", D(2025, 8, 28), None],
    ["OSB sheet", "spruce", "22", 2.5, 31, 50, 23.3, "E", D(2025, 6, 26), None],
    ["Soft fibre board", "spruce", "60", 2.5, 118, 60, 21.1, "E", D(2025, 7, 31), "keep dry!"],
    ["Fence post", "oak", "90x90", 2.4, 55, 30, 19.9, "D2", D(2025, 3, 27), None],
    ["Fence post", "larch", "90x90", 2.1, 23, 40, 14.2, "D2", D(2025, 5, 22), None],
    ["Squared sleeper", "oak", "160x240", 2.6, 9, None, 46, "D2", D(2024, 9, 19), "sell off"],
]
KILN: list[list[Any]] = [
    ["Run", "Day", "Meter kWh", "Load", "m³", "Moist. in", "Moist. out", "Days", "Who", "Remark"],
    ["T1", D(2025, 1, 13), 41870, "spruce", 14.2, 0.41, 0.16, 6, "Wenzel", None],
    ["T2", D(2025, 1, 27), 43125, "spruce", 15, 0.38, 0.15, 6, "Wenzel", None],
    ["T3", D(2025, 2, 10), 44390, "larch", 11.6, 0.44, 0.14, 8, "Pia", None],
    ["T4", D(2025, 2, 24), 45910, "oak", 7.8, 0.52, 0.12, 21, "Wenzel", "cracks in 9 boards"],
    ["T5", D(2025, 3, 24), 49260, "spruce", 14.8, 0.36, 0.15, 5, "Pia", None],
    ["T6", D(2025, 4, 7), 50405, "douglas fir", 12.9, 0.4, 0.15, 7, "Wenzel", None],
    ["T7", D(2025, 4, 22), 51780, "spruce", 15, 0.34, 0.14, 5, "Wenzel", None],
    ["T8", D(2025, 5, 5), 52790, "larch", 12.1, 0.43, 0.18, 7, "Pia", "fan stopped for a night"],
    ["T9", D(2025, 5, 19), 54155, "larch", 11.9, 0.39, 0.14, 8, "Wenzel", None],
    ["T10", D(2025, 6, 3), 55620, "oak", 8.1, 0.49, 0.11, 23, "Wenzel", None],
    ["T11", D(2025, 7, 1), 59040, "spruce", 14.5, 0.31, 0.15, 4, "Pia", None],
    ["T12", D(2025, 7, 14), 59910, "spruce", 14.9, 0.33, 0.15, 4, "Klaas", "Wenzel ill"],
    ["T13", D(2025, 7, 28), 60845, "douglas fir", 13.3, 0.37, 0.16, 6, "Klaas", None],
    ["T14", D(2025, 8, 11), 62060, "larch", 12.4, 0.42, 0.13, 8, "Wenzel", None],
    ["T15", D(2025, 8, 25), 63480, "oak", 7.5, 0.55, None, None, "Wenzel", "running"],
]
FLEET: list[list[Any]] = [
    ["Kennz.", "Fahrzeug", "Farbe", "Bj.", "km", "TÜV bis", "Vers. €/Jahr", "Nutzlast kg", "Fahrer", "Bem."],
    ["MF-CO 11", "Pritsche Arvo 35", "blau", 2018, 148200, D(2025, 11, 1), 1184, 1240, "Hinnerk", None],
    ["MF-CO 12", "Pritsche Arvo 35", "weiß", 2021, 87450, D(2026, 3, 1), 1226, 1190, "Radek", None],
    ["MF-CO 14", "Kasten Lombardo", "weiß", 2019, 123400, D(2025, 10, 1), 968, 870, "Lioba", "Schiebetür klemmt"],
    ["MF-CO 15", "Kasten Lombardo L", "grau", 2023, 45900, D(2027, 1, 1), 1045, 1010, "Sjard", None],
    ["MF-CO 20", "Lkw Bastion 12 t", "rot", 2014, 266300, D(2026, 2, 1), 2790, 5600, "Mehmet", "Ladekran"],
    ["MF-CO 21", "Gabelstapler Hebo 3", "gelb", 2011, None, None, 312, 3000, "Wenzel", "nur Hof"],
    ["MF-CO 30", "Kombi Silja", "blau", 2020, 96870, D(2026, 6, 1), 742, 480, "Maren", None],
    ["MF-CO 31", "E-Kasten Volto", "weiß", 2024, 18640, D(2027, 5, 1), 811, 690, None, "Pool"],
    ["MF-CO 40", "Anhänger Tandem", None, 2016, None, D(2025, 12, 1), 96, 1950, None, None],
    ["MF-CO 41", "Anhänger Plane", None, 2009, None, D(2026, 4, 1), 88, 1300, None, "Plane gerissen"],
]
COMPLAINTS: list[list[Any]] = [
    ["No", "In", "Client", "Place", "Code", "What", "Goes", "Visit", "Closed", "Cost €", "Comment"],
    [
        1,
        D(2025, 1, 9),
        "Thomsen",
        "Marnfeld",
        "K2",
        "drip at skylight",
        "Radek",
        D(2025, 1, 13),
        D(2025, 1, 13),
        84,
        None,
    ],
    [
        2,
        D(2025, 1, 22),
        "Ehlers",
        "Tolkede",
        "K1",
        "three tiles slipped",
        "Hinnerk",
        D(2025, 1, 23),
        D(2025, 1, 23),
        61,
        None,
    ],
    [
        3,
        D(2025, 2, 3),
        "Roth",
        "Hasselried",
        "K4",
        "gravel in the pond",
        "Lioba",
        D(2025, 2, 12),
        D(2025, 2, 20),
        140,
        None,
    ],
    [
        4,
        D(2025, 2, 17),
        "Pohlmann",
        "Marnfeld",
        "K3",
        "gutter runs over",
        "Sjard",
        D(2025, 2, 19),
        D(2025, 2, 19),
        95,
        None,
    ],
    [
        5,
        D(2025, 3, 6),
        "Thomsen",
        "Marnfeld",
        "K2",
        "drip again",
        "Radek",
        D(2025, 3, 7),
        D(2025, 3, 14),
        318,
        "new collar",
    ],
    [
        6,
        D(2025, 3, 25),
        "Finke",
        "Ottbüttel",
        "K1",
        "ridge tile loose",
        "Hinnerk",
        D(2025, 3, 31),
        D(2025, 3, 31),
        47,
        None,
    ],
    [7, D(2025, 4, 4), "Pohlmann", "Marnfeld", "K5", "bill too high", "Maren", None, D(2025, 4, 15), 200, "credit"],
    [
        8,
        D(2025, 4, 28),
        "Gemeinde Tolkede",
        "Tolkede",
        "K2",
        "bubble in membrane",
        "Lioba",
        D(2025, 5, 6),
        D(2025, 5, 9),
        410,
        None,
    ],
    [
        9,
        D(2025, 5, 12),
        "Jessen",
        "Ottbüttel",
        "K4",
        "scratches on the car",
        "Maren",
        D(2025, 5, 14),
        D(2025, 6, 30),
        1260,
        "insurer",
    ],
    [
        10,
        D(2025, 5, 20),
        "Roth",
        "Hasselried",
        "K3",
        "downpipe rattles",
        "Sjard",
        D(2025, 5, 27),
        D(2025, 5, 27),
        38,
        None,
    ],
    [
        11,
        D(2025, 6, 2),
        "Jensen",
        "Tolkede",
        "K1",
        "colour of tiles differs",
        "Hinnerk",
        D(2025, 6, 5),
        D(2025, 7, 18),
        890,
        "half from Horla",
    ],
    [
        12,
        D(2025, 6, 16),
        "Dr. Weyer",
        "Marnfeld",
        "K3",
        "gutter too short",
        "Lioba",
        D(2025, 6, 17),
        D(2025, 6, 24),
        172,
        None,
    ],
    [
        13,
        D(2025, 6, 30),
        "Ploog",
        "Hasselried",
        "K5",
        "invoice to wrong address",
        "Maren",
        None,
        D(2025, 7, 1),
        0,
        None,
    ],
    [
        14,
        D(2025, 7, 7),
        "Bäckerei Kolk",
        "Marnfeld",
        "K4",
        "noise before 6",
        "Lioba",
        D(2025, 7, 8),
        D(2025, 7, 8),
        30,
        "cake",
    ],
    [
        15,
        D(2025, 7, 21),
        "Nygaard",
        "Ottbüttel",
        "K2",
        "water at the chimney",
        "Radek",
        D(2025, 7, 23),
        None,
        None,
        "see mail",
    ],
    [
        16,
        D(2025, 8, 1),
        "Carstens",
        "Marnfeld",
        "K1",
        "broken tile",
        "Hinnerk",
        D(2025, 8, 11),
        D(2025, 8, 11),
        55,
        None,
    ],
    [
        17,
        D(2025, 8, 13),
        "Hof Lüttje",
        "Hasselried",
        "K2",
        "screw holes not sealed",
        "Lioba",
        D(2025, 8, 19),
        None,
        265,
        "second visit",
    ],
    [18, D(2025, 8, 26), "Karsten", "Marnfeld", "K4", "flower bed trampled", None, None, None, None, None],
    [
        19,
        D(2025, 9, 8),
        "Vollrath",
        "Marnfeld",
        "K1",
        "tile slipped",
        "Hinnerk",
        D(2025, 9, 10),
        D(2025, 9, 10),
        52,
        None,
    ],
    [20, D(2025, 9, 15), "Thomsen", "Marnfeld", "K3", "gutter leaks at joint", None, None, None, None, "rang twice"],
]
SCAFFOLD: list[list[Any]] = [
    ["Bon", "Chantier", "Matériel", "m²", "Du", "Au", "Jours", "€/jour", "Livraison €", "Rendu ?", "Manque"],
    ["L-207", "Petersen-Loy", "façade 70", 180, D(2025, 3, 10), D(2025, 4, 8), 30, 21.5, 160, "complet", None],
    ["L-211", "Asmus", "tour roulante", None, D(2025, 3, 17), D(2025, 3, 19), 3, 34, 45, "complet", None],
    ["L-213", "Nygaard", "façade 70", 150, D(2025, 3, 21), D(2025, 4, 17), 28, 19.8, 175, "complet", None],
    ["L-214", "Lindenhof", "façade 90", 460, D(2025, 3, 24), D(2025, 6, 6), 75, 48, 310, "incomplet", "2 planchers"],
    ["L-219", "St. Anna", "façade 110", 520, D(2025, 4, 2), D(2025, 5, 23), 52, 61, 390, "complet", None],
    ["L-222", "Dr. Weyer", "tour roulante", None, D(2025, 4, 4), D(2025, 4, 24), 21, 34, 45, "complet", None],
    ["L-226", "Stahmer", "façade 70", 165, D(2025, 5, 2), D(2025, 6, 10), 40, 20.4, 175, "incomplet", "1 échelle"],
    ["L-230", "Am Siel", "filets", 300, D(2025, 5, 12), D(2025, 6, 6), 26, 9.5, 80, "complet", None],
    ["L-233", "Kastanienweg", "façade 90", 430, D(2025, 5, 30), D(2025, 8, 14), 77, 46.5, 310, "complet", None],
    ["L-238", "Hof Lüttje", "filets", 520, D(2025, 6, 23), D(2025, 7, 25), 33, 14, 120, "complet", None],
    ["L-239", "Lorenz-Ihde", "façade 70", 120, D(2025, 6, 27), D(2025, 7, 21), 25, 18.9, 160, "complet", None],
    ["L-245", "Grundschule", "façade 99", 380, D(2025, 7, 21), D(2025, 8, 22), 33, 52, 285, "incomplet", "6 colliers"],
    ["L-251", "Holzhof", "tour roulante", None, D(2025, 9, 8), None, None, 34, 45, None, None],
    ["L-252", "Sönnichsen", "façade 70", 140, D(2025, 9, 22), None, None, 20.1, 175, None, None],
]
BUYERS = [
    "Tischlerei Ehmke",
    "Zimmerei Gröning",
    "Gröne Gartenbau",
    "Hof Lüttje",
    "Holz Brandt",
    "Brandt & Sohn",
    "Kita Wiesengrund",
    "Bootsbau Thedens",
    "Familie Sattler",
    "Zaunbau Hesse",
    "Imkerei Falk",
]
SUPPLY = {
    "Ziegelwerk Horla": [
        ("Flat pantile red", "pc", 1.18),
        ("Flat pantile black", "pc", 1.34),
        ("Ridge tile", "pc", 6.9),
    ],
    "Pizarras Valdecebra": [("Slate 30x20", "m²", 46.8), ("Slate 40x25", "m²", 52.35)],
    "Dachmarkt Sell": [("Underlay", "roll", 94), ("Bitumen membrane", "roll", 61.5), ("Skylight 78x98", "pc", 287)],
    "Metallwerk Quist": [("Zinc sheet", "kg", 5.35), ("Gutter 3 m", "pc", 22.4), ("Copper nails", "box", 38.9)],
    "Sägewerk Tannhof": [("Roof batten 30x50", "pc", 2.15), ("KVH 60x160", "pc", 18.4)],
}
AMOUNTS = {"pc": (120, 2400), "m²": (40, 190), "roll": (8, 40), "kg": (150, 620), "box": (3, 15)}


def money(amount: float) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def jobs() -> list[list[Any]]:
    luck = random.Random(5119)
    rows: list[list[Any]] = [
        ["Job", "Client", "Place", "Roof", "m²", "Foreman", "Start", "Done", "Quote €", "Final €", "Notes"]
    ]
    day = D(2025, 3, 10)
    rate = {"tile": 148, "slate": 231, "flat": 119, "metal": 187}
    for number, line in enumerate(JOBS.strip().splitlines(), 501):
        client, place, roof, area, foreman, note = line.split("|")
        size = int(area) if area else None
        quote = size * rate[roof] + luck.randint(-60, 140) * 20 if size else luck.randint(19, 121) * 20
        end = day + datetime.timedelta(days=luck.randint(0, 3) if size is None else 8 + size // 9)
        ready = end <= D(2025, 9, 26) and foreman != ""
        final = round(quote * luck.uniform(0.96, 1.12), 2) if ready else None
        start = day if foreman else None
        if number == 528:
            final = None  # done, not yet billed
        rows.append([f"R-{number}", client, place, roof, size, foreman or None, start, end if ready else None])
        rows[-1] += [quote, final, note or None]
        day += datetime.timedelta(days=luck.choice([2, 3, 5, 6, 8]))
    return rows


def sales() -> list[list[Any]]:
    luck = random.Random(733)
    rows: list[list[Any]] = [
        ["Nr", "Kunde", "Datum", "fällig", "Ware", "Netto", "Rabatt", "bezahlt am", "Mahnstufe", "Kürzel"]
    ]
    day = D(2025, 1, 14)
    goods = ["Latten", "KVH", "Fassade", "Fassade", "Terrasse", "Zaunpfähle", "Platten", "Schnittholz"]
    for number in range(1, 37):
        who = luck.choice(BUYERS)
        due = day + datetime.timedelta(days=30 if "erei" in who else 14)
        paid = due + datetime.timedelta(days=luck.choice([-11, -6, -2, 0, 4, 9, 23]))
        open_ = paid > D(2025, 9, 12) or luck.random() < 0.16
        step = luck.choice([1, 2, 2, 3]) if open_ and due < D(2025, 8, 25) else ""
        rows.append([f"H{250 + number}", who, day.strftime("%d.%m.%Y"), due.strftime("%d.%m.%Y"), luck.choice(goods)])
        rows[-1] += [money(luck.randint(600, 48000) / 10), luck.choice(["", "", "", "3 %", "5 %"])]
        rows[-1] += ["" if open_ else paid.strftime("%d.%m.%Y"), step, luck.choice(["", "", "", "B", "T", "S"])]
        day += datetime.timedelta(days=luck.choice([3, 5, 7, 8, 10]))
    return rows


def deliveries() -> list[list[Any]]:
    luck = random.Random(2904)
    rows: list[list[Any]] = [
        ["date", "supplier", "article", "qty", "unit", "unit price", "received", "freight", "days late", "remark"]
    ]
    day = D(2025, 2, 24)
    for _ in range(42):
        supplier = luck.choice([*SUPPLY, "Ziegelwerk Horla", "Dachmarkt Sell"])
        article, unit, price = luck.choice(SUPPLY[supplier])
        few = article in ("Skylight 78x98", "Gutter 3 m", "KVH 60x160", "Ridge tile")
        low, high = (10, 120) if few else AMOUNTS[unit]
        if article.startswith("Skylight"):
            high = 12
            low = 2
        amount = luck.randint(low, high)
        amount = round(amount, -1) if amount > 50 else amount
        late = (
            luck.choice([0, 0, 0, 0, 1, 2, 3, 6]) if supplier != "Pizarras Valdecebra" else luck.choice([0, 4, 9, 11])
        )
        remark = luck.choice(["", "", "", "", "", "", "one pallet broken", "wrong colour", "no delivery note"])
        if remark == "wrong colour" and supplier != "Ziegelwerk Horla":
            remark = ""
        rows.append([day.isoformat(), supplier, article, amount, unit, f"{price:.2f}"])
        freight = luck.choice(["0", "35", "48", "120"]) if supplier != "Pizarras Valdecebra" else "390"
        rows[-1] += [luck.choice(["Pia", "Pia", "Wenzel", "Klaas"]), freight, late, remark]
        day += datetime.timedelta(days=luck.choice([2, 3, 4, 5, 7]))
    rows[17][6] = ""
    return rows


def fuel() -> list[list[Any]]:
    luck = random.Random(61)
    rows: list[list[Any]] = [["Datum", "Kennz.", "Liter", "€ gesamt", "km-Stand", "Wer", "Wo"]]
    at = {"MF-CO 11": 144900, "MF-CO 12": 84600, "MF-CO 14": 119300, "MF-CO 15": 41700, "MF-CO 20": 261900}
    driver = {
        "MF-CO 11": "Hinnerk",
        "MF-CO 12": "Radek",
        "MF-CO 14": "Lioba",
        "MF-CO 15": "Sjard",
        "MF-CO 20": "Mehmet",
    }
    day = D(2025, 6, 2)
    for _ in range(32):
        plate = luck.choice([*at])
        litres = round(luck.uniform(95, 190), 1) if plate == "MF-CO 20" else round(luck.uniform(34, 71), 1)
        at[plate] += int(litres * (4 if plate == "MF-CO 20" else 9.5))
        who = driver[plate] if luck.random() < 0.75 else luck.choice(["Klaas", "Tom", "Maren"])
        rows.append([day, plate, litres, round(litres * luck.uniform(1.56, 1.71), 2), at[plate], who])
        rows[-1] += [luck.choice(["Marnfeld", "Marnfeld", "Hof", "Autobahn", "Eschenried"])]
        day += datetime.timedelta(days=luck.choice([1, 2, 2, 3, 4]))
    rows[13][4] = None
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(path["Site and yard handbook.docx"], text["handbook"], font="Cambria", footer="Corvin, edition 6")
    kit.write_docx(path["Rahmenvertrag Wohnbau Eschenried.docx"], text["rahmen"], font="Arial", size=10)
    kit.write_pdf(path["Lease timber yard.pdf"], text["lease"], font="Times-Roman", size=11, color="#3d5a2a")
    path["2025-09-01 yard meeting.md"].write_text(text["meeting"], encoding="utf-8")
    kit.write_eml(path["Re_ Re_ Water at Nygaards.eml"], text["nygaard"])
    kit.write_eml(path["AW_ Mahnungen September.eml"], text["mahnung"], with_html=True)
    kit.write_odt(path["Carta Valdecebra 2025.odt"], text["valdecebra"])
    kit.write_html(
        path["telefon-und-zustaendig.html"], text["telefon"], title="Telefon", language="de", before="<nav>Intern</nav>"
    )
    kit.write_xlsx(
        path["Jobs 2025.xlsx"],
        [
            kit.Sheet(
                "Jobs",
                [["Roofing jobs since March 2025 - state of 26 September (Maren)"], *jobs()],
                head=2,
                merged=("A1:K1",),
                formats={"G": "dd/mm/yyyy", "H": "dd/mm/yyyy", "I": "#,##0", "J": "#,##0.00"},
            ),
            kit.Sheet("Tenders", TENDERS, formats={"D": "dd/mm/yyyy", "E": "#,##0", "F": "#,##0"}),
        ],
    )
    head = ["Name", "Gruppe", "Mai", None, "Juni", None, "Juli", None, "August", None, "krank"]
    under = [None, None, *["Dach", "Hof"] * 4, "Tage"]
    total = ["Summe", None, *(sum(row[c] or 0 for row in HOURS) for c in range(2, 11))]
    kit.write_xlsx(
        path["Stunden Mai-August.xlsx"],
        [
            kit.Sheet(
                "Stunden",
                [head, under, *HOURS, total],
                head=2,
                merged=("A1:A2", "B1:B2", "C1:D1", "E1:F1", "G1:H1", "I1:J1"),
                formats={"G": "0.0"},
                remarks={"I7": "Elternzeit im August"},
            )
        ],
    )
    kiln = [["Drying kiln, read at the start of each run"], *KILN]
    kit.write_xlsx(
        path["Timber yard.xlsx"],
        [
            kit.Sheet("Stock", STOCK, formats={"G": "0.00", "I": "dd/mm/yyyy"}),
            kit.Sheet("Kiln", kiln, head=2, formats={"B": "dd/mm/yyyy", "F": "0%", "G": "0%"}),
        ],
    )
    kit.write_csv(path["hofverkauf_rechnungen.csv"], sales(), delimiter=";", encoding="cp1252")
    kit.write_csv(path["material_deliveries.csv"], deliveries())
    kit.write_xlsx(
        path["Fuhrpark.xlsx"],
        [
            kit.Sheet(
                "Fahrzeuge",
                [["Fuhrpark Corvin"], ["Stand 15.09.2025"], *FLEET],
                head=3,
                formats={"F": "mm/yyyy", "E": "#,##0"},
            ),
            kit.Sheet("Tanken", fuel(), formats={"A": "dd.mm.yyyy", "D": "0.00"}),
        ],
    )
    kit.write_xlsx(
        path["Complaints.xlsx"],
        [kit.Sheet("Log", COMPLAINTS, formats={"B": "dd/mm/yyyy", "H": "dd/mm/yyyy", "I": "dd/mm/yyyy"})],
    )
    days = sum(row[6] or 0 for row in SCAFFOLD[1:])
    freight = sum(row[8] or 0 for row in SCAFFOLD[1:])
    last = ["Total", None, None, None, None, None, days, None, freight, None, None]
    title = [["Échafaudages Lemaire SARL - relevé des locations, client 4471 Corvin"]]
    kit.write_xlsx(
        path["Relevé Lemaire 2025.xlsx"],
        [
            kit.Sheet(
                "Locations",
                [*title, *SCAFFOLD, last],
                head=2,
                formats={"E": "dd/mm/yyyy", "F": "dd/mm/yyyy", "H": "0.00"},
            )
        ],
    )
