"""The observatory and planetarium of Wendelmoor: its documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Guide for volunteers 2025.pdf": "en",
    "Dome rules 2023-05.docx": "en",
    "Dome rules 2025-02.docx": "en",
    "Loan agreement meteorite.docx": "en",
    "Offer Zenitron ZT-25-0881.pdf": "en",
    "Lumivault quotation 4417-B.pdf": "en",
    "New projector 2025-11.pptx": "en",
    "Re_ Re_ Re_ dome motor.eml": "en",
    "visit-us.html": "en",
    "night log autumn 2025.md": "en",
    "Board minutes 2025.docx": "en",
    "Nutzungsvertrag Forstamt.docx": "de",
    "Teleskopführerschein Kursheft.pdf": "de",
    "eintritt_2022.txt": "de",
    "Eintritt und Gebühren 2025.odt": "de",
    "AW_ AW_ Fernrohr Thalheim.eml": "de",
    "Jugendgruppe 2026.pptx": "de",
    "Mitgliederbrief Herbst 2025.pdf": "de",
    "Convention Saint-Aubrac.pdf": "fr",
    "Compte rendu septembre 2025.odt": "fr",
    "scan_leihschein_0362.pdf": "de",
    "Instruments 2025.xlsx": "en",
    "Vorführungen 2025.xlsx": "de",
    "estimates_2025.csv": "en",
    "wartung_kuppel.csv": "de",
}
PICTURES = {"scan_leihschein_0362.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "instruments": TableAt("Instruments 2025.xlsx", "Instruments"),
    "eyepieces": TableAt("Instruments 2025.xlsx", "Eyepieces"),
    "loans": TableAt("Instruments 2025.xlsx", "Loans", skip=1),
    "shows": TableAt("Vorführungen 2025.xlsx", "Vorführungen", skip=1, head=2, decimal=",", last="Summe"),
    "energy": TableAt("Vorführungen 2025.xlsx", "Verbrauch", decimal=","),
    "estimates": TableAt("estimates_2025.csv"),
    "upkeep": TableAt("wartung_kuppel.csv", delimiter=";", encoding="cp1252", decimal=","),
}
INSTRUMENTS: list[list[Any]] = [
    ["Inv.", "Name", "Type", "Aperture mm", "Focal length mm", "Built", "Price EUR", "Place", "Lent", "Insured EUR"],
    ["01", "Old Lady", "refractor", 254, 3810, 1911, 18500, "large dome", "no", 160000],
    ["02", "Newton 40", "reflector", 400, 1800, 1998, 9700, "small dome", "no", 24000],
    ["03", "H-alpha", "refractor", 60, 400, 2013, 2890, "office safe", "no", 3000],
    ["04", "Dish", "radio", 3000, None, 2016, None, "behind library", "no", 2500],
    ["05", "Comet seeker", "refractor", 110, 770, 1934, None, "foyer", "no", 6000],
    ["07", "Hugo", "Dobson", 203, 1200, 2009, 349, "store", "yes", 300],
    ["08", "Berta", "Dobson", 254, 1250, 2014, 598, "store", "yes", 500],
    ["09", "Little Dob", "Dobson", 130, 650, 2018, 189, "store", "yes", 150],
    ["10", "Frauke", "refractor", 102, 1000, 2006, 420, "store", "yes", 350],
    ["11", "Travel scope", "refractor", 80, 480, 2021, 690, "store", "yes", 600],
    ["12", "Maksutov", "catadioptric", 127, 1500, 2011, 475, "store", "yes", 400],
    ["13", "Twin", "binoculars", 50, None, 2017, 119, "office", "yes", None],
    ["14", "Big eyes", "binoculars", 80, None, 2019, 310, "office", "yes", None],
    ["15", "Motor mount", "mount", None, None, 2015, 1150, "workshop", "yes", 1000],
    ["16", "Thalheim 125", "refractor", 125, 1875, 1978, 0, "hut", "no", None],
    ["17", "Thalheim Newton", "reflector", 200, 1600, 1987, 0, "hut", "no", None],
]
EYEPIECES: list[list[Any]] = [
    ["No.", "Focal length mm", "Maker", "Field deg", "Barrel inch", "Bought", "EUR", "State", "Box"],
    ["E01", 40, "Vesper", 43, 1.25, 2004, 49, "good", "A"],
    ["E02", 40, "Halden", 70, 2, 2015, 189, "good", "A"],
    ["E03", 32, "Vesper", 52, 1.25, 2004, 45, "scratch", "A"],
    ["E04", 25, "Vesper", 52, 1.25, 2009, 39, "good", "A"],
    ["E05", 25, "Vesper", 52, 1.25, 2009, 39, "missing", None],
    ["E06", 25, "Orlik", 60, 1.25, 2020, 79, "good", "B"],
    ["E07", 20, "Halden", 68, 2, 2015, 219, "good", "B"],
    ["E08", 15, "Orlik", 66, 1.25, 2012, 64, "good", "B"],
    ["E09", 15, "Orlik", 66, 1.25, 2012, 64, "scratch", "B"],
    ["E10", 13, "Halden", 82, 2, 2022, 329, "good", "C"],
    ["E11", 9, "Orlik", 60, 1.25, 2012, 58, "good", "C"],
    ["E12", 9, "Orlik", 60, 1.25, 2018, 61, "repair", "C"],
    ["E13", 9, "Halden", 82, 1.25, 2022, 279, "good", "C"],
    ["E14", 6, "Orlik", 60, 1.25, 2018, 61, "good", "D"],
    ["E15", 5, "Orlik", 60, 1.25, 2018, 66, "missing", None],
    ["E16", 5, "Vesper", 55, 1.25, 2023, 88, "good", "D"],
]
PEOPLE = [
    "Jorin Bracht",
    "Selin Aydemir",
    "Familie Pohlmann",
    "Rosa Overbeck",
    "Matthis Engel",
    "Hedda Lorenzen",
    "Familie Süß",
    "Cornelius Wiegand",
    "Anneliese Tropp",
    "Kilian Marquis",
]
SHOWS = {
    "Kleine Eule": ("Deutsch", "Wulfert"),
    "Reise zu den Planeten": ("Deutsch", "Diallo"),
    "Schwarze Löcher": ("Deutsch", "Diallo"),
    "Himmel heute": ("Deutsch", "Osgood"),
    "Tonight's Sky": ("Englisch", "Osgood"),
    "Le ciel du soir": ("Französisch", "Diallo"),
    "Nocturne": ("Deutsch", "Diallo"),
}


def german(value: float, digits: int = 2) -> str:
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def loans() -> list[list[Any]]:
    luck = random.Random(362)
    lent = [row for row in INSTRUMENTS[1:] if row[8] == "yes"]
    rows: list[list[Any]] = []
    free: dict[str, datetime.date] = {"07": datetime.date(2025, 1, 1)}
    day = datetime.date(2025, 1, 10)
    for number in range(318, 366):
        inv, name, kind = luck.choice([row for row in lent if free.get(row[0], day) <= day])[:3]
        due = day + datetime.timedelta(days=28)
        back: Any = day + datetime.timedelta(days=luck.choice([7, 14, 21, 26, 28, 28, 33, 45]))
        deposit = 50 if kind == "binoculars" else 120
        fault = luck.choice([None] * 6 + ["cap missing", "dew inside", "finder loose"])
        clerk = luck.choice(["Wulfert", "Wulfert", "Wulfert", "Eibl", "Zielonka"])
        if number == 362:
            inv, name, deposit, fault, day = "07", "Hugo", 120, "cap missing", datetime.date(2025, 10, 3)
            due, back = datetime.date(2025, 10, 31), datetime.date(2025, 11, 9)
        who = "Familie Pohlmann" if number == 362 else luck.choice(PEOPLE)
        free[inv] = back
        if day > datetime.date(2025, 8, 20):
            free["07"] = datetime.date(2025, 11, 9)
        if number > 362:
            back, fault = None, None
        rows.append([f"{number:04d}", inv, name, who, day, due, back, deposit, fault, clerk])
        day += datetime.timedelta(days=luck.choice([2, 4, 5, 6, 8]))
        if number < 362:
            day = min(day, datetime.date(2025, 10, 2))
    rows[17][7] = None
    return rows


def shows() -> list[list[Any]]:
    luck = random.Random(1996)
    rows: list[list[Any]] = []
    day = datetime.date(2025, 4, 6)
    for number in range(1, 85):
        if day.weekday() == 2:
            title = "Kleine Eule"
        elif day.weekday() == 3:
            title = "Tonight's Sky" if 8 <= day.day <= 14 else "Himmel heute"
        elif (day.month, day.day) in ((6, 29), (9, 28)):
            title = "Le ciel du soir"
        else:
            title = luck.choice(["Reise zu den Planeten", "Schwarze Löcher"])
            if day.month >= 9 and day.day >= 21:
                title = "Nocturne"
        language, by = SHOWS[title]
        adults, children = luck.randint(4, 44), luck.randint(0, 27)
        if title == "Kleine Eule":
            adults, children = luck.randint(5, 20), luck.randint(12, 50)
        if day == datetime.date(2025, 9, 21):
            adults, children = 51, 21
        reason = luck.choice([None] * 9 + ["Lampe", "Motor Venus", "Krankheit"])
        price = (14, 9) if title == "Nocturne" else (9, 5.5)
        takings = german(adults * price[0] + children * price[1])
        if reason:
            adults = children = takings = None
        rows.append([number, day.strftime("%d.%m.%Y"), title, language, by, adults, children, takings, reason])
        day += datetime.timedelta(days={6: 3, 2: 1, 3: 3}[day.weekday()])
        if day == datetime.date(2025, 7, 9):
            day = datetime.date(2025, 7, 30)
    rows[29][6] = None
    total = sum(float(row[7].replace(".", "").replace(",", ".")) for row in rows if row[7])
    return [*rows, ["Summe", *[None] * 6, german(total), None]]


ENERGY: list[list[Any]] = [
    ["Monat", "Strom kWh", "Heizöl l", "Wasser m³", "Ablesung durch"],
    ["Januar", 1480, 612, "9,1", "Castellan"],
    ["Februar", 1352, 540, "8,4", "Castellan"],
    ["März", 1290, 398, "11,7", "Castellan"],
    ["April", 1044, 205, "10,2", "Wulfert"],
    ["Mai", 870, 64, "9,8", "Castellan"],
    ["Juni", 795, 0, "12,6", "Castellan"],
    ["Juli", 512, 0, None, "Wulfert"],
    ["August", 934, 0, "21,3", "Castellan"],
    ["September", 1015, 88, "10,9", "Castellan"],
    ["Oktober", 1237, 301, "9,6", "Zielonka"],
]
STARS = {"R Leonis": 6.4, "Mira": 5.2, "SS Cygni": 10.8, "Delta Cephei": 4.0, "Chi Cygni": 8.3, "R Scuti": 6.1}


def estimates() -> list[list[Any]]:
    luck = random.Random(731)
    head = ["id", "date", "ut", "star", "observer", "magnitude", "instrument", "seeing", "remark"]
    rows: list[list[Any]] = []
    day = datetime.date(2025, 2, 1)
    for number in range(1, 97):
        star = luck.choice(list(STARS))
        who = luck.choices(["Eibl", "Osgood N.", "Aydemir", "Bracht", "Zielonka"], [40, 18, 22, 12, 8])[0]
        tool = luck.choice(["naked eye"]) if STARS[star] < 4.5 else luck.choice(["Twin", "Berta", "Newton 40"])
        magnitude = round(STARS[star] + luck.uniform(-0.9, 1.2), 1)
        seeing = luck.choice([1, 2, 2, 3, 3, 4, 5])
        remark = luck.choice([""] * 8 + ["Moon", "haze", "uncertain"])
        clock = f"{luck.choice([19, 20, 21, 22, 23])}:{luck.choice(['05', '20', '35', '50'])}"
        rows.append([f"V{number:03d}", day.isoformat(), clock, star, who, magnitude, tool, seeing, remark])
        day += datetime.timedelta(days=luck.choice([1, 2, 3, 4]))
    rows[33][5] = ""
    rows[70][7] = ""
    return [head, *rows]


UPKEEP: list[list[Any]] = [
    ["Datum", "Kuppel", "Teil", "Arbeit", "Wer", "Stunden", "Kosten €", "Erledigt"],
    ["14.01.2025", "groß", "Spalt", "Dichtung geklebt", "Castellan", "2,5", "18,40", "ja"],
    ["02.02.2025", "klein", "Rollen", "gefettet", "Eibl", "1,0", "0,00", "ja"],
    ["22.02.2025", "groß", "Bogenlampe Treppe", "Birne getauscht", "Castellan", "0,5", "6,90", "ja"],
    ["15.03.2025", "Planetarium", "Projektor", "Lampe getauscht", "Castellan", "1,5", "148,00", "ja"],
    ["09.04.2025", "groß", "Schleifring 1", "gereinigt", "Castellan", "3,0", "0,00", "ja"],
    ["30.04.2025", "klein", "Fangspiegelheizung", "Kabel neu", "Zielonka", "2,0", "11,20", "ja"],
    ["21.05.2025", "Planetarium", "Kuppelhaut", "Fleck übermalt", "Diallo", "4,0", "32,50", "ja"],
    ["17.06.2025", "Planetarium", "Motor Venus", "ausgebaut, Lager fest", "Castellan", "5,5", "0,00", "nein"],
    ["12.07.2025", "groß", "Blech außen", "Rost geschliffen, gestrichen", "Eibl", "11,0", "96,80", "ja"],
    ["13.07.2025", "groß", "Blech außen", "zweiter Anstrich", "Zielonka", "6,0", "", "ja"],
    ["19.08.2025", "klein", "Steuerung", "Programm erneuert", "Zielonka", "7,5", "0,00", "ja"],
    ["28.09.2025", "groß", "Relais", "getauscht", "Castellan", "1,0", "19,00", "ja"],
    ["10.10.2025", "groß", "Kurbel", "neuer Griff", "Eibl", "0,5", "4,30", "ja"],
    ["16.10.2025", "groß", "Schleifring 2", "Kabel neu, Mausefalle gestellt", "Castellan", "3,0", "86,00", "ja"],
    ["05.11.2025", "Planetarium", "Sitz 44", "Feder gebrochen", "", "", "", "nein"],
    ["12.11.2025", "klein", "Regenfühler", "bestellt", "Castellan", "0,5", "129,00", "nein"],
]


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_pdf(
        path["Guide for volunteers 2025.pdf"],
        text["guide"],
        font="Times-Roman",
        size=12,
        margin=70,
        chapter_on_new_page=True,
        color="#1b2a5c",
        header="A guide for those who open the dome",
        footer="Wendelmoor, sixth edition",
    )
    kit.write_docx(path["Dome rules 2023-05.docx"], text["rules23"], font="Arial")
    kit.write_docx(path["Dome rules 2025-02.docx"], text["rules25"], font="Arial", footer="hang beside the door")
    kit.write_docx(
        path["Loan agreement meteorite.docx"],
        text["loan"],
        font="Times New Roman",
        size=10.5,
        header="District Museum of Natural History, Leichtenau",
    )
    kit.write_pdf(path["Offer Zenitron ZT-25-0881.pdf"], text["zenitron"], color="#c2187a", page_label="")
    kit.write_pdf(
        path["Lumivault quotation 4417-B.pdf"], text["lumivault"], font="Courier", size=9.5, grid=False, page="LETTER"
    )
    kit.write_pptx(path["New projector 2025-11.pptx"], text["renewal"])
    kit.write_eml(path["Re_ Re_ Re_ dome motor.eml"], text["motor"])
    kit.write_html(
        path["visit-us.html"],
        text["visit"],
        title="Visit us - Wendelmoor",
        before='<nav><a href="/">Home</a> <a href="/news">News</a> <a href="/de">Deutsch</a></nav>',
        after="<p>Sternwarte und Planetarium Wendelmoor e. V., Am Moorrand 1</p>",
    )
    path["night log autumn 2025.md"].write_text(text["nightlog"], encoding="utf-8")
    kit.write_docx(path["Board minutes 2025.docx"], text["minutes"], size=10, author="Henrike Vossberg")
    kit.write_docx(
        path["Nutzungsvertrag Forstamt.docx"], text["nutzung"], font="Liberation Serif", footer="Az. 45-7712.2"
    )
    kit.write_pdf(
        path["Teleskopführerschein Kursheft.pdf"],
        text["skript"],
        page="A5",
        size=9.5,
        margin=42,
        chapter_on_new_page=True,
        page_label="Seite %d",
        color="#2d6a2d",
    )
    path["eintritt_2022.txt"].write_bytes(text["eintritt22"].encode("cp1252"))
    kit.write_odt(path["Eintritt und Gebühren 2025.odt"], text["eintritt25"])
    kit.write_eml(path["AW_ AW_ Fernrohr Thalheim.eml"], text["spende"], with_html=True)
    kit.write_pptx(path["Jugendgruppe 2026.pptx"], text["jugend"])
    kit.write_pdf(
        path["Mitgliederbrief Herbst 2025.pdf"], text["brief"], columns=2, font="Times-Roman", page_label="- %d -"
    )
    kit.write_pdf(path["Convention Saint-Aubrac.pdf"], text["convention"], size=11, page_label="%d", margin=64)
    kit.write_odt(path["Compte rendu septembre 2025.odt"], text["compte"])
    kit.write_picture_pdf(path["scan_leihschein_0362.pdf"], [text["scan"]], tilt=-0.9, specks=250, seed=12)
    columns = ["Slip", "Inv.", "Instrument", "Borrower", "Out", "Due", "Back", "Deposit EUR", "Fault", "Clerk"]
    lent = [["Loans 2025 (slips 0318 to 0365)"], columns, *loans()]
    days = dict.fromkeys("EFG", "dd.mm.yyyy")
    kit.write_xlsx(
        path["Instruments 2025.xlsx"],
        [
            kit.Sheet("Instruments", INSTRUMENTS, remarks={"G5": "built by ourselves"}),
            kit.Sheet("Eyepieces", EYEPIECES),
            kit.Sheet("Loans", lent, head=2, merged=("A1:J1",), formats=days),
        ],
    )
    head = ["Nr.", "Datum", "Vorstellung", "Sprache", "Vorführung", "Besucher", None, "Einnahmen €", "Ausfall"]
    under = [None, None, None, None, None, "Erwachsene", "Kinder", None, None]
    rows = [["Vorführungen im Planetarium ab April 2025 (Auszug)"], head, under, *shows()]
    merged = ("A1:I1", "F2:G2", *(f"{one}2:{one}3" for one in "ABCDEHI"))
    kit.write_xlsx(
        path["Vorführungen 2025.xlsx"],
        [kit.Sheet("Vorführungen", rows, head=3, merged=merged), kit.Sheet("Verbrauch", ENERGY)],
    )
    kit.write_csv(path["estimates_2025.csv"], estimates())
    kit.write_csv(path["wartung_kuppel.csv"], UPKEEP, delimiter=";", encoding="cp1252")
