"""The software consultancy Kestrel Brandt of Lindhausen: its documents (all names and facts are invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "MSA Marlowe 2024-02-14.pdf": "en",
    "SOW-14 claims portal.docx": "en",
    "CR-03 to SOW-14.docx": "en",
    "AVV Stadtbücherei Wolfental.docx": "de",
    "travel policy 2023.txt": "en",
    "Travel and expenses 2025.odt": "en",
    "On-call handbook.pdf": "en",
    "2025-09-03 post-mortem.md": "en",
    "Mobiles Arbeiten 2025.docx": "de",
    "Angebot 25-091 Landratsamt.pdf": "de",
    "Gesellschafter 2025-06-27.odt": "de",
    "Re_ Re_ moving anvil.eml": "en",
    "AW_ WG_ Rechnung 2025-118 gekürzt.eml": "de",
    "Fwd_ Application Noor Haddad.eml": "en",
    "lesezeichen-releases.html": "en",
    "onboarding.html": "en",
    "Cahier des charges Valmorel.pdf": "fr",
    "Acta Alto Zújar 2025-11-04.docx": "es",
    "Proposta Maré Digital.pdf": "pt",
    "Kick-off claims portal.pptx": "en",
    "Unterweisung Informationssicherheit.pptx": "de",
    "scan_lieferschein_25-30417.pdf": "de",
    "Frostina KG 35 Kurzanleitung.pdf": "de",
    "standup november.txt": "en",
    "day rates 2024 new customers.txt": "en",
    "Day rates 2026.docx": "en",
    "Nordpol Nachtrag 2026.pdf": "de",
    "Projects 2025.xlsx": "en",
    "Lizenzen und Geräte.xlsx": "de",
    "timesheet_2025-11.csv": "en",
    "tickets_lesezeichen.csv": "de",
}
PICTURES = {"scan_lieferschein_25-30417.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "projects": TableAt("Projects 2025.xlsx", "Projects", skip=1, head=2, last="Sum"),
    "staff": TableAt("Projects 2025.xlsx", "Staff"),
    "hosting": TableAt("Projects 2025.xlsx", "Hosting"),
    "licences": TableAt("Lizenzen und Geräte.xlsx", "Lizenzen", skip=1, decimal=","),
    "devices": TableAt("Lizenzen und Geräte.xlsx", "Geräte", decimal=","),
    "times": TableAt("timesheet_2025-11.csv"),
    "tickets": TableAt("tickets_lesezeichen.csv", delimiter=";", encoding="cp1252", decimal=","),
}
PROJECTS: list[list[Any]] = [
    ["P-101", "Lesezeichen, care", "Stadtbücherei Wolfental", "Mika", 60, 71, 41600, 41600, "running"],
    ["P-102", "Claims portal", "Marlowe Freight", "Florin", 140, 128, 163500, 81750, "running"],
    ["P-103", "Tariff calculator", "Stadtwerke Oberau", "Sunita", 35, 52, 37000, 34994, "running"],
    ["P-104", "Irrigation", "Alto Zújar", "Sunita", 48, 44, 45360, 34020, "running"],
    ["P-105", "Fair app", "Messe Lindhausen", "Mika", 22, 25, 23800, 23800, "closed"],
    ["P-106", "Audit of code", "Kornmark Bank", "Wren", 8, 7, 9200, 9200, "closed"],
    ["P-107", "Silk museum, offer", "Musée de la Soie", "Ilja", 6, 9, None, None, "offer"],
    ["P-108", "Appointments", "Landratsamt Wolfental", "Sunita", 36, None, 37680, 0, "offer"],
    ["P-109", "Payroll export", "Spinnerei eG", "Florin", 12, 19, 11500, 11500, "closed"],
    ["P-110", "Training Kotlin", "Kornmark Bank", "Florin", 5, 5, 6200, 6200, "closed"],
    ["P-111", "Escrow deposits", "Marlowe Freight", "Nkechi", 4, 3, 2300, 1150, "running"],
    ["P-112", "Chatbot, own machine", "internal", "Ilja", 20, 31, None, None, "running"],
]
STAFF: list[list[Any]] = [
    ["Surname", "First name", "Level", "Since", "Days a week", "Days off left", "Ext.", "Learning EUR left", "Bike"],
    ["Kestrel", "Wren", "director", 2012, 5, 11, 10, 900, "yes"],
    ["Brandt", "Jost", "director", 2012, 5, 17.5, 11, 1800, "no"],
    ["Obi", "Nkechi", "operations", 2014, 5, 6, 40, 240, "yes"],
    ["Sauer", "Ottilie", "office", 2013, 4, 9, 12, 1350, "yes"],
    ["Dascalu", "Florin", "architect", 2017, 5, 14, 31, 0, "no"],
    ["Rao", "Sunita", "senior", 2018, 4, 3.5, 33, 620, "yes"],
    ["Baranow", "Ilja", "senior", 2016, 5, 21, 34, 75, "no"],
    ["Lund", "Mika", "developer", 2020, 4, 8, 35, 1100, "yes"],
    ["Ferrante", "Chiara", "developer", 2022, 5, 12, None, 480, "no"],
    ["Wójcik", "Tomasz", "developer", 2023, 5, 10.5, 37, 1800, "yes"],
    ["Ngata", "Aroha", "junior", 2024, 5, 13, 38, None, "yes"],
    ["Heller", "Jonas", "apprentice", 2025, 5, 15, None, 1800, "no"],
]
HOSTING: list[list[Any]] = [
    ["Machine", "Place", "Cores", "Memory GB", "Disk GB", "EUR a month", "Runs", "Certificate until"],
    ["leaf-1", "Lindhausen", 16, 64, 900, 129, "Lesezeichen", datetime.date(2026, 9, 3)],
    ["leaf-2", "Oberau", 16, 64, 900, 118, "Lesezeichen", datetime.date(2026, 9, 3)],
    ["anvil", "Oberau", 32, 128, 4000, 235, "builds", datetime.date(2026, 1, 19)],
    ["tarif", "Oberau", 4, 8, 120, 38, "tariff calculator", datetime.date(2025, 12, 30)],
    ["post", "Lindhausen", 4, 16, 600, 44, "mail, wiki", datetime.date(2026, 5, 11)],
    ["riego", "Oberau", 8, 32, 500, 79, "irrigation", datetime.date(2026, 3, 2)],
    ["fish", "office", 24, 192, 2000, None, "language models", None],
]
LICENCES: list[list[Any]] = [
    ["Lizenzen, Stand 1. November 2025"],
    ["Programm", "Hersteller", "Plätze", "Belegt", "€ je Platz und Jahr", "Läuft bis", "Zuständig"],
    ["Codeschmiede IDE", "Ambosoft", 14, 13, "189,00", "31.03.2026", "Ilja"],
    ["Figura", "Figura Inc.", 4, 4, "144,00", "15.01.2026", "Chiara"],
    ["Buchwerk", "Kontor AG", 2, 2, "612,00", "31.12.2025", "Ottilie"],
    ["Sonar Monitoring", "Sonar BV", 1, 1, "1.940,00", "30.06.2026", "Nkechi"],
    ["Ticketbaum", "Ulme GmbH", 25, 23, "57,60", "31.12.2025", "Nkechi"],
    ["Videoraum", "Klarblick", 10, 6, "96,00", "28.02.2026", "Ottilie"],
    ["Kartenstudio", "Geolin", 1, 0, "480,00", None, "Sunita"],
    ["Prüfhase", "Langohr", 14, 9, None, "30.04.2026", "Ilja"],
]


def devices() -> list[list[Any]]:
    luck = random.Random(14)
    rows: list[list[Any]] = [["Inv.", "Art", "Modell", "Gekauft", "Preis €", "Nutzer", "Zustand", "Garantie bis"]]
    users = ["Wren", "Jost", "Nkechi", "Ottilie", "Florin", "Sunita", "Ilja", "Mika", "Chiara", "Tomasz", "Aroha"]
    models = {"Notebook": ("Corvo 14", 1480), "Bildschirm": ("Plano 27", 329), "Telefon": ("Piep 8", 415)}
    for number in range(201, 237):
        kind = luck.choice(list(models))
        model, price = models[kind]
        day = datetime.date(2021 + luck.randint(0, 4), luck.randint(1, 10), luck.randint(1, 28))
        user = luck.choice([*users, None])
        state = "Lager" if user is None else luck.choice(["gut", "gut", "gut", "Akku schwach", "Kratzer"])
        rows.append([f"G{number}", kind, model, day.strftime("%d.%m.%Y"), str(price - luck.randint(0, 9) * 10), user])
        rows[-1] += [state, day.replace(year=day.year + 3).strftime("%d.%m.%Y")]
    rows[9][4] = None
    rows[22][7] = None
    return rows


def times() -> list[list[Any]]:
    luck = random.Random(38)
    rows: list[list[Any]] = [["date", "who", "project", "hours", "activity", "billable", "note"]]
    for day in range(3, 29):
        date = datetime.date(2025, 11, day)
        if date.weekday() > 4:
            continue
        for who in luck.sample(["Florin", "Sunita", "Ilja", "Mika", "Chiara", "Tomasz", "Aroha"], 5):
            project = luck.choice(["P-101", "P-102", "P-102", "P-103", "P-104", "P-112"])
            hours = luck.choice([2, 3.5, 4, 5, 6.25, 7.5, 8])
            activity = luck.choice(["code", "code", "review", "meeting", "test"])
            billable = "no" if project == "P-112" or activity == "review" else "yes"
            rows.append([date.isoformat(), who, project, hours, activity, billable, ""])
    rows[17][3] = ""
    rows[31][6] = "night shift"
    return rows


def tickets() -> list[list[Any]]:
    luck = random.Random(2290)
    head = ["Nr.", "Gemeldet", "Bücherei", "Thema", "Dringlichkeit", "Stunden", "Bearbeitet von", "Geschlossen"]
    rows: list[list[Any]] = [head]
    day = datetime.date(2025, 8, 1)
    for number in range(2281, 2343):
        place = luck.choice(["Wolfental", "Wolfental", "Oberau", "Zweigstelle Nord", "Bücherbus"])
        theme = luck.choice(["Mahnung", "Anmeldung", "Drucker", "Vormerkung", "Statistik"])
        closed = (day + datetime.timedelta(days=luck.randint(0, 21))).strftime("%d.%m.%Y")
        hours = str(luck.choice([0.25, 0.5, 1, 1.5, 2, 4.5])).replace(".", ",")
        who = luck.choice(["Mika", "Mika", "Aroha", "Tomasz"])
        if luck.random() < 0.14:
            closed = hours = ""
        rows.append(
            [f"LZ-{number}", day.strftime("%d.%m.%Y"), place, theme, luck.choice("1223333"), hours, who, closed]
        )
        day += datetime.timedelta(days=luck.choice([0, 1, 2, 3]))
    rows[25][6] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_pdf(
        path["MSA Marlowe 2024-02-14.pdf"], text["msa"], font="Times-Roman", size=10, footer="MSA 2024", lead=1.2
    )
    kit.write_docx(path["SOW-14 claims portal.docx"], text["sow"], header="SOW-14")
    kit.write_docx(path["CR-03 to SOW-14.docx"], text["cr"], header="CR-03")
    kit.write_docx(path["AVV Stadtbücherei Wolfental.docx"], text["avv"], font="Times New Roman", size=10)
    path["travel policy 2023.txt"].write_text(text["travel23"], encoding="utf-8")
    kit.write_odt(path["Travel and expenses 2025.odt"], text["travel25"])
    kit.write_pdf(
        path["On-call handbook.pdf"],
        text["oncall"],
        size=9.5,
        chapter_on_new_page=True,
        color="#b91c1c",
        header="On call",
    )
    path["2025-09-03 post-mortem.md"].write_text(text["postmortem"], encoding="utf-8")
    kit.write_docx(path["Mobiles Arbeiten 2025.docx"], text["mobil"], font="Arial", footer="Aushang Küche")
    kit.write_pdf(path["Angebot 25-091 Landratsamt.pdf"], text["angebot"], color="#1d4ed8", page_label="Seite %d")
    kit.write_odt(path["Gesellschafter 2025-06-27.odt"], text["gesellschafter"], font="Liberation Sans")
    kit.write_eml(path["Re_ Re_ moving anvil.eml"], text["move"])
    kit.write_eml(path["AW_ WG_ Rechnung 2025-118 gekürzt.eml"], text["gekuerzt"], with_html=True)
    kit.write_eml(path["Fwd_ Application Noor Haddad.eml"], text["candidate"])
    kit.write_html(path["lesezeichen-releases.html"], text["release"], title="Lesezeichen release notes")
    kit.write_html(path["onboarding.html"], text["onboarding"], title="Wiki: onboarding", before="<p>Wiki / People</p>")
    kit.write_pdf(path["Cahier des charges Valmorel.pdf"], text["cahier"], size=11, margin=64, page_label="%d")
    kit.write_docx(path["Acta Alto Zújar 2025-11-04.docx"], text["acta"], font="Verdana", size=9.5)
    kit.write_pdf(path["Proposta Maré Digital.pdf"], text["proposta"], grid=False, color="#0e7490", page_label="")
    kit.write_pptx(path["Kick-off claims portal.pptx"], text["kickoff"])
    kit.write_pptx(path["Unterweisung Informationssicherheit.pptx"], text["sicherheit"])
    kit.write_picture_pdf(path["scan_lieferschein_25-30417.pdf"], [text["scan"]], tilt=-0.5, specks=140, seed=4)
    kit.write_pdf(path["Frostina KG 35 Kurzanleitung.pdf"], text["klima"], page="A5", size=8.5, columns=2, margin=30)
    path["standup november.txt"].write_text(text["standup"], encoding="utf-8")
    path["day rates 2024 new customers.txt"].write_text(text["rates24"], encoding="utf-8")
    kit.write_docx(path["Day rates 2026.docx"], text["rates26"], table_style="Light Grid")
    kit.write_pdf(path["Nordpol Nachtrag 2026.pdf"], text["versicherung"], font="Times-Roman", size=12, page_label="")
    head = ["No.", "Project", "Customer", "Lead", "Days", None, "Money EUR", None, "State"]
    under = [None, None, None, None, "planned", "spent", "agreed", "invoiced", None]
    total = ["Sum", None, None, None, *(sum(row[c] or 0 for row in PROJECTS) for c in (4, 5, 6, 7)), None]
    merged = ("A1:I1", "E2:F2", "G2:H2", *(f"{one}2:{one}3" for one in "ABCDI"))
    kit.write_xlsx(
        path["Projects 2025.xlsx"],
        [
            kit.Sheet("Projects", [["Projects 2025, end of November"], head, under, *PROJECTS, total], 3, merged),
            kit.Sheet("Staff", STAFF, remarks={"F6": "wants to carry over four days"}),
            kit.Sheet("Hosting", HOSTING, formats={"H": "yyyy-mm-dd"}),
        ],
    )
    kit.write_xlsx(
        path["Lizenzen und Geräte.xlsx"], [kit.Sheet("Lizenzen", LICENCES, head=2), kit.Sheet("Geräte", devices())]
    )
    kit.write_csv(path["timesheet_2025-11.csv"], times())
    kit.write_csv(path["tickets_lesezeichen.csv"], tickets(), delimiter=";", encoding="cp1252")
