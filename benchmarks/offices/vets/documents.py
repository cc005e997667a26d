"""The veterinary practice Kirkholm with a branch in Süderau: its documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Lease Süderau signed.docx": "en",
    "Arbeitsvertrag Lüders.docx": "de",
    "Emergency duty agreement 2025.docx": "en",
    "Practice handbook v4.docx": "en",
    "Fees from 2025-03.odt": "en",
    "price list 2023 OLD.txt": "en",
    "Report on 2024.pdf": "en",
    "Prüfbericht Röntgen 25-118.pdf": "de",
    "After the operation.pdf": "en",
    "Courrier Jacquard Ulysse.pdf": "fr",
    "scan_titer_nuka.pdf": "de",
    "Re_ Re_ Re_ X-ray Süderau.eml": "en",
    "AW_ AW_ Notdienst Weihnachten.eml": "de",
    "Fwd_ Your dog ate our deposit.eml": "en",
    "Team day 2025.pptx": "en",
    "Kundenabend Zecken.pptx": "de",
    "questions-from-owners.html": "en",
    "greta-notes.md": "en",
    "Merkblatt Praktikum.odt": "de",
    "Operations 2025.xlsx": "en",
    "Apotheke.xlsx": "de",
    "rechnungen_sept_2025.csv": "de",
}
PICTURES = {"scan_titer_nuka.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "operations": TableAt("Operations 2025.xlsx", "Operations"),
    "visits": TableAt("Operations 2025.xlsx", "Visits", skip=1, head=2, last="So far"),
    "drugs": TableAt("Apotheke.xlsx", "Bestand", skip=2, decimal=","),
    "devices": TableAt("Apotheke.xlsx", "Geräte", decimal=","),
    "bills": TableAt("rechnungen_sept_2025.csv", delimiter=";", encoding="cp1252", decimal=","),
}
VISITS: list[list[Any]] = [
    ["January", 702, 268, 31, 12, "Merle"],
    ["February", 655, 251, 28, 9, "Merle"],
    ["March", 731, 297, 35, 15, "Merle"],
    ["April", 688, 312, 41, None, "Samir"],
    ["May", 774, 342, 44, 22, "Merle"],
    ["June", 749, 355, 39, 17, "Samir"],
    ["July", 712, 381, 52, 26, "Samir"],
    ["August", 669, 366, 47, 21, "Merle"],
    ["September", 758, 329, 36, 14, "Merle"],
]
DRUGS: list[list[Any]] = [
    ["Präparat", "Bestand", "Einheit", "Mindestbestand", "Einkauf €", "Verkauf €", "Verfall", "Ort"],
    ["Meloxidyl 100 ml", "14", "Flasche", "10", "11,80", "24,90", "31.08.2026", "Schrank 1"],
    ["Amoxival 250", "1.150", "Tablette", "800", "0,31", "0,74", "30.04.2026", "Schrank 1"],
    ["Ketavet 10 ml", "9", "Flasche", "6", "8,45", None, "31.01.2027", "Tresor"],
    ["Methadon 10 mg", "22", "Ampulle", "20", "4,10", None, "31.10.2026", "Tresor"],
    ["Propofol 20 ml", "17", "Flasche", "25", "6,95", None, "28.02.2026", "Schrank 3"],
    ["Tikora 10-20 kg", "46", "Tablette", "30", "19,60", "38,90", "31.12.2026", "Theke"],
    ["Defendex", "11", "Stück", "15", "23,10", "44,50", "30.06.2028", "Theke"],
    ["Tollwutvakzine", "64", "Dosis", "40", "7,20", "18,50", "31.07.2026", "Kühlschrank F1"],
    ["Staupekombi", "38", "Dosis", "60", "9,85", "27,00", "31.05.2026", "Kühlschrank F1"],
    ["RHD-Vakzine", "26", "Dosis", "20", "8,30", "22,40", "31.03.2026", None],
    ["Ringerlösung 1 l", "72", "Beutel", "50", "2,15", "9,60", "30.09.2027", "Keller"],
    ["Vitamin-K-Ampullen", "5", "Ampulle", "8", "3,75", "8,20", "31.12.2025", "Schrank 3"],
]
DEVICES: list[list[Any]] = [
    ["Gerät", "Hersteller", "Gekauft", "Preis €", "Nächste Prüfung", "Standort"],
    ["Ultraschall Vivo 7", "Sonora", "12.05.2021", "21.400,00", "05/2026", "Kirkholm"],
    ["Narkosegerät 1", "Drewes", "03.02.2017", "9.850,00", "02/2026", "Kirkholm"],
    ["Narkosegerät 2", "Drewes", "19.09.2022", "11.320,00", "09/2026", "Süderau"],
    ["Autoklav", "Steriwell", "08.01.2024", "6.790,00", "01/2026", "Kirkholm"],
    ["Zahnstation", "Dentavet", "27.11.2019", "7.240,00", None, "Kirkholm"],
    ["EKG-Monitor", "Sonora", "14.06.2023", "3.180,00", "06/2026", "Süderau"],
    ["Infusionspumpe", "Drewes", "30.03.2025", "1.095,00", "03/2027", "Kirkholm"],
]
FAMILIES = "Tidemand Grell Abrahamsen Lorenzen Ohlsen Petrak Quist Rademaker Szabo Thormählen Ulbrich Voss Wieben"
PATIENTS = "Pelle Nuka Mia Bosse Kiwi Frida Lotti Smilla Otto Pünktchen Rocky Minze Fiete Zorro Hilde Amy"


def operations() -> list[list[Any]]:
    luck = random.Random(71)
    rows: list[list[Any]] = [
        ["No.", "Date", "Site", "Species", "Patient", "Owner", "Operation", "Surgeon", "Minutes", "Fee EUR", "Trouble"]
    ]
    kinds = {"neutering": (118, 465, 20, 70), "dental": (215, 390, 35, 95), "lump": (160, 340, 20, 60)}
    day = datetime.date(2025, 7, 1)
    for number in range(311, 377):
        kind = luck.choice(["neutering", "neutering", "neutering", "dental", "lump", "lump"])
        low, high, short, long = kinds[kind]
        site = luck.choice(["Kirkholm", "Kirkholm", "Süderau"])
        surgeon = luck.choice(["Sundqvist", "Brandis"] if site == "Süderau" else ["Holt", "Holt", "Brandis"])
        rows.append([number, day, site, luck.choice(["dog", "cat", "cat", "rabbit"]), luck.choice(PATIENTS.split())])
        rows[-1] += [luck.choice(FAMILIES.split()), kind, surgeon, luck.randint(short, long), luck.randint(low, high)]
        rows[-1].append(luck.choice([None] * 8 + ["bleeding", "slow to wake"]))
        day += datetime.timedelta(days=luck.choice([0, 1, 1, 2, 3]))
    rows[18][8] = None
    return rows


def bills() -> list[list[Any]]:
    luck = random.Random(909)
    rows: list[list[Any]] = [["Rechnung", "Datum", "Kunde", "Standort", "Tierart", "Betrag €", "bezahlt am", "Mahnung"]]
    day = datetime.date(2025, 9, 1)
    for number in range(4102, 4170):
        amount = round(luck.uniform(18, 640), 2)
        paid = (day + datetime.timedelta(days=luck.randint(0, 25))).strftime("%d.%m.%Y")
        reminder: Any = ""
        if luck.random() < 0.18:
            paid, reminder = "", luck.choice(["", "1", "1", "2"])
        site = luck.choice(["Kirkholm", "Kirkholm", "Süderau"])
        rows.append([f"25-{number}", day.strftime("%d.%m.%Y"), luck.choice(FAMILIES.split()), site])
        rows[-1] += [luck.choice(["Hund", "Hund", "Katze", "Kaninchen", "Vogel"])]
        rows[-1] += [f"{amount:,.2f}".translate(str.maketrans(",.", ".,")), paid, reminder]
        day += datetime.timedelta(days=luck.choice([0, 0, 0, 1, 1]))
    rows[33][4] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(path["Lease Süderau signed.docx"], text["lease"], font="Garamond", footer="Deichstraße 22")
    kit.write_docx(path["Arbeitsvertrag Lüders.docx"], text["lueders"], font="Arial", size=10, header="Personalakte")
    kit.write_docx(path["Emergency duty agreement 2025.docx"], text["duty"], font="Times New Roman")
    kit.write_docx(path["Practice handbook v4.docx"], text["handbook"], size=10, header="Handbook, version 4")
    kit.write_odt(path["Fees from 2025-03.odt"], text["fees25"])
    path["price list 2023 OLD.txt"].write_text(text["fees23"], encoding="utf-8")
    kit.write_pdf(path["Report on 2024.pdf"], text["report"], chapter_on_new_page=True, color="#1d5c4a", footer="2024")
    kit.write_pdf(
        path["Prüfbericht Röntgen 25-118.pdf"], text["strahlen"], font="Times-Roman", header="O. Kamp", page_label="%d"
    )
    kit.write_pdf(path["After the operation.pdf"], text["afterop"], page="A5", size=10, margin=38, page_label="")
    kit.write_pdf(path["Courrier Jacquard Ulysse.pdf"], text["morvan"], font="Times-Roman", size=11.5, page_label="")
    kit.write_picture_pdf(path["scan_titer_nuka.pdf"], [text["scan"]], tilt=-0.6, specks=150, seed=4)
    kit.write_eml(path["Re_ Re_ Re_ X-ray Süderau.eml"], text["xray"])
    kit.write_eml(path["AW_ AW_ Notdienst Weihnachten.eml"], text["notdienst"])
    kit.write_eml(path["Fwd_ Your dog ate our deposit.eml"], text["invoicemail"], with_html=True)
    kit.write_pptx(path["Team day 2025.pptx"], text["teamday"])
    kit.write_pptx(path["Kundenabend Zecken.pptx"], text["zecken"])
    kit.write_html(
        path["questions-from-owners.html"], text["faq"], title="Questions", before="<nav>Home | Team | Fees</nav>"
    )
    path["greta-notes.md"].write_text(text["notes"], encoding="utf-8")
    kit.write_odt(path["Merkblatt Praktikum.odt"], text["praktikum"], font="Liberation Sans")
    head = ["Month", "Kirkholm", None, "Süderau", None, "Counted by"]
    under = [None, "by day", "by night", "by day", "by night", None]
    visits = [[row[0], row[1], row[3], row[2], row[4], row[5]] for row in VISITS]
    total = ["So far", *(sum(row[c] or 0 for row in visits) for c in (1, 2, 3, 4)), None]
    kit.write_xlsx(
        path["Operations 2025.xlsx"],
        [
            kit.Sheet("Operations", operations(), formats={"B": "dd/mm/yyyy", "J": "0.00"}),
            kit.Sheet(
                "Visits",
                [["Visits 2025"], head, under, *visits, total],
                head=3,
                merged=("A1:F1", "B2:C2", "D2:E2", "A2:A3", "F2:F3"),
            ),
        ],
    )
    title = [["Apotheke Kirkholm, gezählt am 30.09.2025 (Tabea)"], ["Verkauf mit MwSt., Einkauf ohne"]]
    kit.write_xlsx(
        path["Apotheke.xlsx"], [kit.Sheet("Bestand", [*title, *DRUGS], head=3), kit.Sheet("Geräte", DEVICES)]
    )
    kit.write_csv(path["rechnungen_sept_2025.csv"], bills(), delimiter=";", encoding="cp1252")
