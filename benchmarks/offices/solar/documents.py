"""Ravn, an installer of solar roofs and heat pumps in Mellstedt: its documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Framework Wohnbund Eichkamp.docx": "en",
    "Werkvertrag 25-0614 Dorn.docx": "de",
    "Service contracts 2025.pdf": "en",
    "prices_2024.txt": "en",
    "Prices from 2025-07.odt": "en",
    "Field handbook 3rd edition.docx": "en",
    "Vertrag Kroll.docx": "de",
    "AW_ AW_ AW_ Lieferung Wechselrichter.eml": "de",
    "Re_ Re_ Crane Amselhof.eml": "en",
    "Protokoll Baubesprechung KW42.docx": "de",
    "your-questions.html": "en",
    "Infoabend Wärmepumpe.pptx": "de",
    "HP-2025-037 Faber.pdf": "en",
    "Orderbevestiging 58210.pdf": "nl",
    "Infiltration Collin.eml": "fr",
    "scan_NA-2025-1187.pdf": "de",
    "2024 in figures.pdf": "en",
    "Leasing Kastenwagen.odt": "de",
    "dispatch-notes-kim.md": "en",
    "Aufträge 2025.xlsx": "de",
    "Store count.xlsx": "en",
    "service_calls_autumn_2025.csv": "en",
}
PICTURES = {"scan_NA-2025-1187.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "orders": TableAt("Aufträge 2025.xlsx", "Aufträge", skip=1, decimal=","),
    "hours": TableAt("Aufträge 2025.xlsx", "Stunden", skip=1, head=2, last="Summe"),
    "store": TableAt("Store count.xlsx", "Count"),
    "tools": TableAt("Store count.xlsx", "Tools"),
    "calls": TableAt("service_calls_autumn_2025.csv", delimiter=";", encoding="cp1252"),
}
HOURS: list[list[Any]] = [
    ["Juni", 412, 388, 296, 141],
    ["Juli", 436, 401, 271, 158],
    ["August", 388, 214, 305, 149],
    ["September", 445, 419, 322, 172],
    ["Oktober", 398, 376, 341, 187],
    ["November", 351, None, 338, 246],
]
STORE: list[list[Any]] = [
    ["Article", "In stock", "Minimum", "Unit", "Purchase EUR", "Shelf", "On order", "Supplier"],
    ["Solarion S440", 96, 150, "piece", 71.5, "yard", 360, "Zonnedak"],
    ["Solarion S440 black", 41, 60, "piece", 79, "yard", 144, "Zonnedak"],
    ["Solarion S430", 18, 0, "piece", 74.2, "yard", 0, "Zonnedak"],
    ["Voltaro 8", 5, 4, "piece", 1120, "A1", 0, "Haase"],
    ["Voltaro 12", 2, 6, "piece", 1385, "A1", 18, "Haase"],
    ["Kubik 10", 7, 5, "piece", 3940, "cage", 0, "Haase"],
    ["Kubik 15", 1, 2, "piece", 5310, "cage", 3, "Haase"],
    ["Ampelo 11", 12, 6, "piece", 612, "A3", 0, "Haase"],
    ["Rail 4.40 m", 164, 200, "piece", 18.9, "yard", 210, "Zonnedak"],
    ["Roof hook, adjustable", 830, 500, "piece", 6.15, "B2", 620, "Zonnedak"],
    ["Solar cable 6 mm", 1400, 1000, "metre", 0.94, "B4", 0, "Haase"],
    ["Bird guard", 75, 100, "metre", 11.3, "B5", 0, None],
    ["Borealis 6", 2, 2, "piece", 8350, "hall", 0, "Borealis"],
    ["Borealis 9", 4, 3, "piece", 9480, "hall", 2, "Borealis"],
    ["Sound hood", 0, 2, "piece", 310, "hall", 3, "Borealis"],
    ["Buffer 300 l", 3, 2, "piece", 715, "hall", 0, "Brunnert"],
]
TOOLS: list[list[Any]] = [
    ["Tool", "Number", "Bought", "Price EUR", "Last check", "Lies with"],
    ["Drone Libelle 2", "D-1", datetime.date(2023, 4, 11), 1890, datetime.date(2025, 3, 4), "Amparo"],
    ["Drone Libelle 2", "D-2", datetime.date(2024, 5, 27), 2140, None, None],
    ["Thermal camera", "W-1", datetime.date(2021, 2, 2), 3260, datetime.date(2025, 3, 6), "Matthijs"],
    ["Insulation tester", "M-3", datetime.date(2022, 9, 19), 870, datetime.date(2025, 3, 6), "van 1"],
    ["Insulation tester", "M-4", datetime.date(2025, 6, 3), 940, datetime.date(2025, 6, 3), "van 3"],
    ["Vacuum pump", "K-2", datetime.date(2020, 10, 14), 1175, datetime.date(2025, 3, 7), "Judith"],
    ["Slanted lift", "S-1", datetime.date(2019, 5, 20), 7650, datetime.date(2025, 9, 15), "yard"],
    ["Rail saw", "R-5", datetime.date(2024, 1, 9), 465, datetime.date(2025, 3, 7), "van 2"],
]
FAMILIES = "Ahlers Bonk Cordes Detjen Ehlert Fick Gerdau Hinsch Iwersen Jarck Kanz Lührs Matthies Nagel Ochs Peters"
PLACES = ("Mellstedt", "Mellstedt", "Tellau", "Grauwisch", "Süsel")


def money(amount: float) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def orders() -> list[list[Any]]:
    luck = random.Random(2317)
    head = ["Auftrag", "Kunde", "Ort", "Art", "kWp", "Betrag €", "Verkauf", "Kolonne", "Beginn", "Am Netz", "Offen €"]
    rows: list[list[Any]] = [head]
    day = datetime.date(2025, 5, 5)
    for number in range(540, 588):
        kind = luck.choice(["PV", "PV", "PV mit Speicher", "PV mit Speicher", "Wärmepumpe", "Wallbox"])
        power = round(luck.uniform(4.4, 19.8), 1) if kind.startswith("PV") else None
        price = {"PV": 1180, "PV mit Speicher": 1760}.get(kind, 0) * (power or 0)
        price += {"Wärmepumpe": 29800, "Wallbox": 1100}.get(kind, 0) + luck.randint(-180, 2400)
        crew = "Heizung" if kind == "Wärmepumpe" else luck.choice(["Kolonne 1", "Kolonne 1", "Kolonne 2"])
        ready = day + datetime.timedelta(days=luck.randint(21, 75))
        done = ready.strftime("%d.%m.%Y") if ready < datetime.date(2025, 11, 20) else None
        rest = money(price * luck.choice([0.1, 0.3])) if luck.random() < 0.2 or not done else "0,00"
        rows.append([f"25-0{number}", luck.choice(FAMILIES.split()), luck.choice(PLACES), kind])
        rows[-1] += [None if power is None else f"{power:.1f}".replace(".", ","), money(price)]
        rows[-1] += [luck.choice(["Bonnet", "Bonnet", "Gil"]), crew, day.strftime("%d.%m.%Y"), done, rest]
        day += datetime.timedelta(days=luck.choice([1, 2, 3, 4, 6]))
    rows[22][6] = None
    return rows


def calls() -> list[list[Any]]:
    luck = random.Random(808)
    rows: list[list[Any]] = [["Call", "Date", "Customer", "Place", "Device", "Fault", "Technician"]]
    rows[0] += ["Hours", "Charged EUR", "Contract"]
    faults = {
        "inverter": ("error 301", "router", "no display"),
        "heat pump": ("low pressure", "loud", "no hot water", "iced up"),
        "battery": ("does not charge", "update"),
        "wallbox": ("card refused", "no display"),
    }
    day = datetime.date(2025, 9, 1)
    for number in range(2210, 2276):
        device = luck.choice(["inverter", "inverter", "heat pump", "heat pump", "heat pump", "battery", "wallbox"])
        who = (
            "Blaak"
            if day > datetime.date(2025, 10, 31) and luck.random() < 0.5
            else luck.choice(["de Wit"] * 4 + ["Pfaff"])
        )
        hours = luck.choice([0.5, 0.75, 1.0, 1.5, 2.0, 2.25, 3.5])
        contract = luck.choice(["none", "none", "Basic", "Plus", "Complete"])
        amount = 0.0 if contract == "Complete" else hours * 74 + (0 if contract == "Plus" else 45)
        rows.append([number, day.isoformat(), luck.choice(FAMILIES.split()), luck.choice(PLACES), device])
        rows[-1] += [luck.choice(faults[device]), who, hours, f"{amount:.2f}", contract]
        day += datetime.timedelta(days=luck.choice([0, 1, 1, 1, 2, 2]))
    rows[41][7] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(path["Framework Wohnbund Eichkamp.docx"], text["coop"], font="Georgia", footer="Framework agreement")
    kit.write_docx(path["Werkvertrag 25-0614 Dorn.docx"], text["dorn"], font="Arial", size=10.5, header="25-0614")
    kit.write_pdf(path["Service contracts 2025.pdf"], text["service"], size=10, color="#b34700", footer="04182 550 17")
    path["prices_2024.txt"].write_text(text["prices24"], encoding="utf-8")
    kit.write_odt(path["Prices from 2025-07.odt"], text["prices25"], font="Liberation Sans")
    kit.write_docx(path["Field handbook 3rd edition.docx"], text["handbook"], size=9.5, header="Field handbook")
    kit.write_docx(path["Vertrag Kroll.docx"], text["kroll"], font="Times New Roman", header="vertraulich")
    kit.write_eml(path["AW_ AW_ AW_ Lieferung Wechselrichter.eml"], text["inverter"], with_html=True)
    kit.write_eml(path["Re_ Re_ Crane Amselhof.eml"], text["crane"])
    kit.write_docx(path["Protokoll Baubesprechung KW42.docx"], text["protokoll"])
    kit.write_html(
        path["your-questions.html"], text["faq"], title="Your questions", before="<nav>Solar | Heat | Service</nav>"
    )
    kit.write_pptx(path["Infoabend Wärmepumpe.pptx"], text["infoabend"])
    kit.write_pdf(path["HP-2025-037 Faber.pdf"], text["commissioning"], font="Courier", size=9, page_label="%d")
    kit.write_pdf(path["Orderbevestiging 58210.pdf"], text["zonnedak"], page_label="", margin=64)
    kit.write_eml(path["Infiltration Collin.eml"], text["collin"])
    kit.write_picture_pdf(path["scan_NA-2025-1187.pdf"], [text["scan"]], tilt=-0.4, specks=90, seed=15)
    kit.write_pdf(path["2024 in figures.pdf"], text["report"], chapter_on_new_page=True, font="Times-Roman", size=11)
    kit.write_odt(path["Leasing Kastenwagen.odt"], text["leasing"])
    path["dispatch-notes-kim.md"].write_text(text["dispatch"], encoding="utf-8")
    head = ["Monat", "Kolonne 1", "Kolonne 2", "Technik", None]
    under = [None, None, None, "Heizung", "Kundendienst"]
    total = ["Summe", *(sum(row[c] or 0 for row in HOURS) for c in range(1, 5))]
    kit.write_xlsx(
        path["Aufträge 2025.xlsx"],
        [
            kit.Sheet("Aufträge", [["Aufträge ab Mai 2025, Stand 01.12.2025 (Kimberly)"], *orders()], head=2),
            kit.Sheet(
                "Stunden",
                [["Geleistete Stunden 2025"], head, under, *HOURS, total],
                head=3,
                merged=("A1:E1", "A2:A3", "B2:B3", "C2:C3", "D2:E2"),
            ),
        ],
    )
    kit.write_xlsx(
        path["Store count.xlsx"],
        [
            kit.Sheet("Count", STORE, formats={"E": "0.00"}, remarks={"B6": "both promised to the Tellau school"}),
            kit.Sheet("Tools", TOOLS, formats={"C": "dd/mm/yyyy", "E": "dd/mm/yyyy"}),
        ],
    )
    kit.write_csv(path["service_calls_autumn_2025.csv"], calls(), delimiter=";", encoding="cp1252")
