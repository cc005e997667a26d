"""The rowing and tennis club of Ellerwick: its documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Club handbook 2025.pdf": "en",
    "Bootskunde und Pflege.pdf": "de",
    "Satzung 2024.docx": "de",
    "Boat rules 2022.docx": "en",
    "Boat rules 2025-03-15.docx": "en",
    "Minutes committee 2025-05-13.docx": "en",
    "Coaching agreement Ferreira.docx": "en",
    "Ruderblatt Sommer 2025.pdf": "de",
    "Contrato Valdemora 2026.pdf": "es",
    "Informe intercambio juvenil 2025.odt": "es",
    "Quotation Heliolux HL-7731.pdf": "en",
    "Boathouse extension 2025-10.pptx": "en",
    "Jugendkonzept 2025-2028.pptx": "de",
    "Re_ Re_ Re_ broken rigger.eml": "en",
    "AW_ AW_ Mannschaftsmeldung 2026.eml": "de",
    "try-it.html": "en",
    "grounds log.md": "en",
    "beitraege_2023.txt": "de",
    "Members 2025.xlsx": "en",
    "Boote und Fahrten 2025.xlsx": "de",
    "Beiträge 2025.xlsx": "de",
    "court_bookings_2025-07.csv": "en",
    "scan_head_of_the_osse.pdf": "de",
    "Minutes committee 2024 collected.docx": "en",
    "Trainingsplan Winter 2025-26.pdf": "de",
}
PICTURES = {"scan_head_of_the_osse.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "members": TableAt("Members 2025.xlsx", "Members", skip=1, head=2),
    "berths": TableAt("Members 2025.xlsx", "Private boats"),
    "boats": TableAt("Boote und Fahrten 2025.xlsx", "Boote", decimal=","),
    "trips": TableAt("Boote und Fahrten 2025.xlsx", "Fahrtenbuch", skip=1, decimal=",", last="Summe"),
    "fees": TableAt("Beiträge 2025.xlsx", "Beiträge", skip=1, head=2),
    "bookings": TableAt("court_bookings_2025-07.csv"),
}
FIRST = {
    "f": "Anna Birte Clara Doris Elke Femke Greta Hanna Inga Jule Karin Lina Merle Nora Okka Paula Rike Silke Tomma",
    "m": "Arne Bernd Carsten Detlef Eike Frerk Gerrit Hauke Ingo Jasper Klaas Lars Momme Nils Onno Per Rolf Sven Timo",
}
LAST = [
    "Andresen",
    "Bahnsen",
    "Carstens",
    "Dierks",
    "Ebsen",
    "Feddersen",
    "Gosch",
    "Harder",
    "Iversen",
    "Jacobs",
    "Kock",
    "Lorenz",
    "Matzen",
    "Nommensen",
    "Ohlsen",
    "Paulsen",
    "Quast",
    "Rickerts",
    "Struve",
    "Tams",
    "Ulrich",
    "Volquardsen",
    "Wendt",
    "Zimmer",
    "Hansen",
    "Petersen",
    "Stöver",
    "Kroll",
]
BOATS: list[list[Any]] = [
    ["Name", "Klasse", "Werft", "Baujahr", "Gewicht kg", "Gestell", "Neupreis €", "km 2024", "Abzeichen", "Bemerkung"],
    ["Ellerwick", "8+", "Jöhnk", 2016, 98, "21", "38.900,00", 1420, "Gold", ""],
    ["Osse", "8+", "Empacht", 1998, 104, "22", "24.100,00", 610, "Blau", "Ersatzruder fehlt"],
    ["Kormoran", "4+", "Jöhnk", 2011, 53, "14", "17.250,00", 980, "Blau", "Bug erneuert 2024"],
    ["Rohrdommel", "4+", "Jöhnk", 2003, 56, "15", "14.800,00", 455, "Blau", ""],
    ["Seeadler", "4x-", "Filipo", 2019, 50, "13", "21.600,00", 1875, "Gold", ""],
    ["Kranich", "4x-", "Empacht", 2009, 54, "16", "16.300,00", 1230, "Blau", ""],
    ["Haubentaucher", "2x", "Jöhnk", 2025, 26, "5", "11.600,00", None, "Gold", "Training bis 30.09."],
    ["Eisvogel", "2x", "Jöhnk", 2014, 28, "6", "9.450,00", 1655, "Blau", ""],
    ["Lachmöwe", "2x", "Filipo", 2007, 29, "7", "7.900,00", 890, "Blau", ""],
    ["Zwergtaucher", "2x", "Swartz", 1995, 31, "8", "5.200,00", 120, "Grün", "nur für Kinder"],
    ["Blässhuhn", "2-", "Empacht", 2012, 27, "9", "8.300,00", 340, "Gold", ""],
    ["Leonie", "1x", "Filipo", 2023, 14, "1", "8.950,00", 1310, "Gold", "Training bis 30.09."],
    ["Spatz", "1x", "Swartz", 2005, 16, "2", "4.100,00", 760, "Blau", ""],
    ["Star", "1x", "Swartz", 2006, 16, "3", "4.150,00", 695, "Blau", "Rollsitz quietscht"],
    ["Otto Reimers", "C-4x+", "Baumgart", 2001, 78, "23", "9.700,00", 1990, "Grün", ""],
    ["Emmi Reimers", "C-4x+", "Baumgart", 2018, 74, "24", "15.300,00", 2210, "Grün", ""],
    ["Möwe", "C-2x+", "Baumgart", 1989, 62, "20", None, 540, "Grün", "Spende"],
    ["Kiebitz", "C-2x+", "Baumgart", 2010, 58, "19", "8.800,00", 805, "Grün", ""],
    ["Fischreiher", "2x", "Swartz", 1999, 30, "10", "5.900,00", 415, "Blau", "zu verkaufen"],
    ["Graugans", "4+", "Empacht", 1991, 60, "17", "11.200,00", 75, "Grün", "Luftkasten undicht"],
]
ROWERS = [
    "Rasmus Solberg",
    "Birte Hansen",
    "Malte Brodersen",
    "Knut Brodersen",
    "Ole Petersen",
    "Leonie Thoms",
    "Deniz Yildirim",
    "Mia Stöver",
    "Herta Ploog",
    "Jannis Kroll",
]
AIMS = {"Schleuse Hemme": 15.0, "Eisenbahnbrücke": 6.4, "Wehr Oldensand": 22.0, "Fähre": 11.2, "Inselrunde": 8.5}


def members() -> list[list[Any]]:
    luck = random.Random(1907)
    price = {
        "adult": {"rowing": 288, "tennis": 312, "both": 432},
        "youth": {"rowing": 120, "tennis": 120, "both": 156},
        "student": {"rowing": 144, "tennis": 144, "both": 198},
        "passive": {"rowing": 78, "tennis": 78, "both": 78},
    }
    rows: list[list[Any]] = []
    names: set[str] = set()
    while len(rows) < 104:
        sex = luck.choice("fm")
        first, last = luck.choice(FIRST[sex].split()), luck.choice(LAST)
        if f"{first} {last}" in names:
            continue
        names.add(f"{first} {last}")
        born = luck.choice([luck.randint(1940, 1975), luck.randint(1976, 2006), luck.randint(2007, 2017)])
        section = luck.choice(["rowing", "rowing", "rowing", "tennis", "tennis", "tennis", "both"])
        kind = "youth" if born >= 2007 else "student" if born > 1999 else luck.choice(["adult"] * 5 + ["passive"])
        fee: int = price[kind][section]
        joined = luck.randint(max(1965, born + 6), 2025)
        paid: Any = datetime.date(2025, 2, 3) if luck.random() < 0.85 else None
        locker = luck.randint(1, 72) if luck.random() < 0.4 else None
        hours = luck.choice([0, 2, 4, 6, 8, 8, 8, 10]) if kind in ("adult", "student") else None
        mail = None if luck.random() < 0.1 else f"{first.lower()}.{last.lower()}@post.example"
        number = f"M{1000 + 7 * len(rows) + luck.randint(0, 6)}"
        rows.append([number, last, first, sex, born, joined, section, kind, fee, paid, hours, locker, mail])
    rows[33][1:6] = ["Hansen", "Birte", "f", 1981, 2004]
    rows[33][6:13] = ["rowing", "adult", 288, datetime.date(2025, 2, 3), 10, 14, "birte.hansen@post.example"]
    rows[57][1:6] = ["Hansen", "Bernd", "m", 1956, 1979]
    rows[57][6:13] = ["tennis", "passive", 78, None, None, None, None]
    rows[80][1:13] = [
        "Kroll",
        "Jannis",
        "m",
        1992,
        2010,
        "both",
        "adult",
        432,
        datetime.date(2025, 2, 3),
        8,
        None,
        None,
    ]
    return rows


BERTHS: list[list[Any]] = [
    ["Rack", "Boat", "Type", "Owner", "Rent EUR", "Since", "Insured until"],
    ["S1", "Sturmvogel", "1x", "Malte Brodersen", 120, 2012, datetime.date(2026, 3, 31)],
    ["S2", "Pinguin", "1x", "Ole Petersen", 120, 2019, datetime.date(2025, 12, 31)],
    ["S3", "Albatros", "2x", "Hauke Iversen", 150, 2021, datetime.date(2026, 6, 30)],
    ["S4", "Nixe", "1x", "Rike Tams", 120, 2023, None],
    ["S5", "Libelle", "1x", "Jens-Peter Wulf", 120, 1991, datetime.date(2026, 1, 31)],
    ["S6", "free", None, None, None, None, None],
    ["S7", "Doppelkorn", "2x", "Ingo Struve", 150, 2016, datetime.date(2026, 4, 30)],
    ["S8", "Windspiel", "1x", "Leonie Thoms", 120, 2022, datetime.date(2026, 5, 31)],
    ["S9", "Otter II", "1x", "Deniz Yildirim", 60, 2025, datetime.date(2026, 2, 28)],
    ["S10", "Elfriede", "2x", "Knut Brodersen", 0, 1987, datetime.date(2026, 9, 30)],
    ["S11", "Zitteraal", "1x", "Karin Gosch", 120, 2020, datetime.date(2025, 11, 30)],
    ["S12", "free", None, None, None, None, None],
]


def german(value: float, digits: int = 2) -> str:
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def trips() -> list[list[Any]]:
    luck = random.Random(412)
    names = [row[0] for row in BOATS[1:] if row[0] not in ("Graugans", "Fischreiher")]
    crew = {"8+": 9, "4+": 5, "4x-": 4, "2x": 2, "2-": 2, "1x": 1, "C-4x+": 5, "C-2x+": 3}
    kinds = {row[0]: row[1] for row in BOATS[1:]}
    rows: list[list[Any]] = []
    day = datetime.date(2025, 4, 12)
    for number in range(1, 93):
        boat = luck.choice(names)
        if boat == "Haubentaucher" and datetime.date(2025, 4, 27) < day < datetime.date(2025, 5, 27):
            boat = "Eisvogel"
        aim = luck.choice(list(AIMS))
        km = AIMS[aim]
        minutes = round(km * luck.uniform(5.6, 7.6))
        rower = luck.choice(ROWERS)
        note = luck.choice([""] * 12 + ["Welle", "Steuer klemmt", "Kratzer", "Gegenwind"])
        start = f"{luck.choice([6, 7, 9, 10, 16, 17, 18])}:{luck.choice(['00', '15', '30', '40'])}"
        row = [number, day.strftime("%d.%m.%Y"), boat, kinds[boat], rower, crew[kinds[boat]], start, aim]
        rows.append([*row, german(km, 1), minutes, note])
        day += datetime.timedelta(days=luck.choice([0, 0, 1, 1, 1, 2]))
    sunday = next(row for row in rows if row[1] >= "27.04.2025" and row[1].endswith(".04.2025"))
    sunday[1:9] = ["27.04.2025", "Haubentaucher", "2x", "Leonie Thoms", 2, "17:40", "Fähre", "11,2"]
    sunday[10] = "Boje km 12, Ausleger verbogen"
    rows[40][9] = rows[71][9] = None
    total = sum(float(row[8].replace(",", ".")) for row in rows)
    return [*rows, ["Summe", None, None, None, None, None, None, None, german(total, 1), None, None]]


FEES: list[list[Any]] = [
    ["Beiträge und Gebühren ab 1. Januar 2025 (Beschluss der Mitgliederversammlung vom 22.03.2024)"] + [None] * 5,
    ["Gruppe", "Jahresbeitrag €", None, None, "Aufnahmegebühr €", "Bemerkung"],
    [None, "Rudern", "Tennis", "beide", None, None],
    ["Erwachsene", 288, 312, 432, 95, ""],
    ["Familie", None, None, 588, 95, "Kinder bis 18 enthalten"],
    ["Jugend bis 18", 120, 120, 156, 0, ""],
    ["Studierende bis 27", 144, 144, 198, 30, "Nachweis bis 15. Januar"],
    ["Passiv", 78, 78, 78, None, ""],
    ["Zweitmitglied", 216, 234, None, 0, "wer schon in einem Ruderclub ist"],
    ["Schnuppermonat", 40, 45, None, 0, "einmalig"],
    ["Gast Tennis je Stunde", None, 9, None, None, ""],
    ["Lichtmünze je Stunde", None, 3, None, None, "ab 1. Juni 2025: siehe Vorstand"],
    ["Spind", 18, 18, 18, None, ""],
    ["Arbeitsstunde", 14, 14, 14, None, "nicht geleistet"],
    ["Ersatz Chip", 20, 20, 20, None, ""],
]


def bookings() -> list[list[Any]]:
    luck = random.Random(77)
    rows: list[list[Any]] = [
        [
            "id",
            "date",
            "court",
            "start",
            "minutes",
            "booked_by",
            "kind",
            "guests",
            "light_tokens",
            "paid_eur",
            "cancelled",
        ]
    ]
    people = [f"{luck.choice(FIRST[one].split())} {luck.choice(LAST)}" for one in "fmfmfmfmfmfmfmfmfmfmfm"]
    day = datetime.date(2025, 7, 1)
    for number in range(1, 109):
        kind = luck.choices(["singles", "doubles", "coaching", "team"], [42, 34, 18, 10])[0]
        who = {"coaching": "Inês Ferreira", "team": luck.choice(["Ladies 40", "Men 50", "Men 1", "Ladies 1"])}
        court = 4 if kind == "coaching" else luck.choice([1, 2, 3, 5, 6, 7])
        start = luck.choice(["09:00", "10:00", "15:00", "16:00", "17:00", "18:00", "19:00", "20:00", "21:00"])
        guests = luck.choice([0, 0, 0, 0, 1, 1, 2]) if kind in ("singles", "doubles") else 0
        tokens = luck.choice([0, 1, 1, 2]) if court in (5, 6) and start in ("20:00", "21:00") else 0
        cancelled = "yes" if luck.random() < 0.08 else ""
        minutes = {"singles": 60, "doubles": 120, "coaching": 60, "team": 180}[kind]
        paid = f"{0 if cancelled else guests * 9 * minutes // 60 + tokens * 4:.2f}"
        booked = who.get(kind, luck.choice(people))
        rows.append(
            [f"C{number:03d}", day.isoformat(), court, start, minutes, booked, kind, guests, tokens, paid, cancelled]
        )
        if number % 7 in (0, 3):
            day += datetime.timedelta(days=1)
    rows[50][9] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = [out / name for name in LANGUAGE]
    club = "RTC Ellerwick 1907"
    kit.write_pdf(
        path[0],
        text["handbook"],
        font="Times-Roman",
        size=11.5,
        chapter_on_new_page=True,
        color="#0b4d3a",
        header=f"{club} - Club handbook 2025",
    )
    kit.write_pdf(
        path[1], text["boatcare"], page="A5", size=9.5, margin=42, chapter_on_new_page=True, page_label="Seite %d"
    )
    kit.write_docx(path[2], text["statutes"], font="Times New Roman", footer="VR 2217", header=club)
    kit.write_docx(path[3], text["rules22"], size=10, footer="Boat rules 2022")
    kit.write_docx(path[4], text["rules25"], size=10, footer="Boat rules, as of 15 March 2025", header=club)
    kit.write_docx(path[5], text["minutes"], font="Arial", author="Graham Hobday")
    kit.write_docx(path[6], text["coaching"], font="Cambria", footer="Initials ___ ___", table_style="Light List")
    kit.write_pdf(
        path[7], text["paper"], columns=2, size=10, color="#0b4d3a", header="Das Ruderblatt 142", title="Heft"
    )
    kit.write_pdf(path[8], text["contrato"], font="Times-Roman", size=10.5, margin=70, page_label="Página %d")
    kit.write_odt(path[9], text["informe"])
    kit.write_pdf(path[10], text["light"], grid=False, size=10, page="LETTER", page_label="", footer="Heliolux HL-7731")
    kit.write_pptx(path[11], text["extension"])
    kit.write_pptx(path[12], text["youth"])
    kit.write_eml(path[13], text["rigger"])
    kit.write_eml(path[14], text["teams"], with_html=True)
    kit.write_html(
        path[15],
        text["trial"],
        title="Try it",
        before='<div class="menu">Home &gt; Sports &gt; Try it</div>',
        after="<p>© RTC Ellerwick 1907</p>",
        charset="iso-8859-1",
    )
    path[16].write_text(text["ground"], encoding="utf-8")
    path[17].write_bytes(text["fees23"].encode("cp1252"))
    head = ["No.", "Name", None, "Sex", "Year", None, "Section", "Category", "Fee", None, "Hours worked", "Locker"]
    under = [None, "last", "first", None, "born", "joined", None, None, "EUR", "paid on", None, None, None]
    members_sheet = kit.Sheet(
        "Members",
        [["Extract of the list of members, 30 September 2025 (every fourth)"], [*head, "E-mail"], under, *members()],
        head=3,
        merged=("A1:H1", "B2:C2", "E2:F2", "I2:J2", *(f"{one}2:{one}3" for one in "ADGHKLM")),
        formats={"J": "dd.mm.yyyy"},
    )
    berths = kit.Sheet("Private boats", BERTHS, formats={"G": "yyyy-mm-dd"}, remarks={"E10": "half price, youth"})
    kit.write_xlsx(path[18], [members_sheet, berths])
    columns = ["Nr.", "Datum", "Boot", "Klasse", "Obfrau/Obmann", "Personen", "Abfahrt", "Ziel", "km", "Minuten"]
    log = [["Fahrtenbuch, Auszug April bis Juni 2025"], [*columns, "Bemerkung"], *trips()]
    kit.write_xlsx(path[19], [kit.Sheet("Boote", BOATS), kit.Sheet("Fahrtenbuch", log, head=2, merged=("A1:H1",))])
    merged = ("A1:F1", "A2:A3", "B2:D2", "E2:E3", "F2:F3")
    kit.write_xlsx(path[20], [kit.Sheet("Beiträge", FEES, head=3, merged=merged)])
    kit.write_csv(path[21], bookings())
    kit.write_picture_pdf(path[22], [text["scan"]], size=10, tilt=-0.5, specks=350, seed=9)
    kit.write_docx(path[23], text["minutes24"], font="Arial", size=10, author="Graham Hobday")
    kit.write_pdf(path[24], text["training"], page="landscape", size=11, margin=60, page_label="%d", color="#123a6b")
