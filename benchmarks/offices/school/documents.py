"""The music school Ferrandi with its two houses in Odenwerth: its documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Mietvertrag Depot 2021.docx": "de",
    "Teaching contract Drury.docx": "en",
    "Handbook teachers August 2025.docx": "en",
    "Tuition fees 2024-25.odt": "en",
    "Tuition fees from 2025-09.odt": "en",
    "Terms of hire 2025.pdf": "en",
    "Policy MI-20 4417.pdf": "en",
    "AW_ AW_ Heizung im Depot.eml": "de",
    "Re_ Re_ Re_ Summer concert 2026.eml": "en",
    "Protokoll Lehrerkonferenz 2025-09-10.docx": "de",
    "parents-questions.html": "en",
    "Elternabend Streicherklasse.pptx": "de",
    "Devis Vauquelin C-14.pdf": "fr",
    "scan_gutachten_c14.pdf": "de",
    "The year 2024.pdf": "en",
    "Taller de cajon.eml": "es",
    "nadja-desk.md": "en",
    "Hausordnung.odt": "de",
    "Leihinstrumente.xlsx": "de",
    "Events 2025.xlsx": "en",
    "pupils_autumn_2025.csv": "en",
}
PICTURES = {"scan_gutachten_c14.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "stock": TableAt("Leihinstrumente.xlsx", "Bestand", skip=1, decimal=","),
    "repairs": TableAt("Leihinstrumente.xlsx", "Reparaturen", decimal=","),
    "events": TableAt("Events 2025.xlsx", "Events"),
    "rooms": TableAt("Events 2025.xlsx", "Room use", skip=1, head=2, last="Together"),
    "pupils": TableAt("pupils_autumn_2025.csv"),
}
STOCK: list[list[Any]] = [
    ["Nr.", "Instrument", "Größe", "Hersteller", "Gekauft", "Listenwert €", "Zustand", "Standort", "Verliehen bis"],
    ["V-03", "Geige", "1/8", "Hauser", "14.03.2016", "210", "gut", "verliehen", "31.01.2026"],
    ["V-07", "Geige", "1/4", "Hauser", "14.03.2016", "240", "gut", "verliehen", "31.07.2026"],
    ["V-11", "Geige", "1/2", "Bellini & Sohn", "02.09.2018", "380", "Steg erneuern", "Werkstatt", None],
    ["V-12", "Geige", "1/2", "Bellini & Sohn", "02.09.2018", "380", "gut", "verliehen", "31.03.2026"],
    ["V-19", "Geige", "3/4", "Ordowski", "20.08.2022", "520", "neu besaitet", "Kastanienhaus", None],
    ["V-22", "Geige", "4/4", "unbekannt", "11.12.2024", "1.450", "gut", "verliehen", "31.07.2026"],
    ["B-02", "Bratsche", "36 cm", "Ordowski", "20.08.2022", "690", "gut", "verliehen", "31.07.2026"],
    ["B-04", "Bratsche", "39 cm", "Ordowski", "05.09.2025", "840", "neu", "Kastanienhaus", None],
    ["C-05", "Cello", "1/4", "Hauser", "19.09.2017", "720", "gut", "verliehen", "31.01.2026"],
    ["C-09", "Cello", "1/2", "Bellini & Sohn", "02.09.2018", "980", "Kratzer", "verliehen", "30.04.2026"],
    ["C-12", "Cello", "3/4", "Ordowski", "08.01.2023", "1.350", "gut", "Kastanienhaus", None],
    ["C-14", "Cello", "4/4", "Mirecourt", "30.06.1999", "9.600", "Riss", "Besmont", None],
    ["F-01", "Querflöte", None, "Silberhorn", "17.02.2019", "540", "gut", "verliehen", "31.07.2026"],
    ["F-06", "Querflöte", None, "Silberhorn", "29.08.2023", "610", "Polster", "Werkstatt", None],
    ["K-02", "Klarinette", None, "Amsel", "17.02.2019", "890", "gut", "verliehen", "31.07.2026"],
    ["T-03", "Trompete", None, "Kupferer", "11.12.2024", "460", "Delle", "Depot", None],
    ["T-04", "Trompete", None, "Kupferer", "06.05.2021", "580", "gut", "verliehen", "28.02.2026"],
    ["G-08", "Gitarre", "3/4", "Almansa", "10.10.2020", "190", "gut", "Depot", None],
    ["G-10", "Gitarre", "4/4", "Almansa", "10.10.2020", None, "gut", "verliehen", "31.01.2026"],
    ["A-02", "Akkordeon", "48 Bass", "Seestern", "23.05.2015", "1.180", "vermisst", None, None],
    ["A-03", "Akkordeon", "72 Bass", "Seestern", "23.05.2015", "1.620", "gut", "verliehen", "31.07.2026"],
    ["H-01", "Harfe", "27 Saiten", "Lirael", "15.11.2021", "2.350", "gut", "verliehen", "31.10.2026"],
]
REPAIRS: list[list[Any]] = [
    ["Nr.", "Was", "Firma", "Gemeldet", "Fertig", "Kosten €", "Zahlt"],
    ["V-11", "Steg", "eigene Werkstatt", "09.10.2025", None, None, "Schule"],
    ["C-05", "Stachel", "eigene Werkstatt", "21.01.2025", "23.01.2025", "18,50", "Schule"],
    ["C-09", "Saitenhalter", "Geigenbau Dollinger", "03.03.2025", "19.03.2025", "94,00", "Familie Obst"],
    ["F-06", "Polster", "Bläserei Knop", "12.11.2025", None, "168,00", "Schule"],
    ["T-04", "Ventil 2", "Bläserei Knop", "30.04.2025", "22.05.2025", "71,00", "Schule"],
    ["A-03", "Riemen", "eigene Werkstatt", "17.06.2025", "19.06.2025", "32,40", "Familie Yilmaz"],
    ["V-07", "Hals angebrochen", "Geigenbau Dollinger", "08.09.2025", "06.10.2025", "215,00", "Assekuranz Lenz"],
    ["G-08", "Mechanik", "eigene Werkstatt", "27.08.2025", "28.08.2025", "24,90", "Schule"],
]
EVENTS: list[list[Any]] = [
    ["Date", "Event", "Place", "In charge", "Listeners", "Takings EUR", "Costs EUR"],
    [datetime.date(2025, 1, 31), "Pupils' evening", "Depot", "Kolk", 64, 0, 35],
    [datetime.date(2025, 2, 22), "Open day", "Kastanienhaus", "Wiesner", 240, 312.5, 188],
    [datetime.date(2025, 3, 28), "Pupils' evening", "Depot", "Castan", 71, 0, 35],
    [datetime.date(2025, 4, 12), "Band night", "Depot", "Drury", 88, 410, 265],
    [datetime.date(2025, 5, 17), "Choir in the park", "Stadtpark", "Tolander", 130, 204.7, 90],
    [datetime.date(2025, 6, 21), "Summer concert", "Kursaal", "Ferrandi", 287, 1935, 1210],
    [datetime.date(2025, 7, 18), "Drum parade", "harbour", "Reyes", None, 0, 145],
    [datetime.date(2025, 9, 26), "Pupils' evening", "Depot", "Kolk", 58, 0, 35],
    [datetime.date(2025, 10, 11), "Cello day", "Kastanienhaus", "Baum", 42, 378, 420],
    [datetime.date(2025, 11, 8), "Cajón workshop", "Depot", "Reyes", 11, 268, 150],
    [datetime.date(2025, 12, 13), "Christmas music", "St Olaf's", "Tolander", 305, 1126.4, 380],
]
ROOMS: list[list[Any]] = [
    ["Monday", 21, 9, 14, 3],
    ["Tuesday", 26, 12, 19, 6],
    ["Wednesday", 24, 10, 17, 8],
    ["Thursday", 28, 13, 22, 7],
    ["Friday", 15, 6, 20, 11],
    ["Saturday", 7, 0, 12, 9],
]
TEACHERS = {
    "Piano": ("Kolk", "Sandvik", "Sandvik"),
    "Guitar": ("Drury",),
    "Violin": ("Ferrandi", "Moll"),
    "Cello": ("Baum",),
    "Flute": ("Castan",),
    "Drums": ("Reyes",),
    "Singing": ("Tolander",),
}
FEES = {30: 84.0, 45: 119.0, 60: 155.0}


def pupils() -> list[list[Any]]:
    luck = random.Random(415)
    rows: list[list[Any]] = [["Pupil", "Subject", "Teacher", "House", "Minutes", "Age", "Fee EUR"]]
    rows[0] += ["Since", "City pass"]
    often = ["Piano", "Piano", "Piano", "Guitar", "Guitar", "Violin", "Violin", "Cello"]
    for number in range(601, 673):
        subject = luck.choice([*often, *TEACHERS])
        teacher = luck.choice(TEACHERS[subject])
        house = "Depot" if teacher in ("Kolk", "Reyes", "Drury") else luck.choice(["Kastanienhaus"] * 3 + ["Depot"])
        minutes = luck.choice([30, 30, 45, 45, 45, 60])
        age = luck.choice([*range(6, 18), *range(7, 15), 24, 37, 46, 58, 63])
        citypass = luck.choice(["no"] * 8 + ["yes"])
        fee = 134.0 if age > 20 and minutes == 45 else FEES[minutes]
        row = [f"P{number}", subject, teacher, house, minutes, age, f"{fee / (2 if citypass == 'yes' else 1):.2f}"]
        rows.append([*row, luck.randint(2018, 2025), citypass])
    rows[27][5] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(path["Mietvertrag Depot 2021.docx"], text["mietvertrag"], font="Arial", footer="Hafenstraße 31")
    kit.write_docx(path["Teaching contract Drury.docx"], text["drury"], font="Times New Roman", header="Personal file")
    kit.write_docx(path["Handbook teachers August 2025.docx"], text["handbook"], size=10)
    kit.write_odt(path["Tuition fees 2024-25.odt"], text["fees24"])
    kit.write_odt(path["Tuition fees from 2025-09.odt"], text["fees25"])
    kit.write_pdf(path["Terms of hire 2025.pdf"], text["hire"], size=10, footer="Ferrandi Music School", grid=False)
    kit.write_pdf(path["Policy MI-20 4417.pdf"], text["policy"], font="Times-Roman", header="Assekuranz Lenz AG")
    kit.write_eml(path["AW_ AW_ Heizung im Depot.eml"], text["heizung"])
    kit.write_eml(path["Re_ Re_ Re_ Summer concert 2026.eml"], text["hall"], with_html=True)
    kit.write_docx(path["Protokoll Lehrerkonferenz 2025-09-10.docx"], text["protokoll"], header="Musikschule Ferrandi")
    kit.write_html(
        path["parents-questions.html"], text["faq"], title="Questions from parents", after="<footer>Imprint</footer>"
    )
    kit.write_pptx(path["Elternabend Streicherklasse.pptx"], text["elternabend"])
    kit.write_pdf(path["Devis Vauquelin C-14.pdf"], text["lettre"], font="Times-Roman", size=11, page_label="")
    kit.write_picture_pdf(path["scan_gutachten_c14.pdf"], [text["scan"]], tilt=0.5, specks=120, seed=8)
    kit.write_pdf(path["The year 2024.pdf"], text["report"], columns=2, size=9.5, color="#5a2a6b")
    kit.write_eml(path["Taller de cajon.eml"], text["correo"])
    path["nadja-desk.md"].write_text(text["desk"], encoding="utf-8")
    kit.write_odt(path["Hausordnung.odt"], text["hausordnung"], font="Liberation Sans")
    kit.write_xlsx(
        path["Leihinstrumente.xlsx"],
        [
            kit.Sheet("Bestand", [["Auszug aus der Instrumentenliste, Stand 01.12.2025 (A. Roth)"], *STOCK], head=2),
            kit.Sheet("Reparaturen", REPAIRS, remarks={"F5": "Kostenvoranschlag, noch keine Rechnung"}),
        ],
    )
    head = ["Weekday", "Kastanienhaus", None, "Depot", None]
    under = [None, "lessons", "practice", "lessons", "practice"]
    total = ["Together", *(sum(row[c] for row in ROOMS) for c in range(1, 5))]
    kit.write_xlsx(
        path["Events 2025.xlsx"],
        [
            kit.Sheet("Events", EVENTS, formats={"A": "dd/mm/yyyy", "F": "0.00"}),
            kit.Sheet(
                "Room use",
                [["Booked hours in a week of November 2025"], head, under, *ROOMS, total],
                head=3,
                merged=("A1:E1", "B2:C2", "D2:E2", "A2:A3"),
            ),
        ],
    )
    kit.write_csv(path["pupils_autumn_2025.csv"], pupils())
