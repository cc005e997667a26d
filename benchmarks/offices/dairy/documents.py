"""The farm dairy Ellersiek with its goats, shop and market stall: its documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Milk supply Tolland 2024.pdf": "en",
    "Rahmenvertrag Kornblume.docx": "de",
    "Food safety plan v6.docx": "en",
    "Our cheeses.pdf": "en",
    "shop prices 2024.txt": "en",
    "Shop prices 2025-04.odt": "en",
    "Wiederverkäufer ab 2025-10.pdf": "de",
    "Öko-Kontrolle 2025.pdf": "de",
    "scan_befund_2291.pdf": "de",
    "AW_ WG_ Hofladen Kasse.eml": "de",
    "Re_ Re_ Re_ room 3 is too warm.eml": "en",
    "Fwd_ Christmas hampers.eml": "en",
    "market-stall.html": "en",
    "Team meetings 2025.docx": "en",
    "Stallbuch.md": "de",
    "Working with goats.pptx": "en",
    "hoffuehrung.html": "de",
    "Lettre Chazal 2025-10-06.pdf": "fr",
    "Contrato de temporada.odt": "es",
    "Offerta Bertolin 25-0317.pdf": "it",
    "Anleitung Pasteur P200.pdf": "de",
    "Darlehen Raiffeisenkasse.docx": "de",
    "phone notes autumn.txt": "en",
    "Aushang Melkstand.odt": "de",
    "Herd 2025.xlsx": "en",
    "Käselager.xlsx": "de",
    "lieferungen_q3_2025.csv": "de",
    "cold rooms october.csv": "en",
}
PICTURES = {"scan_befund_2291.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "goats": TableAt("Herd 2025.xlsx", "Goats"),
    "milk": TableAt("Herd 2025.xlsx", "Milk", skip=1, head=2, last="Year"),
    "feed": TableAt("Herd 2025.xlsx", "Feed"),
    "store": TableAt("Käselager.xlsx", "Chargen", skip=2, decimal=","),
    "material": TableAt("Käselager.xlsx", "Material", decimal=","),
    "deliveries": TableAt("lieferungen_q3_2025.csv", delimiter=";", encoding="cp1252", decimal=","),
    "rooms": TableAt("cold rooms october.csv"),
}
MILK: list[list[Any]] = [
    ["January", 14600, 3410, None, 4.31, 3.02, "Owen"],
    ["February", 12100, 3290, 640, 4.28, 3.05, "Owen"],
    ["March", 11800, 3350, 2910, 4.19, 3.11, "Owen"],
    ["April", 10250, 3620, 5480, 4.02, 2.98, "Tjark"],
    ["May", 9100, 3980, 6750, 3.94, 3.02, "Owen"],
    ["June", 8700, 3870, 6920, 3.91, 2.94, "Owen"],
    ["July", 7900, 3540, 6240, None, None, None],
    ["August", 6600, 3110, 4870, 4.01, 3.07, "Tjark"],
    ["September", 8900, 3260, 4650, 4.12, 3.24, "Owen"],
    ["October", 10400, 3300, 3480, 4.22, 3.35, "Owen"],
]
FEED: list[list[Any]] = [
    ["Feed", "Supplier", "Bought kg", "Price per 100 kg EUR", "Delivered", "Stored in"],
    ["Goat pellets", "Mühle Brandt", 4800, 54, datetime.date(2025, 1, 20), "silo 1"],
    ["Cow pellets", "Mühle Brandt", 3200, 49.5, datetime.date(2025, 1, 20), "silo 2"],
    ["Hay, second cut", "Hansen", 11200, 26, datetime.date(2025, 3, 19), "hay store"],
    ["Hay, conventional", "Petersen", 1200, 21.5, datetime.date(2025, 3, 4), "tent"],
    ["Straw", "Tolland Brothers", 6400, 14, datetime.date(2025, 8, 28), "hay store"],
    ["Carrots", "Abendroth", 900, 18, datetime.date(2025, 10, 7), None],
    ["Mineral lick", "Farmers' union", 150, 212, datetime.date(2025, 4, 15), "office"],
    ["Milk powder for kids", "Mühle Brandt", 275, 318, datetime.date(2025, 2, 3), "milk room"],
]
MATERIAL: list[list[Any]] = [
    ["Artikel", "Bestand", "Einheit", "Mindestbestand", "Preis €", "Lieferant"],
    ["Lab Kalb 1:15.000", "4,5", "l", "3", "38,40", "Molkbedarf Thode"],
    ["Lab Thistlet", "0,8", "l", "2", "71,00", "Molkbedarf Thode"],
    ["Kultur MA", "46", "Beutel", "30", "11,90", "Molkbedarf Thode"],
    ["Kultur TH 4", "12", "Beutel", "15", "13,20", "Molkbedarf Thode"],
    ["Annatto", "1,2", "l", "1", None, "Färberhof"],
    ["Salz", "375", "kg", "200", "0,42", "Saline Süd"],
    ["Asche", "2,4", "kg", "1", "29,00", "Färberhof"],
    ["Käsepapier weiß", "8200", "Blatt", "5000", "0,06", "Druckerei Voss"],
    ["Butterpapier rot", "650", "Blatt", "2000", "0,09", "Druckerei Voss"],
    ["Becher 150 g", "14400", "Stück", "10000", "0,11", "Packhaus"],
    ["Geschenkkarton groß", "190", "Stück", "150", "1,35", "Packhaus"],
]

NAMES = (
    "Alba Bente Cleo Distel Elfi Fenja Gundel Hexe Ilka Jule Kessi Lotte Mokka Nessa Ottilie Pepper "
    "Quitte Rieke Silke Tilda Ursel Vanilla Wanda Xenia Ysop Zora Amsel Birke"
)


def goats() -> list[list[Any]]:
    luck = random.Random(62)
    rows: list[list[Any]] = [
        ["No.", "Name", "Breed", "Born", "Group", "Kids 2025", "Milk 2025 l", "Cells thousand", "Remark"]
    ]
    for number, name in enumerate(NAMES.split(), 20):
        breed = luck.choice(["Toggenburg", "German Fawn", "German Fawn", "Anglo-Nubian"])
        kids = luck.choice([0, 1, 1, 2, 2, 2, 3])
        milk: Any = 0 if kids == 0 else luck.randint(410, 980)
        remark = luck.choice([None] * 5 + ["kicks", "opens doors", "lame in May"])
        rows.append([number, name, breed, luck.randint(2014, 2023), luck.choice("AABBC"), kids, milk])
        rows[-1] += [luck.randint(180, 1400) if milk else None, remark]
    rows[12][3] = None
    rows[20][6] = None
    return rows


def store() -> list[list[Any]]:
    luck = random.Random(1907)
    kinds = {"Alter Deichgraf": ("4,5", 34), "Flintstein": ("11,0", 5), "Harebell": ("0,35", 190)}
    rows: list[list[Any]] = []
    day = datetime.date(2025, 1, 7)
    for number in range(1880, 1924):
        kind = luck.choice(["Alter Deichgraf", "Alter Deichgraf", "Harebell", "Flintstein"])
        if kind == "Flintstein" and not 5 <= day.month <= 9:
            kind = "Alter Deichgraf"
        weight, most = kinds[kind]
        made = most - luck.randint(0, 3)
        left = luck.randint(0, made) if number > 1890 else 0
        grade = luck.choice(["1", "1", "1", "2", "3"]) if day.month < 9 else None
        place = f"R{luck.randint(1, 3)}-{luck.choice('ABCDEF')}{luck.randint(1, 9)}" if left else None
        rows.append([f"R-{number}", kind, day.strftime("%d.%m.%Y"), made, left, weight, place, grade])
        day += datetime.timedelta(days=luck.choice([4, 5, 7, 9]))
    return rows


def deliveries() -> list[list[Any]]:
    luck = random.Random(37)
    head = ["Beleg", "Datum", "Kunde", "Ort", "Ware", "kg", "Betrag €", "Kisten", "Fahrer", "bezahlt am"]
    customers = {
        "Kornblume Hafenstraße": "Lüttenhaven",
        "Kornblume Nordertor": "Lüttenhaven",
        "Gasthof Zur Schleuse": "Askerdale",
        "Feinkost Behnke": "Bremen",
        "Bioladen Rübe": "Oldenburg",
        "Hotel Deichkrone": "Husum",
    }
    prices = {"Alter Deichgraf": 18.9, "Harebell": 29.8, "Kleine Oda": 21.5, "Speisequark": 4.1, "Butter": 12.8}
    rows: list[list[Any]] = [head]
    day = datetime.date(2025, 7, 1)
    for number in range(601, 672):
        customer = luck.choice(list(customers))
        goods = luck.choice(list(prices))
        weight = round(luck.uniform(4, 48), 1)
        paid = (day + datetime.timedelta(days=luck.randint(5, 40))).strftime("%d.%m.%Y")
        if luck.random() < 0.12:
            paid = ""
        amount = f"{weight * prices[goods]:.2f}".replace(".", ",")
        driver = luck.choice(["Bruno", "Bruno", "Tjark", "Danuta"])
        rows.append([f"L{number}", day.strftime("%d.%m.%Y"), customer, customers[customer], goods])
        rows[-1] += [str(weight).replace(".", ","), amount, luck.randint(1, 7), driver, paid]
        day += datetime.timedelta(days=luck.choice([0, 1, 2, 2]))
    rows[41][8] = ""
    return rows


def rooms() -> list[list[Any]]:
    luck = random.Random(3)
    usual = {"room 1": (11.5, 91), "room 2": (12.8, 86), "room 3": (4.2, 70)}
    rows: list[list[Any]] = [["date", "room", "mean C", "highest C", "humidity %", "door open min", "alarm"]]
    for day in range(1, 32):
        for room, (mean, damp) in usual.items():
            warm = round(mean + luck.uniform(-0.4, 0.5), 1)
            top = round(warm + luck.uniform(0.3, 2.9), 1)
            rows.append([f"2025-10-{day:02d}", room, warm, top, damp + luck.randint(-4, 4), luck.randint(6, 75)])
            rows[-1].append("yes" if room == "room 3" and top > 6.6 else "")
    rows[50][4] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_pdf(path["Milk supply Tolland 2024.pdf"], text["supply"], font="Times-Roman", size=11, footer="Milk 2024")
    kit.write_docx(path["Rahmenvertrag Kornblume.docx"], text["kornblume"], font="Times New Roman", footer="RV 23-06")
    kit.write_docx(path["Food safety plan v6.docx"], text["haccp"], size=10, header="Ellersiek Farm Dairy, plan v6")
    kit.write_pdf(path["Our cheeses.pdf"], text["recipes"], page="A5", size=10, margin=40, chapter_on_new_page=True)
    path["shop prices 2024.txt"].write_text(text["prices24"], encoding="utf-8")
    kit.write_odt(path["Shop prices 2025-04.odt"], text["prices25"])
    kit.write_pdf(path["Wiederverkäufer ab 2025-10.pdf"], text["reseller"], color="#7a4a12", page_label="Seite %d")
    kit.write_pdf(path["Öko-Kontrolle 2025.pdf"], text["oeko"], size=9.5, header="Agrarsiegel Nord GmbH")
    kit.write_picture_pdf(path["scan_befund_2291.pdf"], [text["scan"]], tilt=0.7, specks=180, seed=9)
    kit.write_eml(path["AW_ WG_ Hofladen Kasse.eml"], text["kasse"])
    kit.write_eml(path["Re_ Re_ Re_ room 3 is too warm.eml"], text["cold"])
    kit.write_eml(path["Fwd_ Christmas hampers.eml"], text["hampers"], with_html=True)
    kit.write_html(path["market-stall.html"], text["stall"], title="Market stall", before="<nav>Start | Rota</nav>")
    kit.write_docx(path["Team meetings 2025.docx"], text["minutes"], font="Arial", size=10)
    path["Stallbuch.md"].write_text(text["stallbuch"], encoding="utf-8")
    kit.write_pptx(path["Working with goats.pptx"], text["goats"])
    kit.write_html(
        path["hoffuehrung.html"], text["tour"], title="Hofführungen", language="de", after="<p>Hof Ellersiek</p>"
    )
    kit.write_pdf(path["Lettre Chazal 2025-10-06.pdf"], text["chazal"], font="Times-Roman", size=12, page_label="")
    kit.write_odt(path["Contrato de temporada.odt"], text["temporero"])
    kit.write_pdf(path["Offerta Bertolin 25-0317.pdf"], text["bertolin"], grid=False, color="#006644", page_label="%d")
    kit.write_pdf(
        path["Anleitung Pasteur P200.pdf"], text["pasteur"], columns=2, size=9, header="P 200 / P 400", margin=44
    )
    kit.write_docx(path["Darlehen Raiffeisenkasse.docx"], text["bank"], font="Liberation Serif")
    path["phone notes autumn.txt"].write_text(text["phone"], encoding="utf-8")
    kit.write_odt(path["Aushang Melkstand.odt"], text["aushang"], font="Liberation Sans")
    head = ["Month", "Milk litres", None, None, "Fat %", None, "Read by"]
    under = [None, "Tollands", "Own cows", "Goats", "Cows", "Goats", None]
    total = ["Year so far", *(sum(row[c] or 0 for row in MILK) for c in (1, 2, 3)), None, None, None]
    kit.write_xlsx(
        path["Herd 2025.xlsx"],
        [
            kit.Sheet("Goats", goats(), remarks={"B1": "names of the kids are in the other book"}),
            kit.Sheet(
                "Milk",
                [["Milk received 2025"], head, under, *MILK, total],
                head=3,
                merged=("A1:G1", "B2:D2", "E2:F2", "A2:A3", "G2:G3"),
            ),
            kit.Sheet("Feed", FEED, formats={"E": "dd/mm/yyyy"}),
        ],
    )
    columns = ["Charge", "Sorte", "Hergestellt", "Stück", "Rest", "Gewicht kg", "Platz", "Klasse"]
    title = [["Reifelager Stand 30.11.2025"], ["Klasse 3 nur als Reibekäse"]]
    kit.write_xlsx(
        path["Käselager.xlsx"],
        [kit.Sheet("Chargen", [*title, columns, *store()], head=3), kit.Sheet("Material", MATERIAL)],
    )
    kit.write_csv(path["lieferungen_q3_2025.csv"], deliveries(), delimiter=";", encoding="cp1252")
    kit.write_csv(path["cold rooms october.csv"], rooms())
