"""The wine estate Kestner with the guest house Kelterhaus and a farm shop: its documents (all invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Pachtvertrag Stauch 2019.docx": "de",
    "Contract Quinn.docx": "en",
    "Linen agreement Perlbach.odt": "en",
    "Kelterhaus manual 3rd ed.docx": "en",
    "Wine list 2026.odt": "en",
    "price list 2024.txt": "en",
    "Zimmerpreise.pdf": "de",
    "Estate report 2024.pdf": "en",
    "Cellar rules.pdf": "en",
    "Merkblatt Lese 2025.docx": "de",
    "Devis Maury-Lasserre.pdf": "fr",
    "Offerta tappi Canu.odt": "it",
    "scan_analyse_T3.pdf": "de",
    "Re_ Re_ Re_ Wedding Brückner.eml": "en",
    "AW_ AW_ Lesebeginn.eml": "de",
    "Fwd_ Parcel 3 of 5.eml": "en",
    "Season start 2026.pptx": "en",
    "guest-questions.html": "en",
    "Protokoll Familienrat 23.11.2025.docx": "de",
    "mirko.md": "en",
    "Barrels and rooms 2025.xlsx": "en",
    "Hofladen.xlsx": "de",
    "bestellungen_nov_2025.csv": "de",
}
PICTURES = {"scan_analyse_T3.pdf": (TEXTS / "scan.txt").read_text(encoding="utf-8")}
TABLES = {
    "barrels": TableAt("Barrels and rooms 2025.xlsx", "Barrels", skip=1),
    "nights": TableAt("Barrels and rooms 2025.xlsx", "Nights", skip=1, head=2, last="Year"),
    "stock": TableAt("Hofladen.xlsx", "Bestand", skip=2, decimal=","),
    "producers": TableAt("Hofladen.xlsx", "Lieferanten", decimal=","),
    "orders": TableAt("bestellungen_nov_2025.csv", delimiter=";", encoding="cp1252", decimal=","),
}
NIGHTS: list[list[Any]] = [
    ["January", 38, 12, 9, 4, "Saoirse"],
    ["February", 71, 22, 15, 11, "Saoirse"],
    ["March", 148, 41, 52, 19, "Saoirse"],
    ["April", 233, 58, 96, 31, "Jonas"],
    ["May", 341, 77, 148, 44, "Saoirse"],
    ["June", 329, 69, 141, 52, "Saoirse"],
    ["July", 352, 61, 187, 68, "Jonas"],
    ["August", 347, 66, 192, 71, "Jonas"],
    ["September", 398, 92, 171, None, "Saoirse"],
    ["October", 376, 88, 129, 49, "Saoirse"],
    ["November", 131, 36, 28, 14, "Saoirse"],
    ["December", 164, 29, 61, 23, "Jonas"],
]
STOCK: list[list[Any]] = [
    ["Artikel", "Lieferant", "Bestand", "Mindestbestand", "Einkauf €", "Verkauf €", "Haltbar bis", "Regal"],
    ["Waldhonig 500 g", "Imkerei Grasmück", "31", "20", "5,10", "7,90", "30.09.2027", "A2"],
    ["Rapshonig 500 g", "Imkerei Grasmück", "12", "20", "4,60", "6,90", "31.08.2027", "A2"],
    ["Ziegenkäse jung", "Hof Bärental", "6", "10", "3,20", "5,40", "12.12.2025", "Kühlung"],
    ["Bergkäse am Stück kg", "Käserei Lenz", "9", "5", "14,80", "22,50", "31.01.2026", "Kühlung"],
    ["Walnussbrot", "Bäckerei Nagel", "14", "12", "2,95", "4,80", None, "Theke"],
    ["Quittengelee", "Familie Hofmann", "44", "15", "2,40", "4,20", "31.10.2026", "B1"],
    ["Weingelee rot", "eigen", "57", "25", None, "4,50", "30.06.2027", "B1"],
    ["Traubenkernöl 250 ml", "Ölmühle Saar", "8", "10", "6,30", "10,90", "31.05.2026", "B3"],
    ["Hirschsalami", "Metzgerei Kunz", "19", "8", "5,70", "8,90", "28.02.2026", "Kühlung"],
    ["Leberwurst im Glas", "Metzgerei Kunz", "23", "15", "2,85", "4,60", "31.07.2026", None],
    ["Eier, 10 Stück", "Familie Hofmann", "17", "20", "2,60", "3,80", "09.12.2025", "Theke"],
    ["Walnüsse 500 g", "Familie Hofmann", "26", "10", "3,90", "6,20", "31.03.2026", "B2"],
    ["Trester 0,5 l", "eigen", "11", "6", None, "18,50", None, "C1"],
]
PRODUCERS: list[list[Any]] = [
    ["Lieferant", "Ort", "Entfernung km", "Liefertag", "Zahlungsziel Tage", "Umsatz 2025 €", "Ansprechpartner"],
    ["Imkerei Grasmück", "Dornfels", 2, "nach Bedarf", 30, "6.840,00", "Lorenz Grasmück"],
    ["Hof Bärental", "Bärental", 19, "Mittwoch", 14, "4.215,50", "Iris Mohn"],
    ["Käserei Lenz", "Freudenstein", 27, "Donnerstag", 14, "11.390,00", "Beat Lenz"],
    ["Bäckerei Nagel", "Dornfels", 1, "täglich", 7, "13.075,20", "Silke Nagel"],
    ["Familie Hofmann", "Obernau", 5, "Dienstag", 30, "7.962,40", None],
    ["Ölmühle Saar", "Steinbrück", 29, "monatlich", 21, "2.480,00", "Uwe Saar"],
    ["Metzgerei Kunz", "Obernau", 6, "Freitag", 10, "9.655,80", "Hilde Kunz"],
]
CUSTOMERS = "Abendroth Bellmann Cordes Dietz Eschenbach Falkner Gerold Hübsch Ilgner Kaminski Lindemann Thorsby"


def barrels() -> list[list[Any]]:
    luck = random.Random(2206)
    head = ["Barrel", "Litres", "Oak", "Maker", "Bought", "Wine", "Vintage", "Filled on", "pH", "Remark"]
    rows: list[list[Any]] = [["Barrel cellar, state of 30 November 2025 (Ruben)"], head]
    for number in range(1, 45):
        litres = luck.choice([225, 225, 225, 225, 300, 600])
        maker = luck.choice(["Maury-Lasserre", "Maury-Lasserre", "Küferei Gessler", "Bottai Rossi"])
        oak = {"Maury-Lasserre": "Allier", "Küferei Gessler": "Spessart", "Bottai Rossi": "Slavonia"}[maker]
        wine = luck.choice(["Mönchspfad", "Mönchspfad", "Spätburgunder", "Spätburgunder", "Grauburgunder", "empty"])
        rows.append([number, litres, oak, maker, luck.randint(2014, 2024), wine])
        if wine == "empty":
            rows[-1] += [None, None, None, luck.choice([None, "leaks", "to be rinsed"])]
            continue
        vintage = luck.choice([2023, 2024, 2024])
        filled = datetime.date(vintage, 10, 20) + datetime.timedelta(days=luck.randint(0, 40))
        rows[-1] += [vintage, filled, luck.randint(330, 372) / 100, luck.choice([None] * 5 + ["top up", "reductive"])]
    rows[18][8] = None
    return rows


def orders() -> list[list[Any]]:
    luck = random.Random(1125)
    head = ["Auftrag", "Datum", "Kunde", "Weg", "Wein", "Flaschen", "Betrag €", "Versand", "bezahlt am"]
    rows: list[list[Any]] = [head]
    prices = {"Silvaner Liter": 6.9, "Riesling trocken": 9.0, "Spätburgunder": 12.2, "Riesling Sekt": 14.5}
    day = datetime.date(2025, 11, 3)
    for number in range(31, 97):
        wine = luck.choice([*prices, "Riesling trocken", "Silvaner Liter"])
        bottles = luck.choice([6, 6, 12, 12, 18, 24, 36])
        paid = (day + datetime.timedelta(days=luck.randint(1, 20))).strftime("%d.%m.%Y")
        amount = f"{bottles * prices[wine]:,.2f}".translate(str.maketrans(",.", ".,"))
        rows.append([f"2511-{number:03d}", day.strftime("%d.%m.%Y"), luck.choice(CUSTOMERS.split())])
        rows[-1] += [luck.choice(["Internet", "Internet", "Telefon", "Laden", "Brief"]), wine, bottles, amount]
        rows[-1] += [luck.choice(["Rollfix", "Rollfix", "Post", "Abholung"]), luck.choice([paid, paid, paid, ""])]
        day += datetime.timedelta(days=luck.choice([0, 0, 0, 1, 1]))
    rows[27][7] = ""
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(
        path["Pachtvertrag Stauch 2019.docx"], text["pacht"], font="Times New Roman", footer="Stauch/Kestner"
    )
    kit.write_docx(path["Contract Quinn.docx"], text["quinn"], font="Garamond")
    kit.write_odt(path["Linen agreement Perlbach.odt"], text["laundry"])
    kit.write_docx(path["Kelterhaus manual 3rd ed.docx"], text["manual"], size=10, header="House manual, March 2025")
    kit.write_odt(path["Wine list 2026.odt"], text["wine26"], font="Liberation Sans")
    path["price list 2024.txt"].write_text(text["wine24"], encoding="utf-8")
    kit.write_pdf(path["Zimmerpreise.pdf"], text["zimmer"], color="#6b1f3a", page_label="Seite %d")
    kit.write_pdf(path["Estate report 2024.pdf"], text["report"], font="Times-Roman", size=11, header="Estate Kestner")
    kit.write_pdf(path["Cellar rules.pdf"], text["cellar"], columns=2, size=9, page="landscape", margin=40)
    kit.write_docx(path["Merkblatt Lese 2025.docx"], text["lese"], font="Arial", size=12)
    kit.write_pdf(path["Devis Maury-Lasserre.pdf"], text["devis"], font="Times-Roman", grid=False, page_label="")
    kit.write_odt(path["Offerta tappi Canu.odt"], text["tappi"])
    kit.write_picture_pdf(path["scan_analyse_T3.pdf"], [text["scan"]], tilt=-0.4, specks=120, seed=22)
    kit.write_eml(path["Re_ Re_ Re_ Wedding Brückner.eml"], text["wedding"])
    kit.write_eml(path["AW_ AW_ Lesebeginn.eml"], text["lesebeginn"])
    kit.write_eml(path["Fwd_ Parcel 3 of 5.eml"], text["broken"], with_html=True)
    kit.write_pptx(path["Season start 2026.pptx"], text["kickoff"])
    kit.write_html(path["guest-questions.html"], text["faq"], title="Good to know", after="<footer>Kelterhaus</footer>")
    kit.write_docx(path["Protokoll Familienrat 23.11.2025.docx"], text["familienrat"], size=10.5)
    path["mirko.md"].write_text(text["notes"], encoding="utf-8")
    head = ["Month", "Couples", "Alone", "Families", "Groups", "Counted by"]
    above = ["Month", "Double and single rooms", None, "Stable and groups", None, "Counted by"]
    under = [None, *head[1:5], None]
    year = ["Year", *(sum(row[c] or 0 for row in NIGHTS) for c in (1, 2, 3, 4)), None]
    kit.write_xlsx(
        path["Barrels and rooms 2025.xlsx"],
        [
            kit.Sheet("Barrels", barrels(), head=2, formats={"H": "dd/mm/yyyy", "I": "0.00"}),
            kit.Sheet(
                "Nights",
                [["Nights in the Kelterhaus 2025"], above, under, *NIGHTS, year],
                head=3,
                merged=("A1:F1", "B2:C2", "D2:E2", "A2:A3", "F2:F3"),
            ),
        ],
    )
    title = [["Hofladen, gezählt am 29.11.2025 (Lotte)"], ["Einkauf ohne, Verkauf mit MwSt."]]
    kit.write_xlsx(
        path["Hofladen.xlsx"], [kit.Sheet("Bestand", [*title, *STOCK], head=3), kit.Sheet("Lieferanten", PRODUCERS)]
    )
    kit.write_csv(path["bestellungen_nov_2025.csv"], orders(), delimiter=";", encoding="cp1252")
