"""The town library of Hallbach with its mobile branch and the Makers' Room: its documents (all invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Bus hire contract Vantor.docx": "en",
    "Arbeitsvertrag Demirel.docx": "de",
    "Staff handbook 2025.docx": "en",
    "Fees 2026.odt": "en",
    "fees 2023 (replaced).txt": "en",
    "Annual report 2024.pdf": "en",
    "Benutzungsordnung.pdf": "de",
    "Makers Room rules.pdf": "en",
    "Protokoll Freundeskreis 2025-09.docx": "de",
    "Lettre Orvanne.pdf": "fr",
    "Oferta cuentacuentos.odt": "es",
    "scan_aufzug.pdf": "de",
    "Re_ Re_ Re_ Kleinfelden and Mill Lane.eml": "en",
    "AW_ AW_ Lesenacht.eml": "de",
    "Fwd_ The atlas that I never had.eml": "en",
    "Staff meeting June 2025.pptx": "en",
    "faq.html": "en",
    "Merkblatt Ehrenamt.odt": "de",
    "Courses 2025.xlsx": "en",
    "Geräte und Haltestellen.xlsx": "de",
    "mahnliste_oktober.csv": "de",
}
PICTURES = {"scan_aufzug.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "courses": TableAt("Courses 2025.xlsx", "Courses"),
    "loans": TableAt("Courses 2025.xlsx", "Loans", skip=1, head=2, last="So far"),
    "devices": TableAt("Geräte und Haltestellen.xlsx", "Geräte", skip=1, decimal=","),
    "stops": TableAt("Geräte und Haltestellen.xlsx", "Haltestellen", decimal=","),
    "reminders": TableAt("mahnliste_oktober.csv", delimiter=";", encoding="cp1252", decimal=","),
}
LOANS: list[list[Any]] = [
    ["January", 21840, 9120, 1890, 1410, "Tobias"],
    ["February", 20310, 8870, 1760, 1385, "Tobias"],
    ["March", 22650, 9990, 1930, 1502, "Leonie"],
    ["April", 19980, 9430, 1710, 1278, "Tobias"],
    ["May", 20740, 9260, 1805, None, "Leonie"],
    ["June", 18890, 8610, 1690, 1333, "Dorothea"],
    ["July", 17420, 10480, 1240, 980, "Dorothea"],
    ["August", 18060, 10910, 1180, 1015, "Leonie"],
    ["September", 21270, 9540, 1875, 1466, "Tobias"],
]
DEVICES: list[list[Any]] = [
    ["Gerät", "Hersteller", "Anzahl", "Gekauft", "Preis €", "Ausleihen 2025", "Pfand €", "Zustand"],
    ["Schlagbohrmaschine", "Kornhaus", 3, "14.03.2023", "129,00", 61, "20,00", "gut"],
    ["Akkuschrauber", "Kornhaus", 4, "14.03.2023", "98,50", 88, "20,00", "gut"],
    ["Stichsäge", "Belmar", 2, "02.10.2023", "84,90", 37, "20,00", "Sägeblatt fehlt"],
    ["Teleskop", "Orionis", 1, "21.11.2022", "389,00", 19, "50,00", "gut"],
    ["Ukulele", "Lani", 5, "08.05.2024", "62,00", 74, None, "gut"],
    ["Beamer", "Lumax", 2, "17.01.2024", "455,00", 92, "50,00", "Lüfter laut"],
    ["Tortenform-Satz", "Backfein", 3, "08.05.2024", "41,20", 29, None, "gut"],
    ["Nähmaschine", "Stella", 2, "30.09.2024", "248,00", 33, "30,00", "gut"],
    ["Feuchtemesser", "Belmar", 1, "06.02.2025", "73,40", 46, "10,00", None],
    ["Strommessgerät", "Wattwerk", 6, "11.12.2021", "19,90", 53, None, "eines defekt"],
    ["Lastenanhänger", "Radhof", 1, "22.04.2025", "520,00", 27, "50,00", "gut"],
]
STOPS: list[list[Any]] = [
    ["Nr.", "Haltestelle", "Wochentag", "Woche", "von", "bis", "Minuten", "Leser im Schnitt", "Strom"],
    [1, "Neudorf, Kirchplatz", "Dienstag", "A", "14:00", "15:15", 75, 71, "ja"],
    [2, "Neudorf, Grundschule", "Dienstag", "A", "10:20", "11:30", 70, 58, "ja"],
    [3, "Birkenhof, Schule", "Donnerstag", "A", "13:40", "14:40", 60, 49, "ja"],
    [4, "Mühlgasse", "Donnerstag", "A", "15:10", "15:50", 40, 22, "nein"],
    [5, "Kleinfelden", "Mittwoch", "B", "16:30", "16:50", 20, 3, "nein"],
    [6, "Unterau, Feuerwehr", "Mittwoch", "B", "14:15", "15:00", 45, 26, "ja"],
    [7, "Oberau, Linde", "Mittwoch", "B", "15:20", "16:00", 40, 17, "nein"],
    [8, "Sankt Veit, Markt", "Dienstag", "B", "15:30", "16:30", 60, 44, "ja"],
    [9, "Sankt Veit, Altenheim", "Dienstag", "B", "14:00", "15:10", 70, 38, None],
    [10, "Hochrain", "Mittwoch", "A", "17:00", "17:30", 30, 11, "nein"],
    [11, "Ziegelei", "Donnerstag", "B", "16:40", "17:20", 40, 29, "nein"],
    [12, "Weiler am See", "Samstag", "B", "10:00", "11:30", 90, 53, "ja"],
]
NAMES = "Achterberg Bloch Czerny Dahlke Eberwein Fuhrmann Gantner Hasselfeld Iversen Jandl Krumbholz Liebig Mautner"


def courses() -> list[list[Any]]:
    luck = random.Random(417)
    head = ["No.", "Date", "Course", "Machine", "Leader", "Places", "Came", "Fee EUR", "Cancelled"]
    rows: list[list[Any]] = [head]
    kinds = {
        "Induction": ("all", ["Lindqvist"], 8, 0),
        "Bicycle repair": ("bench", ["Lindqvist", "Solberg"], 6, 12),
        "First dress": ("sewing", ["Aziz", "Norrby"], 4, 24),
        "Print a vase": ("3D printer", ["Renk", "Hartwig"], 6, 15),
        "Laser licence": ("laser cutter", ["Lindqvist"], 5, 30),
        "Embroidered patches": ("embroidery", ["Aziz"], 5, 18),
        "Build a nesting box": ("saw", ["Solberg"], 8, 10),
    }
    day = datetime.date(2025, 6, 3)
    for number in range(142, 202):
        name = luck.choice([*kinds, "Induction", "Bicycle repair"])
        machine, leaders, places, fee = kinds[name]
        gone = luck.random() < 0.1
        rows.append([number, day, name, machine, luck.choice(leaders), places])
        rows[-1] += [None if gone else luck.randint(2, places), fee, "yes" if gone else None]
        day += datetime.timedelta(days=luck.choice([1, 2, 2, 3]))
    rows[23][4] = None
    return rows


def reminders() -> list[list[Any]]:
    luck = random.Random(902)
    rows: list[list[Any]] = [
        ["Konto", "Name", "Medium", "Zweigstelle", "fällig seit", "Stufe", "Betrag €", "erledigt am"]
    ]
    for number in range(64):
        due = datetime.date(2025, 8, 20) + datetime.timedelta(days=luck.randint(0, 45))
        medium = luck.choice(["Buch", "Buch", "Buch", "Film", "Konsolenspiel", "Gerät", "Zeitschrift"])
        done = (datetime.date(2025, 10, 1) + datetime.timedelta(days=luck.randint(0, 29))).strftime("%d.%m.%Y")
        amount = f"{round(luck.uniform(1.2, 38), 1):.2f}".replace(".", ",")
        rows.append([f"{4100 + 7 * number:06d}", luck.choice(NAMES.split()), medium])
        rows[-1] += [luck.choice(["Zentrale", "Zentrale", "Fahrbücherei", "Kinder"]), due.strftime("%d.%m.%Y")]
        rows[-1] += [luck.choice([1, 1, 1, 2, 2, 3]), amount, luck.choice([done, done, ""])]
    rows[41][2] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(path["Bus hire contract Vantor.docx"], text["mobile"], font="Cambria", footer="HB-LB 417")
    kit.write_docx(path["Arbeitsvertrag Demirel.docx"], text["demirel"], font="Arial", size=10)
    kit.write_docx(path["Staff handbook 2025.docx"], text["handbook"], size=10, header="Town library, January 2025")
    kit.write_odt(path["Fees 2026.odt"], text["fee26"])
    path["fees 2023 (replaced).txt"].write_text(text["fee23"], encoding="utf-8")
    kit.write_pdf(
        path["Annual report 2024.pdf"],
        text["report"],
        columns=2,
        size=9.5,
        color="#274b6d",
        header="Annual report 2024",
    )
    kit.write_pdf(path["Benutzungsordnung.pdf"], text["ordnung"], font="Times-Roman", page_label="Seite %d")
    kit.write_pdf(path["Makers Room rules.pdf"], text["makers"], grid=False, color="#a1421b")
    kit.write_docx(path["Protokoll Freundeskreis 2025-09.docx"], text["verein"], font="Times New Roman")
    kit.write_pdf(path["Lettre Orvanne.pdf"], text["orvanne"], font="Times-Roman", size=11.5, page_label="")
    kit.write_odt(path["Oferta cuentacuentos.odt"], text["cuentos"], font="Liberation Sans")
    kit.write_picture_pdf(path["scan_aufzug.pdf"], [text["scan"]], tilt=0.5, specks=140, seed=8)
    kit.write_eml(path["Re_ Re_ Re_ Kleinfelden and Mill Lane.eml"], text["busstop"])
    kit.write_eml(path["AW_ AW_ Lesenacht.eml"], text["lesenacht"])
    kit.write_eml(path["Fwd_ The atlas that I never had.eml"], text["atlas"], with_html=True)
    kit.write_pptx(path["Staff meeting June 2025.pptx"], text["staff"])
    kit.write_html(path["faq.html"], text["faq"], title="Questions", before="<nav>Catalogue | Visit | Bus</nav>")
    kit.write_odt(path["Merkblatt Ehrenamt.odt"], text["ehrenamt"])
    head = ["Month", "House", None, "Bus", None, "Counted by"]
    under = [None, "adults", "children", "adults", "children", None]
    total = ["So far", *(sum(row[c] or 0 for row in LOANS) for c in (1, 2, 3, 4)), None]
    kit.write_xlsx(
        path["Courses 2025.xlsx"],
        [
            kit.Sheet("Courses", courses(), formats={"B": "dd/mm/yyyy", "H": "0.00"}),
            kit.Sheet(
                "Loans",
                [["Items lent in 2025"], head, under, *LOANS, total],
                head=3,
                merged=("A1:F1", "B2:C2", "D2:E2", "A2:A3", "F2:F3"),
            ),
        ],
    )
    title = [["Bibliothek der Dinge, Stand 31.10.2025 (Henrik)"]]
    kit.write_xlsx(
        path["Geräte und Haltestellen.xlsx"],
        [kit.Sheet("Geräte", [*title, *DEVICES], head=2), kit.Sheet("Haltestellen", STOPS)],
    )
    kit.write_csv(path["mahnliste_oktober.csv"], reminders(), delimiter=";", encoding="cp1252")
