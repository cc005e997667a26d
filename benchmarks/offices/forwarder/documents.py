"""Ohmstede & Pryce, a small freight forwarder: its documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Operations manual rev 7.pdf": "en",
    "Subcontract Veldstra 2025.docx": "en",
    "Terms 2026 v3.docx": "en",
    "Terms 2025.docx": "en",
    "QF-2291 Tanager Ceramics.pdf": "en",
    "Carriers 2026.pptx": "en",
    "Claim 25-08 coffee.docx": "en",
    "Re_ Re_ demurrage garden furniture.eml": "en",
    "arrival_notice_KV_Halcyon.html": "en",
    "dock notes.md": "en",
    "Harrowmouth meetings 2025.docx": "en",
    "Lagerordnung 2025-09.docx": "de",
    "Lagerordnung 2021 alt.odt": "de",
    "Merkblatt Gefahrgut.pdf": "de",
    "AW_ AW_ Zollprüfung.eml": "de",
    "Schulung Ladungssicherung.pptx": "de",
    "Rahmenvertrag Nordkorn.docx": "de",
    "telefon_ludger.txt": "de",
    "Acuerdo de agencia Valparra.pdf": "es",
    "Parte de incidencia 2025-11.odt": "es",
    "scan_cmr_4471.pdf": "en",
    "Files 2025.xlsx": "en",
    "Fuhrpark 2025.xlsx": "de",
    "frachttarif_2026.csv": "de",
    "stock_2025-11-30.csv": "en",
}
PICTURES = {"scan_cmr_4471.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "files": TableAt("Files 2025.xlsx", "Files", skip=1, head=2),
    "claims": TableAt("Files 2025.xlsx", "Claims"),
    "carriers": TableAt("Files 2025.xlsx", "Carriers"),
    "trucks": TableAt("Fuhrpark 2025.xlsx", "Fahrzeuge", decimal=","),
    "fuel": TableAt("Fuhrpark 2025.xlsx", "Tankungen", skip=1, decimal=",", last="Summe"),
    "tariff": TableAt("frachttarif_2026.csv", delimiter=";", encoding="cp1252", decimal=","),
    "stock": TableAt("stock_2025-11-30.csv"),
}
CUSTOMERS = [
    "Tanager Ceramics",
    "Nordkorn",
    "Brightlawn Imports",
    "Rösterei Habicht",
    "Saftkontor Ellerbrook",
    "Kestrel Outdoor",
    "Pumpenbau Iltis",
    "Maison Garrigue",
    "Wexcombe Toys",
]
PORTS = ["Santos", "Montevale", "Puerto Almedra", "Bilbral", "Port Selwyn"]
ROADS = ["Ostrava", "Leichlingen", "Nieuwermond", "Valparra"]


def files() -> list[list[Any]]:
    luck = random.Random(1994)
    rows: list[list[Any]] = []
    day = datetime.date(2025, 1, 7)
    for number in range(1, 93):
        mode = luck.choices(["SE", "SI", "AE", "RO"], [34, 26, 12, 24])[0]
        customer = luck.choice(CUSTOMERS)
        if mode == "RO":
            carrier, way = luck.choice(["own truck", "Veldstra", "Veldstra"]), ("Ravensiel", luck.choice(ROADS))
        elif mode == "AE":
            carrier, way = "Aerobund", (luck.choice(["Ravensiel", "Harrowmouth"]), luck.choice(["Toronto", "Osaka"]))
        else:
            carrier = luck.choice(["Corvane", "Aldergate Line", "Aldergate Line", "Polarstern Container"])
            way = (luck.choice(["Ravensiel", "Ravensiel", "Harrowmouth"]), luck.choice(PORTS))
        if mode == "SI":
            way = way[::-1]
        weight = luck.randint(40, 900) if mode == "AE" else luck.randrange(2400, 24600, 20)
        charged = {"SE": 2400, "SI": 2100, "AE": 900, "RO": 1250}[mode] + luck.randint(-500, 1400)
        cost = round(charged * luck.uniform(0.8, 0.96))
        desk = {"SE": "Rahn", "SI": "Adeyemi", "AE": "Lindqvist", "RO": "Tebbe"}[mode]
        paid: Any = day + datetime.timedelta(days=luck.randint(12, 64))
        if paid > datetime.date(2025, 11, 28):
            paid = None
        term = luck.choice(["FCA", "FOB", "CPT", "DAP", "DAP", "EXW"])
        rows.append(
            [f"{mode}25{1000 + number}", customer, mode, *way, carrier, term, weight, day, charged, cost, paid, desk]
        )
        day += datetime.timedelta(days=luck.choice([1, 2, 3, 4, 5, 5]))
    rows[18][6] = None
    rows[44][11] = None
    rows[61][10] = None
    return rows


CARRIERS: list[list[Any]] = [
    ["Carrier", "Mode", "Account no.", "Credit EUR", "Payment days", "Contact", "Agreement until", "Grade"],
    ["Corvane", "sea", "OP-4410", 90000, 30, "Ruben Osei", datetime.date(2025, 12, 31), "C"],
    ["Aldergate Line", "sea", "77120", 120000, 21, "Philippa Marsh", datetime.date(2026, 6, 30), "A"],
    ["Polarstern Container", "sea", "P-0932", 40000, 14, "Jasper Lüning", None, "B"],
    ["Aerobund", "air", "AB 118", 35000, 28, "Noor Haddad", datetime.date(2026, 3, 31), "A"],
    ["Veldstra Transport", "road", None, None, 35, "Anneke de Wit", datetime.date(2027, 1, 31), "B"],
    ["Spedice Hruška", "road", "5521", 8000, 30, "Pavel Hruška", None, "C"],
    ["Moorland Haulage", "road", "MH-19", 12000, 30, "Denzil Crabtree", datetime.date(2026, 9, 30), "B"],
    ["Fährlinie Nordkap", "ferry", "2071", 15000, 7, "Kundendienst", datetime.date(2025, 12, 31), "B"],
    ["Binnenschiff Ahlers", "barge", "A-3", 10000, 14, "Enno Ahlers", None, None],
]
CLAIMS: list[list[Any]] = [
    ["No.", "Opened", "Customer", "Kind", "Mode", "Claimed EUR", "Settled EUR", "Settled on", "Liable"],
    ["25-01", datetime.date(2025, 1, 22), "Wexcombe Toys", "shortage", "sea", 1240, 900, datetime.date(2025, 3, 4)],
    ["25-02", datetime.date(2025, 2, 11), "Tanager Ceramics", "breakage", "road", 310, 310, datetime.date(2025, 2, 27)],
    ["25-03", datetime.date(2025, 3, 6), "Pumpenbau Iltis", "breakage", "road", 5870, 4200, datetime.date(2025, 6, 30)],
    ["25-04", datetime.date(2025, 4, 2), "Maison Garrigue", "delay", "air", 2100, 0, datetime.date(2025, 4, 29)],
    ["25-05", datetime.date(2025, 5, 15), "Nordkorn", "wet", "road", 3360, 3360, datetime.date(2025, 7, 11)],
    ["25-06", datetime.date(2025, 6, 3), "Kestrel Outdoor", "theft", "road", 22450, None, None],
    ["25-07", datetime.date(2025, 7, 9), "Brightlawn Imports", "shortage", "sea", 780, 780, datetime.date(2025, 8, 1)],
    ["25-08", datetime.date(2025, 8, 19), "Rösterei Habicht", "wet", "sea", 18983, 17483, datetime.date(2025, 10, 24)],
    ["25-09", datetime.date(2025, 9, 12), "Saftkontor Ellerbrook", "temperature", "sea", 9640, None, None],
    ["25-10", datetime.date(2025, 10, 18), "Nordkorn", "shortage", "road", 96, None, None],
    ["25-11", datetime.date(2025, 10, 30), "Tanager Ceramics", "breakage", "sea", 2039.5, None, None],
    ["25-12", datetime.date(2025, 11, 13), "Kestrel Outdoor", "delay", "sea", 1500, None, None],
]
LIABLE = ["Corvane", "own truck", "Veldstra", "Aerobund", "own truck", "Veldstra", "Aldergate Line", "Corvane"]
LIABLE += ["Aldergate Line", "Veldstra", None, "Corvane"]
TRUCKS: list[list[Any]] = [
    ["Kennzeichen", "Fahrzeug", "Baujahr", "Nutzlast kg", "Fahrer", "km-Stand", "HU bis", "Rate € Monat", "Bemerkung"],
    ["RV-OP 41", "Actros 1845", 2019, None, "Birger Olthoff", 620310, "03/2026", "1.385,00", "Sattelzugmaschine"],
    ["RV-OP 42", "XF 480", 2022, None, "Tomasz Kowal", 318905, "09/2026", "1.640,00", "Sattelzugmaschine"],
    ["RV-OP 12", "Atego 12 t", 2020, 5900, "Jana Mertens", 249980, "01/2026", "980,00", "Ladebordwand 1.500 kg"],
    ["RV-OP 7", "Sprinter", 2023, 1080, None, 92040, "06/2026", "512,00", "Mautgerät neu"],
    ["RV-OP 77", "Auflieger Plane gelb", 2016, 26500, None, None, "10/2026", None, "bezahlt"],
    ["RV-OP 78", "Auflieger Kühl", 2021, 24200, None, None, "02/2026", "790,00", "Aggregat 4.310 h"],
    ["RV-OP 3", "Caddy", 2018, 620, "Ludger Tebbe", 133040, "11/2025", None, "Bereitschaft"],
    ["ST 1", "Stapler Linde E16", 2012, 1600, None, None, None, None, "Batterie schwach"],
    ["ST 2", "Stapler Jungheinrich", 2020, 2000, None, None, None, "310,00", ""],
]
USE = {"RV-OP 41": 29.5, "RV-OP 42": 26.8, "RV-OP 12": 21.4, "RV-OP 7": 10.6}


def german(value: float, digits: int = 2) -> str:
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def fuel() -> list[list[Any]]:
    luck = random.Random(77)
    drivers = {row[0]: row[4] for row in TRUCKS[1:]}
    state = {"RV-OP 41": 601200, "RV-OP 42": 305400, "RV-OP 12": 236100, "RV-OP 7": 82300}
    rows: list[list[Any]] = []
    day = datetime.date(2025, 9, 1)
    for number in range(1, 71):
        truck = luck.choice(list(USE))
        driven = luck.randint(260, 480) if truck == "RV-OP 7" else luck.randint(700, 1400)
        state[truck] += driven
        litres = round(driven * USE[truck] / 100 * luck.uniform(0.94, 1.08), 1)
        place = luck.choice(["Hof", "Hof", "Hof", "Leichlingen", "A 27", "Nieuwermond"])
        price = luck.uniform(1.34, 1.41) if place == "Hof" else luck.uniform(1.44, 1.62)
        driver = drivers[truck] or luck.choice(["Yusuf Demirci", "Noah Pryce", "Jana Mertens"])
        amount = german(litres * round(price, 3))
        row = [number, day.strftime("%d.%m.%Y"), truck, driver, place, german(litres, 1), german(price, 3), amount]
        rows.append([*row, state[truck], "ja" if luck.random() < 0.2 else ""])
        day += datetime.timedelta(days=luck.choice([0, 1, 1, 1, 2, 2]))
    rows[23][8] = None
    rows[52][4] = None
    total = sum(float(row[7].replace(".", "").replace(",", ".")) for row in rows)
    return [*rows, ["Summe", *[None] * 6, german(total), None, None]]


TARIFF: list[list[Any]] = [
    ["Zone", "Gebiet", "bis 100 kg", "bis 300 kg", "bis 750 kg", "bis 1500 kg", "bis 2500 kg", "Tage", "Hinweis"],
    ["1", "Ravensiel Stadt", "38,50", "52,00", "79,00", "112,00", "148,00", "1", ""],
    ["2", "Hallum und Küste", "44,00", "61,50", "93,00", "134,00", "177,50", "1", ""],
    ["3", "Inseln", "71,00", "104,00", "", "", "", "3", "über 300 kg auf Anfrage"],
    ["4", "Leichlingen", "49,50", "70,00", "108,00", "159,00", "214,00", "1", "vor 8 Uhr +35 %"],
    ["5", "Mittelland", "53,00", "77,50", "121,00", "181,00", "246,00", "2", ""],
    ["6", "Gebirge", "58,00", "86,00", "137,00", "209,00", "288,00", "2", "Winter + 1 Tag"],
    ["7", "Nieuwermond", "56,00", "82,00", "129,50", "196,00", "268,00", "2", ""],
    ["8", "Ostrava", "68,00", "103,00", "166,00", "258,00", "361,00", "3", ""],
    ["9", "Harrowmouth", "84,00", "131,00", "219,00", "347,00", "492,00", "4", "zzgl. Zoll"],
    ["10", "Valparra", "96,00", "152,00", "257,00", "411,00", "586,00", "6", ""],
]


def stock() -> list[list[Any]]:
    luck = random.Random(30)
    head = ["bin", "customer", "article", "pallets", "kg", "arrived", "bonded", "adr_class", "best_before", "blocked"]
    goods = {
        "Nordkorn": [("icing sugar", 740, 0), ("wheat starch", 625, 0), ("flour type 550", 800, 0)],
        "Tanager Ceramics": [("glazed tiles", 1050, 0), ("tile adhesive", 960, 0)],
        "Saftkontor Ellerbrook": [("juice concentrate", 880, 0)],
        "Pumpenbau Iltis": [("pump housings", 540, 0), ("thinner", 410, 3), ("battery acid", 620, 8)],
        "Kestrel Outdoor": [("tents", 210, 0), ("camping stoves", 260, 0)],
        "Maison Garrigue": [("wine", 690, 0)],
    }
    rows: list[list[Any]] = []
    for number in range(64):
        who = luck.choice(list(goods))
        article, weight, danger = luck.choice(goods[who])
        food = who in ("Nordkorn", "Saftkontor Ellerbrook", "Maison Garrigue")
        row = "G" if danger else luck.choice("ABCD" if food else "BDEFH")
        pallets = luck.randint(1, 3 if danger else 14)
        arrived = datetime.date(2025, 11, 28) - datetime.timedelta(days=luck.randint(2, 160))
        bonded = "yes" if who == "Maison Garrigue" or luck.random() < 0.15 else "no"
        best = (arrived + datetime.timedelta(days=luck.randint(200, 600))).isoformat() if food else ""
        blocked = "yes" if luck.random() < 0.1 else ""
        rows.append([f"{row}{number + 1:02d}", who, article, pallets, pallets * weight, arrived.isoformat(), bonded])
        rows[-1] += [danger or "", best, blocked]
    rows[12][4] = ""
    rows[40][5] = ""
    return [head, *rows]


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_pdf(
        path["Operations manual rev 7.pdf"],
        text["manual"],
        size=10.5,
        chapter_on_new_page=True,
        color="#7a1f12",
        header="Ohmstede & Pryce Forwarding - Operations manual",
        footer="rev 7, 3 November 2025",
    )
    kit.write_docx(
        path["Subcontract Veldstra 2025.docx"],
        text["veldstra"],
        font="Times New Roman",
        footer="Subcontract Veldstra / initials",
        table_style="Light Grid",
    )
    kit.write_docx(path["Terms 2026 v3.docx"], text["terms26"], size=9.5, header="Ohmstede & Pryce", footer="v3")
    kit.write_docx(path["Terms 2025.docx"], text["terms25"], size=9.5, header="Ohmstede & Pryce")
    kit.write_pdf(path["QF-2291 Tanager Ceramics.pdf"], text["quote"], font="Times-Roman", grid=False, page_label="")
    kit.write_pptx(path["Carriers 2026.pptx"], text["carriers"])
    kit.write_docx(path["Claim 25-08 coffee.docx"], text["claim"], font="Garamond", size=12, author="I. Harms")
    kit.write_eml(path["Re_ Re_ demurrage garden furniture.eml"], text["demurrage"])
    kit.write_html(
        path["arrival_notice_KV_Halcyon.html"],
        text["arrival"],
        title="Arrival notice KV Halcyon 548N",
        before='<div class="bar">Print | Forward | My shipments</div>',
        after="<p>Aldergate Line Agency, Terminal 2. This message was created automatically.</p>",
    )
    path["dock notes.md"].write_text(text["dock"], encoding="utf-8")
    kit.write_docx(path["Harrowmouth meetings 2025.docx"], text["minutes"], font="Comic Sans MS", author="Noah Pryce")
    kit.write_docx(path["Lagerordnung 2025-09.docx"], text["lager25"], font="Arial", footer="Stand 15.09.2025")
    kit.write_odt(path["Lagerordnung 2021 alt.odt"], text["lager21"])
    kit.write_pdf(
        path["Merkblatt Gefahrgut.pdf"],
        text["gefahrgut"],
        page="A5",
        size=9,
        margin=40,
        page_label="Seite %d",
        header="Büro für Transportsicherheit",
    )
    kit.write_eml(path["AW_ AW_ Zollprüfung.eml"], text["zoll"], with_html=True)
    kit.write_pptx(path["Schulung Ladungssicherung.pptx"], text["schulung"])
    kit.write_docx(
        path["Rahmenvertrag Nordkorn.docx"], text["nordkorn"], font="Cambria", size=10, header="Rahmenvertrag NK-24"
    )
    path["telefon_ludger.txt"].write_bytes(text["telefon"].encode("cp1252"))
    kit.write_pdf(path["Acuerdo de agencia Valparra.pdf"], text["acuerdo"], columns=2, size=9.5, page_label="Página %d")
    kit.write_odt(path["Parte de incidencia 2025-11.odt"], text["parte"])
    kit.write_picture_pdf(path["scan_cmr_4471.pdf"], [text["scan"]], size=10, tilt=0.7, specks=500, seed=3)
    head = ["File", "Customer", "Mode", "Route", None, "Carrier", "Incoterm", "Gross kg", "Departure", "EUR", None]
    under = [None, None, None, "from", "to", None, None, None, None, "charged", "cost", "paid on", None]
    rows = [["Extract of the file list 2025, export of 28 November"], [*head, None, "Desk"], under, *files()]
    areas = ("A1:M1", "D2:E2", "J2:L2", *(f"{one}2:{one}3" for one in "ABCFGHIM"))
    sheet = kit.Sheet("Files", rows, head=3, merged=areas, formats={"I": "dd/mm/yyyy", "L": "dd/mm/yyyy"})
    claims = [CLAIMS[0], *([*row, who] for row, who in zip(CLAIMS[1:], LIABLE, strict=True))]
    kit.write_xlsx(
        path["Files 2025.xlsx"],
        [
            sheet,
            kit.Sheet("Claims", claims, formats={"B": "yyyy-mm-dd", "H": "yyyy-mm-dd"}),
            kit.Sheet("Carriers", CARRIERS, formats={"G": "yyyy-mm-dd"}, remarks={"D6": "we pay them, not they us"}),
        ],
    )
    columns = ["Nr.", "Datum", "Kennzeichen", "Fahrer", "Ort", "Liter", "€ je Liter", "Betrag €", "km-Stand", "AdBlue"]
    log = [["Tankungen ab 1. September 2025"], columns, *fuel()]
    kit.write_xlsx(
        path["Fuhrpark 2025.xlsx"],
        [kit.Sheet("Fahrzeuge", TRUCKS), kit.Sheet("Tankungen", log, head=2, merged=("A1:J1",))],
    )
    kit.write_csv(path["frachttarif_2026.csv"], TARIFF, delimiter=";", encoding="cp1252")
    kit.write_csv(path["stock_2025-11-30.csv"], stock())
