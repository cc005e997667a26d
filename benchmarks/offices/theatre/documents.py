"""The Lantern Theatre of Quellbrück with its stage, studio and front of house: its documents (all is invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Hire H-26-03 Nordlicht.docx": "en",
    "Gastspielvertrag Tanzwerk Ost.pdf": "de",
    "Salt Road rider v2.pdf": "en",
    "Salt Road rider v3 2025-11-12.pdf": "en",
    "Ordnung Bühne 2025-08.docx": "de",
    "spielplan-februar-2026.html": "de",
    "preise_2024_25.txt": "de",
    "Eintrittspreise 2025-26.odt": "de",
    "Front of house handbook.pdf": "en",
    "Trustees 87 2025-10-13.docx": "en",
    "kirschgarten sitzungen.md": "de",
    "AW_ AW_ Nebelmaschine.eml": "de",
    "Re_ Re_ Re_ URGENT who plays Friday.eml": "en",
    "Votre proposition pour juin.eml": "fr",
    "Carta Almudévar 2025-09-24.pdf": "es",
    "Offerte De Schemering 2025-1188.docx": "nl",
    "Zuwendungsbescheid 2025-26.pdf": "de",
    "Season launch 2026-27.pptx": "en",
    "scan_unfall_7_2025.pdf": "de",
    "Stelle Inspizienz.odt": "de",
    "Costume care.odt": "en",
    "Löffel menu 2025-26.html": "en",
    "HX 9 operating manual.pdf": "en",
    "press file.txt": "en",
    "Sponsor Stadtwerke.docx": "en",
    "Season 2025-26.xlsx": "en",
    "Fundus.xlsx": "de",
    "boxoffice_november.csv": "en",
    "dienstplan_kw49.csv": "de",
}
PICTURES = {"scan_unfall_7_2025.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "shows": TableAt("Season 2025-26.xlsx", "Shows", skip=1, head=2, last="Total"),
    "budget": TableAt("Season 2025-26.xlsx", "Budget"),
    "ensemble": TableAt("Season 2025-26.xlsx", "Ensemble"),
    "costumes": TableAt("Fundus.xlsx", "Kostüme", decimal=","),
    "props": TableAt("Fundus.xlsx", "Requisiten", skip=1, decimal=","),
    "sales": TableAt("boxoffice_november.csv"),
    "shifts": TableAt("dienstplan_kw49.csv", delimiter=";", encoding="cp1252", decimal=","),
}
BUDGET: list[list[Any]] = [
    ["Production", "Director", "Set EUR", "Costumes EUR", "Guests EUR", "Spent so far EUR", "Premiere"],
    ["The Snow Queen", "Nora Pilz", 14200, 6100, 9000, 31050, datetime.date(2025, 11, 22)],
    ["Hafenlichter", "Bernd Ohlsen", 1800, 600, 2400, 5120, datetime.date(2025, 10, 10)],
    ["The Cherry Orchard", "Theresa Amberg", 18500, 7200, 12600, 24870, datetime.date(2026, 2, 5)],
    ["Minna", "Hannes Roth", 9800, 5300, 4100, 18730, datetime.date(2025, 9, 19)],
    ["Whale song", "Nora Pilz", 11500, 4900, 6000, None, None],
    ["Laterne aus", "Marlene Voigt", 0, 150, 3600, 1890, datetime.date(2025, 9, 27)],
]
ENSEMBLE: list[list[Any]] = [
    ["Surname", "First name", "Role in the house", "Since", "Ext.", "Contract until", "Hat size", "Car key"],
    ["Amberg", "Theresa", "artistic director", 2021, 12, datetime.date(2027, 7, 31), 56, "yes"],
    ["Kalinowski", "Judith", "actor", 2016, None, datetime.date(2027, 7, 31), 55, "no"],
    ["Ohlsen", "Bernd", "actor, singer", 2009, None, datetime.date(2028, 7, 31), 60, "no"],
    ["Lindholm", "Greta", "singer", 2023, None, datetime.date(2026, 7, 31), 54, "no"],
    ["Brix", "Jule", "head of stage", 2014, 22, None, None, "yes"],
    ["Oduya", "Samuel", "stage technician", 2018, 23, None, None, "yes"],
    ["Katsaros", "Eleni", "head of costumes", 2005, 27, None, None, "no"],
    ["Castell", "Yvonne", "office", 2012, 11, None, None, "no"],
    ["Achebe", "Desmond", "house manager", 2019, 31, None, None, "yes"],
    ["Adamczyk", "Lev", "musician", 2020, None, datetime.date(2026, 7, 31), 58, "no"],
    ["Sommer", "Jakob", "dramaturg", 2022, 15, datetime.date(2028, 7, 31), 59, "no"],
    ["Tannert", "Ilse", "box office", 1998, 10, None, None, "no"],
]
SHIFTS: list[list[Any]] = [
    ["Tag", "Name", "Bereich", "von", "bis", "Stunden", "Vorstellung"],
    ["01.12.2025", "Oduya", "Bühne", "09:00", "17:00", "7,5", ""],
    ["01.12.2025", "Brix", "Inspizienz", "10:00", "18:00", "7,5", ""],
    ["02.12.2025", "Oduya", "Bühne", "13:00", "22:30", "9,0", "Die Schneekönigin"],
    ["02.12.2025", "Mahler", "Bühne", "13:00", "22:30", "9,0", "Die Schneekönigin"],
    ["02.12.2025", "Yildiz", "Ton", "15:00", "22:00", "6,5", "Die Schneekönigin"],
    ["03.12.2025", "Yildiz", "Ton", "08:00", "13:00", "5,0", "Die Schneekönigin"],
    ["03.12.2025", "Fromm", "Licht", "08:00", "13:30", "5,5", "Die Schneekönigin"],
    ["03.12.2025", "Mahler", "Bühne", "08:00", "14:00", "5,5", "Die Schneekönigin"],
    ["04.12.2025", "Fromm", "Licht", "12:00", "20:00", "7,5", ""],
    ["04.12.2025", "Achebe", "Vorderhaus", "16:00", "22:00", "6,0", "Empfang"],
    ["05.12.2025", "Brix", "Inspizienz", "14:00", "23:00", "8,5", "Minna"],
    ["05.12.2025", "Fromm", "Licht", "14:00", "23:30", "9,0", "Minna"],
    ["05.12.2025", "Mahler", "Bühne", "14:00", "23:30", "9,0", "Minna"],
    ["05.12.2025", "", "Ton", "15:00", "23:00", "", "Minna"],
    ["06.12.2025", "Brix", "Inspizienz", "10:00", "22:00", "10,5", "Hafenlichter"],
    ["06.12.2025", "Yildiz", "Ton", "12:00", "22:30", "9,5", "Hafenlichter"],
    ["07.12.2025", "Oduya", "Bühne", "11:00", "18:30", "7,0", "Die Schneekönigin"],
    ["07.12.2025", "Yildiz", "Ton", "13:00", "18:00", "5,0", "Die Schneekönigin"],
]
SEATS = {"The Snow Queen": 412, "Minna": 388, "Hafenlichter": 88, "Laterne aus": 88}


def shows() -> list[list[Any]]:
    luck = random.Random(412)
    rows: list[list[Any]] = []
    day = datetime.date(2025, 9, 19)
    for number in range(1, 49):
        title = luck.choice(["Minna", "Minna", "Hafenlichter", "Laterne aus"])
        if day >= datetime.date(2025, 11, 22):
            title = luck.choice(["The Snow Queen", "The Snow Queen", "Minna", "Hafenlichter"])
        seats = SEATS[title]
        paid = int(seats * luck.uniform(0.38, 0.93))
        free = luck.randint(2, 19)
        income: Any = round(paid * luck.uniform(9.5, 21.5), 2)
        report = luck.choice([None] * 7 + ["started late", "doctor called", "prompt lost", "rain on roof"])
        if number in (23, 37):
            paid = free = income = None
            report = "cancelled"
        minutes = luck.randint(63, 70) if title == "The Snow Queen" else luck.randint(78, 152)
        rows.append([number, day, title, seats, paid, free, income, None if income is None else minutes, report])
        day += datetime.timedelta(days=luck.choice([1, 1, 2, 3]))
    rows[10][7] = None
    return rows


def costumes() -> list[list[Any]]:
    luck = random.Random(1810)
    things = ["Gehrock", "Reifrock", "Uniformjacke", "Ballkleid", "Weste", "Umhang", "Zylinder", "Stiefel", "Kimono"]
    rows: list[list[Any]] = [
        ["Nr.", "Stück", "Zeit", "Größe", "Farbe", "Regal", "Zustand", "Wert €", "verliehen an", "zurück am"]
    ]
    for number in range(401, 449):
        thing = luck.choice(things)
        lent = luck.choice([None] * 5 + ["Schule am Wehr", "Laienspiel Melsheim", "Stadtarchiv"])
        back = f"{luck.randint(1, 28):02d}.{luck.choice(['01', '02'])}.2026" if lent else None
        size: Any = luck.choice([36, 38, 40, 42, 44, 48, 50, 52])
        rows.append([f"K{number}", thing, luck.choice(["Barock", "1810", "1880", "1920", "1950"]), size])
        rows[-1] += [luck.choice(["rot", "schwarz", "grün", "blau", "weiß"]), f"{luck.choice('ABCD')}{number % 7}"]
        rows[-1] += [luck.choice(["gut", "gut", "gut", "Motten", "Naht offen"]), str(luck.randint(4, 48) * 5)]
        rows[-1] += [lent, back]
    rows[14][4] = None
    rows[30][7] = None
    return rows


PROPS: list[list[Any]] = [
    ["Requisiten, Stand November 2025"],
    ["Nr.", "Gegenstand", "Anzahl", "Maße cm", "Gewicht kg", "Ort", "Stück"],
    ["P01", "Koffer, alt", 83, None, "4,2", "Magazin 2", "Der Kirschgarten"],
    ["P02", "Samowar", 2, "48", "6,5", "Magazin 1", "Der Kirschgarten"],
    ["P03", "Billardqueue", 5, "145", "0,6", "Magazin 1", "Der Kirschgarten"],
    ["P04", "Plüschhund", 1, "35", "0,7", "Magazin 1", "Der Kirschgarten"],
    ["P05", "Schlitten", 1, "160", "22", "Hinterbühne", "Die Schneekönigin"],
    ["P06", "Eisspiegel, Plexiglas", 7, "90", "3,1", "Hinterbühne", "Die Schneekönigin"],
    ["P07", "Rosenstock", 4, "70", "2,4", "Hinterbühne", "Die Schneekönigin"],
    ["P08", "Degen", 6, "98", "1,1", "Schrank R2", None],
    ["P09", "Pistole, stumpf", 3, "31", "0,9", "Schrank R2", "Minna"],
    ["P10", "Siegelring", 2, None, None, "Schrank R1", "Minna"],
    ["P11", "Akkordeonkoffer", 2, "55", "5,8", "Studio", "Hafenlichter"],
    ["P12", "Rettungsring", 3, "75", "2,5", "Studio", "Hafenlichter"],
    ["P13", "Telefon, schwarz", 4, "24", "2,2", "Magazin 1", None],
    ["P14", "Schreibmaschine", 3, "40", "11", "Magazin 2", None],
]


def sales() -> list[list[Any]]:
    luck = random.Random(11)
    prices = {"A": 35, "B": 27.5, "C": 17, "Studio": 19.5}
    rows: list[list[Any]] = [["order", "sold on", "show", "category", "tickets", "amount", "how", "reduced", "by"]]
    for number in range(7001, 7089):
        show = luck.choice(["Minna", "The Snow Queen", "The Snow Queen", "Hafenlichter"])
        category = "Studio" if show == "Hafenlichter" else luck.choice("ABC")
        tickets, reduced = luck.randint(1, 6), luck.choice(["no", "no", "yes"])
        amount = tickets * prices[category] / (2 if reduced == "yes" else 1)
        how = luck.choice(["web", "web", "phone", "desk"])
        by = "" if how == "web" else luck.choice(["Tannert", "Tannert", "Ruiz"])
        rows.append([number, f"2025-11-{1 + (number - 7001) // 3:02d}", show, category, tickets, f"{amount:.2f}"])
        rows[-1] += [how, reduced, by]
    rows[44][3] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(path["Hire H-26-03 Nordlicht.docx"], text["hire"], font="Garamond", header="Lantern Theatre Trust")
    kit.write_pdf(path["Gastspielvertrag Tanzwerk Ost.pdf"], text["gastspiel"], page_label="Seite %d", size=10)
    kit.write_pdf(path["Salt Road rider v2.pdf"], text["rider2"], font="Courier", size=10, page="LETTER")
    kit.write_pdf(
        path["Salt Road rider v3 2025-11-12.pdf"], text["rider3"], color="#8a1538", page="LETTER", page_label=""
    )
    kit.write_docx(path["Ordnung Bühne 2025-08.docx"], text["hausordnung"], size=12, footer="gez. Farrar")
    kit.write_html(
        path["spielplan-februar-2026.html"],
        text["spielplan"],
        title="Laternentheater: Februar",
        language="de",
        before="<p>Start &middot; Spielplan &middot; Karten &middot; Haus</p>",
        after="<footer>Laternentheater Quellbrück, Wehrstraße 2</footer>",
    )
    path["preise_2024_25.txt"].write_bytes(text["preise24"].encode("cp1252"))
    kit.write_odt(path["Eintrittspreise 2025-26.odt"], text["preise25"], font="Liberation Sans")
    kit.write_pdf(
        path["Front of house handbook.pdf"],
        text["foh"],
        page="A5",
        size=10,
        margin=44,
        chapter_on_new_page=True,
        header="Front of house",
        color="#14532d",
    )
    kit.write_docx(path["Trustees 87 2025-10-13.docx"], text["board"], font="Cambria", author="Yvonne Castell")
    path["kirschgarten sitzungen.md"].write_text(text["kirsch"], encoding="utf-8")
    kit.write_eml(path["AW_ AW_ Nebelmaschine.eml"], text["nebel"], with_html=True)
    kit.write_eml(path["Re_ Re_ Re_ URGENT who plays Friday.eml"], text["understudy"])
    kit.write_eml(path["Votre proposition pour juin.eml"], text["lettre"])
    kit.write_pdf(path["Carta Almudévar 2025-09-24.pdf"], text["carta"], font="Times-Roman", size=11.5, page_label="")
    kit.write_docx(path["Offerte De Schemering 2025-1188.docx"], text["offerte"], table_style="Light Shading")
    kit.write_pdf(path["Zuwendungsbescheid 2025-26.pdf"], text["bescheid"], size=11, footer="K3-2025-0446")
    kit.write_pptx(path["Season launch 2026-27.pptx"], text["launch"])
    kit.write_picture_pdf(path["scan_unfall_7_2025.pdf"], [text["scan"]], tilt=1.1, specks=320, seed=7)
    kit.write_odt(path["Stelle Inspizienz.odt"], text["stelle"])
    kit.write_odt(path["Costume care.odt"], text["costume"])
    kit.write_html(path["Löffel menu 2025-26.html"], text["menu"], title="Löffel & Co", charset="iso-8859-1")
    kit.write_pdf(path["HX 9 operating manual.pdf"], text["lift"], columns=2, size=9, margin=40, header="HX 9")
    path["press file.txt"].write_text(text["press"], encoding="utf-8")
    kit.write_docx(path["Sponsor Stadtwerke.docx"], text["sponsor"], font="Arial", size=10.5)
    head = ["No.", "Date", "Title", "House", None, None, "Income EUR", "Minutes", "Report"]
    under = [None, None, None, "Seats", "Paid", "Free", None, None, None]
    total = ["Total", None, None, None, *(sum(row[c] or 0 for row in shows()) for c in (4, 5, 6)), None, None]
    merged = ("A1:I1", "D2:F2", *(f"{one}2:{one}3" for one in "ABCGHI"))
    kit.write_xlsx(
        path["Season 2025-26.xlsx"],
        [
            kit.Sheet(
                "Shows", [["Season 2025/26 until December"], head, under, *shows(), total], head=3, merged=merged
            ),
            kit.Sheet("Budget", BUDGET, formats={"G": "dd.mm.yyyy"}, remarks={"F2": "reindeer not yet paid"}),
            kit.Sheet("Ensemble", ENSEMBLE),
        ],
    )
    kit.write_xlsx(path["Fundus.xlsx"], [kit.Sheet("Kostüme", costumes()), kit.Sheet("Requisiten", PROPS, head=2)])
    kit.write_csv(path["boxoffice_november.csv"], sales())
    kit.write_csv(path["dienstplan_kw49.csv"], SHIFTS, delimiter=";", encoding="cp1252")
