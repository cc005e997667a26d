"""The joinery Averbeck & Lorne: its documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Workshop manual 3.1.pdf": "en",
    "Contract KH-2025-07 Kerstinghof.docx": "en",
    "Mietvertrag Halle 2.docx": "de",
    "Terms of trade v4 (2023).docx": "en",
    "Terms of trade v5 from 2025-07-01.docx": "en",
    "Protokoll Betriebsversammlung 2025-09-18.docx": "de",
    "Pflegeanleitung geölt.pdf": "de",
    "Offer O25-148 Dunmore stairs.pdf": "en",
    "Lettre Scierie Vautrin 2025-10-02.pdf": "fr",
    "Betriebsanleitung BL 7040.pdf": "de",
    "Spray booth decision.pptx": "en",
    "Messe 2025 Rückblick.pptx": "de",
    "Checklist for fitters.odt": "en",
    "Re_ Re_ Oak delay.eml": "en",
    "AW_ AW_ Reklamation Küche 25-017.eml": "de",
    "showroom.html": "en",
    "machine room notes.md": "en",
    "Stundensätze_2024_alt.txt": "de",
    "Preisliste 2025.xlsx": "de",
    "Orders 2025.xlsx": "en",
    "Holzlager Oktober 2025.xlsx": "de",
    "werkzeuge.csv": "de",
    "scan_lieferschein_7704318.pdf": "de",
    "diary kerstinghof.md": "en",
    "Gesprächsnotizen Herbst 2025.docx": "de",
}
PICTURES = {"scan_lieferschein_7704318.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "orders": TableAt("Orders 2025.xlsx", "Orders", skip=2, head=2),
    "staff": TableAt("Orders 2025.xlsx", "Staff"),
    "complaints": TableAt("Orders 2025.xlsx", "Complaints"),
    "timber": TableAt("Holzlager Oktober 2025.xlsx", "Lager", skip=1, head=2, decimal=",", last="Summe"),
    "veneer": TableAt("Holzlager Oktober 2025.xlsx", "Furnier", decimal=","),
    "tools": TableAt("werkzeuge.csv", delimiter=";", encoding="cp1252", decimal=","),
    "prices": TableAt("Preisliste 2025.xlsx", "Preise", skip=1, head=2),
}
KINDS: dict[str, tuple[int, int, int]] = {  # machine hours, fitting hours, EUR net
    "kitchen": (62, 34, 17400),
    "wardrobe": (21, 10, 4900),
    "staircase": (58, 26, 12800),
    "window repair": (14, 7, 1850),
    "inner doors": (18, 16, 5600),
    "table": (16, 1, 2650),
    "shop fitting": (74, 40, 19800),
    "floor": (6, 30, 4300),
}
CUSTOMERS = [
    "Adomeit",
    "Bäckerei Lutter",
    "Brinkmann",
    "Café Zimt",
    "Dr. Ehlers",
    "Familie Noack",
    "Gemeinde Ostwald",
    "Grabow",
    "Hotel Seeblick",
    "Ihlenfeld",
    "Jessen",
    "Kanzlei Roth & Weber",
    "Kita Sonnenhof",
    "Lindemann",
    "Marten",
    "Museum Detenhagen",
    "Nissen",
    "Optik Reuter",
    "Pastor Wiebe",
    "Praxis Dr. Sommer",
    "Rautenberg",
    "Schule am Deich",
    "Stadtwerke Süderfelde",
    "Thiemann, Carla",
    "Thiemann, Gerd",
    "Uhlig",
    "Voss",
    "Weinhandlung Pfaff",
    "Zander",
]


def orders() -> list[list[Any]]:
    luck = random.Random(20250102)
    rows: list[list[Any]] = []
    day = datetime.date(2025, 1, 7)
    for number in range(1, 93):
        kind = luck.choices(list(KINDS), [17, 16, 9, 14, 13, 12, 5, 6])[0]
        machine, fitting, net = KINDS[kind]
        size = luck.uniform(0.6, 1.5)
        start = day + datetime.timedelta(days=luck.randint(14, 40))
        due = start + datetime.timedelta(days=luck.choice([14, 21, 28, 35]))
        delivered = due + datetime.timedelta(days=luck.choice([-3, -1, 0, 0, 0, 0, 2, 5, 9]))
        planned = round(machine * size)
        spent = round(planned * luck.uniform(0.85, 1.3))
        wood = luck.choice(["oak", "oak", "ash", "beech", "elm", "walnut", "larch" if "window" in kind else "oak"])
        done = delivered < datetime.date(2025, 10, 10)
        price = round(net * size, -1)
        rows.append(
            [
                f"25-{number:03d}",
                luck.choice(CUSTOMERS),
                kind,
                wood,
                day,
                due,
                delivered if done else None,
                planned,
                spent if done else None,
                round(fitting * size),
                price,
                luck.choice([1, 1, 2, 2, 2]) if kind != "table" else None,
                "yes" if done and luck.random() < 0.8 else "no",
                luck.choice(["", "", "", "", "key with neighbour", "4th floor, no lift", "old stairs out", "by crane"]),
            ]
        )
        day += datetime.timedelta(days=luck.choice([1, 2, 2, 2, 3, 4]))
        if day.weekday() > 4:
            day += datetime.timedelta(days=2)
    rows[16][1:4] = ["Thiemann, Carla", "kitchen", "elm"]
    rows[16][5:7] = [datetime.date(2025, 9, 12), datetime.date(2025, 9, 17)]
    rows[16][7:14] = [62, 71, 42, 21480, 1, "no", "see R25-019"]
    rows[40][1:4] = ["Hotel Kerstinghof", "shop fitting", "oak"]
    rows[40][5:] = [datetime.date(2026, 2, 27), None, 1640, None, 910, 418600, 2, "no", "three sections"]
    return rows


def complaints() -> list[list[Any]]:
    luck = random.Random(19)
    reasons = ["door sticks", "colour differs", "scratch", "drawer jams", "gap", "creaks", "late"]
    rows: list[list[Any]] = []
    day = datetime.date(2025, 1, 13)
    for number in range(1, 25):
        order = f"25-{luck.randint(1, 2 * number):03d}" if number > 8 else f"24-{luck.randint(60, 118):03d}"
        order = "24-118" if order == "25-017" else order  # not yet fitted
        cost: int | None = luck.choice([0, 45, 80, 120, 180, 260, 340, 410, 95])
        who = luck.choice(["Jonas Oertel", "Bastian Krug", "Hendrik Averbeck"])
        state = "closed" if number < 20 or number == 22 else "open"
        if state == "open":
            cost = None
        rows.append(
            [f"R25-{number:03d}", day, order, luck.choices(reasons, [6, 3, 3, 4, 3, 2, 2])[0], who, cost, state]
        )
        day += datetime.timedelta(days=luck.randint(5, 18))
    rows[18][1:] = [datetime.date(2025, 9, 22), "25-017", "colour differs", "Hendrik Averbeck", 415, "closed"]
    for place, later in enumerate(rows[19:], 1):
        later[1] = datetime.date(2025, 9, 22) + datetime.timedelta(days=4 * place)
    return rows


STAFF: list[list[Any]] = [
    ["Name", "First name", "Work", "Since", "Hours a week", "Ext.", "Driving licence", "Holidays left 2025"],
    ["Averbeck", "Gesine", "owner, design", 1998, 45, 10, "B, BE", 4],
    ["Lorne", "Callum", "owner, production", 1998, 45, 12, "B", 11],
    ["Averbeck", "Hendrik", "project manager", 2014, 40, 14, "B", 6.5],
    ["Sandvoss", "Ruth", "bookkeeping, wages", 2007, 25, 11, "B", 3],
    ["Wilk", "Tomasz", "foreman machine room", 2003, 38.5, 22, "B, C1", 8],
    ["Petrov", "Danil", "surfaces", 2012, 38.5, 27, "B", 2],
    ["Petrov", "Mila", "purchasing, stock", 2018, 32, 19, "B", 9],
    ["Oertel", "Jonas", "fitter, team 1", 2009, 38.5, None, "B, C1, BE", 5],
    ["Krug", "Bastian", "fitter, team 2", 2016, 38.5, None, "B, BE", 0],
    ["Roussel", "Amélie", "CAD, CNC", 2019, 36, 16, "B", 7],
    ["Neele", "Ferdinand", "journeyman", 1999, 38.5, 24, "B", 10.5],
    ["Demirci", "Yusuf", "journeyman", 2015, 38.5, 25, "B", 4],
    ["Harms", "Lotte", "apprentice, 3rd year", 2023, 38.5, None, "B", 6],
    ["Mensah", "Kofi", "apprentice, 1st year", 2025, 38.5, None, None, 9],
]


def german(value: float, digits: int = 2) -> str:
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def timber() -> list[list[Any]]:
    luck = random.Random(41)
    kinds = {
        "Eiche": (1780, "Scierie Vautrin"),
        "Esche": (1040, "Scierie Vautrin"),
        "Rüster": (1390, "Scierie Vautrin"),
        "Nussbaum": (3310, "Holzkontor Brandes"),
        "Buche": (690, "Sägewerk Tiedt"),
        "Lärche": (820, "Sägewerk Tiedt"),
        "Kiefer": (480, "Sägewerk Tiedt"),
        "Ahorn": (1210, "Holzkontor Brandes"),
        "Kirschbaum": (1560, "Holzkontor Brandes"),
    }
    rows: list[list[Any]] = []
    for number in range(1, 69):
        species = luck.choices(list(kinds), [16, 11, 5, 6, 9, 7, 6, 4, 4])[0]
        price, supplier = kinds[species]
        thick = luck.choice([27, 34, 41, 52, 65])
        if species == "Eiche" and thick == 41:
            thick = 52
        boards = luck.randint(3, 38)
        length = luck.choice([2.5, 3.0, 3.2, 4.0, 4.5])
        volume = round(boards * length * 0.24 * thick / 1000, 2)
        quality = luck.choice(["A", "A", "B", "rustikal"])
        eur = price * {"A": 1.0, "B": 0.8, "rustikal": 0.63}[quality] * luck.choice([1, 1, 1.05])
        moisture = round(luck.uniform(7.4, 14.8), 1)
        rack = f"{luck.choice('ABCDE')}{luck.randint(1, 12):02d}"
        day = datetime.date(2025, luck.randint(1, 9), luck.randint(1, 28)).strftime("%d.%m.%Y")
        fsc = "ja" if supplier == "Scierie Vautrin" else luck.choice(["nein", "ja"])
        row = [
            f"H{number:03d}",
            species,
            quality,
            thick,
            length,
            boards,
            volume,
            moisture,
            german(round(eur, -1)) + " €",
        ]
        rows.append([*row, supplier, rack, day, fsc])
    for place, volume, boards in ((11, 1.12, 28), (37, 0.78, 20)):  # all the oak of 41 mm: 1.9 m³
        rows[place][1:10] = ["Eiche", "A", 41, 4.0, boards, volume, 8.9, "1.780,00 €", "Scierie Vautrin"]
        rows[place][12] = "ja"
    rows[24][7] = rows[51][7] = None  # not measured
    total = sum(row[6] for row in rows)
    rows.append(["Summe", None, None, None, None, sum(row[5] for row in rows), round(total, 2)] + [None] * 6)
    return rows


VENEER: list[list[Any]] = [
    ["Nr.", "Holz", "Schnitt", "Stärke mm", "Pakete", "Fläche m²", "Preis €/m²", "Lieferant"],
    ["F01", "Eiche", "rift", 0.6, 7, 148.5, "9,80", "Furnierhaus Dettmer"],
    ["F02", "Eiche", "gemessert", 0.6, 4, 88.2, "7,40", "Furnierhaus Dettmer"],
    ["F03", "Nussbaum", "gemessert", 0.5, 3, 41, "14,90", "Furnierhaus Dettmer"],
    ["F04", "Nussbaum", "Maser", 0.6, 1, 6.4, "62,00", "Legnami Conti"],
    ["F05", "Rüster", "gemessert", 0.6, 2, 30.6, "11,20", "Legnami Conti"],
    ["F06", "Rüster", "Maser", 0.6, 1, 4.8, "58,50", "Legnami Conti"],
    ["F07", "Ahorn", "geriegelt", 0.6, 2, 22.7, "19,30", "Legnami Conti"],
    ["F08", "Kirschbaum", "gemessert", 0.6, 5, 96.3, "8,60", "Furnierhaus Dettmer"],
    ["F09", "Birke", "geschält", 1.5, 6, 120, "4,10", "Furnierhaus Dettmer"],
    ["F10", "Räuchereiche", "rift", 0.6, 2, 37.9, None, "Legnami Conti"],
]


def tools() -> list[list[Any]]:
    luck = random.Random(7)
    kinds = {
        "Sägeblatt": ("B", [24, 48, 60, 80, 96], 64),
        "Fräskopf": ("K", [2, 4], 218),
        "Schaftfräser": ("S", [2, 3], 47),
        "Bohrer": ("D", [2], 12),
        "Hobelmesser": ("M", [1], 31),
        "Schleifband": ("Z", [0], 19),
    }
    rows: list[list[Any]] = [
        ["Nr", "Art", "Durchmesser mm", "Zähne", "Maschine", "Platz", "Preis EUR", "gekauft", "geschärft", "Zustand"]
    ]
    counts: dict[str, int] = {}
    machines = {"B": "Hallberg S 420", "K": "Spindelfräse", "S": "Ostrava X5", "D": "Ostrava X5", "M": "Brandt 630"}
    for _ in range(66):
        kind = luck.choices(list(kinds), [20, 9, 15, 10, 6, 6])[0]
        letter, teeth, price = kinds[kind]
        counts[letter] = counts.get(letter, 0) + 1
        number = f"{letter}-{counts[letter]:02d}"
        size = {"B": [303, 315, 350], "K": [100, 125, 160], "S": [6, 8, 12, 16, 20], "D": [5, 8, 35], "M": [530, 630]}
        bought = datetime.date(luck.randint(2019, 2025), luck.randint(1, 9), luck.randint(1, 28))
        sharpened = luck.choice([0, 1, 2, 2, 3, 5, 6])
        state = luck.choice(["gut", "gut", "gut", "neu", "stumpf", "ausgemustert"])
        across = luck.choice(size[letter]) if letter in size else ""
        cost = german(price * luck.choice([0.8, 0.9, 1, 1.2, 1.35]))
        shelf = f"Schrank {luck.randint(1, 4)}"
        row = [number, kind, across, luck.choice(teeth) or "", machines.get(letter, "Breitband"), shelf, cost]
        rows.append([*row, bought.strftime("%d.%m.%Y"), "" if letter == "Z" else sharpened, state])
    for row in rows:
        if row[0] == "B-17":
            row[2:4], row[9] = [303, 80], "Zahn fehlt"
    return rows


PRICES: list[list[Any]] = [
    ["Preisliste Stundensätze, Fahrt und Sonstiges - gültig ab 01.02.2025 (ersetzt Liste 2024)"] + [None] * 6,
    ["Code", "Leistung", "Einheit", "Privatkunden", None, "Gewerbe", "Hinweis"],
    [None, None, None, "netto €", "brutto €", "netto €", None],
    ["A1", "Geselle Werkstatt", "Stunde", 58, 69.02, 57, ""],
    ["A2", "Geselle Montage", "Stunde", 61, 72.59, 59.5, "auf dem Kerstinghof gilt der Vertrag"],
    ["A3", "Meister / Planung", "Stunde", 82, 97.58, 80, ""],
    ["A4", "Auszubildende", "Stunde", 37, 44.03, 36, "ab 2. Lehrjahr"],
    ["B1", "CNC-Bearbeitung", "Stunde", 94, 111.86, 89, "Programmieren nach A3"],
    ["B2", "Lackierkabine", "Stunde", 73, 86.87, 71, "ohne Lack"],
    ["B3", "Breitbandschliff", "m²", 6.4, 7.62, 5.9, "mindestens 5 m²"],
    ["C1", "Anfahrt bis 20 km", "pauschal", 35, 41.65, 33, ""],
    ["C2", "Anfahrt 20 bis 50 km", "pauschal", 64, 76.16, 60, "darüber nach Aufwand"],
    ["C3", "Kran-Lkw mit Fahrer", "Stunde", 98, 116.62, 96, "mindestens 3 Stunden"],
    ["D1", "Entsorgung Altholz", "t", 168, 199.92, 160, "Wiegeschein"],
    ["D2", "Notöffnung Tür am Wochenende", "pauschal", 155, 184.45, None, "nur Privatkunden"],
    ["D3", "Mustertafel Farbe", "Stück", 28, 33.32, 25, "bei Auftrag frei"],
    ["E1", "Ölen vor Ort", "m²", 14.5, 17.26, 13, "Mindestmenge 8 m²"],
]


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    names = list(LANGUAGE)
    firm = "Averbeck & Lorne Joinery GmbH"
    manual = {
        "chapter_on_new_page": True,
        "header": f"{firm} - Workshop manual",
        "footer": "Edition 3.1, 3 February 2025",
    }
    kit.write_pdf(out / names[0], text["manual"], size=11, **manual)  # type: ignore[arg-type]
    kit.write_docx(
        out / names[1], text["contract"], font="Cambria", header="KH-2025-07", footer="Initials: ____ / ____"
    )
    kit.write_docx(out / names[2], text["lease"], font="Times New Roman", footer="Mietvertrag Halle 2, Ausfertigung 2")
    kit.write_docx(out / names[3], text["terms4"], font="Arial", size=10, footer="Version 4 / 2023")
    kit.write_docx(out / names[4], text["terms5"], font="Arial", size=10, footer="Version 5 / 2025", header=firm)
    kit.write_docx(out / names[5], text["meeting"], table_style="Light Grid Accent 1", author="Ruth Sandvoss")
    kit.write_pdf(out / names[6], text["care"], columns=2, size=10, font="Times-Roman", color="#6b4a1e", page_label="")
    kit.write_pdf(out / names[7], text["offer"], grid=False, size=10, footer=f"{firm}, Süderfelde", page_label="%d")
    kit.write_pdf(out / names[8], text["lettre"], font="Times-Roman", size=11, margin=76, page_label="")
    kit.write_pdf(
        out / names[9],
        text["booth_manual"],
        page="A5",
        size=9,
        margin=40,
        chapter_on_new_page=True,
        page_label="- %d -",
    )
    kit.write_pptx(out / names[10], text["booth"])
    kit.write_pptx(out / names[11], text["fair"])
    kit.write_odt(out / names[12], text["checklist"])
    kit.write_eml(out / names[13], text["oak"])
    kit.write_eml(out / names[14], text["kitchen"], with_html=True)
    kit.write_html(
        out / names[15],
        text["showroom"],
        title="Showroom",
        before="<nav>Home | Furniture | Stairs | Showroom</nav><script>var seen = 1;</script>",
        after="<footer>© Averbeck &amp; Lorne</footer>",
    )
    (out / names[16]).write_text(text["notes"], encoding="utf-8")
    (out / names[17]).write_bytes(text["rates24"].encode("cp1252"))
    merged = ("A1:G1", "A2:A3", "B2:B3", "C2:C3", "D2:E2", "G2:G3")
    kit.write_xlsx(out / names[18], [kit.Sheet("Preise", PRICES, head=3, merged=merged)])
    head = ["Order", "Customer", "Kind", "Wood", "Dates", None, None, "Hours", None, None, "Net EUR", "Team", "Paid"]
    under = [None] * 4 + ["ordered", "due", "delivered", "planned", "spent", "fitting"] + [None] * 4
    top = [["Order book 2025", *[None] * 13], ["as of 15 October 2025, kept by Hendrik", *[None] * 13]]
    book = kit.Sheet(
        "Orders",
        [*top, [*head, "Remark"], under, *orders()],
        head=4,
        merged=("A1:F1", "A2:F2", "E3:G3", "H3:J3", *(f"{one}3:{one}4" for one in "ABCDKLMN")),
        formats=dict.fromkeys("EFG", "dd/mm/yyyy") | {"K": "#,##0.00"},
        remarks={"K45": "Lump sum of the contract; extra work is booked on 25-041E."},
    )
    columns = ["No.", "Date", "Order", "Reason", "Handled by", "Cost EUR", "State"]
    complained = kit.Sheet("Complaints", [columns, *complaints()], formats={"B": "yyyy-mm-dd"})
    kit.write_xlsx(out / names[19], [book, kit.Sheet("Staff", STAFF), complained])
    head = ["Nr.", "Holzart", "Güte", "Maße", None, "Bretter", "Volumen m³", "Feuchte %", "Preis je m³", "Lieferant"]
    under = [None, None, None, "Dicke mm", "Länge m", *[None] * 8]
    stock = kit.Sheet(
        "Lager",
        [["Holzlager, aufgenommen am 06.10.2025 (Mila)"], [*head, "Platz", "Eingang", "FSC"], under, *timber()],
        head=3,
        merged=("A1:H1", "D2:E2", *(f"{one}2:{one}3" for one in "ABCFGHIJKLM")),
    )
    kit.write_xlsx(out / names[20], [stock, kit.Sheet("Furnier", VENEER)])
    kit.write_csv(out / names[21], tools(), delimiter=";", encoding="cp1252")
    kit.write_picture_pdf(out / names[22], [text["scan"]], size=10, tilt=0.4, specks=300, seed=5)
    (out / names[23]).write_text(text["diary"], encoding="utf-8")
    kit.write_docx(out / names[24], text["talks"], font="Garamond", size=12, author="G. Averbeck")
