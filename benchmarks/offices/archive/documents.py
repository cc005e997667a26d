"""The municipal archive of Hallensteg with its reading room and stacks: its documents (all is invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Depositalvertrag Radewald 2022.docx": "de",
    "Loan Northwyke Ice in the Harbour.pdf": "en",
    "lesesaal_2021.txt": "de",
    "Ordnung Lesesaal 2025-09.odt": "de",
    "Gebührensatzung 2025.pdf": "de",
    "Guide to our holdings.pdf": "en",
    "Quentin Chronik Abschrift.docx": "de",
    "N 9-203 pilot Thoms translation.odt": "en",
    "Conservation report 2025-14.docx": "en",
    "AW_ AW_ AW_ Magazin 2 feucht.eml": "de",
    "Re_ Re_ Captain Osterloh.eml": "en",
    "Digitising the Bote.pptx": "en",
    "Jour fixe Notizen.md": "de",
    "Schulen im Archiv.pptx": "de",
    "scan_zugang_2025_031.pdf": "de",
    "Carta Puerto Salces.pdf": "es",
    "Jumelage - cartons de 1811.eml": "fr",
    "Merkblatt Bauakten.docx": "de",
    "Friends newsletter 38.pdf": "en",
    "Notfallplan.docx": "de",
    "interview 12 Albers.txt": "en",
    "index.html": "de",
    "Faktura Sundby 25-7719.pdf": "da",
    "Stacks and visits.xlsx": "en",
    "Zugänge 2025.xlsx": "de",
    "readers_october.csv": "en",
    "klima_magazine.csv": "de",
}
PICTURES = {"scan_zugang_2025_031.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "stacks": TableAt("Stacks and visits.xlsx", "Stacks"),
    "visits": TableAt("Stacks and visits.xlsx", "Visits", skip=1, head=2, last="Sum"),
    "accessions": TableAt("Zugänge 2025.xlsx", "Zugänge", skip=1, decimal=","),
    "orders": TableAt("Zugänge 2025.xlsx", "Bestellungen", decimal=","),
    "readers": TableAt("readers_october.csv"),
    "climate": TableAt("klima_magazine.csv", delimiter=";", encoding="cp1252", decimal=","),
}
STACKS: list[list[Any]] = [
    ["Stack", "Floor", "Shelves", "Metres full", "Metres free", "Smoke detectors", "Last checked", "Painted"],
    ["Magazin 1", 0, 36, 412, 18, 6, datetime.date(2025, 8, 4), 2019],
    ["Magazin 2", 2, 44, 530, 62, 8, datetime.date(2025, 8, 27), 2008],
    ["Magazin 3", 3, 52, 388, 204, 8, datetime.date(2025, 8, 5), None],
    ["Map room", 1, 14, 96, 7, 2, datetime.date(2025, 8, 6), 2021],
    ["Outer store", None, 70, 705, 315, 11, datetime.date(2025, 6, 17), 2015],
    ["Cold room", -1, 5, 31, 4, 1, None, 2023],
]
VISITS: list[list[Any]] = [
    ["January", 171, 38, 402, 61, 0],
    ["February", 188, 44, 455, 70, 26],
    ["March", 231, 59, 610, 82, 71],
    ["April", 214, 40, 498, 64, 22],
    ["May", 246, 61, 577, 77, 48],
    ["June", 262, 55, 603, 69, 90],
    ["July", 198, 71, 466, 58, None],
    ["August", 120, 52, 281, 49, 0],
    ["September", 240, 47, 688, 91, 46],
    ["October", 257, 50, 731, None, 63],
]
ORDERS: list[list[Any]] = [
    ["Artikel", "Lieferant", "Menge", "Preis je Stück €", "Bestellt am", "Geliefert am"],
    ["Archivkarton 39 x 27", "Kartonagen Wiebe", 400, "4,85", "13.01.2025", "29.01.2025"],
    ["Stülpschachtel groß", "Kartonagen Wiebe", 60, "17,20", "13.01.2025", "05.02.2025"],
    ["Japanpapier RK-17", "Papier Ono", 25, "11,40", "03.03.2025", "21.03.2025"],
    ["Weizenstärke 1 kg", "Papier Ono", 3, "9,90", "03.03.2025", "21.03.2025"],
    ["Mikrofilmlampe", "Optik Jahn", 2, "64,00", "18.08.2025", "10.11.2025"],
    ["Transportkiste K 112", "Kisten Brar", 1, "410,00", "01.09.2025", "15.10.2025"],
    ["Pergaminhülle 13 x 18", "Kartonagen Wiebe", 2000, "0,11", "22.09.2025", None],
    ["Schaumstoff 50 mm", "Kisten Brar", 6, None, "22.09.2025", "30.09.2025"],
    ["Bleistift", "Büro Lang", 144, "0,32", "06.10.2025", "08.10.2025"],
]


def accessions() -> list[list[Any]]:
    luck = random.Random(1287)
    givers = ["Bauamt", "Bauamt", "Standesamt", "Ruderverein Steg", "Familie Petersen", "Hallensteger Bote", "Schulamt"]
    kinds = ["Akten", "Akten", "Fotografien", "Protokolle", "Dateien", "Pläne"]
    rows: list[list[Any]] = [
        ["Zugang", "Datum", "Abgebende Stelle", "Art", "Umfang m", "Form", "Zustand", "Standort", "Angenommen von"]
    ]
    day = datetime.date(2025, 1, 9)
    for number in range(1, 43):
        giver, kind = luck.choice(givers), luck.choice(kinds)
        size: Any = f"{luck.randint(1, 96) / 10:.1f}".replace(".", ",")
        form = luck.choice(["Abgabe", "Schenkung", "Depositum"]) if "amt" not in giver else "Abgabe"
        state = luck.choice(["gut", "gut", "gut", "feucht", "Silberfisch", "Rost"])
        place: Any = f"M{luck.randint(1, 3)} R{luck.randint(1, 44)}"
        who = luck.choice(["Wulfestieg", "Wulfestieg", "Brockdorff", "Hansen"])
        if number == 31:
            giver, kind, size, form = "Ruderverein Steg", "Protokolle", "0,8", "Schenkung"
            day, state, place, who = datetime.date(2025, 7, 9), "Silberfisch", "M3 R40", "Wulfestieg"
        if kind == "Dateien":
            size = place = None
        rows.append([f"2025/{number:03d}", day.strftime("%d.%m.%Y"), giver, kind, size, form, state, place, who])
        step = luck.choice([2, 5, 6, 8, 12])
        day = min(day + datetime.timedelta(days=step), datetime.date(2025, 7, 9 if number < 31 else 28))
        if number > 31:
            day = datetime.date(2025, 7, 10) + datetime.timedelta(days=9 * (number - 31))
    rows[12][8] = None
    return rows


def readers() -> list[list[Any]]:
    luck = random.Random(44)
    rows: list[list[Any]] = [["date", "reader", "from", "purpose", "group", "pieces", "hours", "photographs"]]
    day = datetime.date(2025, 10, 1)
    towns = ["Hallensteg", "Hallensteg", "Melldorf", "Hamburg", "Northwyke", "Vernoux"]
    while day.month == 10:
        if day.weekday() in (1, 2, 3, 4):
            for _ in range(luck.randint(2, 5)):
                purpose = luck.choice(["family", "family", "house", "study", "school"])
                group = luck.choice("RKFBPZ")
                pieces, hours = luck.randint(1, 12), luck.choice([0.5, 1, 1.5, 2.5, 4, 6])
                number, shots = f"L{luck.randint(300, 360)}", luck.randint(0, 140)
                rows.append([day.isoformat(), number, luck.choice(towns), purpose, group, pieces, hours, shots])
        day += datetime.timedelta(days=1)
    rows[25][5] = ""
    return rows


def climate() -> list[list[Any]]:
    luck = random.Random(18)
    rows: list[list[Any]] = [["Woche", "Raum", "Temperatur °C", "Feuchte %", "Höchstwert %", "Bemerkung"]]
    for week in range(27, 44):
        for room, damp in (("Magazin 1", 49), ("Magazin 2", 52), ("Kartenraum", 48)):
            mean = damp + luck.randint(-2, 3)
            if room == "Magazin 2" and week in (33, 34):
                mean += 12
            warm = f"{luck.uniform(16.2, 19.8):.1f}".replace(".", ",")
            note = "Fallrohr" if mean > 58 else luck.choice(["", "", "", "Fenster offen", "Sensor getauscht"])
            rows.append([f"KW {week}", room, warm, mean, mean + luck.randint(1, 7), note])
    rows[14][2] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(
        path["Depositalvertrag Radewald 2022.docx"], text["depositum"], font="Garamond", footer="Bestand W 3"
    )
    kit.write_pdf(path["Loan Northwyke Ice in the Harbour.pdf"], text["loan"], size=10, footer="Loan 2025/6")
    path["lesesaal_2021.txt"].write_bytes(text["lesesaal21"].encode("cp1252"))
    kit.write_odt(path["Ordnung Lesesaal 2025-09.odt"], text["lesesaal25"])
    kit.write_pdf(path["Gebührensatzung 2025.pdf"], text["gebuehren"], font="Times-Roman", size=11, page_label="- %d -")
    kit.write_pdf(
        path["Guide to our holdings.pdf"], text["guide"], page="A5", size=10, margin=46, chapter_on_new_page=True
    )
    kit.write_docx(path["Quentin Chronik Abschrift.docx"], text["chronik"], font="Times New Roman", size=12)
    kit.write_odt(path["N 9-203 pilot Thoms translation.odt"], text["pilot"], font="Liberation Serif")
    kit.write_docx(path["Conservation report 2025-14.docx"], text["restore"], font="Arial", size=9.5, header="2025/14")
    kit.write_eml(path["AW_ AW_ AW_ Magazin 2 feucht.eml"], text["klima"])
    kit.write_eml(path["Re_ Re_ Captain Osterloh.eml"], text["inquiry"], with_html=True)
    kit.write_pptx(path["Digitising the Bote.pptx"], text["tender"])
    path["Jour fixe Notizen.md"].write_text(text["minutes"], encoding="utf-8")
    kit.write_pptx(path["Schulen im Archiv.pptx"], text["slides"])
    kit.write_picture_pdf(path["scan_zugang_2025_031.pdf"], [text["scan"]], tilt=0.8, specks=200, seed=31)
    kit.write_pdf(path["Carta Puerto Salces.pdf"], text["carta"], font="Times-Roman", size=12, page_label="")
    kit.write_eml(path["Jumelage - cartons de 1811.eml"], text["lettre"])
    kit.write_docx(path["Merkblatt Bauakten.docx"], text["mill"], size=11.5)
    kit.write_pdf(path["Friends newsletter 38.pdf"], text["friends"], columns=2, size=9.5, margin=42, color="#7c2d12")
    kit.write_docx(path["Notfallplan.docx"], text["notfall"], font="Verdana", size=10, header="NOTFALL")
    path["interview 12 Albers.txt"].write_text(text["oral"], encoding="utf-8")
    kit.write_html(path["index.html"], text["web"], title="Stadtarchiv Hallensteg", language="de", charset="cp1252")
    kit.write_pdf(path["Faktura Sundby 25-7719.pdf"], text["dansk"], grid=False, page_label="")
    head = ["Month", "Visitors", None, "Pieces fetched", "Written answers", "School children"]
    under = [None, "reading room", "exhibition", None, None, None]
    total = ["Sum", *(sum(row[c] or 0 for row in VISITS) for c in range(1, 6))]
    merged = ("A1:F1", "B2:C2", *(f"{one}2:{one}3" for one in "ADEF"))
    kit.write_xlsx(
        path["Stacks and visits.xlsx"],
        [
            kit.Sheet("Stacks", STACKS, formats={"G": "dd.mm.yyyy"}, remarks={"H4": "nobody remembers"}),
            kit.Sheet("Visits", [["Visits 2025"], head, under, *VISITS, total], head=3, merged=merged),
        ],
    )
    taken = [["Zugangsbuch 2025 (Auszug)"], *accessions()]
    kit.write_xlsx(path["Zugänge 2025.xlsx"], [kit.Sheet("Zugänge", taken, head=2), kit.Sheet("Bestellungen", ORDERS)])
    kit.write_csv(path["readers_october.csv"], readers())
    kit.write_csv(path["klima_magazine.csv"], climate(), delimiter=";", encoding="cp1252")
