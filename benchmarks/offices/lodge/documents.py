"""Larchfold Lodge and the Grauhorn ski school: their documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Lease Larchfold 2021.docx": "en",
    "Season contract Borg.docx": "en",
    "Vereinbarung Grauhornbahnen.docx": "de",
    "Safety plan edition 5.docx": "en",
    "Prices winter 2025-26.odt": "en",
    "prices 23-24 old.txt": "en",
    "Season report 2024-25.pdf": "en",
    "Prüfbericht Seilbahn MS-0642.pdf": "de",
    "Room booklet.pdf": "en",
    "Preventivo Zanolin 1184.pdf": "it",
    "Club alpin Vaubrisson.odt": "fr",
    "scan_trinkwasser.pdf": "de",
    "Re_ Re_ Re_ hot water AGAIN.eml": "en",
    "WG_ AW_ Skifreizeit Altenwerder.eml": "de",
    "Instructors December.pptx": "en",
    "Elternabend.pptx": "de",
    "faq.html": "en",
    "groomer and house book.md": "en",
    "Bookings winter 2025-26.xlsx": "en",
    "Skiverleih.xlsx": "de",
    "kurse_februar_2026.csv": "de",
}
PICTURES = {"scan_trinkwasser.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "bookings": TableAt("Bookings winter 2025-26.xlsx", "Bookings"),
    "rooms": TableAt("Bookings winter 2025-26.xlsx", "Rooms", skip=1),
    "till": TableAt("Bookings winter 2025-26.xlsx", "Till", skip=1, head=2, last="Together"),
    "skis": TableAt("Skiverleih.xlsx", "Bestand", skip=2, decimal=","),
    "hire": TableAt("Skiverleih.xlsx", "Preise", decimal=","),
    "courses": TableAt("kurse_februar_2026.csv", delimiter=";", encoding="cp1252", decimal=","),
}
ROOMS: list[list[Any]] = [
    ["Room", "Floor", "Beds", "Bath", "Faces", "m²", "Painted"],
    [1, "ground", 2, "own", "north", 15.5, 2022],
    [2, "ground", 4, "corridor", "east", 21, 2019],
    [3, "ground", 2, "own", "north", 14, 2016],
    [4, "ground", 2, "corridor", "east", 13.5, 2019],
    [5, "first", 2, "own", "south", 17, 2021],
    [6, "first", 4, "own", "south", 24.5, 2021],
    [7, "first", 2, "corridor", "east", 14, 2018],
    [8, "first", 2, "corridor", "north", 13, None],
    [9, "first", 2, "own", "south", 19, 2024],
    [10, "second", 4, "corridor", "west", 22.5, 2017],
    [11, "second", 2, "own", "west", 16, 2023],
    [12, "second", 2, "own", "south", 18, 2023],
    [13, "second", 4, "own", "south", 26, 2020],
    [14, "second", 2, "corridor", "north", 12.5, 2015],
]
TILL: list[list[Any]] = [
    ["20-26 Dec", 4210.5, 1388, 964, 211, "Nela"],
    ["27 Dec-2 Jan", 5876, 1915.2, 1402, 388.5, "Nela"],
    ["3-9 Jan", 3105.4, 902, 655, 140, "Amelie"],
    ["10-16 Jan", 2480, 733.6, None, 92, "Amelie"],
    ["17-23 Jan", 2912.7, 810, 498, 126, "Nela"],
    ["24-30 Jan", 3360, 1044.4, 571, 175.5, "Amelie"],
    ["31 Jan-6 Feb", 4987.3, 1262, 1188, 240, "Nela"],
]
HIRE: list[list[Any]] = [
    ["Artikel", "1 Tag €", "3 Tage €", "6 Tage €", "Kaution €"],
    ["Ski Kinder", "9,00", "24,00", "42,00", "50,00"],
    ["Ski Erwachsene", "18,00", "48,00", "84,00", "150,00"],
    ["Tourenski mit Fellen", "32,00", "87,00", "156,00", "300,00"],
    ["Snowboard", "19,50", "52,00", "91,00", "150,00"],
    ["Schneeschuhe", "8,00", "21,00", None, "40,00"],
    ["LVS-Set", "12,00", "30,00", "54,00", "250,00"],
    ["Rodel", "9,00", "23,00", "40,00", "30,00"],
]
GUESTS = "Petersen Haverkamp Lindahl de-Wit Moretti Sartori Okonkwo Brugger Fenwick Castelain Novak Jansen Ferraris Uhl"
COUNTRIES = (
    "Germany Germany Sweden Netherlands Italy Italy Germany Austria Britain France Czechia Netherlands Italy Germany"
)


def bookings() -> list[list[Any]]:
    luck = random.Random(1840)
    rows: list[list[Any]] = [
        ["No.", "Arrival", "Nights", "Room", "Persons", "Name", "Country", "Came by", "Total EUR", "Paid EUR", "Remark"]
    ]
    where = dict(zip(GUESTS.split(), COUNTRIES.split(), strict=True))
    beds = {row[0]: row[2] for row in ROOMS[1:]}
    day = datetime.date(2025, 12, 20)
    for number in range(2501, 2573):
        room, name = luck.randint(2, 14), luck.choice(list(where))
        persons, nights = luck.randint(1, beds[room]), luck.choice([2, 3, 4, 6, 7, 7])
        total = persons * nights * luck.choice([64, 71, 89, 90, 112])
        rows.append([number, day, nights, room, persons, name, where[name], luck.choice(["car", "car", "train"])])
        rows[-1] += [
            total,
            luck.choice([total, total, total // 4, 0]),
            luck.choice([None] * 7 + ["dog", "vegan", "cot"]),
        ]
        day += datetime.timedelta(days=luck.choice([0, 0, 1, 1, 2]))
    rows[22][7] = None
    return rows


def skis() -> list[list[Any]]:
    luck = random.Random(77)
    head = ["Nr.", "Art", "Marke", "Länge cm", "Saison", "Zustand", "Verleihtage", "Neupreis €", "Letzter Service"]
    rows: list[list[Any]] = [["Skiverleih Larchfold, Stand 15.01.2026"], ["Zustand: 1 neu, 4 ausscheiden"], head]
    kinds = {
        "Kinder": (80, 140, 129),
        "Erwachsene": (150, 184, 389),
        "Touren": (156, 180, 549),
        "Snowboard": (128, 162, 299),
    }
    for number in range(101, 149):
        kind = luck.choice(["Kinder", "Kinder", "Erwachsene", "Erwachsene", "Touren", "Snowboard"])
        low, high, price = kinds[kind]
        served = datetime.date(2025, 10, 20) + datetime.timedelta(days=luck.randint(0, 80))
        rows.append([f"K{number}", kind, luck.choice(["Firn", "Nordkant", "Pulvo"]), luck.randrange(low, high, 4)])
        rows[-1] += [luck.randint(2017, 2025), luck.choice([1, 2, 2, 3, 3, 4]), luck.randint(4, 61)]
        rows[-1] += [f"{price + luck.choice([0, 20, 40])},90", served.strftime("%d.%m.%Y")]
    rows[17][8] = None
    rows[31][6] = None
    return rows


def courses() -> list[list[Any]]:
    luck = random.Random(226)
    rows: list[list[Any]] = [
        ["Kurs", "Beginn", "Art", "Lehrkraft", "Angemeldet", "Plätze", "Preis €", "Einnahme €", "Treffpunkt"]
    ]
    prices = {"Murmelgarten": (210, 6), "Kinder": (355, 8), "Erwachsene": (198, 8), "Snowboard": (216, 7)}
    for number in range(1, 57):
        kind = luck.choice(["Murmelgarten", "Kinder", "Kinder", "Erwachsene", "Snowboard"])
        price, most = prices[kind]
        garden = kind == "Murmelgarten" and luck.random() < 0.6
        teacher = "Linnea" if garden else luck.choice(["Theo", "Bartl", "Ilvy", "Sepp"])
        start = datetime.date(2026, 2, 1) + datetime.timedelta(days=7 * ((number - 1) // 14))
        there = luck.randint(2, most)
        rows.append([f"F{number:02d}", start.strftime("%d.%m.%Y"), kind, teacher, there, most, f"{price},00"])
        rows[-1] += [f"{there * price:,}".replace(",", ".") + ",00", luck.choice(["Hasenlift", "Stadel", "Seilbahn"])]
    rows[27][3] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(
        path["Lease Larchfold 2021.docx"], text["lease"], font="Cambria", header="Municipality of Sankt Valtin"
    )
    kit.write_docx(path["Season contract Borg.docx"], text["borg"], font="Arial", size=10)
    kit.write_docx(
        path["Vereinbarung Grauhornbahnen.docx"], text["bahn"], font="Times New Roman", footer="Seite der Bahn"
    )
    kit.write_docx(path["Safety plan edition 5.docx"], text["safety"], size=10, header="Safety plan, edition 5")
    kit.write_odt(path["Prices winter 2025-26.odt"], text["prices"])
    path["prices 23-24 old.txt"].write_text(text["old"], encoding="utf-8")
    kit.write_pdf(path["Season report 2024-25.pdf"], text["report"], chapter_on_new_page=True, size=11, title="Season")
    kit.write_pdf(
        path["Prüfbericht Seilbahn MS-0642.pdf"], text["seil"], columns=2, size=9, margin=42, page_label="Seite %d"
    )
    kit.write_pdf(
        path["Room booklet.pdf"], text["house"], page="A5", size=10, margin=36, color="#8a2b1c", page_label=""
    )
    kit.write_pdf(path["Preventivo Zanolin 1184.pdf"], text["zanolin"], font="Times-Roman", grid=False, page_label="%d")
    kit.write_odt(path["Club alpin Vaubrisson.odt"], text["club"], font="Liberation Sans")
    kit.write_picture_pdf(path["scan_trinkwasser.pdf"], [text["scan"]], tilt=0.8, specks=220, seed=14)
    kit.write_eml(path["Re_ Re_ Re_ hot water AGAIN.eml"], text["hotwater"])
    kit.write_eml(path["WG_ AW_ Skifreizeit Altenwerder.eml"], text["hamburg"], with_html=True)
    kit.write_pptx(path["Instructors December.pptx"], text["training"])
    kit.write_pptx(path["Elternabend.pptx"], text["eltern"])
    kit.write_html(
        path["faq.html"], text["faq"], title="FAQ", before="<nav>Rooms | School | FAQ</nav>", after="<p>Larchfold</p>"
    )
    path["groomer and house book.md"].write_text(text["diary"], encoding="utf-8")
    head = ["Week", "Bar", None, "Kitchen extra", "Hire", "Counted by"]
    under = [None, "drinks", "snacks", None, None, None]
    total = ["Together", *(sum(row[c] or 0 for row in TILL) for c in (1, 2, 3, 4)), None]
    kit.write_xlsx(
        path["Bookings winter 2025-26.xlsx"],
        [
            kit.Sheet("Bookings", bookings(), formats={"B": "dd/mm/yyyy", "I": "#,##0", "J": "#,##0"}),
            kit.Sheet("Rooms", [["Rooms of the main house, the dormitory is in the Stadel"], *ROOMS], head=2),
            kit.Sheet(
                "Till",
                [["Till, euros taken"], head, under, *TILL, total],
                head=3,
                merged=("A1:F1", "B2:C2", "A2:A3", "D2:D3", "E2:E3", "F2:F3"),
            ),
        ],
    )
    kit.write_xlsx(path["Skiverleih.xlsx"], [kit.Sheet("Bestand", skis(), head=3), kit.Sheet("Preise", HIRE)])
    kit.write_csv(path["kurse_februar_2026.csv"], courses(), delimiter=";", encoding="cp1252")
